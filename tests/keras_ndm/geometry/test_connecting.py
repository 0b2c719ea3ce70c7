"""Geodesics between two points, where lengths and paths are known."""

import keras
import numpy as np
import pytest
from keras import ops
from sklearn.neighbors import KNeighborsClassifier

from keras_ndm import MetricLayer, backend, geometry
from keras_ndm.geometry.paths import Paths


def sphere(x):
    """Unit sphere in (θ, φ)."""
    rows = ops.stack([ops.ones_like(x[:, 0]), backend.sin(x[:, 0]) ** 2], axis=-1)
    return rows[:, :, None] * ops.eye(2, dtype=x.dtype)


def half_plane(x):
    """Poincaré's half-plane: constant curvature −1."""
    return ops.eye(2, dtype=x.dtype) / x[:, 1, None, None] ** 2


def embedded(x):
    theta, phi = x.T
    return np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], 1)


def on_sphere(n, seed):
    return np.random.default_rng(seed).uniform([0.6, -1.0], [2.5, 1.0], (n, 2))


def test_distances_on_the_sphere():
    a, b = on_sphere(20, 0), on_sphere(20, 1)
    exact = np.arccos((embedded(a) * embedded(b)).sum(axis=1))
    coarse, fine = (geometry.connect(sphere, a, b, points=s) for s in (16, 64))
    assert coarse.converged.all() and fine.points.shape == (20, 65, 2)
    errors = [np.abs(found.length / exact - 1).max() for found in (coarse, fine)]
    # Second order: four times the segments, a sixteenth of the error.
    assert errors[0] < 2e-3 and errors[1] < errors[0] / 12
    # Every point of the path lies on the great circle.
    normal = np.cross(embedded(a), embedded(b))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    path = embedded(fine.points.reshape(-1, 2)).reshape(20, 65, 3)
    assert np.abs(np.einsum("bsi,bi->bs", path, normal)).max() < 2e-3


def test_distances_in_the_half_plane():
    a, b = np.random.default_rng(0).uniform([-1, 0.3], [1, 2], (2, 20, 2))
    exact = np.arccosh(1 + ((a - b) ** 2).sum(axis=1) / (2 * a[:, 1] * b[:, 1]))
    np.testing.assert_allclose(geometry.distance(half_plane, a, b), exact, rtol=1e-3)


def test_a_metric_written_for_single_precision():
    a, b = np.array([[0.0, 0.0]], "float32"), np.array([[1, 2]])
    found = geometry.connect(lambda x: ops.ones_like(x)[:, :, None] * ops.eye(2), a, b, points=2)
    np.testing.assert_allclose(found.length, [np.sqrt(5)], rtol=1e-6)


def test_the_exponential_map_undoes_the_logarithm():
    a, b = on_sphere(10, 2), on_sphere(10, 3)
    v = geometry.log(sphere, a, b, points=64)
    np.testing.assert_allclose(geometry.exp(sphere, a, v), b, atol=5e-3)


@pytest.mark.parametrize("kind", ["low_rank", "pullback"])
def test_a_metric_layer_as_a_callable_is(kind):
    layer = MetricLayer(kind, hidden=(8,))
    a, b = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    layer(a)
    for variable in layer.trainable_variables:
        variable.assign(ops.convert_to_tensor(0.5 * np.ones(variable.shape), "float32"))
    found = geometry.connect(layer, a, b, points=8)
    same = geometry.distance(lambda x: layer(ops.cast(x, "float32")), a, b, points=8)
    np.testing.assert_allclose(found.length, same, rtol=1e-3)
    # The layer's values are read at every call.
    for variable in layer.trainable_variables:
        variable.assign(1.1 * variable)
    assert (np.abs(geometry.distance(layer, a, b, points=8) / found.length - 1) > 0.01).any()


@pytest.mark.parametrize("segments", [4, 8, 32])
def test_ends_where_lengths_differ_by_orders_of_magnitude(segments):
    """Equal steps in the coordinates would see nothing of the metric near the second point."""
    a, b = np.array([[-0.378, 59.47], [0, 1]]), np.array([[0.962, 0.00442], [1, 1e-3]])
    exact = np.arccosh(1 + ((a - b) ** 2).sum(axis=1) / (2 * a[:, 1] * b[:, 1]))
    found = geometry.connect(half_plane, a, b, points=segments)
    assert found.converged.all() and found.points.shape == (2, segments + 1, 2)
    np.testing.assert_allclose(found.length, exact, rtol=0.015)
    speed = np.linalg.norm(found.velocity, axis=1) / a[:, 1]
    np.testing.assert_allclose(speed, exact, rtol=0.03)


def test_a_length_that_is_not_resolved_has_not_converged():
    a, b = np.array([[0, 1]]), np.array([[1, 1e-12]])
    with pytest.warns(RuntimeWarning, match="their lengths are no distances"):
        assert not geometry.connect(half_plane, a, b, points=2).converged.any()


