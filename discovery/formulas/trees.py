"""Formulas as plain data, for files: exactly what they are, whatever their symbols are called.

A formula becomes nested lists that JSON holds: a whole number is itself, and all else a list that
begins with its kind, as in ``["Add", ["Pow", ["Symbol", "x"], 2], ["Rational", 1, 2]]``. Reading
makes only what is listed here; nothing is parsed as code or worked out, and sizes are bounded.
"""

from __future__ import annotations

import re
from typing import TypeAlias

import sympy
from sympy.core.function import AppliedUndef

from discovery.formulas.parsing import FUNCTIONS, MAX_DEPTH, MAX_DIGITS, MAX_EXPONENT

Tree: TypeAlias = "int | list[str | int | Tree]"

# What symbols are assumed to be.
_SYMBOLS = {"Symbol": {}, "Real": {"real": True}, "Positive": {"positive": True}}
_NUMBERS = {"pi": sympy.pi, "E": sympy.E}
_OPERATIONS = {"Add": sympy.Add, "Mul": sympy.Mul, "Pow": sympy.Pow}
# The functions that formulas hold, by the names of their classes.
_FUNCTIONS = {
    f.__name__: f
    for f in (*FUNCTIONS.values(), sympy.Min, sympy.Max, sympy.floor)
    if isinstance(f, type) and issubclass(f, sympy.Function)
}
_WORD = re.compile(r"[^\W\d]\w*")
# Bits of a number in a formula, digits of its precision, and names in characters: far more than
# any formula has, and few enough to compute with.
_MOST_BITS, _MOST_PRECISION, _LONGEST_NAME = 4 * MAX_DIGITS, 2000, 1000
# Directions in space that an integral may be over.
_MOST_VARIABLES = 3


def to_tree(expression: sympy.Expr) -> Tree:
    """Return a formula as nested lists.

    Parameters
    ----------
    expression : sympy.Expr
        In symbols, numbers, sums, products, powers and `parsing.FUNCTIONS`; of fields, undefined
        functions u(x), their derivatives and integrals; of many bodies, sums over an index.

    Raises
    ------
    ValueError
        For anything else.
    """
    if isinstance(expression, sympy.Integer):
        return int(expression)
    if isinstance(expression, sympy.Rational):
        return ["Rational", int(expression.p), int(expression.q)]
    if isinstance(expression, sympy.Float):
        sign, mantissa, exponent, _ = expression._mpf_
        return ["Float", -int(mantissa) if sign else int(mantissa), exponent, expression._prec]
    if isinstance(expression, sympy.Symbol):
        return [_kind_of(expression), expression.name]
    for name, number in _NUMBERS.items():
        if expression == number:
            return [name]
    if isinstance(expression, (sympy.Derivative, sympy.Integral)):
        return _of_fields(expression)
    if isinstance(expression, sympy.Sum):
        return ["Sum", to_tree(expression.function), *(_of_range(r) for r in expression.limits)]
    if isinstance(expression, sympy.Indexed):
        return ["Indexed", expression.base.name, *map(to_tree, expression.indices)]
    if isinstance(expression, AppliedUndef):
        return ["Function", expression.func.__name__, *map(to_tree, expression.args)]
    name = type(expression).__name__
    if _OPERATIONS.get(name, _FUNCTIONS.get(name)) is not type(expression):
        raise ValueError(f"{str(expression)[:60]} cannot be stored: {name} is no part of formulas.")
    return [name, *map(to_tree, expression.args)]


def from_tree(tree: Tree, *, fields: bool = False) -> sympy.Expr:
    """Return the formula that `to_tree` gave.

    Parameters
    ----------
    tree : int or list
    fields : bool
        Whether undefined functions, derivatives, integrals and sums over an index may stand in it.
        Nothing that is to be compiled may hold them.

    Raises
    ------
    ValueError
        For what is no formula, or a larger one than any that is found.
    """
    return _made(tree, fields, 0)


def _kind_of(symbol: sympy.Symbol) -> str:
    for kind, assumed in _SYMBOLS.items():
        if type(symbol) is sympy.Symbol and sympy.Symbol(symbol.name, **assumed) == symbol:
            return kind
    raise ValueError(f"the symbol {symbol} cannot be stored: what is assumed of it is not known.")


def _of_fields(expression: sympy.Derivative | sympy.Integral) -> Tree:
    tree = to_tree(expression.args[0])
    if isinstance(expression, sympy.Integral):
        if any(len(limit) > 1 for limit in expression.limits):
            raise ValueError(f"{str(expression)[:60]} cannot be stored: it has limits.")
        return ["Integral", tree, *map(to_tree, expression.variables)]
    for variable, order in expression.variable_count:
        tree = ["Derivative", tree, to_tree(variable), to_tree(order)]
    return tree


