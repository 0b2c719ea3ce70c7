"""Unbiased estimate of the Ricci scalar from one random plane, at a cost without n².

For u, v a random pair, orthonormal in g, and w ~ N(0, g⁻¹), n(n − 1) times the sectional curvature
of the plane, with Γ·Γ replaced by (w·Γ)(w·Γ), whose mean over w it is:

    R̂ = n(n−1) [∂_u∂_v g(u,v) − ½∂_u² g(v,v) − ½∂_v² g(u,u) + (w·Γ(u,v))² − (w·Γ(u,u))(w·Γ(v,v))],
    w·Γ(a,b) = ½(∂_a g(b,w) + ∂_b g(a,w) − ∂_w g(a,b)).

Three first-order and three second-order directions for any n. The standard deviation of one probe
is of the size of R itself.
"""

from keras import ops

_PAIRS = ((0, 1), (0, 0), (1, 1))  # of the directions (u, v, w)


def scalar_estimate(layer: object, z: object, normals: object) -> object:
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
    directions = ops.stack([u, v, w], axis=1)
    forms = layer.bilinear(z, [(u, v), (u, u), (v, v), (u, w), (v, w)], directions, _PAIRS)
    uv, uu, vv, uw, vw = forms
    second = uv.second[:, 0] - 0.5 * vv.second[:, 1] - 0.5 * uu.second[:, 2]
    gamma_uv = 0.5 * (vw.first[:, 0] + uw.first[:, 1] - uv.first[:, 2])
    gamma_uu = uw.first[:, 0] - 0.5 * uu.first[:, 2]
    gamma_vv = vw.first[:, 1] - 0.5 * vv.first[:, 2]
    return n * (n - 1) * (second + gamma_uv**2 - gamma_uu * gamma_vv)
