"""Columns that are no coordinates: parameters, which each run has of its own, and the clock.

Parameters are constant in each run and differ from run to run, like a mass.

They may stand in formulas, and are no coordinates: what depends on them alone is conserved and says
nothing. A column that only numbers the runs is not even that. The clock grows with time, at one
rate in all runs: it may stand in formulas too, and laws may be made of it and coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from discovery.data.trajectories import Trajectories

PARAMETER, TIME = "parameter", "time"
# How far a clock may be off the times, as a share of its range.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Parts:
    """Which columns are what.

    Attributes
    ----------
    coordinates : tuple of int
        Columns that change along runs, or that were given another role than a parameter's.
    parameters : tuple of int
        Columns that are constant in each run.
    numbering : tuple of int
        Columns that number the runs.
    clock : tuple of int
        The column that tells the time, if there is one.
    """

    coordinates: tuple[int, ...]
    parameters: tuple[int, ...] = ()
    numbering: tuple[int, ...] = ()
    clock: tuple[int, ...] = ()

    @property
    def all_coordinates(self) -> bool:
        """Whether there is nothing beside coordinates."""
        return not (self.parameters or self.numbering or self.clock)


def parted(runs: Trajectories) -> Parts:
    """Tell coordinates, parameters and numbers of runs apart.

    A column that is constant in each run is a parameter, unless it was given the role of a
    coordinate: a momentum may be conserved. One whole number a run, and these without a gap or a
    repetition, number the runs, unless the column was given the role ``"parameter"``. A column with
    the role ``"time"`` is the clock, and so is one that is equal to the times in every row.

    Parameters
    ----------
    runs : Trajectories

    Raises
    ------
    ValueError
        For a parameter that changes within a run, a clock that does not grow evenly with time, a
        second clock, and where no coordinate is left.
    """
    every = tuple(range(runs.dim))
    if set(runs.roles or ()) == {"field"}:
        return Parts(every)
    roles = runs.roles or (None,) * runs.dim
    still = constant_in_runs(runs)
    moving = [i for i in every if roles[i] == PARAMETER and not still[i]]
    if moving:
        named = ", ".join(repr(runs.names[i]) for i in moving)
        whose = f"column {named} has" if len(moving) == 1 else f"each of the columns {named} has"
        raise ValueError(
            f"{whose} the role parameter and changes within a run. Expected one value a run: give "
            "it the role of a coordinate, or None; or replace measured values by one mean a run."
        )
    fixed = [i for i in every if still[i] and roles[i] in (None, PARAMETER)]
    first = runs.rows[runs.offsets[:-1]]
    numbering = [i for i in fixed if roles[i] is None and _numbers_runs(first[:, i])]
    clock = _clock(runs, roles)
    coordinates = tuple(i for i in every if i not in (*fixed, *clock))
    if not coordinates:
        raise ValueError(
            f"every column ({', '.join(runs.names)}) is constant within each run or tells the "
            "time. Expected at least one coordinate that changes along the runs; a quantity "
            "that happens to be conserved needs its role (position, momentum, ...)."
        )
    parameters = tuple(i for i in fixed if i not in numbering)
    return Parts(coordinates, parameters, tuple(numbering), clock)


def _clock(runs: Trajectories, roles: Sequence[str | None]) -> tuple[int, ...]:
    """Return the column that tells the time, alone in a tuple; empty where none does."""
    times = runs.row_times
    told = [i for i, role in enumerate(roles) if role == TIME]
    if len(told) > 1:
        raise ValueError(
            f"columns {', '.join(repr(runs.names[i]) for i in told)} have the role time. Expected "
            "one clock: leave the others out."
        )
    if not told:
        same = (i for i, role in enumerate(roles) if role is None)
        return tuple(i for i in same if np.array_equal(runs.rows[:, i], times))[:1]
    column = runs.rows[:, told[0]]
    starts = np.repeat(runs.offsets[:-1], runs.lengths)
    gone, told_gone = times - times[starts], column - column[starts]
    rate = gone @ told_gone / max(gone @ gone, 1e-300)
    if rate == 0 or np.abs(told_gone - rate * gone).max() > _ROUNDING * np.ptp(column):
        raise ValueError(
            f"column {runs.names[told[0]]!r} has the role time and does not grow evenly with the "
            "times of the samples. Expected the clock: give it the role of a coordinate, or pass "
            "the right times."
        )
    return tuple(told)


def constant_in_runs(runs: Trajectories) -> np.ndarray:
    """Tell which columns are constant in each run, but for rounding, and not in all of them."""
    starts, rows = runs.offsets[:-1], runs.rows
    ranges = np.maximum.reduceat(rows, starts) - np.minimum.reduceat(rows, starts)
    rounding = 8 * np.finfo(np.float64).eps * np.abs(rows).max(axis=0)
    return (ranges <= rounding).all(axis=0) & (np.ptp(rows, axis=0) > rounding)


def _numbers_runs(values: np.ndarray) -> bool:
    """Tell whether values, one a run, are consecutive whole numbers in any order."""
    ordered = np.sort(values)
    return bool(np.all(ordered == np.round(ordered)) and np.all(np.diff(ordered) == 1))


def remarks(runs: Trajectories, parts: Parts) -> list[str]:
    """Return what a reader should know of columns that are no coordinates."""
    out = []
    if parts.parameters:
        names = ", ".join(runs.names[i] for i in parts.parameters)
        out.append(f"parameter{'s' if len(parts.parameters) > 1 else ''} {names}")
    out += [f"clock {runs.names[i]}" for i in parts.clock]
    out += [f"column {runs.names[i]} numbers the runs and is left out" for i in parts.numbering]
    return out
