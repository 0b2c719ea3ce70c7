"""What all runs obey alike binds: the energy as written need not push as the true one does."""

import numpy as np
import pytest

from discovery.dynamics.routes import motion_of

from .conftest import law

TIMES = np.linspace(0, 8, 64)
ROLES = ["position"] * 3 + ["velocity"] * 3


def sphere(x, y, z, u, v, w):
    pull = u * u + v * v + w * w - 1.14 * z
    return u, v, w, -pull * x, -pull * y, -1.14 - pull * z


def ring(x, y, z, u, v, w):
    a, b, c = (np.exp(gap) for gap in (x - y, y - z, z - x))
    return u, v, w, c - a, a - b, b - c


def on_the_sphere(rng):
    q, w = rng.normal(size=(2, 10, 3))
    q /= np.linalg.norm(q, axis=1, keepdims=True)
    w -= np.sum(w * q, axis=1, keepdims=True) * q
    return np.hstack([q, 0.5 * w])


def at_rest(rng):
    drawn = rng.uniform(-0.6, 0.6, (10, 2, 3))
    return (drawn - drawn.mean(axis=2, keepdims=True)).reshape(10, 6)


# name: rates, starts, energy as a report may write it, what all runs obey
SYSTEMS = {
    "sphere": (
        sphere,
        on_the_sphere,
        "u**2/2 + v**2/2 + w**2/2 + 1.14*z",
        ["x**2 + y**2 + z**2", "x*u + y*v + z*w"],
    ),
    "ring": (
        ring,
        at_rest,
        # With x = −y − z.
        "u**2/2 + v**2/2 + w**2/2 + exp(x - y) + exp(y - z) + exp(2*z + y)",
        ["u + v + w", "x + y + z"],
    ),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_motion_on_the_surface_of_all_runs(simulated, name):
    rates, starts, energy, alike = SYSTEMS[name]
    begun = starts(np.random.default_rng(5))
    runs, levels = simulated(rates, begun, TIMES, list("xyzuvw"), ROLES)
    with pytest.raises(ValueError, match="the laws do not tell the motion"):
        motion_of([law(energy)], [], runs, levels)
    motion = motion_of([law(energy)], list(map(law, alike)), runs, levels).refit()
    assert motion.residual < 1.2
    assert any("off the surface of all runs" in what for what in motion.uncertain)
    true = np.stack(np.broadcast_arrays(*rates(*begun.T)), axis=1)
    assert np.abs((motion.rates(begun) - true) / runs.rows.std(axis=0)).max() < 0.02


def test_bonds_make_no_motion_of_another_system(simulated):
    def carried(x, y, z, u, v, w):
        *speeds, a, b, c = sphere(x, y, z, u, v, w)
        # Turned along the sphere by a force that does no work.
        return (
            *speeds,
            a + 0.9 * z * (y * w - z * v),
            b + 0.9 * z * (z * u - x * w),
            (c + 0.9 * z * (x * v - y * u)),
        )

    begun = on_the_sphere(np.random.default_rng(5))
    runs, levels = simulated(carried, begun, TIMES, list("xyzuvw"), ROLES)
    energy, *alike = map(law, (SYSTEMS["sphere"][2], *SYSTEMS["sphere"][3]))
    with pytest.raises(ValueError, match="the laws do not tell the motion"):
        motion_of([energy], alike, runs, levels)


def test_starts_that_noise_puts_off_the_surface_are_moved_to_it(simulated):
    rng = np.random.default_rng(0)
    q = rng.normal(size=(16, 3)) * [1, 1, 0.4] - [0, 0, 1.0]
    q /= np.linalg.norm(q, axis=1, keepdims=True)
    w = 0.6 * rng.normal(size=(16, 3))
    begun = np.hstack([q, w - np.sum(w * q, axis=1, keepdims=True) * q])
    rates, _, energy, alike = SYSTEMS["sphere"]
    times = np.linspace(0, 12, 40)
    runs, levels = simulated(rates, begun, times, list("xyzuvw"), ROLES, noise=0.1)
    motion = motion_of([law(energy)], list(map(law, alike[:1])), runs, levels)
    assert motion.residual < 1.2
