"""Velocities that are differences of positions, and those that are not."""

import numpy as np
import pytest
from scipy.signal import savgol_filter

from discovery.criteria import NOISE
from discovery.data.differences import differenced

N_RUNS, N_STEPS = 20, 100
TIMES = np.linspace(0, 12, N_STEPS)
OFFSETS = N_STEPS * np.arange(N_RUNS + 1)


def oscillations(level, seed=0, speed=1.0):
    rng = np.random.default_rng(seed)
    size, phase = rng.uniform(0.5, 2, (2, N_RUNS, 1))
    angle = speed * TIMES + 5 * phase
    q, v = size * np.cos(angle), -size * speed * np.sin(angle)
    return q + level * rng.standard_normal(q.shape), v, rng


def found(q, v, level):
    rows = np.stack([q, v], axis=-1).reshape(-1, 2)
    noise = np.maximum(level, NOISE.resolution * rows.std(axis=0))
    return differenced(rows, np.tile(TIMES, N_RUNS), OFFSETS, noise)


FILTERS = {
    "gradient": lambda q: np.gradient(q, TIMES, axis=1),
    "forward": lambda q: np.diff(q, axis=1, append=q[:, -1:]) / TIMES[1],
    "backward": lambda q: np.diff(q, axis=1, prepend=q[:, :1]) / TIMES[1],
}
# These are known by the noise that they share with the positions.
NOISY_FILTERS = FILTERS | {
    "of no unit": lambda q: np.diff(q, axis=1, append=q[:, -1:]),
    "over seven": lambda q: savgol_filter(q, 7, 2, deriv=1, axis=1),
}


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("digits", [5, 15])
def test_differences_of_clean_positions(name, digits):
    q, _, _ = oscillations(0.0)
    assert found(q, FILTERS[name](q).round(digits), 0.0) == {1: 0}


@pytest.mark.parametrize("name", NOISY_FILTERS)
def test_differences_are_recognized(name):
    q, _, _ = oscillations(0.02)
    assert found(q, NOISY_FILTERS[name](q), 0.02) == {1: 0}


@pytest.mark.parametrize("level", [0.0, 1e-4, 0.05])
@pytest.mark.parametrize("share", [0.0, 1.0])
def test_measured_velocities_are_none(level, share):
    # Also where they have no noise at all.
    q, v, rng = oscillations(level)
    assert found(q, v + share * level * rng.standard_normal(v.shape), level) == {}


def test_a_fast_clean_oscillation_is_no_filter():
    # Six samples a period: what differences see of the motion looks like noise.
    q, v, _ = oscillations(0.0, speed=8.0)
    assert found(q, v, 1e-4) == {}


def test_unrelated_columns_are_none():
    rng = np.random.default_rng(0)
    assert found(*rng.standard_normal((2, N_RUNS, N_STEPS)), 1.0) == {}
