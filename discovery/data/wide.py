"""Wide tables: columns x_run1, x_run2 and so on become runs below each other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from discovery.data.cells import without_unit

if TYPE_CHECKING:
    import pandas as pd

# x_run1, x (run 1), run 1: x, Run1_x.
_RUN_WORD = r"(?:run|trial|traj(?:ectory)?|exp(?:eriment)?|data ?set|messung|versuch|lauf|track)"
_OF_RUN = (
    re.compile(rf"(?P<name>.+?)[\s_.:,-]*[\(\[]?\b{_RUN_WORD}[\s_#.-]*(?P<run>\d+)[\)\]]?", re.I),
    re.compile(rf"(?P<name>.+?)_{_RUN_WORD}_?(?P<run>\d+)", re.I),
    re.compile(rf"{_RUN_WORD}[\s_#.-]*(?P<run>\d+)[\s_.:,-]+(?P<name>.+)", re.I),
)


def as_long(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a wide table, with columns x_run1, x_run2 and so on, as one with a column ``run``.

    Other columns belong to all runs; runs end where nothing but these is left. Tables of another
    kind are returned as they are.

    Parameters
    ----------
    frame : pandas.DataFrame

    Raises
    ------
    ValueError
        Where a run lacks a column that another has.
    """
    import pandas as pd

    parts = {column: _of_run(str(column)) for column in frame.columns}
    wide = {column: part for column, part in parts.items() if part is not None}
    runs = sorted({run for _, run in wide.values()})
    if len(runs) < 2 or len(runs) == len(wide) == 0:
        return frame
    names = list(dict.fromkeys(name for name, _ in wide.values()))
    place = {part: column for column, part in wide.items()}
    lacking = [f"{name} of run {run}" for run in runs for name in names if (name, run) not in place]
    if lacking or len(place) < len(wide):
        raise ValueError(
            f"the table has columns of the runs {', '.join(map(str, runs))}, but "
            f"{', '.join(lacking[:3]) or 'some of them twice'}. Expected the same columns for each."
        )
    shared = [column for column, part in parts.items() if part is None]
    tables = []
    for run in runs:
        own = frame[[place[name, run] for name in names]].set_axis(names, axis=1)
        there = np.flatnonzero(own.notna().any(axis=1).to_numpy())
        length = there[-1] + 1 if len(there) else 0
        tables.append(pd.concat([frame[shared], own], axis=1).iloc[:length].assign(run=run))
    return pd.concat(tables, ignore_index=True)


def _of_run(title: str) -> tuple[str, int] | None:
    """Return the name and the run of a column of one run: x and 1 of x_run1."""
    for pattern in _OF_RUN:
        found = pattern.fullmatch(title.strip())
        if found:
            return without_unit(found["name"]), int(found["run"])
    return None
