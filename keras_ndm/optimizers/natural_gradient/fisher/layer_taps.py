"""Which layers of a model are recorded, and what passes through them in one forward pass.

For a Dense layer s = a W + b the gradient of one sample is the outer product of its input a with
the derivative δ of that sample's output with respect to s. `Taps.record` keeps a at every call and
adds a zero to s, with respect to which reverse mode gives δ. Layers whose gradient has no such
structure are recorded as a whole: their inputs, and a zero added to their outputs.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

import keras
from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.backend import mean as mean_of
from keras_ndm.geometry import jets
from keras_ndm.keras_internals import layers_inside, sublayers
from keras_ndm.optimizers.natural_gradient.fisher.calls import calling
from keras_ndm.optimizers.natural_gradient.objective import trained

__all__ = ["Call", "Taps"]

# These call their sublayers inside a loop, where nothing can be recorded.
_OPAQUE = (keras.layers.RNN, keras.layers.Wrapper)


@dataclass
class Call:
    """What one call of a layer left behind.

    Attributes
    ----------
    layer : keras.layers.Layer
    kind : {"dense", "jet", "batch_norm", "whole"}
    points : list of tensors
        What zeros are added to.
    args, kwargs : tuple, dict
        What the layer was called with; for a jet its parts.
    normalized : tensor or None
        The standardized input of a batch normalization.
    """

    layer: keras.layers.Layer
    kind: str
    points: list
    args: tuple = ()
    kwargs: dict = field(default_factory=dict)
    normalized: Tensor | None = None


def _owned(layer):
    """Trainable variables that belong to `layer` and to none of its sublayers."""
    inner = {id(v) for sub in layers_inside(layer)[1:] for v in sub.variables}
    return [v for v in trained(layer.trainable_variables) if id(v) not in inner]


def _is_plain_dense(layer):
    return (
        type(layer) is keras.layers.Dense
        and not layer.lora_enabled
        and layer.quantization_mode is None
    )


class Taps:
    """The layers of a model that are recorded, and `record`, which does it for one forward pass.

    Parameters
    ----------
    model : keras.Model

    Attributes
    ----------
    kinds : dict, layer id -> str
        How each layer is treated.
    approximate : bool
        Whether the rows are not exact; see `tap_check`.
    loose : list of variables
        Trainable variables of no tapped layer; they are treated through the whole model.
    """

    def __init__(self, model: keras.Model):
        self.layers = {}
        self.kinds = {}
        self.approximate = False
        self.loose = list(_owned(model))
        for child in sublayers(model):
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
            for child in sublayers(layer):
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
        recorder = _Recorder(self.kinds, zeros)
        with ExitStack() as stack:
            stack.enter_context(jets.observed(recorder.jet))
            for key, layer in self.layers.items():
                stack.enter_context(calling(layer, getattr(recorder, self.kinds[key])))
            yield recorder.calls


class _Recorder:
    """What one forward pass leaves behind; a method for each kind of layer.

    Parameters
    ----------
    kinds : dict, layer id -> str
    zeros : list of lists of tensors or None
        See `Taps.record`.
    """

    def __init__(self, kinds: dict, zeros: list | None):
        self.calls = []
        self._kinds, self._zeros = kinds, zeros

    def _add(self, call):
        """Keep a call; returns its points with the zeros added."""
        points = call.points
        if self._zeros is not None:
            zeros = self._zeros[len(self.calls)]
            points = [p + z for p, z in zip(points, zeros, strict=True)]
        self.calls.append(call)
        return points

    def dense(self, layer, call, inputs, *args, **kwargs):
        """Record a Dense layer before its activation; computes what `Dense.call` does."""
        del call, args, kwargs
        s = ops.matmul(inputs, layer.kernel)
        if layer.bias is not None:
            s = ops.add(s, layer.bias)
        (s,) = self._add(Call(layer, "dense", [s], (inputs,)))
        return s if layer.activation is None else layer.activation(s)

    def jet(self, jet, layer, pushed):
        """Record a Dense layer that a jet passes, which does not call it."""
        if self._kinds.get(id(layer)) != "dense":
            return pushed
        names = [n for n in ("value", "first", "second") if getattr(pushed, n) is not None]
        points = [getattr(pushed, n) for n in names]
        shifted = self._add(Call(layer, "jet", points, tuple(getattr(jet, n) for n in names)))
        return replace(pushed, **dict(zip(names, shifted, strict=True)))

    def batch_norm(self, layer, call, inputs, training=None, mask=None):
        """Record a batch normalization as an affine map, which it is for fixed moments."""
        if not training:
            return self.whole(layer, call, inputs, training=training, mask=mask)
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
        (outputs,) = self._add(
            Call(layer, "batch_norm", [outputs], (inputs,), normalized=normalized)
        )
        return outputs

    def whole(self, layer, call, *args, **kwargs):
        """Record a layer's inputs and outputs."""
        outputs = call(*args, **kwargs)
        shifted = self._add(Call(layer, "whole", keras.tree.flatten(outputs), args, kwargs))
        return keras.tree.pack_sequence_as(outputs, shifted)
