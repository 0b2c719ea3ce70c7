"""Constant head: one metric for the whole space."""

import keras
from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.metric_heads.base import HeadLayer
from keras_ndm.metric_heads.cholesky import Cholesky


@keras.saving.register_keras_serializable("keras_ndm")
class Constant(Cholesky):
    """P = L Lᵀ, the same everywhere: flat, a learned Mahalanobis distance. Takes no network."""

    takes_network = False

    def scalar_curvature(self, layer: HeadLayer, z: Tensor) -> Tensor:
        """Zero."""
        del layer
        return ops.zeros_like(z[:, 0])
