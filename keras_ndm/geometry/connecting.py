"""Geodesics between two points: logarithms, distances and means.

How paths become geodesics: `keras_ndm.geometry.paths`.
"""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from keras import config, ops
from scipy.linalg import eigh

from keras_ndm.geometry.callables import (
    Array,
    check_callable,
    christoffel,
    refuse_unsymmetric,
)
from keras_ndm.geometry.paths import ROWS, Paths, segment_terms
from keras_ndm.geometry.transport import geodesic
from keras_ndm.rowwise import Rows

# The second derivatives of a metric have n⁴ entries: above this dimension M is used in place of H.
_NEWTON = 16
# How many times as many segments are tried where the metric varies too much along one.
_FINER = (2, 4, 8)
# A mean is left along a direction in which half the mean squared distance curves by less than minus
# this, where it is 1 in flat space; what is smaller may be discretisation.
_FLAT, _ASIDE = 0.01, 0.1


class Connection(NamedTuple):
    """Geodesics between pairs of points.

    Attributes
    ----------
    points : array (batch, S + 1, n)
        The paths, with equal shares of the length a segment.
    length : array (batch,)
    velocity : array (batch, n)
        The velocity at the start of the geodesic that arrives at time 1: the logarithm.
    converged : array (batch,) of bool
    """

    points: np.ndarray
    length: np.ndarray
    velocity: np.ndarray
    converged: np.ndarray


def connect(
    metric: Callable,
    a: Array,
    b: Array,
    points: int = 32,
    tolerance: float = 1e-4,
    max_iterations: int = 100,
) -> Connection:
    """Geodesics from `a` to `b`, which minimise the energy among the paths near the straight line.

    A stationary path that is no minimum (a great circle that goes on beyond the antipode) is left;
    in more than 16 dimensions second derivatives are not taken, and such a path is not seen. Where
    half segments give a length that is more than 1 % off, up to eight times as many are used.

    Parameters
    ----------
    metric : callable or MetricLayer, (batch, n) -> (batch, n, n)
    a, b : array (batch, n), or (n,) for the same point in every pair
    points : int
        Segments S of a path. Lengths have an error of order S⁻². What the metric does on
        less than half a segment is not seen.
    tolerance : float
        How far a path may be from the discrete geodesic, over its length.
    max_iterations : int

    Returns
    -------
    Connection

    Raises
    ------
    ValueError
        When shapes do not fit, a point is not finite, or the metric is not finite and positive on
        the straight line between two points.

    Warns
    -----
    RuntimeWarning
        When paths have not converged; ``converged`` says which.
    """
    kind = _precision(a, b)
    a, b = checked_pairs(a, b)
    points = checked_count(points, "points")
    max_iterations = checked_count(max_iterations, "max_iterations")
    if not tolerance > 0:
        raise ValueError(f"`tolerance` must be positive; received {tolerance!r}.")
    terms = _terms(metric, a.shape[1], kind)
    found = Connection(*_connect(terms, a, b, points, (tolerance, max_iterations))[:4])
    if not found.converged.all():
        rows = np.flatnonzero(~found.converged)
        warnings.warn(
            f"{len(rows)} of {len(a)} geodesics have not converged after {max_iterations} "
            f"iterations, the first in row {rows[0]}: their lengths are no distances. Give more "
            "`max_iterations` or `points`; points far apart may have no shortest path near the "
            "straight line, or the metric varies too much along it.",
            RuntimeWarning,
            stacklevel=2,
        )
    return found


def exp(metric: Callable, x: Array, v: Array, steps: int = 32) -> np.ndarray:
    """Exponential map: where the geodesics from x with velocity v are at time 1.

    Parameters
    ----------
    metric : callable or MetricLayer
    x, v : array (batch, n)
    steps : int
        As in `geodesic`.

    Returns
    -------
    array (batch, n)
    """
    return ops.convert_to_numpy(geodesic(metric, x, v, steps)[0][-1])


def log(metric: Callable, a: Array, b: Array, points: int = 32) -> np.ndarray:
    """Logarithm: the velocity (batch, n) at `a` of the geodesic that is at `b` at time 1.

    Parameters
    ----------
    metric, a, b, points
        As in `connect`.
    """
    return connect(metric, a, b, points).velocity


def distance(metric: Callable, a: Array, b: Array, points: int = 32) -> np.ndarray:
    """Geodesic distance (batch,) between a and b.

    Parameters
    ----------
    metric, a, b, points
        As in `connect`.
    """
    return connect(metric, a, b, points).length


