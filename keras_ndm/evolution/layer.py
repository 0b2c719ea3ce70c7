"""The evolution layer: a metric with penalties on its curvature and on its volume element."""

import keras
from keras import ops

from keras_ndm.evolution.tracker import PenaltyTracker, nan_initializer
from keras_ndm.geometry import activations, curvature
from keras_ndm.metric_layer import MetricLayer


@keras.saving.register_keras_serializable("keras_ndm")
class EvolutionLayer(keras.layers.Layer):
    """Wrap a `MetricLayer` and add λ_c E[R²] + λ_v Var[log √det g] to the model's loss.

    R is the Ricci scalar, exact, by 2-jets through the metric's network; expectation and variance are over
    the batch. It is computed in the metric layer's coordinates z: R does not depend on them, so the chart
    need not be differentiated. Both penalties appear by name, "curvature" and "volume" (without λ), in the
    logs of `fit`.

    Parameters
    ----------
    metric : MetricLayer
    curvature_weight, volume_weight : float
        λ_c and λ_v; a penalty with weight 0 is not computed.

    Input (batch, d); output: the metric (batch, d, d), as from the wrapped layer.

    Raises
    ------
    ValueError
        When `metric` is no MetricLayer, a weight is negative, or curvature is asked of a network
        whose activation is not smooth.
    """

    def __init__(
        self,
        metric: MetricLayer,
        curvature_weight: float = 0.0,
        volume_weight: float = 0.0,
        **kwargs,
    ):
        if not isinstance(metric, MetricLayer):
            raise ValueError(
                f"EvolutionLayer wraps a MetricLayer: EvolutionLayer(MetricLayer(), …); received {metric!r}."
            )
        kwargs.setdefault("dtype", metric.dtype_policy)
        super().__init__(**kwargs)
        weights = {"curvature_weight": curvature_weight, "volume_weight": volume_weight}
        for name, weight in weights.items():
            if not weight >= 0:
                raise ValueError(f"`{name}` must be ≥ 0; received {weight!r}.")
            setattr(self, name, float(weight))
        if curvature_weight:
            activations.derivatives(metric.activation)
        self.metric = metric
        self.trackers = []
        for name, weight in (("curvature", curvature_weight), ("volume", volume_weight)):
            if weight:
                last = self.add_weight(
                    shape=(), initializer=nan_initializer, trainable=False, name=f"last_{name}"
                )
                setattr(self, f"last_{name}", last)
                self.trackers.append(PenaltyTracker(name, last))

    def build(self, input_shape: tuple) -> None:
        """Build the metric."""
        if not self.metric.built:
            self.metric.build(input_shape)
            self.metric.built = True

    def call(self, z: object) -> object:
        """Metric tensors (batch, d, d); the penalties are added on the way."""
        if not self.trackers:
            return self.metric(z)
        jet = self.metric.jet(z, order=2 if self.curvature_weight else 0)
        g, factor = jet.value, ops.cholesky(jet.value)
        if self.curvature_weight:
            inverse = curvature.inverse_from_factor(factor)
            scalar = curvature.scalar_from(g, jet.first, jet.second_matrix(), inverse)
            self._penalize("curvature", ops.mean(ops.square(scalar)), self.curvature_weight)
        if self.volume_weight:
            half = ops.log(ops.diagonal(factor, axis1=-2, axis2=-1))
            log_volume = ops.sum(half, axis=-1)
            spread = ops.mean(ops.square(log_volume - ops.mean(log_volume)))
            self._penalize("volume", spread, self.volume_weight)
        return g

    def _penalize(self, name, value, weight):
        getattr(self, f"last_{name}").assign(value)
        self.add_loss(weight * value)

    def update_trackers(self) -> None:
        """Count the last penalties in the logged means; for `compute_loss` of a model."""
        for tracker in self.trackers:
            tracker.update()

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """(batch, d) to (batch, d, d)."""
        return (*input_shape, input_shape[-1])

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        return {
            **super().get_config(),
            "metric": keras.saving.serialize_keras_object(self.metric),
            "curvature_weight": self.curvature_weight,
            "volume_weight": self.volume_weight,
        }

    @classmethod
    def from_config(cls, config: dict) -> "EvolutionLayer":
        """Rebuild the layer from `get_config()`."""
        metric = keras.saving.deserialize_keras_object(config["metric"])
        return cls(**{**config, "metric": metric})
