"""TFP bijectors as charts: the weights they use are trained and saved, or refused."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_ndm
from keras_ndm.backend import tfp

tfb = tfp.bijectors
POINTS = np.random.default_rng(0).normal(size=(16, 2)).astype("float32")
AT_THE_TOP = keras.layers.Dense(2)


def halves(outputs, n):
    return outputs[..., :n], outputs[..., n:]


def by_closure():
    network = keras.Sequential([keras.layers.Dense(4, "tanh"), keras.layers.Dense(2)])
    return lambda x, n, **_: halves(network(x), n)


def by_name():
    return lambda x, n, **_: halves(AT_THE_TOP(x), n)


class Holder:
    def __init__(self):
        self.parts = {"last": keras.layers.Dense(2)}

    def __call__(self, x, n, **_):
        return halves(self.parts["last"](x), n)

    def method(self, x, n, **_):
        return self(x, n)


FUNCTIONS = {
    "closure": (by_closure, 4),
    "name": (by_name, 2),
    "object": (Holder, 2),
    "method": (lambda: Holder().method, 2),
}


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_weights_are_tracked_and_saved(kind, tmp_path):
    function, count = FUNCTIONS[kind]
    flow = tfb.RealNVP(num_masked=1, shift_and_log_scale_fn=function())
    model = keras.Sequential([keras.Input((2,)), keras_ndm.CoordinateLayer(tfb.Chain([flow]))])
    assert len(model.trainable_variables) == count
    before = ops.convert_to_numpy(model(POINTS))
    model.save_weights(tmp_path / "w.weights.h5")
    for variable in model.trainable_variables:
        variable.assign(variable + 0.3)
    assert np.abs(ops.convert_to_numpy(model(POINTS)) - before).max() > 0.1
    model.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_allclose(ops.convert_to_numpy(model(POINTS)), before, atol=1e-6)


def test_a_bijector_without_weights():
    layer = keras_ndm.CoordinateLayer(tfb.Scale(np.float32(2.0)))
    np.testing.assert_allclose(ops.convert_to_numpy(layer(POINTS)), 2 * POINTS)
    assert layer.trainable_variables == []


def test_a_copied_value_is_refused():
    with pytest.raises(ValueError, match="never train"):
        keras_ndm.CoordinateLayer(tfb.Scale(keras.Variable(np.ones(2, "float32"))))(POINTS)


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="JAX has no other variables")
def test_variables_of_others_are_refused():
    network = tfb.AutoregressiveNetwork(params=2, hidden_units=[4])
    layer = keras_ndm.CoordinateLayer(tfb.MaskedAutoregressiveFlow(network))
    with pytest.raises(ValueError, match="none of Keras'"):
        layer(POINTS)
