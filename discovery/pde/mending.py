"""Mending: gross errors on a grid are put right by their neighbours."""

from __future__ import annotations

import numpy as np

from discovery.criteria import NOISE
from discovery.data.trajectories import Trajectories
from discovery.estimation.gross_errors import misfit_nearby, sound_rows
from discovery.pde.grid import Grid, ends_meet

# Share of the states that must be left when those with many gross errors are not.
MOSTLY = 0.8
# Points that a line is continued by at either end.
_PAD = 8


def mend(runs: Trajectories, grid: Grid, levels: np.ndarray) -> tuple[Trajectories, int]:
    """Return the runs without gross errors, and how many values there were.

    A value is put right by its neighbours on the grid. A state with errors too close to each other
    for that is left out, and one that stands out from those before and after it.
    """
    rows = _mended_lines(runs, grid, levels)
    wrong = rows != runs.rows
    keep = np.ones(len(rows), dtype=bool)
    for columns in grid.columns:
        line = wrong[:, columns]
        keep &= ~np.any(line & (np.roll(line, 1, axis=1) | np.roll(line, 2, axis=1)), axis=1)
    if not wrong.any() or wrong.mean() > NOISE.gross_share:
        return runs, 0
    noise = np.empty(runs.dim)
    noise[grid.columns] = levels
    keep &= sound_rows(rows, runs.row_times, runs.offsets, noise, rows.std(axis=0))
    if keep.mean() < MOSTLY:
        return runs, 0
    sound = Trajectories.from_rows(
        rows[keep], runs.groups[keep], runs.row_times[keep], runs.names, runs.roles
    )
    return sound, int(wrong.sum())


def _mended_lines(runs: Trajectories, grid: Grid, levels: np.ndarray) -> np.ndarray:
    rows = runs.rows.copy()
    for columns, level in zip(grid.columns, levels, strict=True):
        field, noise = rows[:, columns], float(np.sqrt(np.mean(level**2)))
        ends = "wrap" if ends_meet(field, noise) else "symmetric"
        padded = np.pad(field, ((0, 0), (_PAD, _PAD)), mode=ends)
        rows[:, columns] = mend_lines(padded.T, runs.offsets, noise)[_PAD:-_PAD].T
    return rows


# Noise of a value minus the cubic through its neighbours at equal steps, over the value's own.
_LINE = np.sqrt(1 + (2 * 4**2 + 2) / 6**2)


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
    least = max(noise, NOISE.gross_size / NOISE.gross_misfit * float(lines.std()))
    whole = lines
    for _ in range(3):
        near = np.roll(whole, 1, axis=0) + np.roll(whole, -1, axis=0)
        far = np.roll(whole, 2, axis=0) + np.roll(whole, -2, axis=0)
        misfit = whole - (4 * near - far) / 6
        size = np.abs(misfit) / (least * _LINE)
        if not (size > NOISE.gross_misfit).any():
            break
        peak = (size >= np.roll(size, 1, axis=0)) & (size >= np.roll(size, -1, axis=0))
        about = _before_and_after(size, offsets)
        quiet = np.maximum(np.maximum(misfit_nearby(size), 1.0), about / 3)
        gross = peak & (size > NOISE.gross_misfit * quiet)
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
