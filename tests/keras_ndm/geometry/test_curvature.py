"""Curvature against closed forms, identities, SymPy and nested automatic differentiation."""

import keras
import numpy as np
import pytest
import sympy
from keras import ops

import keras_ndm
from keras_ndm import MetricLayer, backend, geometry
from keras_ndm.geometry import curvature

cos, sin = backend.cos, backend.sin


def _diagonal(*entries):
    return ops.stack(entries, axis=-1)[:, :, None] * ops.eye(len(entries), dtype=entries[0].dtype)


def _conformal(x, factor):
    return factor[:, None, None] * ops.eye(x.shape[-1], dtype=x.dtype)


def euclidean(x):
    return _conformal(x, ops.ones_like(x[:, 0]))


def constant(x):
    matrix = np.array([[2.0, 0.3, 0.1], [0.3, 1.0, -0.2], [0.1, -0.2, 3.0]])
    return ops.zeros_like(x)[:, :, None] + ops.convert_to_tensor(matrix, x.dtype)


def polar(x):
    return _diagonal(ops.ones_like(x[:, 0]), x[:, 0] ** 2)


def sphere(x):
    return _diagonal(ops.ones_like(x[:, 0]), sin(x[:, 0]) ** 2)


def stereographic(x):
    return _conformal(x, 4.0 / (1.0 + ops.sum(x * x, axis=-1)) ** 2)


def hyperbolic(x):
    return _conformal(x, 1.0 / x[:, 0] ** 2)


def torus(x):
    return _diagonal(ops.ones_like(x[:, 0]), (2.0 + cos(x[:, 0])) ** 2)


def product(x):
    one = ops.ones_like(x[:, 0])
    return _diagonal(4.0 * one, 4.0 * sin(x[:, 0]) ** 2, one, 9.0 * sin(x[:, 2]) ** 2)


def schwarzschild(x):
    # The spatial slice of mass 1/2: its Ricci scalar vanishes, its Ricci tensor does not.
    r, theta = x[:, 0] + 2.0, x[:, 1]
    return _diagonal(1.0 / (1.0 - 1.0 / r), r**2, (r * sin(theta)) ** 2)


def three_sphere(x):
    s = sin(x[:, 0]) ** 2
    return _diagonal(ops.ones_like(s), s, s * sin(x[:, 1]) ** 2)


# name: metric, dimension, Ricci scalar at x
ZOO = {
    "euclidean": (euclidean, 3, lambda x: 0 * x[:, 0]),
    "constant": (constant, 3, lambda x: 0 * x[:, 0]),
    "polar": (polar, 2, lambda x: 0 * x[:, 0]),
    "sphere": (sphere, 2, lambda x: 2 + 0 * x[:, 0]),
    "stereographic sphere": (stereographic, 2, lambda x: 2 + 0 * x[:, 0]),
    "stereographic 4-sphere": (stereographic, 4, lambda x: 12 + 0 * x[:, 0]),
    "3-sphere": (three_sphere, 3, lambda x: 6 + 0 * x[:, 0]),
    "hyperbolic plane": (hyperbolic, 2, lambda x: -2 + 0 * x[:, 0]),
    "hyperbolic 3-space": (hyperbolic, 3, lambda x: -6 + 0 * x[:, 0]),
    "torus": (torus, 2, lambda x: 2 * np.cos(x[:, 0]) / (2 + np.cos(x[:, 0]))),
    # The second factor, dθ² + 9 sin²θ dφ², is a cone-like sphere of curvature 1.
    "product of spheres": (product, 4, lambda x: 2 / 4 + 2 + 0 * x[:, 0]),
    "schwarzschild": (schwarzschild, 3, lambda x: 0 * x[:, 0]),
}


def points(n, dimension):
    return np.random.default_rng(7).uniform(0.6, 1.4, (n, dimension))


def smooth_metric(dimension, seed=0):
    layer = MetricLayer(hidden=(12, 12), floor=0.3, dtype="float64")
    layer(np.zeros((1, dimension)))
    rng = np.random.default_rng(seed)
    for dense in layer.network:
        dense.kernel.assign(0.5 * rng.normal(size=dense.kernel.shape))
    return layer


