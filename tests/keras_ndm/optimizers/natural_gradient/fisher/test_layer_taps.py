"""What is recorded of a forward pass, and that layers are left as they were."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_ndm import MetricLayer
from keras_ndm.geometry import jets
from keras_ndm.optimizers.natural_gradient.fisher.layer_taps import Taps


def model_of_all_kinds():
    x = keras.Input((4, 2))
    h = layers.Flatten()(layers.BatchNormalization()(layers.Conv1D(3, 2)(x)))
    return keras.Model(x, MetricLayer(hidden=(3,))(layers.Dense(2, "tanh")(h)))


def test_every_kind_of_call_is_recorded():
    model = model_of_all_kinds()
    x = np.random.default_rng(0).normal(size=(5, 4, 2)).astype("float32")
    plain = ops.convert_to_numpy(model(x, training=True))
    taps = Taps(model)
    with taps.record() as calls:
        recorded = ops.convert_to_numpy(model(x, training=True))
    assert [call.kind for call in calls] == ["whole", "batch_norm", "dense", "jet", "jet"]
    np.testing.assert_allclose(recorded, plain, atol=1e-5)
    # What is added at the points arrives: minus a point makes it zero.
    zeros = [[ops.zeros_like(p) for p in call.points] for call in calls]
    zeros[2] = [-p for p in calls[2].points]
    with taps.record(zeros) as again:
        model(x, training=True)
    assert float(ops.max(ops.abs(again[3].args[0]))) < 1e-6


def test_layers_are_left_as_they_were_after_an_error():
    model = model_of_all_kinds()
    before = [dict(vars(layer)) for layer in model.layers]
    with pytest.raises(RuntimeError, match="stopped"), Taps(model).record():
        raise RuntimeError("stopped")
    assert [dict(vars(layer)) for layer in model.layers] == before


def test_a_replaced_call_comes_back():
    """A layer may have a `call` of its own, put there by somebody else."""
    layer = layers.Dense(1)
    model = keras.Sequential([keras.Input((2,)), layer])
    own = layer.call
    layer.__dict__["call"] = own
    with Taps(model).record():
        assert layer.call is not own
    assert layer.__dict__["call"] is own


def test_observers_of_jets_nest():
    layer = layers.Dense(1)
    layer.build((None, 2))
    seen = []

    def observer(name):
        def observe(jet, layer, pushed):
            seen.append(name)
            return pushed

        return observe

    start = jets.seed(ops.ones((1, 2)))
    with jets.observed(observer("outer")):
        with jets.observed(observer("inner")):
            jets.affine(start, layer)
        jets.affine(start, layer)
    jets.affine(start, layer)
    assert seen == ["inner", "outer"]
