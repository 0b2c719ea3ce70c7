"""Invertible linear map."""

import keras
from keras import ops

from keras_ndm.backend import Tensor, tfp
from keras_ndm.charts.base import Chart


@keras.saving.register_keras_serializable("keras_ndm")
class Linear(Chart):
    """z = L U x + b, L unit lower triangular, U of diagonal exp(s) (Kingma & Dhariwal, 2018).

    Invertible whatever the weights; starts at the identity.
    """

    whole_space = True

    def build(self, input_shape: tuple) -> None:
        """Make the triangles, the log diagonal and the shift."""
        d = input_shape[-1]
        for name, shape in (
            ("lower", (d, d)),
            ("upper", (d, d)),
            ("log_scale", (d,)),
            ("bias", (d,)),
        ):
            setattr(self, name, self.add_weight(shape=shape, initializer="zeros", name=name))

    def _factors(self):
        eye = ops.eye(self.log_scale.shape[0], dtype=self.compute_dtype)
        lower = ops.tril(ops.convert_to_tensor(self.lower), -1) + eye
        diagonal = eye * ops.exp(ops.convert_to_tensor(self.log_scale))
        return lower, ops.triu(ops.convert_to_tensor(self.upper), 1) + diagonal

    def bijector(self) -> tfp.bijectors.Bijector:
        """Two triangular solves invert it; the log-determinant is the sum of s."""
        lower, upper = self._factors()
        tfb = tfp.bijectors
        return tfb.Chain(
            [
                tfb.Shift(ops.convert_to_tensor(self.bias)),
                tfb.ScaleMatvecTriL(lower),
                tfb.ScaleMatvecTriL(ops.transpose(upper), adjoint=True),
            ]
        )

    def jacobian(self, x: Tensor) -> Tensor:
        """L U at every point."""
        lower, upper = self._factors()
        return ops.zeros_like(x)[:, :, None] + ops.matmul(lower, upper)
