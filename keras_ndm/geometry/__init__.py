"""Riemannian geometry as pure, batched functions.

Indices: batch first; a tensor's indices follow in the order in which they are written, so
``christoffel[b, k, i, j]`` is Γ^k_ij and ``dg[b, k, i, j]`` is ∂_k g_ij. Conventions and signs:
`keras_ndm.geometry.curvature`.
"""

from keras_ndm.geometry import activations
from keras_ndm.geometry.callables import christoffel, jet_of, ricci, riemann, scalar_curvature

__all__ = ["activations", "christoffel", "jet_of", "ricci", "riemann", "scalar_curvature"]
