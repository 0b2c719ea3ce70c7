"""Gross errors on a grid: single values that do not fit their neighbours in space and in time."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from discovery.criteria import FIELDS, NOISE
from discovery.data.trajectories import Trajectories
from discovery.estimation.gross_errors import sound_rows
from discovery.pde.basis import Ends
from discovery.pde.grid import Grid

# Points that a line is continued by at either end.
_PAD = 8
# One gross error may hide another until it is corrected.
_ROUNDS = 3
# Noise of a value minus the cubic through its neighbours at equal steps, over the value's own.
_MISFIT_NOISE = np.sqrt(1 + (2 * 4**2 + 2) / 6**2)


def correct_gross_errors(
    runs: Trajectories, grid: Grid, noise: np.ndarray, noise_beside: Sequence[float] = ()
) -> tuple[Trajectories, int]:
    """Interpolate gross errors from their neighbours on the grid, and leave out hopeless states.

    Left out is a state with errors too close to each other for that, and one that does not fit
    those before and after it.

    Parameters
    ----------
    runs : Trajectories
    grid : Grid
    noise : (F, N) array
        Standard deviation of each field's noise at each point.
    noise_beside : sequence of Z float
        Standard deviation of the noise of the coordinates beside them.

    Returns
    -------
    runs : Trajectories
        As they were given, where errors are too many to be errors.
    n_errors : int
        Values that were wrong.
    """
    rows = _interpolated(runs, grid, noise)
    wrong = rows != runs.rows
    if wrong.mean() > NOISE.gross_share:
        return runs, 0
    beside = rows[:, list(grid.beside)]
    along = runs.row_times, runs.offsets
    keep = sound_rows(beside, *along, np.asarray(noise_beside), beside.std(axis=0))
    n_errors = int(wrong.sum() + (~keep).sum())
    if wrong.any():
        fields = rows[:, grid.columns.ravel()]
        keep &= _apart(wrong, grid)
        keep &= sound_rows(fields, *along, noise.ravel(), fields.std(axis=0))
    if not n_errors or keep.mean() < FIELDS.kept_states:
        return runs, 0
    sound = Trajectories.from_rows(
        rows[keep], runs.groups[keep], runs.row_times[keep], runs.names, runs.roles
    )
    return sound, n_errors


def _apart(wrong: np.ndarray, grid: Grid) -> np.ndarray:
    """Tell in which states (n,) wrong values (n, d) are three points or more from each other."""
    apart = np.ones(len(wrong), dtype=bool)
    for columns in grid.lines():
        line = wrong[:, columns]
        apart &= ~np.any(line & (np.roll(line, 1, axis=1) | np.roll(line, 2, axis=1)), axis=1)
    return apart


def _interpolated(runs: Trajectories, grid: Grid, noise: np.ndarray) -> np.ndarray:
    """Return the states (n, d) with each field's gross errors interpolated along lines."""
    rows = runs.rows.copy()
    for f, levels in enumerate(noise):
        level = float(np.sqrt(np.mean(levels**2)))
        ends = grid.walls_of(grid.values(rows, f), level)[-1]
        for columns in grid.lines([f]):
            padded = _continued(rows[:, columns], ends)
            mended = interpolate_gross_errors(padded.T, runs.offsets, level)
            rows[:, columns] = mended[_PAD:-_PAD].T
    return rows


def _continued(lines: np.ndarray, ends: Ends) -> np.ndarray:
    """Return lines (n, points) continued at either end, as a ring or a mirror continues them."""
    if ends == Ends.RING:
        return np.pad(lines, ((0, 0), (_PAD, _PAD)), mode="wrap")
    # Between walls a step beyond, their zeros are points too.
    zeros = int(ends == Ends.FIXED_BEYOND)
    mode = "symmetric" if ends.beyond == 0.5 else "reflect"
    with_walls = np.pad(lines, ((0, 0), (zeros, zeros)))
    padded = np.pad(with_walls, ((0, 0), (_PAD - zeros, _PAD - zeros)), mode=mode)
    if ends.is_fixed:
        padded[:, :_PAD] *= -1
        padded[:, -_PAD:] *= -1
    return padded


