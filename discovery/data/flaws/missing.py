"""Missing samples: rows without a value, without a time, or with the time of the row before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

MISSING = ("raise", "drop")


def checked_missing(missing: str) -> str:
    """Return what is to be done with missing values.

    Raises
    ------
    ValueError
        For what is none of `MISSING`.
    """
    if not isinstance(missing, str) or missing not in MISSING:
        raise ValueError(
            f"missing is {missing!r}. Expected 'raise', or 'drop' to leave out samples without a "
            "value."
        )
    return missing


def masked_rows(states: ArrayLike, offsets: np.ndarray) -> np.ndarray:
    """Tell in which rows a masked array, or one of a list of them, has a masked value.

    Parameters
    ----------
    states : array-like of shape (runs, steps, d), or sequence of (steps_i, d) arrays
    offsets : (runs + 1,) int

    Returns
    -------
    (n,) array of bool
    """
    parts = states if isinstance(states, (list, tuple)) else [states]
    if not any(map(np.ma.isMaskedArray, parts)):
        return np.zeros(offsets[-1], dtype=bool)
    masks = [np.ma.getmaskarray(part) for part in parts]
    return np.concatenate([mask.reshape(-1, mask.shape[-1]).any(axis=1) for mask in masks])


def masked_times(times: ArrayLike | None, offsets: np.ndarray) -> np.ndarray:
    """Tell in which rows the time is masked.

    Parameters
    ----------
    times : None, (steps,) or (runs, steps) array-like, or sequence of (steps_i,) arrays
    offsets : (runs + 1,) int

    Returns
    -------
    (n,) array of bool
    """
    if np.ma.isMaskedArray(times):
        mask = np.ma.getmaskarray(times)
        runs = len(offsets) - 1
        return np.tile(mask, runs) if mask.ndim == 1 else mask.ravel()
    if isinstance(times, (list, tuple)) and any(map(np.ma.isMaskedArray, times)):
        return np.concatenate([np.ma.getmaskarray(run) for run in times])
    return np.zeros(offsets[-1], dtype=bool)


def rows_to_keep(
    rows: np.ndarray,
    times: np.ndarray,
    offsets: np.ndarray,
    masked: np.ndarray,
    drop: bool,
) -> np.ndarray:
    """Tell which rows are samples.

    Masked rows are not, nor is a row that is written twice. With `drop`, rows without a finite
    value or time go too, and those with the time of the row before, whatever their values.

    Parameters
    ----------
    rows : (n, d)
    times : (n,)
    offsets : (runs + 1,) int
    masked : (n,) bool
    drop : bool

    Returns
    -------
    (n,) array of bool
    """
    keep = ~masked
    if drop:
        keep &= np.isfinite(rows).all(axis=1) & np.isfinite(times)
    there = np.flatnonzero(keep)
    run = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    one, next_one = there[:-1], there[1:]
    again = (times[one] == times[next_one]) & (run[one] == run[next_one])
    if not drop:
        again &= (rows[one] == rows[next_one]).all(axis=1)
    keep[there[1:][again]] = False
    return keep


def left_out(
    rows: np.ndarray,
    times: np.ndarray,
    masked: np.ndarray,
    keep: np.ndarray,
    names: Sequence[str],
) -> list[str]:
    """Return what was left out and why, in words.

    Parameters
    ----------
    rows : (n, d)
    times : (n,)
    masked : (n,) bool
        Rows with a masked value.
    keep : (n,) bool
        What `rows_to_keep` returns.
    names : sequence of d str
    """
    out = []
    lacking = masked | ~np.isfinite(rows).all(axis=1)
    if (lacking & ~keep).any():
        columns = (~np.isfinite(rows)).any(axis=0)
        where = f" ({', '.join(n for n, c in zip(names, columns, strict=True) if c)})"
        out.append(
            f"{counted(int((lacking & ~keep).sum()), 'sample')} without a value"
            f"{where if columns.any() else ''} left out"
        )
    others = ~keep & ~lacking
    before = np.maximum.accumulate(np.where(keep, np.arange(len(keep)), 0))
    unlike = others & (times == times[before]) & (rows != rows[before]).any(axis=1)
    if (others & ~unlike).any():
        alone = counted(int((others & ~unlike).sum()), "sample")
        out.append(f"{alone} without a time of their own left out")
    if unlike.any():
        out.append(
            f"{counted(int(unlike.sum()), 'sample')} with the time of the one before and other "
            "values left out: the first at a time is kept"
        )
    return out


def counted(number: int, what: str) -> str:
    """Return a number of things: 1 sample, 2 samples."""
    return f"{number} {what}{'' if number == 1 else 's'}"
