r"""How many Killing fields a metric has, whatever the coordinates: by transport along closed loops.

A Killing field is fixed by its value ξ_k and its derivative ω_jk = ∇_j ξ_k = −ω_kj at one point,
since along any curve x(s)

    D ξ_k  = ẋ^i ω_ik,
    D ω_jk = −ẋ^i R_jkid ξ^d,

and every (ξ, ω) that comes back unchanged round every loop belongs to a field. So the dimension of
the symmetry space is that of what all loops leave alone: at most n(n+1)/2 unknowns, no library, and
no derivatives of the metric beyond the second. With a potential, ξ·∇V = 0 joins.

Points of the data are joined by straight edges to near ones (`network`); a
spanning tree carries (ξ, ω) to all of them, and each other edge closes a loop. Loops round a
coordinate that is an angle count where the metric is regular all the way.

Source: B. Kostant, Trans. Amer. Math. Soc. 80 (1955) 528; R. Geroch, J. Math. Phys. 10 (1969)
1867, Appendix C.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from discovery.criteria import SYMMETRIES
from discovery.symmetries.geometry import curvature, metric_at_points
from discovery.symmetries.geometry.curvature import christoffel
from discovery.symmetries.geometry.metric_at_points import MetricField
from discovery.symmetries.geometry.sources import ExactMetric
from discovery.symmetries.transport.edges import transport
from discovery.symmetries.transport.network import Frames, Network, over_spread

# Points that are joined, and to which fields are carried.
_ANCHORS, _MOST = 160, 800
# Segments of a loop round an angle.
_SEGMENTS = 24


@dataclass(frozen=True)
class _Limits:
    """What transport may leave in one precision.

    Attributes
    ----------
    change : float
        What loops may change of a field; also the error that an edge may have.
    doubtful : float
        Up to which change one cannot say that there is no field.
    segment : float
        Error that a segment of a loop round an angle may have: it is larger near a pole.
    """

    change: float
    doubtful: float
    segment: float

    @classmethod
    def of(cls, double: bool) -> _Limits:
        c = SYMMETRIES
        if double:
            return cls(c.loop_change_double, c.doubtful_change_double, c.segment_error_double)
        return cls(c.loop_change_single, c.doubtful_change_single, c.segment_error_single)


@dataclass(frozen=True)
class KillingSpace:
    """The Killing fields of a metric, as numbers at some of the points.

    Attributes
    ----------
    changes : (m,) array, ascending
        What loops change of each of m = n(n+1)/2 orthonormal initial values, at most.
    dimension : int
        Number of Killing fields: of changes that are rounding.
    doubtful : int
        How many further changes are so small that they may be rounding.
    rows : (A,) array of int
        The points.
    values : (A, dimension, n) array
        ξ^k of a basis there.
    slopes : (A, dimension, n, n) array, ``[a, f, i, k]`` = ∂_i ξ^k
    """

    changes: np.ndarray
    dimension: int
    doubtful: int
    rows: np.ndarray
    values: np.ndarray
    slopes: np.ndarray


def killing_space(
    metric: ExactMetric, points: np.ndarray, geometry: MetricField, roles: Sequence[str | None]
) -> KillingSpace | None:
    """Count the Killing fields of an exact metric over the region of the points.

    Parameters
    ----------
    metric : callable or FormulaMetric
    points : (N, n) array
    geometry : MetricField
        At the points, with the force ∂V where symmetries must keep a potential.
    roles : sequence of n

    Returns
    -------
    KillingSpace or None
        None where too few points can be joined: the metric is singular between them.
    """
    rows = np.arange(min(len(points), _ANCHORS))
    anchors, local = points[rows], geometry.take(rows)
    frames, limits = Frames.of(local, points, geometry), _Limits.of(geometry.double)
    network = Network.of(metric, anchors, frames, limits.change)
    if network is None:
        return None
    conditions = [network.loops()]
    for axis in (k for k, role in enumerate(roles) if role == "angle"):
        turn = _round(metric, anchors[network.base], axis, frames.take([network.base]), limits)
        if turn is not None:
            conditions.append(turn)
    if local.force is not None:
        conditions.append(_force(network, frames, local))
    reached = network.reached
    size = network.carried[reached].reshape(-1, frames.size) / np.sqrt(reached.sum())
    _, lengths, right = np.linalg.svd(size, full_matrices=False)
    basis = right.T / lengths
    _, changes, rotation = np.linalg.svd(np.concatenate(conditions) @ basis)
    changes = np.append(changes, np.zeros(frames.size - len(changes)))[::-1]
    count = int(np.sum(changes <= limits.change))
    space = basis @ rotation[::-1][:count].T
    lower = frames.down[reached] @ network.carried[reached] @ space
    values, slopes = _raised(lower, local.take(reached))
    doubtful = int(np.sum(changes[count:] <= limits.doubtful))
    return KillingSpace(changes, count, doubtful, rows[reached], values, slopes)


def elsewhere(
    space: KillingSpace, metric: ExactMetric, points: np.ndarray, geometry: MetricField
) -> KillingSpace:
    """Return the same fields at all of the points that an edge from the nearest known one reaches.

    Parameters
    ----------
    space, metric
        The result of `killing_space`, and its metric.
    points : (N, n) array
        Those that `space` was made from.
    geometry : MetricField
        At the points.
    """
    points, n = points[:_MOST], points.shape[1]
    geometry = geometry.take(slice(_MOST))
    known = geometry.take(space.rows)
    upper = np.triu_indices(n, 1)
    rise = space.slopes + np.einsum(
        "akil,adl->adik", christoffel(known.metric, known.partials), space.values
    )
    omega = np.einsum("adik,akj->adij", rise, known.metric)[:, :, upper[0], upper[1]]
    xi = np.einsum("akl,adl->adk", known.metric, space.values)
    lower = np.swapaxes(np.concatenate([xi, omega], axis=2), 1, 2)
    scaled = over_spread(points)
    near = cKDTree(scaled[space.rows]).query(scaled)[1]
    allowed = _Limits.of(geometry.double).change
    steps, error = transport(metric, points[space.rows[near]], points, allowed)
    rows = np.flatnonzero(error <= allowed)
    values, slopes = _raised(steps[rows] @ lower[near[rows]], geometry.take(rows))
    return replace(space, rows=rows, values=values, slopes=slopes)


def _raised(lower: np.ndarray, local: MetricField) -> tuple[np.ndarray, np.ndarray]:
    """Return ξ^k (A, d, n) and ∂_i ξ^k (A, d, n, n) of (ξ_k, ω_jk), (A, m, d)."""
    n = local.metric.shape[1]
    inverse = np.linalg.inv(local.metric)
    xi = np.einsum("akl,ald->adk", inverse, lower[:, :n])
    omega = np.einsum("apd,pij->adij", lower[:, n:], curvature.pairs(n))
    slopes = np.einsum("adij,ajk->adik", omega, inverse)
    return xi, slopes - np.einsum("akil,adl->adik", christoffel(local.metric, local.partials), xi)


def _round(
    metric: ExactMetric, base: np.ndarray, axis: int, frame: Frames, limits: _Limits
) -> np.ndarray | None:
    """Return rows (m, m): what the loop round an angle changes; None where there is none."""
    stops = np.repeat(base[None, :], _SEGMENTS + 1, axis=0)
    stops[:, axis] += np.linspace(0, 2 * np.pi, _SEGMENTS + 1)
    steps, error = transport(metric, stops[:-1], stops[1:], limits.change)
    if not np.all(error <= limits.segment):
        return None
    g = metric_at_points.second_jet(metric, stops[[0, -1]])[0]
    if np.abs(g[1] - g[0]).max() > limits.change * np.abs(g[0]).max():
        return None  # it does not come back
    whole = np.eye(frame.size)
    for step in steps:
        whole = step @ whole
    whole = frame.up[0] @ whole @ frame.down[0]
    return (whole - np.eye(frame.size)) / max(1.0, np.abs(whole).max())


def _force(network: Network, frames: Frames, local: MetricField) -> np.ndarray:
    """Return rows (A, m): ξ·∇V at the points over the energy scale."""
    reached, n = network.reached, local.metric.shape[1]
    up = np.linalg.solve(local.metric[reached], local.force[reached][:, :, None])[:, :, 0]
    lower = frames.down[reached, :n] @ network.carried[reached]
    return np.einsum("ak,akm->am", up, lower) / local.energy_scale / np.sqrt(reached.sum())
