"""Words and numbers of a report that the text, the page and the pictures share."""

from __future__ import annotations

from collections.abc import Mapping

# Below it noise explains more than all that moves: the data have a resolution and no noise.
FLATTEST = 0.01
# Smaller shares are rounding.
_SMALLEST = 1e-9


def percent(share: float) -> str:
    """Return a share in percent, two digits; a very small one as a power of ten."""
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
    return ", ".join(f"{name} {level:.2g}" for name, level in noise.items())


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
