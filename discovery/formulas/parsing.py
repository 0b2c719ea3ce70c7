"""Formulas that users write, as text or as SymPy objects: parsed, never run.

`sympy.sympify` hands text to Python's `eval`. Here the text becomes Python's syntax tree, and only
what is listed is taken from it: numbers, the names of coordinates, + − * / **, and `FUNCTIONS`.
Sizes are bounded, so that no short text asks for an endless computation.
"""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from numbers import Real

import sympy
from sympy.core.function import AppliedUndef

FUNCTIONS = {
    **{
        name: getattr(sympy, name)
        for name in (
            *("sqrt", "cbrt", "exp", "log", "ln", "Abs", "sign", "erf"),
            *("sin", "cos", "tan", "cot", "sec", "csc", "asin", "acos", "atan", "atan2", "acot"),
            *("sinh", "cosh", "tanh", "coth", "sech", "csch", "asinh", "acosh", "atanh"),
        )
    },
    "abs": sympy.Abs,
}
CONSTANTS = {"pi": sympy.pi, "E": sympy.E}
# Characters and nodes of a formula's syntax tree, levels of it, and the largest exponent: beyond
# what anyone writes by hand, far below what takes long.
MAX_LENGTH = 5000
MAX_NODES = 2000
MAX_DEPTH = 60
MAX_EXPONENT = 64
# Numbers stay within what a double can hold.
MAX_DIGITS = 300

_OPERATORS = {
    ast.Add: sympy.Add,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: sympy.Mul,
    ast.Div: lambda a, b: a / b,
}


def parse_formula(
    given: str | Real | sympy.Expr,
    symbols: Mapping[str, sympy.Expr] | Iterable[sympy.Symbol],
    what: str = "formula",
) -> sympy.Expr:
    """Return what a user gave as a SymPy expression in the given symbols.

    Parameters
    ----------
    given : str, real number or sympy.Expr
        Text is read in Python's notation; ``^`` is a power too, and a name that is no plain word
        may stand in quotation marks, as reports print it: ``'x-y'**2``. A SymPy expression is
        taken as it is, its symbols matched by name.
    symbols : iterable of sympy.Symbol, or mapping from name to expression
        What its names may mean. They come before the names of `FUNCTIONS` and `CONSTANTS`.
    what : str
        How errors call it: the argument's name.

    Raises
    ------
    ValueError
        For text that is no formula, unknown names and functions, formulas that are too large, and
        those that are not finite or not real.
    """
    by_name = symbols if isinstance(symbols, Mapping) else {str(s): s for s in symbols}
    try:
        if isinstance(given, str):
            out = _Reader(by_name).read(given)
        elif isinstance(given, sympy.Expr):
            named = {s: by_name[str(s)] for s in given.free_symbols if str(s) in by_name}
            out = given.xreplace(named)
            _check_names(out, by_name)
        elif isinstance(given, Real) and not isinstance(given, bool):
            out = sympy.sympify(given)
        else:
            raise _Refused(f"it is of type {type(given).__name__}")
        _check_size(out)
    except _Refused as refusal:
        shown = repr(given)
        shown = shown if len(shown) <= 80 else f"{shown[:77]}…"
        names = ", ".join(by_name) if len(by_name) <= 12 else "the names that are known"
        raise ValueError(
            f"{what}: {shown} is not understood: {refusal}. Expected a formula in {names} with "
            "numbers, + - * / ** and functions such as sqrt, exp, log, sin, cos."
        ) from None
    return out


class _Refused(Exception):
    """Why a formula is not taken."""