def _of_range(limit: sympy.Tuple) -> Tree:
    return [limit[0].name, *map(to_tree, limit[1:])]


def _made(tree: Tree, fields: bool, depth: int) -> sympy.Expr:
    if depth > MAX_DEPTH:
        raise ValueError("a formula is nested too deeply.")
    if _is_whole(tree):
        return sympy.Integer(_bounded(tree))
    match tree:
        case [str(name)] if name in _NUMBERS:
            return _NUMBERS[name]
        case ["Rational", p, q] if _is_whole(p, q) and q > 0:
            return sympy.Rational(_bounded(p), _bounded(q))
        case ["Float", mantissa, exponent, precision] if _is_whole(mantissa, exponent, precision):
            return _float(mantissa, exponent, precision)
        case [str(kind), str(name)] if kind in _SYMBOLS and 0 < len(name) <= _LONGEST_NAME:
            return sympy.Symbol(name, **_SYMBOLS[kind])
        case ["Function", str(name), *parts] if fields and parts and _WORD.fullmatch(name):
            return sympy.Function(name)(*(_made(part, fields, depth + 1) for part in parts))
        case ["Sum", inner, *ranges] if fields and ranges:
            limits = [_range(of, depth + 1) for of in ranges]
            return sympy.Sum(_made(inner, fields, depth + 1), *limits)
        case ["Indexed", str(name), *places] if fields and places and _WORD.fullmatch(name):
            return sympy.IndexedBase(name)[tuple(_made(at, False, depth + 1) for at in places)]
        case ["Integral", inner, _, *_] if fields and len(tree) < 3 + _MOST_VARIABLES:
            variables = [_made(part, False, depth + 1) for part in tree[2:]]
            if not all(isinstance(variable, sympy.Symbol) for variable in variables):
                raise ValueError("an integral is over no variable.")
            return sympy.Integral(_made(inner, fields, depth + 1), *variables)
        case ["Derivative", inner, ["Symbol", str(name)], order] if fields and _is_whole(order):
            if not 0 < order <= MAX_EXPONENT:
                raise ValueError("a derivative is of too high an order.")
            field = _made(inner, fields, depth + 1)
            known = field.expr if isinstance(field, sympy.Derivative) else field
            if not isinstance(known, AppliedUndef):
                raise ValueError("a derivative is of no field.")
            return sympy.Derivative(field, (sympy.Symbol(name), order))
        case ["Pow", base, exponent]:
            return _power(_made(base, fields, depth + 1), _made(exponent, fields, depth + 1))
        case ["Add" | "Mul" as name, _, _, *_]:
            parts = [_made(part, fields, depth + 1) for part in tree[1:]]
            return _OPERATIONS[name](*parts, evaluate=False)
        case [str(name), *parts] if name in _FUNCTIONS and 0 < len(parts) <= 2:
            made = [_made(part, fields, depth + 1) for part in parts]
            return _FUNCTIONS[name](*made, evaluate=False)
    raise ValueError(f"{str(tree)[:60]} is no part of a formula.")


def _range(tree: Tree, depth: int) -> tuple[sympy.Expr, ...]:
    match tree:
        case [str(name), first, last] if _WORD.fullmatch(name):
            return sympy.Symbol(name), _made(first, False, depth), _made(last, False, depth)
    raise ValueError(f"{str(tree)[:60]} is no range of an index.")


def _power(base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
    # Numbers to the power of numbers are worked out when the formula is used.
    if base.is_number and not (exponent.is_Rational and abs(exponent) <= MAX_EXPONENT):
        raise ValueError("a number to a power that is none, or too large.")
    if exponent.is_number and not (exponent.is_Number and abs(exponent) <= MAX_EXPONENT):
        raise ValueError("a power is too large.")
    return sympy.Pow(base, exponent, evaluate=False)


def _float(mantissa: int, exponent: int, precision: int) -> sympy.Float:
    if not (0 < precision <= _MOST_PRECISION and abs(exponent) <= _MOST_BITS):
        raise ValueError("a number is out of bounds.")
    if not mantissa:
        return sympy.Float(0.0, precision=precision)
    parts = (int(mantissa < 0), abs(_bounded(mantissa)), exponent)
    return sympy.Float(parts, precision=precision)


def _is_whole(*values: Tree) -> bool:
    return all(isinstance(value, int) and not isinstance(value, bool) for value in values)


def _bounded(value: int) -> int:
    if value.bit_length() > _MOST_BITS:
        raise ValueError("a number has too many digits.")
    return value
