"""Pullback head: the metric that an embedding network induces."""

import keras
from keras import ops

from keras_ndm import backend
from keras_ndm.backend import Tensor
from keras_ndm.backend.training import cholesky
from keras_ndm.geometry import activations, curvature, jets
from keras_ndm.geometry.jets import Jet
from keras_ndm.metric_heads.base import HeadLayer, MetricHead

# Largest slope of each activation, for the bound on the Jacobian.
_STEEPEST = {
    "linear": 1.0,
    "tanh": 1.0,
    "sigmoid": 0.25,
    "softplus": 1.0,
    "silu": 1.1,
    "gelu": 1.13,
    "sin": 1.0,
}


@keras.saving.register_keras_serializable("keras_ndm")
class Pullback(MetricHead):
    """P = XᵢᵀXⱼ, the metric of the surface z ↦ X(z) in R^m that the network draws.

    With the ridge c 1 it is the metric of the surface z ↦ (X(z), √c z), c constant in z: the bound
    on the condition number takes tr P at its largest, Π ‖W_l‖² times the activations' squared
    slopes.

    Parameters
    ----------
    outputs : int
        m, the dimension of the space it is embedded in.
    """

    def __init__(self, outputs: int = 8):
        if outputs < 1:
            raise ValueError(f"`outputs` must be at least 1; received {outputs!r}.")
        self.outputs = int(outputs)

    def size(self, dimension: int) -> int:
        """Give m."""
        del dimension
        return self.outputs

    def largest_trace(self, layer: HeadLayer) -> Tensor:
        """Upper bound of tr P over all z."""
        bound = 1.0
        for part in layer.network:
            name = activations.name_of(part.activation)
            if name not in _STEEPEST:
                raise ValueError(
                    "The pullback head needs activations of bounded slope, "
                    f"{', '.join(_STEEPEST)}; received {name!r}."
                )
            bound = bound * _STEEPEST[name] ** 2
            if hasattr(part, "kernel"):
                bound = bound * ops.sum(ops.square(ops.convert_to_tensor(part.kernel)))
        return bound

    def ridge(self, layer: HeadLayer) -> Tensor:
        """Give c = floor + largest trace / (max_condition − 1), a scalar."""
        return layer.floor + self.largest_trace(layer) / (layer.max_condition - 1.0)

    def jet(
        self,
        layer: HeadLayer,
        z: Tensor,
        order: int,
        directions: Tensor | None = None,
        pairs: tuple | None = None,
    ) -> Jet:
        """Metric and its partial derivatives, along the coordinates only.

        First derivatives are exact by 2-jets of the embedding; second ones need its third
        derivatives and go by automatic differentiation. Curvature needs neither: see
        `scalar_curvature`.

        Parameters
        ----------
        layer : HeadLayer
        z : tensor (batch, d)
        order : {0, 1, 2}
        directions, pairs
            Must not be given.
        """
        if directions is not None or pairs is not None:
            raise ValueError("The pullback head gives derivatives along the coordinates only.")
        n = z.shape[-1]
        eye = ops.eye(n, dtype=z.dtype)
        if order == 0:
            first = jets.network(jets.seed(z, 1), layer.tapped_network()).first
            return Jet(ops.einsum("bim,bjm->bij", first, first) + self.ridge(layer) * eye)
        value, first = self._first(layer, z)
        if order == 1:
            return Jet(value, first)
        _, second = backend.partials(lambda t: self._first(layer, t)[1], z)
        pairs = jets.all_pairs(n)
        second = ops.stack([second[:, i, j] for i, j in pairs], axis=1)
        return Jet(value, first, second, pairs)

    def _first(self, layer, z):
        jet = jets.network(jets.seed(z, 2), layer.tapped_network())
        tangent, bend = jet.first, jet.second_matrix()
        half = ops.einsum("bkim,bjm->bkij", bend, tangent)
        eye = ops.eye(z.shape[-1], dtype=z.dtype)
        value = ops.einsum("bim,bjm->bij", tangent, tangent) + self.ridge(layer) * eye
        return value, half + ops.swapaxes(half, 2, 3)

    def scalar_curvature(self, layer: HeadLayer, z: Tensor) -> Tensor:
        """Gauss' equation, `R = |H|² − |II|²`, from second derivatives of the embedding alone.

        II_ij is the part of ∂_i ∂_j X normal to the surface, H = g^ij II_ij (do Carmo, 1992,
        chapter 6).
        """
        jet = jets.network(jets.seed(z, 2), layer.tapped_network())
        tangent, bend = jet.first, jet.second_matrix()
        g = ops.einsum("bim,bjm->bij", tangent, tangent)
        g = g + self.ridge(layer) * ops.eye(z.shape[-1], dtype=g.dtype)
        h = curvature.inverse_from_factor(cholesky(g))
        # ⟨II_ij, II_kl⟩ = ⟨X_ij, X_kl⟩ − g^ab ⟨X_ij, X_a⟩⟨X_kl, X_b⟩
        along = ops.einsum("bijm,bam->bija", bend, tangent)
        raised = ops.einsum("bik,bjl,bklm->bijm", h, h, bend)
        raised_along = ops.einsum("bijm,bam->bija", raised, tangent)
        square = ops.sum(bend * raised, axis=(1, 2, 3))
        square = square - ops.einsum("bija,bac,bijc->b", along, h, raised_along)
        mean = ops.einsum("bij,bijm->bm", h, bend)
        mean_along = ops.einsum("bij,bija->ba", h, along)
        normal = ops.sum(ops.square(mean), axis=-1)
        normal = normal - ops.einsum("ba,bac,bc->b", mean_along, h, mean_along)
        return normal - square

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        return {"outputs": self.outputs}
