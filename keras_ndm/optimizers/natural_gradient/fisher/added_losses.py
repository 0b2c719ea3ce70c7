"""Losses that layers add or the model computes itself, as functions of what they are given.

A model without a compiled loss has its loss from `add_loss` or from a `compute_loss` of its own.
Where a layer without weights adds one (a reconstruction error, a Kullback–Leibler divergence), that
loss is a function of the layer's inputs, sample by sample, as a compiled loss is one of the
outputs; so the Fisher matrix is taken there. What layers with weights or the model itself add
enters the gradient alone. `compute_loss` is a function of the outputs.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import keras
from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.keras_internals import layers_inside
from keras_ndm.optimizers.natural_gradient.fisher.calls import calling

__all__ = ["AddedLoss", "adding", "computed"]


@dataclass
class AddedLoss:
    """A loss, and the arguments it was called on.

    Attributes
    ----------
    function : callable
        Gives the loss of the `arguments`; call it inside the objective's scope.
    arguments : nested tensors
    data : tuple of tensors
        What the model itself was called on, which no weight moves.
    """

    function: Callable
    arguments: tuple
    data: tuple = ()

    @property
    def inputs(self) -> list:
        """Tensors (N, …) of floating numbers among the arguments, but the data."""
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
        # Copies: on the output of a softmax Keras leaves the logits, and would differentiate those.
        filled = [
            ops.copy(next(new)) if self._counts(leaf) else leaf
            for leaf in keras.tree.flatten(self.arguments)
        ]
        return self.function(*keras.tree.pack_sequence_as(self.arguments, filled))


def _by_layer(layer, args, kwargs):
    """Sum of the losses that a call of the layer adds."""
    found = []

    def keep(layer, add, losses):
        found.extend(ops.sum(loss) for loss in keras.tree.flatten(losses))

    with calling(layer, keep, "add_loss"):
        layer.call(*args, **kwargs)
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
        function = functools.partial(_by_layer, layer)
        calls.append((layer, AddedLoss(function, (args, kwargs), tuple(data))))
        try:
            return call(*args, **kwargs)
        finally:
            calls.pop()

    def added(layer, add, losses):
        # A layer that holds others counts where its own `call` adds the loss.
        if calls and calls[-1][0] is layer and not any(calls[-1][1] is call for call in found):
            found.append(calls[-1][1])
        add(losses)

    with ExitStack() as stack:
        for layer in layers_inside(model)[1:]:
            if not layer.trainable_variables:
                stack.enter_context(calling(layer, called))
                stack.enter_context(calling(layer, added, "add_loss"))
        yield found


def computed(model: keras.Model, compute_loss: Callable, y_pred: keras.KerasTensor) -> AddedLoss:
    """Give a model's own `compute_loss` as a function of the outputs.

    Where it calls layers with weights it is a function of more, and refused when it is evaluated.

    Parameters
    ----------
    model : keras.Model
    compute_loss : callable
        The loss of outputs.
    y_pred : nested tensors
    """

    def refuse(layer, call, *args, **kwargs):
        raise ValueError(
            f"The `compute_loss` of {type(model).__name__} calls {layer.name!r}, which has "
            "weights, so the loss is not one of the outputs, and NaturalGradient has no Fisher "
            "matrix. Let `call` return all that the loss is a function of, or pass `loss=` to "
            "`compile` for the part that is a function of the outputs."
        )

    def function(y_pred):
        with ExitStack() as stack:
            for layer in layers_inside(model):
                if layer.trainable_variables:
                    stack.enter_context(calling(layer, refuse))
            return compute_loss(y_pred)

    return AddedLoss(function, (y_pred,))
