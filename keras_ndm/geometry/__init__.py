"""Riemannian geometry as pure, batched functions.

Indices: batch first; a tensor's indices follow in the order in which they are written, so
``christoffel[b, k, i, j]`` is Γ^k_ij and ``dg[b, k, i, j]`` is ∂_k g_ij. Conventions and signs:
`keras_ndm.geometry.curvature`.
"""

from keras_ndm.geometry import activations
from keras_ndm.geometry.callables import christoffel, jet_of, ricci, riemann, scalar_curvature
from keras_ndm.geometry.connecting import (
    Connection,
    connect,
    distance,
    exp,
    frechet_mean,
    log,
    pairwise_distances,
)
from keras_ndm.geometry.fields import (
    covariant_derivative,
    divergence,
    lie_derivative,
    sectional_curvature,
    volume_element,
)
from keras_ndm.geometry.surfaces import (
    EulerCharacteristic,
    Surface,
    euler_characteristic,
    fit_surface,
)
from keras_ndm.geometry.transport import Geodesics, geodesic, parallel_transport

__all__ = [
    "Connection",
    "EulerCharacteristic",
    "Geodesics",
    "Surface",
    "activations",
    "christoffel",
    "connect",
    "covariant_derivative",
    "distance",
    "divergence",
    "euler_characteristic",
    "exp",
    "fit_surface",
    "frechet_mean",
    "geodesic",
    "jet_of",
    "lie_derivative",
    "log",
    "pairwise_distances",
    "parallel_transport",
    "ricci",
    "riemann",
    "scalar_curvature",
    "sectional_curvature",
    "volume_element",
]
