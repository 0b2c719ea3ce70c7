"""Tables and sets of arrays: which columns or arrays hold runs, times and coordinates."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from discovery.data.cells import LINE, are_numbers, has_thousands, is_degrees, without_unit
from discovery.data.column_names import RUN_COLUMNS, TIME_COLUMNS, usual_column
from discovery.data.coordinates import Roles
from discovery.data.dates import as_dates, with_days

if TYPE_CHECKING:
    import pandas as pd

    from discovery.data.formats import Arrays

_DAY_NAMES = re.compile(r"date|datum|day|tag|datetime")
# What stands for equally spaced samples in place of a time column.
STEPS = "steps"


def as_table(frame: pd.DataFrame, *asked: object) -> pd.DataFrame:
    """Return a table whose runs and times stand in columns, where they stood in its index.

    Parameters
    ----------
    frame : pandas.DataFrame
        Levels of its index become columns where their names are usual ones, or are asked for; so
        does an index of dates without a name, as ``time``. Dates and times of day in two columns
        become one.
    *asked : str or None
        Names that the user gave.

    Raises
    ------
    ValueError
        For what is no table, and titles of several levels.
    """
    if not is_frame(frame):
        raise ValueError(
            f"received {type(frame).__name__}. Expected a pandas.DataFrame, one row a sample: "
            "pandas.DataFrame(...) makes one of a dict of columns."
        )
    import pandas as pd

    if frame.columns.nlevels > 1:
        raise ValueError(
            f"the titles have {frame.columns.nlevels} levels, as {frame.columns[0]!r}. Expected "
            "one name a column: frame.columns = ['_'.join(map(str, c)) for c in frame.columns]."
        )
    if isinstance(frame.index, (pd.DatetimeIndex, pd.TimedeltaIndex)) and frame.index.name is None:
        frame = frame.rename_axis("time")
    levels = [
        name
        for name in frame.index.names
        if name is not None
        and name not in frame.columns
        and (name in asked or any(usual_column([name], u) for u in (RUN_COLUMNS, TIME_COLUMNS)))
    ]
    if unknown := _unknown_levels(frame, levels):
        raise ValueError(
            f"the rows have an index of {frame.index.nlevels} levels, of which {unknown} are "
            "called neither like runs nor like times. Expected their names: "
            "Trajectories.from_frame(frame, run='...', time='...') (unnamed levels get some by "
            "frame.index.set_names), or a table without them: frame.reset_index(drop=True)."
        )
    attrs = frame.attrs
    frame = frame.reset_index(levels) if levels else frame
    frame.attrs.update(attrs)
    return with_days(frame, asked)


def _unknown_levels(frame: pd.DataFrame, known: Sequence[str]) -> list[Hashable]:
    """Return the names of levels of an index that may be runs or times, beside the known ones.

    Whole numbers count samples, where another level tells the runs or the times.
    """
    index = frame.index
    if index.nlevels < 2:
        return []
    counting = [bool(known) and level.dtype.kind in "iu" for level in index.levels]
    levels = zip(index.names, counting, strict=True)
    return [name for name, counts in levels if name not in known and not counts]


def is_frame(states: object) -> bool:
    """Tell whether something is a table with named columns, without loading pandas."""
    return hasattr(states, "columns") and hasattr(states, "set_axis")


def line_of(frame: pd.DataFrame, row: int) -> str:
    """Return which line of its file a row of a table is, as in "line 7"; empty for other tables."""
    return f"line {frame.index[row]}" if frame.index.name == LINE else ""


def _place(frame: pd.DataFrame, row: int) -> str:
    return line_of(frame, row) or f"row {row}"


def check_run_ids(frame: pd.DataFrame, run: str) -> None:
    """Refuse rows without a run id.

    Raises
    ------
    ValueError
    """
    absent = np.flatnonzero(frame[run].isna())
    if absent.size:
        raise ValueError(
            f"column {run!r} has no run id at {_place(frame, absent[0])}. Fill it in, or drop the "
            "row."
        )


def frame_columns(
    frame: pd.DataFrame, run: str | None, time: str | None, names: Sequence[str] | None
) -> tuple[str | None, str | None, list[str]]:
    """Find the run, time and coordinate columns of a table.

    Parameters
    ----------
    frame : pandas.DataFrame
    run, time : str or None
        Columns; None looks for `RUN_COLUMNS` and `TIME_COLUMNS`, in upper or lower case, with or
        without units. ``"steps"`` is no column but equal steps.
    names : sequence of str or None
        Columns of coordinates; None takes all the others.

    Returns
    -------
    run : str or None
        None where no column tells runs apart.
    time : str or None
        None where samples are equally spaced.
    names : list of str

    Raises
    ------
    ValueError
        When a column is missing or repeated; the message lists the columns there are.
    """
    columns = list(frame.columns)
    _check_repeated(columns)
    if len(frame) == 0:
        raise ValueError(f"the table has columns {columns} but no rows. Expected one row a sample.")
    if run is None:
        run = usual_column(columns, RUN_COLUMNS)
    else:
        run = _named(columns, run, "run")
    if time is not None:
        time = None if time == STEPS and time not in columns else _named(columns, time, "time")
    else:
        time = _time_column(frame, run, names)
    if names is None:
        names = [name for name in columns if name not in (run, time)]
    names = [name if name in columns else without_unit(str(name)) for name in names]
    missing = [name for name in names if name not in columns]
    if missing or not names:
        raise ValueError(f"no coordinate columns {missing or ''} in the table; it has {columns}.")
    return run, time, names


def _check_repeated(columns: list) -> None:
    repeated = sorted({str(name) for name in columns if columns.count(name) > 1})
    if repeated:
        raise ValueError(f"the table repeats the columns {repeated}. Each needs a name of its own.")


def _named(columns: list, given: str, what: str) -> str:
    """Return the column of a name, which may have its unit where the column has none."""
    if given in columns:
        return given
    short = without_unit(given) if isinstance(given, str) else given
    if short in columns:
        return short
    raise ValueError(f"{what}={given!r} is no column of the table; it has {columns}.")


def _time_column(frame: pd.DataFrame, run: str | None, names: Sequence[str] | None) -> str | None:
    """Return the column of times by its name; None where none may be one.

    Raises
    ------
    ValueError
        Where no column has a usual name, and one may be the time: it rises in every run.
    """
    others = [column for column in frame.columns if column != run]
    if names is not None:
        others = [column for column in others if column not in names]
    found = usual_column(others, TIME_COLUMNS)
    if found is not None:
        return found
    rising = [column for column in others if _rises(frame[column], run and frame[run])]
    if rising:
        raise ValueError(
            f"no time column: none of {list(frame.columns)} has a usual name (t, time, seconds, "
            f"timestamp, …). Pass time={rising[0]!r} if the times are there, or "
            f"time={STEPS!r} if samples are equally spaced."
        )
    return None


def _rises(column: pd.Series, run: pd.Series | None) -> bool:
    """Tell whether all values that are there increase from row to row in every run."""
    if column.dtype.kind not in "iufM":
        return column.dtype.kind != "b" and not are_numbers(column) and _are_dates(column)
    step = column.diff() if run is None else column.groupby(run.to_numpy()).diff()
    step = step.dropna()
    return len(step) > 0 and bool((step > step.iloc[0] * 0).all())


def _are_dates(column: pd.Series) -> bool:
    try:
        return as_dates(column).dtype.kind in "mM"
    except ValueError:  # dates that can be read in two ways
        return True


def roles_of(roles: Roles | None, names: Sequence[str]) -> Roles | None:
    """Return roles by the columns' names, where they were given by titles with units."""
    if not isinstance(roles, Mapping):
        return roles
    short = {key: without_unit(key) for key in roles}
    return {
        key if key in names or short[key] not in names else short[key]: role
        for key, role in roles.items()
    }


