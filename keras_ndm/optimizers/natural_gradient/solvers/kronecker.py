"""The natural gradient with a Fisher matrix of Kronecker factors.

For a Dense layer with inputs a (a 1 appended for the bias) and output derivatives δ the block of
the Fisher matrix is E[a aᵀ ⊗ δ δᵀ], here approximated by A ⊗ B, A = E[a aᵀ], B = E[δ δᵀ] (Martens
and Grosse 2015, ICML; Grosse and Martens 2016 for several positions of one layer). With few outputs
δ runs over all columns of L_n; with many it belongs to one random combination of them, so that B is
unbiased. All other variables have the diagonal of their own Fisher matrix, E[(∂⟨seed, f_n⟩/∂θ)²],
from one gradient a sample. A, B and the diagonals are exponential averages over the steps; the
inverses

    (A ⊗ B + λ)⁻¹ ≈ (A + π √λ)⁻¹ ⊗ (B + √λ/π)⁻¹,    π² = (tr A / dim A) / (tr B / dim B),

are refreshed every few steps. They give a first direction; `quadratic` makes a step of it.
"""

import keras
from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.backend.training import cholesky
from keras_ndm.keras_internals import kernel_variable
from keras_ndm.optimizers.natural_gradient.fisher.jacobian import Jacobian
from keras_ndm.optimizers.natural_gradient.fisher.layer_blocks import DenseBlock, RowsBlock
from keras_ndm.optimizers.natural_gradient.fisher.layer_taps import Taps
from keras_ndm.optimizers.natural_gradient.objective import read

__all__ = ["REFRESH", "KroneckerFactors", "factors_of"]

_DECAY = 0.95
REFRESH = 5


class KroneckerFactors:
    """The factors of one model, kept in variables of its optimizer.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        Holds the variables.
    taps : Taps
        Which layers have factors.
    variables : list of variables
        All trainable variables.
    """

    def __init__(self, optimizer: keras.optimizers.Optimizer, taps: Taps, variables: list):
        self._pairs = {}
        self._diagonals = {}
        trained = {id(v) for v in variables}
        for key, layer in taps.layers.items():
            if taps.kinds[key] != "dense":
                continue
            whole = kernel_variable(layer)
            kernel = whole if id(whole) in trained else None
            bias = layer.bias if layer.bias is not None and id(layer.bias) in trained else None
            own = [v for v in (kernel, bias) if v is not None]
            if own:
                width, units = whole.shape
                inner = (width if kernel is not None else 0) + (bias is not None)
                prefix = own[0].path.replace("/", "_")
                self._pairs[id(own[0])] = [
                    optimizer.add_variable((n, n), "zeros", own[0].dtype, name=f"{prefix}_{name}")
                    for n, name in (
                        (inner, "inputs"),
                        (units, "deltas"),
                        (inner, "inputs_inverse"),
                        (units, "deltas_inverse"),
                    )
                ]
                trained -= {id(v) for v in own}
        for v in variables:
            if id(v) in trained:
                self._diagonals[id(v)] = optimizer.add_variable_from_reference(v, name="diagonal")

    def update(
        self, jacobian: Jacobian, strength: Tensor, iteration: Tensor, finite: Tensor
    ) -> None:
        """Average in the factors of this batch, and refresh the inverses when they are due.

        Parameters
        ----------
        jacobian : Jacobian
            Rows seeded by one random combination of columns, r = 1.
        strength : scalar
            λ.
        iteration : integer scalar
            Steps done; the averages start at the first batch.
        finite : bool scalar
            Whether the loss of the batch is; nothing changes where it is not.
        """
        self._batch = {}

        def average(kept, value):
            variable = read(kept)
            fresh = ops.equal(ops.sum(ops.abs(variable)), 0.0)
            keep = ops.where(fresh, 0.0, _DECAY)
            keep = ops.cast(keep, variable.dtype)
            value = keep * variable + (1.0 - keep) * value
            usable = ops.logical_and(finite, ops.all(ops.isfinite(value)))
            kept.assign(ops.where(usable, value, variable))

        for block in jacobian.blocks:
            factors = None if isinstance(block, RowsBlock) else self._pairs[id(block.variables[0])]
            if factors is not None:
                for variable, value in zip(factors[:2], factors_of(block), strict=True):
                    average(variable, value)
                continue
            for v, rows in zip(block.variables, block.rows(), strict=True):
                square = ops.sum(ops.square(rows), axis=(0, 1))
                if id(v) in self._diagonals:
                    average(self._diagonals[id(v)], square)
                    square = read(self._diagonals[id(v)])
                self._batch[id(v)] = square
        self._refresh(strength, ops.equal(iteration % REFRESH, 0))

    def _refresh(self, strength, due):
        for a, b, *inverses in self._pairs.values():
            # The default arguments hold this turn's values: `cond` may call it after the loop.
            def fresh(a=a, b=b):
                return _inverses(read(a), read(b), strength)

            def kept(inverses=inverses):
                return [read(v) for v in inverses]

            for variable, value in zip(inverses, ops.cond(due, fresh, kept), strict=True):
                usable = ops.all(ops.isfinite(value))
                variable.assign(ops.where(usable, value, read(variable)))

    def solve(self, gradient: list, variables: list, blocks: list, strength: Tensor) -> list:
        """Apply the damped inverse to a gradient.

        Parameters
        ----------
        gradient : list of tensors
        variables : list of variables
        blocks : list of blocks
            Of the Jacobian, for which variables belong together.
        strength : scalar
            λ.
        """
        place = {id(v): i for i, v in enumerate(variables)}
        solved = [g / strength for g in gradient]
        for block in blocks:
            indices = [place[id(v)] for v in block.variables]
            if isinstance(block, RowsBlock):
                for i, v in zip(indices, block.variables, strict=True):
                    solved[i] = gradient[i] / (self._batch[id(v)] + strength)
                continue
            factors = self._pairs[id(block.variables[0])]
            columns = [ops.reshape(gradient[i], (-1, gradient[i].shape[-1])) for i in indices]
            both = ops.matmul(
                ops.matmul(read(factors[2]), ops.concatenate(columns)), read(factors[3])
            )
            start = 0
            for i, column in zip(indices, columns, strict=True):
                stop = start + column.shape[0]
                solved[i] = ops.reshape(both[start:stop], gradient[i].shape)
                start = stop
        return solved


