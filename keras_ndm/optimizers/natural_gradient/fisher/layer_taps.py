"""Where the model's layers are listened to: which layers, and what passes through them.

For a Dense layer s = a W + b the gradient of one sample is the outer product of its input a with
the derivative δ of that sample's output with respect to s. `Taps` records a at every call and adds
a zero to s, with respect to which reverse mode gives δ. Layers whose gradient has no such
structure are
listened to as a whole: their inputs and the derivative with respect to their outputs.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

import keras
from keras import ops

from keras_ndm.backend import mean as mean_of
from keras_ndm.geometry import jets

__all__ = ["Call", "Taps"]

# These call their sublayers inside a loop, where nothing can be recorded.
_OPAQUE = (keras.layers.RNN, keras.layers.Wrapper)


@dataclass
class Call:
    """What one call of a layer left behind."""

    layer: keras.layers.Layer
    kind: str  # "dense", "jet", "batch_norm" or "whole"
    points: list  # tensors to which the zeros are added
    args: tuple = ()
    kwargs: dict = field(default_factory=dict)
    normalized: object = None  # batch normalization only: its input, standardized


def _owned(layer):
    """Trainable variables that belong to `layer` and to none of its sublayers."""
    inner = {id(v) for sub in layer._flatten_layers(include_self=False) for v in sub.variables}
    return [v for v in layer.trainable_variables if id(v) not in inner]


def _is_plain_dense(layer):
    return (
        type(layer) is keras.layers.Dense
        and not layer.lora_enabled
        and layer.quantization_mode is None
    )


class Taps:
    """The layers of a model that are listened to, and `record`, which does it for one forward pass.

    Attributes
    ----------
    kinds : dict, layer id -> str
        How each layer is treated.
    approximate : bool
        Whether the rows are not exact; see `audit`.
    loose : list of variables
        Trainable variables of no tapped layer; they are treated through the whole model.
    """

    def __init__(self, model: keras.Model):
        self.layers = {}
        self.kinds = {}
        self.approximate = False
        self.loose = list(_owned(model))
        for child in model._layers:
            self._visit(child)

    def _visit(self, layer):
        if not isinstance(layer, keras.layers.Layer) or not layer.trainable_variables:
            return
        if id(layer) in self.layers:
            return
        if _is_plain_dense(layer):
            kind = "dense"
        elif type(layer) is keras.layers.BatchNormalization:
            kind = "batch_norm"
        elif _owned(layer) or isinstance(layer, _OPAQUE):
            kind = "whole"
        else:
            for child in layer._layers:
                self._visit(child)
            return
        self.layers[id(layer)] = layer
        self.kinds[id(layer)] = kind

    def drop(self, variables: list) -> None:
        """Treat the layers that own any of `variables` through the whole model instead."""
        ids = {id(v) for v in variables}
        for key, layer in list(self.layers.items()):
            if any(id(v) in ids for v in layer.trainable_variables):
                del self.layers[key], self.kinds[key]
                known = {id(v) for v in self.loose}
                self.loose += [v for v in layer.trainable_variables if id(v) not in known]

    @contextmanager
    def record(self, zeros: list | None = None) -> Iterator[list]:
        """Context whose value is the list that fills with a `Call` for each tapped call.

        Parameters
        ----------
        zeros : list of lists of tensors, optional
            For each call, in order, what is added at its points.
        """
        calls = []
        with ExitStack() as stack:
            stack.callback(setattr, jets, "affine", jets.affine)
            jets.affine = self._jet(jets.affine, calls, zeros)
            for key, layer in self.layers.items():
                wrap = getattr(self, f"_{self.kinds[key]}")
                layer.__dict__["call"] = wrap(layer, calls, zeros)
                stack.callback(layer.__dict__.pop, "call")
            yield calls

    @staticmethod
    def _shift(calls, zeros, points):
        if zeros is None:
            return points
        return [p + z for p, z in zip(points, zeros[len(calls)], strict=True)]

    def _dense(self, layer, calls, zeros):
        original, activation = layer.call, layer.activation

        def call(inputs, *args, **kwargs):
            def tapped(s):
                shifted = self._shift(calls, zeros, [s])
                calls.append(Call(layer, "dense", [s], (inputs,)))
                return shifted[0] if activation is None else activation(shifted[0])

            # Through __dict__: Keras would track the assignment of an attribute.
            layer.__dict__["activation"] = tapped
            try:
                return original(inputs, *args, **kwargs)
            finally:
                layer.__dict__["activation"] = activation

        return call

    def _jet(self, original, calls, zeros):
        """The same for jets, which pass Dense layers without calling them."""

        def affine(jet, layer):
            pushed = original(jet, layer)
            if self.kinds.get(id(layer)) != "dense":
                return pushed
            names = [n for n in ("value", "first", "second") if getattr(pushed, n) is not None]
            points = [getattr(pushed, n) for n in names]
            shifted = self._shift(calls, zeros, points)
            calls.append(Call(layer, "jet", points, tuple(getattr(jet, n) for n in names)))
            return replace(pushed, **dict(zip(names, shifted, strict=True)))

        return affine

    def _batch_norm(self, layer, calls, zeros):
        whole = self._whole(layer, calls, zeros)

        def call(inputs, training=None, mask=None):
            if not training:
                return whole(inputs, training=training, mask=mask)
            # The batch's moments couple its samples. They are held fixed here, which leaves an
            # affine map of each sample; only the Fisher matrix sees this, never the gradient.
            axes = tuple(a for a in range(len(inputs.shape)) if a != layer.axis % len(inputs.shape))
            mean = ops.stop_gradient(mean_of(inputs, axis=axes, keepdims=True))
            square = ops.square(inputs - mean)
            variance = ops.stop_gradient(mean_of(square, axis=axes, keepdims=True))
            normalized = (inputs - mean) / ops.sqrt(variance + layer.epsilon)
            shape = [1] * len(inputs.shape)
            shape[layer.axis] = -1
            outputs = normalized
            if layer.scale:
                outputs = outputs * ops.reshape(layer.gamma, shape)
            if layer.center:
                outputs = outputs + ops.reshape(layer.beta, shape)
            shifted = self._shift(calls, zeros, [outputs])
            calls.append(Call(layer, "batch_norm", [outputs], (inputs,), normalized=normalized))
            return shifted[0]

        return call

    def _whole(self, layer, calls, zeros):
        original = layer.call

        def call(*args, **kwargs):
            outputs = original(*args, **kwargs)
            leaves = keras.tree.flatten(outputs)
            shifted = self._shift(calls, zeros, leaves)
            calls.append(Call(layer, "whole", leaves, args, kwargs))
            return keras.tree.pack_sequence_as(outputs, shifted)

        return call
