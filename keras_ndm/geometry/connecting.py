"""Geodesics between two points: paths, logarithms, distances and means.

A path of S segments from a to b has the energy E = S/2 Σ_s Δ_sᵀ G(m_s) Δ_s, with Δ_s the segment
and m_s its midpoint. Geodesics are its stationary paths; Newton's method finds them. With
B_ik = (∂_k G Δ)_i and Q_kl = ∂_k ∂_l G[Δ, Δ], the second derivatives of ½ ΔᵀG(m)Δ by the segment's
ends are

    H_aa = G − ½(B + Bᵀ) + ⅛Q,   H_ab = −G − ½B + ½Bᵀ + ⅛Q,   H_bb = G + ½(B + Bᵀ) + ⅛Q.

Where H is not positive it is blended with the Laplacian M of the metric alone, which is what is
left of H where the metric is constant.
"""

import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from keras import config, ops
from scipy.linalg import solve_banded

from keras_ndm.backend import Tensor
from keras_ndm.geometry.callables import Array, christoffel, jet_of
from keras_ndm.geometry.transport import geodesic
from keras_ndm.rowwise import Rows

# Segments that are evaluated at once: one size, so that one program is compiled.
_ROWS = 512
# Damping: where it starts, and below which it is left out.
_START, _NONE = 0.3, 1e-4
# The second derivatives of a metric have n⁴ entries: above this dimension M is used in place of H.
_NEWTON = 16
# Energies are compared in single precision.
_ROUNDING = 4 * float(np.finfo("float32").eps)


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

    Parameters
    ----------
    metric : callable or MetricLayer, (batch, n) -> (batch, n, n)
    a, b : array (batch, n), or (n,) for the same point in every pair
    points : int
        Segments S of a path. Lengths have an error of order S⁻².
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
    found = _connect(_terms(metric, a.shape[1], kind), a, b, points, tolerance, max_iterations)
    if not found.converged.all():
        rows = np.flatnonzero(~found.converged)
        warnings.warn(
            f"{len(rows)} of {len(a)} geodesics have not converged after {max_iterations} "
            f"iterations, the first in row {rows[0]}. Give more `max_iterations` or `points`; "
            "points far apart may have no shortest path near the straight line.",
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
    """The point (n,) whose mean squared geodesic distance to the rows of x is smallest.

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
        When weights are negative, all zero, or of another shape, and as in `connect`.
    RuntimeError
        When the mean has not converged: points spread too far may have several.
    """
    kind = _precision(x)
    x = checked_points(x, "x")
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
        found = _connect(terms, *checked_pairs(mean, x), points, tolerance, 100)
        step = weights @ found.velocity
        # To second order the exponential map is x + v − ½ Γ(v, v).
        here = ops.convert_to_tensor(mean[None].astype(kind))
        gamma = ops.convert_to_numpy(christoffel(metric, here))[0]
        g = ops.convert_to_numpy(metric(here))[0]
        mean = mean + step - np.einsum("kij,i,j->k", gamma, step, step) / 2
        if step @ g @ step <= tolerance**2 * (weights @ found.length**2):
            return mean
    raise RuntimeError(
        f"the mean has not converged after {max_iterations} iterations. Points that spread too far "
        "may have several means: take fewer, or give more `max_iterations`."
    )


class Paths:
    """Paths between some pairs, (P, S + 1, n), and the terms of their segments.

    Parameters
    ----------
    terms : callable
        Compiled `segment_terms`, or others of the same form.
    a, b : array (P, n)
    points : int
        Segments S.
    extra : tuple of array (P,)
        Further arguments of `terms`, the same along a path.
    stationary : bool
        Whether any stationary path is sought, by Newton's method with shorter steps where the
        gradient does not fall, and not the least energy.
    """

    def __init__(
        self,
        terms: Callable,
        a: np.ndarray,
        b: np.ndarray,
        points: int,
        extra: tuple = (),
        stationary: bool = False,
    ):
        share = np.linspace(0.0, 1.0, points + 1)[:, None]
        self.x = a[:, None] * (1 - share) + b[:, None] * share
        self.terms, self.extra, self.stationary = terms, extra, stationary
        self.now = self.evaluate(self.x)
        self.damping = np.full(len(a), 0.0 if stationary else _START)
        # A point is connected with itself.
        self.converged = (a == b).all(axis=1) & (not stationary)

    def evaluate(self, x: np.ndarray, which: np.ndarray | slice = slice(None)) -> list[np.ndarray]:
        """Terms of each segment, shape (P, S, …), of paths x (P, …, n) for the pairs `which`."""
        middle, delta = (x[:, 1:] + x[:, :-1]) / 2, np.diff(x, axis=1)
        p, s, n = delta.shape
        rows = [v.reshape(p * s, n) for v in (middle, delta)]
        rows += [np.repeat(v[which], s) for v in self.extra]
        filled = -(p * s) % _ROWS
        rows = [np.concatenate([v, np.repeat(v[-1:], filled, axis=0)]) for v in rows]
        chunks = [
            self.terms(*(v[start : start + _ROWS] for v in rows))
            for start in range(0, p * s + filled, _ROWS)
        ]
        parts = (np.concatenate(part)[: p * s] for part in zip(*chunks, strict=True))
        return [part.reshape(p, s, *part.shape[1:]) for part in parts]

    def solve(self, tolerance: float, max_iterations: int) -> None:
        """Move all paths until they are geodesics."""
        for _ in range(max_iterations):
            moving = np.flatnonzero(~self.converged)
            if not len(moving):
                return
            now = [part[moving] for part in self.now]
            damping = self.damping[moving]
            gradient = _gradient(now)
            step = _step(now, gradient, 0 * damping if self.stationary else damping)
            if self.stationary:
                step /= 1 + damping[:, None, None]
            gain = np.abs((gradient * step).sum(axis=(1, 2)) / 2)
            trial = self.x[moving]
            trial[:, 1:-1] -= step
            there = self.evaluate(trial, moving)
            won, sizes = self._won(now, there)
            better = won >= -_ROUNDING * sizes
            chosen = moving[better]
            self.x[chosen] = trial[better]
            for old, new in zip(self.now, there, strict=True):
                old[chosen] = new[better]
            # What an undamped step would gain, over the energy.
            kinetic = (there[1] * np.diff(trial, axis=1)).sum(axis=(1, 2)) / 2
            left = gain * (1 + damping)
            self.converged[moving[better & (left <= tolerance**2 * kinetic)]] = True
            self.damping[moving] = (
                np.where(better, damping / 4 * (damping > 0.1), 2 * damping + 1)
                if self.stationary
                else _damped(damping, better, won / np.maximum(gain, 1e-300))
            )

    def _won(self, now, there):
        """By how much the paths are better than they were, and the size of what is compared."""
        if self.stationary:
            before, after = (np.abs(_gradient(terms)).sum(axis=(1, 2)) for terms in (now, there))
            scale = np.abs(now[1]).sum(axis=(1, 2))
        else:
            before, after = (terms[0].sum(axis=1) / 2 for terms in (now, there))
            after = np.where((there[0] >= 0).all(axis=1), after, np.inf)
            scale = before
        return before - after, scale

    def momentum(self) -> np.ndarray:
        """Momentum (P, n) at the start, for a path that takes the time 1."""
        _, along, turn = self.now[:3]
        return (self.x.shape[1] - 1) * (along[:, 0] - turn[:, 0] / 4)

    def metric_at_start(self) -> np.ndarray:
        """Metric (P, n, n) at the start."""
        return self.evaluate(np.repeat(self.x[:, :1], 2, axis=1))[3][:, 0]


def _connect(terms, a, b, points, tolerance, max_iterations):
    size = 8 * max(1, _ROWS // points)
    parts = []
    for start in range(0, len(a), size):
        paths = Paths(terms, a[start : start + size], b[start : start + size], points)
        _check_positive(paths, start)
        paths.solve(tolerance, max_iterations)
        length = np.sqrt(np.maximum(paths.now[0], 0)).sum(axis=1)
        velocity = np.linalg.solve(paths.metric_at_start(), paths.momentum()[..., None])[..., 0]
        parts.append((paths.x, length, velocity, paths.converged))
    return Connection(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _check_positive(paths, offset):
    bad = ~(np.isfinite(paths.now[0]) & (paths.now[0] >= 0))
    if bad.any():
        row, s = np.argwhere(bad)[0]
        where = (paths.x[row, s] + paths.x[row, s + 1]) / 2
        raise ValueError(
            f"the metric is not finite and positive at {where}, on the straight line between the "
            f"points of pair {offset + row}. Give points between which the chart is defined."
        )


def _gradient(terms):
    """Derivative of ½ Σ ΔᵀGΔ by the inner points, (P, S − 1, n)."""
    _, along, turn = terms[:3]
    return along[:, :-1] - along[:, 1:] + (turn[:, :-1] + turn[:, 1:]) / 4


def _step(terms, gradient, damping):
    """Solve by (1 − w) H + λ M with w = λ/(1 + λ); without H by (1 + λ) M."""
    metric, newton = terms[3], len(terms) > 4
    damping = damping[:, None, None, None]
    share = damping if newton else 1 + damping
    diagonal, upper = share * (metric[:, :-1] + metric[:, 1:]), -share * metric
    if newton:
        turns, second = terms[4:]
        flipped = np.swapaxes(turns, 2, 3)
        both, eighth = (turns + flipped) / 2, second / 8
        keep = 1 / (1 + damping)
        ends = (metric - both + eighth)[:, 1:] + (metric + both + eighth)[:, :-1]
        diagonal = diagonal + keep * ends
        upper = upper + keep * ((flipped - turns) / 2 + eighth - metric)
    return _solve_tridiagonal(diagonal, upper[:, 1:-1], gradient)


def _damped(damping, better, ratio):
    """Damping of the next step (Nielsen 1999), from what was won over what was foreseen."""
    falls = np.maximum(0.1, 1 - (2 * np.clip(ratio, 0, 1) - 1) ** 3)
    lower = damping * falls
    return np.where(
        better, np.where(lower < _NONE, 0.0, lower), np.maximum(4 * damping, 30 * _NONE)
    )


def _solve_tridiagonal(diagonal, upper, right):
    """Solve symmetric block tridiagonal systems by LAPACK's banded solver.

    Parameters
    ----------
    diagonal : array (P, K, n, n)
    upper : array (P, K − 1, n, n)
        Blocks (k, k + 1); those below are their transposes.
    right : array (P, K, n)

    Returns
    -------
    array (P, K, n)
    """
    p, k, n = right.shape
    # All systems make one band, with no coupling from one to the next.
    coupling = np.concatenate([upper, np.zeros((p, 1, n, n))], axis=1)
    width, total = 2 * n - 1, p * k * n
    band = np.zeros((2 * width + 1, total + n))
    base = np.arange(p * k) * n
    for i in range(n):
        for j in range(n):
            band[width + i - j, base + j] = diagonal[:, :, i, j].ravel()
            above = coupling[:, :, i, j].ravel()
            band[width + i - j - n, base + j + n] = above
            band[width + n + j - i, base + i] = above
    solved = solve_banded((width, width), band[:, :total], right.ravel(), check_finite=False)
    return solved.reshape(right.shape)


def _terms(metric, dimension, kind):
    """Compile the terms of segments; for layers once, since their variables stay live."""
    newton = dimension <= _NEWTON
    if hasattr(metric, "jet"):
        return _terms_of_layer(metric, newton)
    rows = Rows(segment_terms(metric, newton), getattr(metric, "variables", []))
    return lambda *arrays: rows(*(array.astype(kind) for array in arrays))


@lru_cache(maxsize=16)
def _terms_of_layer(layer, newton):
    return Rows(segment_terms(layer, newton), layer.variables)


def _precision(*points):
    """Return the type in which a callable metric gets its points: as they are given."""
    kinds = [np.asarray(ops.convert_to_numpy(p)).dtype for p in points]
    kinds = [kind for kind in kinds if np.issubdtype(kind, np.floating)]
    return np.result_type(*kinds) if kinds else np.dtype(config.floatx())


def segment_terms(metric: Callable, newton: bool = True) -> Callable:
    """Return (m, Δ) ↦ the terms of segments, as tensors: see `contracted`."""
    return lambda middle, delta: contracted(jet_of(metric, middle, 2 if newton else 1), delta)


def contracted(jet: tuple, delta: Tensor) -> tuple:
    """Terms of segments Δ (batch, n) from the metric's derivatives (g, ∂g) or (g, ∂g, ∂∂g).

    Returns
    -------
    tuple of tensors
        ΔᵀGΔ, GΔ, ∂G[Δ, Δ], G, and with second derivatives B and Q.
    """
    g, dg, *second = jet
    delta = ops.cast(delta, g.dtype)
    along = ops.einsum("bij,bj->bi", g, delta)
    turns = ops.einsum("bkij,bj->bik", dg, delta)
    parts = (ops.sum(along * delta, -1), along, ops.einsum("bi,bik->bk", delta, turns), g)
    if not second:
        return parts
    return *parts, turns, ops.einsum("bklij,bi,bj->bkl", second[0], delta, delta)


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
