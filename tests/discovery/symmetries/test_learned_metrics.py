"""Symmetries of metrics that are networks: learned from motion, or layers of a model."""

import keras
import numpy as np
import pytest

import keras_ndm
from discovery import SymmetryFinder
from discovery.symmetries.geometry import metric_at_points
from discovery.symmetries.geometry.curvature import christoffel

SIDES = np.random.default_rng(0)


def sphere(q):
    return (4 / (1 + np.sum(q**2, axis=1)) ** 2)[:, None, None] * np.eye(2)


def sheared(q):
    """No symmetry: the curvature has no level line that is a circle or a line."""
    g = np.eye(2) + 0 * q[:, :1, None]
    g[:, 0, 0] += 0.8 * np.sin(q[:, 1]) * q[:, 0] + 0.5 * q[:, 1] ** 2
    g[:, 0, 1] = g[:, 1, 0] = 0.3 * q[:, 0] * q[:, 1] + 0.2 * q[:, 0]
    g[:, 1, 1] += 0.6 * q[:, 0] ** 2 + 0.4 * q[:, 0]
    return g


def almost_a_sphere(q):
    """A dent of two percent breaks every symmetry."""
    return sphere(q) * (1 + 0.02 * q[:, 0] ** 3 + 0.02 * q[:, 1])[:, None, None]


def flat(q):
    return np.eye(2) + 0 * q[:, :1, None]


def free_motion(metric, rng, count, level=0.0):
    """Positions, velocities and accelerations with 1 % noise.

    `level` adds noise of its own, where there are no accelerations to be noisy.
    """
    q = rng.uniform(-1, 1, (count, 2))
    g, h = metric(q), 1e-5
    dg = [(metric(q + e) - metric(q - e)) / (2 * h) for e in h * np.eye(2)]
    root = np.linalg.cholesky(np.linalg.inv(g))
    v = np.einsum("nij,nj->ni", root, rng.normal(size=q.shape))
    a = -np.einsum("nkij,ni,nj->nk", christoffel(g, np.stack(dg, axis=1)), v, v)
    a += (level + 0.01 * a.std(axis=0)) * rng.normal(size=a.shape)
    return q, v, a


def learned(metric, level=0.0):
    """A Lagrangian manifold polished on the accelerations of 1024 states, and points."""
    rng = np.random.default_rng(0)
    q, v, a = free_motion(metric, rng, 1024, level)
    keras.utils.set_random_seed(0)
    model = keras_ndm.LagrangianManifold(hidden=(16, 16), potential=False)
    model.polish((q, v), a, iterations=100)
    return model, rng.uniform(-1, 1, (300, 2))


def test_a_learned_sphere_has_three_symmetries():
    model, points = learned(sphere)
    finder = SymmetryFinder(metric=model, random_state=0).fit(points)
    assert finder.n_symmetries_ == 3
    assert not finder.undecided_
    assert finder.confidence_ > 0.8
    assert finder.dimension_interval_ == (3, 3)
    assert "-y ∂x + x ∂y" in [s.expression for s in finder.symmetries_]
    # The formulas are those of the true metric, to which the learned one is only close.
    exact = SymmetryFinder(
        metric=lambda x: (
            (4 / (1 + keras.ops.sum(x**2, -1)) ** 2)[:, None, None]
            * keras.ops.eye(2, dtype=x.dtype)
        ),
        library=[s.components for s in finder.symmetries_],
    ).fit(points)
    assert exact.n_symmetries_ == 3


def test_a_learned_surface_without_symmetry_has_none():
    model, points = learned(sheared)
    finder = SymmetryFinder(metric=model, random_state=0).fit(points)
    assert finder.n_symmetries_ == 0


