"""Christoffel symbols and the Riemann tensor of metrics at points."""

from __future__ import annotations

import numpy as np


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
    """Return antisymmetric units (p, n, n), one for each j < k."""
    units = []
    for j in range(n):
        for k in range(j + 1, n):
            unit = np.zeros((n, n))
            unit[j, k], unit[k, j] = 1.0, -1.0
            units.append(unit)
    return np.array(units).reshape(-1, n, n)


def christoffel(g: np.ndarray, dg: np.ndarray) -> np.ndarray:
    """Return ``[b, k, i, j]`` = Γ^k_ij from g (N, n, n) and ``dg[b, k, i, j]`` = ∂_k g_ij."""
    lower = 0.5 * (np.transpose(dg, (0, 3, 1, 2)) + np.transpose(dg, (0, 3, 2, 1)) - dg)
    return np.einsum("bkl,blij->bkij", np.linalg.inv(g), lower)
