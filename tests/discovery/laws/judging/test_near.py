"""What known laws nearly tell is fitted, sought and judged without the noise that they show."""

import numpy as np

from discovery import libraries
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.laws.judging.beside import beside, chance_beside, known_on, operators_beside
from discovery.laws.judging.drift import Evaluated
from discovery.laws.judging.selection import unexplained_values

RUNS, STEPS = 40, 60
NAMES = ("x", "y")
KNOWN = [(libraries.custom(["x**2"], NAMES), np.ones(1))]


def orbits(seed, moving=0.0):
    """Runs on which x is constant, and y but for a wave; x is as noisy as 20 y."""
    rng = np.random.default_rng(seed)
    x, y, phase = rng.normal(size=(3, RUNS, 1))
    wave = moving * np.sin(0.4 * np.arange(STEPS) + 6 * phase)
    states = np.stack(np.broadcast_arrays(3 + x, y + wave), axis=-1).reshape(-1, 2)
    noise = np.array([0.2, 0.01])
    path = raw_path(states + noise * rng.standard_normal(states.shape), noise)
    return Orbits(path, path, STEPS * np.arange(RUNS + 1), states.std(axis=0))


def test_the_share_of_a_laws_noise_is_one_number_in_each_run():
    """Else what noise leaves of a run's mean comes in, times a share that moves as states do."""
    some = orbits(0, moving=0.5)
    terms = Evaluated.of(libraries.custom(["x*y"], NAMES), some)
    (law,) = known_on(KNOWN, some)
    noise = (law.values[0] - 0.5 * law.bend[0]).reshape(RUNS, STEPS)
    noise -= noise.mean(axis=1, keepdims=True)
    for even in (True, False):
        taken = terms.values - beside(terms, [law], some, even).values
        share = taken.reshape(RUNS, STEPS) / noise
        assert np.allclose(share, share[:, :1]) == even


def test_small_motion_is_seen_beside_the_law_that_hides_it():
    c, both = np.array([1.0, 1.0]), libraries.custom(["x**2", "y"], NAMES)
    chances = [chance_beside(both, c, KNOWN, orbits(s)) for s in range(20)]
    assert min(chances) > 1e-3
    assert max(chance_beside(both, c, KNOWN, orbits(s, 0.02)) for s in range(5)) < 1e-6
    assert min(chance_beside(both, c, [], orbits(s, 0.02)) for s in range(5)) > 1e-3


def test_what_is_flat_beside_a_law():
    """y is, its square is; and x², which is the law, is as a constant."""
    terms = libraries.custom(["x**2", "y", "y**2"], NAMES)
    for moving, flat in ((0.0, True), (0.02, False)):
        ops = operators_beside(terms, KNOWN, orbits(1, moving))
        mu = np.diag(ops.within)[1:] / np.diag(ops.dirichlet)[1:]
        assert np.all((mu < 1.5) == flat)
        assert ops.unit_dirichlet[0, 0] < 1e-12 * ops.unit_dirichlet[1, 1]


def test_no_smooth_function_of_others_is_new():
    """Of x from .2 to 2 the inverse square is no polynomial of degree three."""
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0.3, 2.0, RUNS), rng.normal(size=RUNS)
    some = orbits(0)
    inverse = np.array([x**-2, x])
    assert unexplained_values(inverse, some, smooth=False) > 0.1
    assert unexplained_values(inverse, some) < 0.05
    assert unexplained_values(np.array([x**-2 + 2 * y, x]), some) > 0.3
