"""The report as a piece of another document: Markdown for notes, LaTeX for papers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import sympy

from discovery.report.errors import error_words
from discovery.report.mirror_images import by_cause
from discovery.report.quantity import Quantity
from discovery.report.summary import Summary
from discovery.report.typesetting import escaped, has_plain_names, latex, spelled
from discovery.report.words import confidence, noise_levels, resolution, searched

# What Markdown, and HTML in it, would read as markup.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|$~&!])")


def as_markdown(summary: Summary) -> str:
    """Return the title, the answer, a table of the quantities, and how they were searched for.

    Parameters
    ----------
    summary : Summary
    """
    parts = [f"## {_plain(summary.title)}", f"**{_plain(_answer(summary))}**"]
    if summary.quantities:
        head = "| | formula | verdict | symmetry |\n|---|---|---|---|"
        rows = (_row(k, q) for k, q in enumerate(summary.quantities, start=1))
        parts.append("\n".join([head, *rows]))
    if summary.identities:
        alike = [
            f"- {_math(q)} = {q.constant}{f'; {remark}' if remark else ''}"
            for q, remark in by_cause(summary.identities)
        ]
        parts.append("\n".join(["Obeyed by all runs alike, not counted:", "", *alike]))
    parts.append("\n".join(f"- {_plain(line)}" for line in _how(summary)))
    return "\n\n".join(parts) + "\n"


def as_latex(summary: Summary) -> str:
    """Return a fragment: a table of the quantities with standard errors, and notes below it.

    It needs the package amsmath.

    Parameters
    ----------
    summary : Summary
    """
    lines = [escaped(summary.title) + r".", "", escaped(_answer(summary)) + ".", ""]
    if summary.quantities:
        lines += [
            r"\begin{center}",
            r"\begin{tabular}{rp{0.55\linewidth}p{0.3\linewidth}}",
            r"\hline",
        ]
        lines += [r" & formula & verdict \\", r"\hline"]
        lines += [_latex_row(k, q) for k, q in enumerate(summary.quantities, start=1)]
        lines += [r"\hline", r"\end{tabular}", r"\end{center}", ""]
    for identity, remark in by_cause(summary.identities):
        value = rf"\text{{{identity.constant}}}$" + (f"; {escaped(remark)}" if remark else "")
        lines += [rf"All runs obey ${latex(identity.expression)} = {value}.", ""]
    return "\n".join([*lines, *(f"{escaped(line)}." for line in _how(summary)), ""])


def _answer(summary: Summary) -> str:
    reason = summary.reason.removesuffix(".")
    if summary.verdict == "undecided":
        return f"Undecided: {reason}"
    sure = confidence(summary.verdict, summary.confidence)
    why = "" if summary.n_conserved else f": {reason}"
    return f"Conserved quantities: {summary.n_conserved or 'none'} (confidence {sure}){why}"


def _how(summary: Summary) -> Iterator[str]:
    yield from (f"Symmetries: {words}" for words in summary.symmetries)
    yield f"Resolution: {resolution(summary.verdict, summary.resolution)}"
    yield f"Noise (standard deviation): {noise_levels(summary.noise)}"
    yield f"Searched: {searched(summary.searched)}"


def _row(number: int, quantity: Quantity) -> str:
    name = f"{_plain(quantity.name)}: " if quantity.name else ""
    formula = _math(quantity, errors=True) if quantity.has_formula else ""
    if has_plain_names(quantity.expression) or not formula:
        # What stands as code has the words in it.
        formula = f"{_plain(quantity.instead)} {formula}".strip()
    cells = [str(number), name + formula, _verdict(quantity, _plain, _inline)]
    return f"| {' | '.join([*cells, _plain(quantity.symmetry or '')])} |"


def _latex_row(number: int, quantity: Quantity) -> str:
    name = rf"{escaped(quantity.name)}: " if quantity.name else ""
    formula = rf"${_formula(quantity)}$" if quantity.has_formula else ""
    law = f"{name}{escaped(quantity.instead)} {formula}".strip()
    return rf"{number} & {law} & {_verdict(quantity, escaped, _dollars)} \\"


def _verdict(
    quantity: Quantity, words: Callable[[str], str], formula: Callable[[sympy.Expr], str]
) -> str:
    """Return what a quantity does, its words and the formula of what it loses as printed."""
    told = words(quantity.statement)
    if quantity.drift_rate is None and quantity.decay is None:
        return told
    before, loss, after = quantity.trend_parts
    lost = "" if loss is None else f" {formula(loss)} {words(after)}"
    return f"{told}; {words(before)}{lost}"


def _dollars(expression: sympy.Expr) -> str:
    return f"${latex(expression)}$"


def _formula(quantity: Quantity) -> str:
    """Return a formula in LaTeX with the errors of its coefficients, where they are known."""
    return quantity.to_latex(errors=bool(error_words(quantity)))


def _math(quantity: Quantity, errors: bool = False) -> str:
    """Return a formula as Markdown's mathematics, or as code where a name is no plain word."""
    if not has_plain_names(quantity.expression):
        return _code(quantity.formula)
    return _cell(_formula(quantity) if errors else latex(quantity.written, order="none"))


def _inline(expression: sympy.Expr) -> str:
    plain_names = has_plain_names(expression)
    return _cell(latex(expression)) if plain_names else _code(spelled(expression))


def _code(formula: str) -> str:
    fence = "`" * (1 + max(map(len, re.findall("`+", formula)), default=0))
    return f"{fence} {formula} {fence}".replace("|", r"\|")


def _cell(typeset: str) -> str:
    # A bar would end the table's cell.
    typeset = typeset.replace("|", r"\vert ")
    return f"${typeset}$"


def _plain(text: str) -> str:
    """Return a text that Markdown shows as it is."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
