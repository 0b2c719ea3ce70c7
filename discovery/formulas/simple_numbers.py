"""Simple numbers: what a measured coefficient most plausibly is.

Fractions of small denominators; where a coefficient is known well, fractions times √2, √3, π, or
times a power of a constant that the user names (a field strength, a coupling).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from numbers import Real

import numpy as np
import sympy

_DENOMINATORS = (1, 2, 3, 4, 5, 6, 8, 10, 12)
_LARGEST = 40
# A root or π may stand for a coefficient that is known at least this well, times a fraction of
# numbers no larger: there are so many multiples that one is always near.
_WELL_KNOWN = 3e-3
_SMALL = 4
# What a factor costs beside numerator and denominator.
_COST = {"constant": 1.0, "number": 6.0}
_POWERS = (1, -1, 2, -2, sympy.Rational(1, 2), -sympy.Rational(1, 2))
# Numbers within this factor tell how close together numbers as simple lie, and how many may be
# expected in the interval of a coefficient by chance.
_NEAR = 1.5
_CHANCE = 0.5
# Up to which tolerance a constant may stand for a coefficient.
_CONSTANT = 0.02


@dataclass(frozen=True)
class Numbers:
    """The numbers that coefficients are rounded to.

    Attributes
    ----------
    constants : tuple of (name, value)
        The user's.
    """

    constants: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of(cls, constants: Mapping[str, float] | None, coordinates: Sequence[str] = ()) -> Numbers:
        """Check a user's constants, whose names must not be those of coordinates.

        Raises
        ------
        ValueError
            For what is no mapping from names to positive numbers, and for a coordinate's name.
        """
        if constants is None:
            return cls()
        if not isinstance(constants, Mapping):
            raise ValueError(
                f"constants: expected names and values, as {{'g': 9.81}}, received {constants!r}."
            )
        for name, value in constants.items():
            good = isinstance(value, Real) and np.isfinite(value) and value > 0
            if not (isinstance(name, str) and name.isidentifier() and good):
                raise ValueError(
                    f"constants: received {name!r}: {value!r}. Expected a name and a positive "
                    "number; leave the sign to the formula."
                )
        if taken := sorted(set(constants) & set(coordinates)):
            raise ValueError(
                f"constants: {', '.join(taken)} is the name of a coordinate too. Call the constant "
                "by another name."
            )
        return cls(tuple((name, float(value)) for name, value in constants.items()))

    def numeric(self, expression: sympy.Expr) -> sympy.Expr:
        """Put the constants' values in."""
        return expression.subs({sympy.Symbol(n, positive=True): v for n, v in self.constants})

    @cached_property
    def _factors(self) -> list[_Factor]:
        """What fractions may be multiplied by, the simplest first."""
        out = [_Factor(1.0, 0.0, sympy.Integer(1), np.inf, _LARGEST)]
        symbols = [(sympy.Symbol(name, positive=True), value) for name, value in self.constants]
        powers = [
            (symbol**p, value ** float(p), _COST["constant"] * (1 + k / 2))
            for symbol, value in symbols
            for k, p in enumerate(_POWERS)
        ]
        pairs = [
            (a * b, u * v, s + t)
            for (a, u, s), (b, v, t) in itertools.combinations(powers, 2)
            if a.free_symbols != b.free_symbols
        ]
        for symbol, value, cost in sorted([*powers, *pairs], key=lambda f: f[2]):
            out.append(_Factor(value, cost, symbol, _CONSTANT, _SMALL))
        for number in (sympy.sqrt(2), sympy.sqrt(3), sympy.pi):
            out.append(_Factor(float(number), _COST["number"], number, _WELL_KNOWN, _SMALL))
        return out

    def simple(self, ratio: float, tolerance: float, interval: float = 0.0) -> tuple[float, float]:
        """Return the simplest number within a relative tolerance, and its complexity.

        The ratio itself, of infinite complexity, where there is none, and where numbers as simple
        lie so close together that one is in its interval (half its width, relative) by chance.
        """
        values, costs, tolerances = self._table
        size, tolerated = abs(ratio), max(tolerance, interval)
        low, high = np.searchsorted(values, [size * (1 - tolerance), size * (1 + tolerance)])
        cost = np.where(tolerances[low:high] >= tolerated, costs[low:high], np.inf)
        if not len(cost) or not np.isfinite(cost.min()):
            return ratio, np.inf
        best = int(np.argmin(cost))
        if interval:
            near = slice(*np.searchsorted(values, [size / _NEAR, size * _NEAR]))
            rivals = np.sum((costs[near] <= cost[best]) & (tolerances[near] >= tolerated))
            # Per unit of the logarithm, since the interval is relative.
            if 2 * interval * (rivals - 1) / (2 * np.log(_NEAR)) > _CHANCE:
                return ratio, np.inf
        return float(np.copysign(values[low + best], ratio)), float(cost[best])

    @cached_property
    def _table(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Every simple number, ascending, with its cost and the tolerance that it asks for."""
        rows = [
            (p * factor.value / q, p + q + factor.cost, factor.tolerance)
            for factor in self._factors
            for q in _DENOMINATORS
            for p in range(1, factor.largest + 1)
            if max(p, q) <= factor.largest and math.gcd(p, q) == 1
        ]
        return tuple(np.array(column) for column in zip(*sorted(rows), strict=True))

    def symbolic(self, value: float) -> sympy.Expr:
        """Return a number that `simple` gave as SymPy writes it; any other with six digits."""
        for factor in self._factors:
            for p, q in factor.fractions(value):
                if abs(p * factor.value / q - value) <= 1e-12 * abs(value):
                    return sympy.Rational(p, q) * factor.symbol
        return sympy.Float(value, 6)


@dataclass(frozen=True)
class _Factor:
    """A number that fractions of numbers up to `largest` may be multiplied by."""

    value: float
    cost: float
    symbol: sympy.Expr
    tolerance: float
    largest: int

    def fractions(self, ratio: float) -> Iterator[tuple[int, int]]:
        """Yield p and q of the fractions nearest to the ratio in units of the number."""
        for q in _DENOMINATORS:
            p = round(ratio / self.value * q)
            if p and max(abs(p), q) <= self.largest:
                yield p, q


# Fractions, roots and π.
NUMBERS = Numbers()


# Denominators of coefficients that are known to rounding.
_FEWER = (1, 2, 3, 4, 5, 6, 8, 10)


def _simple(ratio: float, tolerance: float) -> tuple[float, float]:
    """Return the simplest fraction within a relative tolerance, and its complexity."""
    for q in _FEWER:
        p = round(ratio * q)
        if p and abs(p) <= 30 and abs(p / q - ratio) <= tolerance * abs(ratio):
            return p / q, abs(p) + q
    return ratio, np.inf


def _signed(vector: np.ndarray) -> np.ndarray:
    """Choose the sign: more positive than negative terms, and of equals the first positive.

    So a rotation reads -y ∂x + x ∂y.
    """
    terms = vector[vector != 0]
    balance = np.sum(np.sign(terms))
    flip = balance < 0 or (balance == 0 and terms[0] < 0)
    return -vector if flip else vector


def as_numbers(vector: np.ndarray) -> list[sympy.Expr]:
    """Return coefficients as SymPy numbers, fractions where they are simple ones."""
    out = []
    for c in vector:
        fraction = Fraction(float(c)).limit_denominator(_FEWER[-1])
        exact = abs(float(fraction) - c) <= 1e-12 * abs(c)
        out.append(sympy.Rational(fraction) if exact else sympy.Float(c, 6))
    return out
