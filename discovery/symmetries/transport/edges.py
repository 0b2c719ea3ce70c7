r"""A Killing field along straight edges: its equation of transport, by Gauss collocation.

Along x(s), ξ_k and ω_jk = ∇_j ξ_k obey

    D ξ_k  = ẋ^i ω_ik,
    D ω_jk = −ẋ^i R_jkid ξ^d,

linear equations in m = n(n+1)/2 unknowns. Two orders of collocation must agree; an edge on which
they do not is halved.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.polynomial import legendre

from discovery.symmetries.geometry import metric_at_points
from discovery.symmetries.geometry.curvature import christoffel, pairs, riemann
from discovery.symmetries.geometry.sources import ExactMetric

# Orders of the two collocations, and how often an edge on which they disagree is halved.
_ORDERS, _HALVINGS = (9, 7), 4


def transport(
    metric: ExactMetric,
    starts: np.ndarray,
    ends: np.ndarray,
    allowed: float,
    halvings: int = _HALVINGS,
) -> tuple[np.ndarray, np.ndarray]:
    """Carry (ξ_k, ω_jk) along straight edges.

    Parameters
    ----------
    metric : callable or FormulaMetric
    starts, ends : (E, n) arrays
    allowed : float
        Relative error above which an edge is halved.
    halvings : int
        How often.

    Returns
    -------
    matrices : (E, m, m) array
        On (ξ_k, ω_jk with j < k), m = n(n+1)/2.
    errors : (E,) array
        Relative, by two orders of collocation; infinite where the metric is not regular.
    """
    found, other = (_collocated(metric, starts, ends, order) for order in _ORDERS)
    size = np.abs(found).max(axis=(1, 2))
    with np.errstate(invalid="ignore"):
        error = np.abs(found - other).max(axis=(1, 2)) / size
    error[~np.isfinite(error)] = np.inf
    found[~np.isfinite(error)] = 0.0
    bad = np.flatnonzero(error > allowed)
    if len(bad) and halvings:
        middle = (starts[bad] + ends[bad]) / 2
        first, one = transport(metric, starts[bad], middle, allowed, halvings - 1)
        second, two = transport(metric, middle, ends[bad], allowed, halvings - 1)
        found[bad], error[bad] = second @ first, one + two
    return found, error


def _collocated(
    metric: ExactMetric, starts: np.ndarray, ends: np.ndarray, order: int
) -> np.ndarray:
    """Integrate along straight edges by Gauss collocation; NaN where the metric is none."""
    nodes, weights, inner = _gauss(order)
    velocity = ends - starts
    at = starts[:, None, :] + nodes[:, None] * velocity[:, None, :]
    count, n = starts.shape
    flat = at.reshape(-1, n)
    rates, fine = _rates(metric, flat, np.repeat(velocity, order, axis=0))
    m = rates.shape[1]
    rates = rates.reshape(count, order, m, m)
    # K_a = N_a (1 + Σ_b A_ab K_b): one linear system an edge.
    system = -np.einsum("eaij,ab->eaibj", rates, inner).reshape(count, order * m, order * m)
    system += np.eye(order * m)
    stages = np.linalg.solve(system, rates.reshape(count, order * m, m))
    found = np.eye(m) + np.einsum("a,eaij->eij", weights, stages.reshape(count, order, m, m))
    found[~fine.reshape(count, order).all(axis=1)] = np.nan
    return found


@cache
def _gauss(order: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return nodes and weights on [0, 1], and ∫_0^{x_a} of the b-th Lagrange polynomial."""
    x, w = legendre.leggauss(order)
    # Lagrange polynomials in Legendre's: coefficients by discrete orthogonality.
    values = legendre.legvander(x, order - 1)
    coefficients = (values * w[:, None]).T * (np.arange(order) + 0.5)[:, None]
    integrals = np.stack(
        [legendre.legval(x, legendre.legint(column, lbnd=-1)) for column in coefficients.T],
        axis=1,
    )
    return (x + 1) / 2, w / 2, integrals / 2


def _rates(
    metric: ExactMetric, points: np.ndarray, velocity: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return N (P, m, m) of the equation d/ds (ξ_k, ω_jk) = N (ξ_k, ω_jk), and where it is one."""
    g, dg, ddg = metric_at_points.second_jet(metric, points)
    n = points.shape[1]
    units = pairs(n)
    size = n + len(units)
    fine = np.array([np.isfinite(a).reshape(len(a), -1).all(axis=1) for a in (g, dg, ddg)]).all(0)
    g = np.where(fine[:, None, None], g, np.eye(n))
    fine &= np.linalg.eigvalsh(g)[:, 0] > 0
    g = np.where(fine[:, None, None], g, np.eye(n))
    dg, ddg = (np.where(fine.reshape(-1, *[1] * (a.ndim - 1)), a, 0.0) for a in (dg, ddg))
    gamma = christoffel(g, dg)
    along = np.einsum("blik,bi->blk", gamma, velocity)
    curvature = np.einsum("bjkid,bi,bde->bjke", riemann(g, gamma, ddg), velocity, np.linalg.inv(g))
    rates = np.zeros((len(points), size, size))
    rates[:, :n, :n] = np.swapaxes(along, 1, 2)
    rates[:, :n, n:] = np.einsum("bi,pik->bkp", velocity, units)
    if len(units):
        upper = np.triu_indices(n, 1)
        rates[:, n:, :n] = -curvature[:, upper[0], upper[1]]
        turned = np.einsum("blj,qlk->bjkq", along, units) + np.einsum("blk,qjl->bjkq", along, units)
        rates[:, n:, n:] = turned[:, upper[0], upper[1]]
    return rates, fine
