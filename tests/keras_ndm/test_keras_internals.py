"""What is read of Keras' private names still is what it was: fails where a new Keras moved it."""

import keras
import numpy as np
import pytest

from keras_ndm.keras_internals import layers_inside, model_being_called


@keras.saving.register_keras_serializable("tests")
class Seen(keras.layers.Layer):
    def call(self, x):
        self.by = model_being_called(self)
        return x


@pytest.fixture
def nested():
    seen = Seen()
    inner = keras.Sequential([keras.Input((2,)), seen])
    return seen, keras.Sequential([keras.Input((2,)), inner, keras.layers.Dense(1)])


def test_the_outermost_model_is_known(nested):
    seen, model = nested
    model(np.zeros((1, 2), "float32"))
    assert seen.by is model
    seen(np.zeros((1, 2), "float32"))
    assert seen.by is None


def test_layers_inside_are_all(nested):
    seen, model = nested
    found = layers_inside(model)
    assert found[0] is model and any(layer is seen for layer in found)
