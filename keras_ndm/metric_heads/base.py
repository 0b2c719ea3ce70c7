"""What a metric head is: the last step from a network's outputs to a tensor field."""

from typing import Protocol

import numpy as np
from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.backend.training import cholesky
from keras_ndm.geometry import curvature
from keras_ndm.geometry.jets import Jet, Pairs


def select(vectors: Tensor, pairs: tuple) -> tuple:
    """First and second vectors (batch, len(pairs), d) of each pair."""
    sides = zip(*pairs, strict=True)
    return tuple(ops.stack([vectors[:, i] for i in side], axis=1) for side in sides)


def contract(part: Tensor, matrix: Tensor) -> Tensor:
    """Σ_i part[…, i] matrix[…, i, k], for parts with or without the axis of directions."""
    # Where the axis is there, `matrix` has come with an axis of length one in its place.
    if len(part.shape) == len(matrix.shape):
        return ops.matmul(part, matrix[:, 0])
    return ops.matmul(part[:, None], matrix)[:, 0]


class HeadLayer(Protocol):
    """What a head asks of the layer that it belongs to; `MetricLayer` has it."""

    dimension: int
    floor: float
    max_condition: float
    network: list

    def outputs(
        self,
        z: Tensor,
        order: int = 2,
        directions: Tensor | None = None,
        pairs: Pairs | None = None,
    ) -> Jet:
        """Jet of the numbers (batch, size) that the head takes.

        Parameters
        ----------
        z, order, directions, pairs
            As in `keras_ndm.geometry.jets.seed`.
        """

    def values(self, z: Tensor) -> tuple:
        """Numbers (batch, size), ridge (batch,) and dimension d."""

    def ridge(self, outputs: Jet) -> Jet:
        """Jet of the multiple c (batch,) of the identity."""

    def jet(self, z: Tensor) -> Jet:
        """Metric with its partial derivatives."""

    def factor(self, z: Tensor) -> Tensor:
        """Lower Cholesky factor (batch, d, d) of the metric."""

    def tapped_network(self) -> list:
        """Layers of the network."""


class MetricHead:
    """Turns network outputs into P(z), symmetric positive semidefinite, of which a metric is made.

    The metric is g = P + c 1 with c = floor + tr P / (max_condition − 1), see `MetricLayer`. A head
    of your own subclasses this, implements `size` and `tensor`, and is passed as
    ``MetricLayer(MyHead())``; register it with `keras.saving.register_keras_serializable` for
    saving. The other methods have defaults by dense linear algebra, which heads with structure
    replace by something cheaper.
    """

    takes_network = True

    def size(self, dimension: int) -> int:
        """Give the number of network outputs that the head needs in `dimension` dimensions."""
        raise NotImplementedError(f"{type(self).__name__} must implement `size(dimension)`.")

    def tensor(self, outputs: Jet, dimension: int) -> Jet:
        """Give P from the outputs.

        Write it with the methods of `keras_ndm.geometry.jets.Jet` (`linear`, `apply`, `times`):
        then the exact derivatives that curvature needs come along.

        Parameters
        ----------
        outputs : Jet, value (batch, size)
        dimension : int

        Returns
        -------
        Jet, value (batch, dimension, dimension)
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `tensor(outputs, d)`.")

    def trace(self, outputs: Jet, dimension: int) -> Jet:
        """Trace of P, (batch,)."""
        return self.tensor(outputs, dimension).linear(lambda p: ops.trace(p, axis1=-2, axis2=-1))

    def bilinear(self, outputs: Jet, vectors: Tensor, pairs: tuple) -> Jet:
        """Give P(a, b), (batch, len(pairs)), for pairs of vectors.

        Parameters
        ----------
        outputs : Jet, value (batch, size)
        vectors : tensor (batch, k, d)
        pairs : tuple of (i, j)
            Which vectors to multiply: a = vectors[:, i], b = vectors[:, j].
        """
        left, right = select(vectors, pairs)

        def form(p, left, right):
            return ops.sum(ops.matmul(left + 0 * p[..., :1, :], p) * right, axis=-1)

        return self.tensor(outputs, vectors.shape[-1]).linear(form, left, right)

    def jet(
        self,
        layer: HeadLayer,
        z: Tensor,
        order: int,
        directions: Tensor | None = None,
        pairs: tuple | None = None,
    ) -> Jet:
        """Metric of a layer at z with its derivatives.

        Parameters
        ----------
        layer : HeadLayer
        z, order, directions, pairs
            As in `MetricLayer.jet`.
        """
        outputs = layer.outputs(z, order, directions, pairs)
        positive = self.tensor(outputs, layer.dimension)
        eye = ops.eye(layer.dimension, dtype=positive.value.dtype)
        ridge = layer.ridge(outputs).linear(lambda c: ops.expand_dims(c, (-1, -2)) * eye)
        return positive.plus(ridge)

    def logdet(self, layer: HeadLayer, z: Tensor) -> Tensor:
        """Logarithm of det g, (batch,)."""
        diagonal = ops.diagonal(layer.factor(z), axis1=-2, axis2=-1)
        return 2.0 * ops.sum(ops.log(diagonal), axis=-1)

    def solve(self, layer: HeadLayer, z: Tensor, vectors: Tensor) -> Tensor:
        """g⁻¹ v for vectors (batch, d).

        Parameters
        ----------
        layer : HeadLayer
        z : tensor (batch, d)
        vectors : tensor (batch, d)
        """
        factor = layer.factor(z)
        half = ops.linalg.solve_triangular(factor, ops.expand_dims(vectors, -1), lower=True)
        upper = ops.swapaxes(factor, -1, -2)
        return ops.linalg.solve_triangular(upper, half, lower=False)[..., 0]

    def noise_size(self, dimension: int) -> int:
        """How many normal numbers `root` takes."""
        return dimension

    def root(self, layer: HeadLayer, z: Tensor, normal: Tensor) -> Tensor:
        """Vectors (batch, d) of covariance g from normal numbers (batch, noise_size).

        Parameters
        ----------
        layer : HeadLayer
        z : tensor (batch, d)
        normal : tensor (batch, noise_size)
            Independent standard normal numbers.
        """
        return ops.einsum("bij,bj->bi", layer.factor(z), normal)

    def scalar_curvature(self, layer: HeadLayer, z: Tensor) -> Tensor:
        """Ricci scalar (batch,) of a layer's metric at z; closed forms replace it."""
        jet = layer.jet(z)
        inverse = curvature.inverse_from_factor(cholesky(jet.value))
        return curvature.scalar_from(jet.value, jet.first, jet.second_matrix(), inverse)

    def initial_outputs(self, precision: np.ndarray) -> np.ndarray:
        """Give outputs (size,) at which P is about diag(precision), or zeros."""
        return np.zeros(self.size(len(precision)))

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        return {}

    @classmethod
    def from_config(cls, config: dict) -> "MetricHead":
        """Rebuild the head from `get_config()`."""
        return cls(**config)
