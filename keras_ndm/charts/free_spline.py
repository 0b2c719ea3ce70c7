"""Elementwise trained charts: a monotone map of each coordinate, and one for angles."""

import math
from collections.abc import Sequence

import keras
from keras import ops

from keras_ndm.backend import Tensor, tfp
from keras_ndm.charts.partial import Elementwise
from keras_ndm.charts.spline import RationalQuadraticSpline, shape_from


@keras.saving.register_keras_serializable("keras_ndm")
class Monotone(Elementwise):
    """A trained increasing map of each coordinate: a rational-quadratic spline on [−bound, bound].

    The identity at first, and outside of the interval always. It does not mix coordinates.

    Parameters
    ----------
    bins : int
    bound : float
        Standardize first, so that the data lie inside.
    axes : sequence of int, optional
        The coordinates it acts on; default all.
    """

    whole_space = True

    def __init__(
        self, bins: int = 8, bound: float = 5.0, axes: Sequence[int] | None = None, **kwargs
    ):
        super().__init__(axes=axes, **kwargs)
        if bins < 2 or not bound > 0:
            raise ValueError(
                f"Expected bins ≥ 2 and bound > 0; received bins={bins}, bound={bound}."
            )
        self.bins, self.bound = int(bins), float(bound)

    def build(self, input_shape: tuple) -> None:
        """Make the numbers from which widths, heights and slopes come."""
        super().build(input_shape)
        shape = (input_shape[-1], 3 * self.bins - 1)
        self.raw = self.add_weight(shape=shape, initializer="zeros", name="raw")

    def map(self) -> tfp.bijectors.Bijector:
        """Give the spline."""
        raw = ops.convert_to_tensor(self.raw)
        return RationalQuadraticSpline(*shape_from(raw, self.bins, self.bound), self.bound)

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        return {**super().get_config(), "bins": self.bins, "bound": self.bound}


class _Circle(tfp.bijectors.Bijector):
    """z = wrap(spline(wrap(x)) + turn), wrap to [−π, π)."""

    def __init__(self, spline: tfp.bijectors.Bijector, turn: Tensor):
        turn = ops.convert_to_tensor(turn)
        parameters = dict(locals())
        self._spline, self._turn = spline, turn
        super().__init__(
            forward_min_event_ndims=0,
            # Any: in a chain TFP compares declared dtypes, and takes names for strings.
            dtype=None,
            name="circle",
            parameters=parameters,
        )

    def _forward(self, x):
        return _wrap(self._spline.forward(_wrap(x)) + self._turn)

    def _inverse(self, z):
        return self._spline.inverse(_wrap(z - self._turn))

    def _forward_log_det_jacobian(self, x):
        return self._spline.forward_log_det_jacobian(_wrap(x), event_ndims=0)


def _wrap(angle):
    # As a tensor: a Python float would enter in float32.
    turn = ops.convert_to_tensor(2.0 * math.pi, dtype=angle.dtype)
    return ops.mod(angle + math.pi, turn) - math.pi


@keras.saving.register_keras_serializable("keras_ndm")
class Circular(Elementwise):
    """A trained map of the circle for angles in radians (Rezende et al., 2020).

    A monotone spline from [−π, π) onto itself whose slopes agree where the ends meet, then a
    trained rotation: smooth across the cut, unlike any chart of the line. z lies in [−π, π). The
    identity at first.

    Parameters
    ----------
    bins : int
    axes : sequence of int, optional
        The coordinates that are angles; default all.
    """

    safe_x, safe_z = 0.0, 0.0

    def __init__(self, bins: int = 8, axes: Sequence[int] | None = None, **kwargs):
        super().__init__(axes=axes, **kwargs)
        if bins < 2:
            raise ValueError(f"Expected bins ≥ 2; received {bins}.")
        self.bins = int(bins)

    def build(self, input_shape: tuple) -> None:
        """Make the numbers from which the spline comes, and the rotation."""
        super().build(input_shape)
        d = input_shape[-1]
        self.raw = self.add_weight(shape=(d, 3 * self.bins), initializer="zeros", name="raw")
        self.turn = self.add_weight(shape=(d,), initializer="zeros", name="turn")

    def map(self) -> tfp.bijectors.Bijector:
        """Give the spline and the rotation."""
        raw = ops.convert_to_tensor(self.raw)
        widths, heights, slopes = shape_from(raw, self.bins, math.pi)
        spline = RationalQuadraticSpline(
            widths, heights, slopes[..., 1:], math.pi, end_slope=slopes[..., :1]
        )
        return _Circle(spline, ops.convert_to_tensor(self.turn))

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        return {**super().get_config(), "bins": self.bins}
