"""Surfaces through points of R³: curvature, area and the Euler characteristic.

Gaussian curvature K = h_uu h_vv − h_uv² is that of the local charts (`surface_fits`). Its integral
needs no second derivatives: the Voronoi cells of the points' feet, each in its tangent plane, tile
the surface, and the triangles about a foot leave an angle, which is the integral of K over what
belongs to the foot. By Gauss and Bonnet

    ∫ K dA = Σ (2π − Σ angles) = 2π χ,

an even multiple of 2π exactly where the triangles of all points agree.
"""

from typing import NamedTuple

import numpy as np
from keras import ops
from scipy.spatial import Delaunay, KDTree, QhullError

from keras_ndm.geometry.callables import Array
from keras_ndm.geometry.surface_fits import (
    STEEPEST,
    chosen_fit,
    curvature_of,
    fit_of,
    frames_of,
)

__all__ = ["EulerCharacteristic", "Surface", "euler_characteristic", "fit_surface"]

_LEAST = 200
# In a tangent plane points have about six Voronoi neighbours, which are among so many near ones.
_RING = 48
# Isotropic clouds spread about .6 times as far across their charts as along them, and curves a few
# times as far along as across: there is no surface to be seen.
_THICKEST, _NARROWEST = 0.45, 1 / 3


class Surface(NamedTuple):
    """A surface through N points, seen at each of them.

    Attributes
    ----------
    points : array (N, 3)
        The points' feet on the surface.
    normals : array (N, 3)
        Unit normals, to either side.
    curvature : array (N,)
        Gaussian curvature K.
    curvature_error : array (N,)
        Standard error of K by the noise of the points.
    areas : array (N,)
        Area that belongs to each point: one over N times their density on the surface.
    total_curvature : array (N,)
        ∫ K dA over the triangles about each point, a third of each.
    edge : array (N,) of bool
        Points with neighbours to one side only.
    noise : float
        Standard deviation of the points across the surface.
    neighbours : int
        Of each local fit.
    """

    points: np.ndarray
    normals: np.ndarray
    curvature: np.ndarray
    curvature_error: np.ndarray
    areas: np.ndarray
    total_curvature: np.ndarray
    edge: np.ndarray
    noise: float
    neighbours: int


class EulerCharacteristic(NamedTuple):
    """∫ K dA / 2π of a closed surface.

    Attributes
    ----------
    value, error : float
        With its standard error.
    """

    value: float
    error: float

    @property
    def integer(self) -> int | None:
        """The even number that it is, or None.

        Closed surfaces in space have even ones. The nearest is named where three errors are less
        than 1, so that no other is as near.
        """
        return 2 * round(self.value / 2) if 3 * self.error < 1 else None

    def __str__(self):
        told = "not told" if self.integer is None else str(self.integer)
        return f"{self.value:.2f} ± {self.error:.2f} ({told})"


def fit_surface(points: Array, neighbours: int | None = None) -> Surface:
    """Fit a surface to points of R³, by a chart about each of them.

    Parameters
    ----------
    points : array (N, 3), N ≥ 200
        Points near a surface, with noise about as large everywhere; equal ones count once.
    neighbours : int, optional
        Points of each chart, at least 12; more smooth more. By default as many as leave the
        curvature what it is with fewer, up to its standard error.

    Returns
    -------
    Surface
        Row by row that of the points, without those that equal an earlier one.

    Raises
    ------
    ValueError
        When the points fill a volume or lie along a curve as far as can be seen, are not finite or
        too few.
    """
    points = _checked(points)
    if neighbours is None:
        fit, neighbours = chosen_fit(points)
    elif 12 <= neighbours < len(points):
        fit = fit_of(points, neighbours)
    else:
        raise ValueError(
            f"`neighbours` must be from 12 to {len(points) - 1}, one less than there are points; "
            f"received {neighbours!r}."
        )
    _check_shape(fit)
    return Surface(
        fit.feet,
        fit.normals,
        *curvature_of(fit),
        *_triangles(fit.feet, fit.normals),
        float(np.sqrt(np.mean(fit.variance))),
        int(neighbours),
    )


