"""What is read of Keras' private names still is what it was: fails where a new Keras moved it."""

import ast
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_ndm
from keras_ndm.keras_internals import layers_inside, model_being_called, own_metrics

X = np.zeros((1, 2), "float32")


@pytest.fixture
def nested():
    """A list of the models by which a layer was called, the layer, and a model around a model."""
    callers = []

    class Seen(keras.layers.Layer):
        def call(self, x):
            callers.append(model_being_called(self))
            return x

    seen = Seen()
    inner = keras.Sequential([keras.Input((2,)), seen])
    return callers, seen, keras.Sequential([keras.Input((2,)), inner, keras.layers.Dense(1)])


def test_the_outermost_model_is_known(nested):
    callers, seen, model = nested
    model(X)
    assert callers[-1] is model
    seen(X)
    assert callers[-1] is None


def test_layers_inside_are_all(nested):
    _, seen, model = nested
    found = layers_inside(model)
    assert found[0] is model
    assert any(layer is seen for layer in found)


def test_an_own_metric_is_one_of_the_model(nested):
    _, _, model = nested
    metric = keras.metrics.Mean(name="own")
    own_metrics(model).append(metric)
    assert any(found is metric for found in model.metrics)


def private_names_of_keras():
    layer = keras.layers.Dense(1)
    model = keras.Sequential([keras.Input((2,)), layer])
    model.compile("sgd", "mse")
    model.train_on_batch(X, X[:, :1])
    loss, tensor = keras.losses.MeanSquaredError(), model.inputs[0]
    things = (layer, model, model.optimizer, loss, layer.bias, tensor)
    found = {name for thing in things for name in (*dir(thing), *vars(thing))}
    return {name for name in found if name.startswith("_") and not name.startswith("__")}


def test_private_names_stand_in_one_module():
    private = private_names_of_keras()
    assert {"_layers", "_kernel", "_compile_loss", "_keras_history", "_value"} <= private
    package = Path(keras_ndm.__file__).parent
    found = [
        f"{path.relative_to(package)}:{node.lineno} {node.attr}"
        for path in package.rglob("*.py")
        if path.name != "keras_internals.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in private
    ]
    assert not found