def pairwise_distances(
    metric: Callable, x: Array, y: Array | None = None, points: int = 32
) -> np.ndarray:
    """Geodesic distances between all rows of two sets, for scikit-learn's ``metric="precomputed"``.

    Parameters
    ----------
    metric : callable or MetricLayer
    x : array (N, n)
    y : array (M, n), optional
        Default `x`; then each pair is computed once.
    points : int
        As in `connect`.

    Returns
    -------
    array (N, M)
    """
    kind = _precision(x) if y is None else _precision(x, y)
    x = checked_points(x, "x").astype(kind)
    if y is not None:
        y = checked_points(y, "y").astype(kind)
        i, j = (index.ravel() for index in np.indices((len(x), len(y))))
        return distance(metric, x[i], y[j], points).reshape(len(x), len(y))
    between = np.zeros((len(x), len(x)))
    i, j = np.triu_indices(len(x), 1)
    if len(i):
        between[i, j] = between[j, i] = distance(metric, x[i], x[j], points)
    return between


def frechet_mean(
    metric: Callable,
    x: Array,
    weights: Array | None = None,
    points: int = 32,
    tolerance: float = 1e-4,
    max_iterations: int = 50,
) -> np.ndarray:
    """The point (n,) whose mean squared geodesic distance to the rows of x is smallest nearby.

    It is a minimum among the points around it, not a saddle (in more than 16 dimensions that is not
    looked at); points that spread far may have several.

    Parameters
    ----------
    metric : callable or MetricLayer
    x : array (N, n)
    weights : array (N,), optional
        Not negative; default equal.
    points : int
        As in `connect`.
    tolerance : float
        Size of the mean logarithm at the result, over the root mean square distance.
    max_iterations : int

    Raises
    ------
    ValueError
        When there are no points, weights are negative, all zero, or of another shape, and as in
        `connect`.
    RuntimeError
        When the mean, or a geodesic to it, has not converged: points spread too far may have
        several.
    """
    kind = _precision(x)
    x = checked_points(x, "x")
    if not len(x):
        raise ValueError("`x` must hold at least one point, a row each; received none.")
    weights = np.ones(len(x)) if weights is None else np.asarray(weights, "float64")
    if weights.shape != (len(x),) or not (weights >= 0).all() or not 0 < weights.sum() < np.inf:
        raise ValueError(
            f"`weights` must be {len(x)} numbers that are not negative and not all zero; received "
            f"shape {weights.shape}."
        )
    weights = weights / weights.sum()
    points = checked_count(points, "points")
    terms = _terms(metric, x.shape[1], kind)
    mean = weights @ x
    for _ in range(checked_count(max_iterations, "max_iterations")):
        found = _connect(terms, *checked_pairs(mean, x), points, (tolerance, 100), bend=True)
        step = weights @ found.velocity
        # To second order the exponential map is x + v − ½ Γ(v, v).
        here = ops.convert_to_tensor(mean[None].astype(kind))
        gamma = ops.convert_to_numpy(christoffel(metric, here))[0]
        g = np.asarray(ops.convert_to_numpy(metric(here))[0], "float64")
        spread = weights @ found.length**2
        arrived = step @ g @ step <= tolerance**2 * spread
        if arrived and not found.converged[weights > 0].all():
            break
        down = _downhill(weights, found.bend, g) if arrived else None
        if down is not None:
            step = _ASIDE * np.sqrt(spread) * down
        mean = mean + step - np.einsum("kij,i,j->k", gamma, step, step) / 2
        if arrived and down is None:
            return mean
        if not np.isfinite(mean).all():
            break
    raise RuntimeError(
        f"the mean, or geodesics to it, have not converged in {max_iterations} iterations. Points "
        "that spread too far may have several means, or none in the chart: take points nearer to "
        "each other, or give more `max_iterations`."
    )


def _downhill(weights, bend, g):
    """Direction in which the mean squared distance falls in second order; None at a minimum."""
    if bend is None:
        return None
    curvature, directions = eigh(np.einsum("p,pij->ij", weights, bend), g, subset_by_index=[0, 0])
    return directions[:, 0] if curvature[0] < -_FLAT else None


class _Found(NamedTuple):
    """A `Connection`, whether paths are resolved, and second derivatives of ½ length²."""

    points: np.ndarray
    length: np.ndarray
    velocity: np.ndarray
    converged: np.ndarray
    resolved: np.ndarray
    bend: np.ndarray | None = None


def _connect(terms, a, b, points, limits, bend=False):
    if not len(a):
        n = a.shape[1]
        empty = ((0, points + 1, n), (0,), (0, n))
        return _Found(*(np.zeros(shape) for shape in empty), *np.zeros((2, 0), bool))
    found = _solved(terms, a, b, points, limits, bend)
    for more in _FINER:
        coarse = np.flatnonzero(found.converged & ~found.resolved)
        if not len(coarse):
            break
        finer = _solved(terms, a[coarse], b[coarse], more * points, limits, bend, more)
        for old, new in zip(found, finer, strict=True):
            if old is not None:
                old[coarse] = new
    return found._replace(converged=found.converged & found.resolved)