def test_one_segment_of_most_of_the_way_is_no_geodesic():
    """Even in a flat metric, where the length is right."""

    def flat(m, d):
        return (d**2).sum(axis=1), d, 0 * d, np.ones((len(d), 1, 1))

    paths = Paths(flat, np.zeros((2, 1)), np.ones((2, 1)), 4)
    paths.x[1, 1:-1, 0] = [0.1, 0.2, 0.3]
    paths.now = paths.evaluate(paths.x)
    assert list(paths.resolved()) == [True, False]


def hill(height):
    """Plane with a hill at the origin."""

    def metric(x):
        factor = 1 + height * ops.exp(-8 * ops.sum(x**2, axis=-1))
        return factor[:, None, None] ** 2 * ops.eye(2, dtype=x.dtype)

    return metric


def test_a_path_over_the_hill_is_left_for_one_around_it():
    """By symmetry the straight line is a geodesic, and not a shortest one."""
    a = np.array([[-1.0, 0], [-1, 1]])
    found = geometry.connect(hill(20), a, -a)
    assert found.converged.all()
    middle = found.points[:, 16]
    assert (np.linalg.norm(middle, axis=1) > 0.3).all()
    over = 2 * (1 + 20 * 0.5 * np.sqrt(np.pi / 8))
    assert found.length[0] < 0.3 * over
    near = [[0.0, 0.1], [0.1, 0.0]]
    np.testing.assert_allclose(found.length, geometry.distance(hill(20), a + near, -a), rtol=0.2)


def test_a_saddle_without_a_minimum_has_not_converged():
    """On a sphere less a point at infinity the shorter way leaves the chart."""

    def stereographic(x):
        factor = 4 / (1 + ops.sum(x**2, axis=-1)) ** 2
        return factor[:, None, None] * ops.eye(2, dtype=x.dtype)

    a = np.array([[3.0, 0.0], [0.5, 0.0]])
    with pytest.warns(RuntimeWarning, match="1 of 2 geodesics have not converged"):
        found = geometry.connect(stereographic, a, -a)
    assert list(found.converged) == [False, True]
    np.testing.assert_allclose(found.length, 4 * np.arctan(a[:, 0]), rtol=1e-2)


@pytest.mark.parametrize("beyond", [3.5, 4.0])
@pytest.mark.parametrize("segments", [32, 128])
def test_beyond_half_a_turn_paths_jump_over_the_pole(beyond, segments):
    """Those are shorter than the great circle in the chart, and none of them is a geodesic."""
    with pytest.warns(RuntimeWarning, match="not converged"):
        found = geometry.connect(sphere, [[np.pi / 2, 0]], [[np.pi / 2, beyond]], points=segments)
    assert not found.converged.any()


def test_points_as_far_apart_as_can_be():
    a, b = np.array([[np.pi / 2, 0.0]]), np.array([[np.pi / 2, np.pi]])
    found = geometry.connect(sphere, a, b)
    assert found.converged.all()
    np.testing.assert_allclose(found.length, np.pi, rtol=1e-3)


def test_the_mean_is_no_saddle():
    corners = np.array([[-1.0, 0], [1, 0], [0, 1], [0, -1]])

    def spread(mean):
        return (geometry.distance(hill(1), mean, corners) ** 2).mean()

    mean = geometry.frechet_mean(hill(1), corners)
    assert spread(mean) < spread(np.zeros(2)) - 0.1
    assert all(spread(mean) < spread(mean + 0.05 * step) for step in corners)


def test_the_mean_of_points_on_half_the_equator_and_more():
    """Eight points all around: the one between them on the equator is a saddle."""
    x = np.stack([np.full(8, np.pi / 2), np.arange(8) * np.pi / 4], axis=1)
    try:
        mean = geometry.frechet_mean(sphere, x)
    except (RuntimeError, ValueError):
        return
    assert abs(mean[0] - np.pi / 2) > 0.5


def test_no_points():
    none = np.zeros((0, 2))
    found = geometry.connect(sphere, none, none, points=4)
    assert found.points.shape == (0, 5, 2) and found.velocity.shape == (0, 2)
    assert found.length.shape == found.converged.shape == (0,)
    assert geometry.pairwise_distances(sphere, on_sphere(3, 0), none).shape == (3, 0)
    with pytest.raises(ValueError, match="at least one point"):
        geometry.frechet_mean(sphere, none)


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (None, "must be a function from points"),
        (np.eye(2), "must be a function from points"),
        (lambda x: ops.ones_like(x[:, :, None] + x[:, None]), "not finite and positive"),
        (lambda x: 0 * x[:, None] + np.array([[1, 0.9], [0, 1]], "float32"), "symmetric"),
    ],
)
def test_what_is_no_metric(metric, message):
    with pytest.raises(ValueError, match=message):
        geometry.distance(metric, on_sphere(3, 0), on_sphere(3, 1))


