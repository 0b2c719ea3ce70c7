"""Checks that turn what a user passes as runs into clean arrays, or say how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike


class SampleError(ValueError):
    """One sample cannot be used.

    Parameters
    ----------
    said : str
        What is wrong, with ``{}`` for the place of the sample.
    row : int
        Its row, among those that were checked.
    run : run id
    place : str
        Where it is in the run or in the file, in words.
    """

    def __init__(self, said: str, row: int, run: object, place: str) -> None:
        # As they were given: other processes make it anew.
        super().__init__(said, row, run, place)
        self.said, self.row, self.run, self.place = said, row, run, place

    def __str__(self) -> str:
        return self.said.replace("{}", f"run {self.run}, {self.place}", 1)

    def of(self, row: int, place: str = "") -> SampleError:
        """Return the same of a row of what these rows were made of, and its place there."""
        return SampleError(self.said, row, self.run, place or self.place)


def as_numbers(values: ArrayLike, what: str) -> np.ndarray:
    """Return ``values`` as a float64 array of its own, or say that they are not real numbers.

    What is masked, and None and NA among objects, becomes NaN.

    Parameters
    ----------
    values : array-like
    what : str
        What the values are, for the message: ``"states of run 3"``.

    Raises
    ------
    ValueError
        For text, complex numbers, dates and ragged nesting.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"{what}: rows of unequal length. Every row must hold the same number of coordinates; "
            "runs of unequal length go in as a list of (steps_i, d) arrays."
        ) from error
    if np.ma.isMaskedArray(values) and array.dtype.kind in "biuf":
        return values.astype(np.float64).filled(np.nan)
    if array.dtype.kind == "O":
        absent = np.array([_is_absent(value) for value in array.flat]).reshape(array.shape)
        try:
            return np.where(absent, np.nan, array).astype(np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(
                f"{what}: expected real numbers, received objects that are none ({error}). "
                "Convert or drop the column that holds them."
            ) from error
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"{what}: expected real numbers, received dtype {array.dtype}. "
            "Convert them first, for example with astype(float)."
        )
    return array.astype(np.float64)


def _is_absent(value: object) -> bool:
    """Tell whether an object stands for no value, without loading pandas for its NA."""
    if value is None or value is np.ma.masked or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and value != value


