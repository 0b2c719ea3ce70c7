"""The order in which books write a formula: kinetic terms first, x v − y u, differences as x1 − x2.

SymPy sorts terms itself. What is returned here is the same formula, not evaluated, for printers
that are told to keep the order (``order="none"``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import sympy
from mpmath.libmp import prec_to_dps
from sympy.core.function import AppliedUndef

# What has an order of its own.
_WHOLE = (AppliedUndef, sympy.Derivative, sympy.Sum)
# Places of what has no degree: roots and functions, and sums of integrals, come last.
_LAST = 99


def arranged(
    expression: sympy.Expr, names: Sequence[str], momenta: Sequence[str] = ()
) -> sympy.Expr:
    """Return a formula with its terms and factors in the order of books.

    Terms of high degree in the momenta first, then polynomials by degree, positive terms before
    negative ones, and coordinates in the order of the data; in a product the number, positions,
    momenta, and then the rest.

    Parameters
    ----------
    expression : sympy.Expr
    names : sequence of str
        Of the coordinates, in the data's order.
    momenta : sequence of str
        Those of them that are momenta or velocities.
    """
    order = _Order({name: i for i, name in enumerate(names)}, frozenset(momenta))
    return order.arranged(_grouped(expression))


def _grouped(expression: sympy.Expr) -> sympy.Expr:
    """Return a sum in which a sum that several terms have as a factor stands once."""
    groups: dict[sympy.Expr, list[sympy.Expr]] = {}
    for term in sympy.Add.make_args(expression):
        sums = [factor for factor in sympy.Mul.make_args(term) if factor.is_Add]
        groups.setdefault(sums[0] if len(sums) == 1 else term, []).append(term)
    if all(len(terms) == 1 for terms in groups.values()):
        return expression
    parts = [
        terms[0] if len(terms) == 1 else _product(factor, terms) for factor, terms in groups.items()
    ]
    return sympy.Add(*parts, evaluate=False) if len(parts) > 1 else parts[0]


def _product(factor: sympy.Expr, terms: Sequence[sympy.Expr]) -> sympy.Expr:
    """Return a factor times the rest of these terms, with the number or sign that they share.

    SymPy would multiply that number in.
    """
    numbers, rests = zip(*((term / factor).as_coeff_Mul() for term in terms), strict=True)
    shared = sympy.Integer(-1 if all(number.is_negative for number in numbers) else 1)
    own = [number * shared for number in numbers]
    if len(set(numbers)) == 1:
        shared, own = numbers[0], [sympy.S.One] * len(rests)
    rest = sympy.Add(*map(sympy.Mul, own, rests))
    return sympy.Mul(*([] if shared == 1 else [shared]), rest, factor, evaluate=False)


class _Order:
    def __init__(self, place: dict[str, int], momenta: frozenset[str]) -> None:
        self.place, self.momenta = place, momenta

    def arranged(self, e: sympy.Expr) -> sympy.Expr:
        if not e.args or e.is_number or isinstance(e, _WHOLE):
            return e
        if isinstance(e, sympy.Integral):
            return e.func(self.arranged(e.function), *e.limits)
        parts = list(e.args)
        if e.is_Add or e.is_Mul:
            parts.sort(key=self._of_term if e.is_Add else self._of_factor)
        if e.is_Mul:
            parts = map(_without_zeros, _in_one_number(parts))
            parts = [p for p in parts if p is not sympy.S.One]
            if len(parts) < 2:
                return self.arranged(parts[0]) if parts else sympy.S.One
        return e.func(*map(self.arranged, parts), evaluate=False)

    def _columns(self, e: sympy.Basic) -> list[int]:
        return sorted(self.place.get(s.name, _LAST) for s in e.free_symbols)

    def _of_term(self, term: sympy.Expr) -> tuple:
        number, rest = term.as_coeff_Mul()
        moving, degree = 0, 0
        for factor in sympy.Mul.make_args(rest):
            base, power = factor.as_base_exp()
            whole = power.is_Integer and power > 0
            if factor.is_number:
                continue
            if whole and _is_coordinate(base):
                degree += int(power)
                moving += int(power) if str(base) in self.momenta else 0
            elif whole and base.is_Add and base.is_polynomial():
                own = int(power) * sympy.total_degree(base)
                degree += own
                moving += own if {s.name for s in base.free_symbols} <= self.momenta else 0
            else:
                degree += _LAST
                moving += _LAST if any(s.name in self.momenta for s in factor.free_symbols) else 0
        return -moving, degree, number.is_negative is True, self._columns(rest), str(rest)

    def _of_factor(self, factor: sympy.Expr) -> tuple:
        base = factor.as_base_exp()[0]
        if base.is_number:
            return 0, [], ""
        if not _is_coordinate(base):
            return 3, self._columns(base), str(base)
        return 2 if str(base) in self.momenta else 1, self._columns(base), str(base)


def _in_one_number(factors: Sequence[sympy.Expr]) -> list[sympy.Expr]:
    """Return factors with their measured numbers as one, in the digits of the least known."""
    measured = [factor for factor in factors if factor.is_Float]
    if len(measured) < 2:
        return list(factors)
    digits = min(prec_to_dps(number._prec) for number in measured)
    number = sympy.Float(math.prod(map(float, measured)), digits)
    return [number, *(factor for factor in factors if not factor.is_Float)]


def _without_zeros(e: sympy.Expr) -> sympy.Expr:
    """Return a measured number that is ±1 in all its digits as ±1."""
    text = sympy.sstr(e, full_prec=False) if e.is_Float else ""
    return sympy.Integer(text[:-2]) if text in ("1.0", "-1.0") else e


def _is_coordinate(e: sympy.Expr) -> bool:
    return e.is_Symbol or isinstance(e, AppliedUndef)


def exchanged(expression: sympy.Expr, new: Mapping[sympy.Basic, sympy.Basic]) -> sympy.Expr:
    """Return a formula with parts exchanged for others, its order kept.

    Parameters
    ----------
    expression : sympy.Expr
        What `arranged` returned.
    new : mapping from part to part
    """
    if expression in new:
        return new[expression]
    if not expression.args:
        return expression
    parts = [exchanged(part, new) for part in expression.args]
    if all(one is other for one, other in zip(parts, expression.args, strict=True)):
        return expression
    keep = (
        {"evaluate": False} if expression.is_Add or expression.is_Mul or expression.is_Pow else {}
    )
    return expression.func(*parts, **keep)