@pytest.mark.parametrize("name", ZOO)
def test_closed_forms_and_identities(name, float64, max_error):
    metric, n, scalar = ZOO[name]
    x = points(6, n)
    tolerance = 1e-9  # second derivatives lose about four digits to cancellation here
    assert max_error(geometry.scalar_curvature(metric, x), scalar(x)) < tolerance
    riemann = ops.convert_to_numpy(geometry.riemann(metric, x))
    scale = 1 + np.abs(riemann).max()
    assert max_error(riemann, -np.swapaxes(riemann, 1, 2)) < tolerance * scale
    assert max_error(riemann, -np.swapaxes(riemann, 3, 4)) < tolerance * scale
    assert max_error(riemann, np.transpose(riemann, (0, 3, 4, 1, 2))) < tolerance * scale
    bianchi = (
        riemann + np.transpose(riemann, (0, 1, 3, 4, 2)) + np.transpose(riemann, (0, 1, 4, 2, 3))
    )
    assert np.abs(bianchi).max() < tolerance * scale
    # Scalar, Ricci and Riemann agree with each other.
    h = np.linalg.inv(ops.convert_to_numpy(metric(ops.convert_to_tensor(x))))
    ricci = np.einsum("bli,blkij->bkj", h, riemann)
    assert max_error(geometry.ricci(metric, x), ricci) < tolerance * scale
    assert max_error(np.einsum("bkj,bkj->b", h, ricci), scalar(x)) < tolerance * scale


def test_schwarzschild_ricci_tensor(float64, max_error):
    x = points(5, 3)
    ricci = ops.convert_to_numpy(geometry.ricci(schwarzschild, x))
    g = ops.convert_to_numpy(schwarzschild(ops.convert_to_tensor(x)))
    # R_rr / g_rr = −2M/r³ and R_θθ / g_θθ = M/r³ with M = 1/2 (Wald, 1984, eq. 6.1.11, static
    # slice).
    r = x[:, 0] + 2
    assert max_error(ricci[:, 0, 0] / g[:, 0, 0], -1 / r**3) < 1e-9
    assert max_error(ricci[:, 1, 1] / g[:, 1, 1], 0.5 / r**3) < 1e-9


def test_against_sympy(float64, max_error):
    """A metric with every entry varying, its curvature by symbolic differentiation."""
    u, v = symbols = sympy.symbols("u v")
    g = sympy.Matrix([[2 + sympy.sin(u) * v, u * v / 4], [u * v / 4, 1 + u**2]])
    inverse = g.inv()
    gamma = [
        [
            [
                sum(
                    inverse[k, m]
                    * (
                        g[j, m].diff(symbols[i])
                        + g[i, m].diff(symbols[j])
                        - g[i, j].diff(symbols[m])
                    )
                    for m in range(2)
                )
                / 2
                for j in range(2)
            ]
            for i in range(2)
        ]
        for k in range(2)
    ]

    def riemann(m, k, i, j):  # R^m_kij by the definition
        value = gamma[m][j][k].diff(symbols[i]) - gamma[m][i][k].diff(symbols[j])
        for e in range(2):
            value += gamma[m][i][e] * gamma[e][j][k] - gamma[m][j][e] * gamma[e][i][k]
        return value

    scalar = sum(
        inverse[k, j] * riemann(i, k, i, j) for i in range(2) for j in range(2) for k in range(2)
    )
    reference = sympy.lambdify(symbols, [scalar, gamma])

    def metric(x):
        a, b = x[:, 0], x[:, 1]
        rows = [2 + sin(a) * b, a * b / 4, a * b / 4, 1 + a**2]
        return ops.reshape(ops.stack(rows, axis=-1), (-1, 2, 2))

    x = points(4, 2)
    expected = [reference(*row) for row in x]
    assert (
        max_error(geometry.scalar_curvature(metric, x), np.array([r for r, _ in expected])) < 1e-10
    )
    assert max_error(geometry.christoffel(metric, x), np.array([c for _, c in expected])) < 1e-12


