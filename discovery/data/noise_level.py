"""The noise of measurements, read from the data's own smoothness.

A trajectory of a flow is smooth, noise is not: a difference of high order annihilates the path and
keeps the noise. Every order gives an upper bound on the noise (what is left of the path adds to
it), so the smallest over the orders is taken.

Source: the difference-sequence estimators of Hall, Kay and Titterington (Biometrika 77, 1990).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from math import comb
from numbers import Real

import numpy as np

from discovery.criteria import NOISE

# What users may pass as ``noise=``: one level for all coordinates, one for each, or by name.
NoiseLevel = float | Sequence[float] | Mapping[str, float] | np.ndarray | None

# Of differences.
ORDERS = range(1, 13)
# Median of the size of a standard normal variable.
_MEDIAN = 0.6744897501960817
# Differences below this share of the values are rounding, and this share of a step is none.
_SAME, _ON_GRID = 1e-12, 1e-3
# Sizes of differences of columns, by what these hold, and of how many they are kept.
_KEPT: dict[bytes, np.ndarray] = {}
_MOST_KEPT = 256
# Steps are equal but for the rounding of times, as a share of a step.
_EQUAL = 1e-9


def noise_scale(rows: np.ndarray, times: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Estimate the standard deviation of the measurement noise of each coordinate.

    Parameters
    ----------
    rows : (n, d) array
        The runs, one after the other.
    times : (n,) array
        Increasing within each run.
    offsets : (runs + 1,) array of int
        Run r is ``rows[offsets[r]:offsets[r + 1]]``.

    Returns
    -------
    (d,) array
        Never below ``NOISE.resolution`` of the coordinate's standard deviation.
    """
    spread = rows.std(axis=0)
    best = np.min([spread, *difference_scales(rows, times, offsets)], axis=0)
    return np.maximum(best, NOISE.resolution * np.maximum(spread, 1e-300))


def difference_scales(
    rows: np.ndarray, times: np.ndarray, offsets: np.ndarray, orders: Iterable[int] = ORDERS
) -> list[np.ndarray]:
    """Return the size of divided differences of each order, where the runs are long enough.

    Several readings of the same runs ask for them: those of the last columns are kept.

    Parameters
    ----------
    rows : (n, d) array
    times : (n,) array
    offsets : (runs + 1,) array of int
    orders : iterable of int
        Ascending.

    Returns
    -------
    list of (d,) arrays
        The standard deviation of white noise, and more where the path adds to it.
    """
    orders = tuple(orders)
    where = _digest(times, offsets, np.array(orders))
    keys = [where + _digest(column) for column in rows.T]
    scales = {key: _KEPT.get(key) for key in keys}
    new = [j for j, key in enumerate(keys) if scales[key] is None]
    if new:
        found = _scales(rows[:, new], times, offsets, orders).T
        scales |= dict(zip([keys[j] for j in new], found, strict=True))
    _KEPT.update(scales)
    # Other threads may have done so.
    for key in list(_KEPT)[:-_MOST_KEPT]:
        _KEPT.pop(key, None)
    return list(np.transpose([scales[key] for key in keys]))


def _scales(
    rows: np.ndarray, times: np.ndarray, offsets: np.ndarray, orders: Sequence[int]
) -> np.ndarray:
    """Return the size of differences of each order, (orders, d), as far as runs are long enough."""
    scales, plain, done = [], rows, 0
    for order in orders:
        # Of those of the order before.
        plain, done = np.diff(plain, order - done, axis=0), order
        _, residual = _divided(plain, rows, times, offsets, order)
        if len(residual) < NOISE.fewest_differences:
            break
        # The median resists the few places where the path turns too fast for this order.
        scales.append(np.median(np.abs(residual), axis=0) / _MEDIAN)
    return np.reshape(scales, (-1, rows.shape[1]))


def _digest(*arrays: np.ndarray) -> bytes:
    """Return a few bytes that tell arrays from all others."""
    of = blake2b(digest_size=16)
    for array in arrays:
        of.update(np.ascontiguousarray(array))
    return of.digest()


def rounding_noise(rows: np.ndarray) -> np.ndarray:
    """Return the noise of rounding to a grid, step/√12, of columns that lie on one; else 0.

    Where a path moves by less than a step between samples differences do not show it.

    Parameters
    ----------
    rows : (n, d) array

    Returns
    -------
    (d,) array
    """
    return np.array([_grid_step(values) for values in rows.T]) / 12**0.5


def _grid_step(values: np.ndarray) -> float:
    """Return the step of which all differences of values (n,) are multiples, 0 if there is none."""
    gaps = np.diff(np.unique(values))
    # Rounding of numbers makes no step.
    gaps = gaps[gaps > _SAME * np.abs(values).max()]
    if len(gaps) < NOISE.fewest_differences:
        return 0.0
    step = gaps.min()
    whole = np.round(gaps / step)
    step = gaps.sum() / whole.sum()
    off = np.abs(gaps / step - np.round(gaps / step)).max()
    repeated = len(values) > NOISE.grid_repeats * (len(gaps) + 1)
    return float(step) if off < _ON_GRID and repeated else 0.0


