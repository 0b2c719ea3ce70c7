"""Vector fields that a network gives: found where they are, and not where they are not."""

import keras
import numpy as np
import pytest
from keras import ops

from discovery import SymmetryFinder
from discovery.symmetries import lie_operators, problem, training

POINTS = np.random.default_rng(0).uniform(-1, 1, (300, 2))


def sphere_from_its_centre(x):
    square = 1 + ops.sum(x**2, -1)
    outer = x[:, :, None] * x[:, None, :]
    one = ops.eye(2, dtype=x.dtype)
    return (square[:, None, None] * one - outer) / square[:, None, None] ** 2


def plane(x):
    return ops.eye(2, dtype=x.dtype) + 0 * x[:, :1, None]


def ripples(seed):
    """Positive definite, of random waves."""
    rng = np.random.default_rng(seed)
    waves, phases, heights = rng.normal(size=(2, 4)), rng.uniform(0, 6, 4), rng.normal(size=(4, 3))

    def metric(x):
        lines = ops.matmul(x, ops.convert_to_tensor(waves, x.dtype))
        f = 0.3 * ops.matmul(
            ops.sin(lines + ops.convert_to_tensor(phases, x.dtype)),
            ops.convert_to_tensor(heights, x.dtype),
        )
        a, b, c = ops.exp(f[:, 0]), f[:, 1], ops.exp(f[:, 2])
        rows = [ops.stack([a * a + b * b, b * c], -1), ops.stack([b * c, c * c], -1)]
        return ops.stack(rows, 1)

    return metric


@pytest.mark.parametrize("metric", [plane, sphere_from_its_centre])
def test_a_network_finds_fields(metric):
    finder = SymmetryFinder(metric=metric, library="learned", random_state=0).fit(POINTS)
    assert finder.n_symmetries_ == 3
    assert all(s.residual < 0.01 for s in finder.symmetries_)
    # Written out they are what was found: values at other points keep the metric's own symmetry.
    values = np.stack([s(0.5 * POINTS[:50]).ravel() for s in finder.symmetries_], axis=1)
    assert np.linalg.matrix_rank(values / np.linalg.norm(values, axis=0), tol=1e-3) == 3


@pytest.mark.parametrize("seed", range(3))
def test_a_network_invents_nothing(seed):
    finder = SymmetryFinder(metric=ripples(seed), library="learned", random_state=seed).fit(POINTS)
    assert finder.n_symmetries_ == 0
    assert finder.symmetries_ == []


def elliptic(x):
    """The plane in elliptic coordinates: its three fields are too steep for the network."""
    factor = ops.sinh(x[:, 0]) ** 2 + ops.sin(x[:, 1]) ** 2
    return factor[:, None, None] * plane(x)


def test_what_a_network_missed_is_not_counted():
    """Though there are so many: what it has instead changes the metric by a tenth."""
    finder = SymmetryFinder(metric=elliptic, library="learned", random_state=0)
    finder.fit(np.abs(POINTS) + 0.3)
    assert finder.dimension_bound_ == 3
    assert np.sum(finder.spectrum_ < 0.3) == 3
    assert all(s.residual <= 0.01 for s in finder.symmetries_)
    assert finder.undecided_


class Fitted:
    """A metric of which nothing is known but values, as of a model: no loops bound the count."""

    def __init__(self, metric):
        self.metric_tensor = metric


def dented(q):
    """A sphere but for two percent: no symmetry."""
    factor = (1 + 0.02 * q[:, 0] ** 3 + 0.02 * q[:, 1]) * 4 / (1 + np.sum(q**2, axis=1)) ** 2
    return factor[:, None, None] * np.eye(2)


def flat(q):
    return np.eye(2) + 0 * q[:, :1, None]


@pytest.mark.parametrize(("metric", "count"), [(flat, 3), (dented, 0)])
def test_near_symmetries_of_a_fitted_metric_are_none(metric, count):
    finder = SymmetryFinder(metric=Fitted(metric), library="learned", random_state=0).fit(POINTS)
    assert np.sum(finder.spectrum_ < 0.03) == 3
    assert finder.n_symmetries_ == count


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="differences need double precision")
def test_derivatives_by_weights():
    finder = SymmetryFinder(metric=sphere_from_its_centre, random_state=0)
    ready = problem.prepare(finder, POINTS)
    network = training.train(ready)
    rng = np.random.default_rng(0)
    weights = rng.normal(size=network.weights.shape)
    values, slopes = network.with_weights(weights.ravel()).tangents().jets(POINTS)
    for index in ((0, 0), (3, 1), (5, 2)):
        change = np.zeros_like(weights)
        change[index] = 1e-6
        ahead, behind = (
            network.with_weights((weights + sign * change).ravel()).jets(POINTS) for sign in (1, -1)
        )
        unit = 2 * (1 + network.width + index[0])  # along the first axis
        place = 2 * (index[0] * weights.shape[1] + index[1])
        for one, low, high in zip((values, slopes), behind, ahead, strict=True):
            difference = (high[:, unit] - low[:, unit]) / 2e-6
            np.testing.assert_allclose(one[:, place], difference, atol=1e-8)
    operators = lie_operators.lie_operators(network, POINTS, ready.geometry)
    assert lie_operators.spectrum(operators)[0][2] < 0.01
