"""Every chart, one row each: inverse, log-determinant, Jacobian, gradients, saving, compilation."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_ndm import CoordinateLayer, backend, charts

tfb = backend.tfp.bijectors
D = 4

CHARTS = {
    "identity": charts.Identity,
    "standardize": charts.Standardize,
    "actnorm": charts.ActNorm,
    "whiten": charts.Whiten,
    "linear": charts.Linear,
    "permute": lambda: charts.Permute([2, 0, 3, 1]),
    "reversal": charts.Permute,
    "affine_coupling": lambda: charts.AffineCoupling(hidden=(8,)),
    "spline_coupling": lambda: charts.SplineCoupling(hidden=(8,), bound=2.0, bins=5),
    "deep_coupling": lambda: charts.AffineCoupling(depth=3, hidden=(8, 8), activation="silu"),
    "autoregressive": lambda: charts.Autoregressive(hidden=(12, 12)),
    "positive": lambda: charts.Positive(axes=[1, -1]),
    "bounded": lambda: charts.Bounded(-1.0, 6.0, axes=[0, 2, 1, 3]),
    "bounded_some": lambda: charts.Bounded(-1.0, 6.0, axes=[0, 2]),
    "monotone": lambda: charts.Monotone(bins=6, bound=2.0),
    "circular": charts.Circular,
    "circular_some": lambda: charts.Circular(axes=[0]),
    "chain": lambda: charts.Chain(
        [
            charts.Standardize(),
            charts.Permute(),
            charts.Linear(),
            charts.Autoregressive(hidden=(8,)),
        ]
    ),
    "inverse": lambda: charts.Inverse(charts.AffineCoupling(hidden=(8,))),
    "bijector": lambda: charts.Bijector(tfb.SinhArcsinh(tailweight=np.asarray(0.9, _dtype()))),
}
SAVED = [name for name in CHARTS if name != "bijector"]
TRAINED = [
    name
    for name in SAVED
    if name not in ("identity", "standardize", "whiten", "permute", "reversal", "positive")
    and not name.startswith("bounded")
]


def _dtype():
    return keras.config.floatx()


def points(n=16):
    # Inside (0, 3): every chart of the registry is defined there.
    return np.random.default_rng(3).uniform(0.1, 2.9, (n, D)).astype(_dtype())


def make(name, randomize):
    layer = CoordinateLayer(CHARTS[name]())
    layer(points())
    randomize(layer)
    return layer


@pytest.mark.parametrize("name", CHARTS)
def test_inverse_and_jacobian(name, float64, randomize, max_error):
    layer, x = make(name, randomize), ops.convert_to_tensor(points())
    z = layer(x)
    assert layer.compute_output_shape((None, D)) == (None, D)
    assert max_error(layer.inverse(z), x) < 1e-9
    jacobian = backend.jacobian(layer.call, x)
    assert max_error(layer.jacobian(x), jacobian) < 1e-10
    _, log_det = np.linalg.slogdet(ops.convert_to_numpy(jacobian))
    assert max_error(layer.log_det_jacobian(x), log_det) < 1e-10
    together = layer.chart.forward_and_log_det(x)
    assert max_error(together[0], z) < 1e-12 and max_error(together[1], log_det) < 1e-10
    assert max_error(layer.chart.inverse_given(z), x) < 1e-9
    # Central differences, an independent path; at a spline's knots their error is of first order.
    step = 1e-5
    for j in range(D):
        shift = step * np.eye(D)[j]
        column = (layer(x + shift) - layer(x - shift)) / (2 * step)
        size = max(1.0, float(np.max(np.abs(ops.convert_to_numpy(column)))))
        assert max_error(jacobian[:, :, j], column) < 1e-5 * size
    matrix = ops.convert_to_tensor(np.random.default_rng(5).normal(size=(len(x), D, 2)))
    product = ops.matmul(jacobian, layer.solve_jacobian(x, matrix))
    assert max_error(product, matrix) < 1e-9


@pytest.mark.parametrize("name", TRAINED)
def test_gradients_reach_every_weight(name, randomize):
    layer, x = make(name, randomize), points()
    before = [ops.convert_to_numpy(v).copy() for v in layer.trainable_variables]
    model = keras.Sequential([keras.Input((D,)), layer])
    model.compile(keras.optimizers.Adam(1e-3), loss="mse", jit_compile=True)
    # A target of 0.3: no coordinate is fitted to begin with, not even after a permutation.
    history = model.fit(x, np.full_like(x, 0.3), epochs=3, batch_size=16, verbose=0).history["loss"]
    assert np.all(np.isfinite(history)) and history[-1] < history[0]
    after = [ops.convert_to_numpy(v) for v in layer.trainable_variables]
    assert all(np.any(a != b) for a, b in zip(after, before, strict=True))


@pytest.mark.parametrize("name", SAVED)
def test_saved_model_gives_the_same(name, randomize, tmp_path, max_error):
    layer, x = make(name, randomize), points()
    layer.adapt(x)
    model = keras.Sequential([keras.Input((D,)), layer])
    model.save(tmp_path / "chart.keras")
    again = keras.models.load_model(tmp_path / "chart.keras")
    assert max_error(again(x), model(x)) == 0
    assert max_error(again.layers[-1].inverse(x), layer.inverse(x)) == 0


@pytest.mark.parametrize("name", ["affine_coupling", "spline_coupling", "autoregressive"])
def test_flows_start_at_the_identity_unless_told(name, max_error):
    x = points()
    chart = CHARTS[name]()
    assert max_error(CoordinateLayer(chart)(x), x) < 1e-5
    config = {**chart.get_config(), "identity": False, "name": "moved"}
    assert max_error(CoordinateLayer(type(chart).from_config(config))(x), x) > 1e-2


@pytest.mark.parametrize("name", ["standardize", "actnorm"])
def test_adapt_gives_mean_zero_and_variance_one(name):
    x = np.random.default_rng(0).normal(3.0, [1.0, 2.0, 0.1, 5.0], (200, D))
    x[:, 2] = 7.0
    layer = CoordinateLayer([name])
    layer.adapt(x)
    z = ops.convert_to_numpy(layer(x))
    np.testing.assert_allclose(z.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(z.std(0), [1, 1, 0, 1], atol=1e-5)


def test_circular_chart_is_smooth_across_the_cut(float64, randomize, max_error):
    layer = CoordinateLayer(charts.Circular())
    layer(np.zeros((1, 1)))
    randomize(layer)
    edge = np.array([[np.pi - 1e-7], [-np.pi + 1e-7]])
    slopes = ops.convert_to_numpy(layer.jacobian(edge))[:, 0, 0]
    assert abs(slopes[0] - slopes[1]) < 1e-5
    x = np.array([[0.3]])
    assert max_error(layer(x + 2 * np.pi), layer(x)) < 1e-12


def test_autoregressive_jacobian_is_triangular(float64, randomize):
    jacobian = ops.convert_to_numpy(make("autoregressive", randomize).jacobian(points()))
    assert np.all(np.triu(jacobian, 1) == 0) and np.all(np.tril(jacobian, -1)[:, 3, :3] != 0)


def test_pullback_and_pushforward(float64, randomize, max_error):
    layer, x = make("affine_coupling", randomize), points()
    jacobian = ops.convert_to_numpy(layer.jacobian(x))
    g = np.random.default_rng(2).normal(size=(16, D, D))
    g = ops.convert_to_tensor(g @ np.swapaxes(g, 1, 2))
    v = ops.convert_to_tensor(np.random.default_rng(4).normal(size=(16, D)))
    moved = layer.pushforward(x, v)
    # The length of a vector is the same in both coordinates.
    there = ops.einsum("bi,bij,bj->b", moved, g, moved)
    here = ops.einsum("bi,bij,bj->b", v, layer.pullback(x, g), v)
    assert max_error(there, here) < 1e-9
    assert max_error(moved, np.einsum("bij,bj->bi", jacobian, v)) < 1e-12


def test_in_a_functional_model_under_mixed_precision():
    x = keras.Input((D,))
    layer = CoordinateLayer("spline_coupling", dtype="mixed_float16")
    model = keras.Model(x, layer(x))
    assert model.output.shape == (None, D) and model.output.dtype == "float32"


BAD = {
    "unknown name": (lambda: CoordinateLayer("warp"), "warp.*spline_coupling"),
    "no chart": (lambda: CoordinateLayer(3.0), "TFP bijector"),
    "empty chain": (lambda: CoordinateLayer([]), "non-empty"),
    "no batch": (lambda: CoordinateLayer()(np.zeros(3)), r"\(batch, d\)"),
    "one coordinate": (lambda: CoordinateLayer("affine_coupling")(np.zeros((2, 1))), "d ≥ 2"),
    "order": (lambda: CoordinateLayer(charts.Permute([0, 0]))(np.zeros((2, 2))), "permutation"),
    "axis": (
        lambda: CoordinateLayer(charts.Positive(axes=[5]))(np.ones((2, 2))),
        "between -2 and 1",
    ),
    "bounds": (lambda: charts.Bounded(1.0, 1.0), "low < high"),
    "bins": (lambda: charts.Monotone(bins=1), "bins ≥ 2"),
    "depth": (lambda: charts.AffineCoupling(depth=0), "≥ 1"),
    "inverse of no chart": (lambda: charts.Inverse("linear"), "received 'linear'"),
    "nan": (lambda: CoordinateLayer().adapt(np.full((2, 2), np.nan)), "4 values"),
    "saving a bijector": (lambda: charts.Bijector(tfb.Exp()).get_config(), "Subclass"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments_are_explained(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("axes", [None, [1]])
def test_circular_chart_inverts_in_a_chain(axes, max_error):
    layer = CoordinateLayer([charts.Circular(axes=axes), "standardize"])
    x = points()
    layer.adapt(x)
    assert max_error(layer.inverse(layer(x)), x) < 1e-4
