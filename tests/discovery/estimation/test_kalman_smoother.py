"""Smoothing through a flow, against dense Gaussian least squares on a linear flow known exactly."""

import itertools

import numpy as np
import pytest
from scipy.linalg import expm

from discovery.estimation.kalman_smoother import smooth_through
from discovery.estimation.path import Path, estimated_error, raw_path, stated_error

NOISE = np.array([0.1, 0.3])
SCALE = NOISE**2
SHIFT = np.array([0.02, -0.01])


def transition(interval):
    """A damped rotation: exact for any time step."""
    return expm(interval * 0.3 * np.array([[0.0, 1.0], [-1.0, -0.1]]))


def step(states, intervals):
    intervals = np.ones((len(states), 1)) if intervals is None else intervals
    jacobian = np.array([transition(dt) for dt in intervals[:, 0]])
    return np.einsum("nij,nj->ni", jacobian, states) + SHIFT, jacobian


def sample(lengths, process=0.0, intervals=None, seed=0):
    """Clean rows of the flow, with random kicks of covariance process·diag(NOISE²)."""
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    rows = np.empty((offsets[-1], 2))
    for r in range(len(lengths)):
        rows[offsets[r]] = 2 * rng.standard_normal(2)
        for n in range(offsets[r], offsets[r + 1] - 1):
            dt = None if intervals is None else intervals[n : n + 1]
            kick = np.sqrt(process) * NOISE * rng.standard_normal(2)
            rows[n + 1] = step(rows[n : n + 1], dt)[0][0] + kick
    return rows, offsets


def dense(measured, offsets, process, intervals=None):
    """Solve the least squares of one run at a time with dense matrices.

    Minimise Σ|x_t − y_t|²_R⁻¹ + Σ|x_{t+1} − A x_t − b|²_Q⁻¹ over the whole path at once; the
    inverse of the normal matrix is the posterior covariance.
    """
    means, covariances = [], []
    for a, b in itertools.pairwise(offsets):
        n = b - a
        rows = [np.eye(2 * n) / np.tile(NOISE, n)[:, None]]
        right = [(measured[a:b] / NOISE).ravel()]
        weight = 1 / (np.sqrt(process) * NOISE)
        for t in range(n - 1):
            matrix = transition(1.0 if intervals is None else intervals[a + t, 0])
            block = np.zeros((2, 2 * n))
            block[:, 2 * t : 2 * t + 2] = -matrix
            block[:, 2 * t + 2 : 2 * t + 4] = np.eye(2)
            rows.append(block * weight[:, None])
            right.append(SHIFT * weight)
        design, right = np.vstack(rows), np.concatenate(right)
        covariance = np.linalg.inv(design.T @ design)
        means.append((covariance @ design.T @ right).reshape(n, 2))
        covariances += [covariance[2 * t : 2 * t + 2, 2 * t : 2 * t + 2] for t in range(n)]
    return np.concatenate(means), np.array(covariances)


def noisy(rows, seed=1):
    return rows + NOISE * np.random.default_rng(seed).standard_normal(rows.shape)


LENGTHS = {"equal": [12, 12, 12], "unequal": [3, 20, 11, 1, 2], "one run": [15]}


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("process", [4.0**-4, 1.0])
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
def test_agrees_with_dense_least_squares(lengths, process, timed):
    rng = np.random.default_rng(5)
    intervals = rng.uniform(0.5, 1.5, (sum(lengths), 1)) if timed else None
    rows, offsets = sample(lengths, process, intervals)
    measured = raw_path(noisy(rows), NOISE)
    path = smooth_through(step, measured, measured, intervals, offsets, [process])
    states, covariance = dense(measured.states, offsets, process, intervals)
    np.testing.assert_allclose(path.states, states, atol=1e-9)
    np.testing.assert_allclose(path.covariance, covariance, atol=1e-11)


def test_noise_that_differs_from_place_to_place():
    """Two samples of one state, one of them twice as noisy: weights by the inverse variance."""

    def still(states, intervals):
        return states, np.broadcast_to(np.eye(2), (len(states), 2, 2))

    covariance = np.array([np.diag(SCALE), 4 * np.diag(SCALE)])
    measured = Path(np.array([[0.0, 0.0], [1.0, 1.0]]), covariance)
    path = smooth_through(still, measured, measured, None, np.array([0, 2]), [1e-12])
    np.testing.assert_allclose(path.states, 0.2, atol=1e-6)
    np.testing.assert_allclose(path.covariance, np.broadcast_to(0.8 * np.diag(SCALE), (2, 2, 2)))


@pytest.mark.parametrize("true", [4.0**-3, 4.0**0, 4.0**2])
def test_process_noise_is_chosen_by_likelihood(true):
    """Kicks as strong as simulated are found: the path's claim about itself is honest."""
    rows, offsets = sample([60] * 40, true)
    measured = raw_path(noisy(rows), NOISE)
    path = smooth_through(step, measured, measured, None, offsets)
    error = path.states - rows
    squared = np.einsum(
        "ni,ni->n", error, np.linalg.solve(path.covariance, error[..., None])[..., 0]
    )
    # Two coordinates: 2 if honest; the grid of process noises is coarse, a factor of 4.
    assert squared.mean() == pytest.approx(2.0, rel=0.25)


def test_exact_flow_beats_the_data():
    rows, offsets = sample([60] * 40)
    measured = raw_path(noisy(rows), NOISE)
    path = smooth_through(step, measured, measured, None, offsets)
    error = np.sqrt(np.mean((path.states - rows) ** 2, axis=0))
    assert np.all(error < 0.3 * NOISE)


@pytest.mark.parametrize("process", [4.0**-5, 1.0])
def test_the_estimated_error_is_that_of_the_path(process):
    """From residuals alone: the true mean squared error in units of the noise."""
    rows, offsets = sample([100] * 40)
    measured = raw_path(noisy(rows), NOISE)
    path = smooth_through(step, measured, measured, None, offsets, [process])
    true = np.mean((path.states - rows) ** 2 / SCALE)
    # 8000 residuals know their mean square to √(2/8000) = 1.6 %.
    assert estimated_error(path, measured) == pytest.approx(true, abs=0.05)
    assert estimated_error(measured, measured) == pytest.approx(1.0)


def test_the_stated_error_is_the_true_one_of_a_right_flow():
    rows, offsets = sample([100] * 40, process=1.0)
    measured = raw_path(noisy(rows), NOISE)
    path = smooth_through(step, measured, measured, None, offsets, [1.0])
    true = np.mean((path.states - rows) ** 2 / SCALE)
    assert stated_error(path, measured) == pytest.approx(true, rel=0.05)
    assert stated_error(measured, measured) == pytest.approx(1.0)


def test_a_wrong_flow_is_seen_in_the_estimated_error():

    def wrong(states, intervals):
        ahead, jacobian = step(states, intervals)
        return 0.9 * ahead, 0.9 * jacobian

    rows, offsets = sample([60] * 40)
    measured = raw_path(noisy(rows), NOISE)
    path = smooth_through(wrong, measured, measured, None, offsets, [1e-6])
    assert stated_error(path, measured) < 1.0 < estimated_error(path, measured)
