"""Every metric head, one row each: bounds, algebra, derivatives, curvature, saving."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_ndm import MetricLayer, geometry, metric_heads
from keras_ndm.geometry.jets import Jet

N = 3
HEADS = {
    "cholesky": "cholesky",
    "diagonal": "diagonal",
    "low_rank": metric_heads.LowRank(rank=2),
    "conformal": "conformal",
    "pullback": metric_heads.Pullback(outputs=4),
    "constant": "constant",
}


def make(name, randomize, n=N, scale=0.4, **options):
    options = {"hidden": (7,), "floor": 0.05, "max_condition": 1e3, **options}
    layer = MetricLayer(HEADS[name], **options)
    layer(points(n))
    randomize(layer, scale)
    return layer


def points(n=N):
    return np.random.default_rng(2).normal(size=(5, n)).astype(keras.config.floatx())


@pytest.mark.parametrize("scale", [0.5, 5.0])
@pytest.mark.parametrize("name", HEADS)
def test_bounds_hold_whatever_the_weights(name, scale, float64, randomize):
    layer = make(name, randomize, scale=scale, floor=0.2, max_condition=50.0)
    eigenvalues = np.linalg.eigvalsh(ops.convert_to_numpy(layer(10 * points())))
    assert eigenvalues.min() >= 0.2 * (1 - 1e-9)
    assert (eigenvalues[:, -1] / eigenvalues[:, 0]).max() <= 50 * (1 + 1e-6)


@pytest.mark.parametrize("name", HEADS)
def test_algebra_agrees_with_the_dense_tensor(name, float64, randomize, max_error):
    layer, z = make(name, randomize), ops.convert_to_tensor(points())
    g = ops.convert_to_numpy(layer(z))
    assert g.shape == (5, N, N) == layer.compute_output_shape((5, N))
    assert max_error(g, np.swapaxes(g, 1, 2)) < 1e-14
    u, v = np.random.default_rng(0).normal(size=(2, 5, N))
    ut, vt = ops.convert_to_tensor(u), ops.convert_to_tensor(v)
    assert max_error(layer.inner(z, ut, vt), np.einsum("bi,bij,bj->b", u, g, v)) < 1e-12
    assert max_error(layer.solve(z, vt), np.linalg.solve(g, v[..., None])[..., 0]) < 1e-11
    assert max_error(layer.inverse(z), np.linalg.inv(g)) < 1e-11
    assert max_error(layer.logdet(z), np.linalg.slogdet(g)[1]) < 1e-12
    # The square root reproduces g as the covariance of what it makes of the unit vectors.
    size = layer.head.noise_size(N)
    unit = np.repeat(np.eye(size)[:, None], 5, axis=1)
    columns = [
        ops.convert_to_numpy(layer.head.root(layer, z, ops.convert_to_tensor(e))) for e in unit
    ]
    assert max_error(np.einsum("kbi,kbj->bij", columns, columns), g) < 1e-12


@pytest.mark.parametrize("name", HEADS)
def test_jets_and_closed_form_curvature(name, float64, randomize, max_error):
    layer, z = make(name, randomize), ops.convert_to_tensor(points())
    by_layer = layer.jet(z)
    g, dg, ddg = geometry.jet_of(lambda t: layer(t), z)
    scale = 1 + float(ops.max(ops.abs(ddg)))
    assert max_error(by_layer.value, g) < 1e-13
    assert max_error(by_layer.first, dg) < 1e-11 * scale
    assert max_error(by_layer.second_matrix(), ddg) < 1e-11 * scale
    reference = geometry.scalar_curvature(lambda t: layer(t), z)
    size = 1 + float(ops.max(ops.abs(reference)))
    assert max_error(layer.scalar_curvature(z), reference) < 1e-9 * size
    assert float(ops.max(ops.abs(reference))) > 1e-3 or name == "constant"


@pytest.mark.parametrize("name", [name for name in HEADS if name != "pullback"])
def test_bilinear_jets(name, float64, randomize, max_error):
    layer, z = make(name, randomize), ops.convert_to_tensor(points())
    u, v = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(2, 5, N)))
    directions = ops.stack([u, v], axis=1)
    form = layer.bilinear(z, directions, ((0, 1), (1, 1)), 2, directions, ((0, 1),))
    jet = layer.jet(z)
    first = ops.einsum("bkij,bk,bi,bj->b", jet.first, v, u, v)
    second = ops.einsum("bklij,bk,bl,bi,bj->b", jet.second_matrix(), u, v, u, v)
    assert max_error(form.value[:, 0], layer.inner(z, u, v)) < 1e-12
    assert max_error(form.first[:, 1, 0], first) < 1e-11
    assert max_error(form.second[:, 0, 0], second) < 1e-10


@pytest.mark.parametrize("name", HEADS)
def test_trains_saves_and_loads(name, tmp_path, max_error):
    z = points()
    layer = MetricLayer(HEADS[name], hidden=(8,))
    model = keras.Sequential([keras.Input((N,)), layer])
    model.compile(keras.optimizers.Adam(1e-2), loss="mse", jit_compile=True)
    z = np.tile(z, (40, 1))
    target = np.eye(N) * (2.0 + np.square(z[:, :1, None]))
    losses = model.fit(z, target, batch_size=10, epochs=2, verbose=0).history["loss"]
    assert losses[-1] < 0.9 * losses[0]
    model.save(tmp_path / "metric.keras")
    again = keras.models.load_model(tmp_path / "metric.keras")
    assert max_error(again(z), model(z)) == 0


@pytest.mark.parametrize("name", ["cholesky", "diagonal", "low_rank", "constant"])
def test_starts_where_it_is_told(name):
    layer = MetricLayer(HEADS[name])
    layer(points())
    layer.initialize_at([4.0, 100.0, 0.25])
    g = ops.convert_to_numpy(layer(points()))
    np.testing.assert_allclose(np.diagonal(g, axis1=1, axis2=2), [[4, 100, 0.25]] * 5, rtol=0.1)


def test_own_network_and_mixed_precision(tmp_path, max_error):
    dense, activation = keras.layers.Dense, keras.layers.Activation
    stack = [dense(6, activation="softplus"), dense(5), activation("tanh")]
    layer = MetricLayer(hidden=keras.Sequential(stack), dtype="mixed_float16")
    x = keras.Input((N,))
    model = keras.Model(x, layer(x))
    assert model.output.dtype == "float32"
    assert len(layer.trainable_variables) == 6
    assert np.all(np.isfinite(ops.convert_to_numpy(layer.scalar_curvature(points()))))
    model.save(tmp_path / "own.keras")
    assert (
        max_error(keras.models.load_model(tmp_path / "own.keras")(points()), model(points())) == 0
    )


@keras.saving.register_keras_serializable("test")
class Squares(metric_heads.MetricHead):
    """The recipe of the documentation: P = diag(o²), in a dozen lines."""

    def size(self, dimension):
        return dimension

    def tensor(self, outputs: Jet, dimension):
        squares = outputs.times(outputs, lambda a, b: a * b)
        eye = ops.eye(dimension, dtype=squares.value.dtype)
        return squares.linear(lambda a: ops.expand_dims(a, -1) * eye)


def test_a_head_of_ones_own(float64, randomize, max_error, tmp_path):
    layer = MetricLayer(Squares(), hidden=(6,), floor=0.1)
    z = ops.convert_to_tensor(points())
    model = keras.Sequential([keras.Input((N,)), layer])
    randomize(layer)
    reference = geometry.scalar_curvature(lambda t: layer(t), z)
    assert max_error(layer.scalar_curvature(z), reference) < 1e-9
    assert max_error(layer.logdet(z), np.linalg.slogdet(ops.convert_to_numpy(layer(z)))[1]) < 1e-12
    model.save(tmp_path / "head.keras")
    assert max_error(keras.models.load_model(tmp_path / "head.keras")(z), model(z)) == 0


BAD = {
    "kind": (lambda: MetricLayer("euclid"), "euclid.*'low_rank'"),
    "floor": (lambda: MetricLayer(floor=-1.0), "≥ 0; received -1.0"),
    "condition": (lambda: MetricLayer(max_condition=1.0), "above 1"),
    "rank": (lambda: metric_heads.LowRank(0), "at least 1"),
    "layers": (lambda: MetricLayer(hidden=[keras.layers.Dropout(0.1)]), "Dense and Activation"),
    "shape": (lambda: MetricLayer()(np.zeros(4)), r"\(batch, d\)"),
    "relu": (
        lambda: MetricLayer(activation="relu").scalar_curvature(np.zeros((1, 2))),
        "relu.*look flat",
    ),
    "own relu": (
        lambda: MetricLayer(hidden=[keras.layers.Dense(3, activation="relu")]).require_smooth(),
        "relu",
    ),
    "not built": (lambda: MetricLayer().scalar_curvature(np.zeros((1, 2))), "Build it first"),
    "no size": (lambda: metric_heads.MetricHead().size(2), None),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments_are_explained(name):
    call, message = BAD[name]
    with pytest.raises(
        ValueError if message else NotImplementedError, match=message or "implement"
    ):
        call()


@pytest.mark.parametrize("name", [name for name in HEADS if name != "constant"])
def test_every_weight_moves_the_metric(name):
    """A shift of an embedding would move none, and Keras would warn of it in each `fit`."""
    z = keras.Input((N,))
    metric = MetricLayer(HEADS[name], hidden=(4,))
    model = keras.Model(z, keras.layers.Flatten()(metric(z)))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    before = [v.numpy() for v in metric.trainable_variables]
    model.fit(points(), np.ones((5, N * N)), verbose=0)
    for old, new in zip(before, metric.trainable_variables, strict=True):
        assert not np.array_equal(old, new.numpy()), new.path
