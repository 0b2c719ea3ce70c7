"""Words and numbers of a report that the text, the page and the pictures share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

# Columns of a terminal that a report fills.
WIDTH = 100
# Libraries that are named before the others are counted.
_NAMED = 3
# Coordinates whose noise is told one by one.
_NOISE_TOLD = 12

# Below it noise explains more than all that moves: the data have a resolution and no noise.
FLATTEST = 0.01
# From here on two digits would be a power of ten.
_WHOLE = 0.995
# Smaller shares are rounding.
_SMALLEST = 1e-9


def percent(share: float) -> str:
    """Return a share in percent, two digits; a very small one as a power of ten."""
    if share >= _WHOLE:
        return f"{100 * share:.0f} %"
    return f"{100 * share:.2g} %" if share >= 1e-5 else f"{max(share, _SMALLEST):.0e}"


def flatness(value: float) -> str:
    """Return a flatness in few digits; of data without noise, an upper bound."""
    if value <= FLATTEST:
        return f"≤ {FLATTEST:g}"
    return f"{value:.2f}" if value < 1000 else f"{value:.1e}"


def interval(low: float, high: float) -> str:
    """Return the interval of a flatness in brackets; nothing where there is no noise."""
    return f"[{flatness(low)}, {flatness(high)}]" if high > FLATTEST else ""


def noise_levels(noise: Mapping[str, float]) -> str:
    """Return the noise of each coordinate: ``x 0.01, y 0.012``."""
    shown = [f"{name} {level:.2g}" for name, level in list(noise.items())[:_NOISE_TOLD]]
    rest = list(noise.values())[_NOISE_TOLD:]
    if rest:
        shown.append(f"{len(rest)} more from {min(rest):.2g} to {max(rest):.2g}")
    return ", ".join(shown)


def resolution(verdict: str, share: float) -> str:
    """Return how small a drift would have been seen.

    Parameters
    ----------
    verdict : str
        Of the report.
    share : float
        Of the spread; nan or infinite where it is not known.
    """
    # Finite, and a number at all.
    if not 0 <= share < float("inf"):
        return "not known: there is no law to measure it by"
    what = "a law's" if verdict == "laws" else "a function's"
    return f"a drift of {percent(share)} of {what} spread would have been seen"


def confidence(verdict: str, share: float) -> str:
    """Return the confidence of a count in two digits.

    Of no law it is never 1.00: what is in no library was not looked for.

    Parameters
    ----------
    verdict : str
        Of the report.
    share : float
    """
    return f"{share if verdict == 'laws' else min(share, 0.99):.2f}"


def filled(text: str, indent: int = 0) -> str:
    """Return a text in lines of at most `WIDTH` columns: broken between clauses where that can be.

    Parameters
    ----------
    text : str
        Clauses end with a semicolon, parts of them with a comma.
    indent : int
        Of all lines but the first, which is taken to be indented already.
    """
    return f"\n{'':{indent}}".join(_lines(text, WIDTH - indent, (";", ",", "")))


def _lines(text: str, room: int, ends: Sequence[str]) -> list[str]:
    """Return lines that break after the first of `ends`, and within such a part after the next."""
    if len(text) <= room or not ends:
        return [text]
    lines = [""]
    for part in re.split(rf"(?<={ends[0]}) ", text):
        joined = f"{lines[-1]} {part}".lstrip()
        if len(joined) <= room:
            lines[-1] = joined
        else:
            own = _lines(part, room, ends[1:])
            lines = [*lines, *own] if lines[-1] else own
    return lines


def standard_error(error: float) -> str:
    """Return a standard error in one digit: 0.0003, 60.

    Parameters
    ----------
    error : float
    """
    return f"{float(f'{error:.1g}'):g}"


def searched(stages: Sequence[str]) -> str:
    """Return what was tried in one line: the first libraries, how many, and how many functions.

    Parameters
    ----------
    stages : sequence of str
        Of a report: one a library, and remarks.
    """
    libraries = [m for s in stages if (m := re.fullmatch(r"(.+?) \((\d+) terms: .*\)", s))]
    skipped = [s for s in stages if re.fullmatch(r".+? \(skipped: .*\)", s)]
    remarks = [s for s in stages if s not in skipped and s not in {m[0] for m in libraries}]
    # Some have one name and other terms.
    names = list(dict.fromkeys(m[1] for m in libraries))
    said = []
    if names:
        more = len(names) - _NAMED
        first = ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        said.append(f"{first} ({sum(int(m[2]) for m in libraries)} functions)")
    said += [f"{len(skipped)} skipped"] if skipped else []
    return "; ".join([*said, *remarks]) or "nothing"
