"""A penalty's value under its name in `fit`'s logs, on both backends."""

import keras
import numpy as np
from keras import ops


class PenaltyTracker(keras.metrics.Mean):
    """Mean over the epoch's batches where these are seen, else the value of the last batch.

    A layer's `call` cannot update a metric on JAX: Keras discards the update. So the layer keeps its last
    value in a weight, which travels; models that can (`NeuralDifferentialManifold`) feed the mean from
    there in `compute_loss`. In any other model on JAX the epoch's log shows the last batch's value, and
    the progress bar within an epoch shows nan.
    """

    def __init__(self, name: str, last: keras.Variable):
        super().__init__(name=name)
        # In a closure: a variable held as an attribute would count as the metric's own state.
        self._last = lambda: last

    def update(self) -> None:
        """Count the last batch's value."""
        self.update_state(ops.stop_gradient(ops.convert_to_tensor(self._last())))

    def result(self) -> object:
        """Mean of what was counted, or the last value."""
        mean = ops.divide_no_nan(self.total, self.count)
        last = ops.cast(ops.convert_to_tensor(self._last()), self.dtype)
        return ops.where(self.count > 0, mean, last)


def nan_initializer(shape: tuple, dtype: object = None) -> object:
    """Nan: no value yet."""
    return ops.full(shape, np.nan, dtype=dtype)
