"""Species told by couplings: charges of two signs, and none where forces are no pairs' energies."""

import numpy as np
import pytest

from discovery import ConservedQuantityFinder
from discovery.data.trajectories import Trajectories
from discovery.estimation.preparation import prepare
from discovery.laws.finding.operators import operators
from discovery.laws.species import of_species
from discovery.libraries.many_bodies.bodies import Bodies
from discovery.libraries.many_bodies.families import Family

N, GAP, STEPS = 8, 0.12, 20
CHARGES = np.array([1.0, -1, 1, -1, 1, -1, 1, -1])
NAMES = [f"{a}{i}" for a in ("x", "y", "vx", "vy") for i in range(1, N + 1)]
ROLES = ["position"] * 2 * N + ["velocity"] * 2 * N


def charges(one_way=0.0, samples=40, values=CHARGES):
    """Return runs of softened charges in the plane, 1 % noise; forces may be one way in part."""
    rng = np.random.default_rng(0)
    coupling = np.outer(values, values) * (1 + one_way * np.triu(np.ones((N, N))))

    def force(place):
        gap = place[:, :, :, None] - place[:, :, None]
        cube = ((gap**2).sum(axis=1) + 0.25) ** 1.5
        return (coupling / cube)[:, None] * gap

    place, speed = rng.normal(0, 1.5, (24, 2, N)), rng.normal(0, 0.7, (24, 2, N))
    step, rows = GAP / STEPS, []
    for _ in range(samples):
        rows.append(np.concatenate([place, speed], axis=1).reshape(24, -1))
        for _ in range(STEPS):
            speed = speed + step / 2 * force(place).sum(axis=3)
            place = place + step * speed
            speed = speed + step / 2 * force(place).sum(axis=3)
    states = np.swapaxes(rows, 0, 1)
    states = states + 0.01 * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)
    return Trajectories(states=states, times=GAP * np.arange(samples), names=NAMES, roles=ROLES)


def grouped(runs):
    orbits, bodies = prepare(runs), Bodies.seen(NAMES, ROLES, runs.rows)
    family = Family(bodies, np.ones(N))
    (library,) = family.scaled("softened", family.coupled).at(0.5, "1/2")
    return list(of_species(library, family, orbits)), orbits


def test_charges_of_two_signs_are_two_species():
    (library,), orbits = grouped(charges())
    assert library.name.endswith("2 species")
    ops = operators(library, orbits.smoothed, orbits.offsets, orbits.scale)
    _, numbers = ops.pencil.smallest(np.arange(len(library)))
    # Six pairs of each sign attract no one of their own; sixteen attract.
    sizes = {len(term.weights): n for term, n in zip(library.sums, numbers, strict=True)}
    assert [len(term.weights) for term in library.sums].count(6) == 2
    assert sizes[16] / sizes[N] == pytest.approx(-1, rel=0.03)
    assert sizes[6] / sizes[N] == pytest.approx(1, rel=0.03)


def test_forces_without_an_energy_tell_no_species():
    assert grouped(charges(one_way=0.3))[0] == []


def test_bodies_that_are_all_unlike_are_no_species():
    assert grouped(charges(values=np.array([1, -1, 2, -2, 3, -3, 4, -4.0]) / 2))[0] == []


@pytest.mark.slow
def test_the_energy_of_charges():
    report = ConservedQuantityFinder(random_state=0).fit(charges(samples=60)).report_
    assert report.n_conserved == 5
    kinds = [{kind[0] for kind in q.library.kinds()} for q in report.quantities]
    (energy,) = [q for q, own in zip(report.quantities, kinds, strict=True) if "kinetic" in own]
    assert sorted(float(c) for c in energy.coefficients.values()) == [-1, 1, 1, 1]
