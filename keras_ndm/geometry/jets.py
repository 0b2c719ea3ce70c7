"""Jets: a value with its first and second directional derivatives, pushed forward together.

For directions a_1 … a_m at a point x, the 2-jet of a function f is

    value  = f(x),   first[k] = ∂_{a_k} f(x),   second[p] = ∂_{a_i} ∂_{a_j} f(x)

with (i, j) = pairs[p].

A linear map acts on all parts alike, an activation a by the chain rule

    first ← a′ first,   second ← a″ first_i first_j + a′ second,

and a product by Leibniz' rule. Directions are an axis of the tensors, so a Dense layer is one
matrix product for all of them. Only `keras.ops` is used: jets compile under XLA on every backend
and train by ordinary reverse mode, with no nested differentiation.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Protocol

import keras
import numpy as np
from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.geometry import activations

Pairs = tuple[tuple[int, int], ...]


def all_pairs(n: int) -> Pairs:
    """Index pairs (i, j) with i ≤ j < n, in the order in which jets store second derivatives."""
    return tuple((i, j) for i in range(n) for j in range(i, n))


@dataclass(frozen=True)
class Jet:
    """A value and its directional derivatives; missing parts are None.

    Attributes
    ----------
    value : tensor (batch, …)
    first : tensor (batch, m, …) or None
    second : tensor (batch, p, …) or None
        None stands for zero where `pairs` is not empty.
    pairs : tuple of (i, j)
        Which directions each entry of `second` belongs to; empty for a 1-jet.
    """

    value: Tensor
    first: Tensor | None = None
    second: Tensor | None = None
    pairs: Pairs = ()

    def linear(self, function: Callable, *rows: Tensor) -> "Jet":
        """Apply a function that is linear in the trailing axes and accepts any leading ones.

        `rows` are further arguments, constants (batch, …) that differ from row to row.
        """
        wide = [ops.expand_dims(row, 1) for row in rows]
        first = None if self.first is None else function(self.first, *wide)
        second = None if self.second is None else function(self.second, *wide)
        return replace(self, value=function(self.value, *rows), first=first, second=second)

    def shift(self, constant: Tensor) -> "Jet":
        """Add a constant."""
        return replace(self, value=self.value + constant)

    def plus(self, other: "Jet") -> "Jet":
        """Add another jet along the same directions."""
        first = None if self.first is None else self.first + other.first
        second = _sum(self.second, other.second)
        return replace(self, value=self.value + other.value, first=first, second=second)

    def apply(self, derivatives: Callable) -> "Jet":
        """Apply an elementwise function given as x ↦ (a, a′, a″)."""
        value, slope, bend = derivatives(self.value)
        if self.first is None:
            return replace(self, value=value)
        slope = ops.expand_dims(slope, 1)
        first = slope * self.first
        if not self.pairs:
            return replace(self, value=value, first=first)
        second = ops.expand_dims(bend, 1) * self._square(self.first)
        if self.second is not None:
            second = second + slope * self.second
        return replace(self, value=value, first=first, second=second)

    def times(self, other: "Jet", product: Callable) -> "Jet":
        """Product of two jets by a bilinear function that accepts any leading axes."""
        value = product(self.value, other.value)
        if self.first is None:
            return replace(self, value=value)
        a, b = ops.expand_dims(self.value, 1), ops.expand_dims(other.value, 1)
        first = product(self.first, b) + product(a, other.first)
        if not self.pairs:
            return replace(self, value=value, first=first)
        second = self._cross(self.first, other.first, product)
        if self.second is not None:
            second = second + product(self.second, b)
        if other.second is not None:
            second = second + product(a, other.second)
        return replace(self, value=value, first=first, second=second)

    def gram(self) -> "Jet":
        """L Lᵀ of matrices L (batch, n, k), by half the products of `times`: (a bᵀ)ᵀ = b aᵀ.

        All directions share one product of wide matrices a row of the batch: compilers call a
        kernel for each matrix, so thousands of small ones are slow.
        """
        n, k = self.value.shape[1:]
        turned = ops.swapaxes(self.value, 1, 2)

        def by_value(part):
            return ops.reshape(
                ops.matmul(ops.reshape(part, (-1, part.shape[1] * n, k)), turned),
                (-1, part.shape[1], n, n),
            )

        value = ops.matmul(self.value, turned)
        if self.first is None:
            return replace(self, value=value)
        first = _symmetric(by_value(self.first))
        if not self.pairs:
            return replace(self, value=value, first=first)
        m = self.first.shape[1]
        tall = ops.reshape(self.first, (-1, m * n, k))
        cross = ops.reshape(ops.matmul(tall, ops.swapaxes(tall, 1, 2)), (-1, m, n, m, n))
        cross = ops.reshape(ops.swapaxes(cross, 2, 3), (-1, m * m, n, n))
        second = _pick(cross, [i * m + j for i, j in self.pairs])
        if self.second is not None:
            second = second + by_value(self.second)
        return replace(self, value=value, first=first, second=_symmetric(second))

    def _square(self, first):
        left, right = self._pair(first)
        return left * right

    def _cross(self, a, b, product):
        (ai, aj), (bi, bj) = self._pair(a), self._pair(b)
        return product(ai, bj) + product(aj, bi)

    def _pair(self, first):
        return tuple(_pick(first, side) for side in zip(*self.pairs, strict=True))

    def second_matrix(self) -> Tensor:
        """Second derivatives as a symmetric array (batch, m, m, …), when all pairs are present."""
        m = self.first.shape[1]
        where = {pair: p for p, pair in enumerate(self.pairs)}
        index = [where[min(i, j), max(i, j)] for i in range(m) for j in range(m)]
        second = self.second
        if second is None:
            second = ops.zeros_like(ops.repeat(self.first[:, :1], len(self.pairs), axis=1))
        return ops.reshape(_pick(second, index), (-1, m, m, *self.value.shape[1:]))


def _pick(stack, index):
    """Entries of axis 1, by a product with ones and zeros: gradients of gathers are slow in XLA."""
    ones = ops.convert_to_tensor(np.eye(stack.shape[1])[list(index)], stack.dtype)
    flat = ops.reshape(stack, (-1, stack.shape[1], math.prod(stack.shape[2:])))
    return ops.reshape(ops.matmul(ones, flat), (-1, len(index), *stack.shape[2:]))


def _symmetric(matrices):
    return matrices + ops.swapaxes(matrices, -1, -2)


@dataclass(frozen=True)
class LaplacianJet(Jet):
    """A jet whose second derivatives are the Laplacian alone.

    Attributes
    ----------
    value, first, pairs
        As of a `Jet`.
    second : (batch, 1, …) tensor
        Σ_k ∂_k ∂_k.
    """

    def _square(self, first):
        return ops.sum(first * first, axis=1, keepdims=True)

    def _cross(self, a, b, product):
        return 2.0 * ops.sum(product(a, b), axis=1, keepdims=True)


def laplacian(x: Tensor, layers: Sequence) -> LaplacianJet:
    """Value, gradient and Laplacian of a network at x (batch, n)."""
    start = seed(x, order=1)
    jet = LaplacianJet(start.value, start.first, None, pairs=((0, 0),))
    return network(jet, layers)


def seed(
    x: Tensor,
    order: int = 2,
    directions: Tensor | None = None,
    pairs: Pairs | None = None,
    n: int = 0,
) -> Jet:
    """Jet of the identity map at x.

    Parameters
    ----------
    x : tensor (batch, k)
    order : {0, 1, 2}
        Derivatives to carry.
    directions : tensor (batch, m, k), optional
        Default: the unit vectors of the first `n` inputs (all k when n is 0).
    pairs : tuple of (i, j), optional
        Second derivatives to carry; default every i ≤ j.
    n : int
        How many of the inputs have unit vectors as directions; 0 for all.
    """
    if order == 0:
        return Jet(x)
    if directions is None:
        n = n or x.shape[-1]
        unit = ops.expand_dims(ops.eye(n, x.shape[-1], dtype=x.dtype), 0)
        directions = ops.ones_like(x)[:, None, :] * unit
    if order == 1:
        return Jet(x, directions)
    pairs = all_pairs(directions.shape[1]) if pairs is None else pairs
    return Jet(x, directions, None, pairs)


def _sum(a, b):
    if a is None or b is None:
        return b if a is None else a
    return a + b


class DenseLike(Protocol):
    """What is read of a Dense layer."""

    kernel: keras.Variable | Tensor
    bias: keras.Variable | Tensor | None
    use_bias: bool
    activation: Callable | None


# The observer of the present context, if there is one.
_OBSERVER: ContextVar[Callable | None] = ContextVar("observer", default=None)


@contextmanager
def observed(observer: Callable[[Jet, DenseLike, Jet], Jet]) -> Iterator[None]:
    """Within the context, show an observer every Dense layer that a jet passes.

    Parameters
    ----------
    observer : callable
        ``observer(jet, layer, pushed)`` with the jet before and after the affine map of `layer`;
        what it returns takes the place of `pushed`.
    """
    token = _OBSERVER.set(observer)
    try:
        yield
    finally:
        _OBSERVER.reset(token)


def kernel_of(layer: DenseLike) -> Tensor:
    """Kernel of a Dense layer in its own units, of an int8 layer the rounded one.

    Raises
    ------
    ValueError
        For quantizations whose numbers are not read here.
    """
    kernel, mode = ops.convert_to_tensor(layer.kernel), getattr(layer, "quantization_mode", None)
    if mode in (None, "float8"):
        return kernel
    if mode == "int8":
        return ops.cast(kernel, layer.compute_dtype) / layer.kernel_scale
    raise ValueError(
        f"The layer {layer.name!r} was quantized to {mode!r}, of which no derivatives are known. "
        'Use quantize("int8"), or leave charts and metrics out with `filters=`.'
    )


def affine(jet: Jet, layer: DenseLike) -> Jet:
    """Push a jet through a Keras Dense layer without its activation."""
    kernel = kernel_of(layer)
    pushed = jet.linear(lambda part: ops.matmul(part, kernel))
    if layer.use_bias:
        pushed = pushed.shift(ops.convert_to_tensor(layer.bias))
    observer = _OBSERVER.get()
    return pushed if observer is None else observer(jet, layer, pushed)


def dense(jet: Jet, layer: DenseLike) -> Jet:
    """Push a jet through a Keras Dense layer and its activation."""
    jet = affine(jet, layer)
    return activate(jet, layer.activation)


def network(jet: Jet, layers: Sequence) -> Jet:
    """Push a jet through a stack of Dense and Activation layers."""
    for layer in layers:
        jet = dense(jet, layer) if hasattr(layer, "kernel") else activate(jet, layer.activation)
    return jet


def activate(jet: Jet, activation: Callable) -> Jet:
    """Push a jet through an activation; bare values through any, jets through smooth ones."""
    if activations.name_of(activation) == "linear":
        return jet
    if jet.first is None and not activations.is_smooth(activation):
        return Jet(activation(jet.value))
    return jet.apply(activations.derivatives(activation))