def test_a_slight_break_is_seen_against_the_metric_s_own_error():
    model, points = learned(almost_a_sphere)
    finder = SymmetryFinder(metric=model, random_state=0).fit(points)
    # Below any fixed tolerance for learned metrics, and above what this one's error makes.
    assert finder.spectrum_[0] < 0.03
    assert finder.n_symmetries_ < 3
    # A model that does not tell its error is judged by that tolerance.
    model.posterior = None
    assert SymmetryFinder(metric=model, random_state=0).fit(points).n_symmetries_ == 3


def test_a_model_that_was_only_fitted_is_judged_by_its_own_error():
    """Stopped early it is far from the sphere, and says how far: all three are found still."""
    rng = np.random.default_rng(0)
    q, v, a = free_motion(sphere, rng, 2048)
    keras.utils.set_random_seed(0)
    model = keras_ndm.LagrangianManifold(hidden=(16, 16), potential=False)
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=True)
    model.fit((q, v), a, epochs=20, batch_size=128, verbose=0)
    finder = SymmetryFinder(metric=model, random_state=0).fit(rng.uniform(-1, 1, (300, 2)))
    assert finder.n_symmetries_ == 3
    # Beyond the fixed limit for models that do not tell: near symmetries would pass for true ones.
    if finder.spectrum_[2] > 0.03:
        assert finder.undecided_


@pytest.mark.parametrize("level", [0.0, 1e-3])
def test_straight_motion_is_that_of_a_flat_metric(level):
    """Also where all the acceleration there is, is noise: nothing is left unexplained."""
    model, points = learned(flat, level)
    finder = SymmetryFinder(metric=model, random_state=0).fit(points)
    assert finder.n_symmetries_ == 3
    assert finder.confidence_ > 0.8


def test_nothing_is_read_off_a_model_that_does_not_fit():
    """An untrained model is a free particle in a flat space: three symmetries, none true."""
    model = keras_ndm.LagrangianManifold()
    q = SIDES.uniform(-1, 1, (200, 2))
    model.adapt((q, q), q**3)
    with pytest.raises(ValueError, match="unexplained"):
        SymmetryFinder(metric=model).fit(q)


def test_a_model_that_was_never_trained_is_refused():
    with pytest.raises(ValueError, match="no weights yet"):
        SymmetryFinder(metric=keras_ndm.LagrangianManifold()).fit(SIDES.uniform(-1, 1, (200, 2)))


def random_metric_layer():
    keras.utils.set_random_seed(0)
    layer = keras_ndm.MetricLayer(hidden=(16,))
    inputs = keras.Input((2,))
    model = keras.Model(inputs, layer(inputs))
    layer.network[-1].kernel.assign(0.5 * SIDES.normal(size=layer.network[-1].kernel.shape))
    return layer, model


def test_layers_and_models_with_a_metric_are_read_alike():
    layer, model = random_metric_layer()
    points = SIDES.uniform(-1, 1, (200, 2))
    by_jets = metric_at_points.evaluate(layer, points)
    by_differences = metric_at_points.evaluate(model, points)
    np.testing.assert_allclose(by_differences.metric, by_jets.metric, rtol=1e-4)
    # Fourth-order differences of single-precision values.
    scale = np.abs(by_jets.partials).max()
    np.testing.assert_allclose(by_differences.partials, by_jets.partials, atol=2e-3 * scale)
    assert SymmetryFinder(metric=layer, random_state=0).fit(points).n_symmetries_ == 0


def test_a_next_state_model_gives_its_noise_metric():
    rng = np.random.default_rng(0)
    states = rng.uniform(-1, 1, (300, 2))
    model = keras_ndm.NeuralDifferentialManifold(hidden=(8,))
    model.adapt(states, states + 0.1 * rng.normal(size=states.shape))
    # Before training the metric is almost constant: a flat plane.
    finder = SymmetryFinder(metric=model, degree=1, random_state=0).fit(states)
    assert finder.n_symmetries_ == 3


def test_a_model_without_a_metric_is_refused():
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    with pytest.raises(ValueError, match="MetricLayer"):
        SymmetryFinder(metric=model).fit(SIDES.uniform(-1, 1, (200, 2)))
