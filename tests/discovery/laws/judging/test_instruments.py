"""What follows the states is motion, however small beside the noise; what noise does is none."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from discovery import libraries
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.laws.judging.drift import DriftTest
from discovery.laws.judging.instruments import chance_of_following

RUNS, STEPS, NOISE = 40, 100, 0.02


def orbits(states, seed):
    """Runs (r, n, d) as orbits, with noise."""
    offsets = states.shape[1] * np.arange(len(states) + 1)
    rows = states.reshape(-1, states.shape[-1])
    noise = NOISE * rows.std(axis=0)
    path = raw_path(rows + noise * np.random.default_rng(seed).standard_normal(rows.shape), noise)
    return Orbits(path, path, offsets, rows.std(axis=0))


def oscillators(seed):
    rng = np.random.default_rng(seed)
    size, phase = rng.uniform(0.3, 1.5, (RUNS, 2, 1)), rng.uniform(0, 6.3, (RUNS, 2, 1))
    angle = np.linspace(0, 20, STEPS) + phase
    clean = np.concatenate([size * np.cos(angle), -size * np.sin(angle)], axis=1)
    return orbits(clean.swapaxes(1, 2), seed + 1000)


@pytest.fixture(scope="module")
def anharmonic():
    """x″ = −x − x³/20."""
    starts = np.random.default_rng(0).uniform(-1, 1, (RUNS, 2))
    motion = lambda t, s: [s[1], -s[0] - s[0] ** 3 / 20]  # noqa: E731
    times = np.linspace(0, 20, STEPS)
    solved = [solve_ivp(motion, (0, 20), s, t_eval=times, rtol=1e-9, atol=1e-11) for s in starts]
    return orbits(np.array([one.y.T for one in solved]), 1)


def of(expressions, coefficients, runs, bound=0.1):
    names = ["x", "y", "u", "v"] if runs.measured.states.shape[1] == 4 else ["x", "u"]
    return chance_of_following(
        libraries.custom(expressions, names), np.array(coefficients, dtype=float), runs, bound
    )


def test_noise_follows_nothing():
    """The probability of a true law is not small more often than it says."""
    seen = [of(["x*y", "u*v"], [1, 1], oscillators(seed)) for seed in range(12)]
    assert np.mean(seen) > 0.3 and min(seen) > 0.01


def test_a_truncated_expansion_is_no_law(anharmonic):
    """With its best coefficients, and where no band of frequencies shows much of its motion."""
    test = DriftTest(libraries.custom(["x**2", "u**2"], ["x", "u"]), np.ones(2), anharmonic)
    best = test.refined()
    assert test.chance(best) > 0.01
    assert of(["x**2", "u**2"], best, anharmonic) < 1e-6
    assert of(["x**2", "u**2", "x**4"], [1, 1, 0.025], anharmonic) > 0.04


def test_coefficients_are_known_to_their_errors_and_the_bound_is_for_those_that_are_told():
    runs = oscillators(0)
    assert of(["x**2", "u**2"], [1, 1.05], runs) > 0.04
    assert of(["x**2", "u**2"], [1, 1.05], runs, bound=1e-4) < 0.01


def test_where_there_is_no_path_nothing_is_said(anharmonic):
    assert of(["x**2", "u**2"], [1, 1], replace(anharmonic, on_a_path=False)) == 1.0
