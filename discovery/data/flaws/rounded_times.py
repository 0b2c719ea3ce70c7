"""Times that were rounded when they were written: equal steps are equal again.

A file has times in so many decimals. Where they are those of equal steps but for half a unit of the
last one, they are taken as these: times that are wrong by a share of a step look like noise of
whatever moves, and no noise of the columns tells of them.
"""

from __future__ import annotations

import itertools

import numpy as np

# Decimals that times may be rounded to, from few to many; more are not told from binary fractions.
_DECIMALS = range(-3, 13)
# What binary fractions add to a decimal, as a share of the largest time.
_BINARY = 4 * np.finfo(float).eps
# Times of equal steps miss their line by half a unit of the last decimal at most. A line that is
# fitted to n of them is moved by less than so many units over √n: two standard errors at its ends.
_ROUNDED, _OF_THE_LINE = 0.5, 1.2
# Steps are equal as they are, as a share of a step.
_EQUAL = 1e-9


def without_rounding(times: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return times (n,) of equal steps where these are so but for the rounding of decimals.

    Samples may be missing: steps are then multiples of one. Other times are returned as they are.

    Parameters
    ----------
    times : (n,) array
        Increasing within each run.
    offsets : (runs + 1,) array of int
    """
    unit = _last_decimal(times)
    if unit is None:
        return times
    out = times.copy()
    for a, b in itertools.pairwise(offsets):
        if b - a < 3:
            continue
        own = times[a:b]
        step = float(np.median(np.diff(own)))
        count = np.round((own - own[0]) / step)
        even, mean_step = _line(count, own)
        # The median step is rounded too: over many steps it counts wrong.
        count = np.round((own - even[0]) / mean_step)
        if (np.diff(count) < 1).any():
            return times
        fitted, _ = _line(count, own)
        missed = np.abs(fitted - own).max()
        if missed > (_ROUNDED + _OF_THE_LINE / np.sqrt(b - a)) * unit or unit > step:
            return times
        if missed > _EQUAL * step:
            out[a:b] = fitted
    return out


def _line(count: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the line of least squares at the counts, and its slope."""
    middle, about = times.mean(), count - count.mean()
    slope = float(about @ (times - middle) / (about @ about))
    return middle + slope * about, slope


def _last_decimal(times: np.ndarray) -> float | None:
    """Return the unit of the last decimal that times have; None where they have all digits."""
    largest = float(np.abs(times).max(initial=0.0))
    for k in _DECIMALS:
        unit = float(f"1e{-k}")
        if unit < largest * 1e3 * _BINARY:
            return None
        if np.abs(times - np.round(times / unit) * unit).max() <= largest * _BINARY:
            return unit
    return None
