"""What runs say of a formula: intervals that cover, and a bound on drift that is not seen."""

from dataclasses import replace

import numpy as np
import pytest

from discovery import libraries
from discovery.criteria import LAWS
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.laws.judging.between import variance_between
from discovery.laws.judging.evidence import Runs, gather, resolution

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
    assert np.mean((low <= expected) & (expected <= high)) > 0.86
    assert np.median(high - low) < 0.2


def test_the_drift_has_a_bound_where_none_is_seen():
    found = [evidence(30, seed) for seed in range(60)]
    bounds = np.array([one.drift_interval[1] for one in found])
    assert np.mean(bounds > 0) > 0.9
    assert np.all(bounds < 0.1)
    # No fewer than the runs can resolve, whatever chance does.
    assert bounds.min() > 0.3 * np.median(bounds)
    # The lower end says that there is none, nearly always.
    assert np.mean([one.drift_interval[0] == 0 for one in found]) > 0.9


def test_a_constant_of_each_run_is_a_law():
    found = evidence(30, 0)
    assert found.signal > 10
    assert abs(found.noise - 0.1 / found.spread) < 0.02
    assert found.moving > 0.01


def test_what_is_tested_is_paid_for():
    """The more candidates were judged on these runs, the less drift one of them excludes."""
    orbits = constant_runs(10, 0)

    def excluded(candidate):
        rng = np.random.default_rng(0)
        return gather(X, np.ones(1), orbits, rng, candidate=candidate)

    bounds = [excluded(k).drift_excluded for k in (1, 10, 100)]
    assert bounds[0] < bounds[1] < bounds[2] < 5 * bounds[0]
    assert excluded(100).drift_interval == excluded(1).drift_interval


def test_a_few_noisy_samples_do_not_hide_the_others():
    """Three of sixty samples of each run are a hundred times as noisy, as their metric knows."""
    rng = np.random.default_rng(0)
    level = np.where(np.arange(20 * STEPS) % STEPS < 3, 10.0, 0.1)
    states = np.repeat(rng.normal(size=20), STEPS) + level * rng.standard_normal(20 * STEPS)
    path = raw_path(states[:, None], np.array([0.1]))
    path = replace(path, errors=level[:, None, None] ** 2)
    quiet = replace(path, states=np.repeat(rng.normal(size=20), STEPS)[:, None])
    orbits = Orbits(path, quiet, STEPS * np.arange(21), np.ones(1))
    assert gather(X, np.ones(1), orbits, rng).drift_interval[1] < 0.7


def noisy_places(moves, places=3, hides=1.0):
    """Some of sixty samples are a hundred times as noisy; there the path moves, in some runs."""
    rng = np.random.default_rng(1)
    noisy = np.arange(20 * STEPS) % STEPS < places
    level = np.where(noisy, 10.0, 0.1)
    quiet = np.repeat(rng.normal(size=20), STEPS)
    measured = raw_path((quiet + level * rng.standard_normal(20 * STEPS))[:, None], np.array([0.1]))
    measured = replace(measured, errors=level[:, None, None] ** 2)
    quiet += 3.0 * noisy * np.repeat(moves, STEPS)
    error = np.where(noisy, hides, 0.01)
    smoothed = replace(measured, states=quiet[:, None], errors=error[:, None, None] ** 2)
    motion = np.sqrt(quiet.reshape(20, STEPS).var(axis=1).mean()) / quiet.std()
    return Orbits(measured, smoothed, STEPS * np.arange(21), np.ones(1)), motion


def test_a_bound_holds_in_noisy_places_too():
    """Weights by the noise do not see the motion there; the bound must."""
    orbits, motion = noisy_places(np.ones(20))
    found = gather(X, np.ones(1), orbits, np.random.default_rng(0))
    assert found.uneven and motion > 0.3
    assert found.drift_interval[1] > motion
    assert found.drift_excluded > motion


def test_the_few_samples_that_noise_hides_are_told():
    """They say nothing of a law without numbers to fit with; one with more is bounded there too."""
    orbits, motion = noisy_places(np.ones(20), places=1, hides=1.5)
    found = gather(X, np.ones(1), orbits, np.random.default_rng(0))
    assert found.uneven and found.hidden == pytest.approx(1 / STEPS)
    told = Runs.of(X, np.ones(1), orbits).bound_everywhere(LAWS)
    assert motion > 0.2 > 0.02 > told
    more = libraries.custom(["x", "x**2", "x**3"], ("x",))
    whole = Runs.of(more, np.array([1.0, 1e-6, 2e-6]), orbits)
    assert whole.hidden == 0
    assert whole.bound_everywhere(LAWS) > 0.2
    simple = Runs.of(more, np.array([1.0, 1e-6, 2e-6]), orbits, by_chance=1e-4)
    assert simple.hidden == pytest.approx(1 / STEPS)


def test_a_bound_holds_for_short_excursions_where_there_is_no_noise():
    """One sample of each run, far off, has as much power in all modes: no noise explains it."""
    n_runs, stated = 30, 0.02
    states = np.repeat(np.random.default_rng(0).normal(size=n_runs), STEPS)[:, None]
    states[STEPS // 3 :: STEPS] += 0.05
    path = raw_path(states, np.array([stated]))
    orbits = Orbits(path, path, STEPS * np.arange(n_runs + 1), states.std(axis=0))
    motion = states.reshape(n_runs, STEPS).std(axis=1).mean() / states.std()
    found = gather(X, np.ones(1), orbits, np.random.default_rng(0))
    assert found.clean and motion > 1e-3
    assert motion < found.drift_interval[1] < 1.5 * motion
    assert found.drift_excluded >= found.drift_interval[1]
    assert motion < Runs.of(X, np.ones(1), orbits).bound_everywhere(LAWS) < 1.5 * motion
    assert not evidence(30, 0).clean


def test_resamples_vary_as_much_as_the_statistics():
    found = evidence(20, 0)
    low, high = np.percentile(found.resamples.smoothed_flatness, [2.5, 97.5])
    width = np.subtract(*found.smoothed_flatness_interval)
    assert (low - high) / width == pytest.approx(1.0, abs=0.3)
    assert np.all(found.resamples.signal > 10)
    assert np.median(found.resamples.drift_excluded) < 2 * found.drift_excluded


def test_the_resolution_is_the_bound_of_a_law_as_noisy():
    orbits = [constant_runs(20, seed) for seed in range(20)]
    bounds = [gather(X, np.ones(1), o, np.random.default_rng(0)).drift_interval[1] for o in orbits]
    assert np.median(bounds) == pytest.approx(np.median([resolution(o) for o in orbits]), rel=0.3)


def test_a_function_of_one_of_several_parameters_says_nothing_of_a_run():
    """Ten runs are too few for all products of two parameters, and enough for one's square."""
    rng = np.random.default_rng(0)
    parameters = rng.uniform(1, 4, (10, 2))
    means = 0.3 * parameters[:, 0] ** 2 - parameters[:, 0]
    assert variance_between(means, parameters) < 1e-20
    own = means + 0.1 * rng.standard_normal(10)
    assert 1e-3 < variance_between(own, parameters) < 3e-2
