"""Principal axes of the data as coordinates."""

import keras
import numpy as np
from keras import ops

from keras_ndm.backend import Tensor, tfp
from keras_ndm.charts.base import Chart
from keras_ndm.user_data import settled

# A direction thinner than this share of the widest is scaled as if it had that width: what is
# thinner cannot be told from rounding in single precision.
_THINNEST = 1e-5


@keras.saving.register_keras_serializable("keras_ndm")
class Whiten(Chart):
    """z = S⁻¹ Vᵀ (x − mean), the principal axes V with the widest first; identity until `adapt`.

    z has mean zero and the unit matrix as covariance. The numbers are taken from the data and do
    not train. A direction in which the data do not vary keeps scale 1 where none varies, else
    1e-5 of the widest.
    """

    whole_space = True

    def build(self, input_shape: tuple) -> None:
        """Make mean, axes and scales."""
        d = int(input_shape[-1])

        def add(name, shape, start):
            return self.add_weight(shape=shape, initializer=start, trainable=False, name=name)

        self.mean = add("mean", (d,), "zeros")
        self.axes = add("axes", (d, d), "identity")
        self.scale = add("scale", (d,), "ones")

    def adapt(self, data: np.ndarray) -> None:
        """Take mean and covariance from data (batch, d)."""
        rows = settled(data, self.compute_dtype).astype("float64")
        mean = rows.mean(axis=0)
        variances, axes = np.linalg.eigh((rows - mean).T @ (rows - mean) / len(rows))
        scale = np.sqrt(np.maximum(variances[::-1], 0.0))
        thinnest = _THINNEST * scale[0] if scale[0] > 0 else 1.0
        self.mean.assign(mean)
        self.axes.assign(axes[:, ::-1])
        self.scale.assign(np.maximum(scale, thinnest))

    def _axes(self):
        return ops.convert_to_tensor(self.axes), ops.convert_to_tensor(self.scale)

    def bijector(self) -> tfp.bijectors.Bijector:
        """Shift, rotate, scale."""
        axes, scale = self._axes()
        return _Whitening(ops.convert_to_tensor(self.mean), axes, scale)

    def jacobian(self, x: Tensor) -> Tensor:
        """S⁻¹ Vᵀ at every point."""
        axes, scale = self._axes()
        return ops.zeros_like(x)[:, :, None] + ops.transpose(axes) / scale[:, None]

    def solve_jacobian(self, x: Tensor, matrix: Tensor) -> Tensor:
        """V S matrix."""
        axes, scale = self._axes()
        return ops.matmul(axes * scale, matrix)


class _Whitening(tfp.bijectors.Bijector):
    """z = S⁻¹ Vᵀ (x − mean) with orthogonal V: its inverse needs no solving."""

    def __init__(self, mean: Tensor, axes: Tensor, scale: Tensor):
        parameters = dict(locals())
        self._mean, self._axes, self._scale = mean, axes, scale
        super().__init__(
            forward_min_event_ndims=1, dtype=mean.dtype, name="whitening", parameters=parameters
        )

    def _forward(self, x):
        return ops.matmul(x - self._mean, self._axes) / self._scale

    def _inverse(self, z):
        return ops.matmul(z * self._scale, ops.transpose(self._axes)) + self._mean

    def _forward_log_det_jacobian(self, x):
        del x
        return -ops.sum(ops.log(self._scale))