@pytest.mark.parametrize(
    ("activation", "dimension"),
    [("tanh", 3), ("softplus", 2), ("silu", 2), ("gelu", 2), ("sin", 2), ("sigmoid", 2)],
)
def test_jets_agree_with_nested_differentiation(activation, dimension, float64, max_error):
    layer = smooth_metric(dimension)
    for dense in layer.network[:-1]:
        dense.activation = geometry.activations.get(activation)
    x = ops.convert_to_tensor(points(4, dimension))
    jet = layer.jet(x)
    n = dimension

    def flat(t):
        return ops.reshape(layer(t), (-1, n * n))

    def first(t):
        return ops.reshape(backend.jacobian(flat, t), (-1, n**3))

    dg = ops.reshape(backend.jacobian(flat, x), (-1, n, n, n))
    ddg = ops.reshape(backend.jacobian(first, x), (-1, n, n, n, n))
    scale = 1 + float(ops.max(ops.abs(ddg)))
    assert max_error(jet.first, ops.transpose(dg, (0, 3, 1, 2))) < 1e-12 * scale
    assert max_error(jet.second_matrix(), ops.transpose(ddg, (0, 3, 4, 1, 2))) < 1e-12 * scale
    by_jvp = geometry.scalar_curvature(lambda t: layer(t), x)
    by_jets = geometry.scalar_curvature(layer, x)
    assert max_error(by_jets, by_jvp) < 1e-9 * (1 + float(ops.max(ops.abs(by_jvp))))


def differences(metric, x, step=1e-2):
    """Metric and derivatives by sixth-order central differences, all in one batch: no autodiff."""
    n = x.shape[1]
    offsets = np.arange(-3, 4)
    first = np.array([-1, 9, -45, 0, 45, -9, 1]) / 60
    second = np.array([2, -27, 270, -490, 270, -27, 2]) / 180
    grid = [(i, j, a, b) for i in range(n) for j in range(n) for a in offsets for b in offsets]
    moves = np.array([a * np.eye(n)[i] + b * np.eye(n)[j] for i, j, a, b in grid]) * step
    values = metric(ops.convert_to_tensor((x[:, None] + moves).reshape(-1, n)))
    values = ops.convert_to_numpy(values).reshape(len(x), n, n, 7, 7, n, n)
    dg = np.einsum("xiiapq,a->xipq", values[:, :, :, :, 3], first) / step
    ddg = np.einsum("xijabpq,a,b->xijpq", values, first, first) / step**2
    for i in range(n):
        ddg[:, i, i] = np.einsum("xapq,a->xpq", values[:, i, i, :, 3], second) / step**2
    g = ops.convert_to_numpy(metric(ops.convert_to_tensor(x)))
    return [ops.convert_to_tensor(t) for t in (g, dg, ddg)]


@pytest.mark.parametrize(
    "name", ["standardize", "affine_coupling", "monotone", "autoregressive", "linear", "positive"]
)
def test_flat_metric_pulled_back_stays_flat(name, float64, randomize):
    chart = keras_ndm.CoordinateLayer(name)
    x = points(5, 3)
    chart(x)
    randomize(chart, 0.2)

    def metric(t):
        jacobian = chart.jacobian(t)
        return ops.matmul(ops.swapaxes(jacobian, 1, 2), jacobian)

    g, dg, ddg = differences(metric, x)
    scalar = ops.convert_to_numpy(curvature.scalar_from(g, dg, ddg))
    # The differences themselves are good to about 1e-8 of the second derivatives.
    assert np.abs(scalar).max() < 1e-6 * (1 + float(ops.max(ops.abs(ddg))))
    flat = ("linear", "standardize")
    assert float(ops.max(ops.abs(dg))) > 1e-2 or name in flat


