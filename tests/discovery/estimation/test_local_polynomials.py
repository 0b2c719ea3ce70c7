"""Local polynomial smoothing: nearer to the truth than the data, and honest about how near."""

import numpy as np
import pytest

from discovery.estimation.local_polynomials import DEGREE, smooth, smooth_apart
from discovery.estimation.path import raw_path

NOISE = np.array([0.02, 0.1])


def sample(regular=True, lengths=None, gap=0.1, seed=0):
    """Clean rows, times and offsets of a path with two frequencies."""
    rng = np.random.default_rng(seed)
    lengths = [150] * 20 if lengths is None else lengths
    gaps = [np.ones(n) if regular else rng.uniform(0.3, 1.7, n) for n in lengths]
    times = [gap * np.cumsum(g) for g in gaps]
    phases = [(t + rng.uniform(0, 6.3), 1.7 * t + rng.uniform(0, 6.3)) for t in times]
    rows = np.concatenate([np.c_[np.cos(a) + 0.5 * np.sin(b), 5 * np.sin(b)] for a, b in phases])
    return rows, np.concatenate(times), np.concatenate([[0], np.cumsum(lengths)])


def noisy(rows, seed=1):
    return rows + NOISE * np.random.default_rng(seed).standard_normal(rows.shape)


CASES = {
    "regular": {},
    "irregular": {"regular": False},
    "unequal lengths": {"lengths": [40, 300, 90] * 5},
    "coarse": {"gap": 0.3},
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def data(request):
    return sample(**request.param)


def test_error_is_below_the_noise(data):
    rows, times, offsets = data
    path = smooth(noisy(rows), times, offsets, NOISE)
    error = np.sqrt(np.mean((path.states - rows) ** 2, axis=0))
    assert np.all(error < 0.8 * NOISE)


def test_predicted_covariance_is_honest(data):
    """The mean squared error is what the covariance says, within 25 %."""
    rows, times, offsets = data
    path = smooth(noisy(rows), times, offsets, NOISE)
    claimed = np.einsum("nii->ni", path.covariance).mean(axis=0)
    found = np.mean((path.states - rows) ** 2, axis=0)
    # One window serves both coordinates: their mean, in units of the noise, is what it answers for.
    assert np.mean(found / NOISE**2) == pytest.approx(np.mean(claimed / NOISE**2), rel=0.25)


def test_covariance_is_a_share_of_the_noise(data):
    rows, times, offsets = data
    path = smooth(noisy(rows), times, offsets, NOISE)
    share = path.covariance[:, 0, 0] / NOISE[0] ** 2
    assert np.all((share > 0) & (share <= 1))
    np.testing.assert_allclose(path.covariance, share[:, None, None] * np.diag(NOISE**2))


def test_clean_data_are_left_alone():
    """Noise of one millionth: nothing is moved by more than a few times that."""
    rows, times, offsets = sample(gap=0.3)
    noise = 1e-6 * rows.std(axis=0)
    path = smooth(rows, times, offsets, noise)
    assert np.max(np.abs(path.states - rows) / noise) < 5


def test_fast_motion_is_left_as_measured():
    """Where no window helps, the sample stays and keeps the noise's own covariance."""
    rows, times, offsets = sample(gap=2.5)
    measured = noisy(rows)
    path = smooth(measured, times, offsets, NOISE)
    same = np.all(path.states == measured, axis=1)
    assert same.mean() > 0.95
    np.testing.assert_array_equal(path.covariance[same], raw_path(measured, NOISE).covariance[same])


def test_polynomials_of_the_degree_are_reproduced():
    """Irregular times, one run: the fit passes a quartic through whole, without bias."""
    rng = np.random.default_rng(0)
    times = np.sort(rng.uniform(-1, 1, 80))
    rows = np.polynomial.polynomial.polyval(times, rng.normal(size=DEGREE + 1))[:, None]
    path = smooth(rows, times, np.array([0, 80]), np.array([0.1]))
    np.testing.assert_allclose(path.states, rows, atol=1e-9)
    # And the widest window, 41 samples, leaves far less than the noise.
    assert np.median(path.covariance) < 0.2 * 0.1**2


@pytest.mark.parametrize("regular", [True, False])
def test_runs_are_smoothed_one_by_one(regular):
    rows, times, offsets = sample(regular)
    measured = noisy(rows)
    whole = smooth(measured, times, offsets, NOISE)
    first = slice(0, offsets[1])
    alone = smooth(measured[first], times[first], offsets[:2], NOISE)
    np.testing.assert_allclose(alone.states, whole.states[first], atol=1e-9)


def test_short_runs_stay_as_measured():
    rows, times, offsets = sample(lengths=[4, 5, 6])
    path = smooth(rows, times, offsets, NOISE)
    np.testing.assert_array_equal(path.states, rows)


def errors_around_an_event(columns, width, n_runs):
    """Waves of unlike speed, each a group of its own, and one event in which all move fast.

    Returns squared errors and what is stated of them, (runs, steps, columns), in units of the
    noise's variance.
    """
    rng = np.random.default_rng(0)
    t = np.tile(np.arange(200.0), n_runs)
    phase = np.repeat(rng.uniform(0, 6, (n_runs, columns)), 200, axis=0)
    speed = np.geomspace(0.02, 0.8, columns)
    kick = 20 * np.exp(-(((t - 90) / width) ** 2))[:, None]
    clean = 30 * np.sin(speed * t[:, None] + phase) + kick
    rows = clean + rng.standard_normal(clean.shape)
    offsets = 200 * np.arange(n_runs + 1)
    groups = [np.array([i]) for i in range(columns)]
    states, error = smooth_apart(rows, t, offsets, np.ones(columns), groups, bias_weight=100.0)
    shape = (n_runs, 200, columns)
    return ((states - clean) ** 2).reshape(shape), error.reshape(shape)


EVENT = slice(84, 97)


def test_errors_of_groups_are_known():
    actual, stated = errors_around_an_event(columns=12, width=2.0, n_runs=50)
    np.testing.assert_allclose(stated.mean(axis=(0, 1)), actual.mean(axis=(0, 1)), rtol=0.15)
    assert actual.mean() < 0.7
    assert actual[:, EVENT].mean() < 2 * stated[:, EVENT].mean()


def test_a_short_event_in_many_columns():
    """A few rows of a hundred columns show it: the smoothed path is no worse than the data."""
    actual, _ = errors_around_an_event(columns=100, width=1.5, n_runs=10)
    # 13 000 squared errors know their mean to about a hundredth.
    assert actual[:, EVENT].mean() < 0.98


def error_of_a_sum(columns):
    """Mean squared error of the energy of equal oscillators along smoothed paths, over stated."""
    rng = np.random.default_rng(0)
    n_runs, length = 6, 80
    t = np.tile(0.35 * np.arange(float(length)), n_runs)
    phase = np.repeat(rng.uniform(0, 6.3, (n_runs, columns // 2)), length, axis=0)
    turn = t[:, None] + phase
    clean = np.hstack([np.cos(turn), -np.sin(turn)])
    noise = np.full(columns, 0.02)
    rows = clean + 0.02 * rng.standard_normal(clean.shape)
    path = smooth(rows, t, length * np.arange(n_runs + 1), noise)
    moved = np.sum(path.states**2 - clean**2 - path.variances, axis=1) / 2
    return np.mean(moved**2) / np.mean(np.sum(path.states**2 * path.variances, axis=1))


def test_bias_does_not_add_up_over_columns():
    """Least error of each column alone leaves nine times the error that is stated."""
    assert error_of_a_sum(columns=64) < 2
