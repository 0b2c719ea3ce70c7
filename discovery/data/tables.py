"""Tables and sets of arrays: which columns or arrays hold runs, times and coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from discovery.data.files import Arrays

RUN_COLUMNS = ("run", "run_id", "trajectory", "id")
TIME_COLUMNS = ("t", "time")


def frame_columns(
    frame: pd.DataFrame, run: str | None, time: str | None, names: Sequence[str] | None
) -> tuple[str | None, str, list[str]]:
    """Find the run, time and coordinate columns of a table.

    Parameters
    ----------
    frame : pandas.DataFrame
    run, time : str or None
        Columns; None looks for `RUN_COLUMNS` and `TIME_COLUMNS`, in upper or lower case.
    names : sequence of str or None
        Columns of coordinates; None takes all the others.

    Returns
    -------
    run : str or None
        None where no column has the name of run ids.
    time : str
    names : list of str

    Raises
    ------
    ValueError
        When a column is missing or repeated; the message lists the columns there are.
    """
    columns = list(frame.columns)
    repeated = sorted({str(name) for name in columns if columns.count(name) > 1})
    if repeated:
        raise ValueError(f"the table repeats the columns {repeated}. Each needs a name of its own.")
    if len(frame) == 0:
        raise ValueError(f"the table has columns {columns} but no rows. Expected one row a sample.")
    run = usual_column(columns, RUN_COLUMNS) if run is None else _given(columns, run, "run")
    time = _time(columns, run) if time is None else _given(columns, time, "time")
    if names is None:
        names = [name for name in columns if name not in (run, time)]
    missing = [name for name in names if name not in columns]
    if missing or not names:
        raise ValueError(f"no coordinate columns {missing or ''} in the table; it has {columns}.")
    return run, time, list(names)


def _given(columns: list, given: str, what: str) -> str:
    if given not in columns:
        raise ValueError(f"{what}={given!r} is no column of the table; it has {columns}.")
    return given


def _time(columns: list, run: str | None) -> str:
    found = usual_column(columns, TIME_COLUMNS)
    if found is not None:
        return found
    steps = "range(len(frame))" if run is None else f"frame.groupby({run!r}).cumcount()"
    raise ValueError(
        f"no time column: looked for {', '.join(TIME_COLUMNS)}, the table has {columns}. "
        f"Pass time='...' with its name; for unit steps: frame['t'] = {steps}."
    )


def usual_column(columns: list, usual: tuple[str, ...]) -> str | None:
    """Return the first column with one of the usual names, in upper or lower case; or None."""
    for candidate in usual:
        for column in columns:
            if str(column).strip().lower() == candidate:
                return column
    return None


def frame_times(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return a time column as (rows,) float64; dates become seconds since the first of them."""
    import pandas as pd

    column = frame[name]
    if pd.api.types.is_datetime64_any_dtype(column):
        column = column - column.min()
    if pd.api.types.is_timedelta64_dtype(column):
        return column.dt.total_seconds().to_numpy(dtype=np.float64)
    return frame_numbers(frame, name)


def frame_numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return a column as (rows,) float64, or name the first row that is not a number."""
    import pandas as pd

    column = frame[name]
    if column.dtype.kind in "biuf" and isinstance(column.dtype, np.dtype):
        return column.to_numpy(dtype=np.float64)
    if column.dtype.kind in "mM":
        raise ValueError(
            f"column {name!r} holds dates, expected numbers. Dates may only stand in the time "
            "column."
        )
    numbers = pd.to_numeric(column, errors="coerce")
    bad = np.flatnonzero(numbers.isna() & column.notna())
    if bad.size or numbers.dtype.kind not in "biuf":
        row = int(bad[0]) if bad.size else 0
        raise ValueError(
            f"column {name!r} is not numbers: row {row} holds {column.iloc[row]!r}. Convert or "
            "drop the column, or name the coordinates with names=[...]."
        )
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan)


def runs_in(arrays: Arrays, run: str | None, time: str | None) -> dict[str, np.ndarray | None]:
    """Find runs, times and run ids among named arrays.

    Parameters
    ----------
    arrays : dict from name to array
        Either ``states`` (runs, steps, d) with ``times`` and ``run_ids``, or ``X`` (rows, d) with
        ``groups`` and ``t`` (rows,).
    run, time : str or None
        Names of the arrays of run ids and times, where they are others than these.

    Returns
    -------
    dict with either ``states``, ``times`` and ``run_ids``, or ``rows``, ``times`` and ``groups``;
    None where there are no times or run ids

    Raises
    ------
    ValueError
        When neither ``states`` nor ``X`` is there, or a named array is missing.
    """

    def find(*keys: str | None) -> np.ndarray | None:
        return next((arrays[key] for key in keys if key in arrays), None)

    for what, key in (("run", run), ("time", time)):
        if key is not None and key not in arrays:
            raise ValueError(f"{what}={key!r} is not there; the data holds {sorted(arrays)}.")
    times = find(time, "times", "t")
    if "states" in arrays:
        return {"states": arrays["states"], "times": times, "run_ids": find(run, "run_ids")}
    groups = find(run, "groups", "run_ids")
    if "X" not in arrays:
        raise ValueError(
            f"the data holds {sorted(arrays)}. Expected states (runs, steps, d), or X (rows, d) "
            "with groups (rows,)."
        )
    return {"rows": arrays["X"], "times": times, "groups": groups}
