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
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

DEGREE = 4
HALF_WIDTHS = (3, 4, 5, 7, 10, 14, 20)
NEIGHBOURS = 7


@dataclass(frozen=True)
class Path:
    """States with their covariance.

    Attributes
    ----------
    states : (n, d) array
    covariance : (n, d, d) array
        How far the true state may be from ``states``.
    """

    states: np.ndarray
    covariance: np.ndarray


def raw_path(rows: np.ndarray, noise: np.ndarray) -> Path:
    """Return the measured states with the covariance of their noise, diag(noise²)."""
    return Path(rows, np.broadcast_to(np.diag(noise**2), (*rows.shape, rows.shape[1])))


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
        What bias counts over variance in the choice of a window. Where it is given, one window
        serves all runs, so that even a small bias shows.

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
        for group in groups:
            values = np.ascontiguousarray(rows[:, group])
            fit = np.einsum("nw,nwd->nd", weights, values[window])
            misfit = (((values[index] - fit) / noise[group]) ** 2).mean(axis=1)
            bias = np.zeros(len(rows))
            bias[index] = misfit - (1 - 2 * leverage + variance)
            if caution is None:
                missed = np.maximum(_neighbour_mean(bias, offsets)[index], 0.0)
                price = variance + missed
            else:
                missed = np.maximum(_mean_by(own, bias[index]), 0.0)
                price = variance + caution * missed
            better = price < cost[index, group[0]]
            chosen = np.ix_(index[better], group)
            best[chosen] = fit[better]
            error[chosen] = (variance + missed)[better, None]
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


def _mean_by(place: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return, for each value, the mean over all at the same place in the window."""
    return (np.bincount(place, values) / np.maximum(np.bincount(place), 1))[place]


def _neighbour_mean(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    out = np.empty_like(values)
    for a, b in itertools.pairwise(offsets):
        out[a:b] = uniform_filter1d(values[a:b], size=2 * NEIGHBOURS + 1, mode="nearest")
    return out
