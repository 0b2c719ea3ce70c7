"""A chart from a TFP bijector, with the weights that the bijector uses."""

import functools
from collections.abc import Iterator
from types import CodeType, FunctionType, MethodType

import keras
import numpy as np
from keras import ops

from keras_ndm.backend import tfp
from keras_ndm.backend.training import eagerly
from keras_ndm.charts.base import Chart


class Bijector(Chart):
    """Any TFP bijector on vectors (or one that acts elementwise).

    Keras layers and variables that its functions use become weights of the chart: they train and
    are saved with `save_weights`. A bijector cannot be written to a configuration, so a model with
    this chart cannot be saved whole: for that, subclass `Chart`, which takes three lines.

    Parameters
    ----------
    bijector : tfp.bijectors.Bijector

    Raises
    ------
    ValueError
        When the bijector holds weights that Keras cannot train: a `tf.Variable`, a layer of
        another Keras, or a `keras.Variable` whose value it copied.
    """

    def __init__(self, bijector: tfp.bijectors.Bijector, **kwargs):
        super().__init__(**kwargs)
        self._bijector = bijector
        self._find()

    def _find(self):
        layers, variables = weights_of(self._bijector)
        # As attributes: so Keras tracks them.
        self.used_layers, self.used_variables = layers, variables

    def build(self, input_shape: tuple) -> None:
        """Call the bijector once: its layers get their weights, and all must be known then."""
        rows = np.random.default_rng(0).uniform(0.2, 0.8, (2, input_shape[-1]))

        def forward():
            return ops.convert_to_numpy(
                self._bijector.forward(ops.convert_to_tensor(rows, self.compute_dtype))
            )

        before = eagerly(forward)
        self._find()
        for variable in self.used_variables:
            moved = [(variable, variable.value + 0.1)]
            with keras.StatelessScope(state_mapping=moved):
                after = self._bijector.forward(ops.convert_to_tensor(rows, self.compute_dtype))
            if np.array_equal(before, ops.convert_to_numpy(after)):
                raise ValueError(
                    f"The bijector {self._bijector.name!r} has copied the value of the variable "
                    f"{variable.path!r}, which would never train. Subclass keras_ndm.charts.Chart, "
                    "make the weight with `add_weight` and the bijector in `bijector()`."
                )

    def bijector(self) -> tfp.bijectors.Bijector:
        """Give the bijector that was given."""
        return self._bijector

    def get_config(self) -> dict:
        """Refuse, and say what to do instead."""
        raise ValueError(
            f"The chart wraps a TFP bijector ({self._bijector.name}), which has no configuration "
            "to save. Subclass keras_ndm.charts.Chart, return the bijector from `bijector()`, "
            "and register the class with keras.saving.register_keras_serializable; or save the "
            "weights alone."
        )


def weights_of(bijector: tfp.bijectors.Bijector) -> tuple[list, list]:
    """Keras layers, and Keras variables beside them, that a bijector and its functions refer to.

    Parameters
    ----------
    bijector : tfp.bijectors.Bijector

    Raises
    ------
    ValueError
        When there are variables that are not those of this Keras.
    """
    layers, variables, seen, stack = [], [], set(), [bijector]
    while stack:
        thing = stack.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, keras.Layer):
            layers.append(thing)
        elif isinstance(thing, keras.Variable):
            variables.append(thing)
        elif hasattr(thing, "assign_add") and getattr(thing, "trainable", False):
            raise ValueError(
                f"The bijector {bijector.name!r} holds the variable {thing.name!r} of shape "
                f"{tuple(thing.shape)}, which is none of Keras' and would not be trained or saved "
                "by it. Use keras.layers in its functions, or subclass keras_ndm.charts.Chart and "
                "make the weights with `add_weight`."
            )
        else:
            stack.extend(_references(thing))
    return layers, variables


def _references(thing) -> Iterator:
    """What an object leads to: containers, functions with what they use, and bijectors."""
    if isinstance(thing, dict):
        yield from thing.values()
    elif isinstance(thing, list | tuple | set):
        yield from thing
    elif isinstance(thing, functools.partial):
        yield from (thing.func, thing.args, thing.keywords)
    elif isinstance(thing, MethodType):
        yield from (thing.__self__, thing.__func__)
    elif isinstance(thing, FunctionType):
        yield from _used(thing)
    elif isinstance(thing, tfp.bijectors.Bijector) or (
        callable(thing) and not isinstance(thing, type)
    ):
        yield getattr(thing, "__dict__", {})


def _used(function):
    """What a function's code can reach: closure, defaults, and globals that it names."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet
            continue
    yield from (function.__defaults__ or (), function.__kwdefaults__ or {})
    for name in _names(function.__code__):
        if name in function.__globals__ and not name.startswith("__"):
            yield function.__globals__[name]


def _names(code):
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)
