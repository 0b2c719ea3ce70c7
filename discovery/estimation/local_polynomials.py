"""Local polynomial smoothing: the path without most of its noise, and how sure it is.

Squares of noisy values are biased and null directions drown, so runs are smoothed before they are
analysed. Each sample takes the window that costs it least: variance of the fit (what noise is
left) plus squared bias (what the polynomial missed), the bias read from the residuals of its
neighbours as in Mallows' C_p. Where no window helps, the sample stays as it was measured.

Source: Mallows (Technometrics 15, 1973); Fan and Gijbels, *Local Polynomial Modelling* (1996).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from scipy.ndimage import uniform_filter1d

from discovery.estimation.path import Path

DEGREE = 4
HALF_WIDTHS = (3, 4, 5, 7, 10, 14, 20)
NEIGHBOURS = 7
# Standard errors beyond which there is more bias for a while than on average.
CHANCE = 2.0
# Values that show such an event, over columns and neighbours on one side.
EVENT = 100


def smooth(rows: np.ndarray, times: np.ndarray, offsets: np.ndarray, noise: np.ndarray) -> Path:
    """Smooth every run.

    Parameters
    ----------
    rows : (n, d) array
    times : (n,) array
    offsets : (runs + 1,) array of int
    noise : (d,) array
        Standard deviation of the noise of each coordinate.

    Returns
    -------
    Path
    """
    best, error = smooth_apart(rows, times, offsets, noise, [np.arange(rows.shape[1])])
    return Path(best, error[:, :1, None] * np.diag(noise**2))


def smooth_apart(
    rows: np.ndarray,
    times: np.ndarray,
    offsets: np.ndarray,
    noise: np.ndarray,
    groups: Sequence[np.ndarray],
    caution: float | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Smooth every run, each group of columns with windows of its own.

    Parameters
    ----------
    rows, times, offsets, noise
        As for `smooth`.
    groups : sequence of arrays of int
        The columns that share their windows; every column in one group.
    caution : float, optional
        What bias counts over variance in the choice of a window. Where it is given, bias is read
        from all runs and all groups together, so that even a small one shows.

    Returns
    -------
    states : (n, d) array
    error : (n, d) array
        How far the true state may be from ``states``, squared, over ``noise``².
    """
    best, error = rows.copy(), np.ones(rows.shape)
    cost = error.copy()
    lengths = np.diff(offsets)
    for half in HALF_WIDTHS:
        if 2 * half + 1 > lengths.max():
            break
        index, window, weights, own = _local_fit(times, offsets, half)
        variance = (weights**2).sum(axis=1)
        leverage = weights[np.arange(len(index)), own]
        expected = 1 - 2 * leverage + variance
        fits, bias = [], np.zeros((len(groups), len(index)))
        for g, group in enumerate(groups):
            values = np.ascontiguousarray(rows[:, group])
            fits.append(np.einsum("nw,nwd->nd", weights, values[window]))
            misfit = (((values[index] - fits[g]) / noise[group]) ** 2).mean(axis=1)
            bias[g] = misfit - expected
        if caution is None:
            missed = np.array([_around(row, index, offsets) for row in bias])
        else:
            sizes = np.array([len(group) for group in groups])
            missed = _shared_bias(bias, sizes, expected, own, index, offsets)
        missed = np.maximum(missed, 0.0)
        for fit, group, miss in zip(fits, groups, missed, strict=True):
            price = variance + (1.0 if caution is None else caution) * miss
            better = price < cost[index, group[0]]
            chosen = np.ix_(index[better], group)
            best[chosen] = fit[better]
            error[chosen] = (variance + miss)[better, None]
            cost[chosen] = price[better, None]
    return best, error


def _local_fit(
    times: np.ndarray, offsets: np.ndarray, half: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return rows of runs that are long enough, their windows, weights and places in the window."""
    width = 2 * half + 1
    index = np.flatnonzero(np.repeat(np.diff(offsets), np.diff(offsets)) >= width)
    run = np.searchsorted(offsets, index, side="right") - 1
    start = np.clip(index - half, offsets[run], offsets[run + 1] - width)
    window = start[:, None] + np.arange(width)
    local = times[window] - times[index][:, None]
    local = local / (local[:, -1:] - local[:, :1])
    # Regular sampling has few distinct windows: fit each once.
    mix = np.random.default_rng(0).normal(size=(width, 2))
    marks = np.round(local @ mix, 9) @ np.array([1, 1j])
    _, chosen, inverse = np.unique(marks, return_index=True, return_inverse=True)
    powers = local[chosen][:, :, None] ** np.arange(DEGREE + 1)
    weights = np.linalg.pinv(powers)[:, 0, :]
    return index, window, weights[inverse], index - start


def _shared_bias(
    bias: np.ndarray,
    sizes: np.ndarray,
    expected: np.ndarray,
    own: np.ndarray,
    index: np.ndarray,
    offsets: np.ndarray,
) -> np.ndarray:
    """Return the squared bias of each group at each row, (groups, n), from all of them.

    A group's average over all rows at the same place in their window, and, where all groups
    together show more for a while, that surplus: events move all at once.
    """
    at_place = np.maximum(np.bincount(own), 1)
    mean = np.array([(np.bincount(own, row) / at_place)[own] for row in bias])
    together = sizes @ bias / sizes.sum()
    # Many columns need few neighbours to show an event, and a short one too.
    reach = int(np.clip(EVENT // sizes.sum(), 1, NEIGHBOURS))
    surplus = _around(together, index, offsets, reach) - max(float(together.mean()), 0.0)
    # Neighbours share much of their windows, and so their chance.
    chance = expected * np.sqrt(4 / (sizes.sum() * (2 * reach + 1)))
    return mean + np.maximum(surplus - CHANCE * chance, 0.0)


def _around(
    values: np.ndarray, index: np.ndarray, offsets: np.ndarray, reach: int = NEIGHBOURS
) -> np.ndarray:
    """Return the mean over neighbouring rows, for values at the rows of `index`."""
    rows = np.zeros(offsets[-1])
    rows[index] = values
    for a, b in itertools.pairwise(offsets):
        rows[a:b] = uniform_filter1d(rows[a:b], size=2 * reach + 1, mode="nearest")
    return rows[index]
