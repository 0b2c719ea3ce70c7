"""The metric: a network from coordinates to a symmetric positive definite tensor."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import SimpleNamespace

import keras
import numpy as np
from keras import ops

from keras_ndm import metric_heads
from keras_ndm.backend import Tensor
from keras_ndm.backend.training import cholesky
from keras_ndm.geometry import activations, jets
from keras_ndm.geometry.curvature import inverse_from_factor
from keras_ndm.precision import full_precision, refuse_quantized
from keras_ndm.rowwise import over_rows, row_shape
from keras_ndm.user_data import is_number, widths_of

# Share of `max_condition` up to which a large eigenvalue leaves the small ones as they are: the
# ridge is then at most this share of the smallest, for each large one.
_SPARED = 0.1


@keras.saving.register_keras_serializable("keras_ndm")
class MetricLayer(keras.layers.Layer):
    """Learned metric tensor field g(z), (batch, d) to (batch, d, d).

    A small network gives the numbers from which a head makes P(z), symmetric positive semidefinite;
    the metric is

        g(z) = P(z) + c(z) 1,      c = floor + tr P / (max_condition − 1),

    so that the smallest eigenvalue is at least `floor` and the condition number at most
    `max_condition`, by construction. Computed in full precision under mixed policies. The layer can
    be called on inputs with more axes between, as (batch, time, d); its methods take (batch, d).

    Parameters
    ----------
    kind : str or MetricHead
        The head: "cholesky" (any metric), "low_rank" (plus diagonal), "diagonal", "conformal",
        "pullback" (of an embedding), "constant".
    hidden : sequence of int, or of layers
        Widths of the hidden Dense layers; or the hidden layers themselves, Dense and Activation.
    activation : str or callable
        Of the hidden layers; a smooth one ("tanh", "softplus", "silu", "gelu", "sin", …) where
        curvature is asked for.
    floor : float
        Lower bound on the eigenvalues.
    max_condition : float
        Upper bound on the ratio of the eigenvalues.
    dimension : int, optional
        k of a tensor (batch, k, k) that belongs to something else than the inputs, such as the
        precision of k targets; it is then no metric of the inputs, and has no curvature.

    Raises
    ------
    ValueError
        On an unknown head, a negative floor, a condition bound not above 1, layers that are neither
        Dense nor Activation, an input without an axis of coordinates, or a dimension that the head
        cannot have.
    """

    def __init__(
        self,
        kind: str | metric_heads.MetricHead = "cholesky",
        hidden: Sequence = (32,),
        activation: str | Callable = "tanh",
        floor: float = 1e-6,
        max_condition: float = 1e6,
        dimension: int | None = None,
        **kwargs,
    ):
        kwargs["dtype"] = full_precision(kwargs.get("dtype"))
        super().__init__(**kwargs)
        if not (is_number(floor) and floor >= 0):
            raise ValueError(f"`floor` is a lower bound on eigenvalues, ≥ 0; received {floor!r}.")
        if not (is_number(max_condition) and max_condition > 1):
            raise ValueError(f"`max_condition` must be above 1; received {max_condition!r}.")
        if dimension is not None and not (is_number(dimension, whole=True) and dimension >= 1):
            raise ValueError(f"`dimension` must be at least 1; received {dimension!r}.")
        self.supports_masking = True  # every point has its own tensor
        self.kind = kind
        self.head = metric_heads.get(kind)
        # As an attribute: so Keras tracks the layers of a head of the user's own.
        self.head_layers = [
            part for part in keras.tree.flatten(vars(self.head)) if isinstance(part, keras.Layer)
        ]
        self.hidden = _hidden(hidden)
        self.activation = activations.get(activation)
        self.floor = float(floor)
        self.max_condition = float(max_condition)
        self.own_dimension = None if dimension is None else int(dimension)
        self.network = []
        self._replaced = None

    def build(self, input_shape: tuple) -> None:
        """Make the network."""
        shape = row_shape(input_shape, "MetricLayer takes coordinates")
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: shape[1]})
        self.dimension = d = self.own_dimension or shape[1]
        self._tangent = d == shape[1]
        if isinstance(self.head, metric_heads.Pullback) and not self._tangent:
            raise ValueError(
                f"The pullback head gives a tensor of the inputs' dimension, {shape[1]}; received "
                f"`dimension={d}`. Use another head."
            )
        size = self.head.size(d)
        if not self.head.takes_network:
            self.constant = self.add_weight(shape=(size,), initializer="zeros", name="outputs")
            return
        dense = keras.layers.Dense
        for i, part in enumerate(self.hidden):
            if isinstance(part, int):
                options = {"dtype": self.dtype_policy, "name": f"hidden_{i}"}
                part = dense(part, activation=self.activation, **options)
            self.network.append(part)
        # A small last kernel: the metric starts almost constant and gets its shape from the data.
        # An embedding, though, must not start as a point.
        pullback = isinstance(self.head, metric_heads.Pullback)
        start = keras.initializers.VarianceScaling(1.0 if pullback else 1e-4)
        # A shift of an embedding moves no metric.
        options = {"use_bias": not pullback, "dtype": self.dtype_policy, "name": "outputs"}
        self.network.append(dense(size, kernel_initializer=start, **options))
        for layer in self.network:
            if not layer.built:
                layer.build(shape)
            shape = layer.compute_output_shape(shape)

    def call(self, z: Tensor) -> Tensor:
        """Metric tensors (batch, d, d) at coordinates z (batch, d)."""
        return over_rows(lambda z: self.jet(z, order=0).value, ops.cast(z, self.compute_dtype))

    def outputs(
        self,
        z: Tensor,
        order: int = 2,
        directions: Tensor | None = None,
        pairs: tuple | None = None,
    ) -> jets.Jet:
        """Jet of the numbers (batch, size) that the head takes.

        Parameters
        ----------
        z, order, directions, pairs
            As `x` and the other arguments of `keras_ndm.geometry.jets.seed`.
        """
        self._require_weights()
        start = jets.seed(z, order, directions, pairs)
        if self.head.takes_network:
            return jets.network(start, self.tapped_network())
        # A constant is linear in z with slope zero.
        none = ops.zeros((z.shape[-1], self.constant.shape[0]), dtype=z.dtype)
        flat = start.linear(lambda part: ops.matmul(part, none))
        return flat.shift(ops.convert_to_tensor(self.constant))

    @contextlib.contextmanager
    def last_kernel(self, function: Callable) -> Iterator[None]:
        """Within the context, use `function(kernel)` for the kernel of the network's last layer."""
        self._replaced = function(ops.convert_to_tensor(self.network[-1].kernel))
        try:
            yield
        finally:
            self._replaced = None

    def tapped_network(self) -> list:
        """Give the network's layers, the last with the kernel that `last_kernel` asks for."""
        self._require_weights()
        if self._replaced is None:
            return self.network
        last = self.network[-1]
        told = {"bias": last.bias, "use_bias": last.use_bias, "activation": None}
        tapped = SimpleNamespace(kernel=self._replaced, **told)
        return [*self.network[:-1], tapped]

    def _require_weights(self) -> None:
        if not self.built:
            raise ValueError(
                f"{self.name} has no weights yet. Build it first: call it on points, or "
                "metric.build((None, n)) for points of n coordinates."
            )

    def ridge(self, outputs: jets.Jet) -> jets.Jet:
        """Jet of the multiple c (batch,) of the identity, from the head's numbers."""
        share = 1.0 / (self.max_condition - 1.0)
        trace = self.head.trace(outputs, self.dimension)
        return trace.linear(lambda t: share * t).shift(self.floor)

    def values(self, z: Tensor) -> tuple:
        """Numbers (batch, size), ridge (batch,) and dimension d, at z (batch, d)."""
        outputs = self.outputs(z, order=0)
        return outputs.value, self.ridge(outputs).value, self.dimension

    def jet(
        self,
        z: Tensor,
        order: int = 2,
        directions: Tensor | None = None,
        pairs: jets.Pairs | None = None,
    ) -> jets.Jet:
        """Metric with its derivatives along `directions` (default: the coordinates).

        Parameters
        ----------
        z : tensor (batch, d)
        order : {0, 1, 2}
            Derivatives to give.
        directions : tensor (batch, m, d), optional
        pairs : tuple of (i, j), optional
            Second derivatives to give, by their directions; default every i ≤ j.

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
        return self.head.jet(self, z, order, directions, pairs)

    def bilinear(
        self,
        z: Tensor,
        vectors: Tensor,
        pairs: tuple,
        order: int = 2,
        directions: Tensor | None = None,
        second: jets.Pairs | None = None,
    ) -> jets.Jet:
        """Jet of g(a, b), (batch, len(pairs)), for pairs of vectors at z.

        Parameters
        ----------
        z : tensor (batch, d)
        vectors : tensor (batch, k, d)
        pairs : tuple of (i, j)
            Which vectors to multiply.
        order, directions, second
            As `order`, `directions` and `pairs` of `jet`.
        """
        outputs = self.outputs(z, order, directions, second)
        left, right = metric_heads.select(vectors, pairs)
        dots = ops.sum(left * right, axis=-1)
        ridge = self.ridge(outputs).linear(lambda c, dots: c[..., None] * dots, dots)
        return self.head.bilinear(outputs, vectors, pairs).plus(ridge)

    def factor(self, z: Tensor) -> Tensor:
        """Lower Cholesky factor (batch, d, d) of the metric; NaN at points that are NaN."""
        return cholesky(self(z))

    def inner(self, z: Tensor, u: Tensor, v: Tensor) -> Tensor:
        """Inner product g(u, v), (batch,), of vectors (batch, d) at z.

        Parameters
        ----------
        z, u, v : tensor (batch, d)
        """
        if isinstance(self.head, metric_heads.Pullback):
            return ops.einsum("bi,bij,bj->b", u, self(z), v)
        return self.bilinear(z, ops.stack([u, v], axis=1), ((0, 1),), order=0).value[:, 0]

    def solve(self, z: Tensor, vectors: Tensor) -> Tensor:
        """Raise indices: g⁻¹ v (batch, d) of v (batch, d) at z."""
        return self.head.solve(self, z, vectors)

    def inverse(self, z: Tensor) -> Tensor:
        """Inverse metric (batch, d, d)."""
        return inverse_from_factor(self.factor(z))

    def logdet(self, z: Tensor) -> Tensor:
        """Log determinant (batch,); half of it is log √det g, the log volume element."""
        return self.head.logdet(self, z)

    def sample(self, z: Tensor, normal: Tensor) -> Tensor:
        """Vectors (batch, d) of covariance g⁻¹ from normal numbers (batch, head.noise_size(d))."""
        return self.solve(z, self.head.root(self, z, normal))

    def scalar_curvature(self, z: Tensor) -> Tensor:
        """Ricci scalar (batch,), exact; by the head's closed form where it has one."""
        self.require_smooth()
        return self.head.scalar_curvature(self, z)

    def require_smooth(self) -> None:
        """Check that the metric has a curvature.

        Raises
        ------
        ValueError
            When an activation is not smooth, or the tensor is not one of the inputs.
        """
        if self.built and not self._tangent:
            raise ValueError(
                f"A tensor of dimension {self.dimension} on inputs of another one is no metric of "
                "theirs and has no curvature."
            )
        activations.derivatives(self.activation)
        for part in self.hidden:
            if not isinstance(part, int):
                activations.derivatives(part.activation)

    def initialize_at(self, precision: np.ndarray) -> None:
        """Start at the constant metric diag(precision), precision (d,), as far as the head can.

        Entries that are not finite or not positive are not known: they get the median of the
        others. None may be so large that `max_condition` would change the others.
        """
        precision = np.asarray(precision, "float64")
        known = np.isfinite(precision) & (precision > 0)
        middle = np.median(precision[known]) if known.any() else 1.0
        precision = np.where(known, precision, middle)
        precision = np.minimum(precision, _SPARED * self.max_condition * precision.min())
        target = self.network[-1].bias if self.head.takes_network else self.constant
        if target is not None:
            target.assign(self.head.initial_outputs(precision))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """(batch, d) to (batch, d, d), or (batch, k, k)."""
        d = self.own_dimension or input_shape[-1]
        return (*input_shape[:-1], d, d)

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        refuse_quantized(self)
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "kind": self.kind if isinstance(self.kind, str) else serialize(self.kind),
            "hidden": [p if isinstance(p, int) else serialize(p) for p in self.hidden],
            "activation": serialize(self.activation),
            "floor": self.floor,
            "max_condition": self.max_condition,
            "dimension": self.own_dimension,
        }

    @classmethod
    def from_config(cls, config: dict) -> "MetricLayer":
        """Rebuild the layer from `get_config()`."""
        read = keras.saving.deserialize_keras_object
        config = dict(config)
        for key in ("kind", "activation"):
            if isinstance(config[key], dict):
                config[key] = read(config[key])
        config["hidden"] = [p if isinstance(p, int) else read(p) for p in config["hidden"]]
        return cls(**config)


def _hidden(hidden):
    parts = hidden.layers if isinstance(hidden, keras.Sequential) else hidden
    if not isinstance(parts, Iterable):
        widths_of(parts)
    kinds = keras.layers.Dense | keras.layers.Activation | int | np.integer
    bad = [part for part in parts if not isinstance(part, kinds)]
    if bad:
        raise ValueError(
            "`hidden` must hold widths, or keras.layers.Dense and Activation layers; received "
            f"{bad[0]!r}. Derivatives are pushed through these kinds of layers only."
        )
    for part in parts:
        if getattr(part, "activity_regularizer", None) is not None:
            raise ValueError(
                f"The layer {part.name!r} has an `activity_regularizer`, which is never computed: "
                "derivatives are pushed through the layer without calling it. Use "
                "`kernel_regularizer` and `bias_regularizer`, which count."
            )
    return [int(p) if isinstance(p, int | np.integer) else p for p in parts]
