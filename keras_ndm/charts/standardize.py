"""Standardization: mean zero and variance one, with numbers taken from the data."""

import keras
import numpy as np
from keras import ops

from keras_ndm.backend import tfp
from keras_ndm.charts.base import Chart


class Elementwise(Chart):
    """A chart that acts on each coordinate by itself: its Jacobian is diagonal."""

    def slopes(self, x: object) -> object:
        """Diagonal ∂z_i/∂x_i of the Jacobian, (batch, d)."""
        raise NotImplementedError

    def jacobian(self, x: object) -> object:
        """Diagonal Jacobian (batch, d, d)."""
        return ops.expand_dims(self.slopes(x), -1) * ops.eye(x.shape[-1], dtype=x.dtype)

    def solve_jacobian(self, x: object, matrix: object) -> object:
        """Divide row i of each matrix (batch, d, k) by ∂z_i/∂x_i."""
        return matrix / ops.expand_dims(self.slopes(x), -1)


@keras.saving.register_keras_serializable("keras_ndm")
class Standardize(Elementwise):
    """z = (x − mean) / scale; the identity until `adapt(data)`.

    Mean and standard deviation are taken from the data as in `keras.layers.Normalization` and do not
    train. A coordinate that does not vary keeps scale 1.
    """

    def build(self, input_shape: tuple) -> None:
        """Make the two statistics."""
        shape = (input_shape[-1],)
        self.mean = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="mean")
        self.scale = self.add_weight(shape=shape, initializer="ones", trainable=False, name="scale")

    def adapt(self, data: np.ndarray) -> None:
        """Take mean and standard deviation from data (batch, d)."""
        scale = np.std(data, axis=0)
        self.mean.assign(np.mean(data, axis=0))
        self.scale.assign(np.where(scale > 0, scale, 1.0))

    def bijector(self) -> object:
        """Shift, then scale."""
        scale = 1.0 / ops.convert_to_tensor(self.scale)
        shift = -ops.convert_to_tensor(self.mean)
        tfb = tfp.bijectors
        return tfb.Chain([tfb.Scale(scale), tfb.Shift(shift)])

    def slopes(self, x: object) -> object:
        """Constant 1/scale."""
        return ops.ones_like(x) / ops.convert_to_tensor(self.scale)
