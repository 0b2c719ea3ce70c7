"""Christoffel symbols, the Riemann tensor, and the size of a region in its metric."""

from __future__ import annotations

import numpy as np


def christoffel(g: np.ndarray, dg: np.ndarray) -> np.ndarray:
    """Return ``[b, k, i, j]`` = Γ^k_ij from g (N, n, n) and ``dg[b, k, i, j]`` = ∂_k g_ij."""
    lower = 0.5 * (np.transpose(dg, (0, 3, 1, 2)) + np.transpose(dg, (0, 3, 2, 1)) - dg)
    return np.einsum("bkl,blij->bkij", np.linalg.inv(g), lower)


def riemann(g: np.ndarray, gamma: np.ndarray, ddg: np.ndarray) -> np.ndarray:
    """Return ``[b, j, k, i, d]`` = R_jkid, g_ji g_kd − g_jd g_ki on the unit sphere.

    Parameters
    ----------
    g : (N, n, n) array
    gamma : (N, n, n, n) array, ``[b, k, i, j]`` = Γ^k_ij
    ddg : (N, n, n, n, n) array, ``[b, k, l, i, j]`` = ∂_k ∂_l g_ij
    """
    one = np.einsum("bkijd->bjkid", ddg)  # ∂_k ∂_i g_jd
    half = one + np.einsum("bjdki->bjkid", ddg)
    half = half - np.einsum("bkdji->bjkid", ddg) - np.einsum("bjikd->bjkid", ddg)
    turn = np.einsum("bef,beki,bfjd->bjkid", g, gamma, gamma, optimize=True)
    return half / 2 + turn - np.swapaxes(turn, 3, 4)


def pairs(n: int) -> np.ndarray:
    """Return the antisymmetric units (p, n, n), one for each j < k: +1 at j, k and −1 at k, j."""
    units = []
    for j in range(n):
        for k in range(j + 1, n):
            unit = np.zeros((n, n))
            unit[j, k], unit[k, j] = 1.0, -1.0
            units.append(unit)
    return np.array(units).reshape(-1, n, n)


def region_size(g: np.ndarray, points: np.ndarray) -> float:
    """Return ℓ, the root mean square distance of points (N, n) from their mean, in the mean metric.

    g (N, n, n) is the metric at the points: ℓ² = Σ_ij E[g_ij] Cov(x^i, x^j).
    """
    n = points.shape[1]
    return np.sqrt(np.sum(g.mean(axis=0) * np.cov(points.T).reshape(n, n)))
