"""The report as text, in the manner of scikit-learn's ``classification_report``."""

from __future__ import annotations

from collections.abc import Sequence

from discovery.report.quantity import Quantity
from discovery.report.summary import Summary
from discovery.report.words import confidence, flatness, interval, noise_levels, resolution

# Longer formulas get a line of their own.
_FORMULA_WIDTH = 40


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
            f"resolution: {resolution(summary.verdict, summary.resolution)}",
            f"noise (standard deviation): {noise_levels(summary.noise)}",
            "searched: " + "; ".join(summary.searched),
        ]
    )


def _answer(summary: Summary) -> str:
    if summary.verdict == "undecided":
        return f"undecided: {summary.reason}"
    count = summary.n_conserved or "none"
    sure = confidence(summary.verdict, summary.confidence)
    return f"conserved quantities: {count} (confidence {sure}): {summary.reason}"


def _table(quantities: Sequence[Quantity]) -> list[str]:
    header = ("formula", "flatness", "[95 %]", "verdict")
    rows = [header, *map(_row, quantities)]
    first, *widths = (max(map(len, column)) for column in zip(*rows, strict=True))
    widths = [min(first, _FORMULA_WIDTH), *widths]
    lines = _aligned(header, widths)
    for row, quantity in zip(rows[1:], quantities, strict=True):
        lines += _aligned(row, widths)
        lines += [f"      {remark}" for remark in _remarks(quantity)]
    return lines


def _row(quantity: Quantity) -> tuple[str, ...]:
    return (
        quantity.formula,
        flatness(quantity.flatness),
        interval(*quantity.flatness_interval),
        quantity.statement,
    )


def _remarks(quantity: Quantity) -> list[str]:
    symmetry = f"↔ {quantity.symmetry}" if quantity.symmetry else ""
    words = f"{quantity.name or ''} {symmetry}".strip()
    remarks = [words] if words else []
    remarks += [quantity.forms] if quantity.alternatives else []
    moving = quantity.drift_rate is not None or quantity.decay is not None
    return [*remarks, quantity.trend] if moving else remarks


def _aligned(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Return a row of the table; two lines where the formula is wider than its column."""
    formula, flatness, *others = row
    above = []
    if len(formula) > widths[0]:
        above, formula = [f"    {formula}"], ""
    cells = [f"{formula:<{widths[0]}}", f"{flatness:>{widths[1]}}"]
    cells += [f"{cell:<{width}}" for cell, width in zip(others, widths[2:], strict=True)]
    return [*above, f"    {'  '.join(cells).rstrip()}"]
