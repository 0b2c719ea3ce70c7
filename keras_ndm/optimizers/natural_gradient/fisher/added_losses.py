"""Losses that layers add, as functions of what those layers are called on.

A model without a compiled loss has its loss from `add_loss`. Where a layer without weights adds one
(a reconstruction error, a Kullback–Leibler divergence), that loss is a function of the layer's
inputs, sample by sample, as a compiled loss is one of the outputs; so the Fisher matrix is taken
there. What layers with weights or the model itself add enters the gradient alone.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import keras
from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.keras_internals import layers_inside
from keras_ndm.optimizers.natural_gradient.fisher.calls import calling

__all__ = ["AddedLoss", "adding"]


@dataclass
class AddedLoss:
    """One call of a layer that added losses.

    Attributes
    ----------
    layer : keras.Layer
    arguments : tuple of args and kwargs
    data : tuple of tensors
        What the model itself was called on, which no weight moves.
    """

    layer: keras.Layer
    arguments: tuple
    data: tuple = ()

    @property
    def inputs(self) -> list:
        """Tensors (N, …) of floating numbers that the layer was called on, but the data."""
        return [leaf for leaf in keras.tree.flatten(self.arguments) if self._counts(leaf)]

    def _counts(self, leaf):
        return (
            ops.is_tensor(leaf)
            and len(leaf.shape) > 0
            and "float" in keras.backend.standardize_dtype(leaf.dtype)
            and not any(leaf is given for given in self.data)
        )

    def loss(self, inputs: list) -> Tensor:
        """Sum of the losses as a function of the inputs; call it inside the objective's scope."""
        new = iter(inputs)
        filled = [
            next(new) if self._counts(leaf) else leaf for leaf in keras.tree.flatten(self.arguments)
        ]
        args, kwargs = keras.tree.pack_sequence_as(self.arguments, filled)
        found = []

        def keep(layer, add, losses):
            found.extend(ops.sum(loss) for loss in keras.tree.flatten(losses))

        with calling(self.layer, keep, "add_loss"):
            self.layer.call(*args, **kwargs)
        return sum(found)


@contextmanager
def adding(model: keras.Model, data: list) -> Iterator[list]:
    """Context whose value fills with an `AddedLoss` for each call that adds one.

    Parameters
    ----------
    model : keras.Model
    data : list of tensors
        What it will be called on.
    """
    calls, found = [], []

    def called(layer, call, *args, **kwargs):
        calls.append(AddedLoss(layer, (args, kwargs), tuple(data)))
        try:
            return call(*args, **kwargs)
        finally:
            calls.pop()

    def added(layer, add, losses):
        # A layer that holds others counts where its own `call` adds the loss.
        if calls and calls[-1].layer is layer and not any(calls[-1] is call for call in found):
            found.append(calls[-1])
        add(losses)

    with ExitStack() as stack:
        for layer in layers_inside(model)[1:]:
            if not layer.trainable_variables:
                stack.enter_context(calling(layer, called))
                stack.enter_context(calling(layer, added, "add_loss"))
        yield found
