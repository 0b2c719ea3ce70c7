"""Differences: velocities that were computed from the positions beside them, and not measured.

Their noise is that of the positions and no noise of its own: h(q, q̇) moves with it as it would move
with no independent noise. Such a column is, up to rounding, a linear filter of its position column,

    v_t = Σ_k c_k q_{t+k},

which no measured velocity is: of this a filter leaves its own noise, and of an exact one it leaves
what the filter's differences miss of a derivative.
"""

from __future__ import annotations

import itertools

import numpy as np

from discovery.criteria import NOISE

# Samples on either side of a filter that is fitted.
_REACH = 10
# Equal steps, of rounded times.
_EQUAL_STEPS = 1e-3
# Rows that a filter is fitted to, and the share of their largest combination that is rounding.
_ROWS = 20_000
_ROUNDING = _ROWS * np.finfo(float).eps


def differenced(
    rows: np.ndarray, times: np.ndarray, offsets: np.ndarray, noise: np.ndarray
) -> dict[int, int]:
    """Find the columns that are differences of others.

    Parameters
    ----------
    rows : (n, d) array
    times : (n,) array
    offsets : (runs + 1,) array of int
        Run r is ``rows[offsets[r]:offsets[r + 1]]``.
    noise : (d,) array
        Standard deviation of each column's noise.

    Returns
    -------
    dict
        For each such column the column that it was computed from.
    """
    inner = _inner(offsets, 2)
    if not len(inner) or rows.shape[1] < 2:
        return {}
    rates = _rates(rows, times, inner)
    size = rows[inner].std(axis=0)
    found: dict[int, int] = {}
    likeness = np.abs(_correlations(rates[0], rows[inner])) * (size > 0)
    np.fill_diagonal(likeness, 0.0)
    for v in range(rows.shape[1]):
        column = rows[inner, v]
        q = int(np.argmax(likeness[:, v]))
        if likeness[q, v] and (
            _is_difference(column, [rate[:, q] for rate in rates])
            or _is_filtered(rows[:, [q, v]], times, offsets, noise[q])
        ):
            found[v] = q
    # What is itself computed is no position.
    return {v: q for v, q in found.items() if q not in found}


def _inner(offsets: np.ndarray, reach: int) -> np.ndarray:
    """Return the rows that have as many others of their run on either side."""
    spans = [np.arange(a + reach, b - reach) for a, b in itertools.pairwise(offsets)]
    return np.concatenate(spans).astype(int)


def _rates(rows: np.ndarray, times: np.ndarray, inner: np.ndarray) -> list[np.ndarray]:
    """Return derivatives at inner rows: over five samples, over three, forward and backward."""
    weights = np.empty((len(inner), 5))
    gaps = times[inner[:, None] + np.arange(-2, 3)] - times[inner][:, None]
    for k in range(5):
        # The slope at 0 of the polynomial that is 1 at sample k and 0 at the others.
        others = [j for j in range(5) if j not in (k, 2)]
        if k == 2:
            weights[:, k] = -np.sum(1 / np.delete(gaps, 2, axis=1), axis=1)
        else:
            above = np.prod(-gaps[:, others], axis=1)
            below = np.prod(gaps[:, [k]] - gaps[:, [*others, 2]], axis=1)
            weights[:, k] = above / below
    five = np.einsum("nk,nkd->nd", weights, rows[inner[:, None] + np.arange(-2, 3)])
    before, after = -gaps[:, [1]], gaps[:, [3]]
    forward = (rows[inner + 1] - rows[inner]) / after
    backward = (rows[inner] - rows[inner - 1]) / before
    three = (forward * before + backward * after) / (before + after)
    return [five, three, forward, backward]


def _correlations(ones: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the correlation of each column of one table with each of another, (d, d)."""
    parts = []
    for table in (ones, others):
        centred = table - table.mean(axis=0)
        parts.append(centred / np.maximum(np.linalg.norm(centred, axis=0), 1e-150))
    return parts[0].T @ parts[1]


def _is_difference(column: np.ndarray, rates: list[np.ndarray]) -> bool:
    """Tell whether a column is a difference, far nearer than the derivative over more samples."""
    better, *differences = rates
    return any(
        np.linalg.norm(column - rate) <= NOISE.differenced * np.linalg.norm(better - rate)
        for rate in differences
    )


def _is_filtered(pair: np.ndarray, times: np.ndarray, offsets: np.ndarray, noise: float) -> bool:
    """Tell whether the second column is a filter of the noise in the first, at regular times."""
    inner = _inner(offsets, _REACH)
    inner = inner[:: max(1, len(inner) // _ROWS)]
    steps = np.diff(times)[_inner(offsets, 1)]
    clean = noise <= 1.001 * NOISE.resolution * pair[:, 0].std()
    taps = np.arange(-_REACH, _REACH + 1)
    if clean or len(inner) < 4 * len(taps) or np.ptp(steps) > _EQUAL_STEPS * steps.mean():
        return False
    design = np.column_stack([pair[inner[:, None] + taps, 0], pair[inner, 1]])
    # What fits leave is the same of the triangle of an orthogonal decomposition.
    triangle = np.linalg.qr(design - design.mean(axis=0), mode="r") / np.sqrt(len(inner))
    weights, left = _fitted(triangle[:, :-1], triangle[:, -1])
    # A linear motion without noise is a filter of itself, however fast: then there is no noise.
    own, unlike = _fitted(np.delete(triangle[:, :-1], _REACH, axis=1), triangle[:, _REACH])
    noise = min(noise, unlike / np.sqrt(1 + own @ own))
    return bool(left <= NOISE.differenced * np.linalg.norm(weights) * noise)


def _fitted(design: np.ndarray, column: np.ndarray) -> tuple[np.ndarray, float]:
    """Return weights of the columns of a design that fit a column, and the size of what is left."""
    weights = np.linalg.lstsq(design, column, rcond=_ROUNDING)[0]
    return weights, float(np.linalg.norm(column - design @ weights))
