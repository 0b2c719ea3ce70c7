"""How far to go along a direction: the best of a few step sizes on the same batch."""

from collections.abc import Callable

import keras
from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.backend.training import over_scalars

__all__ = ["FRACTIONS", "search"]

# Every other halving after the first: a Gauss-Newton step is mostly right or far too long.
FRACTIONS = (1.0, 0.5, 0.25, 0.0625, 0.015625)


def search(loss: Callable, values: list, direction: list, rate: Tensor, present: Tensor) -> tuple:
    """Best fraction of the step `rate` · direction among FRACTIONS, all evaluated at once.

    Parameters
    ----------
    loss : callable
        Trainable values → loss of the batch.
    values, direction : lists of tensors
        θ and d.
    rate : scalar
        The learning rate, which is the longest step.
    present : scalar
        L(θ).

    Returns
    -------
    fraction : scalar
        Zero where none lowers the loss.
    lowest : scalar
        The loss there.
    """
    dtype = keras.backend.standardize_dtype(present.dtype)
    fractions = ops.convert_to_tensor(FRACTIONS, dtype=dtype)

    def along(fraction):
        size = rate * fraction
        there = [v - ops.cast(size, v.dtype) * d for v, d in zip(values, direction, strict=True)]
        return ops.cast(loss(there), dtype)

    found = over_scalars(along, fractions)
    found = ops.where(ops.isfinite(found), found, float("inf"))
    best = ops.argmin(found)
    lowest = ops.take(found, best)
    return ops.where(lowest < present, ops.take(fractions, best), 0.0), lowest
