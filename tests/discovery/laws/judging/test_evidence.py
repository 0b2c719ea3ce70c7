"""What runs say of a formula: intervals that cover, and a bound on drift that is not seen."""

import numpy as np

from discovery import libraries
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.laws.judging.evidence import gather

STEPS = 60
X = libraries.custom(["x"], ("x",))


def constant_runs(n_runs, seed, noise=0.1):
    """A constant that differs from run to run, measured with noise."""
    rng = np.random.default_rng(seed)
    states = np.repeat(rng.normal(size=n_runs), STEPS)[:, None]
    states = states + noise * rng.standard_normal(states.shape)
    path = raw_path(states, np.array([noise]))
    return Orbits(path, path, STEPS * np.arange(n_runs + 1), states.std(axis=0))


def evidence(n_runs, seed):
    return gather(X, np.ones(1), constant_runs(n_runs, seed), np.random.default_rng(seed))


def test_intervals_cover():
    """Of 60 true laws on 30 runs each, nearly all intervals of the flatness hold its value, one."""
    found = [evidence(30, seed) for seed in range(60)]
    low, high = np.array([one.smoothed_flatness_interval for one in found]).T
    expected = 1 - 1 / STEPS  # a run's own mean is fitted
    assert np.mean((low <= expected) & (expected <= high)) > 0.8
    assert np.median(high - low) < 0.2


def test_the_drift_has_a_bound_where_none_is_seen():
    found = [evidence(30, seed) for seed in range(60)]
    bounds = np.array([one.drift_interval[1] for one in found])
    assert np.mean(bounds > 0) > 0.9
    assert np.all(bounds < 0.1)
    # The lower end says that there is none, nearly always.
    assert np.mean([one.drift_interval[0] == 0 for one in found]) > 0.9


def test_a_constant_of_each_run_is_a_law():
    found = evidence(30, 0)
    assert found.signal > 10
    assert abs(found.noise - 0.1 / found.spread) < 0.02
    assert found.moving < 4
