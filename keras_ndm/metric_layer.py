"""The metric: a network from coordinates to a symmetric positive definite tensor."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import ops

from keras_ndm import metric_heads
from keras_ndm.geometry import activations, jets
from keras_ndm.precision import full_precision


@keras.saving.register_keras_serializable("keras_ndm")
class MetricLayer(keras.layers.Layer):
    """Learned metric tensor field g(z).

    A small network gives the numbers from which a head makes P(z), symmetric positive semidefinite; the
    metric is

        g(z) = P(z) + c(z) 1,      c = floor + tr P / (max_condition − 1),

    so that the smallest eigenvalue is at least `floor` and the condition number at most `max_condition`,
    by construction. Computed in full precision under mixed policies.

    Parameters
    ----------
    kind : str or MetricHead
        The head: "cholesky" (any metric).
    hidden : sequence of int
        Widths of the hidden Dense layers.
    activation : str or callable
        A smooth one ("tanh", "softplus", "silu", "gelu", "sin", …) where curvature is asked for.
    floor : float
        Lower bound on the eigenvalues.
    max_condition : float
        Upper bound on the ratio of the eigenvalues.

    Input (batch, d); output (batch, d, d).

    Raises
    ------
    ValueError
        On an unknown head, a negative floor, a condition bound not above 1, or an input that is no
        (batch, d) array.
    """

    def __init__(
        self,
        kind: str | metric_heads.MetricHead = "cholesky",
        hidden: Sequence[int] = (32,),
        activation: str | Callable = "tanh",
        floor: float = 1e-6,
        max_condition: float = 1e6,
        **kwargs,
    ):
        kwargs["dtype"] = full_precision(kwargs.get("dtype"))
        super().__init__(**kwargs)
        if not floor >= 0:
            raise ValueError(f"`floor` is a lower bound on eigenvalues, ≥ 0; received {floor!r}.")
        if not max_condition > 1:
            raise ValueError(f"`max_condition` must be above 1; received {max_condition!r}.")
        self.kind = kind
        self.head = metric_heads.get(kind)
        self.hidden = tuple(int(width) for width in hidden)
        self.activation = activations.get(activation)
        self.floor = float(floor)
        self.max_condition = float(max_condition)

    def build(self, input_shape: tuple) -> None:
        """Make the network."""
        if len(input_shape) != 2 or input_shape[-1] is None:
            raise ValueError(
                f"MetricLayer takes coordinates of shape (batch, d) with d known; received {input_shape}."
            )
        self.dimension = d = int(input_shape[-1])
        dense, width = keras.layers.Dense, d
        self.network = [
            dense(units, activation=self.activation, dtype=self.dtype_policy, name=f"hidden_{i}")
            for i, units in enumerate(self.hidden)
        ]
        # A small last kernel: the metric starts almost constant and acquires its shape from the data.
        small = keras.initializers.VarianceScaling(1e-4)
        size = self.head.size(d)
        last = dense(size, kernel_initializer=small, dtype=self.dtype_policy, name="outputs")
        self.network.append(last)
        for layer in self.network:
            layer.build((None, width))
            width = layer.units

    def call(self, z: object) -> object:
        """Metric tensors (batch, d, d) at coordinates z (batch, d)."""
        return self.jet(z, order=0).value

    def jet(
        self,
        z: object,
        order: int = 2,
        directions: object = None,
        pairs: jets.Pairs | None = None,
    ) -> jets.Jet:
        """Metric with its derivatives along `directions` (default: the coordinates).

        Returns
        -------
        Jet
            ``value[b, i, j]`` = g_ij, ``first[b, k, i, j]`` = ∂_k g_ij, ``second[b, p, i, j]`` =
            ∂_k ∂_l g_ij with (k, l) = ``pairs[p]``.

        Raises
        ------
        ValueError
            For derivatives of a network whose activation is not smooth.
        """
        outputs = jets.network(jets.seed(z, order, directions, pairs), self.network)
        positive = self.head.tensor(outputs, self.dimension)
        eye = ops.eye(self.dimension, dtype=positive.value.dtype)
        share = 1.0 / (self.max_condition - 1.0)
        trace = positive.linear(lambda p: share * ops.trace(p, axis1=-2, axis2=-1))
        ridge = trace.shift(self.floor).linear(lambda t: ops.expand_dims(t, (-1, -2)) * eye)
        return positive.plus(ridge)

    def factor(self, z: object) -> object:
        """Lower Cholesky factor (batch, d, d) of the metric."""
        return ops.cholesky(self(z))

    def logdet(self, z: object) -> object:
        """Log determinant (batch,) of the metric; half of it is log √det g, the log volume element."""
        diagonal = ops.diagonal(self.factor(z), axis1=-2, axis2=-1)
        return 2.0 * ops.sum(ops.log(diagonal), axis=-1)

    def initialize_at(self, precision: np.ndarray) -> None:
        """Start at the constant metric diag(precision), precision (d,), as far as the head can."""
        outputs = self.head.initial_outputs(np.asarray(precision, "float64"))
        self.network[-1].bias.assign(outputs)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """(batch, d) to (batch, d, d)."""
        return (*input_shape, input_shape[-1])

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        named = isinstance(self.kind, str)
        kind = self.kind if named else keras.saving.serialize_keras_object(self.kind)
        return {
            **super().get_config(),
            "kind": kind,
            "hidden": self.hidden,
            "activation": keras.saving.serialize_keras_object(self.activation),
            "floor": self.floor,
            "max_condition": self.max_condition,
        }

    @classmethod
    def from_config(cls, config: dict) -> "MetricLayer":
        """Rebuild the layer from `get_config()`."""
        config = dict(config)
        for key in ("kind", "activation"):
            if isinstance(config[key], dict):
                config[key] = keras.saving.deserialize_keras_object(config[key])
        return cls(**config)
