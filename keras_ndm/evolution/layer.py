"""The evolution layer: a metric with penalties on its curvature and on its volume element."""

import contextlib
import warnings
import weakref
from collections.abc import Iterator

import keras
import numpy as np
from keras import ops

from keras_ndm import backend, metric_heads
from keras_ndm.backend import Tensor
from keras_ndm.evolution import penalty_weights
from keras_ndm.evolution.counting import count_after_loss
from keras_ndm.evolution.gradient_norm import tap
from keras_ndm.evolution.penalty_tracker import PenaltyTracker, nan_initializer
from keras_ndm.geometry.stochastic import scalar_estimate
from keras_ndm.keras_internals import layers_inside, model_being_called, pass_under_way
from keras_ndm.metric_layer import MetricLayer
from keras_ndm.rowwise import row_shape

# A penalty that a budget holds moves about its target; above this multiple it is not held yet.
_SETTLED = 1.2

# What the state of the random numbers is called in a file of weights.
_PLANES = "planes"

_CLOSED = (metric_heads.Conformal, metric_heads.Constant, metric_heads.Pullback)


@keras.saving.register_keras_serializable("keras_ndm")
class EvolutionLayer(keras.layers.Layer):
    """Wrap a `MetricLayer` and add λ_c E[R²] + λ_v Var[log √det g] to the model's loss.

    R is the Ricci scalar; expectation and variance are over the batch. It is computed in the metric
    layer's coordinates z: R does not depend on them, so the chart need not be differentiated. Both
    penalties appear by name in the logs of `fit`, "curvature" and "volume" (without λ), with
    "curvature_weight" and "volume_weight", the λ in use. In a model with several such layers the
    layer's name stands before them ("first_curvature"). A layer that is called more than once in a
    pass adds its penalties each time and logs their mean.

    Parameters
    ----------
    metric : MetricLayer
    curvature_weight, volume_weight : float, keras schedule, Budget, or Balance
        λ_c and λ_v. A schedule is a function of the training step; `Budget(target)` keeps the
        penalty at or below a target; `Balance(share)` keeps its gradient at a share of the task's.
        A penalty with the number 0 is not computed.
    estimator : {"auto", "exact", "stochastic"}
        How R is computed: exactly by 2-jets (or the head's closed form), or by the unbiased
        estimate from one random plane a point, with two independent planes for the square, whose
        cost does not grow with d². "auto" is exact up to d = 8 and wherever the head has a cheap
        closed form.
    share : float
        Share of the batch on which the curvature is computed, in (0, 1]: every k-th row, with k the
        whole number nearest to 1 / share.
    returns : {"metric", "input"}
        What the layer gives: the metric (batch, d, d), or its input unchanged, for heads whose
        dense tensor nobody needs.
    seed : int, optional
        Of the random planes.

    Raises
    ------
    ValueError
        When `metric` is no MetricLayer, an argument is none of those above, or curvature is asked
        of a network whose activation is not smooth.
    """

    def __init__(
        self,
        metric: MetricLayer,
        curvature_weight: penalty_weights.Weight = 0.0,
        volume_weight: penalty_weights.Weight = 0.0,
        estimator: str = "auto",
        share: float = 1.0,
        returns: str = "metric",
        seed: int | None = None,
        **kwargs,
    ):
        if not isinstance(metric, MetricLayer):
            raise ValueError(
                "EvolutionLayer wraps a MetricLayer: EvolutionLayer(MetricLayer(), …); received "
                f"{metric!r}."
            )
        _check(estimator, share, returns)
        kwargs.setdefault("dtype", metric.dtype_policy)
        super().__init__(**kwargs)
        self.metric, self.estimator, self.share = metric, estimator, float(share)
        self.returns, self.seed = returns, seed
        self.curvature_weight, self.volume_weight = curvature_weight, volume_weight
        self.rules = {}
        for name, weight in (("curvature", curvature_weight), ("volume", volume_weight)):
            rule = penalty_weights.get(weight, f"{name}_weight")
            if not (isinstance(rule, penalty_weights.Fixed) and rule.value == 0):
                self.rules[name] = rule
        if "curvature" in self.rules:
            metric.require_smooth()
            self.random = keras.random.SeedGenerator(seed)
        self._calls = weakref.WeakKeyDictionary()  # of this layer in each pass under way
        self.trackers = []
        for name, rule in self.rules.items():
            self._make_state(name, rule)

    def _make_state(self, name, rule):
        def add(key, start, **options):
            weight = self.add_weight(shape=(), initializer=start, name=key, **options)
            setattr(self, key, weight)
            return weight

        constant = keras.initializers.Constant
        last = add(f"last_{name}", nan_initializer, trainable=False)
        schedule = not isinstance(rule, penalty_weights.PenaltyWeight)
        start = float(rule(0)) if schedule else rule.initial()
        lam = add(f"{name}_lambda", constant(start), trainable=False)
        if schedule:
            add(f"{name}_step", "zeros", trainable=False)
        if isinstance(rule, penalty_weights.Balance):
            for kind in ("task", "penalty"):
                add(f"{name}_{kind}_norm", "zeros", overwrite_with_gradient=True)
        self.trackers.append(PenaltyTracker(name, last))
        self.trackers.append(PenaltyTracker(f"{name}_weight", lam))

    def build(self, input_shape: tuple) -> None:
        """Build the metric."""
        if not self.metric.built:
            self.metric.build(row_shape(input_shape, "EvolutionLayer takes coordinates"))
            self.metric.built = True
        if "curvature" in self.rules:
            self.metric.require_smooth()
        head, d = self.metric.head, self.metric.dimension
        self.exact = self.estimator == "exact" or (
            self.estimator == "auto" and (d <= 8 or isinstance(head, _CLOSED))
        )
        if not self.exact and isinstance(head, metric_heads.Pullback):
            raise ValueError(
                "The pullback head has no stochastic estimator of its curvature; its exact closed "
                "form "
                'is cheap. Use estimator="exact".'
            )
        balanced = any(isinstance(rule, penalty_weights.Balance) for rule in self.rules.values())
        if balanced and not head.takes_network:
            raise ValueError("Balance needs a metric head with a network; received a constant one.")

    def call(self, z: Tensor, training: bool = False) -> Tensor:
        """Metric (batch, d, d), or z itself; the penalties are added on the way."""
        self._enter_model()
        now = pass_under_way(self)
        self._before = self._calls.get(now, 0)
        self._calls[now] = self._before + 1
        z = ops.cast(z, self.compute_dtype)
        rows = z if len(z.shape) == 2 else ops.reshape(z, (-1, z.shape[-1]))
        if "curvature" in self.rules:
            self._penalize("curvature", self._squared_curvature, rows, training)
        if "volume" in self.rules:
            self._penalize("volume", self._volume_spread, rows, training)
        if self.returns == "input":
            return z
        with self.metered(training):
            return self.metric(z)

    def _enter_model(self):
        """Name the penalties, with the layer's name where the model has several; let it count."""
        model = model_being_called(self)
        if model is None or not self.trackers:
            return
        layers = [part for part in layers_inside(model) if isinstance(part, EvolutionLayer)]
        layers = [part for part in layers if part.trackers]
        for tracker, name in zip(self.trackers, self._logged_names(), strict=True):
            tracker.name = f"{self.name}_{name}" if len(layers) > 1 else name

        def count():
            for layer in layers:
                layer.update_trackers()

        count_after_loss(model, count)

    def _logged_names(self):
        return [f"{name}{end}" for name in self.rules for end in ("", "_weight")]

    def penalties(self) -> dict:
        """Values of the penalties at the last batch and their λ, as numbers by name."""
        variables = [
            variable
            for name in self.rules
            for variable in (getattr(self, f"last_{name}"), getattr(self, f"{name}_lambda"))
        ]
        values = [float(ops.convert_to_numpy(variable.value)) for variable in variables]
        return dict(zip(self._logged_names(), values, strict=True))

    def warn_of_rising(self) -> None:
        """Warn where a penalty is above its `Budget` at the end of training.

        Warns
        -----
        UserWarning
            Once a penalty, with what to do.
        """
        for name, tracker in zip(self.rules, self.trackers[::2], strict=True):
            rule, value = self.rules[name], float(ops.convert_to_numpy(tracker.result()))
            if isinstance(rule, penalty_weights.Budget) and value > _SETTLED * rule.target:
                weight = self.penalties()[f"{name}_weight"]
                warnings.warn(
                    f"The {name} penalty of {self.name!r} is {value:.3g} at the end of fit, above "
                    f"its budget of {rule.target:.3g}: its weight {weight:.3g} is still rising. "
                    "Train longer, or raise `start` or `rate` of the Budget.",
                    stacklevel=3,
                )

    @contextlib.contextmanager
    def metered(self, training: bool) -> Iterator[None]:
        """Within the context, use of the metric counts as the task's, for `Balance`."""
        balanced = [
            n for n, rule in self.rules.items() if isinstance(rule, penalty_weights.Balance)
        ]
        if not (training and balanced):
            yield
            return

        def tapped(kernel):
            for name in balanced:
                meter = ops.convert_to_tensor(getattr(self, f"{name}_task_norm"))
                kernel = tap(kernel, meter, ops.ones_like(meter))
            return kernel

        with self.metric.last_kernel(tapped):
            yield

    def _squared_curvature(self, z):
        z = z[:: max(1, round(1.0 / self.share))]
        if self.exact:
            return backend.mean(ops.square(self.metric.scalar_curvature(z)))
        # Both planes of a point in one batch.
        twice = ops.concatenate([z, z], axis=0)
        rows = ops.shape(twice)[0]
        shape = (rows, self.metric.head.noise_size(self.metric.dimension))
        # One draw a vector: on TensorFlow's XLA a single large draw was ten times slower.
        draw = lambda: keras.random.normal(shape, dtype=self.compute_dtype, seed=self.random)  # noqa: E731
        normals = ops.stack([draw() for _ in range(3)])
        one, two = ops.split(scalar_estimate(self.metric, twice, normals), 2, axis=0)
        return backend.mean(one * two)

    def _volume_spread(self, z):
        log_volume = 0.5 * self.metric.logdet(z)
        return backend.mean(ops.square(log_volume - backend.mean(log_volume)))

    def _penalize(self, name, penalty, z, training):
        rule, lam = self.rules[name], getattr(self, f"{name}_lambda")
        balance = isinstance(rule, penalty_weights.Balance)
        weight = ops.stop_gradient(ops.convert_to_tensor(lam))
        norms = None
        if training and balance:
            task, meter = (getattr(self, f"{name}_{kind}_norm") for kind in ("task", "penalty"))
            norms = [ops.stop_gradient(ops.convert_to_tensor(v)) for v in (task, meter)]
            # The first step has no λ yet; a minute one lets the meter see the gradient.
            scale = ops.maximum(weight, 1e-12)
            with self.metric.last_kernel(lambda k: tap(k, ops.convert_to_tensor(meter), scale)):
                value = penalty(z)
            self.add_loss(scale * value)
        else:
            value = penalty(z)
            self.add_loss(weight * value)
        value = ops.stop_gradient(value)
        last, before = getattr(self, f"last_{name}"), self._before
        last.assign(value if not before else (before * last + value) / (before + 1.0))
        if training:
            self._update(name, rule, lam, weight, value, norms)

    def _update(self, name, rule, lam, weight, value, norms):
        if isinstance(rule, penalty_weights.PenaltyWeight):
            lam.assign(rule.update(weight, value, norms))
            return
        step = getattr(self, f"{name}_step")
        step.assign(step + 1.0)
        lam.assign(ops.cast(rule(ops.convert_to_tensor(step)), lam.dtype))

    def update_trackers(self) -> None:
        """Count the last penalties in the logged means; for `compute_loss` of a model."""
        for tracker in self.trackers:
            tracker.update()

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """(batch, d) to (batch, d, d), or the same."""
        if self.returns == "input":
            return tuple(input_shape)
        return self.metric.compute_output_shape(input_shape)

    def save_own_variables(self, store: dict) -> None:
        """Store the weights, and the place in the stream of random planes, which Keras forgets.

        Parameters
        ----------
        store : dict
            From name to array.
        """
        super().save_own_variables(store)
        if "curvature" in self.rules:
            store[_PLANES] = ops.convert_to_numpy(self.random.state)

    def load_own_variables(self, store: dict) -> None:
        """Load what `save_own_variables` stored; training goes on with the planes that follow.

        Parameters
        ----------
        store : dict
            From name to array.
        """
        super().load_own_variables({key: store[key] for key in store.keys() if key != _PLANES})  # noqa: SIM118
        if "curvature" in self.rules and _PLANES in store:
            self.random.state.assign(store[_PLANES])

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        return {
            **super().get_config(),
            "metric": keras.saving.serialize_keras_object(self.metric),
            "curvature_weight": _written(self.curvature_weight),
            "volume_weight": _written(self.volume_weight),
            "estimator": self.estimator,
            "share": self.share,
            "returns": self.returns,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict) -> "EvolutionLayer":
        """Rebuild the layer from `get_config()`."""
        config = dict(config)
        for key in ("metric", "curvature_weight", "volume_weight"):
            if isinstance(config[key], dict):
                config[key] = keras.saving.deserialize_keras_object(config[key])
        return cls(**config)


def _written(weight):
    number = isinstance(weight, int | float | np.number)
    return float(weight) if number else keras.saving.serialize_keras_object(weight)


def _check(estimator, share, returns):
    for name, value, known in (
        ("estimator", estimator, ("auto", "exact", "stochastic")),
        ("returns", returns, ("metric", "input")),
    ):
        if value not in known:
            raise ValueError(f"`{name}` must be one of {known}; received {value!r}.")
    if not 0 < share <= 1:
        raise ValueError(f"`share` of the batch must lie in (0, 1]; received {share!r}.")
