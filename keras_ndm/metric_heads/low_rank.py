"""Low rank plus diagonal head: interactions at cost O(n r) instead of O(n²)."""

import math

import keras
import numpy as np
from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.backend.training import cholesky
from keras_ndm.geometry import activations
from keras_ndm.geometry.jets import Jet
from keras_ndm.metric_heads.base import HeadLayer, MetricHead, contract, select


@keras.saving.register_keras_serializable("keras_ndm")
class LowRank(MetricHead):
    """P = diag(exp o) + U Uᵀ with U of shape (d, rank).

    Solving goes by Woodbury's identity, the determinant by Sylvester's, inner products without the
    matrix: nothing of size d × d is made unless the tensor itself is asked for.

    Parameters
    ----------
    rank : int
    """

    def __init__(self, rank: int = 2):
        if rank < 1:
            raise ValueError(f"`rank` must be at least 1; received {rank!r}. For 0 use 'diagonal'.")
        self.rank = int(rank)

    def size(self, dimension: int) -> int:
        """Give d (1 + rank): the log diagonal, then U column by column."""
        return dimension * (1 + self.rank)

    def _parts(self, outputs, d):
        diagonal = outputs.linear(lambda o: o[..., :d]).apply(activations.derivatives("exp"))
        shape = (self.rank, d)
        columns = outputs.linear(lambda o: ops.reshape(o[..., d:], (*ops.shape(o)[:-1], *shape)))
        return diagonal, columns.linear(lambda c: ops.swapaxes(c, -1, -2))

    def tensor(self, outputs: Jet, dimension: int) -> Jet:
        """Give the full matrix."""
        diagonal, rows = self._parts(outputs, dimension)
        eye = ops.eye(dimension, dtype=outputs.value.dtype)
        return diagonal.linear(lambda a: ops.expand_dims(a, -1) * eye).plus(rows.gram())

    def trace(self, outputs: Jet, dimension: int) -> Jet:
        """Sum of the diagonal and of U's squares."""
        diagonal, rows = self._parts(outputs, dimension)
        squares = rows.times(rows, lambda a, b: ops.sum(a * b, axis=(-1, -2)))
        return diagonal.linear(lambda a: ops.sum(a, axis=-1)).plus(squares)

    def bilinear(self, outputs: Jet, vectors: Tensor, pairs: tuple) -> Jet:
        """Σ a_i u_i v_i + (Uᵀu)·(Uᵀv), each vector projected once.

        Parameters
        ----------
        outputs, vectors, pairs
            As in `MetricHead.bilinear`.
        """
        d = vectors.shape[-1]
        left, right = select(vectors, pairs)
        diagonal = outputs.linear(lambda o: o[..., :d]).apply(activations.derivatives("exp"))
        diagonal = diagonal.linear(contract, ops.swapaxes(left * right, 1, 2))
        # One product of matrices a row: all columns of all derivatives by all vectors.
        across = ops.swapaxes(vectors, 1, 2)

        def project(part, across):
            leading = ops.shape(part)[:-1]
            columns = ops.reshape(part[..., d:], (-1, math.prod(part.shape[1:-1]) * self.rank, d))
            product = ops.matmul(columns, ops.reshape(across, (-1, d, vectors.shape[1])))
            return ops.reshape(product, (*leading, self.rank, vectors.shape[1]))

        projected = outputs.linear(project, across)
        sides = [
            projected.linear(lambda p, s=side: ops.stack([p[..., k] for k in s], axis=-2))
            for side in zip(*pairs, strict=True)
        ]
        inner = sides[0].times(sides[1], lambda a, b: ops.sum(a * b, axis=-1))
        return diagonal.plus(inner)

    def _small(self, outputs, ridge, d):
        """Diagonal D + c, U, D⁻¹U and the Cholesky factor of 1 + UᵀD⁻¹U."""
        diagonal, rows = (part.value for part in self._parts(Jet(outputs), d))
        diagonal = diagonal + ridge[:, None]
        scaled = rows / diagonal[:, :, None]
        inner = ops.einsum("bir,bis->brs", rows, scaled)
        return diagonal, rows, scaled, cholesky(inner + ops.eye(self.rank, dtype=inner.dtype))

    def logdet(self, layer: HeadLayer, z: Tensor) -> Tensor:
        """Sum log det D + log det(1 + UᵀD⁻¹U)."""
        outputs, ridge, dimension = layer.values(z)
        diagonal, _, _, factor = self._small(outputs, ridge, dimension)
        inner = ops.sum(ops.log(ops.diagonal(factor, axis1=-2, axis2=-1)), axis=-1)
        return ops.sum(ops.log(diagonal), axis=-1) + 2.0 * inner

    def solve(self, layer: HeadLayer, z: Tensor, vectors: Tensor) -> Tensor:
        """D⁻¹v − D⁻¹U (1 + UᵀD⁻¹U)⁻¹ UᵀD⁻¹v.

        Parameters
        ----------
        layer, z, vectors
            As in `MetricHead.solve`.
        """
        outputs, ridge, dimension = layer.values(z)
        diagonal, _, scaled, factor = self._small(outputs, ridge, dimension)
        side = ops.einsum("bir,bi->br", scaled, vectors)[:, :, None]
        half = ops.linalg.solve_triangular(factor, side, lower=True)
        inner = ops.linalg.solve_triangular(ops.swapaxes(factor, -1, -2), half, lower=False)
        return vectors / diagonal - ops.einsum("bir,br->bi", scaled, inner[:, :, 0])

    def noise_size(self, dimension: int) -> int:
        """Give d + rank."""
        return dimension + self.rank

    def root(self, layer: HeadLayer, z: Tensor, normal: Tensor) -> Tensor:
        """√D ε + U η.

        Parameters
        ----------
        layer, z, normal
            As in `MetricHead.root`.
        """
        outputs, ridge, dimension = layer.values(z)
        diagonal, rows, _, _ = self._small(outputs, ridge, dimension)
        first, second = normal[:, :dimension], normal[:, dimension:]
        return ops.sqrt(diagonal) * first + ops.einsum("bir,br->bi", rows, second)

    def initial_outputs(self, precision: np.ndarray) -> np.ndarray:
        """Log of the precisions, and a small U that breaks the symmetry of its columns."""
        d = len(precision)
        pattern = np.resize(np.eye(self.rank), (d, self.rank)) * np.sqrt(precision)[:, None]
        return np.concatenate([np.log(precision), 0.1 * pattern.T.ravel()])

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        return {"rank": self.rank}
