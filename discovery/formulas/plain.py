"""Formulas for the user: their symbols carry no assumptions."""

from __future__ import annotations

import sympy


def plain(expression: sympy.Expr) -> sympy.Expr:
    """Return the same formula with symbols as ``sympy.Symbol("x")`` makes them.

    The engine's coordinates are real by assumption, which makes them other symbols to SymPy:
    ``subs({"x": 1})`` would leave them alone. What was not multiplied out stays so.

    Parameters
    ----------
    expression : sympy.Expr
    """
    if isinstance(expression, sympy.Dummy):
        return expression
    if expression.is_Symbol:
        return sympy.Symbol(expression.name)
    if not expression.args:
        return expression
    args = [plain(part) for part in expression.args]
    if isinstance(expression, sympy.floor):
        # SymPy would look for whole numbers in it for a long time.
        return expression.func(*args, evaluate=False)
    built = expression.func(*args)
    if built.func == expression.func and len(built.args) == len(args):
        return built
    return expression.func(*args, evaluate=False)
