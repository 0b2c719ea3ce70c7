"""How far to go along a direction: the best of a few step sizes on the same batch."""

import keras
from keras import ops

from keras_ndm.backend.training import over_scalars

__all__ = ["FRACTIONS", "search"]

# Every other halving after the first: a Gauss-Newton step is mostly right or far too long.
FRACTIONS = (1.0, 0.5, 0.25, 0.0625, 0.015625)


def search(loss, values: list, direction: list, rate, present) -> tuple:  # noqa: ANN001
    """Best of the step sizes `rate` · FRACTIONS, all evaluated at once.

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
    step : scalar
        s, zero where no fraction lowers the loss or every value is not finite.
    lowest : scalar
        L(θ − s d), L(θ) where s = 0.
    """
    dtype = keras.backend.standardize_dtype(present.dtype)
    sizes = ops.cast(rate, dtype) * ops.convert_to_tensor(FRACTIONS, dtype=dtype)

    def along(s):
        return ops.cast(
            loss(
                [
                    v - ops.cast(s, v.dtype) * ops.cast(d, v.dtype)
                    for v, d in zip(values, direction, strict=True)
                ]
            ),
            dtype,
        )

    found = over_scalars(along, sizes)
    found = ops.where(ops.isfinite(found), found, float("inf"))
    best = ops.argmin(found)
    lowest = ops.take(found, best)
    better = lowest < present
    return (
        ops.where(better, ops.take(sizes, best), ops.zeros((), dtype=dtype)),
        ops.where(better, lowest, present),
    )
