"""Geometry of a user's functional model, and the model that trains it by likelihood."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import ops

from keras_ndm import backend
from keras_ndm.backend import Tensor
from keras_ndm.backend.training import cholesky
from keras_ndm.coordinate_layer import CoordinateLayer
from keras_ndm.evolution import EvolutionLayer
from keras_ndm.keras_internals import made_by
from keras_ndm.metric_layer import MetricLayer
from keras_ndm.models.checked_states import (
    FitInput,
    first_arrays,
    inverse_of,
    moving_columns,
    state_rows,
)
from keras_ndm.models.likelihood import (
    LikelihoodModel,
    States,
    gram,
    inverse_factor,
    without_still,
)


class Geometry:
    """Metric of a functional graph, pulled back to the states.

    Parameters
    ----------
    states : KerasTensor (batch, d)
        The input of the graph that holds the states.
    metric : KerasTensor
        Output of a MetricLayer or an EvolutionLayer.

    Raises
    ------
    ValueError
        When the metric depends on other inputs than the states.
    """

    def __init__(self, states: keras.KerasTensor, metric: keras.KerasTensor):
        self.dimension = states.shape[-1]
        layer, (z, *_) = made_by(metric)
        self.metric = getattr(layer, "metric", layer)
        self.chart, self._coordinates = None, None
        if z is states:
            return
        # A chart fed by the states knows its own Jacobian; anything else is differentiated.
        source, came_from = made_by(z)
        if isinstance(source, CoordinateLayer) and came_from[0] is states:
            self.chart = source
        try:
            self._coordinates = keras.Model(states, z)
        except ValueError as error:
            raise ValueError(
                "The metric must be a function of the states, the model's first input, alone; "
                f"the metric layer {layer.name!r} depends on other inputs too."
            ) from error

    def coordinates(self, x: Tensor) -> Tensor:
        """Input z of the metric layer at states x."""
        return x if self._coordinates is None else self._coordinates(x)

    def tensor(self, x: Tensor) -> Tensor:
        """G = Jᵀ g J (batch, d, d) at states x, J = ∂z/∂x."""
        g = self.metric(self.coordinates(x))
        if self._coordinates is None:
            return g
        if self.chart is not None:
            return self.chart.pullback(x, g)
        jacobian = backend.jacobian(self.coordinates, x)
        return ops.matmul(ops.swapaxes(jacobian, 1, 2), ops.matmul(g, jacobian))

    def noise_root(self, x: Tensor) -> Tensor:
        """Give A with A Aᵀ = G⁻¹."""
        if self.chart is None:
            return inverse_factor(cholesky(self.tensor(x)))
        return self.chart.solve_jacobian(x, inverse_factor(self.metric.factor(self.chart(x))))

    def noise(self, x: Tensor) -> Tensor:
        """G⁻¹ (batch, d, d), the covariance of the noise."""
        return gram(self.noise_root(x))


def flow_of(network: keras.Model) -> Callable:
    """Give (x, *rest) ↦ mean and ∂mean/∂x, for a graph whose output is the mean."""

    def flow(x, *rest):
        def advance(states):
            return ops.cast(network([states, *rest] if rest else states), states.dtype)

        return advance(x), backend.jacobian(advance, x)

    return flow


def is_metric(layer: keras.layers.Layer) -> bool:
    """Whether a layer's output is a metric tensor."""
    return isinstance(layer, MetricLayer | EvolutionLayer)


