"""What follows the states is motion, however small beside the noise; what noise does is none."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from discovery import libraries
from discovery.criteria import LAWS
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.laws.judging.drift import DriftTest
from discovery.laws.judging.following import Sample, chance_of_following, long_runs

RUNS, STEPS = 50, 100
PLANE = ("x", "y", "u", "v")


def orbits(clean, noise, seed):
    """Runs (r, n, d) as orbits, with noise."""
    offsets = clean.shape[1] * np.arange(len(clean) + 1)
    rows = clean.reshape(-1, clean.shape[-1])
    noise = noise * rows.std(axis=0)
    path = raw_path(rows + noise * np.random.default_rng(seed).standard_normal(rows.shape), noise)
    return Orbits(path, path, offsets, rows.std(axis=0))


def of(expressions, coefficients, runs, names=PLANE):
    library = libraries.custom(expressions, names)
    return chance_of_following(library, np.array(coefficients, dtype=float), runs, runs)[0]


def flow(motion, starts, duration):
    times = np.linspace(0, duration, STEPS)
    ways = [
        solve_ivp(motion, (0, duration), s, t_eval=times, rtol=1e-9, atol=1e-11) for s in starts
    ]
    return np.array([way.y.T for way in ways])


@pytest.fixture(scope="module")
def coupled():
    """Two oscillators that x² y²/150 couples."""
    starts = np.random.default_rng(0).uniform(-1, 1, (RUNS, 4))
    motion = lambda t, s: [*s[2:], -s[0] * (1 + s[1] ** 2 / 75), -s[1] * (2 + s[0] ** 2 / 75)]  # noqa: E731
    return flow(motion, starts, 30)


def test_weakly_coupled_energies_are_no_laws_and_their_sum_is(coupled):
    """They move by .3 % of their spread, a tenth of what noise does to them: no band shows it."""
    runs = orbits(coupled, 0.01, 1)
    test = DriftTest(libraries.custom(["x**2", "u**2"], PLANE), np.ones(2), runs)
    assert test.chance(test.refined()) > 0.01
    assert of(["x**2", "u**2"], test.refined(), runs) < 1e-3
    terms = ["x**2", "y**2", "u**2", "v**2", "x**2*y**2"]
    assert of(terms, [1, 2, 1, 1, 1 / 75], runs) > 0.05


def test_a_polynomial_is_no_square_root():
    """Of √(1 − z²) cos φ: products of its terms tell, though φ turns."""
    rng = np.random.default_rng(0)
    starts = np.column_stack([rng.uniform(-0.7, 0.7, RUNS), rng.uniform(-3, 3, RUNS)])

    def motion(t, s):
        root = np.sqrt(1 - s[0] ** 2)
        return [-root * np.sin(s[1]), 6 * s[0] + s[0] / root * np.cos(s[1])]

    runs, names = orbits(flow(motion, starts, 8), 0.004, 1), ["z", "phi"]
    imitation = ["z**2", "z**2*cos(phi)", "cos(phi)"]
    test = DriftTest(libraries.custom(imitation, names), np.array([3, 0.6, -1]), runs)
    assert of(imitation, test.refined(), runs, names) < 1e-3
    assert of(["z**2", "sqrt(1 - z**2)*cos(phi)"], [3, -1], runs, names) > 0.05


@pytest.mark.parametrize("noise", [0.01, 0.05])
def test_noise_follows_nothing(noise):
    """The probability of a true law is not small more often than it says, bent as it may be."""
    seen = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        size, phase = rng.uniform(0.5, 1.5, (RUNS, 2, 1)), rng.uniform(0, 6.3, (RUNS, 2, 1))
        angle = np.linspace(0, 20, 60) + phase
        clean = np.concatenate([size * np.cos(angle), -size * np.sin(angle)], axis=1)
        runs = orbits(clean.swapaxes(1, 2), noise, seed)
        seen += [of(["x*y", "u*v"], [1, 1], runs), of(["sqrt(x**2 + u**2)"], [1], runs)]
        seen += [of(["exp(x**2 + u**2)"], [1], runs)]
    assert np.mean(seen) > 0.3 and min(seen) > 0.003


def test_few_samples_far_out_decide_nothing():
    """Sizes over decades: of the highest powers one run in twenty would be nearly all."""
    seen = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        size, phase = np.exp(1.2 * rng.standard_normal((20, 2, 1))), rng.uniform(0, 6.3, (20, 2, 1))
        angle = np.linspace(0, 20, 60) + phase
        clean = np.concatenate([size * np.cos(angle), -size * np.sin(angle)], axis=1)
        seen.append(of(["(x**2 + u**2)**2"], [1], orbits(clean.swapaxes(1, 2), 0.01, seed)))
    assert np.mean(seen) > 0.23


def test_many_short_runs_are_no_motion():
    """No sample meets its own noise in the mean of its run."""
    rng = np.random.default_rng(0)
    size, phase = rng.uniform(0.5, 1.5, (1200, 2, 1)), rng.uniform(0, 6.3, (1200, 2, 1))
    angle = np.linspace(0, 6, 12) + phase
    clean = np.concatenate([size * np.cos(angle), -size * np.sin(angle)], axis=1)
    assert of(["x**2", "u**2"], [1, 1], orbits(clean.swapaxes(1, 2), 0.2, 0)) > 0.01


def test_fitted_numbers_are_known_to_their_errors(coupled):
    """Coefficients, and numbers inside terms: what they are off by does not count."""
    runs = orbits(coupled, 0.01, 1)
    terms = ["x**2", "y**2", "u**2", "v**2", "x**2*y**2"]
    assert of(terms, [1, 2.001, 1, 1, 1 / 75], runs) > 0.05
    starts = np.random.default_rng(0).uniform(-1.5, 1.5, (RUNS, 2))
    pendulum = orbits(flow(lambda t, s: [s[1], -np.sin(1.7 * s[0])], starts, 20), 0.01, 0)
    wave = of(["u**2", "cos(1.7005*x)"], [1, -2 / 1.7], pendulum, ["x", "u"])
    assert wave > 0.05


def test_what_is_near_the_limit_may_be_on_either_side_of_it(coupled):
    """Other noise would have made some of the motion seen, or not."""
    runs, terms = orbits(coupled[:20], 0.01, 1), libraries.custom(["x**2", "u**2"], PLANE)
    coefficients = DriftTest(terms, np.ones(2), runs).refined()
    chances = chance_of_following(terms, coefficients, runs, runs)
    assert 0.1 < np.mean(chances[1:] < chances[0]) < 0.9


def test_where_there_is_no_path_nothing_is_said(coupled):
    runs = orbits(coupled, 0.01, 1)
    for other in (replace(runs, on_a_path=False), replace(runs, of_run=np.zeros(RUNS, dtype=int))):
        assert of(["x**2", "u**2"], [1, 1], other) == 1.0


def test_what_moves_below_rounding_does_not_move(coupled):
    runs = orbits(coupled, 1e-13, 1)
    off = ["x**2", "y**2", "u**2", "v**2", "x**2*y**2", "x*y*u*v"]
    assert of(off, [1, 2, 1, 1, 1 / 75, 1e-8], runs) > 0.05


@pytest.mark.parametrize("z", [np.empty((0, 98 * RUNS)), np.full((3, 98 * RUNS), np.inf)])
def test_functions_that_no_sample_tells_say_nothing(coupled, z):
    terms = libraries.custom(["x**2", "u**2"], PLANE)
    sample = Sample(terms, np.ones(2), 1e-6 * np.eye(2), orbits(coupled, 0.01, 1), LAWS)
    with np.errstate(all="ignore"):
        assert np.all(sample.chances(z, np.random.default_rng(0)) == 1)


def test_windows_and_clouds_tell_nothing():
    path = raw_path(np.random.default_rng(0).normal(size=(60, 2)), np.full(2, 0.01))
    runs = Orbits(path, path, 20 * np.arange(4), np.ones(2))
    assert long_runs(runs).n_runs == 3
    assert long_runs(replace(runs, of_run=np.zeros(3, dtype=int))) is None
    assert long_runs(replace(runs, on_a_path=False)) is None