class _Reader:
    """Reads one text: each node of the syntax tree by a method of its kind, or not at all."""

    def __init__(self, symbols: Mapping[str, sympy.Expr]) -> None:
        odd = [name for name in symbols if not _is_word(name)]
        self.odd = {name: symbols[name] for name in sorted(odd, key=len, reverse=True)}
        self.known = {name: symbol for name, symbol in symbols.items() if _is_word(name)}

    def read(self, text: str) -> sympy.Expr:
        if len(text) > MAX_LENGTH:
            raise _Refused(f"it has {len(text)} characters, and at most {MAX_LENGTH} are read")
        try:
            tree = ast.parse(self._as_python(text), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise _Refused(f"it is no formula ({getattr(error, 'msg', error)})") from None
        count = sum(1 for _ in ast.walk(tree))
        if count > MAX_NODES:
            raise _Refused(f"it has {count} parts, and at most {MAX_NODES} are read")
        try:
            return self._value(tree)
        except RecursionError:
            raise _Refused("it is nested too deeply") from None

    def _as_python(self, text: str) -> str:
        """Return the text with ** for ^, and words for names that Python's grammar has not."""
        words = set(self.known)
        for k, (name, symbol) in enumerate(self.odd.items()):
            word = f"_name_{k}_"
            while word in text or word in self.known:
                word = f"_{word}"
            self.known[word] = symbol
            text = re.sub(rf"(['\"]){re.escape(name)}\1", word, text)
            bare = rf"(?<!\w){re.escape(name)}(?!\w)"
            if not _can_be_read(name) or not re.search(bare, text):
                continue
            if _is_formula(name, words):
                raise _Refused(
                    f"{name} is a name, and a formula of others; write '{name}' in quotation marks "
                    "for the first, and give it another name for the second"
                )
            text = re.sub(bare, word, text)
        return text.strip().replace("^", "**")

    def _value(self, node: ast.expr) -> sympy.Expr:
        value = self._part(node)
        # Before anything is made of it: what SymPy works out of a huge number may never end.
        if value.is_number:
            _check_number(value)
        return value

    def _part(self, node: ast.expr) -> sympy.Expr:
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return _number(value)
            case ast.Name(id=name):
                return self._named(name)
            case ast.UnaryOp(op=ast.USub(), operand=part):
                return -self._value(part)
            case ast.UnaryOp(op=ast.UAdd(), operand=part):
                return self._value(part)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return _power(self._value(left), self._value(right))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return _OPERATORS[type(op)](self._value(left), self._value(right))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._called(name, [self._value(a) for a in args])
        raise _Refused(f"{ast.unparse(node)[:40]!r} is no part of a formula")

    def _named(self, name: str) -> sympy.Expr:
        if name in self.known:
            return self.known[name]
        if name in CONSTANTS:
            return CONSTANTS[name]
        raise _Refused(f"{name!r} is unknown")

    def _called(self, name: str, args: list[sympy.Expr]) -> sympy.Expr:
        if name in self.known or name not in FUNCTIONS:
            raise _Refused(f"{name!r} is no function that is known")
        try:
            return FUNCTIONS[name](*args)
        except (TypeError, ValueError) as error:
            raise _Refused(f"{name} of {len(args)} arguments ({error})") from None


def _number(value: float) -> sympy.Expr:
    if isinstance(value, int) and value.bit_length() > MAX_DIGITS * 10 // 3:
        raise _Refused(f"a number has more than {MAX_DIGITS} digits")
    return sympy.Integer(value) if isinstance(value, int) else sympy.Float(value)


def _power(base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
    # Before SymPy sees it: it works powers of numbers out at once.
    _check_exponent(exponent)
    if base.is_Rational and exponent.is_Rational:
        digits = max(len(str(abs(base.p))), len(str(base.q))) * float(abs(exponent))
        if digits > MAX_DIGITS:
            raise _Refused(f"a number has more than {MAX_DIGITS} digits")
    return base**exponent


def _check_names(expression: sympy.Expr, known: Mapping[str, sympy.Expr]) -> None:
    unknown = sorted(str(s) for s in expression.free_symbols if str(s) not in known)
    unknown += sorted(str(f.func) for f in expression.atoms(AppliedUndef))
    if unknown:
        raise _Refused(f"{', '.join(map(repr, unknown))} is unknown")


def _check_size(expression: sympy.Expr) -> None:
    if _depth(expression) > MAX_DEPTH:
        raise _Refused("it is nested too deeply")
    # Parts come before what is made of them.
    for part in sympy.postorder_traversal(expression):
        if part.is_number:
            _check_number(part)
        if part.is_Pow:
            _check_exponent(part.exp)


def _check_number(number: sympy.Expr) -> None:
    """Refuse what is no real number of a double's range."""
    if number.has(sympy.zoo, sympy.oo, -sympy.oo, sympy.nan):
        raise _Refused("it is not finite")
    if number.has(sympy.I) or number.is_real is False:
        raise _Refused("it is not real")
    if number.is_Rational and max(abs(number.p), number.q).bit_length() > MAX_DIGITS * 10 // 3:
        raise _Refused(f"a number has more than {MAX_DIGITS} digits")
    try:
        value = number.evalf(15)
        finite = value.is_Float and abs(value) < sympy.Float(10) ** MAX_DIGITS
        finite = finite or bool(value.is_zero)
    except (OverflowError, TypeError, ValueError):
        finite = False
    if not finite:
        raise _Refused(f"a number in it is larger than 1e{MAX_DIGITS}, or none")


def _check_exponent(exponent: sympy.Expr) -> None:
    if exponent.is_number and abs(float(exponent)) > MAX_EXPONENT:
        raise _Refused(f"exponents are at most {MAX_EXPONENT}")


def _is_word(name: str) -> bool:
    """Tell whether Python's grammar reads a name as this name, and as nothing else."""
    same = unicodedata.normalize("NFKC", name) == name
    return same and name.isidentifier() and not keyword.iskeyword(name)


def _can_be_read(name: str) -> bool:
    """Tell whether a name can be told from numbers and operators in a text."""
    try:
        float(name)
    except ValueError:
        return any(c.isalpha() for c in name)
    return False


def _is_formula(name: str, words: Collection[str]) -> bool:
    """Tell whether a name reads as a formula of others, such as x**2 beside x."""
    try:
        tree = ast.parse(name.strip().replace("^", "**"), mode="eval")
    except (SyntaxError, ValueError):
        return False
    used = [part.id for part in ast.walk(tree) if isinstance(part, ast.Name)]
    return not isinstance(tree.body, ast.Name) and all(word in words for word in used)


def _depth(expression: sympy.Basic) -> int:
    """Return the number of levels of an expression, without recursion."""
    deepest, level = 0, [expression]
    while level and deepest <= MAX_DEPTH:
        deepest += 1
        level = [a for e in level for a in e.args]
    return deepest
