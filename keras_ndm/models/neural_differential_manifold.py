"""The neural differential manifold: a next-state model with the metric of its noise."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import ops

from keras_ndm import charts
from keras_ndm.backend import Tensor
from keras_ndm.coordinate_layer import CoordinateLayer
from keras_ndm.evolution import EvolutionLayer, Weight
from keras_ndm.geometry import activations, jets
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
from keras_ndm.precision import refuse_quantized
from keras_ndm.rowwise import Rows
from keras_ndm.user_data import check_shapes, widths_of


@keras.saving.register_keras_serializable("keras_ndm")
class NeuralDifferentialManifold(LikelihoodModel):
    """Learn the flow of trajectories together with the geometry of their noise.

    The mean of the next state is

        F(x) = x + dt S net([z, dt]),      z = chart(x),

    with S the typical increment a coordinate, taken from the data; without times dt = 1. The metric
    g(z), pulled back to G(x) = Jᵀ g J, is the precision of the measurement noise; the loss is the
    likelihood of `keras_ndm.models.likelihood`. All derivatives in training are 1-jets.

    Parameters
    ----------
    chart : CoordinateLayer, or anything it accepts
        Default: standardization.
    metric : MetricLayer
        Default: ``MetricLayer()``, log-Cholesky.
    hidden : sequence of int
        Widths of the mean's hidden layers.
    activation : str or callable
        Smooth activation of the mean.
    curvature_weight, volume_weight : float, keras schedule, Budget, or Balance
        Penalties of `EvolutionLayer`.

    Examples
    --------
    >>> model = NeuralDifferentialManifold()
    >>> model.compile(keras.optimizers.Adam(3e-3), jit_compile=True)
    >>> model.fit(x_now, x_next, batch_size=512, epochs=40)          # x: (N, d)
    >>> model.fit((x_now, dt), x_next, …)                            # irregular steps, dt: (N, 1)

    `fit` calls `adapt` itself on a model that was not adapted. Give dt in units of the typical
    step.

    Raises
    ------
    ValueError
        On arguments or data that do not fit, with what was received and what was expected.
    """

    def __init__(
        self,
        chart: CoordinateLayer | str | charts.Chart | Sequence | None = None,
        metric: MetricLayer | None = None,
        hidden: Sequence[int] = (128, 128),
        activation: str | Callable = "tanh",
        curvature_weight: Weight = 0.0,
        volume_weight: Weight = 0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        activations.derivatives(activation)
        chart = "standardize" if chart is None else chart
        self.chart = chart if isinstance(chart, CoordinateLayer) else CoordinateLayer(chart)
        self.metric = MetricLayer() if metric is None else metric
        self.evolution = EvolutionLayer(self.metric, curvature_weight, volume_weight)
        self.hidden = widths_of(hidden)
        self.activation = activations.get(activation)
        self._compiled = {}

    def build(self, input_shape: tuple) -> None:
        """Make the parts for states (batch, d), or states and steps [(batch, d), (batch, 1)]."""
        timed = isinstance(input_shape[0], list | tuple)
        state = tuple(input_shape[0]) if timed else tuple(input_shape)
        self.timed, self.dimension = timed, int(state[-1])
        d = self.dimension
        for layer in (self.chart, self.evolution):
            if not layer.built:
                layer.build(state)
                layer.built = True
        dense, width = keras.layers.Dense, d + timed
        policy = self.chart.dtype_policy
        self.network = [
            dense(units, activation=self.activation, dtype=policy, name=f"mean_{i}")
            for i, units in enumerate(self.hidden)
        ]
        self.network.append(dense(d, kernel_initializer="zeros", dtype=policy, name="mean_out"))
        for layer in self.network:
            layer.build((None, width))
            width = layer.units
        add = self.add_weight
        self.increment = add(shape=(d,), initializer="ones", trainable=False, name="increment")
        self.adapted = add(shape=(), initializer="zeros", trainable=False, name="adapted")

    def adapt(self, x: FitInput, y: np.ndarray | None = None) -> None:
        """Take the chart's statistics, the typical increment and a first noise level from the data.

        A column that does not move (a constant, a parameter of each run) is an input like others;
        its prediction is itself, and the likelihood does not weigh it.

        Parameters
        ----------
        x : array (N, d), tuple of arrays (N, d) and (N, 1), or a data set
            States, or states and steps; or batches (x, y).
        y : array (N, d)
            The states that follow; None where x gives both.
        """
        x, y = first_arrays(x, y)
        x, dt = state_rows(x)
        y, _ = state_rows(y, like=x)
        if not self.built:
            self.build((None, x.shape[1]) if dt is None else [(None, x.shape[1]), (None, 1)])
            self.built = True
        self._check(x, dt)
        self.chart.adapt(x)
        rates = (y - x) if dt is None else (y - x) / dt
        spread = np.sqrt(np.mean(np.square(rates), axis=0))
        # Zero marks a column that does not move: it is predicted as it is, and not weighed.
        moving = moving_columns(x, y)
        self.increment.assign(np.where(moving, spread, 0.0))
        y = np.where(moving, y, x)
        moved = np.subtract(*(ops.convert_to_numpy(self.chart(p)) for p in (y, x)))
        # Half of the increments' variance: the noise that would explain them all, at both ends.
        self.metric.initialize_at(inverse_of(np.mean(np.square(moved), axis=0) / 2))
        self.adapted.assign(1.0)

    def fit(
        self, x: FitInput | None = None, y: np.ndarray | None = None, **kwargs
    ) -> keras.callbacks.History:
        """As `keras.Model.fit`, with y the next states; adapts a model that was not adapted.

        Parameters
        ----------
        x, y
            As in `adapt`, or a data set as x.
        **kwargs
            As in Keras.
        """
        if not self.built or not float(ops.convert_to_numpy(self.adapted)):
            self.adapt(x, y)
        return super().fit(x, y, **kwargs)

    def row_shapes(self, parts: int) -> tuple:
        """Shapes of a state, of a step where the model takes any, and of the next state."""
        del parts
        state = (self.dimension,)
        return [state, (1,)] if self.timed else [state], state

    def call(self, x: States, training: bool = False) -> Tensor:
        """Mean (batch, d) of the next state."""
        x, dt = self._split(x)
        z = self.chart(x)
        if self.evolution.trackers:
            self.evolution(z, training=training)
        return self._advance(x, dt, jets.network(self._inputs(z, dt, order=0), self.network).value)

    def moments(self, x: States, training: bool = False) -> tuple:
        """Mean of the next state and covariance of the residual; see `likelihood`."""
        x, dt = self._split(x)
        mean, jacobian = self._flow(x, dt)
        # Where the noise of the next state is looked up must not depend on the target, or the
        # covariance would explain the residual away; and it should not pull the mean about.
        end = self._noise_root(ops.stop_gradient(mean))
        covariance = gram(end) + gram(ops.matmul(jacobian, self._noise_root(x)))
        return mean, without_still(covariance, ops.convert_to_tensor(self.increment))

    def evolutions(self) -> list:
        """Give the one evolution layer."""
        return [self.evolution]

    def _split(self, x):
        check_shapes(x, self.row_shapes(1)[0], "inputs")
        x, dt = x if isinstance(x, list | tuple) else (x, None)
        cast = lambda t: None if t is None else ops.cast(t, self.chart.compute_dtype)  # noqa: E731
        return cast(x), cast(dt)

    def _inputs(self, z, dt, order):
        inputs = z if dt is None else ops.concatenate([z, dt], axis=-1)
        return jets.seed(inputs, order=order, n=self.dimension)

    def _advance(self, x, dt, rate):
        step = ops.convert_to_tensor(self.increment) * rate
        return x + (step if dt is None else dt * step)

    def _flow(self, x, dt):
        x, dt = self._split(x if dt is None else (x, dt))
        jet = jets.network(self._inputs(self.chart(x), dt, order=1), self.network)
        slope = ops.swapaxes(jet.first, 1, 2)  # [b, i, k] = ∂net_i/∂z_k
        slope = slope * ops.convert_to_tensor(self.increment)[:, None]
        if dt is not None:
            slope = slope * dt[:, :, None]
        jacobian = ops.matmul(slope, self.chart.jacobian(x))
        jacobian = jacobian + ops.eye(self.dimension, dtype=jacobian.dtype)
        return self._advance(x, dt, jet.value), jacobian

    def _noise_root(self, x):
        """Give A with A Aᵀ = G(x)⁻¹."""
        root = inverse_factor(self.metric.factor(self.chart(x)))
        return self.chart.solve_jacobian(x, root)

    def _noise(self, x):
        return gram(self._noise_root(x))

    def _pulled_back(self, x):
        return self.chart.pullback(x, self.metric(self.chart(x)))

    def _rows(self, name, *arrays):
        if name not in self._compiled:
            function = getattr(self, name)
            self._compiled[name] = Rows(function, self.variables)
        return self._compiled[name](*arrays)

    def _check(self, x, dt=None, needs_dt=True):
        if x.shape[1] != self.dimension:
            raise ValueError(
                f"The model was built for states of dimension {self.dimension}; received shape "
                f"{x.shape}."
            )
        if needs_dt and self.timed != (dt is not None):
            has, got = ("takes", "none was") if self.timed else ("takes no", "one was")
            raise ValueError(
                f"The model {has} step dt, but {got} given. A model is fitted either on x alone or "
                "on (x, dt)."
            )

    def step(self, x: np.ndarray, dt: np.ndarray | None = None) -> tuple:
        """Next states (N, d) and Jacobians (N, d, d), ``[n, i, j]`` = ∂F_i/∂x_j, as numpy arrays.

        Parameters
        ----------
        x : array (N, d)
        dt : array (N, 1) or (N,), for a model that was fitted with steps
        """
        x, dt = state_rows(x if dt is None else (x, dt))
        self._ready()
        self._check(x, dt)
        if dt is None:
            return self._rows("_untimed_flow", x)
        return self._rows("_flow", x, dt)

    def _untimed_flow(self, x):
        return self._flow(x, None)

    def metric_tensor(self, x: np.ndarray) -> np.ndarray:
        """Metric G (N, d, d) in the states' coordinates: the precision of the noise at x (N, d)."""
        return self._at("_pulled_back", x)

    def noise_covariance(self, x: np.ndarray) -> np.ndarray:
        """Covariance (N, d, d) of the measurement noise at x (N, d): the inverse of the metric."""
        return self._at("_noise", x)

    def _at(self, name, x):
        x, _ = state_rows(x)
        self._ready()
        self._check(x, needs_dt=False)
        return self._rows(name, x)

    def _ready(self):
        if not self.built:
            raise ValueError("The model has no weights yet: call fit(x, y) or adapt(x, y) first.")

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        refuse_quantized(self)
        serialize = keras.saving.serialize_keras_object
        evolution = self.evolution.get_config()
        return {
            **super().get_config(),
            "chart": serialize(self.chart),
            "metric": serialize(self.metric),
            "hidden": self.hidden,
            "activation": serialize(self.activation),
            "curvature_weight": evolution["curvature_weight"],
            "volume_weight": evolution["volume_weight"],
        }

    @classmethod
    def from_config(cls, config: dict) -> "NeuralDifferentialManifold":
        """Rebuild the model from `get_config()`."""
        parts = ("chart", "metric", "activation")
        parts += tuple(
            key for key in ("curvature_weight", "volume_weight") if isinstance(config[key], dict)
        )
        parts = {key: keras.saving.deserialize_keras_object(config[key]) for key in parts}
        return cls(**{**config, **parts})
