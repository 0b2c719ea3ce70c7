"""States as users hold them: arrays, runs, or tables whose columns are found by their names."""

from __future__ import annotations

import os
from collections.abc import Sequence
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
    states : (..., d) array, Trajectories or pandas.DataFrame
        Arrays have the coordinates on their last axis, in this order already; of runs and tables
        they are taken by name, and other columns are left aside.
    names : sequence of d str

    Returns
    -------
    (..., d) array
        One row a sample for runs and tables.

    Raises
    ------
    ValueError
        For arrays with another last axis, and for names that are not there.
    """
    if isinstance(states, Trajectories):
        _check_names(names, states.names, "the runs have")
        return states.rows[:, [states.names.index(name) for name in names]]
    if is_frame(states):
        _check_names(names, [str(column) for column in states.columns], "the table has")
        columns = states.set_axis([str(column) for column in states.columns], axis=1)
        return columns[list(names)].to_numpy(dtype=float)
    states = np.asarray(states, dtype=float)
    if states.ndim == 0 or states.shape[-1] != len(names):
        raise ValueError(
            f"states have shape {states.shape}; expected {len(names)} coordinates "
            f"({', '.join(names)}) on the last axis."
        )
    return states


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


def _check_names(names: Sequence[str], there: Sequence[str], what: str) -> None:
    missing = [name for name in names if name not in there]
    if missing:
        raise ValueError(
            f"no coordinate {', '.join(map(repr, missing))}: {what} {', '.join(there)}. Rename the "
            "columns, or pass their values as an array in the order "
            f"({', '.join(names)})."
        )
