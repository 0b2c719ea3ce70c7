"""Charts made of charts."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_ndm.backend import Tensor, tfp
from keras_ndm.charts.base import Chart


@keras.saving.register_keras_serializable("keras_ndm")
class Identity(Chart):
    """z = x."""

    whole_space = True

    def bijector(self) -> tfp.bijectors.Bijector:
        """TFP's identity."""
        return tfp.bijectors.Identity()

    def jacobian(self, x: Tensor) -> Tensor:
        """Give the unit matrix."""
        return ops.zeros_like(x)[:, :, None] + ops.eye(x.shape[-1], dtype=x.dtype)

    def solve_jacobian(self, x: Tensor, matrix: Tensor) -> Tensor:
        """`matrix` itself."""
        return matrix


@keras.saving.register_keras_serializable("keras_ndm")
class Chain(Chart):
    """Charts one after another, the first of the list first.

    Parameters
    ----------
    charts : sequence of Chart
    """

    def __init__(self, charts: Sequence[Chart], **kwargs):
        super().__init__(**kwargs)
        if not charts or not all(isinstance(chart, Chart) for chart in charts):
            raise ValueError(
                f"`charts` must be a non-empty sequence of charts; received {charts!r}."
            )
        self.charts = list(charts)
        self.whole_space = all(chart.whole_space for chart in self.charts)

    def build(self, input_shape: tuple) -> None:
        """Build each chart in turn."""
        for chart in self.charts:
            if not chart.built:
                chart.build(input_shape)

    def bijector(self) -> tfp.bijectors.Bijector:
        """TFP's chain, which lists the last map first."""
        return tfp.bijectors.Chain([chart.bijector() for chart in reversed(self.charts)])

    def jacobian(self, x: Tensor) -> Tensor:
        """Product of the charts' Jacobians."""
        total = None
        for chart in self.charts:
            step = chart.jacobian(x)
            total = step if total is None else ops.matmul(step, total)
            x = chart.call(x)
        return total

    def solve_jacobian(self, x: Tensor, matrix: Tensor) -> Tensor:
        """Solve with the charts' Jacobians, the last one first."""
        points = [x]
        for chart in self.charts[:-1]:
            points.append(chart.call(points[-1]))
        for chart, point in zip(reversed(self.charts), reversed(points), strict=True):
            matrix = chart.solve_jacobian(point, matrix)
        return matrix

    def condition(self, width: int) -> bool:
        """Tell every chart of the context."""
        return any([chart.condition(width) for chart in self.charts])

    def forward_and_log_det(self, x: Tensor, context: Tensor | None = None) -> tuple:
        """As in `Chart`, one chart after another."""
        total = ops.zeros_like(x[:, 0])
        for chart in self.charts:
            x, log_det = chart.forward_and_log_det(x, context)
            total = total + log_det
        return x, total

    def inverse_given(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        """As in `Chart`, the last chart first."""
        for chart in reversed(self.charts):
            z = chart.inverse_given(z, context)
        return z

    def adapt(self, data: np.ndarray, context: Tensor | None = None) -> None:
        """Adapt each chart to the data as the charts before it show them."""
        for chart in self.charts:
            if isinstance(chart, Chain):
                chart.adapt(data, context)
            else:
                chart.adapt(data)
            x = ops.convert_to_tensor(data, chart.dtype)
            data = ops.convert_to_numpy(chart.forward_and_log_det(x, context)[0])

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        charts = [keras.saving.serialize_keras_object(chart) for chart in self.charts]
        return {**super().get_config(), "charts": charts}

    @classmethod
    def from_config(cls, config: dict) -> "Chain":
        """Rebuild the chart from `get_config()`."""
        charts = [keras.saving.deserialize_keras_object(chart) for chart in config["charts"]]
        return cls(**{**config, "charts": charts})


@keras.saving.register_keras_serializable("keras_ndm")
class Inverse(Chart):
    """A chart the other way round.

    Parameters
    ----------
    chart : Chart
    """

    def __init__(self, chart: Chart, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(chart, Chart):
            raise ValueError(f"`chart` must be a keras_ndm.charts chart; received {chart!r}.")
        self.chart = chart
        self.whole_space = chart.whole_space

    def build(self, input_shape: tuple) -> None:
        """Build the chart."""
        if not self.chart.built:
            self.chart.build(input_shape)

    def bijector(self) -> tfp.bijectors.Bijector:
        """TFP's inversion."""
        return tfp.bijectors.Invert(self.chart.bijector())

    def condition(self, width: int) -> bool:
        """Tell the chart of the context."""
        return self.chart.condition(width)

    def forward_and_log_det(self, x: Tensor, context: Tensor | None = None) -> tuple:
        """As in `Chart`: the chart's inverse, and its log-determinant there."""
        z = self.chart.inverse_given(x, context)
        return z, -self.chart.forward_and_log_det(z, context)[1]

    def inverse_given(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        """As in `Chart`: the chart forward."""
        return self.chart.forward_and_log_det(z, context)[0]

    def jacobian(self, x: Tensor) -> Tensor:
        """Inverse of the chart's Jacobian."""
        return ops.inv(self.chart.jacobian(self.chart.inverse(x)))

    def solve_jacobian(self, x: Tensor, matrix: Tensor) -> Tensor:
        """Multiply by the chart's Jacobian."""
        return ops.matmul(self.chart.jacobian(self.chart.inverse(x)), matrix)

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        return {**super().get_config(), "chart": keras.saving.serialize_keras_object(self.chart)}

    @classmethod
    def from_config(cls, config: dict) -> "Inverse":
        """Rebuild the chart from `get_config()`."""
        return cls(**{**config, "chart": keras.saving.deserialize_keras_object(config["chart"])})
