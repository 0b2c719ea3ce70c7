"""Unbiased estimate of the Ricci scalar from one random plane, at a cost without n².

For u, v a random pair, orthonormal in g, and w ~ N(0, g⁻¹), n(n − 1) times the sectional curvature
of the plane, with Γ·Γ replaced by (w·Γ)(w·Γ), whose mean over w it is:

    R̂ = n(n−1) [∂_u∂_v g(u,v) − ½∂_u² g(v,v) − ½∂_v² g(u,u) + (w·Γ(u,v))² − (w·Γ(u,u))(w·Γ(v,v))],
    w·Γ(a,b) = ½(∂_a g(b,w) + ∂_b g(a,w) − ∂_w g(a,b)).

Three first-order and three second-order directions for any n. The standard deviation of one probe
is of the size of R itself.
"""

from typing import Protocol

from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.geometry.jets import Jet

# Of the directions (u, v, w): second derivatives, and the inner products that are differentiated.
_SECOND = ((0, 1), (0, 0), (1, 1))
_FORMS = ((0, 1), (0, 0), (1, 1), (0, 2), (1, 2))


class ProbedMetric(Protocol):
    """What the estimate asks of a metric; `MetricLayer` has it."""

    def sample(self, z: Tensor, normal: Tensor) -> Tensor:
        """Vectors (batch, n) of covariance g⁻¹."""

    def inner(self, z: Tensor, u: Tensor, v: Tensor) -> Tensor:
        """Inner products g(u, v), (batch,).

        Parameters
        ----------
        z, u, v : tensor (batch, n)
            Points and two vectors at each.
        """

    def bilinear(
        self,
        z: Tensor,
        vectors: Tensor,
        pairs: tuple,
        order: int,
        directions: Tensor,
        second: tuple,
    ) -> Jet:
        """Jet of g(a, b), (batch, len(pairs)), for pairs of vectors.

        Parameters
        ----------
        z, vectors, pairs, order, directions, second
            As in `MetricLayer.bilinear`.
        """


def scalar_estimate(layer: ProbedMetric, z: Tensor, normals: Tensor) -> Tensor:
    """One estimate R̂ of the Ricci scalar at each point.

    Parameters
    ----------
    layer : MetricLayer
        Its head must give `bilinear` jets along directions (all but the pullback head do).
    z : tensor (batch, n), n ≥ 2
    normals : tensor (3, batch, layer.head.noise_size(n))
        Independent standard normal numbers.

    Returns
    -------
    tensor (batch,)
    """
    n = z.shape[-1]
    # Gradients flow through the choice of the plane too: it depends on the metric.
    a, b, w = (layer.sample(z, normals[k]) for k in range(3))
    inner = lambda p, q: layer.inner(z, p, q)[:, None]  # noqa: E731
    u = a / ops.sqrt(inner(a, a))
    b = b - inner(u, b) * u
    v = b / ops.sqrt(inner(b, b))
    vectors = ops.stack([u, v, w], axis=1)
    forms = layer.bilinear(z, vectors, _FORMS, 2, vectors, _SECOND)
    first, second = forms.first, forms.second  # [b, direction or pair, form]
    uv, uu, vv, uw, vw = range(5)
    bend = second[:, 0, uv] - 0.5 * second[:, 1, vv] - 0.5 * second[:, 2, uu]
    gamma_uv = 0.5 * (first[:, 0, vw] + first[:, 1, uw] - first[:, 2, uv])
    gamma_uu = first[:, 0, uw] - 0.5 * first[:, 2, uu]
    gamma_vv = first[:, 1, vw] - 0.5 * first[:, 2, vv]
    return n * (n - 1) * (bend + gamma_uv**2 - gamma_uu * gamma_vv)