def as_rows(states: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Flatten runs into rows.

    Parameters
    ----------
    states : array-like of shape (runs, steps, d), or sequence of (steps_i, d) arrays

    Returns
    -------
    rows : (sum of steps, d) float64
    offsets : (runs + 1,) int; run i is ``rows[offsets[i]:offsets[i + 1]]``

    Raises
    ------
    ValueError
        For a wrong rank, an empty set or run, or runs that differ in their number of coordinates.
    """
    if hasattr(states, "columns"):
        raise ValueError(
            "states is a table. Use Trajectories.from_frame(frame, run='...', time='...') instead."
        )
    if not isinstance(states, (list, tuple)):
        given, states = type(states).__name__, np.asanyarray(states)
        if states.ndim == 0:
            raise ValueError(
                f"states is of type {given}. Expected (runs, steps, d) numbers, or a list of "
                "(steps_i, d) arrays."
            )
        if states.dtype.kind != "O":
            return _block_rows(as_numbers(states, "states"))
    if len(states) == 0:
        raise ValueError("states is empty. Expected at least one run of shape (steps, d).")
    if any(hasattr(run, "columns") for run in states):
        raise ValueError(
            "states is a list of tables. Put them below each other, by their columns' names: "
            "Trajectories.from_frame(pandas.concat(dict(enumerate(tables)), names=['run']))."
        )
    runs = [as_numbers(run, f"states of run {i}") for i, run in enumerate(states)]
    for i, run in enumerate(runs):
        if run.ndim != 2:
            raise ValueError(
                f"states of run {i} has shape {run.shape}. Expected (steps, d): one row a sample, "
                "one column a coordinate. One run alone goes in as states[None]; one coordinate "
                "as run[:, None]."
            )
        if run.shape[1] != runs[0].shape[1]:
            raise ValueError(
                f"run {i} has {run.shape[1]} coordinates, run 0 has {runs[0].shape[1]}. "
                "All runs must have the same coordinates."
            )
        if 0 in run.shape:
            raise ValueError(f"run {i} is empty (shape {run.shape}). Leave it out.")
    offsets = np.concatenate([[0], np.cumsum([len(run) for run in runs])])
    return np.concatenate(runs), offsets


def _block_rows(block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if block.ndim != 3:
        raise ValueError(
            f"states has shape {block.shape}. Expected (runs, steps, d), or a list of (steps_i, d) "
            "arrays. One run alone goes in as states[None]; rows with a run column go through "
            "Trajectories.from_rows or Trajectories.from_frame."
        )
    if 0 in block.shape:
        raise ValueError(
            f"states has shape {block.shape}, which holds no data. Expected (runs, steps, d)."
        )
    runs, steps, dim = block.shape
    return block.reshape(runs * steps, dim), steps * np.arange(runs + 1)


def as_row_times(times: ArrayLike | None, offsets: np.ndarray) -> np.ndarray:
    """Give each row its time.

    Parameters
    ----------
    times : None, (steps,), (runs, steps), or sequence of (steps_i,) arrays
        None counts steps: 0, 1, 2, … Of dates, seconds since the first.
    offsets : (runs + 1,) int

    Returns
    -------
    (rows,) float64

    Raises
    ------
    ValueError
        When the shape does not fit the runs.
    """
    lengths = np.diff(offsets)
    if times is None:
        return np.concatenate([np.arange(n, dtype=np.float64) for n in lengths])
    times = as_seconds(times)
    if isinstance(times, (list, tuple)) and len(times) and np.ndim(times[0]) == 1:
        runs = [as_numbers(run, f"times of run {i}") for i, run in enumerate(times)]
    else:
        block = as_numbers(times, "times")
        if block.ndim == 1:
            runs = [block] * len(lengths)
        elif block.ndim == 2:
            runs = list(block)
        else:
            raise ValueError(f"times has shape {block.shape}. Expected (steps,) or (runs, steps).")
    if len(runs) != len(lengths):
        raise ValueError(f"times holds {len(runs)} runs, states holds {len(lengths)}.")
    for i, (run, length) in enumerate(zip(runs, lengths, strict=True)):
        if run.shape != (length,):
            raise ValueError(
                f"times of run {i} has shape {run.shape}, its states have {length} samples. "
                "Expected one time a sample: (steps,) shared by runs of equal length, (runs, "
                "steps), or a list of (steps_i,) arrays."
            )
    return np.concatenate(runs)


def as_seconds(times: ArrayLike) -> ArrayLike:
    """Return dates as seconds since the first of them, and durations as seconds; else as they are.

    Parameters
    ----------
    times : array-like, or sequence of array-like
        NumPy's datetime64 or timedelta64, where they are dates.
    """
    if isinstance(times, (list, tuple)) and len(times) and np.ndim(times[0]) == 1:
        parts = [np.asarray(run) for run in times]
        first = min((run.min() for run in parts if run.dtype.kind == "M" and run.size), default=0)
        return [
            _seconds(part, first) if part.dtype.kind in "mM" else run
            for part, run in zip(parts, times, strict=True)
        ]
    dates = getattr(times, "dtype", None)
    if dates is None or getattr(dates, "kind", "") not in "mM" or not np.size(times):
        return times
    dates = np.asarray(times)
    return _seconds(dates, dates.min())


def _seconds(dates: np.ndarray, first: np.datetime64) -> np.ndarray:
    since = dates - first if dates.dtype.kind == "M" else dates
    return since / np.timedelta64(1, "s")


def as_run_ids(run_ids: ArrayLike | None, n_runs: int) -> np.ndarray:
    """Return (runs,) distinct run ids, numbers or text; the default counts from 0."""
    if run_ids is None:
        return np.arange(n_runs)
    ids = one_each(run_ids)
    if ids.dtype.kind == "O":
        ids = ids.astype(str)
    if ids.shape != (n_runs,):
        raise ValueError(
            f"run_ids has shape {ids.shape}, there are {n_runs} runs. Expected ({n_runs},)."
        )
    values, counts = np.unique(ids, return_counts=True)
    if counts.max() > 1:
        raise ValueError(
            f"run_ids repeats {values[counts > 1][:5].tolist()}. Each run needs an id of its own."
        )
    return ids


def one_each(ids: ArrayLike) -> np.ndarray:
    """Return ids as an array; one of several parts, as a tuple is, becomes ``"part/part"``."""
    if isinstance(ids, list | tuple) or getattr(ids, "dtype", "") == "O":
        parts = list | tuple | np.ndarray
        ids = ["/".join(map(str, one)) if isinstance(one, parts) else one for one in ids]
        ids = np.array(ids, dtype=object) if any(map(_is_absent, ids)) else ids
    return np.asarray(ids)


def as_spacing(spacing: float | Sequence[float] | None) -> float | tuple[float, ...] | None:
    """Return the distance between grid points, or that along each axis; None where unknown.

    Parameters
    ----------
    spacing : float or sequence of one to three float, optional

    Raises
    ------
    ValueError
    """
    if spacing is None:
        return None
    several = isinstance(spacing, (list, tuple, np.ndarray))
    numbers = list(spacing) if several and np.ndim(spacing) else [spacing]
    real = all(isinstance(h, Real) and not isinstance(h, bool) for h in numbers)
    if not real or not 1 <= len(numbers) <= 3 or not all(0 < h < float("inf") for h in numbers):
        raise ValueError(
            f"grid_spacing is {spacing!r}. Expected the distance between neighbouring grid points, "
            "a positive number, or one for each axis, (…, hy, hx)."
        )
    return tuple(map(float, numbers)) if len(numbers) > 1 else float(numbers[0])


def restarts(n_rows: int, times: ArrayLike | None) -> np.ndarray:
    """Return the runs that rows without run ids are of: where time goes back, one more starts.

    Parameters
    ----------
    n_rows : int
    times : (rows,) array-like or None
        None, or times of another length, which are refused later: one run.

    Returns
    -------
    (rows,) array of int
    """
    times = np.zeros(n_rows) if times is None else as_numbers(as_seconds(times), "times")
    if times.shape != (n_rows,):
        return np.zeros(n_rows, dtype=int)
    return np.cumsum(np.diff(times, prepend=times[:1]) < 0)


def group_rows(groups: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bring the rows of each run together, runs in the order of their first row.

    Parameters
    ----------
    groups : (rows,) run id of each row

    Returns
    -------
    order : (rows,) int; ``rows[order]`` has whole runs, each in its own order
    cuts : (runs - 1,) int; where the second and later runs begin, for ``np.split``
    run_ids : (runs,)

    Raises
    ------
    ValueError
        For a row without a run id.
    """
    # Only NaN and NaT differ from themselves.
    lacking = [_is_absent(run) for run in groups] if groups.dtype.kind == "O" else groups != groups
    absent = np.flatnonzero(lacking)
    if absent.size:
        raise ValueError(
            f"row {absent[0]} has no run ({groups[absent[0]]}). Expected the run of each row: fill "
            "it in, or drop the row."
        )
    # np.unique cannot order a mixture of text and numbers.
    groups = groups.astype(str) if groups.dtype.kind == "O" else groups
    ids, first, code = np.unique(groups, return_index=True, return_inverse=True)
    appearance = np.argsort(first)
    order = np.argsort(first[code], kind="stable")
    return order, np.cumsum(np.bincount(code)[appearance])[:-1], ids[appearance]


def check_finite(
    rows: np.ndarray,
    row_times: np.ndarray,
    offsets: np.ndarray,
    names: tuple[str, ...],
    run_ids: np.ndarray,
) -> None:
    """Refuse NaN and infinity, with the run, row (from 0) and coordinate of the first.

    Parameters
    ----------
    rows : (rows, d)
    row_times : (rows,)
    offsets : (runs + 1,) int
    names : tuple of d str
    run_ids : (runs,)

    Raises
    ------
    SampleError
    """
    for what, values in (("times", row_times[:, None]), ("states", rows)):
        bad = ~np.isfinite(values)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            where = f", coordinate {names[column]!r}" if what == "states" else ""
            value = "NaN" if np.isnan(values[row, column]) else values[row, column]
            raise SampleError(
                f"{what} hold {value} at {{}}{where} ({bad.sum()} such values in all). Expected "
                "finite numbers: missing='drop' leaves these rows out, times may be irregular.",
                int(row),
                *place_in_run(row, offsets, run_ids),
            )


def check_times(row_times: np.ndarray, offsets: np.ndarray, run_ids: np.ndarray) -> None:
    """Refuse times that do not increase within a run.

    Parameters
    ----------
    row_times : (rows,)
    offsets : (runs + 1,) int
    run_ids : (runs,)

    Raises
    ------
    SampleError
        With the run and row (from 0) of the first such time.
    """
    step = np.diff(row_times)
    step[offsets[1:-1] - 1] = np.inf
    bad = np.flatnonzero(step <= 0)
    if bad.size:
        row = int(bad[0]) + 1
        kind = "repeats" if step[row - 1] == 0 else "goes back to"
        raise SampleError(
            f"time {kind} {row_times[row]:g} at {{}}. Times must increase within a run: sort them "
            "(frame.sort_values([run, time])), drop repeated rows (missing='drop' does), or check "
            "that the run ids part the runs.",
            row,
            *place_in_run(row, offsets, run_ids),
        )


def place_in_run(row: int, offsets: np.ndarray, run_ids: np.ndarray) -> tuple[object, str]:
    """Return the id of a row's run, and which row of it this is, from 0.

    Parameters
    ----------
    row : int
    offsets : (runs + 1,) int
    run_ids : (runs,)
    """
    run = int(np.searchsorted(offsets, row, side="right")) - 1
    return run_ids[run], f"row {row - offsets[run]}"
