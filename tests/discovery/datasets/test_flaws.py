"""Flaws of measurements that `datasets.load` can add, and that they change nothing else."""

import numpy as np
import pytest

from discovery import datasets


@pytest.fixture(scope="module")
def plain():
    return datasets.load("pendulum", 20, 100, noise=0.01, seed=3)


def test_irregular_times(plain):
    runs = datasets.load("pendulum", 20, 100, noise=0.01, seed=3, irregular=0.6)
    steps = np.diff(runs.times[0])
    regular = plain.times[0, 1]
    assert np.all(steps > 0.39 * regular) and np.all(steps < 1.61 * regular)
    assert steps.std() > 0.1 * regular
    np.testing.assert_array_equal(runs.times[0], runs.times[7])
    # The states are those of the shifted times: energy is what it was.
    (energy,) = runs.truth.values()
    clean = datasets.load("pendulum", 20, 100, seed=3, irregular=0.6)
    start = datasets.load("pendulum", 20, 100, seed=3)
    np.testing.assert_allclose(
        energy(clean.states)[:, -1], energy(start.states)[:, 0], rtol=1e-9, atol=1e-9
    )


def test_missing_samples(plain):
    runs = datasets.load("pendulum", 20, 100, noise=0.01, seed=3, missing=0.2)
    assert 0.7 < len(runs.rows) / len(plain.rows) < 0.9
    assert len(set(runs.lengths)) > 1
    for run, times, whole in zip(runs.states, runs.times, plain.states, strict=True):
        index = np.round(times / plain.times[0, 1]).astype(int)
        assert index[0] == 0 and index[-1] == 99
        np.testing.assert_array_equal(run, whole[index])


def test_gross_errors(plain):
    runs = datasets.load("pendulum", 20, 100, noise=0.01, seed=3, outliers=0.02)
    off = np.abs(runs.states - plain.states) / plain.rows.std(axis=0)
    assert 0.01 < np.mean(off > 0) < 0.03
    assert off[off > 0].min() > 4.9 and off.max() < 10.1


@pytest.mark.parametrize("flaw", ["irregular", "missing", "outliers"])
@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_shares_that_are_none(flaw, share):
    with pytest.raises(ValueError, match=f"{flaw} is"):
        datasets.load("pendulum", 2, 5, **{flaw: share})


def test_a_flaw_that_there_is_none_of():
    with pytest.raises(TypeError, match="rust"):
        datasets.load("pendulum", 2, 5, rust=0.1)