def check_titles(frame: pd.DataFrame, time: str | None, names: Sequence[str] | None) -> None:
    """Refuse a table without titles, unless the user says what its columns are.

    Parameters
    ----------
    frame : pandas.DataFrame
    time : str or None
    names : sequence of str or None

    Raises
    ------
    ValueError
    """
    columns = [column for column in frame.columns if column != "run"]
    if frame.attrs.get("untitled") and len(columns) > 1 and time is None and names is None:
        raise ValueError(
            f"the table has no titles. Write them above the values, or take {', '.join(columns)}: "
            f"time={columns[0]!r} if the first is the time, time={STEPS!r} if none is."
        )


def frame_times(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return a time column as (rows,) float64.

    Dates become seconds since the first of them, also as text (ISO 8601, and others that can be
    read in one way), and times of day seconds.
    """
    import pandas as pd

    column = frame[name]
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if column.dtype.kind in "OTU" or isinstance(column.dtype, pd.StringDtype):
        column = as_dates(column)
    elif column.dtype.kind == "i" and _DAY_NAMES.fullmatch(str(name).strip().lower()):
        days = column.astype(str)
        if days.str.fullmatch(r"(1[6-9]|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])").all():
            column = pd.to_datetime(days, format="%Y%m%d", errors="coerce")
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
        mend = "Mend or drop the column, or name the columns that are coordinates with names=[...]."
        if has_thousands(column.iloc[row]):
            mend = "Separators of thousands are not read: write the numbers without them."
        raise ValueError(
            f"column {name!r} is not numbers: {_place(frame, row)} holds {column.iloc[row]!r}. "
            f"{mend}"
        )
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan)


def as_frame_of_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table of float64 columns, or say which column or row is none.

    Raises
    ------
    ValueError
        For a repeated column, and as `frame_numbers`.
    """
    import pandas as pd

    _check_repeated(list(frame.columns))
    columns = {name: frame_numbers(frame, name) for name in frame.columns}
    return pd.DataFrame(columns, index=frame.index, columns=frame.columns)


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


def in_degrees(frame: pd.DataFrame, names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns among `names` whose titles, here or in the file, say degrees."""
    told = frame.attrs.get("degrees", ())
    return tuple(name for name in names if name in told or is_degrees(name))


def units_of(frame: pd.DataFrame, time: str | None, names: Sequence[str]) -> dict[str, str]:
    """Return the units that the titles of coordinates have in the file, and that of the times.

    Parameters
    ----------
    frame : pandas.DataFrame
    time : str or None
        The column of times, whose unit stands under ``"time"``.
    names : sequence of str
        The columns of coordinates.
    """
    told = frame.attrs.get("units", {})
    units = {"time": told[time]} if time in told else {}
    return units | {name: told[name] for name in names if name in told}