def euler_characteristic(
    points: Array, neighbours: int | None = None, halves: int = 8, seed: int = 0
) -> EulerCharacteristic:
    """Euler characteristic χ = ∫ K dA / 2π of the closed surface near points of R³.

    2 of a sphere, 0 of a torus, −2 of a double torus; of several surfaces the sum. The error is

        √(variance of χ on random halves of the points + (their mean − χ)²):

    the variance on halves is that of the whole by sampling and noise (a jackknife that leaves out
    half), and their mean is off by what too few points do. It is at least the distance to the
    nearest even number, since χ of a closed surface in space is even.

    Parameters
    ----------
    points, neighbours
        As in `fit_surface`.
    halves : int
        How many, at least 2.
    seed : int

    Returns
    -------
    EulerCharacteristic

    Raises
    ------
    ValueError
        As `fit_surface`, and when the surface has an edge, or half of the points show no closed
        surface.
    """
    if halves < 2:
        raise ValueError(f"`halves` must be at least 2; received {halves!r}.")
    points = _checked(points, least=2 * _LEAST)
    whole = fit_surface(points, neighbours)
    value, random, parts = _closed(whole), np.random.default_rng(seed), []
    for _ in range(halves):
        rows = random.permutation(len(points))[: len(points) // 2]
        try:
            parts.append(_closed(fit_surface(points[rows], whole.neighbours)))
        except ValueError as error:
            raise ValueError(
                f"{len(points)} points are too few to tell an error: on half of them, {error}"
            ) from error
    error = np.hypot(np.std(parts, ddof=1), np.mean(parts) - value)
    return EulerCharacteristic(value, float(max(error, abs(value - 2 * round(value / 2)))))


def _closed(surface):
    """χ of a surface, which must have no edge."""
    if surface.edge.any():
        row = surface.points[np.argmax(surface.edge)]
        raise ValueError(
            f"{surface.edge.sum()} of {len(surface.edge)} points are at an edge, with neighbours "
            f"to one side only (the first near {np.round(row, 3)}), and of a surface with an edge "
            "∫ K dA does not tell the shape. Leave out points far from the others, or fill the gap."
        )
    return float(surface.total_curvature.sum() / (2.0 * np.pi))


def _checked(points, least=_LEAST):
    points = np.asarray(ops.convert_to_numpy(points), "float64")
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError(
            f"`points` must be of shape (N, 3), points of space; received {points.shape}."
        )
    if not np.isfinite(points).all():
        raise ValueError("`points` holds numbers that are not finite; leave those rows out.")
    points = points[np.sort(np.unique(points, axis=0, return_index=True)[1])]
    if len(points) < least:
        raise ValueError(
            f"A surface needs at least {least} different points; received {len(points)}."
        )
    return points


def _check_shape(fit):
    wide, narrow, thick = np.median(fit.spreads, axis=0)
    if narrow < _NARROWEST * wide:
        raise ValueError(
            f"The points lie along a curve: about a point they spread {narrow / wide:.2f} times as "
            f"far in one direction of the surface as in the other (at least {_NARROWEST:.2f}). "
            "Give points that cover a surface, or more `neighbours`."
        )
    if thick > _THICKEST * narrow:
        raise ValueError(
            f"The points show no surface: about a point they spread {thick / narrow:.2f} times as "
            f"far across as along (at most {_THICKEST:.2f}). They fill a volume, or are too few "
            "for their noise: give more points, or more `neighbours`."
        )


def _triangles(feet, normals):
    """Areas of the Voronoi cells, angles missing to 2π, and whether a point is at an edge."""
    near = KDTree(feet).query(feet, min(_RING + 1, len(feet)))[1]
    frames = frames_of(normals)
    areas, missing, edge = (np.zeros(len(feet), kind) for kind in (float, float, bool))
    for row in range(len(feet)):
        places = feet[near[row]] - feet[row]
        flat = places @ frames[row, :2].T
        along = np.linalg.norm(flat, axis=1)
        same = np.abs(places @ normals[row]) <= STEEPEST * along
        same[0] = True
        places, flat, along = places[same], flat[same], along[same]
        lengths = np.linalg.norm(places, axis=1)
        # Chords in the plane keep their lengths.
        flat[1:] *= (lengths[1:] / along[1:])[:, None]
        pairs = _ring(flat)
        edge[row] = pairs is None
        if pairs is None:
            continue
        a, b = places[pairs[:, 0]], places[pairs[:, 1]]
        la, lb = lengths[pairs[:, 0]], lengths[pairs[:, 1]]
        cosine = np.clip(np.sum(a * b, axis=1) / (la * lb), -1.0, 1.0)
        missing[row] = 2.0 * np.pi - np.sum(np.arccos(cosine))
        areas[row] = np.sum(_cell_shares(flat[pairs[:, 0]], flat[pairs[:, 1]]))
    return areas, missing, edge


def _ring(flat):
    """Pairs (m, 2) of points that make Delaunay triangles with the first; None at the rim."""
    if len(flat) < 4:
        return None
    try:
        triangles = Delaunay(flat).simplices
    except QhullError:  # all on one line
        return None
    triangles = triangles[(triangles == 0).any(axis=1)]
    pairs = triangles[triangles > 0].reshape(-1, 2)
    # A closed ring: each of its points is in two triangles.
    return pairs if len(pairs) > 2 and (np.bincount(pairs.ravel()) != 1).all() else None


def _cell_shares(a, b):
    """Share of the origin's Voronoi cell in each triangle (0, a, b)."""
    det = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    aa, bb, ab = np.sum(a * a, axis=1), np.sum(b * b, axis=1), np.sum(a * b, axis=1)
    # (|a|² cot β + |b|² cot α)/8 with the angles at b and a.
    return (aa * (bb - ab) + bb * (aa - ab)) / (8.0 * np.abs(det))