def differences(
    rows: np.ndarray, times: np.ndarray, offsets: np.ndarray, order: int, apart: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return where divided differences of one order within runs start, and what they are.

    Their weights have unit norm, so that white noise keeps its standard deviation.

    Parameters
    ----------
    rows : (n, d) array
    times : (n,) array
    offsets : (runs + 1,) array of int
    order : int
    apart : bool
        Of all differences only such as share no sample.

    Returns
    -------
    starts : (k,) array of int
        Difference i is of the rows ``starts[i], …, starts[i] + order``.
    differences : (k, d) array
    """
    return _divided(np.diff(rows, order, axis=0), rows, times, offsets, order, apart)


def _divided(
    plain: np.ndarray,
    rows: np.ndarray,
    times: np.ndarray,
    offsets: np.ndarray,
    order: int,
    apart: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Return what `differences` does, from the plain differences of all rows, (n − order, d)."""
    starts = _inside_runs(offsets, order, order + 1 if apart else 1)
    # Where steps are even their weights are binomial coefficients, whose squares add up to this.
    out = plain[starts] / comb(2 * order, order) ** 0.5
    others = np.flatnonzero(~even_windows(times, starts, order))
    if len(others):
        window = [starts[others] + j for j in range(order + 1)]
        weights = _weights(np.stack([times[row] for row in window], axis=1))
        out[others] = sum(weights[:, [j]] * rows[row] for j, row in enumerate(window))
    return starts, out


def _inside_runs(offsets: np.ndarray, order: int, step: int = 1) -> np.ndarray:
    """Return every so many-th row that has `order` others of its run after it."""
    spans = [np.arange(a, b - order, step) for a, b in itertools.pairwise(offsets)]
    return np.concatenate(spans).astype(int)


def even_windows(times: np.ndarray, starts: np.ndarray, order: int) -> np.ndarray:
    """Tell in which windows of so many steps these are equal, but for the rounding of times, (k,).

    Parameters
    ----------
    times : (n,) array
    starts : (k,) array of int
        Where windows start.
    order : int
        Steps of a window.
    """
    step = np.diff(times)
    turns = np.abs(np.diff(step)) > _EQUAL * step[:-1]
    before = np.concatenate([[0], np.cumsum(turns)])
    return before[starts + order - 1] == before[starts]


def _weights(t: np.ndarray) -> np.ndarray:
    """Return the weights of divided differences over windows of times (k, w), of unit norm."""
    t = (t - t[:, :1]) / (t[:, -1:] - t[:, :1])
    weights = np.ones_like(t)
    for j in range(t.shape[1]):
        gaps = t - t[:, [j]]
        gaps[:, j] = 1.0
        weights /= gaps
    return weights / np.linalg.norm(weights, axis=1, keepdims=True)


def known_noise(noise: NoiseLevel, names: Sequence[str]) -> np.ndarray | None:
    """Check what a user gave as ``noise=`` and return it for each coordinate.

    Parameters
    ----------
    noise : float, array-like of shape (d,), or mapping from name to float, optional
        Standard deviation of the noise, in the data's units.
    names : sequence of d str
        Of the coordinates.

    Returns
    -------
    (d,) array, or None where nothing was given

    Raises
    ------
    ValueError
        For what is no number or d numbers, for numbers that are negative or not finite, and for a
        mapping that has other names.
    """
    if noise is None:
        return None
    dim = len(names)
    if hasattr(noise, "keys"):
        by_name = {str(key): noise[key] for key in noise.keys()}  # noqa: SIM118 (a Series too)
        if set(by_name) != set(names):
            raise ValueError(
                f"noise: received levels of {', '.join(by_name)}; expected one for each of "
                f"{', '.join(names)}, 0 where there is none."
            )
        noise = [by_name[name] for name in names]
    told = isinstance(noise, (Real, list, tuple, np.ndarray)) and not isinstance(noise, bool)
    levels = _as_floats(noise) if told else None
    if levels is None:
        raise ValueError(
            f"noise: expected a number or {dim} numbers (standard deviations in the data's units), "
            f"received {noise!r}."
        )
    if levels.ndim > 1 or (levels.ndim == 1 and len(levels) != dim):
        raise ValueError(
            f"noise: received shape {levels.shape}; expected one number or one for each of the "
            f"{dim} coordinates."
        )
    if not np.all(np.isfinite(levels)) or np.any(levels < 0):
        raise ValueError(
            f"noise: received {noise!r}; expected standard deviations, positive or 0 for none. "
            "Leave it out to have the noise estimated."
        )
    return np.broadcast_to(levels, (dim,)).copy()


def _as_floats(values: Real | Sequence[float] | np.ndarray) -> np.ndarray | None:
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        return None
