"""Derivatives of fields, geodesics and transport on the sphere, where all is known."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_ndm import MetricLayer, backend, geometry


def sphere(x):
    """Unit sphere in (θ, φ)."""
    rows = ops.stack([ops.ones_like(x[:, 0]), backend.sin(x[:, 0]) ** 2], axis=-1)
    return rows[:, :, None] * ops.eye(2, dtype=x.dtype)


def points(n=6):
    return np.random.default_rng(0).uniform(0.7, 1.5, (n, 2))


def rotation(x):
    """Rotation about the x axis, a Killing field: −sin φ ∂_θ − cot θ cos φ ∂_φ."""
    theta, phi = x[:, 0], x[:, 1]
    slope = backend.cos(theta) / backend.sin(theta)
    return ops.stack([-backend.sin(phi), -slope * backend.cos(phi)], axis=-1)


def shear(x):
    return ops.stack([x[:, 1], ops.zeros_like(x[:, 0])], axis=-1)


def test_killing_field_has_no_lie_derivative(float64):
    lie = ops.convert_to_numpy(geometry.lie_derivative(sphere, rotation, points()))
    assert np.abs(lie).max() < 1e-12
    assert (
        np.abs(ops.convert_to_numpy(geometry.lie_derivative(sphere, shear, points()))).max() > 0.1
    )


def test_lie_derivative_is_twice_the_symmetric_covariant_derivative(float64, max_error):
    x = ops.convert_to_tensor(points())
    nabla = geometry.covariant_derivative(sphere, shear, x)
    lower = ops.einsum("bki,bij->bkj", nabla, sphere(x))
    lie = geometry.lie_derivative(sphere, shear, x)
    assert max_error(lower + ops.swapaxes(lower, 1, 2), lie) < 1e-12


def test_divergence_is_that_of_the_volume(float64, max_error):
    """∇_i X^i = ∂_i(√g X^i)/√g, with √g = sin θ: here X^θ cot θ + ∂_θ X^θ."""
    x = points()
    expected = x[:, 1] / np.tan(x[:, 0])
    assert max_error(geometry.divergence(sphere, shear, x), expected) < 1e-12
    assert max_error(geometry.volume_element(sphere, x), np.sin(x[:, 0])) < 1e-14


def test_sectional_curvature(float64, max_error):
    x = points()
    u, v = np.random.default_rng(1).normal(size=(2, 6, 2))
    assert max_error(geometry.sectional_curvature(sphere, x, u, v), np.ones(6)) < 1e-10
    layer = MetricLayer(hidden=(5,), dtype="float64")
    z = np.random.default_rng(2).normal(size=(6, 2))
    layer(z)
    # In two dimensions R = 2 K.
    twice = 2 * geometry.sectional_curvature(layer, z, u, v)
    assert max_error(twice, geometry.scalar_curvature(layer, z)) < 1e-9


def _embed(x):
    x = ops.convert_to_numpy(x)
    theta, phi = x[..., 0], x[..., 1]
    return np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], -1)


def test_geodesics_are_great_circles(float64):
    x = np.array([[1.2, 0.3]])
    velocity = np.array([[0.5, 0.8 / np.sin(1.2)]])
    path, speed = geometry.geodesic(sphere, x, velocity, steps=20)
    on_sphere = _embed(path)[:, 0]
    normal = np.cross(on_sphere[0], on_sphere[5])
    assert np.abs(on_sphere @ normal).max() < 1e-5  # fourth order: (1/20)⁴
    norms = [
        ops.convert_to_numpy(ops.einsum("bi,bij,bj->b", v, sphere(p), v))[0]
        for p, v in zip(path, speed, strict=True)
    ]
    np.testing.assert_allclose(norms, 0.5**2 + 0.8**2, rtol=1e-5)


def test_transport_round_a_latitude_turns_by_the_enclosed_area(float64):
    """Holonomy: carried once round the circle θ, a vector turns by 2π cos θ."""
    theta = 1.1

    def circle(t):
        x = ops.convert_to_tensor([[theta, 2 * np.pi * t]], dtype="float64")
        return x, ops.convert_to_tensor([[0.0, 2 * np.pi]], dtype="float64")

    moved = ops.convert_to_numpy(
        geometry.parallel_transport(sphere, circle, np.array([[1.0, 0.0]]), 40)
    )
    angle = np.arctan2(moved[0, 1] * np.sin(theta), moved[0, 0])
    turned = (-2 * np.pi * np.cos(theta) + np.pi) % (2 * np.pi) - np.pi
    assert abs(angle - turned) < 1e-4


def test_steps_are_checked():
    with pytest.raises(ValueError, match="at least 1"):
        geometry.geodesic(sphere, points(), points(), steps=0)


def test_a_tolerance_is_kept(float64):
    """A great circle in few samples, with as many steps between them as it needs."""
    x, velocity = np.array([[1.2, 0.3]]), np.array([[0.5, 0.8 / np.sin(1.2)]])
    exact, _ = geometry.geodesic(sphere, x, velocity, steps=400)
    near, _ = geometry.geodesic(sphere, x, velocity, steps=2, tolerance=1e-9)
    far, _ = geometry.geodesic(sphere, x, velocity, steps=2, tolerance=1e-3)
    errors = [np.abs(_embed(p)[-1] - _embed(exact)[-1]).max() for p in (near, far)]
    assert errors[0] < 1e-8 < errors[1] < 1e-2
    with pytest.raises(ValueError, match="rounding"):
        geometry.geodesic(sphere, x, velocity, tolerance=1e-17)


def test_geodesics_are_compiled_once_and_follow_the_weights():
    """The program is kept; what a function reads of a Keras layer is that of now."""
    layer, calls = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones"), []

    def metric(x):
        calls.append(len(x.shape))
        return ops.exp(layer(x))[..., None] * ops.eye(2)[None]

    points, velocity = np.float32([[0.1, 0.2]]), np.float32([[0.3, -0.1]])
    follow = geometry.Geodesics(metric, steps=4)
    first, _ = follow(points, velocity)
    seen = len(calls)
    again, _ = follow(points, velocity)
    assert len(calls) == seen
    np.testing.assert_array_equal(first, again)
    layer.kernel.assign([[-2.0], [3.0]])
    moved, _ = follow(points, velocity)
    assert len(calls) == seen
    plain, _ = geometry.geodesic(metric, points, velocity, 4)
    np.testing.assert_allclose(moved, plain, rtol=1e-6)
    assert np.abs(np.subtract(moved, first)).max() > 1e-3


@pytest.mark.parametrize("tolerance", [None, 1e-4])
def test_a_geodesic_that_leaves_the_chart_says_where(tolerance):
    """g = √y 1 ends at y = 0: the first geodesic falls there, the second one climbs."""

    def half_plane(x):
        return ops.sqrt(x[:, 1])[:, None, None] * ops.eye(2, dtype=x.dtype)

    starts, velocities = np.float32([[0, 1], [0, 1]]), np.float32([[0, -2], [0, 1]])
    with pytest.warns(UserWarning, match=r"1 of 2 geodesics leave the chart.*number 0 after t = 0"):
        path, _ = geometry.geodesic(half_plane, starts, velocities, steps=8, tolerance=tolerance)
    path = ops.convert_to_numpy(path)
    assert np.isnan(path[-1, 0]).all() and np.isfinite(path[:, 1]).all()


def test_a_singular_metric_is_told():
    with pytest.warns(UserWarning, match="leave the chart"):
        geometry.geodesic(sphere, np.zeros((1, 2), "float32"), np.ones((1, 2), "float32"), steps=2)


def test_two_vectors_that_span_no_plane_have_no_curvature():
    x = points().astype("float32")
    u, v = np.random.default_rng(1).normal(size=(2, *x.shape)).astype("float32")
    for other in (u, 3 * u, 0 * u):
        assert np.isnan(np.asarray(geometry.sectional_curvature(sphere, x, u, other))).all()
    np.testing.assert_allclose(geometry.sectional_curvature(sphere, x, u, v), 1, rtol=1e-3)


@pytest.mark.parametrize("velocity", [np.ones((2, 2)), np.ones(2), np.ones((6, 3))])
def test_vectors_must_be_at_the_points(velocity):
    with pytest.raises(ValueError, match=r"`velocity` must be vectors .*\(6, 2\); received"):
        geometry.geodesic(sphere, points(), velocity)
    with pytest.raises(ValueError, match="`v` must be vectors"):
        geometry.sectional_curvature(sphere, points(), points(), velocity)


@pytest.mark.parametrize("length", [np.nan, np.inf])
def test_a_time_must_be_finite(length):
    with pytest.raises(ValueError, match="`length` must be a finite time"):
        geometry.geodesic(sphere, points(), points(), length=length)
