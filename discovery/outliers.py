"""Gross errors: samples that no smooth path could pass through.

A sample is compared with the cubic through its four neighbours. A gross error stands out from the
same comparison three to six samples away, which it does not touch; fast motion does not, since it
is fast there too.
"""

from __future__ import annotations

import numpy as np

# Times the local and the overall typical misfit that a sample must exceed.
GROSS = 9.0
# An error smaller than this fraction of the coordinate's spread is not gross.
LEAST = 0.02
# No more than this share of the rows is left out: beyond it, it is the data's nature.
MOST = 0.03
# Noise of a value minus the cubic through its neighbours at equal steps, over the value's own.
_LINE = np.sqrt(1 + (2 * 4**2 + 2) / 6**2)


def sound_rows(
    rows: np.ndarray, times: np.ndarray, offsets: np.ndarray, noise: np.ndarray
) -> np.ndarray:
    """Tell which rows to keep.

    Parameters
    ----------
    rows : (n, d) array
    times : (n,) array
    offsets : (runs + 1,) array of int
    noise : (d,) array
        Standard deviation of each coordinate's noise, by a robust estimate.

    Returns
    -------
    (n,) array of bool
    """
    noise = np.maximum(noise, LEAST / GROSS * rows.std(axis=0))
    keep = np.ones(len(rows), dtype=bool)
    for _ in range(3):
        index = np.flatnonzero(keep)
        run = np.searchsorted(offsets, index, side="right") - 1
        misfit = _misfit(rows[index], times[index], run) / noise
        size = np.abs(misfit).max(axis=1)
        local = _nearby(size)
        peak = (size >= np.roll(size, 1)) & (size >= np.roll(size, -1))
        gross = peak & (size > GROSS * np.maximum(local, 1.0))
        if not gross.any():
            break
        keep[index[gross]] = False
    return keep if np.mean(~keep) <= MOST else np.ones(len(rows), dtype=bool)


def mend_lines(lines: np.ndarray, offsets: np.ndarray, noise: float) -> np.ndarray:
    """Put gross errors on the cubic through their neighbours along a ring of equal steps.

    An error is alone in time too. What stands out a sample before and after it as well is a front,
    and stays.

    Parameters
    ----------
    lines : (points, n) array
        Values along each of n rings.
    offsets : (runs + 1,) array of int
        The rings of run r are those from ``offsets[r]`` to ``offsets[r + 1]``, in time order.
    noise : float

    Returns
    -------
    (points, n) array
    """
    least = max(noise, LEAST / GROSS * float(lines.std()))
    whole = lines
    for _ in range(3):
        near = np.roll(whole, 1, axis=0) + np.roll(whole, -1, axis=0)
        far = np.roll(whole, 2, axis=0) + np.roll(whole, -2, axis=0)
        misfit = whole - (4 * near - far) / 6
        size = np.abs(misfit) / (least * _LINE)
        if not (size > GROSS).any():
            break
        peak = (size >= np.roll(size, 1, axis=0)) & (size >= np.roll(size, -1, axis=0))
        quiet = np.maximum(np.maximum(_nearby(size), 1.0), _before_and_after(size, offsets) / 3)
        gross = peak & (size > GROSS * quiet)
        if not gross.any():
            break
        whole = np.where(gross, whole - misfit, whole)
    return whole


def _before_and_after(size: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the largest misfit about the same point a sample earlier or later, the lesser one."""
    about = np.max([np.roll(size, k, axis=0) for k in range(-2, 3)], axis=0)
    before, after = np.roll(about, 1, axis=1), np.roll(about, -1, axis=1)
    first, last = offsets[:-1], offsets[1:] - 1
    before[:, first], after[:, last] = after[:, first], before[:, last]
    return np.minimum(before, after)


def _nearby(size: np.ndarray) -> np.ndarray:
    """Return the largest misfit three to six samples away, on the quieter side.

    The quieter side, so that another gross error nearby does not hide this one.
    """
    sides = [
        np.max([np.roll(size, sign * k, axis=0) for k in range(3, 7)], axis=0) for sign in (1, -1)
    ]
    return np.minimum(*sides)


def _misfit(rows: np.ndarray, times: np.ndarray, run: np.ndarray) -> np.ndarray:
    """Return each sample minus the cubic through its four neighbours, in units of its own noise.

    At the ends of a run the neighbours are on one side; in runs of fewer than five samples the
    misfit is zero.
    """
    out = np.zeros_like(rows)
    starts = np.searchsorted(run, run, side="left")
    ends = np.searchsorted(run, run, side="right")
    centre = np.flatnonzero(ends - starts >= 5)
    first = np.clip(centre - 2, starts[centre], ends[centre] - 5)
    window = first[:, None] + np.arange(5)
    around = window[window != centre[:, None]].reshape(-1, 4)
    t = times[around] - times[centre][:, None]
    gaps = t[:, :, None] - t[:, None, :] + np.eye(4)
    lagrange = (-t[:, None, :] + np.eye(4) * (1 + t[:, None, :])).prod(axis=2) / gaps.prod(axis=2)
    out[centre] = rows[centre] - np.einsum("nk,nkd->nd", lagrange, rows[around])
    out[centre] /= np.sqrt(1 + (lagrange**2).sum(axis=1, keepdims=True))
    return out
