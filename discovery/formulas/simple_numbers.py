"""Simple numbers: what a measured coefficient most plausibly is, and formulas of such numbers.

Fractions of small denominators; where a coefficient is known well, fractions times √2, √3, π, or
times a power of a constant that the user names (a field strength, a coupling).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from numbers import Real

import numpy as np
import sympy

from discovery.criteria import FORMULAS
from discovery.formulas.parsing import FUNCTIONS

_DENOMINATORS = (1, 2, 3, 4, 5, 6, 8, 10, 12)
_LARGEST = 40
# A root, π or a constant stands beside a fraction of numbers no larger.
_SMALL = 4
_POWERS = (1, -1, 2, -2, sympy.Rational(1, 2), -sympy.Rational(1, 2))
# Numbers within this factor tell how close together numbers as simple lie.
_NEAR = 1.5
# Largest denominator of coefficients that are exact but for arithmetic rounding.
_EXACT_DENOMINATOR = 10
# Significant digits at most.
_DIGITS = 12


@dataclass(frozen=True)
class Numbers:
    """The numbers that coefficients are rounded to.

    Attributes
    ----------
    constants : tuple of (name, value)
        The user's.
    roots : bool
        Whether √2, √3 and π are among the numbers.
    """

    constants: tuple[tuple[str, float], ...] = ()
    roots: bool = True

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
            if not (isinstance(name, str) and name.isidentifier() and _is_size(value)):
                raise ValueError(
                    f"constants: received {name!r}: {str(value)[:40]}. Expected a name and a "
                    "positive number that a double holds, as do its square and inverse; leave the "
                    "sign to the formula."
                )
            if name in FUNCTIONS or name == "pi":
                raise ValueError(
                    f"constants: {name} is the name of a function or a number. Call the constant "
                    "by another name."
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
            (symbol**p, value ** float(p), FORMULAS.constant_cost * (1 + k / 2))
            for symbol, value in symbols
            for k, p in enumerate(_POWERS)
        ]
        pairs = [
            (a * b, u * v, s + t)
            for (a, u, s), (b, v, t) in itertools.combinations(powers, 2)
            if a.free_symbols != b.free_symbols
        ]
        for symbol, value, cost in sorted([*powers, *pairs], key=lambda f: f[2]):
            out.append(_Factor(value, cost, symbol, FORMULAS.constant_tolerance, _SMALL))
        cost, tolerance = FORMULAS.root_cost, FORMULAS.root_tolerance
        for number in (sympy.sqrt(2), sympy.sqrt(3), sympy.pi) if self.roots else ():
            out.append(_Factor(float(number), cost, number, tolerance, _SMALL))
        return out

    def simple(self, ratio: float, tolerance: float, interval: float = 0.0) -> tuple[float, float]:
        """Return the simplest number within a relative tolerance, and its complexity.

        The ratio itself, of infinite complexity, where there is none, and where numbers as simple
        lie so close together that one is in its interval by chance.

        Parameters
        ----------
        ratio : float
        tolerance : float
            Relative.
        interval : float
            Half the width of a measured ratio's interval, relative.
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
            if 2 * interval * (rivals - 1) / (2 * np.log(_NEAR)) > FORMULAS.numbers_by_chance:
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

    def simplest(
        self,
        vector: np.ndarray,
        widths: Mapping[int, np.ndarray],
        shares: Sequence[float],
        allowed: Callable[[np.ndarray], bool],
        measured: bool = False,
    ) -> np.ndarray | None:
        """Return a vector over one of its entries, rounded to simple numbers.

        Coarsely at first, and of all that are allowed then the simplest; None where none is.

        Parameters
        ----------
        vector : (s,) array
        widths : mapping from int to (s,) array
            Entries that may be the one that is scaled to one, and how far each entry over that one
            may be off, as a fraction of itself.
        shares : sequence of float
            Fractions of these widths, in turn.
        allowed : callable
            Tells whether a rounded vector will do.
        measured : bool
            Whether the widths are intervals, in which a number may lie by chance.

        Returns
        -------
        (s,) array or None
            Of the sign that `signed` gives.
        """
        for share in shares:
            trials = []
            for pivot, width in widths.items():
                known = width if measured else np.zeros(len(vector))
                pairs = [
                    self.simple(ratio, share * w, k)
                    for ratio, w, k in zip(vector / vector[pivot], width, known, strict=True)
                ]
                trials.append((sum(p[1] for p in pairs), tuple(p[0] for p in pairs)))
            for cost, values in sorted(trials):
                if np.isfinite(cost) and allowed(np.array(values)):
                    return signed(np.array(values))
        return None

    def shortest(
        self, ratios: np.ndarray, known: np.ndarray, allowed: Callable[[np.ndarray], bool]
    ) -> np.ndarray:
        """Round to as few digits as are known and allowed, to simple numbers where these fit.

        Parameters
        ----------
        ratios : (s,) array
        known : (s,) array
            How well each is known, as a fraction of itself; zero where nobody knows.
        allowed : callable
            Tells whether rounded ratios will do.

        Returns
        -------
        (s,) array
            Of the sign that `signed` gives.
        """
        known_digits = 1 - np.floor(np.log10(np.where(known > 0, known, FORMULAS.most_width)))
        for extra in range(_DIGITS - 1):
            values = np.empty(len(ratios))
            for i, digits in enumerate(np.maximum(known_digits, 2).astype(int) + extra):
                tolerance = max(10.0 ** (1 - digits), known[i])
                values[i], cost = self.simple(ratios[i], tolerance, known[i])
                if not np.isfinite(cost):
                    values[i] = in_digits(ratios[i], digits)
            if allowed(values):
                return signed(values)
        return signed(ratios)

    def symbolic(self, value: float) -> sympy.Expr:
        """Return a number that `simple` gave as SymPy writes it; any other with six digits."""
        for factor in self._factors:
            for p, q in factor.fractions(value):
                if abs(p * factor.value / q - value) <= 1e-12 * abs(value):
                    return sympy.Rational(p, q) * factor.symbol
        return sympy.Float(value, 6)


def _is_size(value: Real) -> bool:
    """Tell whether a value is a positive number of which powers can be taken."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    return 1e-100 <= value <= 1e100


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


# Fractions, roots and π; and fractions alone.
NUMBERS = Numbers()
FRACTIONS = Numbers(roots=False)


def signed(vector: np.ndarray) -> np.ndarray:
    """Choose the sign: more positive than negative terms, and of equals the first positive.

    So a rotation reads -y ∂x + x ∂y.
    """
    terms = vector[vector != 0]
    balance = np.sum(np.sign(terms))
    flip = balance < 0 or (balance == 0 and terms[0] < 0)
    return -vector if flip else vector


def in_digits(value: float, digits: int) -> float:
    """Return a number in so many significant digits."""
    return float(f"{value:.{digits - 1}e}")


def as_numbers(vector: np.ndarray) -> list[sympy.Expr]:
    """Return coefficients as SymPy numbers, fractions where they are exact ones."""
    out = []
    for c in vector:
        fraction = Fraction(float(c)).limit_denominator(_EXACT_DENOMINATOR)
        exact = abs(float(fraction) - c) <= 1e-12 * abs(c)
        out.append(sympy.Rational(fraction) if exact else sympy.Float(c, 6))
    return out
