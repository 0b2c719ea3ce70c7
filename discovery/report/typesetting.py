"""Formulas typeset: MathML for pages, LaTeX for papers and pictures.

SymPy's printers copy the names of symbols as they are. Names come from a user's file, so they are
escaped here, before anything is printed: none can become markup or a command.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import sympy
from sympy.core.function import AppliedUndef

from discovery.report.arrangement import exchanged

# What SymPy prints, and what reads better: a minus sign, an upright d, a power above its index.
_READABLE = (
    ("<mo>-</mo>", "<mo>\N{MINUS SIGN}</mo>"),
    ("<mo>&dd;</mo>", "<mi mathvariant='normal'>d</mi>"),
    (r"<msup><msub>((?:(?!</?msub>).)*)</msub>", r"<msubsup>\1<END>"),
    (r"<END>((?:(?!</msup>).)*)</msup>", r"\1</msubsup>"),
)
_LATEX_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{c: f"\\{c}" for c in "{}$&#_%"},
    # What reports write, and old LaTeX has no letter for.
    **{"×": r"$\times$", "±": r"$\pm$", "≤": r"$\leq$", "→": r"$\to$", "²": "$^2$", "–": "--"},
}


def mathml(expression: sympy.Expr, order: str | None = None) -> str:
    """Return a formula in presentation MathML."""
    safe = _renamed(shorthand(expression), html.escape)
    inner = sympy.mathml(safe, printer="presentation", order=order)
    for printed, better in _READABLE:
        inner = re.sub(printed, better, inner)
    return f"<math displaystyle='true'>{inner}</math>"


def latex(expression: sympy.Expr, order: str | None = None) -> str:
    """Return a formula in LaTeX; a name that is no plain word stands in it as text."""
    safe = _renamed(expression, _as_latex)
    # SymPy would read a name that is text already as one with indices.
    as_text = {s: s.name for s in safe.free_symbols if s.name.startswith(r"\text{")}
    return sympy.latex(safe, symbol_names=as_text, order=order)


def spelled(expression: sympy.Expr, order: str | None = None) -> str:
    """Return a formula as text; a name that is no plain word stands in quotation marks."""
    safe = _renamed(expression, lambda name: name if _is_word(name) else f"'{name}'")
    return sympy.sstr(safe, order=order)


def label(expression: sympy.Expr) -> str:
    """Return a formula for matplotlib, typeset where it can and where there is room, in its order.

    Parameters
    ----------
    expression : sympy.Expr
        As `Quantity.written` has it.
    """
    from matplotlib.mathtext import MathTextParser

    expression = shorthand(expression)
    text = sympy.sstr(expression, order="none")
    plain = text.replace("$", r"\$")
    if len(text) > 120:
        return plain[:117] + "…"
    # Fractions at full size, as on a line of their own.
    typeset = f"${latex(expression, order='none')}$".replace(r"\frac", r"\dfrac")
    try:
        MathTextParser("path").parse(typeset)
    except ValueError:
        return plain
    return typeset


def _as_latex(name: str) -> str:
    return name if _is_word(name) else rf"\text{{{escaped(name)}}}"


def escaped(text: str) -> str:
    """Return a text in which LaTeX finds no commands.

    Parameters
    ----------
    text : str
    """
    return "".join(_LATEX_SPECIAL.get(c, " " if c.isspace() else c) for c in text)


def has_plain_names(expression: sympy.Expr) -> bool:
    """Tell whether all names in a formula are words of letters, digits and underscores.

    Parameters
    ----------
    expression : sympy.Expr
    """
    names = {s.name for s in expression.atoms(sympy.Symbol)}
    return all(map(_is_word, names | {f.func.__name__ for f in expression.atoms(AppliedUndef)}))


def _is_word(name: str) -> bool:
    return bool(re.fullmatch(r"([^\W\d]\w*)?", name))


def _renamed(expression: sympy.Expr, escape: Callable[[str], str]) -> sympy.Expr:
    """Return the expression with escaped names of its symbols and undefined functions."""
    functions = {
        f: sympy.Function(escape(f.func.__name__))(*f.args) for f in expression.atoms(AppliedUndef)
    }
    expression = exchanged(expression, functions)
    symbols = {s: sympy.Symbol(escape(s.name)) for s in expression.atoms(sympy.Symbol)}
    # Symbols that keep their names keep their assumptions and so their order.
    return exchanged(expression, {s: t for s, t in symbols.items() if s.name != t.name})


def shorthand(expression: sympy.Expr) -> sympy.Expr:
    """Return a formula with u for u(x) and u_xx for its derivatives, which is easier to read."""
    short = {}
    for derivative in expression.atoms(sympy.Derivative):
        field, variable, order = derivative.expr, *derivative.variable_count[0]
        short[derivative] = sympy.Symbol(f"{field.func}_{str(variable) * int(order)}")
    for field in expression.atoms(AppliedUndef):
        short[field] = sympy.Symbol(str(field.func))
    return exchanged(expression, short)