def _solved(terms, a, b, points, limits, bend, more=1):
    """Find the paths; with `more` from evenly spaced lines, and every `more`-th point of them."""
    size = 8 * max(1, ROWS // points)
    parts = []
    for start in range(0, len(a), size):
        paths = Paths(terms, a[start : start + size], b[start : start + size], points)
        _check_positive(paths, start)
        if more > 1:
            paths.space_evenly()
        paths.minimise(*limits)
        velocity = np.linalg.solve(paths.metric_at_start(), paths.momentum()[..., None])[..., 0]
        length = paths.lengths().sum(axis=1)
        part = [paths.x[:, ::more], length, velocity, paths.converged, paths.resolved()]
        if bend and len(paths.now) > 4:
            part.append(paths.bend_at_start())
        parts.append(part)
    return _Found(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _check_positive(paths, offset):
    """Refuse a metric that is not symmetric, or not finite and positive along straight lines."""
    metric = np.concatenate([paths.metric_at_start()[:, None], paths.now[3]], axis=1)
    refuse_unsymmetric(metric)
    finite = np.isfinite(metric).all(axis=(2, 3))
    bad = ~finite
    bad[:, 1:] |= ~(np.isfinite(paths.now[0]) & (paths.now[0] >= 0))
    # Of large matrices the eigenvalues are taken at the start alone, where the metric is inverted.
    seen = slice(None) if metric.shape[-1] <= _NEWTON else slice(1)
    checked = np.where(finite[:, seen, None, None], metric[:, seen], np.eye(metric.shape[-1]))
    values = np.linalg.eigvalsh(checked)
    rounding = metric.shape[-1] * np.finfo("float64").eps
    bad[:, seen] |= ~(values[..., 0] > rounding * np.abs(values[..., -1]))
    if bad.any():
        row, s = np.argwhere(bad)[0]
        middle = (paths.x[row, 1:] + paths.x[row, :-1]) / 2
        where = np.concatenate([paths.x[row, :1], middle])[s]
        raise ValueError(
            f"the metric is not finite and positive at {where}, on the straight line between the "
            f"points of pair {offset + row}. Give points between which the chart is defined."
        )


def _terms(metric, dimension, kind):
    """Compile the terms of segments; for layers once, since their variables stay live."""
    check_callable(metric)
    newton = dimension <= _NEWTON
    if hasattr(metric, "jet"):
        return _terms_of_layer(metric, newton)
    rows = Rows(segment_terms(metric, newton), getattr(metric, "variables", []), often=True)
    return lambda *arrays: rows(*(array.astype(kind) for array in arrays))


def _terms_of_layer(layer, newton):
    # Kept in the layer, past Keras' tracking, as long as it has the same variables.
    key = newton, tuple(map(id, layer.variables))
    kept = layer.__dict__.setdefault("_segment_terms", {})
    if key not in kept:
        kept.clear()
        kept[key] = Rows(segment_terms(layer, newton), layer.variables, often=True)
    return kept[key]


def _precision(*points):
    """Return the type in which a callable metric gets its points: as they are given."""
    kinds = [np.asarray(ops.convert_to_numpy(p)).dtype for p in points]
    kinds = [kind for kind in kinds if np.issubdtype(kind, np.floating)]
    return np.result_type(*kinds) if kinds else np.dtype(config.floatx())


def checked_points(x: Array, name: str) -> np.ndarray:
    """Return points as an array (batch, n) of finite numbers."""
    x = np.asarray(ops.convert_to_numpy(x))
    if x.ndim != 2 or not np.issubdtype(x.dtype, np.number):
        raise ValueError(
            f"`{name}` must be numbers of shape (batch, n), one point a row; received shape "
            f"{x.shape} of {x.dtype}."
        )
    x = x.astype("float64")
    if not np.isfinite(x).all():
        row = int(np.argmax(~np.isfinite(x).all(axis=1)))
        raise ValueError(f"`{name}` must be finite; received {x[row]} in row {row}.")
    return x


def checked_pairs(a: Array, b: Array) -> tuple:
    """Two arrays (batch, n); a single point goes with every row of the other."""
    a, b = (np.asarray(ops.convert_to_numpy(v)) for v in (a, b))
    a, b = (v[None] if v.ndim == 1 else v for v in (a, b))
    a, b = checked_points(a, "a"), checked_points(b, "b")
    if a.shape[1] != b.shape[1] or (len(a) != len(b) and 1 not in (len(a), len(b))):
        raise ValueError(
            f"`a` and `b` must hold as many points of one dimension; received shapes {a.shape} and "
            f"{b.shape}."
        )
    return tuple(np.array(v) for v in np.broadcast_arrays(a, b))


def checked_count(value: int, name: str) -> int:
    """Return a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"`{name}` must be a whole number of at least 1; received {value!r}.")
    return int(value)
