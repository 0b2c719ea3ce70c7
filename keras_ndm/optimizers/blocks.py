"""Rows of the Jacobian, held layer by layer.

Row (a, n) of J̃ is the gradient of ⟨seed a, outputs⟩ of sample n with respect to all trainable
values: r seeds, N samples, R = r·N rows in that order. J̃ is never formed for Dense layers. A block
holds what the rows need for its own variables and gives

- ``gram()``: its part of J̃ J̃ᵀ, (R, R); the parts of all blocks add up;
- ``apply(direction)``: its part of J̃ d, (r, N);
- ``transpose(c)``: its part of J̃ᵀ c, one tensor a variable, from c (r, N).
"""

from dataclasses import dataclass

from keras import ops

__all__ = ["DenseBlock", "RowsBlock"]


def _square(rows):
    return ops.matmul(rows, ops.transpose(rows))


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

    kernel: object
    bias: object
    inputs: object
    deltas: object
    biased: tuple

    @property
    def variables(self) -> list:
        """Variables of the block, the kernel first."""
        return [v for v in (self.kernel, self.bias) if v is not None]

    def _gram_of_inputs(self, t, s):
        gram = 0.0
        if self.kernel is not None:
            gram = ops.matmul(self.inputs[t], ops.transpose(self.inputs[s]))
        if self.bias is not None and self.biased[t] and self.biased[s]:
            gram = gram + 1.0
        return gram * ops.ones((1, 1), dtype=self.inputs.dtype)

    def _pairs_cost_more(self):
        """Whether all pairs of positions cost more than the rows, in products an entry of K."""
        positions, count, _, units = self.deltas.shape
        width = self.inputs.shape[-1]
        pairs = positions * (positions + 1) / 2 * (units + width / count**2)
        return positions > 1 and pairs > width * units

    def gram(self) -> object:
        """(R, R): Σ_ts (A_t A_sᵀ + 1) ∘ (Δ_t Δ_sᵀ); the 1 belongs to the bias."""
        positions, count, _, units = self.deltas.shape
        if self._pairs_cost_more():
            return RowsBlock(self.variables, self.rows()).gram()
        samples = ops.shape(self.deltas)[2]
        total = 0.0
        for t in range(positions):
            for s in range(t + 1):
                left = ops.reshape(self.deltas[t], (-1, units))
                right = ops.reshape(self.deltas[s], (-1, units))
                pair = ops.reshape(
                    ops.matmul(left, ops.transpose(right)), (count, samples, count, samples)
                )
                pair = pair * self._gram_of_inputs(t, s)[:, None, :]
                pair = ops.reshape(pair, (count * samples, count * samples))
                total = total + (pair if s == t else pair + ops.transpose(pair))
        return total

    def apply(self, direction: list) -> object:
        """(r, N): Σ_t ⟨a_t D + d, δ_t⟩ for the direction D of the kernel and d of the bias."""
        direction = list(direction)
        pushed = 0.0
        if self.kernel is not None:
            pushed = ops.matmul(self.inputs, direction.pop(0))
        if self.bias is not None:
            pushed = pushed + self._ones() * direction.pop(0)
        return ops.sum(self.deltas * pushed[:, None], axis=(0, -1))

    def transpose(self, c: object) -> list:
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

    def gram(self) -> object:
        """(R, R): M Mᵀ of the flattened rows M, summed over the variables."""
        total = 0.0
        for v, rows in zip(self.variables, self.values, strict=True):
            total = total + _square(ops.reshape(rows, (-1, _size(v))))
        return total

    def apply(self, direction: list) -> object:
        """(r, N): M d."""
        total = 0.0
        for d, rows in zip(direction, self.values, strict=True):
            total = total + ops.sum(rows * d, axis=tuple(range(2, len(rows.shape))))
        return total

    def transpose(self, c: object) -> list:
        """Mᵀ c, one tensor a variable."""
        return [ops.tensordot(c, rows, axes=[[0, 1], [0, 1]]) for rows in self.values]


def _size(variable):
    size = 1
    for n in variable.shape:
        size *= n
    return size
