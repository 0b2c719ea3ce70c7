"""Several charts side by side: a mixture of their densities."""

import math
import warnings
from collections.abc import Sequence
from types import SimpleNamespace

import keras
import numpy as np
from keras import ops

from keras_ndm import backend
from keras_ndm.backend import Tensor, tfp
from keras_ndm.charts.base import Chart
from keras_ndm.charts.bijector import Bijector
from keras_ndm.charts.compose import Chain, Identity
from keras_ndm.charts.lookup import get, in_dtype
from keras_ndm.precision import full_precision

# Rows from which a start is fitted.
_MOST_ROWS = 100_000


def _count(k):
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise ValueError(
            "`k` is the number of charts, an integer ≥ 1, or a list of such numbers to choose from "
            f"by validation data; received {k!r}."
        )
    return int(k)


def _copy(chart):
    return type(chart).from_config(chart.get_config())


@keras.saving.register_keras_serializable("keras_ndm")
class Atlas(keras.layers.Layer):
    """K charts φ_k with weights π_k that share the space between them softly.

    Their density is ``log p(x) = log Σ_k π_k N(φ_k(x); 0, 1) |det ∂φ_k/∂x|``.

    One chart maps the whole space onto one Gaussian, so it tears where the data close up, as on a
    circle, or come in pieces; several charts only meet. It is no bijection: it goes into
    `FlowDensity`, not into a `CoordinateLayer`.

    Parameters
    ----------
    k : int, or sequence of int
        The number of charts. Of several numbers `FlowDensity.fit` takes the one with the best
        likelihood on validation data.
    chart : str, Chart, or a sequence of these
        As in `CoordinateLayer`; every chart is a copy of it with weights of its own.
    frame : str or Chart
        A map before each chart that `adapt` takes from the chart's own component of the data. The
        principal axes by default: for charts of the whole space.

    Examples
    --------
    >>> density = keras_ndm.FlowDensity(charts.Atlas(4, charts.Autoregressive()))
    >>> density.compile("adam")
    >>> density.fit(x, epochs=50)

    Raises
    ------
    ValueError
        When k is no positive number, or a chart of part of the space would be given coordinates in
        other units.
    """

    def __init__(
        self,
        k: int | Sequence[int],
        chart: str | Chart | tfp.bijectors.Bijector | Sequence = "spline_coupling",
        frame: str | Chart = "whiten",
        **kwargs,
    ):
        kwargs["dtype"] = full_precision(kwargs.get("dtype"))
        super().__init__(**kwargs)
        counts = [_count(n) for n in (k if isinstance(k, list | tuple) else [k])]
        if not counts:
            raise ValueError("`k` is an empty list; give the numbers of charts to choose from.")
        self.candidates = sorted(set(counts))
        self.k = self.candidates[0] if len(self.candidates) == 1 else None
        # What the charts are copied from: kept where Keras does not take it for a part to train.
        chart, frame = (get(part, dtype=self.dtype_policy) for part in (chart, frame))
        self._copied = SimpleNamespace(chart=chart, frame=frame)
        if not (self.chart.whole_space or isinstance(self.frame, Identity)):
            raise ValueError(
                f"The chart {self.chart.name!r} is made for coordinates in their own units, or "
                f"nothing is known of it, and the frame {frame.name!r} would change those. "
                'Give frame="identity".'
            )
        self.flows, self.context_width = None, 0

    @property
    def chart(self) -> Chart:
        """The chart of which the atlas has copies."""
        return self._copied.chart

    @property
    def frame(self) -> Chart:
        """The map of which each chart has a copy before it."""
        return self._copied.frame

    def condition(self, width: int) -> None:
        """Let charts and weights depend on `width` numbers of context; before `build`."""
        if self.built and width != self.context_width:
            raise ValueError(
                f"The atlas was built for {self.context_width} columns of context; received "
                f"{width}. Make a new one."
            )
        self.context_width = int(width)

    def build(self, input_shape: tuple) -> None:
        """Make the charts.

        Raises
        ------
        ValueError
            When `k` is not chosen yet, or no network of the chart can see the context.
        """
        if self.k is None:
            raise ValueError(
                f"The number of charts is to be chosen from {self.candidates}: call "
                "`FlowDensity.fit` with validation data first."
            )
        width = self.context_width
        copied = self.k > 1 or not isinstance(self.chart, Bijector)
        self.flows = []
        for _ in range(self.k):
            parts = [_copy(self.frame), _copy(self.chart) if copied else self.chart]
            flow = in_dtype(Chain(parts), self.dtype_policy)
            if width and not flow.condition(width):
                raise ValueError(
                    f"The chart {self.chart.name!r} has no network that a context could reach. Use "
                    "one with a coupling or autoregressive chart in it."
                )
            flow.build(input_shape)
            flow.built = True
            self.flows.append(flow)
        self.bias = self.add_weight(
            shape=(self.k,), initializer="zeros", trainable=self.k > 1, name="bias"
        )
        self.kernel = None
        if width and self.k > 1:
            shape = (width, self.k)
            self.kernel = self.add_weight(shape=shape, initializer="zeros", name="kernel")

    def log_weights(self, context: Tensor | None = None) -> Tensor:
        """Log of the weights π_k, (k,), or (batch, k) with a context (batch, c)."""
        if self.k == 1:
            return ops.zeros((1,), self.compute_dtype)
        logits = ops.convert_to_tensor(self.bias)
        if self.kernel is not None:
            logits = logits + ops.matmul(context, ops.convert_to_tensor(self.kernel))
        return ops.log_softmax(logits, axis=-1)

    def log_densities(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Terms of the sum, ``log π_k N(φ_k(x)) |det ∂φ_k/∂x|``, (batch, k).

        Parameters
        ----------
        x : tensor (batch, d)
        context : tensor (batch, c), optional
        """

        def term(flow):
            z, log_det = flow.forward_and_log_det(x, context)
            return log_det - 0.5 * ops.sum(ops.square(z), axis=-1)

        constant = 0.5 * x.shape[-1] * math.log(2.0 * math.pi)
        return self._each(term) + self.log_weights(context) - constant

    def _each(self, function):
        """Stack function(flow) of all charts, along the axis 1.

        They have one program, called with the weights of each, so compiling takes as long for many.
        """
        first = self.flows[0]
        if self.k == 1:
            return ops.expand_dims(function(first), 1)

        def with_weights(values):
            mapping = list(zip(first.variables, values, strict=True))
            with keras.StatelessScope(state_mapping=mapping):
                return function(first)

        columns = zip(*(flow.variables for flow in self.flows), strict=True)
        values = [ops.stack([v.value for v in column]) for column in columns]
        return ops.swapaxes(ops.vectorized_map(with_weights, values), 0, 1)

    def call(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Log p(x) of points, (batch,); −∞ where a chart is not defined, outside the support.

        Parameters
        ----------
        x : tensor (batch, d)
        context : tensor (batch, c), optional
        """
        x = ops.cast(x, self.compute_dtype)
        terms = self.log_densities(x, context)
        # What is not a number by itself, or by its weights, stays so.
        sound = ops.all(ops.isfinite(x), axis=-1, keepdims=True)
        given = [] if context is None else [context]
        for part in (*given, *(v for v in self.variables if keras.backend.is_float_dtype(v.dtype))):
            sound = ops.logical_and(sound, ops.all(ops.isfinite(ops.convert_to_tensor(part))))
        outside = ops.logical_and(ops.isnan(terms), sound)
        terms = ops.where(outside, -float("inf"), terms)
        return terms[:, 0] if self.k == 1 else ops.logsumexp(terms, axis=-1)

    def responsibilities(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Share (batch, k) that each chart has in the density at x: they sum to 1."""
        if self.k == 1:
            return ops.ones_like(x[:, :1])
        return ops.softmax(self.log_densities(x, context), axis=-1)

    def coordinates(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Coordinates (batch, k, d) of x in each chart."""
        return self._each(lambda flow: flow.forward_and_log_det(x, context)[0])

    def points(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        """Points (batch, k, d) that have the coordinates z in each chart.

        Parameters
        ----------
        z : tensor (batch, d)
        context : tensor (batch, c), optional
        """
        return self._each(lambda flow: flow.inverse_given(z, context))

    def transition(self, z: Tensor, start: int, end: int, context: Tensor | None = None) -> Tensor:
        """Coordinates (batch, d) in the chart `end` of points with coordinates z in `start`.

        Parameters
        ----------
        z : tensor (batch, d)
        start, end : int
            Numbers of charts, from 0.
        context : tensor (batch, c), optional
        """
        x = self.flows[start].inverse_given(z, context)
        return self.flows[end].forward_and_log_det(x, context)[0]

    def pullback(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Metric Σ_k r_k(x) J_kᵀ J_k (batch, d, d), J_k = ∂φ_k/∂x, r the responsibilities."""
        total, shares = 0.0, ops.unstack(self.responsibilities(x, context), axis=-1)
        for share, flow in zip(shares, self.flows, strict=True):
            jacobian = backend.jacobian(
                lambda x, flow=flow: flow.forward_and_log_det(x, context)[0], x
            )
            gram = ops.matmul(ops.swapaxes(jacobian, 1, 2), jacobian)
            total = total + ops.reshape(share, (-1, 1, 1)) * gram
        return total

    def adapt(self, data: np.ndarray, context: Tensor | None = None) -> None:
        """Start each chart at a component of a mixture of k normal laws, fitted to the data (EM).

        That mixture is the atlas while its charts are linear. A row counts for one component, drawn
        by the row's responsibilities; the weights are the components' shares.

        Parameters
        ----------
        data : array (N, d)
        context : array (N, c), optional

        Raises
        ------
        ValueError
            When there are fewer rows than charts.
        """
        if len(data) < self.k:
            raise ValueError(f"{self.k} charts need as many rows at least; received {len(data)}.")
        labels = _components(data, self.k)
        for k, flow in enumerate(self.flows):
            chosen = labels == k
            # A component of a few points has no axes of its own.
            chosen = chosen if chosen.sum() > data.shape[1] else np.full(len(data), True)
            flow.adapt(data[chosen], None if context is None else context[chosen])
        counts = np.bincount(labels, minlength=self.k)
        self.bias.assign(np.log((counts + 1.0) / (counts + 1.0).sum()))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Give (batch,)."""
        return (input_shape[0],)

    def get_build_config(self) -> None:
        """Nothing: the model that holds the atlas builds it, once its context is known."""

    def get_config(self) -> dict:
        """Arguments of the constructor, with the number of charts where it was chosen."""
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "k": self.candidates if self.k is None else self.k,
            "chart": serialize(self.chart),
            "frame": serialize(self.frame),
        }

    @classmethod
    def from_config(cls, config: dict) -> "Atlas":
        """Rebuild the atlas from `get_config()`."""
        parts = {
            key: keras.saving.deserialize_keras_object(config[key]) for key in ("chart", "frame")
        }
        return cls(**{**config, **parts})


def _components(data, k):
    """Number of the component of each row, drawn by its share in a mixture of k normal laws."""
    if k == 1:
        return np.zeros(len(data), int)
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    # Of a seed that data are seldom drawn with.
    spread, random = data.std(axis=0), np.random.default_rng((k, len(data)))
    scaled = ((data - data.mean(axis=0)) / np.where(spread > 0, spread, 1.0)).astype("float64")
    some = scaled[random.permutation(len(data))[:_MOST_ROWS]]
    with warnings.catch_warnings():
        # It is a start: rounds that were left out, or fewer places than charts, do no harm.
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture = GaussianMixture(k, random_state=0).fit(some)
    bounds = np.cumsum(mixture.predict_proba(scaled), axis=1)
    return np.minimum((random.uniform(size=(len(data), 1)) > bounds).sum(axis=1), k - 1)
