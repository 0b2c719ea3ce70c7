"""The chart as a Keras layer."""

from collections.abc import Sequence

import keras
from keras import ops

from keras_ndm import charts
from keras_ndm.backend import Tensor
from keras_ndm.precision import full_precision, refuse_quantized
from keras_ndm.rowwise import over_rows, row_shape
from keras_ndm.user_data import Data, rows_of, settled

_TAKES = "CoordinateLayer takes points"


@keras.saving.register_keras_serializable("keras_ndm")
class CoordinateLayer(keras.layers.Layer):
    """Learned coordinates z = φ(x), (batch, d) to (batch, d): a map with an exact inverse.

    There may be more axes between, as in (batch, time, d): every point is mapped by itself, here
    and in all methods. Integers are taken as numbers.

    Parameters
    ----------
    chart : str, Chart, TFP bijector, or a sequence of these
        The map; a sequence is applied first to last. Names are those of `keras_ndm.charts.NAMES`.

    Examples
    --------
    >>> layer = CoordinateLayer(["standardize", "spline_coupling"])
    >>> layer.adapt(data)
    >>> z = layer(data)

    Raises
    ------
    ValueError
        On an unknown chart, an input without an axis of coordinates, or points of another width
        than those that the layer was built for.
    """

    def __init__(self, chart: str | charts.Chart | Sequence = "standardize", **kwargs):
        kwargs["dtype"] = full_precision(kwargs.get("dtype"))
        super().__init__(**kwargs)
        self.supports_masking = True  # every point is mapped by itself
        self.chart = charts.get(chart, dtype=self.dtype_policy)

    def build(self, input_shape: tuple) -> None:
        """Build the chart."""
        rows = row_shape(input_shape, _TAKES)
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: rows[1]})
        if not self.chart.built:
            self.chart.build(rows)

    def call(self, x: Tensor) -> Tensor:
        """Coordinates z (batch, d) of the points x (batch, d)."""
        return over_rows(self.chart.call, ops.cast(x, self.compute_dtype))

    def forward(self, x: Tensor) -> Tensor:
        """Coordinates z (batch, d) of the points x (batch, d); the same as calling the layer."""
        return self(x)

    def inverse(self, z: Tensor) -> Tensor:
        """Points x (batch, d) with coordinates z (batch, d)."""
        return over_rows(self.chart.inverse, self._points(z))

    def log_det_jacobian(self, x: Tensor) -> Tensor:
        """Log of `|det ∂z/∂x|` at x, (batch,)."""
        return over_rows(self.chart.log_det_jacobian, self._points(x))

    def jacobian(self, x: Tensor) -> Tensor:
        """Jacobian ``[b, i, j]`` = ∂z_i/∂x_j at x, (batch, d, d)."""
        return over_rows(self.chart.jacobian, self._points(x))

    def solve_jacobian(self, x: Tensor, matrix: Tensor) -> Tensor:
        """J(x)⁻¹ matrix, for matrices (batch, d, k)."""
        return over_rows(self.chart.solve_jacobian, self._points(x), matrix)

    def pullback(self, x: Tensor, metric: Tensor) -> Tensor:
        """Metric in the input coordinates, G = Jᵀ g J, from g (batch, d, d) at z = φ(x)."""
        jacobian = self.jacobian(x)
        return ops.matmul(ops.swapaxes(jacobian, -1, -2), ops.matmul(metric, jacobian))

    def pushforward(self, x: Tensor, vector: Tensor) -> Tensor:
        """Components J v (batch, d) in the coordinates z of a vector v (batch, d) at x."""
        return ops.einsum("...ij,...j->...i", self.jacobian(x), vector)

    def adapt(self, data: Data) -> None:
        """Set the chart's statistics (standardization) from data.

        A column that does not vary, but for rounding, keeps its scale.

        Parameters
        ----------
        data : array (…, d), or data set of batches x or (x, y, …)
            Of a data set as many rows as are enough for statistics.

        Raises
        ------
        ValueError
            When the data are no finite numbers of this shape, or can be read only once.
        """
        rows = rows_of(data)
        if self.built:
            row_shape(rows.shape, _TAKES, self.input_spec.axes[-1])
        else:
            self.build(rows.shape)
            self.built = True
        # A constant one must be so exactly, or the charts behind a first scaling see its rounding.
        self.chart.adapt(settled(rows, self.compute_dtype))

    def _points(self, x):
        x = ops.convert_to_tensor(x, dtype=self.compute_dtype)
        if self.built:
            row_shape(x.shape, _TAKES, self.input_spec.axes[-1])
        else:
            self(x)
        return x

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Give the shape of the input."""
        return tuple(input_shape)

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        refuse_quantized(self)
        return {**super().get_config(), "chart": keras.saving.serialize_keras_object(self.chart)}

    @classmethod
    def from_config(cls, config: dict) -> "CoordinateLayer":
        """Rebuild the layer from `get_config()`."""
        return cls(**{**config, "chart": keras.saving.deserialize_keras_object(config["chart"])})