def factors_of(block: DenseBlock) -> tuple:
    """A, the mean of a aᵀ over samples, and B, the sum of δ δᵀ over samples, over positions.

    Parameters
    ----------
    block : DenseBlock

    Returns
    -------
    A : tensor (w, w)
        With a last row and column for the bias where it is trained.
    B : tensor (u, u)
    """
    parts = [block.inputs] if block.kernel is not None else []
    if block.bias is not None:
        ones = block._ones() * ops.ones_like(block.inputs[..., :1])
        parts.append(ones)
    inputs = ops.concatenate(parts, axis=-1)
    width, units = inputs.shape[-1], block.deltas.shape[-1]
    samples = ops.cast(ops.shape(inputs)[1], inputs.dtype)
    inputs = ops.reshape(inputs, (-1, width))
    deltas = ops.reshape(block.deltas, (-1, units))
    a = ops.matmul(ops.transpose(inputs), inputs) / samples
    return a, ops.matmul(ops.transpose(deltas), deltas)


def _inverses(a, b, strength):
    inner, units = a.shape[0], b.shape[0]
    ratio = (ops.trace(a) / inner) / ops.maximum(ops.trace(b) / units, keras.config.epsilon() ** 4)
    pi = ops.sqrt(ops.maximum(ratio, keras.config.epsilon() ** 4))
    root = ops.sqrt(strength)
    return [
        _inverse(a + pi * root * ops.eye(inner, dtype=a.dtype)),
        _inverse(b + root / pi * ops.eye(units, dtype=b.dtype)),
    ]


def _inverse(matrix):
    """Inverse of a positive definite matrix; NaN, and no error, where it is none."""
    eye = ops.eye(matrix.shape[0], dtype=matrix.dtype)
    half = ops.solve_triangular(cholesky(matrix), eye, lower=True)
    return ops.matmul(ops.transpose(half), half)
