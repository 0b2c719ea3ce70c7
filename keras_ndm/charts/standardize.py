"""Scaling to mean zero and variance one, with numbers taken from the data."""

import keras
import numpy as np
from keras import ops

from keras_ndm.backend import tfp
from keras_ndm.charts.partial import Elementwise
from keras_ndm.user_data import settled, varies


def _statistics(data, dtype):
    data = settled(data, dtype).astype("float64")
    scale = np.std(data, axis=0)
    return np.mean(data, axis=0), np.where(varies(scale, data, dtype), scale, 1.0)


@keras.saving.register_keras_serializable("keras_ndm")
class Standardize(Elementwise):
    """z = (x − mean) / scale; the identity until `adapt(data)`.

    Mean and standard deviation are taken from the data as in `keras.layers.Normalization` and do
    not train. A coordinate that does not vary, but for rounding, keeps scale 1.
    """

    whole_space = True

    def build(self, input_shape: tuple) -> None:
        """Make the two statistics."""
        super().build(input_shape)
        shape = (input_shape[-1],)
        self.mean = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="mean")
        self.scale = self.add_weight(shape=shape, initializer="ones", trainable=False, name="scale")

    def adapt(self, data: np.ndarray) -> None:
        """Take mean and standard deviation from data (batch, d)."""
        mean, scale = _statistics(data, self.compute_dtype)
        self.mean.assign(mean)
        self.scale.assign(scale)

    def map(self) -> tfp.bijectors.Bijector:
        """Shift, then scale."""
        scale = 1.0 / ops.convert_to_tensor(self.scale)
        shift = -ops.convert_to_tensor(self.mean)
        tfb = tfp.bijectors
        return tfb.Chain([tfb.Scale(scale), tfb.Shift(shift)])


@keras.saving.register_keras_serializable("keras_ndm")
class ActNorm(Elementwise):
    """z = exp(s)(x + b) with trained s and b (Kingma & Dhariwal, 2018).

    The identity at first; `adapt(data)` starts it at mean zero and variance one; a coordinate that
    does not vary keeps scale 1.
    """

    whole_space = True

    def build(self, input_shape: tuple) -> None:
        """Make shift and log scale."""
        super().build(input_shape)
        for name in ("shift", "log_scale"):
            weight = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name=name)
            setattr(self, name, weight)

    def adapt(self, data: np.ndarray) -> None:
        """Start at mean zero and variance one of data (batch, d)."""
        mean, scale = _statistics(data, self.compute_dtype)
        self.shift.assign(-mean)
        self.log_scale.assign(-np.log(scale))

    def map(self) -> tfp.bijectors.Bijector:
        """Shift, then scale."""
        tfb = tfp.bijectors
        scale = ops.exp(ops.convert_to_tensor(self.log_scale))
        return tfb.Chain([tfb.Scale(scale), tfb.Shift(ops.convert_to_tensor(self.shift))])
