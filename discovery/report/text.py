"""The report as text, in the manner of scikit-learn's ``classification_report``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from discovery.report.quantity import Quantity
from discovery.report.summary import Summary

# Longer formulas get a line of their own.
_FORMULA_WIDTH = 60


def as_text(summary: Summary) -> str:
    """Return the heading, a table of the quantities, and how they were searched for."""
    lines = [summary.title, "", _answer(summary)]
    if summary.quantities:
        lines += ["", *_table(summary.quantities)]
    if summary.identities:
        lines += ["", "obeyed by all runs alike, not counted:"]
        lines += [f"    {q.expression} = constant" for q in summary.identities]
    if summary.symmetries:
        lines += ["", "symmetries: " + "; ".join(summary.symmetries)]
    return "\n".join(
        [
            *lines,
            "",
            _resolution(summary.resolution),
            f"noise (standard deviation): {noise_levels(summary.noise)}",
            "searched: " + "; ".join(summary.searched),
        ]
    )


def noise_levels(noise: Mapping[str, float]) -> str:
    """Return the noise of each coordinate: ``x 0.01, y 0.012``."""
    return ", ".join(f"{name} {level:.2g}" for name, level in noise.items())


def short(value: float) -> str:
    """Return a flatness in few digits."""
    return f"{value:.2f}" if value < 1000 else f"{value:.1e}"


def _answer(summary: Summary) -> str:
    count = {"laws": str(summary.n_conserved), "none": "none"}.get(summary.verdict)
    found = "undecided" if count is None else f"conserved quantities: {count}"
    return f"{found} (confidence {summary.confidence:.2f}): {summary.reason}"


def _resolution(resolution: float) -> str:
    if not np.isfinite(resolution):
        return "resolution: no law to give one"
    return f"resolution: a drift of {resolution:.1%} of a law's spread would have been seen"


def _table(quantities: Sequence[Quantity]) -> list[str]:
    header = ("formula", "flatness", "[95 %]", "drift", "verdict")
    rows = [header, *map(_row, quantities)]
    first, *widths = (max(map(len, column)) for column in zip(*rows, strict=True))
    widths = [min(first, _FORMULA_WIDTH), *widths]
    lines = _aligned(header, widths)
    for row, quantity in zip(rows[1:], quantities, strict=True):
        lines += _aligned(row, widths)
        lines += [f"      {remark}" for remark in _remarks(quantity)]
    return lines


def _row(quantity: Quantity) -> tuple[str, ...]:
    low, high = map(short, quantity.flatness_interval)
    return (
        quantity.formula,
        short(quantity.flatness),
        f"[{low}, {high}]",
        f"≤ {quantity.drift_interval[1]:.1e}",
        quantity.verdict,
    )


def _remarks(quantity: Quantity) -> list[str]:
    remarks = [f"↔ {quantity.symmetry}"] if quantity.symmetry else []
    remarks += [quantity.forms] if quantity.alternatives else []
    return remarks if quantity.drift_rate is None else [*remarks, quantity.trend]


def _aligned(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Return a row of the table; two lines where the formula is wider than its column."""
    formula, flatness, *others = row
    above = []
    if len(formula) > widths[0]:
        above, formula = [f"    {formula}"], ""
    cells = [f"{formula:<{widths[0]}}", f"{flatness:>{widths[1]}}"]
    cells += [f"{cell:<{width}}" for cell, width in zip(others, widths[2:], strict=True)]
    return [*above, f"    {'  '.join(cells).rstrip()}"]
