"""A penalty's value under its name in `fit`'s logs, on both backends."""

import keras
import numpy as np
from keras import ops

from keras_ndm import backend
from keras_ndm.backend import Tensor


class PenaltyTracker(keras.metrics.Mean):
    """Mean over the epoch's batches where these are seen, else the value of the last batch.

    A layer keeps its last value in a weight, which travels; where a model computes its loss the
    mean is fed from there (`evolution.counting`). A training step of a model's own, without
    `compute_loss`, shows the last batch's value (on JAX, where the weights are out of reach while
    an epoch runs, the progress bar shows nan until its end).
    """

    def __init__(self, name: str, last: keras.Variable):
        super().__init__(name=name)
        # In a closure: a variable held as an attribute would count as the metric's own state.
        self._last = lambda: ops.cast(ops.convert_to_tensor(last), self.dtype)
        self._readable = lambda: backend.readable(last, beside=self.total.value)
        self._counting = False

    def update(self) -> None:
        """Count the last batch's value."""
        self._counting = True
        self.update_state(ops.stop_gradient(self._last()))

    def result(self) -> Tensor:
        """Mean of what was counted, or the last value."""
        if self._counting:
            return super().result()
        if not self._readable():
            return ops.full((), np.nan, dtype=self.dtype)
        return self._last()


def nan_initializer(shape: tuple, dtype: str | None = None) -> Tensor:
    """Nan: no value yet."""
    return ops.full(shape, np.nan, dtype=dtype)