def test_a_start_where_the_chart_ends():
    with pytest.raises(ValueError, match=r"not finite and positive at \[0. 0.\].* of pair 1"):
        geometry.distance(sphere, [[0.5, 0], [0, 0]], [[1.0, 1.0]])


def test_many_dimensions_without_second_derivatives():
    """A conformal metric in 20 coordinates: shorter than straight, and stationary."""

    def metric(x):
        factor = 1 + ops.sum(x**2, axis=-1)
        return factor[:, None, None] * ops.eye(20, dtype=x.dtype)

    a, b = np.random.default_rng(0).normal(size=(2, 3, 20)) / 4
    found = geometry.connect(metric, a, b)
    s = (np.arange(1000) + 0.5) / 1000
    line = a[:, None] + s[:, None] * (b - a)[:, None]
    straight = np.sqrt(1 + (line**2).sum(axis=2)).mean(axis=1) * np.linalg.norm(b - a, axis=1)
    assert found.converged.all() and (found.length < straight).all()
    # An isotropic metric: the path stays in the plane of a and b.
    basis = np.linalg.qr(np.stack([a[0], b[0]], axis=1))[0]
    outside = found.points[0] - found.points[0] @ basis @ basis.T
    assert np.abs(outside).max() < 1e-4


def test_the_mean_of_a_circle_is_its_centre():
    angle = 2 * np.pi * np.arange(8) / 8
    # A geodesic circle about the point of the equator at φ = 0.
    x, y, z = np.cos(0.4) * np.ones(8), np.sin(0.4) * np.cos(angle), np.sin(0.4) * np.sin(angle)
    points = np.stack([np.arccos(z), np.arctan2(y, x)], axis=1)
    np.testing.assert_allclose(geometry.frechet_mean(sphere, points), [np.pi / 2, 0], atol=1e-3)
    assert geometry.frechet_mean(sphere, points, weights=angle)[1] < -0.02


def test_distances_in_scikit_learn():
    x, labels = on_sphere(8, 4), np.arange(8) % 2
    between = geometry.pairwise_distances(sphere, x, points=8)
    np.testing.assert_allclose(between, between.T)
    np.testing.assert_allclose(between, geometry.pairwise_distances(sphere, x, x, 8), atol=1e-6)
    model = KNeighborsClassifier(1, metric="precomputed").fit(between, labels)
    assert (model.predict(between) == labels).all()


def test_what_does_not_converge_is_said():
    a, b = on_sphere(4, 0), on_sphere(4, 1)
    with pytest.warns(RuntimeWarning, match="4 of 4 geodesics have not converged after 1 it"):
        assert not geometry.connect(sphere, a, b, max_iterations=1).converged.any()


def test_a_point_is_at_no_distance_from_itself():
    a = on_sphere(3, 0)
    found = geometry.connect(sphere, a, a)
    assert found.converged.all() and (found.length == 0).all() and (found.velocity == 0).all()


@pytest.mark.parametrize(
    ("a", "b", "options", "message"),
    [
        ([[1, 1]], [[1, 1, 1]], {}, "of one dimension; received shapes"),
        ([[1, 1]] * 2, [[1, 1]] * 3, {}, "hold as many points"),
        ([[1, np.nan]], [[1, 1]], {}, "`a` must be finite; received .* in row 0"),
        ([["1", "2"]], [[1, 1]], {}, "`a` must be numbers"),
        ([[0, 1]], [[0, -1]], {}, "not finite and positive at .* of pair 0"),
        ([[0, 1]], [[0, 2]], {"points": 0}, "`points` must be a whole number"),
        ([[0, 1]], [[0, 2]], {"tolerance": -1}, "`tolerance` must be positive"),
    ],
)
def test_bad_input(a, b, options, message):
    def metric(x):
        return ops.eye(2, dtype=x.dtype) * x[:, 1, None, None]

    with pytest.raises(ValueError, match=message):
        geometry.connect(metric, np.array(a), np.array(b), **options)


def test_bad_weights():
    with pytest.raises(ValueError, match="`weights` must be 3 numbers"):
        geometry.frechet_mean(sphere, on_sphere(3, 0), weights=[1, 2, -1])


def test_a_layer_that_is_quantized_has_new_distances():
    layer = MetricLayer(hidden=(16,))
    a, b = np.zeros((1, 2), "float32"), np.ones((1, 2), "float32")
    layer(a)
    for variable in layer.trainable_variables:
        draw = 0.3 * np.random.default_rng(0).normal(size=variable.shape)
        variable.assign(variable + draw)
    model = keras.Sequential([keras.Input((2,)), layer])
    geometry.distance(layer, a, b)
    model.quantize("int8")
    found = geometry.distance(layer, a, b), geometry.distance(lambda x: layer(x), a, b)
    np.testing.assert_allclose(*found, rtol=1e-3)
