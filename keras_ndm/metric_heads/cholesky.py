"""Log-Cholesky head: every metric, its log determinant linear in the outputs."""

import keras
import numpy as np
from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.geometry import activations
from keras_ndm.geometry.jets import Jet
from keras_ndm.metric_heads.base import MetricHead


def fill_triangular(rows: Tensor, n: int) -> Tensor:
    """Lower triangular matrices (…, n, n) from n(n+1)/2 numbers each.

    Reshaping [x_n …, reversed x] puts each number in one place of the triangle; the upper part is
    then masked. No gather: its gradient, a scatter, is slow under XLA.
    """
    full = ops.concatenate([rows[..., n:], ops.flip(rows, axis=-1)], axis=-1)
    square = ops.reshape(full, (*ops.shape(rows)[:-1], n, n))
    return square * ops.tril(ops.ones((n, n), dtype=rows.dtype))


@keras.saving.register_keras_serializable("keras_ndm")
class Cholesky(MetricHead):
    """P = L Lᵀ, L lower triangular with diagonal exp(o_i) (Pinheiro & Bates, 1996; Lin, 2019)."""

    def size(self, dimension: int) -> int:
        """Give d(d + 1)/2: the log diagonal, then the strict lower triangle."""
        return dimension * (dimension + 1) // 2

    def tensor(self, outputs: Jet, dimension: int) -> Jet:
        """Give L Lᵀ."""
        d = dimension
        diagonal = outputs.linear(lambda o: o[..., :d]).apply(activations.derivatives("exp"))
        eye = ops.eye(d, dtype=outputs.value.dtype)
        factor = diagonal.linear(lambda a: ops.expand_dims(a, -1) * eye)
        if d > 1:
            lower = outputs.linear(lambda o: _strict_lower(o[..., d:], d))
            factor = factor.plus(lower)
        return factor.gram()

    def initial_outputs(self, precision: np.ndarray) -> np.ndarray:
        """Log of the standard precisions on the diagonal, zeros below it."""
        d = len(precision)
        return np.concatenate([0.5 * np.log(precision), np.zeros(d * (d - 1) // 2)])


def _strict_lower(rows, d):
    square = fill_triangular(rows, d - 1)
    pad = [(0, 0)] * (len(square.shape) - 2) + [(1, 0), (0, 1)]
    return ops.pad(square, pad)
