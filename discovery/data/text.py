"""Tables of text: encoding, comments, separator, decimal mark and titles, seen from the text.

The right separator and decimal mark are those for which all rows have as many cells as there are
titles, and most cells are numbers.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from discovery.data import cells

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = {"tab": "\t", "semicolon": ";", "bar": "|", "comma": ",", "space": " "}
DECIMALS = {"point": ".", "comma": ","}
_COMMENT = ("#", "%", "//", "!")
# UTF-32 before UTF-16, whose mark begins like it.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Lines that are looked at: the first ones, and as many spread over the rest.
_LOOKED_AT = 200
# In tables with spaces between the cells a title is a word, or words in quotes, and its unit; or
# what stands between two spaces and more.
_TITLE = re.compile(r'"[^"]*"|[^\s"(\[]\S*(?:\s+[\(\[][^)\]]*[\)\]])?|\S+')
_WIDE_GAP = re.compile(r"\s{2,}|\t")
_WORD = re.compile(r'"[^"]*"|\S+')


@dataclass(frozen=True)
class Layout:
    """How a table of text is written, and where its parts stand.

    Attributes
    ----------
    separator, decimal : str
    titles : list of str, or None
        None where the first line holds numbers already.
    first : int
        The first line of values, of those that are no comments.
    width : int
        Cells in a row.
    quality : float
        Share of the rows with so many cells, times the share of their cells that hold values.
    """

    separator: str
    decimal: str
    titles: list[str] | None
    first: int
    width: int
    quality: float

    @property
    def fits(self) -> bool:
        """Whether there are as many titles as cells in a row."""
        return self.titles is None or len(self.titles) == self.width

    @property
    def rank(self) -> tuple[bool, float, int]:
        """Layouts of higher rank are better; of equals the one with more columns."""
        return self.fits, round(self.quality * (1 if self.width > 1 else 0.99), 3), self.width


def read_text(
    data: bytes, sep: str | None = None, decimal: str | None = None, encoding: str | None = None
) -> pd.DataFrame:
    """Return the table in a text, with columns of numbers where all their cells are numbers.

    Parameters
    ----------
    data : bytes
    sep, decimal, encoding : str, optional
        The separator and the decimal mark, or their names in `SEPARATORS` and `DECIMALS`; the
        encoding. Default: as the text shows.

    Returns
    -------
    pandas.DataFrame
        Its index has the name `cells.LINE`, and numbers the lines of the text from 1.
        ``attrs["untitled"]`` is true where the text has no titles; the columns are then x0, x1, …

    Raises
    ------
    ValueError
        For what is no text, rows of unequal length, and numbers that may be read in two ways.
    """
    import pandas as pd

    # Minus signs as they are typeset.
    every = decoded(data, encoding).replace("\u2212", "-").splitlines()
    lines = _joined([line for line in every if line.strip()])
    plain = [line for line in lines if not line.lstrip().startswith(_COMMENT)]
    if not plain:
        raise cells.ContentError(
            "there are no rows, only comments" if lines else "there are no rows"
        )
    layout = layout_of(plain, _separator(sep), _decimal(decimal))
    body = plain[layout.first :]
    rows = _cells(body, layout, _line_numbers(every, body))
    titles = layout.titles or _commented_titles(lines, plain[layout.first], layout)
    if decimal is None and layout.decimal == ",":
        cells.check_grouping([cell for cell in rows.to_numpy().flat if isinstance(cell, str)])
    if titles is None:
        names, in_degrees, units = [f"x{i}" for i in range(layout.width)], [], {}
    else:
        short = cells.names_of(titles)
        rows, names = _titled(rows, short)
        title_of = dict(zip(short, titles, strict=True))
        in_degrees = [name for name in names if cells.is_degrees(title_of[name])]
        # A name that is its whole title shows its unit itself.
        units = {name: cells.unit_of(title_of[name]) for name in names if name != title_of[name]}
    columns = [cells.as_column(rows[i], layout.decimal) for i in rows]
    frame = pd.DataFrame(dict(zip(names, columns, strict=True)), index=rows.index)
    frame.attrs["untitled"], frame.attrs["degrees"] = titles is None, in_degrees
    frame.attrs["units"] = {n: unit for n, unit in units.items() if unit not in ("", "-", "1")}
    return frame


def decoded(data: bytes, encoding: str | None = None) -> str:
    """Return text in any of the usual encodings.

    Parameters
    ----------
    data : bytes
    encoding : str, optional
        Default: what the marks at the start tell; UTF-16 where every other byte is zero; UTF-8
        where that can be; else Western European (Windows 1252, Latin 1).

    Raises
    ------
    ValueError
        For what is no text, and for unknown encodings.
    """
    try:
        text = data.decode(encoding or _encoding(data))
    except LookupError as error:
        raise cells.ContentError(
            f"encoding={encoding!r} is unknown. Expected one like utf-8 or latin-1"
        ) from error
    text = text.removeprefix("\ufeff")
    if re.search(r"[^\0\r\n]\0+\s*$", text):
        raise cells.ContentError(
            "its last line ends in bytes that are zero, as a file does whose writing was broken "
            "off: the last value may be cut. Expected whole lines; remove the last one"
        )
    text = text.rstrip("\0\x1a")
    if re.search(r"[\0-\x08\x0e-\x1b]", text):
        raise cells.ContentError("it is no text")
    return text


def _encoding(data: bytes) -> str:
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    start = data[:4000].rstrip(b"\0")
    if 4 * start.count(0) > len(start):
        even, odd = start[::2].count(0), start[1::2].count(0)
        return "utf-16-le" if odd > even else "utf-16-be"
    for name in ("utf-8", "cp1252"):
        try:
            data.decode(name)
            return name
        except UnicodeDecodeError:
            continue
    return "latin-1"


def _joined(lines: Sequence[str]) -> list[str]:
    """Return lines with those put together that a title in quotes runs over."""
    head, rest = list(lines[:30]), list(lines[30:])
    out: list[str] = []
    while head:
        line = head.pop(0)
        for more in range(1, 4):
            longer = " ".join([line, *head[:more]])
            if line.count('"') % 2 and longer.count('"') % 2 == 0 and len(head) >= more:
                line, head = longer, head[more:]
                break
        out.append(line)
    return out + rest


def _separator(given: str | None) -> str | None:
    if given is None or given in SEPARATORS.values():
        return given
    named = SEPARATORS.get(given.lower(), "\t" if given == "\\t" else given)
    if len(named) != 1 or named in "\"'.\n\r" or named.isalnum():
        raise cells.ContentError(
            f"sep={given!r} separates no cells. Expected one of {', '.join(SEPARATORS)}, or one "
            "character"
        )
    return named


def _decimal(given: str | None) -> str | None:
    named = DECIMALS.get(given.lower(), given) if given else given
    if named not in (None, ".", ","):
        raise cells.ContentError(f"decimal={given!r} is no decimal mark. Expected point or comma")
    return named


def layout_of(lines: Sequence[str], separator: str | None, decimal: str | None) -> Layout:
    """Return the layout of lines that are no comments.

    Parameters
    ----------
    lines : sequence of str
    separator, decimal : str or None
        Where they are known.

    Raises
    ------
    ValueError
        Where no layout gives as many cells in a row as there are titles, or there are no rows.
    """
    separators = list(SEPARATORS.values()) if separator is None else [separator]
    decimals = list(DECIMALS.values()) if decimal is None else [decimal]
    looked_at = _some(lines)
    found = [_layout(looked_at, sep, mark) for sep in separators for mark in decimals]
    # Layouts of equal rank: the one that comes first.
    best = max(
        (layout for layout in found if layout is not None), key=lambda x: x.rank, default=None
    )
    if best is None:
        raise cells.ContentError(f"there are no rows of numbers in the first {_LOOKED_AT} lines")
    if best.first >= _LOOKED_AT:
        raise cells.ContentError(
            f"no numbers come before line {_LOOKED_AT}. Delete what is above the table"
        )
    if not best.fits:
        blank = (
            "put text of several words in quotes, write dates as 2026-03-31T12:00:00, or separate "
            "cells with tabs, and pass sep='tab' (--sep tab)"
        )
        other = (
            "where commas are decimal marks, separate cells with semicolons; or pass sep= (--sep "
            f"{', '.join(SEPARATORS)})"
        )
        raise cells.ContentError(
            f"there are {len(best.titles)} titles ({', '.join(best.titles)}) over rows of "
            f"{best.width} cells. Give each column a title; "
            f"{blank if best.separator == ' ' else other}"
        )
    return best


def _some(lines: Sequence[str]) -> list[str]:
    rest = lines[_LOOKED_AT:]
    return [*lines[:_LOOKED_AT], *rest[:: max(1, len(rest) // _LOOKED_AT)]]


def _layout(lines: Sequence[str], separator: str, decimal: str) -> Layout | None:
    rows = [_split(line, separator) for line in lines]
    with_values = [any(cells.is_value(cell, decimal) for cell in row) for row in rows]
    widths = Counter(len(row) for row, valued in zip(rows, with_values, strict=True) if valued)
    if not widths:
        return None
    width = widths.most_common(1)[0][0]
    first = next(i for i, row in enumerate(rows) if with_values[i] and len(row) == width)
    body = [row for row in rows[first:] if len(row) == width]
    sound = sum(cells.is_value(c, decimal) or cells.is_missing(c) for row in body for c in row)
    quality = len(body) / len(rows[first:]) * sound / (width * len(body))
    titles = _titles(lines[:first], rows[:first], separator, width)
    if titles is not None and len(titles) == width - 1 and not any(row[-1] for row in body):
        titles.append("")  # a separator at the end of each row
    return Layout(separator, decimal, titles, first, width, quality)


def _titles(
    lines: Sequence[str], rows: Sequence[Sequence[str]], separator: str, width: int
) -> list[str] | None:
    """Return the titles above the values: the last line, or that above the units."""
    if not rows:
        return None
    k = len(rows) - 1
    if k and len(rows[k - 1]) == len(rows[k]) and cells.are_units(rows[k]):
        k -= 1
    return _spaced_titles(lines[k], width) if separator == " " else list(rows[k])


def _spaced_titles(line: str, width: int) -> list[str]:
    """Return titles with spaces between them, in the way that gives the wanted number."""
    ways = (_TITLE.findall(line), _WIDE_GAP.split(line.strip()))
    titles = next((way for way in ways if len(way) == width), ways[0])
    return [title.strip('"') for title in titles]


def _split(line: str, separator: str) -> list[str]:
    if separator == " ":
        return _WORD.findall(line)
    reader = csv.reader([line], delimiter=separator, skipinitialspace=True)
    return [cell.strip() for cell in next(reader, [])]


def _commented_titles(lines: Sequence[str], first: str, layout: Layout) -> list[str] | None:
    """Return the titles in the comment right above the values, where it has as many words."""
    above = lines[lines.index(first) - 1] if lines.index(first) else ""
    if not above.lstrip().startswith(_COMMENT):
        return None
    above = above.lstrip().lstrip("".join(_COMMENT))
    for words in (_split(above, layout.separator), _spaced_titles(above, layout.width)):
        titles = [word.strip(" ,;") for word in words]
        if len(titles) == layout.width and not any(map(cells.is_value, titles)):
            return titles
    return None


def _line_numbers(every: Sequence[str], body: Sequence[str]) -> Sequence[int]:
    """Return which lines of a text, from 1, its rows are; empty where a row has several lines."""
    numbers = [
        number
        for number, line in enumerate(every, 1)
        if line.strip() and not line.lstrip().startswith(_COMMENT)
    ][-len(body) :]
    return numbers if every[numbers[0] - 1] == body[0] else ()


def _cells(lines: Sequence[str], layout: Layout, numbers: Sequence[int]) -> pd.DataFrame:
    """Return the cells; columns of plain numbers as such, others as text, NaN where a row is short.

    Numbers that are written otherwise are left to `discovery.data.cells`. The index is of `numbers`
    of lines, where there is one a row.
    """
    import pandas as pd

    # The line of titles tells pandas how many cells there are.
    numbered = layout.separator.join(map(str, range(layout.width)))
    blank, plain = layout.separator == " ", layout.decimal == "."
    try:
        found = pd.read_csv(
            io.StringIO("\n".join([numbered, *lines])),
            sep=r"\s+" if blank else layout.separator,
            dtype=None if plain else object,
            na_values=[form for m in cells.MISSING for form in (m, m.upper(), m.title())],
            keep_default_na=False,
            skipinitialspace=not blank,
            low_memory=False,
        ).set_axis(range(layout.width), axis=1)
    except pd.errors.ParserError as error:
        long = (i for i, x in enumerate(lines) if len(_split(x, layout.separator)) > layout.width)
        row = next(long, None)
        if row is None:
            raise
        line = f"line {numbers[row]}" if numbers else "the row"
        raise cells.ContentError(
            f"{line}, {lines[row][:60]!r}, has more cells than the {layout.width} columns"
        ) from error
    if len(found) == len(numbers):
        found.index = pd.Index(numbers, name=cells.LINE)
    return found


def _titled(rows: pd.DataFrame, names: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """Return columns and their names without those that have neither title nor values.

    A first column without a title that counts rows is the index that DataFrame.to_csv writes.
    """
    kept = list(range(len(names)))
    for i, name in enumerate(names):
        if name:
            continue
        values = cells.as_column(rows.iloc[:, i])
        empty = values.isna().all()
        index = i == 0 and values.dtype.kind == "i" and values.is_monotonic_increasing
        if not (empty or (index and values.is_unique)):
            raise cells.ContentError(
                f"column {i + 1} has values and no title. Give it one, or delete it"
            )
        kept.remove(i)
    return rows.iloc[:, kept], [names[i] for i in kept]
