"""Formulas typeset: MathML for pages, LaTeX for papers and pictures.

All of them print numbers alike, see `discovery.formulas.decimals`.

SymPy's printers copy the names of symbols as they are. Names come from a user's file, so they are
escaped here, before anything is printed: none can become markup or a command.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import numpy as np
import sympy
from sympy.core.function import AppliedUndef
from sympy.printing.conventions import split_super_sub
from sympy.printing.latex import greek_letters_set, tex_greek_dictionary

from discovery.formulas.decimals import in_decimals
from discovery.report.arrangement import exchanged

# What SymPy prints, and what reads better: a minus sign, an upright d, a power above its index.
_READABLE = (
    ("<mo>-</mo>", "<mo>\N{MINUS SIGN}</mo>"),
    ("<mo>&dd;</mo>", "<mi mathvariant='normal'>d</mi>"),
    (r"<msup><msub>((?:(?!</?msub>).)*)</msub>", r"<msubsup>\1<END>"),
    (r"<END>((?:(?!</msup>).)*)</msup>", r"\1</msubsup>"),
)
_GREEK = {*greek_letters_set, *(letter.capitalize() for letter in greek_letters_set)}
_AND = r"\_"
# Powers of ten in between are written out.
_PLAIN = (-4, 8)
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
    safe = _renamed(in_decimals(shorthand(expression)), html.escape)
    inner = sympy.mathml(safe, printer="presentation", order=order)
    for printed, better in _READABLE:
        inner = re.sub(printed, better, inner)
    return f"<math displaystyle='true'>{inner}</math>"


def latex(expression: sympy.Expr, order: str | None = None) -> str:
    """Return a formula in LaTeX.

    Letters and Greek names are typeset as such, with indices and dots; other words stand upright,
    and a name that is no plain word as text.
    """
    safe = _renamed(
        in_decimals(expression), lambda name: name if _is_word(name) else _as_text(name)
    )
    names = {
        s: s.name if s.name.startswith(r"\text{") else _word(s.name) for s in safe.free_symbols
    }
    typeset = sympy.latex(safe, symbol_names=names, order=order)
    return typeset.replace(r"\cdot 10^{", r"\times 10^{")


def measured(value: float, error: float) -> str:
    """Return a positive number with its error in LaTeX: to two digits of the error.

    Parameters
    ----------
    value, error : float
    """
    if not np.isfinite(error):
        return rf"({latex(sympy.Float(value, 6))} \pm \infty)"
    power = int(np.floor(np.log10(max(value, error))))
    power = power if power < _PLAIN[0] or power >= _PLAIN[1] else 0
    value, error = value / 10.0**power, error / 10.0**power
    digits = int(np.clip(1 - np.floor(np.log10(error)), 0, 8))
    pair = rf"({value:.{digits}f} \pm {error:.{digits}f})"
    return rf"{pair} \times 10^{{{power}}}" if power else pair


def spelled(expression: sympy.Expr, order: str | None = None) -> str:
    """Return a formula as text; a name that is no plain word stands in quotation marks."""
    safe = _renamed(in_decimals(expression), lambda name: name if _is_word(name) else f"'{name}'")
    return sympy.sstr(safe, order=order)


def label(expression: sympy.Expr) -> str:
    """Return a formula for matplotlib, typeset where it can and where there is room, in its order.

    Parameters
    ----------
    expression : sympy.Expr
        As `Quantity.written` has it.
    """
    from matplotlib.mathtext import MathTextParser

    expression = in_decimals(shorthand(expression))
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


def _as_text(name: str) -> str:
    return rf"\text{{{escaped(name)}}}"


def _word(name: str) -> str:
    """Return a plain word in LaTeX.

    SymPy would read modifiers at its end, and symbols: ``imag`` as |i|, ``vertical`` as a script.
    """
    base, above, below = split_super_sub(name)
    below = [*below, *above]
    index = " ".join(map(_letters, below))
    # Words beside each other would lose what parts them: km_s is not km s.
    if len(below) > 1 and max(map(len, below)) > 1 and all(map(str.isalpha, below)):
        index = rf"\mathrm{{{_AND.join(below)}}}"
    return _letters(base) + (f"_{{{index}}}" if below else "")


def _letters(word: str) -> str:
    for end in ("ddot", "dot"):
        stem = word.removesuffix(end)
        if stem != word and (len(stem) == 1 or stem in _GREEK):
            return rf"\{end}{{{_letters(stem)}}}"
    if word in _GREEK:
        return tex_greek_dictionary.get(word, rf"\{word}")
    return word if len(word) < 2 or word.isdigit() else rf"\mathrm{{{word}}}"


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
