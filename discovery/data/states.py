"""States as users hold them: arrays, runs, or tables whose columns are found by their names."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from discovery.data.column_names import RUN_COLUMNS, TIME_COLUMNS, usual_column
from discovery.data.flaws.missing import checked_missing
from discovery.data.tables import is_frame
from discovery.data.trajectories import Trajectories

if TYPE_CHECKING:
    import pandas as pd

# What stands for states where coordinates are known by name.
States: TypeAlias = "ArrayLike | Trajectories | pd.DataFrame"
# What stands for runs.
Runs: TypeAlias = "Trajectories | pd.DataFrame | str | os.PathLike"


def coordinates(states: States, names: Sequence[str]) -> np.ndarray:
    """Return the named coordinates of states, in this order.

    Parameters
    ----------
    states : (..., d) array, Trajectories, pandas.DataFrame, xarray.DataArray or mapping
        Arrays have the coordinates on their last axis, in this order already; of runs, tables or
        their rows, mappings and arrays with labels on their last axis they are taken by name,
        and others are left aside.
    names : sequence of d str

    Returns
    -------
    (..., d) array
        One row a sample for runs and tables.

    Raises
    ------
    ValueError
        For arrays with another last axis, names that are not there, and what is no number.
    """
    if _is_row(states):
        states = states.to_dict()
    if isinstance(states, Trajectories):
        _check_names(names, states.names, "the runs have")
        return states.rows[:, [states.names.index(name) for name in names]]
    if is_frame(states):
        _check_names(names, [str(column) for column in states.columns], "the table has")
        columns = states.set_axis([str(column) for column in states.columns], axis=1)
        return as_numbers(columns[list(names)].to_numpy(), "the table")
    if isinstance(states, Mapping):
        _check_names(names, [str(key) for key in states], "received are")
        values = [as_numbers(states[name], name) for name in names]
        return np.stack(np.broadcast_arrays(*values), axis=-1)
    labels = _labels(states)
    if labels is not None:
        _check_names(names, labels, "the labels are")
        states = np.asarray(states)[..., [labels.index(name) for name in names]]
    states = as_numbers(states, "what was given as states")
    if states.ndim == 0 or states.shape[-1] != len(names):
        raise ValueError(
            f"states have shape {states.shape}; expected {len(names)} coordinates "
            f"({', '.join(names)}) on the last axis."
        )
    return states


def as_numbers(values: ArrayLike, what: str) -> np.ndarray:
    """Return an array of real numbers.

    Parameters
    ----------
    values : array-like
    what : str
        What to call them.

    Raises
    ------
    ValueError
        For text, dates, complex numbers, and lists of more than one length.
    """
    try:
        raw = np.asarray(values)
        # Dates would become nanoseconds, and complex numbers lose a part.
        if raw.dtype.kind in "mMcSU":
            raise TypeError
        return raw.astype(float)
    except (TypeError, ValueError):
        raise ValueError(
            f"{what} is a {type(values).__name__} that holds no array of real numbers. Expected an "
            "array, or lists of one length."
        ) from None


def as_runs(runs: Runs, missing: str = "raise") -> Trajectories:
    """Return runs from what stands for them.

    Parameters
    ----------
    runs : Trajectories, pandas.DataFrame or path
        A table is read as by `Trajectories.from_frame`, a file as by `Trajectories.from_file`.
    missing : {"raise", "drop"}
        What is done with samples without a value, in a table or a file.

    Raises
    ------
    ValueError
        For anything else, and as these two.
    """
    checked_missing(missing)
    if isinstance(runs, Trajectories):
        return runs
    if is_frame(runs):
        return Trajectories.from_frame(runs, missing=missing)
    if isinstance(runs, (str, os.PathLike)):
        return Trajectories.from_file(runs, missing=missing)
    raise ValueError(
        f"expected Trajectories, a data frame or the path of a file, received "
        f"{type(runs).__name__}. Make runs with Trajectories(states=...), Trajectories.from_frame "
        "or Trajectories.from_file."
    )


def run_and_time(frame: pd.DataFrame) -> tuple[str | None, str | None]:
    """Return the columns of run ids and of times by their usual names, None where there is none."""
    columns = list(frame.columns)
    return usual_column(columns, RUN_COLUMNS), usual_column(columns, TIME_COLUMNS)


def has_names(states: object) -> bool:
    """Tell whether coordinates can be taken by their names."""
    return (
        isinstance(states, (Trajectories, Mapping))
        or is_frame(states)
        or _is_row(states)
        or _labels(states) is not None
    )


def _is_row(states: object) -> bool:
    """Tell whether something is a row of a table, without loading pandas."""
    named = hasattr(states, "index") and hasattr(states, "to_dict") and not is_frame(states)
    return named and all(isinstance(name, str) for name in states.index)


def _labels(states: object) -> list[str] | None:
    """Return the labels of the last axis of an xarray.DataArray, None where it has none."""
    last = next(iter(reversed(getattr(states, "dims", ()))), None)
    if last is None or last not in getattr(states, "coords", ()):
        return None
    labels = [str(label) for label in states.coords[last].values]
    return labels if states.coords[last].dtype.kind in "OUT" else None


def _check_names(names: Sequence[str], there: Sequence[str], what: str) -> None:
    missing = [name for name in names if name not in there]
    if missing:
        raise ValueError(
            f"no coordinate {', '.join(map(repr, missing))}: {what} {', '.join(there)}. Rename the "
            "columns, or pass their values as an array in the order "
            f"({', '.join(names)})."
        )
