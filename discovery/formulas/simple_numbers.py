"""Simple numbers: what a measured coefficient most plausibly is, and formulas of such numbers.

A number costs the bits that it takes to say it: those of numerator and denominator, or of a
decimal's digits and the place of its point; a factor √2, √3 or π, or a power of a constant that
the user names (a field strength, a coupling), costs more. Of the numbers in a coefficient's
interval the cheapest is taken that an arbitrary coefficient would hardly lie so near to.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from numbers import Real
from typing import TypeAlias

import numpy as np
import sympy

from discovery.criteria import FORMULAS
from discovery.formulas.parsing import FUNCTIONS

_DENOMINATORS = (1, 2, 3, 4, 5, 6, 8, 10, 12)
_LARGEST = 40
# A root, π or a constant stands beside a fraction of numbers no larger.
_SMALL = 4
# Digits of a decimal below this, times ten to one of these powers.
_DIGITS_BELOW, _TENS = 100, range(-3, 3)
_POWERS = (1, -1, 2, -2, sympy.Rational(1, 2), -sympy.Rational(1, 2))
# Numbers within this factor tell how close together numbers as simple lie.
_NEAR = 1.5
# Largest denominator of coefficients that are exact but for arithmetic rounding.
_EXACT_DENOMINATOR = 10
# Significant digits at most.
DIGITS = 12
# Fractions of its width that a number is rounded within, in turn: the widest that the data allow.
SHARES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 5e-4, 1e-4, 1e-5)
# How often an interval holds what rounding a number to digits may move it: two digits of its error.
_ROUNDED = 10
# Returns numbers (s,) of which some (s,) bool are fixed and the others are fitted beside them.
Refit: TypeAlias = Callable[[np.ndarray, np.ndarray], np.ndarray]
# Numbers closer than this, relative, are one.
_SAME = 1e-12


@dataclass(frozen=True)
class Numbers:
    """The numbers that coefficients are rounded to.

    Attributes
    ----------
    constants : tuple of (name, value)
        The user's.
    fractions_alone : bool
        Whether decimals, √2, √3 and π are none of the numbers.
    """

    constants: tuple[tuple[str, float], ...] = ()
    fractions_alone: bool = False

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
        """What fractions may be multiplied by, the cheapest first.

        To name one constant of a list takes the bits of its place there.
        """
        out = [_Factor(1.0, 0.0, sympy.Integer(1), _LARGEST)]
        symbols = [(sympy.Symbol(name, positive=True), value) for name, value in self.constants]
        powers = [
            (symbol**p, value ** float(p), k)
            for symbol, value in symbols
            for k, p in enumerate(_POWERS)
        ]
        pairs = [
            (a * b, u * v, s + t + 2)
            for (a, u, s), (b, v, t) in itertools.combinations(powers, 2)
            if a.free_symbols != b.free_symbols
        ]
        ranked = sorted([*powers, *pairs], key=lambda f: f[2])
        for place, (symbol, value, _) in enumerate(ranked, 1):
            out.append(_Factor(value, bits(place), symbol, _SMALL))
        roots = () if self.fractions_alone else (sympy.sqrt(2), sympy.sqrt(3), sympy.pi)
        out += [_Factor(float(n), FORMULAS.root_bits, n, _SMALL) for n in roots]
        return out

    def simple(self, ratio: float, tolerance: float, interval: float = 0.0) -> tuple[float, float]:
        """Return the cheapest number within a relative tolerance, and its price in bits.

        The ratio itself, of infinite price, where there is none, and where it may as well be an
        arbitrary number; see `_odds`.

        Parameters
        ----------
        ratio : float
        tolerance : float
            Relative.
        interval : float
            Half the width of a measured ratio's interval, relative.
        """
        values, prices = self._simple(*np.atleast_1d(ratio, tolerance, interval))
        return float(values[0]), float(prices[0])

    def _simple(
        self, ratios: np.ndarray, tolerances: np.ndarray, intervals: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what `simple` does of each of (s,) ratios: numbers and prices, (s,) each."""
        values, prices = self._table
        sizes = np.abs(ratios)
        low = np.searchsorted(values, sizes * (1 - tolerances))
        high = np.searchsorted(values, sizes * (1 + tolerances))
        at = np.arange(len(values))
        inside = (at >= low[:, None]) & (at < high[:, None])
        inside[inside] = self._odds(sizes, intervals, inside) <= FORMULAS.numbers_by_chance
        best = np.argmin(np.where(inside, prices, np.inf), axis=1)
        found = inside.any(axis=1)
        return (
            np.where(found, np.copysign(values[best], ratios), ratios),
            np.where(found, prices[best], np.inf),
        )

    def _odds(self, sizes: np.ndarray, intervals: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Return the odds that measured ratios are arbitrary numbers, not the simple ones there.

        For an arbitrary number, one of an even distribution of the logarithm, against one of the
        simple ones as cheap nearby: of both, half of all ratios. What is measured scatters about
        the number by a standard error s, so that the odds are √2π s n exp(z²/2), with n simple
        ones to a unit of the logarithm, and z standard errors between the number and the ratio.

        Parameters
        ----------
        sizes, intervals : (s,) arrays
            Of ratios, and half the widths of their intervals, relative.
        which : (s, numbers) array of bool
            Pairs of ratios and simple numbers.

        Returns
        -------
        (pairs,) array
        """
        row, number = np.nonzero(which)
        errors = np.maximum(intervals[row] / FORMULAS.interval, np.finfo(float).tiny)
        z = np.where(intervals[row] > 0, (self._table[0][number] / sizes[row] - 1) / errors, 0.0)
        dense = self._as_cheap[number] / (2 * np.log(_NEAR))
        # A number that is far off has odds beyond what a double holds.
        return np.sqrt(2 * np.pi) * errors * dense * np.exp(np.minimum(z**2 / 2, 700))

    def expected(self, number: float, width: float) -> float:
        """Return how many numbers as cheap an interval holds that lies anywhere nearby.

        Parameters
        ----------
        number : float
            Its price decides which are as cheap.
        width : float
            Half the width of the interval, relative.

        Returns
        -------
        float
            Infinite where the number is no simple one.
        """
        at = self._at(np.array([number]))[0]
        return float(self._as_cheap[at]) * self._one(width) if at >= 0 else np.inf

    def are_simple(self, numbers: np.ndarray) -> np.ndarray:
        """Tell which of numbers (s,) are simple ones, (s,) of bool."""
        return self._at(numbers) >= 0

    def price(self, number: float) -> float:
        """Return the bits that it takes to say a number; of one that is not simple, its digits."""
        return float(self._prices(np.array([number]))[0])

    def _prices(self, numbers: np.ndarray) -> np.ndarray:
        """Return the `price` of each of (s,) numbers."""
        at = self._at(numbers)
        prices = self._table[1][at]
        prices[at < 0] = [_in_decimals(n) for n in numbers[at < 0]]
        return prices

    @staticmethod
    def _one(width: float | np.ndarray) -> float | np.ndarray:
        """Return the share of one number in an interval; of the logarithm, for it is relative."""
        return 2 * width / (2 * np.log(_NEAR))

    def _at(self, numbers: np.ndarray) -> np.ndarray:
        """Return where the simple numbers are that numbers (s,) are, (s,); −1 for none."""
        values, sizes = self._table[0], np.abs(numbers)
        at = np.minimum(np.searchsorted(values, sizes * (1 - _SAME)), len(values) - 1)
        return np.where(np.abs(values[at] - sizes) <= _SAME * sizes, at, -1)

    @cached_property
    def _as_cheap(self) -> np.ndarray:
        """How many numbers near each simple one cost no more."""
        values, prices = self._table
        low, high = np.searchsorted(values, values / _NEAR), np.searchsorted(values, values * _NEAR)
        parts = zip(low, high, prices, strict=True)
        return np.array([np.sum(prices[a:b] <= price) for a, b, price in parts])

    @cached_property
    def _table(self) -> tuple[np.ndarray, np.ndarray]:
        """Every simple number, ascending, with its price: the least of the ways to say it."""
        rows = [
            (p * factor.value / q, bits(p) + bits(q) + factor.bits)
            for factor in self._factors
            for q in _DENOMINATORS
            for p in range(1, factor.largest + 1)
            if max(p, q) <= factor.largest and math.gcd(p, q) == 1
        ]
        if not self.fractions_alone:
            decimals = itertools.product(range(1, _DIGITS_BELOW), _TENS)
            rows += [(value, _in_decimals(value)) for m, e in decimals for value in [m * 10.0**e]]
        table: list[tuple[float, float]] = []
        for value, price in sorted(rows):
            if table and value <= table[-1][0] * (1 + _SAME):
                table[-1] = table[-1][0], min(price, table[-1][1])
            else:
                table.append((value, price))
        return tuple(np.array(column) for column in zip(*table, strict=True))

    def simplest(
        self,
        vector: np.ndarray,
        widths: Mapping[int, np.ndarray],
        shares: Sequence[float],
        allowed: Callable[[np.ndarray], bool],
        measured: bool = False,
        refit: Refit | None = None,
    ) -> np.ndarray | None:
        """Return a vector over one of its entries, in the numbers that cost the fewest bits.

        Coarsely at first, and of all that are allowed then the cheapest; None where none is.

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
            Whether the widths are intervals, in which a number may lie by chance. What no simple
            number stands for then keeps as many digits as the interval asks for.
        refit : callable, optional
            Returns numbers of which some (s,) bool are fixed and the others fitted beside them:
            where some are simple, the errors of the others are no longer theirs.

        Returns
        -------
        (s,) array or None
            Of the sign that `signed` gives.
        """
        tried = set()
        for share in shares:
            trials = []
            for pivot, width in widths.items():
                interval = width if measured else np.zeros(len(width))
                values, prices = self._simple(vector / vector[pivot], share * width, interval)
                # What a wider share gave was refused.
                key = pivot, values.tobytes()
                if key in tried:
                    continue
                tried.add(key)
                if measured:
                    values, prices = self._in_digits(values, prices, width, refit)
                price = round(float(prices.sum()), 6)  # else rounding breaks ties
                trials.append((price, tuple(values)))
            for price, values in sorted(trials):
                if np.isfinite(price) and allowed(np.array(values)):
                    return signed(np.array(values))
        return None

    def _in_digits(
        self, values: np.ndarray, prices: np.ndarray, width: np.ndarray, refit: Refit | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return numbers of which those that are not simple have the digits that they are known to.

        Two of the digits that their errors reach: so rounding adds nothing to these.
        """
        simple = np.isfinite(prices)
        if refit is not None and simple.any() and not simple.all():
            values = refit(values, simple)
        digits = np.clip(np.ceil(1 - np.log10(width / _ROUNDED)), 1, DIGITS).astype(int)
        values = np.array(
            [v if s else in_digits(v, k) for v, s, k in zip(values, simple, digits, strict=True)]
        )
        return values, self._prices(values)

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
        for extra in range(DIGITS - 1):
            digits = np.clip(known_digits + extra, 2 + extra, DIGITS).astype(int)
            values, prices = self._simple(ratios, np.maximum(10.0 ** (1 - digits), known), known)
            rest = zip(values, np.isfinite(prices), digits, strict=True)
            values = np.array([v if simple else in_digits(v, k) for v, simple, k in rest])
            if allowed(values):
                return signed(values)
        return signed(ratios)

    def symbolic(self, value: float, digits: int = 6) -> sympy.Expr:
        """Return a number that `simple` gave as SymPy writes it; any other in so many digits."""
        for factor in self._factors:
            for p, q in factor.fractions(value):
                if abs(p * factor.value / q - value) <= _SAME * abs(value):
                    return sympy.Rational(p, q) * factor.symbol
        whole = abs(value) < _DIGITS_BELOW and value == round(value)
        return sympy.Integer(round(value)) if whole else sympy.Float(value, digits)


def bits(n: int) -> float:
    """Return the bits that it takes to say one of the numbers up to n."""
    return float(np.log2(1 + n))


def _in_decimals(value: float) -> float:
    """Return the bits of a decimal's digits, six at most, and of the place of its point."""
    digits, exponent = f"{abs(value):.5e}".split("e")
    whole = digits.replace(".", "").rstrip("0")
    places = abs(int(exponent) - (len(whole) - 1))
    return bits(int(whole)) + 1 + bits(places)


def _is_size(value: Real) -> bool:
    """Tell whether a value is a positive number of which powers can be taken."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    return 1e-100 <= value <= 1e100


@dataclass(frozen=True)
class _Factor:
    """A number that fractions of numbers up to `largest` may be multiplied by."""

    value: float
    bits: float
    symbol: sympy.Expr
    largest: int

    def fractions(self, ratio: float) -> Iterator[tuple[int, int]]:
        """Yield p and q of the fractions nearest to the ratio in units of the number."""
        for q in _DENOMINATORS:
            p = round(ratio / self.value * q)
            if p and max(abs(p), q) <= self.largest:
                yield p, q


# All of them; and fractions alone.
NUMBERS = Numbers()
FRACTIONS = Numbers(fractions_alone=True)


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
