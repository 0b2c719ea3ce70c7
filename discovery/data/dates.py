"""Dates and times of day in text, where they can be read in one way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from discovery.data.cells import are_numbers, is_missing, without_unit

if TYPE_CHECKING:
    import pandas as pd

# Columns of days, and of the times of day beside them.
_DAYS = re.compile(r"date|datum|day|tag", re.IGNORECASE)
_CLOCKS = re.compile(r"time|t|zeit|uhrzeit|clock|timestamp|time[ _]?of[ _]?day", re.IGNORECASE)
_CLOCK = r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?"


def with_days(frame: pd.DataFrame, asked: Sequence[object] = ()) -> pd.DataFrame:
    """Return a table whose dates and times of day, in a column each, stand in that of the times.

    Parameters
    ----------
    frame : pandas.DataFrame
        Returned as it is where it does not have one text column of each.
    asked : sequence of str or None
        Names that the user gave: a column of days that is among them stays.
    """
    named = [
        [c for c in frame.columns if pattern.fullmatch(without_unit(str(c)).strip())]
        for pattern in (_DAYS, _CLOCKS)
    ]
    if any(len(columns) != 1 or frame[columns[0]].dtype.kind in "biufmM" for columns in named):
        return frame
    (day,), (clock,) = named
    if day in asked:
        return frame
    days, clocks = (frame[column].astype(str).str.strip() for column in (day, clock))
    if not clocks.str.fullmatch(_CLOCK).all() or as_dates(days).dtype.kind != "M":
        return frame
    return frame.assign(**{clock: days + " " + clocks}).drop(columns=day)


def as_dates(column: pd.Series) -> pd.Series:
    """Return text as dates or times of day where all of it is; else as it is.

    Raises
    ------
    ValueError
        For dates like 03/04/2026 where it matters which is the month.
    """
    import pandas as pd

    there = column[~column.map(is_missing)].astype(str).str.strip()
    if not len(there) or are_numbers(column):
        return column
    there = there.str.replace(r"(:\d{2}),(\d)", r"\1.\2", regex=True)
    if there.str.fullmatch(r"\d{1,3}:\d{2}(:\d{2}(\.\d+)?)?").all():
        clock = there.where(there.str.count(":") == 2, there + ":00")
        return pd.to_timedelta(clock, errors="coerce").reindex(column.index)
    for form, of in (
        ("ISO8601", there),
        ("%d.%m.%Y", there.str.replace(r"[ T].*", "", regex=True)),
    ):
        days = pd.to_datetime(of, format=form, errors="coerce", utc=True)
        if days.notna().all():
            return (days + _hours(there) if form != "ISO8601" else days).reindex(column.index)
    day = there.str.replace(r"[ T].*", "", regex=True).str.replace("-", "/")
    read = [
        pd.to_datetime(day, format=f, errors="coerce", utc=True) for f in ("%d/%m/%Y", "%m/%d/%Y")
    ]
    sound = [days for days in read if days.notna().all()]
    if not sound:
        return column
    steps = [(days - days.iloc[0]).to_numpy() for days in sound]
    if len(sound) == 2 and (steps[0] != steps[1]).any():
        raise ValueError(
            f"dates like {there.iloc[0]!r} may be read in two ways. Write them as "
            "year-month-day: 2026-03-31T12:00:00."
        )
    return (sound[0] + _hours(there)).reindex(column.index)


def _hours(text: pd.Series) -> pd.Series:
    """Return the times of day that stand behind dates."""
    import pandas as pd

    clock = text.str.extract(r"[ T]+(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)$")[0].fillna("00:00:00")
    return pd.to_timedelta(clock.where(clock.str.count(":") == 2, clock + ":00"))
