"""Diagonal head: one scale a coordinate, linear cost."""

import keras
import numpy as np
from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.geometry import activations, jets
from keras_ndm.geometry.jets import Jet
from keras_ndm.metric_heads.base import HeadLayer, MetricHead, contract, select


@keras.saving.register_keras_serializable("keras_ndm")
class Diagonal(MetricHead):
    """P = diag(exp o_i)."""

    def size(self, dimension: int) -> int:
        """Give d."""
        return dimension

    def entries(self, outputs: Jet, dimension: int) -> Jet:
        """Give the diagonal (batch, d)."""
        return outputs.linear(lambda o: o[..., :dimension]).apply(activations.derivatives("exp"))

    def tensor(self, outputs: Jet, dimension: int) -> Jet:
        """Put the diagonal into a matrix."""
        eye = ops.eye(dimension, dtype=outputs.value.dtype)
        return self.entries(outputs, dimension).linear(lambda a: ops.expand_dims(a, -1) * eye)

    def trace(self, outputs: Jet, dimension: int) -> Jet:
        """Sum of the entries."""
        return self.entries(outputs, dimension).linear(lambda a: ops.sum(a, axis=-1))

    def bilinear(self, outputs: Jet, vectors: Tensor, pairs: tuple) -> Jet:
        """Σ a_i u_i v_i.

        Parameters
        ----------
        outputs, vectors, pairs
            As in `MetricHead.bilinear`.
        """
        left, right = select(vectors, pairs)
        products = ops.swapaxes(left * right, 1, 2)
        return self.entries(outputs, vectors.shape[-1]).linear(contract, products)

    def logdet(self, layer: HeadLayer, z: Tensor) -> Tensor:
        """Sum of logarithms."""
        outputs, ridge, dimension = layer.values(z)
        return ops.sum(ops.log(self._whole(outputs, ridge, dimension)), axis=-1)

    def solve(self, layer: HeadLayer, z: Tensor, vectors: Tensor) -> Tensor:
        """Divide.

        Parameters
        ----------
        layer, z, vectors
            As in `MetricHead.solve`.
        """
        outputs, ridge, dimension = layer.values(z)
        return vectors / self._whole(outputs, ridge, dimension)

    def root(self, layer: HeadLayer, z: Tensor, normal: Tensor) -> Tensor:
        """Multiply by square roots.

        Parameters
        ----------
        layer, z, normal
            As in `MetricHead.root`.
        """
        outputs, ridge, dimension = layer.values(z)
        return normal * ops.sqrt(self._whole(outputs, ridge, dimension))

    def _whole(self, outputs, ridge, dimension):
        return self.entries(Jet(outputs), dimension).value + ridge[:, None]

    def scalar_curvature(self, layer: HeadLayer, z: Tensor) -> Tensor:
        """Use the closed form in the scales h_i = √g_ii; no mixed second derivative occurs.

        R = −2 Σ_{i<j} (h_i h_j)⁻¹ [∂_i(∂_i h_j / h_i) + ∂_j(∂_j h_i / h_j) + Σ_{k≠i,j} ∂_k h_i ∂_k
        h_j / h_k²]
        """
        n = z.shape[-1]
        outputs = layer.outputs(z, pairs=tuple((i, i) for i in range(n)))
        ridge = layer.ridge(outputs).linear(lambda c: ops.expand_dims(c, -1))
        h = self.entries(outputs, n).plus(ridge).apply(_sqrt)
        value = h.value
        first = h.first  # [b, k, i] = ∂_k h_i
        second = h.second  # [b, k, i] = ∂_k² h_i
        # ∂_i h_i, as a sum: TensorFlow's gradient of a diagonal needs the number of rows.
        own = ops.sum(first * ops.eye(n, dtype=first.dtype), axis=2)
        inverse = 1.0 / value
        # bend[i, j] = ∂_i(∂_i h_j / h_i)
        bend = second * inverse[:, :, None] - first * (own * inverse**2)[:, :, None]
        scaled = first * inverse[:, :, None]
        cross = ops.einsum("bki,bkj->bij", scaled, scaled)
        # Leave out k = i and k = j.
        at_i = ops.einsum("bi,bij->bij", own * inverse**2, first)
        cross = cross - at_i - ops.swapaxes(at_i, 1, 2)
        total = (
            (bend + ops.swapaxes(bend, 1, 2) + cross) * inverse[:, :, None] * inverse[:, None, :]
        )
        off = 1.0 - ops.eye(n, dtype=total.dtype)
        return -ops.sum(total * off, axis=(1, 2))

    def initial_outputs(self, precision: np.ndarray) -> np.ndarray:
        """Log of the precisions."""
        return np.log(precision)


