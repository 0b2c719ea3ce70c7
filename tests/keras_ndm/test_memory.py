"""What of a training stays when the model is gone."""

import gc

import keras
import pytest
from keras import ops

from keras_ndm import FlowDensity, NeuralDifferentialManifold
from keras_ndm.evolution import Balance
from keras_ndm.rowwise import Rows

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="graphs are TensorFlow's"
)


def graphs():
    """Return ids of the programs that TensorFlow has traced and holds."""
    from tensorflow import Graph

    gc.collect()
    return {id(thing) for thing in gc.get_objects() if isinstance(thing, Graph)}


def next_state(x):
    model = NeuralDifferentialManifold(hidden=(4,))
    model.compile(keras.optimizers.Adam())
    model.fit(x, 0.9 * x, verbose=0)
    model.step(x)
    return model


def balanced(x):
    model = NeuralDifferentialManifold(hidden=(4,), curvature_weight=Balance(0.1))
    model.compile(keras.optimizers.Adam())
    model.fit(x, 0.9 * x, verbose=0)
    return model


def density(x):
    model = FlowDensity("linear")
    model.compile(keras.optimizers.Adam())
    model.fit(x, verbose=0)
    model.log_prob(x)
    return model


@pytest.mark.parametrize(
    "train", [pytest.param(next_state, marks=pytest.mark.slow), balanced, density]
)
def test_nothing_is_left_of_a_model_that_is_gone(rng, train):
    x = rng.normal(size=(64, 2)).astype("float32")
    train(x)  # some graphs are made once a process
    before = graphs()
    model = train(x)
    assert graphs() - before
    del model
    assert not graphs() - before


def test_the_first_step_is_traced_once(rng):
    x = rng.normal(size=(64, 2)).astype("float32")
    calls = []

    class Counted(NeuralDifferentialManifold):
        def moments(self, *args, **kwargs):
            calls.append(1)
            return super().moments(*args, **kwargs)

    model = Counted(hidden=(4,))
    model.compile(keras.optimizers.Adam(), jit_compile=False)
    model.fit(x, 0.9 * x, batch_size=16, epochs=2, verbose=0)
    assert len(calls) == 1


@pytest.mark.parametrize("often", [False, True])
def test_xla_compiles_what_is_called_often(often):
    assert Rows(ops.square, [], often=often)._function._jit_compile is often
