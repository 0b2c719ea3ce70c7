"""Atoms in a periodic box: momenta and energy, with the forces of the nearest images."""

import numpy as np
import pytest

from discovery import ConservedQuantityFinder
from discovery.data.trajectories import Trajectories

N, LENGTH, STEP = 4, 4.0, 0.002
NAMES = [f"{a}{i}" for a in ("x", "y", "vx", "vy") for i in range(1, N + 1)]
ROLES = ["position"] * 2 * N + ["velocity"] * 2 * N


def forces(place):
    """Return the forces of Lennard-Jones atoms (2, N), ε = 3/2 and σ = 1."""
    gap = place[:, None, :] - place[:, :, None]
    gap -= LENGTH * np.round(gap / LENGTH)
    inverse = 1 / ((gap**2).sum(axis=0) + 1e9 * np.eye(N))
    return -(gap * 36 * (2 * inverse**7 - inverse**4)).sum(axis=2)


def atoms(friction=0.0):
    """Return runs of four atoms in a plane, inside the box, with a little noise."""
    rng, out = np.random.default_rng(1), []
    for _ in range(16):
        place = np.array([[1.0, 1, 3, 3], [1, 3, 1, 3]]) + rng.normal(0, 0.15, (2, N))
        speed, rows = rng.normal(0, 1, (2, N)), []
        force = forces(place)
        for k in range(800):
            if k % 10 == 0:
                rows.append(np.r_[(place % LENGTH).ravel(), speed.ravel()])
            speed = speed + STEP / 2 * (force - friction * speed)
            place = place + STEP * speed
            force = forces(place)
            speed = speed + STEP / 2 * (force - friction * speed)
        out.append(rows)
    states = np.array(out) + rng.normal(0, 0.001, (16, 80, 4 * N))
    times = 10 * STEP * np.arange(80)
    return Trajectories(states=states, times=times, names=NAMES, roles=ROLES)


@pytest.mark.slow
def test_momenta_and_energy_with_depth_and_size_of_the_atoms():
    report = ConservedQuantityFinder(box=LENGTH, random_state=0).fit(atoms()).report_
    assert report.n_conserved == 3
    energy = report.quantities[2]
    assert energy.symmetry == "time translation" and energy.name == "energy"
    kinds = [kind[0] for kind in energy.library.kinds()]
    factors = dict(zip(kinds, energy.coefficients.values(), strict=True))
    depth, sixth = 4 * 1.5, 1.0  # 4ε, σ⁶
    kinetic = float(factors["kinetic"])
    assert float(factors["pairs 1"]) / kinetic == pytest.approx(-depth * sixth, rel=0.01)
    assert float(factors["pairs 0"]) / kinetic == pytest.approx(depth * sixth**2, rel=0.01)


@pytest.mark.slow
def test_friction_leaves_no_law_in_a_box():
    finder = ConservedQuantityFinder(box=LENGTH, random_state=0).fit(atoms(friction=0.3))
    assert not any(q.symmetry == "time translation" for q in finder.quantities_)
