"""Systematic motion is told from noise without a model of the noise."""

import numpy as np
import pytest

from discovery.drift import lag_covariance

RUNS, STEPS = 400, 60
OFFSETS = STEPS * np.arange(RUNS + 1)
EVEN = np.ones(RUNS * STEPS)


def motion(size, period=20.0, seed=0):
    """A sine along every run, of variance size², at a random phase; its exact variance by run."""
    phase = np.random.default_rng(seed).uniform(0, 2 * np.pi, (RUNS, 1))
    values = size * np.sqrt(2) * np.cos(2 * np.pi * np.arange(STEPS) / period + phase)
    return values.ravel(), values.var(axis=1).mean()


def noise(level, seed=1):
    return level * np.random.default_rng(seed).standard_normal(RUNS * STEPS)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("level", [0.0, 0.3, 3.0])
def test_variance_of_the_motion_is_found(level, weighted):
    """Noise ten times the motion's variance, and none: the same answer."""
    clean, variance = motion(1.0)
    # Weights that repeat faster than the motion do not change its mean square.
    weights = np.tile([1.0, 0.5, 2.0], RUNS * STEPS // 3) if weighted else EVEN
    values = clean + noise(level)
    found = lag_covariance(values, weights, np.full(RUNS, level**2), OFFSETS)
    error = found.std() / np.sqrt(RUNS)
    # The extrapolation to lag zero misses (4·cos δ − cos 2δ)/3 − 1 ≈ −δ⁴/6 = 0.2 % at 20 samples a
    # turn; ends and weights cost about 2 %.
    assert found.mean() == pytest.approx(variance, abs=0.03 * variance + 3.3 * error)


@pytest.mark.parametrize("steps", [3, 10, 60])
def test_noise_alone_has_no_motion(steps):
    """Also in short runs, where the run's own mean is noise."""
    runs = 6000 // steps
    values = np.random.default_rng(0).standard_normal(runs * steps)
    offsets = steps * np.arange(runs + 1)
    found = lag_covariance(values, np.ones(len(values)), np.ones(runs), offsets)
    assert abs(found.mean()) < 3.3 * found.std() / np.sqrt(runs)


def test_runs_are_not_joined():
    """Constants that differ from run to run have no motion: exactly zero."""
    values = np.repeat(np.random.default_rng(0).normal(size=RUNS), STEPS)
    found = lag_covariance(values, EVEN, np.zeros(RUNS), OFFSETS)
    np.testing.assert_allclose(found, 0.0, atol=1e-25)


def test_unequal_lengths_run_by_run():
    clean, _ = motion(1.0)
    lengths = np.array([40, 60, 25])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values, weights = clean[: offsets[-1]], np.random.default_rng(2).uniform(0.5, 2, offsets[-1])
    level = np.array([0.1, 0.2, 0.3])
    together = lag_covariance(values, weights, level, offsets)
    for r in range(3):
        part = slice(offsets[r], offsets[r + 1])
        alone = lag_covariance(
            values[part], weights[part], level[r : r + 1], np.array([0, lengths[r]])
        )
        assert together[r] == pytest.approx(alone[0], rel=1e-12)


def test_scale_of_the_weights_does_not_matter():
    clean, _ = motion(1.0)
    weights = np.random.default_rng(2).uniform(0.5, 2, len(clean))
    some = lag_covariance(clean, weights, np.zeros(RUNS), OFFSETS)
    np.testing.assert_allclose(lag_covariance(clean, 7 * weights, np.zeros(RUNS), OFFSETS), some)
