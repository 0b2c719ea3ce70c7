"""What the documentation tells users to do to add a chart and a metric head of their own."""

import keras
import numpy as np
from keras import ops

import keras_ndm
from keras_ndm import charts
from keras_ndm.backend import tfp

X = np.random.default_rng(0).normal(size=(64, 2)).astype("float32")


@keras.saving.register_keras_serializable("mine")
class Sinh(charts.Chart):
    def bijector(self):
        return tfp.bijectors.Sinh()


@keras.saving.register_keras_serializable("mine")
class Squares(keras_ndm.metric_heads.MetricHead):
    def size(self, dimension):
        return dimension

    def tensor(self, outputs, dimension):
        squares = outputs.times(outputs, lambda a, b: a * b)
        return squares.linear(lambda a: a[..., None] * ops.eye(dimension, dtype=a.dtype))


def test_both_in_one_model_with_all_penalties(tmp_path):
    x = keras.Input((2,))
    layer = keras_ndm.CoordinateLayer(Sinh())
    metric = keras_ndm.MetricLayer(Squares(), hidden=(8,), floor=0.1)
    g = keras_ndm.EvolutionLayer(metric, curvature_weight=1e-4, volume_weight=1e-2)(layer(x))
    model = keras.Model(x, g)
    model.compile(keras.optimizers.Adam(1e-2), loss="mse", jit_compile=True)
    target = np.eye(2) * (1 + X[:, :1, None] ** 2)
    history = model.fit(X, target, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert np.all(np.isfinite(history["curvature"] + history["volume"]))
    points = ops.convert_to_tensor(X)
    np.testing.assert_allclose(layer.inverse(layer(points)), X, atol=1e-5)
    np.testing.assert_allclose(
        layer.log_det_jacobian(points), np.log(np.cosh(X)).sum(1), rtol=1e-4, atol=1e-5
    )
    model.save(tmp_path / "mine.keras")
    again = keras.models.load_model(tmp_path / "mine.keras")
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
