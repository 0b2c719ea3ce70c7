"""Cells of tables: numbers, dates and missing values as people write them, titles and units."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


class ContentError(ValueError):
    """What a file holds is no table, or can be read in several ways; its message says all."""


# What an index of rows is called that tells the line of each in its file, from 1.
LINE = "line of the file"
# What stands for a value that is not there.
MISSING = frozenset(
    [
        *("", "-", "--", "—", "na", "n/a", "nan", "-nan", "none", "null", "<na>"),
        *("#n/a", "#na", "#n/a n/a", "1.#qnan", "-1.#qnan", "1.#ind", "-1.#ind"),
    ]
)
# A day may have a time of day behind it; nothing else may.
_CLOCK = r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[ap]\.?m\.?)?"
_ZONE = r"( ?(Z|UTC|GMT|[+-]\d{2}(:?\d{2})?))?"
# Fortran writes 1.5D+03.
_NUMBER = {
    mark: rf"[+-]?(?:\d+(?:{re.escape(mark)}\d*)?|{re.escape(mark)}\d+)(?:[eEdD][+-]?\d+)?"
    for mark in ".,"
}
_NUMBERS = {mark: re.compile(pattern) for mark, pattern in _NUMBER.items()}
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_DAY = r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}"
_DATE = re.compile(
    rf"{_DAY}([ T]+{_CLOCK}{_ZONE})?|\d{{1,3}}:\d{{2}}(:\d{{2}}([.,]\d+)?)?", re.IGNORECASE
)
# 1,234 may be a thousand and more, or a little more than one.
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
# 1,234.5 and 1'234'567: a mark after each three digits, and another one before the decimals.
_THOUSANDS = re.compile(
    r"[+-]?\d{1,3}([,.'\N{RIGHT SINGLE QUOTATION MARK}\s])\d{3}(\1\d{3})*([.,]\d*)?"
)

_UNIT = (
    r"(?:s|sec|secs|seconds?|ms|us|µs|μs|ns|min|minutes?|h|hrs?|hours?|d|days?|a|yrs?|years?|frames?|"
    r"m|cm|mm|km|dm|µm|μm|um|nm|ft|in|AU|au|ly|pc|px|pixels?|"
    r"rad|mrad|deg|degrees?|°|grad|rev|rpm|"
    r"kg|g|mg|N|mN|J|mJ|kJ|eV|W|V|mV|A|mA|C|Hz|kHz|K|°C|Pa|hPa|kPa|bar|T|mT|%|counts?|a\.?u\.?|"
    r"arb\.? ?units?|1)"
)
_POWER = r"(?:\^?\{?\(?[-−]?\d\)?\}?|\*\*[-−]?\d|[⁻]?[¹²³⁴])?"
_UNITS = rf"{_UNIT}{_POWER}(?:\s*[/·*.⋅ ]\s*\(?{_UNIT}{_POWER}\)?)*"
_IS_UNIT = re.compile(rf"[\(\[\{{]?\s*(?:{_UNITS}|-)?\s*[\)\]\}}]?")
_BRACKETED = re.compile(r"(.*\S)\s*[\(\[\{]([^()\[\]{}]*|[^()\[\]{}]*\([^()]*\))[\)\]\}]")
_WITHOUT_BRACKETS = re.compile(
    rf"(.*\S)(?:\s*/\s*|\s+in\s+|\s*,\s*)(\(?{_UNITS}\)?|\(?1\s*/\s*{_UNITS}\)?)"
)
_DEGREES = re.compile(r"(degs?|degrees?|°|º)(?P<per>\s*/\s*\w+|\s+per\s+\w+)?", re.IGNORECASE)
_NAMED_DEGREES = re.compile(r"[^\W_]_deg(s|rees?)?(?P<per>_(per_)?(s|sec|ms|min))?$", re.IGNORECASE)
_RADIANS = re.compile(r"rads?|radians?", re.IGNORECASE)
# What the column t may be measured in; one in K or °C is no time.
_TIME_UNIT = re.compile(
    r"|s|secs?|seconds?|ms|us|µs|μs|ns|min|minutes?|h|hrs?|hours?|d|days?|a|yrs?|years?|frames?|"
    r"steps?|-|1|a\.?u\.?|arb\.? ?units?|iso.*|utc",
    re.IGNORECASE,
)
_RUN = re.compile(r"\s*(?:run|trial|traj(?:ectory)?|series|set|exp(?:eriment)?)\b.*", re.IGNORECASE)


def is_missing(cell: object) -> bool:
    """Tell whether a cell holds no value."""
    if isinstance(cell, str):
        return cell.strip().lower() in MISSING
    return cell is None or cell != cell  # NaN and NaT differ from themselves


def is_value(cell: object, decimal: str = ".") -> bool:
    """Tell whether a cell holds a number or a date, so that it stands in no title.

    Parameters
    ----------
    cell : str, number or date
    decimal : str
        The decimal mark, "." or ",".
    """
    if not isinstance(cell, str):
        return not is_missing(cell)
    text = cell.strip()
    patterns = (_NUMBERS[decimal], _INFINITE, _DATE)
    return any(pattern.fullmatch(text) for pattern in patterns)


def are_units(cells: Sequence[object]) -> bool:
    """Tell whether a row below the titles holds their units."""
    texts = [str(cell).strip() for cell in cells if not is_missing(cell)]
    return bool(texts) and all(_IS_UNIT.fullmatch(text) for text in texts)


def without_unit(title: str) -> str:
    """Return a title without its unit: x of ``x (m)``, ``x [m]``, ``x / m`` and ``x in m``."""
    title = " ".join(title.split())
    found = _BRACKETED.fullmatch(title)
    # x[0] and x(1) count coordinates, and x (run 1) tells runs apart.
    if found and not found[2].strip().isdecimal() and not _RUN.fullmatch(found[2]):
        return found[1].removesuffix("/").strip() or title
    found = _WITHOUT_BRACKETS.fullmatch(title)
    return found[1].strip() if found else title


def unit_of(title: str) -> str:
    """Return the unit that a title has: m of ``x (m)``; empty where it has none."""
    title = " ".join(str(title).split())
    return title.removeprefix(without_unit(title)).strip(" /,[](){}").removeprefix("in ").strip()


def is_degrees(title: str) -> bool:
    """Tell whether a title says that its column is in degrees, or in degrees per time.

    So do ``a (deg)`` and ``a_deg``. Degrees of a temperature are others.
    """
    return bool(_DEGREES.fullmatch(unit_of(title)) or _NAMED_DEGREES.search(str(title)))


def is_radians(title: str, unit: str = "") -> bool:
    """Tell whether a title, or its unit where that was parted, is in radians: ``phase (rad)``."""
    return bool(_RADIANS.fullmatch(unit or unit_of(title)))


def is_per_time(title: str, unit: str = "") -> bool:
    """Tell whether a title in degrees, or its unit where that was parted, is of a rate."""
    found = _DEGREES.fullmatch(unit or unit_of(title)) or _NAMED_DEGREES.search(str(title))
    return bool(found and found["per"])


def is_other_than_time(title: str) -> bool:
    """Tell whether a title has a unit, and none of time: ``T (K)``."""
    return not _TIME_UNIT.fullmatch(unit_of(title))


def names_of(titles: Sequence[str]) -> list[str]:
    """Return titles without what says nothing: units, where the rest still differs, and a prefix.

    Data loggers write ``Latest: Time (s), Latest: Position (m)``.

    Raises
    ------
    ValueError
        For a title that stands twice.
    """
    titles = [" ".join(title.split()) for title in titles]
    repeated = sorted({title for title in titles if title and titles.count(title) > 1})
    if repeated:
        raise ContentError(f"the table repeats the columns {repeated}. Each needs its own name")
    prefixes = {title.partition(":")[0] if ":" in title else "" for title in titles}
    if len(prefixes) == 1 and len(titles) > 1 and "" not in prefixes:
        titles = [title.partition(":")[2].strip() for title in titles]
    short = [without_unit(title) for title in titles]
    # x (left) and x (right); and T (K) would be taken for a time.
    return [
        title
        if short.count(name) > 1 or (name.lower() == "t" and is_other_than_time(title))
        else name
        for title, name in zip(titles, short, strict=True)
    ]


def as_column(cells: pd.Series, decimal: str = ".") -> pd.Series:
    """Return a column of text as numbers where all that is there are numbers, else as text.

    Parameters
    ----------
    cells : pandas.Series of str
    decimal : str
        The decimal mark, "." or ",".

    Returns
    -------
    pandas.Series of int, float or bool, NaN where a cell is missing; or of str
    """
    import pandas as pd

    if cells.dtype.kind in "biuf":
        return cells
    text = cells.astype(object).map(lambda cell: "" if cell != cell else str(cell).strip())
    lower = text.str.lower()
    missing = lower.isin(MISSING).to_numpy(dtype=bool)
    there = text[~missing]
    if len(there) and there.str.lower().isin(("true", "false")).all() and not missing.any():
        return lower == "true"
    sound = there.str.fullmatch(_NUMBER[decimal]) | there.str.fullmatch(_INFINITE.pattern, flags=2)
    if not sound.all():
        return text.mask(missing, None)
    plain = there.str.replace(decimal, ".", regex=False).str.replace("[dD]", "e", regex=True)
    if len(there) and not missing.any() and there.str.fullmatch(r"[+-]?\d{1,18}").all():
        return plain.astype(np.int64)
    values = np.full(len(text), np.nan)
    values[~missing] = [float(number) for number in plain]
    return pd.Series(values, index=cells.index)


def has_thousands(cell: object) -> bool:
    """Tell whether a cell that is no number is one with marks after the thousands.

    Parameters
    ----------
    cell : object
    """
    return isinstance(cell, str) and _THOUSANDS.fullmatch(cell.strip()) is not None


def are_numbers(column: pd.Series) -> bool:
    """Tell whether all that is there in a column are numbers, if only as text."""
    import pandas as pd

    there = column[~column.map(is_missing)]
    return bool(pd.to_numeric(there, errors="coerce").notna().all())


def check_grouping(cells: Sequence[str]) -> None:
    """Refuse decimal commas that may be the commas of thousands.

    Raises
    ------
    ValueError
        Where every number with a comma is one like 1,234.
    """
    marked = [text for text in map(str.strip, cells) if "," in text and is_value(text, ",")]
    if marked and all(_GROUPED.fullmatch(text) for text in marked):
        raise ContentError(
            f"{marked[0]} may be a number with a decimal comma, or one with a comma after the "
            "thousands. Pass decimal=',' for the first; write the numbers without commas for the "
            "second"
        )
