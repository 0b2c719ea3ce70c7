"""Local charts of a surface near points of R³: quadratics over tangent planes.

Each point has a chart of its own, a height h(u, v) over the tangent plane at its foot on the
surface, a quadratic fitted to the neighbours. Noise is taken to act along the normals: a neighbour
with foot y, normal m and offset e counts as a height e/(m·n) above y, at y's place (u, v). (Heights
of the points themselves, over their own places, would flatten every bend.) Feet and normals come
from these fits, so the fits are repeated.
"""

from typing import NamedTuple

import numpy as np
from scipy.spatial import KDTree
from scipy.stats import chi2

__all__ = ["STEEPEST", "Fit", "chosen_fit", "curvature_of", "fit_of", "frames_of"]

# Neighbours of a chart that are tried: a tenth of all points at most, since a closed surface is no
# quadratic over more.
_TRIED, _LARGEST_SHARE = (20, 30, 45, 70, 100, 150), 0.1
_PASSES = 4
_MEDIAN = float(chi2.median(1))
# Neighbours whose normals are more than 60° off, or that are seen at more than 45° above the
# tangent plane, are of another part of the surface.
_LEAST_COSINE, STEEPEST = 0.5, 1.0
# Points at a time.
_ROWS = 4096


class Fit(NamedTuple):
    """Charts of all points.

    Attributes
    ----------
    feet, normals : array (N, 3)
    offsets : array (N,)
        Of the points from their feet, along the normals.
    coefficients, covariance : arrays (N, 6) and (N, 6, 6)
        Of 1, u, v, u², uv, v², over the plane in which the last fit was made.
    variance : array (N,)
        Of the noise along the normal.
    spreads : array (N, 3)
        Standard deviations of the neighbours along the surface, larger first, and across.
    """

    feet: np.ndarray
    normals: np.ndarray
    offsets: np.ndarray
    coefficients: np.ndarray
    covariance: np.ndarray
    variance: np.ndarray
    spreads: np.ndarray


def chosen_fit(points: np.ndarray) -> tuple[Fit, int]:
    """Fit of the largest neighbourhoods that see the curvature of all smaller ones (Lepski 1991).

    Parameters
    ----------
    points : array (N, 3)

    Returns
    -------
    Fit
    int
        Neighbours of each chart.

    Notes
    -----
    Curvatures differ by more than noise where the median of (difference / standard error)² is above
    that of chi squared with one degree of freedom.
    """
    most = max(_TRIED[0], int(_LARGEST_SHARE * len(points)))
    chosen, seen = None, []
    for neighbours in (k for k in _TRIED if k <= most):
        fit = fit_of(points, neighbours)
        k, error = curvature_of(fit)
        if any(np.median((k - before) ** 2 / (e**2 + 1e-300)) > _MEDIAN for before, e in seen):
            break
        seen.append((k, error))
        chosen = fit, neighbours
    return chosen


def fit_of(points: np.ndarray, neighbours: int) -> Fit:
    """Charts of so many neighbours of each of the points (N, 3)."""
    fit = _first_fit(points, neighbours)
    for _ in range(_PASSES - 1):
        fit = _next_fit(points, fit, neighbours)
    return fit


def _first_fit(points, neighbours):
    """Fit over the plane in which the neighbours spread most; heights are those of the points."""
    radii, near = KDTree(points).query(points, neighbours + 1)
    found = []
    for rows in _parts(len(points)):
        places = points[near[rows]] - points[rows, None]
        centred = places - places.mean(axis=1, keepdims=True)
        squares = np.einsum("nki,nkj->nij", centred, centred) / neighbours
        normals = np.linalg.eigh(squares)[1][:, :, 0]
        frames = frames_of(normals)
        u, v, w = np.einsum("nij,nkj->ink", frames, places)
        found.append(_fitted(points[rows], frames, (u, v, w), radii[rows], _bell(radii[rows])))
    return _joined(found, points)