def test_curvature_is_invariant_under_an_isometry(float64, randomize, max_error):
    """R of the pullback at x is R of the metric at φ(x)."""
    chart, layer = keras_ndm.CoordinateLayer("affine_coupling"), smooth_metric(3)
    x = points(4, 3) - 1.0
    chart(x)
    randomize(chart, 0.2)
    there = geometry.scalar_curvature(layer, chart(x))
    here = differences(lambda t: chart.pullback(t, layer(chart.call(t))), x)
    here = curvature.scalar_from(*here)
    assert max_error(there, here) < 1e-5 * (1 + float(ops.max(ops.abs(there))))


def test_scalar_from_agrees_with_the_riemann_tensor_on_random_derivatives(float64, max_error):
    rng = np.random.default_rng(0)
    n = 4
    root = rng.normal(size=(3, n, n))
    g = root @ np.swapaxes(root, 1, 2) + np.eye(n)
    dg = rng.normal(size=(3, n, n, n))
    dg = dg + np.swapaxes(dg, 2, 3)
    ddg = rng.normal(size=(3, n, n, n, n))
    ddg = ddg + np.swapaxes(ddg, 1, 2)
    ddg = ddg + np.swapaxes(ddg, 3, 4)
    tensors = [ops.convert_to_tensor(t) for t in (g, dg, ddg)]
    ricci = ops.convert_to_numpy(curvature.ricci_from(*tensors))
    scalar = np.einsum("bij,bij->b", np.linalg.inv(g), ricci)
    assert max_error(curvature.scalar_from(*tensors), scalar) < 1e-9


def test_bad_arguments_are_explained():
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        geometry.scalar_curvature(sphere, np.zeros(3))
    with pytest.raises(ValueError, match=r"returned shape \(4, 2\)"):
        geometry.christoffel(lambda x: x, np.zeros((4, 2), "float32"))
    relu = MetricLayer(activation="relu")
    relu(np.zeros((1, 2)))
    with pytest.raises(ValueError, match=r"relu.*look flat"):
        geometry.scalar_curvature(relu, np.zeros((2, 2)))
    assert keras.activations.get("relu") is relu.activation


@pytest.mark.parametrize("kind", ["cholesky", "constant", "diagonal", "pullback"])
@pytest.mark.parametrize("function", [geometry.christoffel, geometry.ricci, geometry.connect])
def test_a_layer_without_weights_says_so(kind, function):
    points = np.ones((1, 2), "float32")
    arguments = (points, 2 * points) if function is geometry.connect else (points,)
    with pytest.raises(ValueError, match="Build it first"):
        function(MetricLayer(kind), *arguments)


@pytest.mark.parametrize(
    "function",
    [geometry.scalar_curvature, geometry.ricci, geometry.riemann, geometry.christoffel],
)
def test_a_degenerate_point_is_nan_and_the_others_are_not(function):
    values = np.asarray(function(sphere, np.array([[0.0, 1.0], [1.0, 1.0]], "float32")))
    assert not np.isfinite(values[0]).all() and np.isfinite(values[1]).all()


@pytest.mark.parametrize("dtype", ["int32", "int64", "float16"])
def test_points_in_other_types(dtype):
    x = np.array([[1, 2], [2, 0]], dtype)
    np.testing.assert_allclose(np.asarray(geometry.scalar_curvature(sphere, x)), 2, rtol=1e-4)
    there = np.asarray(geometry.geodesic(sphere, x, x)[0][-1])
    same = np.asarray(geometry.geodesic(sphere, *[x.astype("float32")] * 2)[0][-1])
    np.testing.assert_allclose(there, same)
    np.testing.assert_allclose(
        np.asarray(geometry.volume_element(sphere, x)), np.sin(x[:, 0] + 0.0), rtol=1e-3
    )


def test_a_metric_must_be_one():
    x = np.ones((3, 2), "float32")
    with pytest.raises(ValueError, match="must be a function from points"):
        geometry.scalar_curvature(np.eye(2), x)
    with pytest.raises(ValueError, match="is not symmetric; received"):
        geometry.ricci(lambda x: sphere(x) + ops.convert_to_tensor([[0.0, 0.9], [0.0, 0.0]]), x)
