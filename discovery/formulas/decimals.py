"""Numbers as books print them: 1/2 and 2/3, but 2.3 and 0.6.

A measured number is a decimal. A fraction stays one where books would print it, of small numbers
and with no factor 5 below, and where a decimal would not be the same number.
"""

from __future__ import annotations

import sympy

# The largest numbers above and below the line of a fraction in a book.
_LARGEST = 12
# Digits behind the point at most.
_DIGITS = 6
# Of a double: a decimal that is read again is the same number.
_DOUBLE = 15
# What is long in building, or has numbers of another kind inside.
_WHOLE = (sympy.Derivative, sympy.floor, sympy.Indexed)


def in_decimals(expression: sympy.Expr) -> sympy.Expr:
    """Return a formula with decimals for the fractions that no book prints, its order kept.

    Exponents stay, and so do numbers that are no products: the roots and logarithms of numbers.

    Parameters
    ----------
    expression : sympy.Expr
    """
    if expression.is_Rational:
        return _in_decimals(expression)
    alone = expression.is_number and not expression.is_Mul
    if alone or not expression.args or isinstance(expression, _WHOLE):
        return expression
    parts = list(expression.args)
    inside = 1 if expression.is_Pow or isinstance(expression, sympy.Integral | sympy.Sum) else None
    parts[:inside] = map(in_decimals, parts[:inside])
    if parts == list(expression.args):
        return expression
    keep = expression.is_Add or expression.is_Mul or expression.is_Pow
    return expression.func(*parts, evaluate=False) if keep else expression.func(*parts)


def _in_decimals(number: sympy.Rational) -> sympy.Expr:
    below = number.q
    booked = below % 5 and max(abs(number.p), below) <= _LARGEST
    if below == 1 or booked or 10**_DIGITS % below:
        return number
    return sympy.Float(number, _DOUBLE)
