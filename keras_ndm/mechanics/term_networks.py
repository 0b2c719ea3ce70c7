r"""Networks of a learned Lagrangian, and the equation of motion that follows from them.

    L = ½ g_ij(q) q̇^i q̇^j + A_i(q) q̇^i − V(q),      friction −D_ij(q) q̇^j,

    g q̈ = −(∂_k g_ij q̇^k q̇^j − ½ ∂_i g_jk q̇^j q̇^k) − ∂_i V + (∂_i A_j − ∂_j A_i) q̇^j − D_ij q̇^j.

All derivatives are 1-jets along the coordinates, so that training compiles and needs no nested
differentiation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
from keras import ops

from keras_ndm import backend
from keras_ndm.backend import Tensor
from keras_ndm.geometry import activations, jets
from keras_ndm.geometry.curvature import inverse_from_factor
from keras_ndm.geometry.jets import Jet
from keras_ndm.metric_heads.cholesky import Cholesky

# Added to the metric in scaled coordinates: keeps it positive definite in single precision.
_FLOOR = 1e-4


@dataclass(frozen=True)
class Terms:
    """Parts of a Lagrangian at points, each with its first derivatives; missing parts are None.

    Attributes
    ----------
    metric : Jet, value (batch, d, d), ``first[b, k, i, j]`` = ∂_k g_ij
    potential : Jet, value (batch,), first (batch, d), or None
    one_form : Jet, value (batch, d), ``first[b, k, i]`` = ∂_k A_i, or None
    friction : tensor (batch, d, d) or None
    """

    metric: Jet
    potential: Jet | None
    one_form: Jet | None
    friction: Tensor | None

    def force(self, velocity: Tensor) -> Tensor:
        """Right-hand side of g q̈ = …, (batch, d), at velocities (batch, d)."""
        dg = self.metric.first
        total = 0.5 * ops.einsum("bijk,bj,bk->bi", dg, velocity, velocity)
        total = total - ops.einsum("bkij,bk,bj->bi", dg, velocity, velocity)
        if self.potential is not None:
            total = total - self.potential.first
        if self.one_form is not None:
            curl = self.one_form.first - ops.swapaxes(self.one_form.first, 1, 2)
            total = total + ops.einsum("bij,bj->bi", curl, velocity)
        return total + self._drag(velocity, total)

    def acceleration(self, velocity: Tensor) -> Tensor:
        """Give q̈ (batch, d)."""
        inverse = inverse_from_factor(ops.cholesky(self.metric.value))
        return ops.einsum("bij,bj->bi", inverse, self.force(velocity))

    def momentum(self, velocity: Tensor) -> Tensor:
        """Give p = g q̇ + A, (batch, d)."""
        p = ops.einsum("bij,bj->bi", self.metric.value, velocity)
        return p if self.one_form is None else p + self.one_form.value

    def hamiltonian_flow(self, momentum: Tensor) -> tuple:
        """Give q̇ and ṗ, (batch, d) each, at momenta (batch, d)."""
        kinetic = momentum if self.one_form is None else momentum - self.one_form.value
        inverse = inverse_from_factor(ops.cholesky(self.metric.value))
        velocity = ops.einsum("bij,bj->bi", inverse, kinetic)
        rate = 0.5 * ops.einsum("bijk,bj,bk->bi", self.metric.first, velocity, velocity)
        if self.potential is not None:
            rate = rate - self.potential.first
        if self.one_form is not None:
            rate = rate + ops.einsum("bij,bj->bi", self.one_form.first, velocity)
        return velocity, rate + self._drag(velocity, rate)

    def energy(self, velocity: Tensor) -> Tensor:
        """Give ½ g q̇ q̇ + V, (batch,)."""
        kinetic = 0.5 * ops.einsum("bij,bi,bj->b", self.metric.value, velocity, velocity)
        return kinetic if self.potential is None else kinetic + self.potential.value

    def scaled(self, scale: Tensor, level: Tensor) -> "Terms":
        """Multiply the Lagrangian by `scale`, after V was lowered by `level`."""
        times = lambda part: part * scale  # noqa: E731
        linear = lambda jet: None if jet is None else jet.linear(times)  # noqa: E731
        potential = None if self.potential is None else self.potential.shift(-level)
        friction = None if self.friction is None else times(self.friction)
        return Terms(linear(self.metric), linear(potential), linear(self.one_form), friction)

    def _drag(self, velocity, like):
        if self.friction is None:
            return ops.zeros_like(like)
        return -ops.einsum("bij,bj->bi", self.friction, velocity)


class TermNetworks(keras.layers.Layer):
    """Networks for g, V, A and D over features of the coordinates.

    Angles enter by cosine and sine, so everything is periodic in them. The scale of all together,
    which the motion does not fix, is left as training finds it; `gauge` tells how to set it.

    Parameters
    ----------
    dimension : int
    angles : tuple of int
        Columns that are angles.
    hidden : sequence of int
    activation : callable
    parts : tuple of str
        Of "potential", "one_form", "friction".
    """

    def __init__(
        self,
        dimension: int,
        angles: Sequence[int],
        hidden: Sequence[int],
        activation: Callable,
        parts: tuple[str, ...],
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.dimension, self.angles, self.parts = dimension, tuple(angles), parts
        self.straight = tuple(i for i in range(dimension) if i not in self.angles)
        self.head = Cholesky()
        width = len(self.straight) + 2 * len(self.angles)
        size = self.head.size(dimension)
        sizes = {"potential": 1, "one_form": dimension, "friction": size}
        self.metric_network = self._stack("metric", width, hidden, size, activation)
        self.networks = {
            part: self._stack(part, width, hidden, sizes[part], activation) for part in parts
        }

    def _stack(self, name, width, hidden, size, activation):
        dense, layers = keras.layers.Dense, []
        # A small last kernel: the system starts as a free particle.
        small = keras.initializers.VarianceScaling(1e-2)
        for i, units in enumerate(hidden):
            layers.append(
                dense(units, activation=activation, dtype=self.dtype_policy, name=f"{name}_{i}")
            )
        # A constant in the potential moves nothing.
        biased = {"use_bias": name != "potential", "dtype": self.dtype_policy}
        last = dense(size, kernel_initializer=small, name=f"{name}_out", **biased)
        layers.append(last)
        for layer in layers:
            layer.build((None, width))
            width = layer.units
        return layers

    def build(self, input_shape: tuple) -> None:
        """Nothing is left to make."""

    def call(self, t: Tensor, units: dict, order: int = 1) -> Terms:
        """Terms at scaled coordinates t (batch, d).

        Parameters
        ----------
        t : tensor (batch, d)
        units : dict
            Typical size, in scaled coordinates, of each part's contribution to accelerations.
        order : {1, 2}
            Derivatives that the jets hold.
        """
        features = self._features(jets.seed(t, order))
        found = {
            part: self._part(part, layers, features, units[part])
            for part, layers in self.networks.items()
        }
        metric = self._metric(features, self.metric_network)
        return Terms(metric, found.get("potential"), found.get("one_form"), found.get("friction"))

    def gauge(self, units: dict) -> tuple:
        """Scale that makes det g = 1 at the origin of the scaled coordinates, and V there."""
        origin = self._features(Jet(ops.zeros((1, self.dimension), dtype=self.compute_dtype)))
        factor = ops.cholesky(self._metric(origin, self.metric_network).value)
        log_det = 2.0 * ops.sum(ops.log(ops.diagonal(factor, axis1=-2, axis2=-1)))
        scale = ops.exp(-log_det / self.dimension)
        if "potential" not in self.networks:
            return scale, ops.zeros_like(scale)
        at = self._part("potential", self.networks["potential"], origin, units["potential"])
        return scale, at.value[0]

    def _part(self, part, layers, features, unit):
        if part == "friction":
            outputs = jets.network(Jet(features.value), layers)
            return unit * self.head.tensor(outputs, self.dimension).value
        jet = jets.network(features, layers).linear(lambda a: a * unit)
        return jet if part == "one_form" else jet.linear(lambda v: v[..., 0])

    def _metric(self, features, layers):
        positive = self.head.tensor(jets.network(features, layers), self.dimension)
        eye = ops.eye(self.dimension, dtype=positive.value.dtype)
        return positive.shift(_FLOOR * eye)

    def _features(self, jet):
        if not self.angles:
            return jet
        turning = _columns(jet, self.angles)
        parts = [turning.apply(_cosine), turning.apply(activations.derivatives("sin"))]
        if self.straight:
            parts.insert(0, _columns(jet, self.straight))
        value = ops.concatenate([p.value for p in parts], axis=-1)
        if jet.first is None:
            return Jet(value)
        first = ops.concatenate([p.first for p in parts], axis=-1)
        if not jet.pairs:
            return Jet(value, first)
        # What is straight has no second derivatives.
        zeros = ops.repeat(ops.zeros_like(turning.first[:, :1, :1]), len(jet.pairs), axis=1)
        second = [
            ops.repeat(zeros, p.value.shape[-1], axis=-1) if p.second is None else p.second
            for p in parts
        ]
        return Jet(value, first, ops.concatenate(second, axis=-1), jet.pairs)


def _cosine(x):
    c = backend.cos(x)
    return c, -backend.sin(x), -c


def _columns(jet, which):
    return jet.linear(lambda part: ops.stack([part[..., i] for i in which], axis=-1))