def _next_fit(points, fit, neighbours):
    """Fit over the tangent planes of the last fit, its offsets as noise along its normals."""
    radii, near = KDTree(fit.feet).query(fit.feet, neighbours + 1)
    found = []
    for rows in _parts(len(points)):
        frames = frames_of(fit.normals[rows])
        places = fit.feet[near[rows]] - fit.feet[rows, None]
        u, v, w = np.einsum("nij,nkj->ink", frames, places)
        cosine = np.einsum("ni,nki->nk", fit.normals[rows], fit.normals[near[rows]])
        same = (np.abs(cosine) > _LEAST_COSINE) & (np.abs(w) <= STEEPEST * np.hypot(u, v))
        same[:, 0] = True
        w = w + fit.offsets[near[rows]] / np.where(same, cosine, np.inf)
        weights = _bell(radii[rows]) * same
        found.append(_fitted(fit.feet[rows], frames, (u, v, w), radii[rows], weights))
    return _joined(found, points)


def _fitted(base, frames, places, radii, weights):
    """Weighted least squares about each base point; lengths in units of its radius within."""
    unit = radii[:, -1:]
    u, v, w = (axis / unit for axis in places)
    terms = np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], axis=-1)
    weighted = terms * weights[..., None]
    gram = np.einsum("nka,nkb->nab", terms, weighted)
    # Neighbours on two lines only determine no quadratic; it is then the least one.
    inverse = np.linalg.inv(gram + 1e-9 * np.eye(6))
    rows = np.einsum("nab,nkb->nak", inverse, weighted)
    c = np.einsum("nak,nk->na", rows, w)
    rest = w - np.einsum("nka,na->nk", terms, c)
    freedom = weights.sum(axis=1) - np.einsum("nak,nka->n", rows, weighted)
    variance = np.sum(weights * rest**2, axis=1) / np.maximum(freedom, 1e-9)
    covariance = variance[:, None, None] * np.einsum("nak,nbk->nab", rows, rows)
    along = [np.sum(weights * axis**2, axis=1) for axis in (u, v)]
    cross = np.sum(weights * u * v, axis=1)
    middle, half = (along[0] + along[1]) / 2, np.hypot((along[0] - along[1]) / 2, cross)
    total = weights.sum(axis=1)
    spreads = np.stack([(middle + half) / total, (middle - half) / total, variance], axis=1)
    # Down to the surface along its normal, and into units of the points.
    slope = 1.0 + c[:, 1] ** 2 + c[:, 2] ** 2
    normals = frames[:, 2] - c[:, 1:2] * frames[:, 0] - c[:, 2:3] * frames[:, 1]
    feet = base + (unit[:, 0] * c[:, 0] / slope)[:, None] * normals
    scale = unit ** np.array([1, 0, 0, -1, -1, -1])
    return (
        feet,
        normals / np.sqrt(slope)[:, None],
        c * scale,
        covariance * scale[:, :, None] * scale[:, None, :],
        variance * unit[:, 0] ** 2,
        np.sqrt(np.maximum(spreads, 0.0)),
    )


def _joined(found, points):
    feet, normals, *rest = (np.concatenate(column) for column in zip(*found, strict=True))
    offsets = np.sum((points - feet) * normals, axis=1)
    # Along the normal at the foot: the point's own place, with the noise taken off.
    return Fit(points - offsets[:, None] * normals, normals, offsets, *rest)


def _parts(count):
    return [slice(start, start + _ROWS) for start in range(0, count, _ROWS)]


def _bell(radii):
    """Weights that fall to 0 at the farthest neighbour (tricube)."""
    return (1.0 - (radii / radii[:, -1:]) ** 3) ** 3


def frames_of(normals: np.ndarray) -> np.ndarray:
    """Orthonormal frames (N, 3, 3), rows e₁, e₂ and the normal, for normals (N, 3)."""
    least = np.eye(3)[np.argmin(np.abs(normals), axis=1)]
    first = np.cross(normals, least)
    first /= np.linalg.norm(first, axis=1)[:, None]
    return np.stack([first, np.cross(normals, first), normals], axis=1)


def curvature_of(fit: Fit) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian curvature (N,), less what noise adds on average, and its standard error (N,)."""
    c, covariance = fit.coefficients, fit.covariance
    area = 1.0 + c[:, 1] ** 2 + c[:, 2] ** 2
    k = 4.0 * c[:, 3] * c[:, 5] - c[:, 4] ** 2
    by_noise = 4.0 * covariance[:, 3, 5] - covariance[:, 4, 4]
    slope = np.stack([4.0 * c[:, 5], -2.0 * c[:, 4], 4.0 * c[:, 3]], axis=1)
    variance = np.einsum("na,nab,nb->n", slope, covariance[:, 3:, 3:], slope)
    return (k - by_noise) / area**2, np.sqrt(variance) / area**2