def _sqrt(x):
    root = ops.sqrt(x)
    return root, 0.5 / root, -0.25 / (root * x)


@keras.saving.register_keras_serializable("keras_ndm")
class Conformal(MetricHead):
    """P = exp(o) 1: one scale for all directions, every angle kept."""

    def size(self, dimension: int) -> int:
        """Give 1."""
        del dimension
        return 1

    def _scale(self, outputs):
        return outputs.linear(lambda o: o[..., 0]).apply(activations.derivatives("exp"))

    def tensor(self, outputs: Jet, dimension: int) -> Jet:
        """Scale the unit matrix."""
        eye = ops.eye(dimension, dtype=outputs.value.dtype)
        return self._scale(outputs).linear(lambda s: ops.expand_dims(s, (-1, -2)) * eye)

    def trace(self, outputs: Jet, dimension: int) -> Jet:
        """Give d times the scale."""
        return self._scale(outputs).linear(lambda s: dimension * s)

    def bilinear(self, outputs: Jet, vectors: Tensor, pairs: tuple) -> Jet:
        """Scale u·v.

        Parameters
        ----------
        outputs, vectors, pairs
            As in `MetricHead.bilinear`.
        """
        left, right = select(vectors, pairs)
        dots = ops.sum(left * right, axis=-1)
        return self._scale(outputs).linear(lambda s, dots: s[..., None] * dots, dots)

    def logdet(self, layer: HeadLayer, z: Tensor) -> Tensor:
        """Give d times the logarithm of the scale."""
        outputs, ridge, dimension = layer.values(z)
        return dimension * ops.log(self._scale(Jet(outputs)).value + ridge)

    def solve(self, layer: HeadLayer, z: Tensor, vectors: Tensor) -> Tensor:
        """Divide.

        Parameters
        ----------
        layer, z, vectors
            As in `MetricHead.solve`.
        """
        outputs, ridge, _ = layer.values(z)
        return vectors / (self._scale(Jet(outputs)).value + ridge)[:, None]

    def root(self, layer: HeadLayer, z: Tensor, normal: Tensor) -> Tensor:
        """Multiply by the square root.

        Parameters
        ----------
        layer, z, normal
            As in `MetricHead.root`.
        """
        outputs, ridge, _ = layer.values(z)
        return normal * ops.sqrt(self._scale(Jet(outputs)).value + ridge)[:, None]

    def scalar_curvature(self, layer: HeadLayer, z: Tensor) -> Tensor:
        """R = −(n − 1) s⁻¹ [Δ log s + ¼(n − 2)|∇ log s|²], g = s 1 (Besse, 1987, 1.159)."""
        n = z.shape[-1]
        outputs = jets.laplacian(z, layer.tapped_network()) if layer.network else layer.outputs(z)
        log = self._scale(outputs).plus(layer.ridge(outputs)).apply(_log)
        gradient = ops.sum(ops.square(log.first), axis=1)
        return -(n - 1) * (log.second[:, 0] + 0.25 * (n - 2) * gradient) / ops.exp(log.value)

    def initial_outputs(self, precision: np.ndarray) -> np.ndarray:
        """Log of the geometric mean of the precisions."""
        return np.mean(np.log(precision), keepdims=True)


def _log(x):
    return ops.log(x), 1.0 / x, -1.0 / (x * x)
