"""Let a bijector act on some coordinates only."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_ndm.backend import Tensor, tfp
from keras_ndm.charts.base import Chart, fresh


class Partial(tfp.bijectors.Bijector):
    """An elementwise bijector on the chosen coordinates, the identity on the others.

    Parameters
    ----------
    bijector : tfp.bijectors.Bijector, elementwise
    chosen : sequence of bool, length d
    safe_x, safe_z : float
        A point where the bijector, and its inverse, may be evaluated for coordinates not chosen:
        gradients pass through both branches.
    """

    def __init__(
        self, bijector: tfp.bijectors.Bijector, chosen: Sequence[bool], safe_x: float, safe_z: float
    ):
        parameters = dict(locals())
        self._inner, self._chosen = bijector, np.asarray(chosen, bool)
        self._safe_x, self._safe_z = safe_x, safe_z
        super().__init__(
            forward_min_event_ndims=0, dtype=bijector.dtype, name="partial", parameters=parameters
        )

    def _forward(self, x):
        chosen = ops.convert_to_tensor(self._chosen)
        return ops.where(chosen, self._inner.forward(ops.where(chosen, x, self._safe_x)), x)

    def _inverse(self, z):
        chosen = ops.convert_to_tensor(self._chosen)
        return ops.where(chosen, self._inner.inverse(ops.where(chosen, z, self._safe_z)), z)

    def _forward_log_det_jacobian(self, x):
        chosen = ops.convert_to_tensor(self._chosen)
        safe = ops.where(chosen, x, self._safe_x)
        log_slope = self._inner.forward_log_det_jacobian(safe, event_ndims=0)
        return ops.where(chosen, log_slope, ops.zeros_like(x))


class Elementwise(Chart):
    """A chart that acts on each coordinate by itself, increasing: a positive diagonal Jacobian.

    Parameters
    ----------
    axes : sequence of int, optional
        The coordinates it acts on; default all.
    """

    safe_x, safe_z = 0.5, 0.5

    def __init__(self, axes: Sequence[int] | None = None, **kwargs):
        super().__init__(**kwargs)
        self.axes = None if axes is None else tuple(int(axis) for axis in axes)

    def build(self, input_shape: tuple) -> None:
        """Check the axes."""
        d = int(input_shape[-1])
        axes = range(d) if self.axes is None else self.axes
        if any(not -d <= axis < d for axis in axes):
            raise ValueError(
                f"`axes` of {type(self).__name__} must lie between {-d} and {d - 1} for {d} "
                f"coordinates; received {self.axes}."
            )
        self.chosen = np.isin(np.arange(d), [axis % d for axis in axes]).tolist()

    def map(self) -> tfp.bijectors.Bijector:
        """TFP bijector that acts elementwise on vectors of all d coordinates."""
        raise NotImplementedError(f"{type(self).__name__} must implement `map()`.")

    def bijector(self) -> tfp.bijectors.Bijector:
        """Give the map, on the chosen axes."""
        if all(self.chosen):
            return self.map()
        return Partial(self.map(), self.chosen, self.safe_x, self.safe_z)

    def slopes(self, x: Tensor) -> Tensor:
        """Diagonal ∂z_i/∂x_i > 0 of the Jacobian, (batch, d)."""
        log_slopes = self.bijector().forward_log_det_jacobian(fresh(x), event_ndims=0)
        return ops.exp(log_slopes + ops.zeros_like(x))

    def jacobian(self, x: Tensor) -> Tensor:
        """Diagonal Jacobian (batch, d, d)."""
        return ops.expand_dims(self.slopes(x), -1) * ops.eye(x.shape[-1], dtype=x.dtype)

    def solve_jacobian(self, x: Tensor, matrix: Tensor) -> Tensor:
        """Divide row i of each matrix (batch, d, k) by ∂z_i/∂x_i."""
        return matrix / ops.expand_dims(self.slopes(x), -1)

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        return {**super().get_config(), "axes": self.axes}


@keras.saving.register_keras_serializable("keras_ndm")
class Positive(Elementwise):
    """z = log x, for coordinates that are positive: amounts, distances, concentrations."""

    safe_x, safe_z = 1.0, 0.0

    def map(self) -> tfp.bijectors.Bijector:
        """Logarithm."""
        return tfp.bijectors.Log()


@keras.saving.register_keras_serializable("keras_ndm")
class Bounded(Elementwise):
    """z = log((x − low)/(high − x)), for coordinates that stay between two bounds.

    Parameters
    ----------
    low, high : float
    axes : sequence of int, optional
        The coordinates it acts on; default all.
    """

    safe_z = 0.0

    def __init__(
        self, low: float = 0.0, high: float = 1.0, axes: Sequence[int] | None = None, **kwargs
    ):
        super().__init__(axes=axes, **kwargs)
        if not low < high:
            raise ValueError(f"Expected low < high; received low={low}, high={high}.")
        self.low, self.high = float(low), float(high)
        self.safe_x = 0.5 * (self.low + self.high)

    def map(self) -> tfp.bijectors.Bijector:
        """Inverse of a scaled sigmoid."""
        tfb = tfp.bijectors
        low, high = (np.asarray(v, self.compute_dtype) for v in (self.low, self.high))
        return tfb.Invert(tfb.Sigmoid(low, high))

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        return {**super().get_config(), "low": self.low, "high": self.high}