@keras.saving.register_keras_serializable("keras_ndm")
class ManifoldModel(LikelihoodModel):
    """A functional graph of your own, trained so that its metric is the precision of the noise.

    ``ManifoldModel(inputs, outputs, metric)`` is called like ``keras.Model(inputs, outputs)`` with
    the metric's tensor besides. Calling it, or `predict`, gives `outputs` alone: the mean of the
    next state. ``fit(x, y)``, with y the next states, needs no loss: it is the likelihood of
    `keras_ndm.models.likelihood`. The Jacobian of the mean is taken by automatic differentiation, d
    reverse passes a step, so `NeuralDifferentialManifold` trains faster.

    Parameters
    ----------
    inputs : KerasTensor (batch, d), or a list of it and others (such as dt, (batch, 1))
        The states come first.
    outputs : KerasTensor (batch, d)
        Mean of the next state.
    metric : KerasTensor (batch, k, k)
        Output of a `MetricLayer` or `EvolutionLayer` in the same graph.

    Examples
    --------
    >>> x = keras.Input((4,))
    >>> chart = keras_ndm.CoordinateLayer("standardize")
    >>> chart.adapt(states)
    >>> z = chart(x)
    >>> h = keras.layers.Dense(128, "tanh")(z)
    >>> mean = keras.layers.Add()([x, keras.layers.Dense(4)(h)])
    >>> model = keras_ndm.ManifoldModel(x, mean, metric=keras_ndm.MetricLayer()(z))
    >>> model.compile("adam", jit_compile=True)
    >>> model.fit(x_now, x_next)

    Raises
    ------
    ValueError
        When the outputs are no next state of the inputs' shape or `metric` is not from a metric
        layer.
    """

    def __init__(
        self,
        inputs: keras.KerasTensor | Sequence[keras.KerasTensor],
        outputs: keras.KerasTensor,
        metric: keras.KerasTensor,
        **kwargs,
    ):
        # Not named `inputs=, outputs=` here: Keras would turn the model into a functional one.
        super().__init__(**kwargs)
        if not is_metric(made_by(metric)[0]):
            raise ValueError(
                "`metric` must be the output of a keras_ndm.MetricLayer or EvolutionLayer in the "
                f"graph, as in metric=MetricLayer()(z); received {metric!r}."
            )
        states = inputs[0] if isinstance(inputs, list | tuple) else inputs
        if isinstance(outputs, list | tuple | dict) or outputs.shape != states.shape:
            raise ValueError(
                f"`outputs` must be one tensor, the mean of the next state, with the states' shape "
                f"{states.shape}; received {outputs!r}."
            )
        self.network = keras.Model(inputs, [outputs, metric])
        self.geometry = Geometry(states, metric)
        self.flow = flow_of(keras.Model(inputs, outputs))
        add = self.add_weight
        self.adapted = add(shape=(), initializer="zeros", trainable=False, name="adapted")
        # Zero for a column that does not move: the likelihood weighs it as a plain square.
        self.moving = add(
            shape=(states.shape[-1],), initializer="ones", trainable=False, name="moving"
        )

    def fit(
        self, x: FitInput | None = None, y: np.ndarray | None = None, **kwargs
    ) -> keras.callbacks.History:
        """As `keras.Model.fit`, with y the next states.

        The first time the metric starts where the noise would explain the whole step; charts are
        the user's to adapt.

        Parameters
        ----------
        x : array, tuple of arrays, or data set
        y : array (N, d)
            The next states.
        **kwargs
            As in Keras.
        """
        if not float(ops.convert_to_numpy(self.adapted)):
            before, after = first_arrays(x, y)
            before = before[0] if isinstance(before, list | tuple) else before
            before, _ = state_rows(before)
            after, _ = state_rows(after, like=before)
            moving = moving_columns(before, after)
            self.moving.assign(moving)
            after = np.where(moving, after, before)
            z, z_next = (
                ops.convert_to_numpy(self.geometry.coordinates(p)) for p in (before, after)
            )
            noise = np.mean(np.square(z_next - z), axis=0) / 2
            self.geometry.metric.initialize_at(inverse_of(noise))
            self.adapted.assign(1.0)
        return super().fit(x, y, **kwargs)

    def row_shapes(self, parts: int) -> tuple:
        """Shapes of a row of the graph's inputs and of its outputs."""
        del parts
        inputs = [tuple(tensor.shape[1:]) for tensor in self.network.inputs]
        return inputs, inputs[0]

    def call(self, x: States, training: bool = False) -> Tensor:
        """Mean (batch, d) of the next state."""
        return self.network(x, training=training)[0]

    def moments(self, x: States, training: bool = False) -> tuple:
        """Mean of the next state and covariance of the residual."""
        x, rest = (x[0], list(x[1:])) if isinstance(x, list | tuple) else (x, [])
        x = ops.cast(x, self.geometry.metric.compute_dtype)
        mean, jacobian = self.flow(x, *rest)
        end = self.geometry.noise_root(ops.stop_gradient(mean))
        start = ops.matmul(jacobian, self.geometry.noise_root(x))
        return mean, without_still(gram(end) + gram(start), ops.convert_to_tensor(self.moving))

    def evolutions(self) -> list:
        """Evolution layers of the graph."""
        return [layer for layer in self.network.layers if isinstance(layer, EvolutionLayer)]

    def get_config(self) -> dict:
        """Give the graph."""
        base = super(keras.Model, self).get_config()
        return {**base, "network": keras.saving.serialize_keras_object(self.network)}

    @classmethod
    def from_config(cls, config: dict) -> "ManifoldModel":
        """Rebuild the model from `get_config()`."""
        config = dict(config)
        network = keras.saving.deserialize_keras_object(config.pop("network"))
        inputs = network.inputs if len(network.inputs) > 1 else network.inputs[0]
        return cls(inputs, *network.outputs, **config)
