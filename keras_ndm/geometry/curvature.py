r"""Christoffel symbols and curvature from the derivatives of a metric.

Conventions, the same everywhere in this package (those of Misner, Thorne & Wheeler, 1973):

    Γ^k_ij   = ½ g^kl (∂_i g_jl + ∂_j g_il − ∂_l g_ij)
    R^l_kij  = ∂_i Γ^l_jk − ∂_j Γ^l_ik + Γ^l_im Γ^m_jk − Γ^l_jm Γ^m_ik
    R_kj     = R^i_kij,        R = g^kj R_kj

R is positive on spheres: n(n − 1) on the unit one.
"""

from keras import ops

from keras_ndm.backend import Tensor


def christoffel_from(g: Tensor, dg: Tensor, inverse: Tensor | None = None) -> Tensor:
    """Christoffel symbols of the second kind.

    Parameters
    ----------
    g : tensor (batch, n, n)
    dg : tensor (batch, n, n, n), ``dg[b, k, i, j]`` = ∂_k g_ij
    inverse : tensor (batch, n, n), optional
        g⁻¹, where it is known.

    Returns
    -------
    tensor (batch, n, n, n), ``[b, k, i, j]`` = Γ^k_ij
    """
    lower = christoffel_lower(dg)
    inverse = ops.inv(g) if inverse is None else inverse
    return ops.einsum("bkl,blij->bkij", inverse, lower)


def christoffel_lower(dg: Tensor) -> Tensor:
    """Christoffel symbols of the first kind, ½(∂_i g_jl + ∂_j g_il − ∂_l g_ij)."""
    i_jl = ops.transpose(dg, (0, 3, 1, 2))
    j_il = ops.transpose(dg, (0, 3, 2, 1))
    return 0.5 * (i_jl + j_il - dg)


def riemann_from(g: Tensor, dg: Tensor, ddg: Tensor, inverse: Tensor | None = None) -> Tensor:
    """Riemann tensor with all indices down, ``[b, l, k, i, j]`` = R_lkij.

    R_lkij = ½(∂_i∂_k g_lj − ∂_i∂_l g_kj − ∂_j∂_k g_li + ∂_j∂_l g_ki)
             + g_ef (Γ^e_ki Γ^f_lj − Γ^e_kj Γ^f_li)

    Parameters
    ----------
    g : tensor (batch, n, n)
    dg : tensor (batch, n, n, n), ``dg[b, k, i, j]`` = ∂_k g_ij
    ddg : tensor (batch, n, n, n, n), ``ddg[b, k, l, i, j]`` = ∂_k ∂_l g_ij
    inverse : tensor (batch, n, n), optional
        The inverse metric, where it is known.
    """
    lower = christoffel_lower(dg)
    inverse = ops.inv(g) if inverse is None else inverse
    upper = ops.einsum("bkl,blij->bkij", inverse, lower)
    second = ops.einsum("biklj->blkij", ddg) - ops.einsum("bilkj->blkij", ddg)
    second = second - ops.einsum("bjkli->blkij", ddg) + ops.einsum("bjlki->blkij", ddg)
    square = ops.einsum("beki,belj->blkij", upper, lower)
    return 0.5 * second + square - ops.swapaxes(square, 3, 4)


def ricci_from(g: Tensor, dg: Tensor, ddg: Tensor, inverse: Tensor | None = None) -> Tensor:
    """Ricci tensor, ``[b, k, j]`` = g^li R_lkij.

    Parameters
    ----------
    g, dg, ddg, inverse
        As in `riemann_from`.
    """
    inverse = ops.inv(g) if inverse is None else inverse
    return ops.einsum("bli,blkij->bkj", inverse, riemann_from(g, dg, ddg, inverse))


def inverse_from_factor(factor: Tensor) -> Tensor:
    """(L Lᵀ)⁻¹ from the lower Cholesky factor L (batch, n, n); under XLA far cheaper than `inv`."""
    eye = ops.zeros_like(factor) + ops.eye(factor.shape[-1], dtype=factor.dtype)
    inverse = ops.linalg.solve_triangular(factor, eye, lower=True)
    return ops.matmul(ops.swapaxes(inverse, -1, -2), inverse)


def scalar_from(g: Tensor, dg: Tensor, ddg: Tensor, inverse: Tensor | None = None) -> Tensor:
    """Ricci scalar (batch,), without building the Riemann tensor.

    R = g^ac g^bd (∂_b∂_c g_ad − ∂_a∂_c g_bd) + g_ef g^ac g^bd (Γ^e_bc Γ^f_ad − Γ^e_bd Γ^f_ac).

    Parameters
    ----------
    g, dg, ddg
        As in `riemann_from`.
    inverse : tensor (batch, n, n), optional
        The inverse metric, where it is known.
    """
    h = ops.inv(g) if inverse is None else inverse
    lower = christoffel_lower(dg)
    upper = ops.einsum("bkl,blij->bkij", h, lower)
    # ∂_b∂_c g_ad and ∂_a∂_c g_bd, each first contracted with one inverse metric to an n × n array.
    mixed = ops.einsum("zbcad,zac->zbd", ddg, h)
    trace = ops.einsum("zbd,zacbd->zac", h, ddg)
    second = ops.sum(h * (mixed - trace), axis=(1, 2))
    raised = ops.einsum("zebc,zbd,zac->zeda", upper, h, h)
    square = ops.sum(raised * ops.swapaxes(lower, 2, 3), axis=(1, 2, 3))
    traced = ops.einsum("zebd,zbd->ze", lower, h)
    return second + square - ops.einsum("ze,zef,zf->z", traced, h, traced)
