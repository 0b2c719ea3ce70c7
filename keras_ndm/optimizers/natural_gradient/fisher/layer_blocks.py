"""Rows of the Jacobian, held layer by layer.

Row (a, n) of J̃ is the gradient of ⟨seed a, outputs⟩ of sample n with respect to all trainable
values: r seeds, N samples, R = r·N rows in that order. J̃ is never formed for Dense layers. A block
holds what the rows need for its own variables and gives

- ``gram(first, last)``: its part of J̃ J̃ᵀ between the samples from `first` on and those from it to
  `last`, (r, N − first, r, last − first); the parts of all blocks add up;
- ``trace_bound()``: a number not below the trace of its part of J̃ J̃ᵀ;
- ``cheapest()``: the block, or another with the same rows, whose `gram` costs least;
- ``held``: how many numbers it holds for a row;
- ``apply(direction)``: its part of J̃ d, (r, N);
- ``transpose(c)``: its part of J̃ᵀ c, one tensor a variable, from c (r, N).
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

import keras
from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.backend.training import computed_once

__all__ = ["Block", "DenseBlock", "Part", "RowsBlock", "rows_are_cheaper"]


@dataclass(frozen=True)
class Part:
    """Sizes of a Dense layer, or, with `positions` 0, of a layer whose rows are held.

    Attributes
    ----------
    weights : int
        How many: w·u for a Dense layer.
    positions, width, units : int
        T, w, u.
    """

    weights: int
    positions: int = 0
    width: int = 0
    units: int = 0


def rows_are_cheaper(positions: int, count: int, width: int, units: int) -> bool:
    """Whether a Dense layer had better hold its rows, by the products for an entry of K.

    Parameters
    ----------
    positions, count, width, units : int
        T, r, w and u.
    """
    # The last term stands for the passes over memory.
    return width * units <= positions**2 * (units + width / count**2 + 8)


@dataclass
class DenseBlock:
    """Rows of a Dense layer: Σ_t a_tnᵢ δ_tanⱼ over the positions t at which it was applied.

    Attributes
    ----------
    kernel, bias : variables or None
        None where not trained.
    inputs : tensor (T, N, d_in)
        a: what entered at each position.
    deltas : tensor (T, r, N, d_out)
        δ: derivative of the seeded outputs with respect to a W + b.
    biased : tuple of bool
        Whether b was added at a position; it is not where derivatives pass (`geometry.jets`).
    """

    kernel: keras.Variable | None
    bias: keras.Variable | None
    inputs: Tensor
    deltas: Tensor
    biased: tuple

    @property
    def variables(self) -> list:
        """Variables of the block, the kernel first."""
        return [v for v in (self.kernel, self.bias) if v is not None]

    @property
    def held(self) -> int:
        """Numbers held for a row."""
        return len(self.biased) * (self.inputs.shape[-1] + self.deltas.shape[-1])

    def cheapest(self) -> "Block":
        """Return what makes `gram` in the fewest products: this block or its rows."""
        positions, count, _, units = self.deltas.shape
        width = self.inputs.shape[-1]
        if self.kernel is None or not rows_are_cheaper(positions, count, width, units):
            return self
        return RowsBlock(self.variables, computed_once(self.rows()))

    def gram(self, first: int, last: int, earlier: Tensor | None = None) -> Tensor:
        """Σ_ts (A_t A_sᵀ + 1) ∘ (Δ_t Δ_sᵀ); the 1 belongs to the bias.

        Parameters
        ----------
        first, last : int
            The chunk of samples.
        earlier : scalar, optional
            What has to be computed before.
        """
        positions, count, _, units = self.deltas.shape
        inputs, deltas = _in_turn(
            [self.inputs[:, first:last], self.deltas[:, :, first:last]], earlier
        )
        size, rest = ops.shape(inputs)[1], ops.shape(self.inputs)[1] - first
        inputs = ops.reshape(inputs, (-1, inputs.shape[-1]))
        deltas = ops.reshape(deltas, (-1, units))
        total = 0.0
        for t in range(positions):
            left = ops.reshape(self.deltas[t, :, first:], (-1, units))
            # No -1 in what may be empty.
            pairs = ops.reshape(
                ops.matmul(left, ops.transpose(deltas)), (count, rest, positions, count, size)
            )
            gram = self._gram_of_inputs(t, first, inputs, (rest, positions, 1, size))
            total = total + ops.sum(pairs * gram, axis=2)
        return total

    def _gram_of_inputs(self, t, first, inputs, shape):
        """A_t Aᵀ, plus one where both positions have a bias."""
        gram = 0.0
        if self.kernel is not None:
            gram = ops.reshape(ops.matmul(self.inputs[t, first:], ops.transpose(inputs)), shape)
        if self.bias is not None and self.biased[t]:
            gram = gram + (1.0 if all(self.biased) else self._ones()[None])
        return gram

    def trace_bound(self) -> Tensor:
        """T Σ_tn (|a_tn|² + 1) |δ_tn|², which is the trace for one position."""
        inputs = self._ones() if self.bias is not None else 0.0
        if self.kernel is not None:
            inputs = inputs + _row_sums(ops.square(self.inputs))
        deltas = _row_sums(ops.square(self.deltas))
        return len(self.biased) * ops.sum(inputs[:, None] * deltas)

    def apply(self, direction: list) -> Tensor:
        """(r, N): Σ_t ⟨a_t D + d, δ_t⟩ for the direction D of the kernel and d of the bias."""
        direction = list(direction)
        pushed = 0.0
        if self.kernel is not None:
            pushed = ops.matmul(self.inputs, direction.pop(0))
        if self.bias is not None:
            pushed = pushed + self._ones() * direction.pop(0)
        return ops.sum(self.deltas * pushed[:, None], axis=(0, -1))

    def transpose(self, c: Tensor) -> list:
        """Σ_t a_tᵀ (c δ_t) for the kernel, its sum over samples for the bias."""
        weighted = ops.sum(c[None, ..., None] * self.deltas, axis=1)
        parts = []
        if self.kernel is not None:
            parts.append(ops.einsum("tni,tnj->ij", self.inputs, weighted))
        if self.bias is not None:
            parts.append(ops.sum(self._ones() * weighted, axis=(0, 1)))
        return parts

    def _ones(self):
        """1 where the bias was added, 0 where not; (T, 1, 1)."""
        ones = ops.convert_to_tensor([float(b) for b in self.biased], dtype=self.inputs.dtype)
        return ones[:, None, None]

    def rows(self) -> list:
        """The rows themselves, (r, N, *shape) a variable: what the block otherwise avoids."""
        parts = []
        if self.kernel is not None:
            parts.append(ops.einsum("tni,tanj->anij", self.inputs, self.deltas))
        if self.bias is not None:
            parts.append(ops.sum(self._ones()[..., None] * self.deltas, axis=0))
        return parts


@dataclass
class RowsBlock:
    """Rows of variables without such structure, held as they are.

    Attributes
    ----------
    variables : list of variables
    values : list of tensors (r, N, *shape)
    """

    variables: list
    values: list

    def rows(self) -> list:
        """The rows, (r, N, *shape) a variable."""
        return self.values

    @property
    def held(self) -> int:
        """Numbers held for a row."""
        return max(math.prod(rows.shape[2:]) for rows in self.values)

    def cheapest(self) -> "Block":
        """Return the block itself."""
        return self

    def gram(self, first: int, last: int, earlier: Tensor | None = None) -> Tensor:
        """M Mᵀ of the flattened rows M, summed over the variables.

        Parameters
        ----------
        first, last, earlier
            As in `DenseBlock.gram`.
        """
        total = 0.0
        for rows in self.values:
            size = math.prod(rows.shape[2:])
            left = rows[:, first:]
            (right,) = _in_turn([rows[:, first:last]], earlier)
            pairs = ops.matmul(
                ops.reshape(left, (-1, size)), ops.transpose(ops.reshape(right, (-1, size)))
            )
            total = total + ops.reshape(pairs, (*ops.shape(left)[:2], *ops.shape(right)[:2]))
        return total

    def trace_bound(self) -> Tensor:
        """|M|²."""
        return sum(ops.sum(ops.square(rows)) for rows in self.values)

    def apply(self, direction: list) -> Tensor:
        """(r, N): M d."""
        total = 0.0
        for d, rows in zip(direction, self.values, strict=True):
            total = total + ops.sum(rows * d, axis=tuple(range(2, len(rows.shape))))
        return total

    def transpose(self, c: Tensor) -> list:
        """Mᵀ c, one tensor a variable."""
        return [ops.tensordot(c, rows, axes=[[0, 1], [0, 1]]) for rows in self.values]


Block: TypeAlias = DenseBlock | RowsBlock


def _row_sums(x):
    """Sums over the last axis, kept; as a product, since XLA on CPU is slow at sums."""
    return ops.matmul(x, ops.ones((x.shape[-1], 1), dtype=x.dtype))


def _in_turn(tensors, earlier):
    """The same tensors, computed after the scalar `earlier`; not finite where it is not.

    XLA on CPU otherwise makes all panels at once, which takes seven times their memory, and
    above 32 MiB the memory of a program is asked of the system anew at every run.
    """
    if earlier is None:
        return tensors
    one = ops.where(ops.isfinite(earlier), ops.ones_like(earlier), earlier)
    return [t * ops.cast(one, t.dtype) for t in tensors]
