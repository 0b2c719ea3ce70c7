"""Formulas from one chart of the coordinates into another, exactly.

What analysis finds in coordinates x′ of a `Frame` is a formula in the user's x: x′ = (x − c) / σ is
put in with exact numbers, and the powers of ten come before the terms.
"""

from __future__ import annotations

import sympy
from sympy.core.function import AppliedUndef

from discovery.data.coordinates import field_of
from discovery.data.frame import Frame


def outside(expression: sympy.Expr, names: tuple[str, ...], frame: Frame) -> sympy.Expr:
    """Return a formula in x′ as one in x.

    Parameters
    ----------
    expression : sympy.Expr
        In coordinates, or in fields u(x) and their derivatives.
    names : tuple of d str
        The coordinates, in the frame's order.
    frame : Frame
    """
    charts = {
        name: (sympy.Rational(c), _unit(frame, i))
        for i, (name, c) in enumerate(zip(names, frame.centre, strict=True))
    }
    fields = {field_of(name): chart for name, chart in charts.items()}
    old: dict[sympy.Basic, sympy.Expr] = {}
    for symbol in expression.atoms(sympy.Symbol):
        if symbol.name in charts:
            centre, unit = charts[symbol.name]
            old[symbol] = (symbol - centre) / unit
    for function in expression.atoms(AppliedUndef):
        if str(function.func) in fields:
            old[function] = function / fields[str(function.func)][1]
    for indexed in expression.atoms(sympy.Indexed):
        # x[i] of all bodies, which share their unit.
        centre, unit = fields[indexed.base.name]
        old[indexed] = (indexed - centre) / unit
    return expression.xreplace(old)


def inside(expression: sympy.Expr, symbols: tuple[sympy.Symbol, ...], frame: Frame) -> sympy.Expr:
    """Return a formula in x as one in x′.

    Parameters
    ----------
    expression : sympy.Expr
    symbols : tuple of d sympy.Symbol
        The coordinates, in the frame's order.
    frame : Frame
    """
    return expression.xreplace(
        {
            s: sympy.Rational(c) + _unit(frame, i) * s
            for i, (s, c) in enumerate(zip(symbols, frame.centre, strict=True))
        }
    )


def parted(term: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr]:
    """Return α, t and β of a term α t + β, t without factors before it.

    β is zero but for logarithms: log(x/10) is log(x) − log(10).
    """
    factor, rest = _parted(term)
    if isinstance(rest, sympy.log):
        inner, plain = _parted(rest.args[0])
        if inner.is_positive:
            return factor, sympy.log(plain), factor * sympy.log(inner)
    return factor, rest, sympy.Integer(0)


def _unit(frame: Frame, column: int) -> sympy.Expr:
    size = sympy.Rational(10) ** frame.exponent[column]
    if frame.turns and frame.turns[column]:
        size *= sympy.Rational(frame.turns[column]) / (2 * sympy.pi)
    return -size if frame.mirrored[column] else size


def _parted(e: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """Return a number and an expression whose product is e."""
    one = sympy.Integer(1)
    if e.is_Rational or e is sympy.pi:
        return e, one
    if isinstance(e, (sympy.Integral, sympy.Derivative, sympy.Sum)):
        factor, rest = _parted(e.args[0])
        return factor, e.func(rest, *e.args[1:])
    if e.is_Atom or isinstance(e, (AppliedUndef, sympy.Indexed)):
        return one, e
    if e.is_Mul:
        factors, rests = zip(*map(_parted, e.args), strict=True)
        return sympy.Mul(*factors), sympy.Mul(*rests)
    if e.is_Pow:
        factor, rest = _parted(e.base)
        power = abs(factor) ** e.exp
        exact = power.is_Rational or e.exp.is_Integer
        if e.exp.is_Rational and exact and (factor > 0 or e.exp.is_Integer):
            return factor**e.exp, rest**e.exp
        return one, (factor * rest) ** e.exp
    keep = {"evaluate": False} if isinstance(e, sympy.floor) else {}
    rebuilt = e.func(*(sympy.Mul(*_parted(a)) for a in e.args), **keep)
    if not rebuilt.is_Add:
        return one, rebuilt
    moved = _of_one_coordinate(rebuilt)
    if moved is not None:
        return moved, sympy.Add(*(a / moved for a in rebuilt.args))
    return rebuilt.primitive()


def _of_one_coordinate(e: sympy.Expr) -> sympy.Expr | None:
    """Return the factor a of a sum a x + b with a number b, or None."""
    numbers = [a for a in e.args if a.is_number]
    if len(e.args) != 2 or len(numbers) != 1:
        return None
    factor, rest = (e - numbers[0]).as_coeff_Mul()
    return factor if rest.is_Symbol and factor.is_Rational else None