def interpolate_gross_errors(lines: np.ndarray, offsets: np.ndarray, noise: float) -> np.ndarray:
    """Replace gross errors by the cubic through their neighbours along a ring of equal steps.

    An error is alone in time too: what does not fit its neighbours a sample before and after it as
    well is a steep front, and stays; so does what fits the samples before and after it, as the
    peak of a field at a source; so does a front that passes in one sample, as a shock, of which no
    point stands alone; so does what is smaller than the misfits of a front nearby.

    Parameters
    ----------
    lines : (points, n) array
        Values along each of n rings.
    offsets : (runs + 1,) array of int
        The rings of run r are those from ``offsets[r]`` to ``offsets[r + 1]``, in time order.
    noise : float
        Standard deviation.

    Returns
    -------
    (points, n) array
    """
    least = max(noise, NOISE.gross_size / NOISE.gross_misfit * float(lines.std()))
    for _ in range(_ROUNDS):
        misfit = _misfit(lines)
        gross = _gross(np.abs(misfit) / (least * _MISFIT_NOISE), offsets)
        if gross.any():
            gross &= _misfit_in_time(lines, misfit, offsets) >= FIELDS.gross_in_time
            gross &= _alone(lines, misfit)
            gross &= np.abs(misfit) >= _rest_nearby(np.abs(misfit), gross)
        if not gross.any():
            break
        lines = np.where(gross, lines - misfit, lines)
    return lines


def _misfit(lines: np.ndarray) -> np.ndarray:
    """Return each value minus the cubic through two neighbours on either side."""
    near = np.roll(lines, 1, axis=0) + np.roll(lines, -1, axis=0)
    far = np.roll(lines, 2, axis=0) + np.roll(lines, -2, axis=0)
    return lines - (4 * near - far) / 6


def _misfit_in_time(lines: np.ndarray, misfit: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the share of a misfit (points, n) that each value has in time.

    Against the parabola through three samples before or after it, whichever says more: a sample
    beside it may be wrong too.
    """
    out = np.full(lines.shape, -np.inf)
    safe = np.where(misfit == 0, 1.0, misfit)
    for a, b in itertools.pairwise(offsets):
        if b - a < 4:
            out[:, a:b] = 1.0  # nothing tells
            continue
        run, own = lines[:, a:b], safe[:, a:b]
        after = (run[:, :-3] - 3 * (run[:, 1:-2] - run[:, 2:-1]) - run[:, 3:]) / own[:, :-3]
        before = (run[:, 3:] - 3 * (run[:, 2:-1] - run[:, 1:-2]) - run[:, :-3]) / own[:, 3:]
        out[:, a : b - 3] = after
        out[:, a + 3 : b] = np.maximum(out[:, a + 3 : b], before)
    return out


def _alone(lines: np.ndarray, misfit: np.ndarray) -> np.ndarray:
    """Tell which values (points, n) are wrong by themselves, if they are wrong.

    Those that lie beyond both neighbours, and those without which the values around fit: a wrong
    value by itself gives those beside it −2/3 of its misfit, and the next ones 1/6. The points of
    a front lie between their neighbours, and none of them explains the others.
    """
    before, after = np.roll(lines, 1, axis=0), np.roll(lines, -1, axis=0)
    beyond = np.abs(lines - np.clip(lines, np.minimum(before, after), np.maximum(before, after)))
    size, left = np.abs(misfit), np.zeros_like(misfit)
    for place, share in ((1, -2 / 3), (2, 1 / 6)):
        for shift in (place, -place):
            left = np.maximum(left, np.abs(np.roll(misfit, shift, axis=0) - share * misfit))
    return (beyond >= FIELDS.gross_beyond * size) | (left <= FIELDS.gross_left * size)


def _rest_nearby(size: np.ndarray, gross: np.ndarray) -> np.ndarray:
    """Return the largest misfit within six points but for those of gross errors: a front's."""
    theirs = np.any([np.roll(gross, k, axis=0) for k in range(-2, 3)], axis=0)
    rest = np.where(theirs, 0.0, size)
    return np.max([np.roll(rest, k, axis=0) for k in range(-6, 7)], axis=0)


def _gross(size: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Tell which misfits, in standard deviations of noise, are far larger than those around."""
    if not (size > NOISE.gross_misfit).any():
        return np.zeros(size.shape, dtype=bool)
    peak = (size >= np.roll(size, 1, axis=0)) & (size >= np.roll(size, -1, axis=0))
    usual = np.maximum(np.maximum(_misfit_nearby(size), 1.0), _before_and_after(size, offsets) / 3)
    return peak & (size > NOISE.gross_misfit * usual)


def _misfit_nearby(size: np.ndarray) -> np.ndarray:
    """Return the largest misfit three to six points before or after, whichever is smaller.

    The smaller of the two, so that another gross error nearby does not hide this one.
    """
    sides = [
        np.max([np.roll(size, sign * k, axis=0) for k in range(3, 7)], axis=0) for sign in (1, -1)
    ]
    return np.minimum(*sides)


def _before_and_after(size: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the largest misfit about the same point a sample earlier or later, the lesser one."""
    about = np.max([np.roll(size, k, axis=0) for k in range(-2, 3)], axis=0)
    before, after = np.roll(about, 1, axis=1), np.roll(about, -1, axis=1)
    first, last = offsets[:-1], offsets[1:] - 1
    before[:, first], after[:, last] = after[:, first], before[:, last]
    return np.minimum(before, after)
