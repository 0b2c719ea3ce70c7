"""Equations of motion ẋ = f(x, a) with free numbers a, and their derivatives in closed form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

import numpy as np
import sympy

from discovery.dynamics.ties import Ties
from discovery.formulas.compiling import Recompiled, compile_formulas
from discovery.formulas.plain import plain

# Numbers this near to a fraction of small numbers are that fraction.
_SAME, _LARGEST = 1e-12, 64


class Law(NamedTuple):
    """A law as motion takes it.

    Attributes
    ----------
    terms : tuple of sympy.Expr
        In real symbols.
    coefficients : tuple of float
        Theirs, none of them zero.
    losses : tuple of sympy.Expr
        Of a law that friction takes: what it loses in a unit of time is a sum of these times
        `factors`.
    factors : tuple of float
    errors : tuple of float
        Standard errors of the coefficients; empty where none are known.
    """

    terms: tuple[sympy.Expr, ...]
    coefficients: tuple[float, ...]
    losses: tuple[sympy.Expr, ...] = ()
    factors: tuple[float, ...] = ()
    errors: tuple[float, ...] = ()

    @classmethod
    def of(
        cls,
        terms: Mapping[sympy.Expr, float],
        losses: Sequence[sympy.Expr] = (),
        factors: Sequence[float] = (),
    ) -> Law:
        """Return a law, its symbols real: derivatives of sizes |x| are formulas only then.

        Parameters
        ----------
        terms : mapping from sympy.Expr to float
            Each with its coefficient.
        losses, factors
            As the attributes.
        """
        kept = {_real(term): float(number) for term, number in terms.items() if number}
        return cls(tuple(kept), tuple(kept.values()), tuple(map(_real, losses)), tuple(factors))

    @property
    def expression(self) -> sympy.Expr:
        """The formula, its numbers as they are used."""
        pairs = zip(self.coefficients, self.terms, strict=True)
        return sympy.Add(*(as_number(c) * term for c, term in pairs))


@dataclass(frozen=True)
class Equations(Recompiled):
    """Rates of d coordinates with m free numbers.

    Attributes
    ----------
    symbols : tuple of d sympy.Symbol
    rates : tuple of d sympy.Expr
        In the symbols and the parameters.
    parameters : tuple of m sympy.Symbol
    values : (m,) array
        Of the parameters.
    titles : tuple of m str
        What each parameter multiplies.
    ties : Ties or None
        Which of them the laws have equal.
    onto : callable or None
        Moves states (n, d) to the surface that the motion keeps to, where it is only known there.
    """

    symbols: tuple[sympy.Symbol, ...]
    rates: tuple[sympy.Expr, ...]
    parameters: tuple[sympy.Symbol, ...]
    values: np.ndarray
    titles: tuple[str, ...]
    ties: Ties | None = None
    onto: Callable[[np.ndarray], np.ndarray] | None = None

    def with_values(self, values: np.ndarray) -> Equations:
        """Return the same equations with other numbers (m,)."""
        changed = replace(self, values=np.asarray(values, dtype=float))
        # What is compiled does not depend on the numbers.
        for name in ("_compiled_rates", "_compiled_slopes", "_compiled_halves", "halves"):
            if name in self.__dict__:
                changed.__dict__[name] = self.__dict__[name]
        return changed

    @property
    def written(self) -> dict[str, sympy.Expr]:
        """The rate of each coordinate as a formula, its numbers filled in."""
        numbers = dict(zip(self.parameters, map(as_number, self.values), strict=True))
        pairs = zip(self.symbols, self.rates, strict=True)
        return {s.name: plain(rate.subs(numbers)) for s, rate in pairs}

    @property
    def exact(self) -> dict[str, sympy.Expr]:
        """The same with its numbers as they are, for other programs."""
        numbers = dict(zip(self.parameters, map(sympy.Float, self.values), strict=True))
        pairs = zip(self.symbols, self.rates, strict=True)
        return {s.name: plain(rate.subs(numbers)) for s, rate in pairs}

    def __call__(self, states: np.ndarray) -> np.ndarray:
        """Return the rates (n, d) at states (n, d)."""
        return _filled(self._compiled_rates, states, self.values)

    def of_half(self, side: int, states: np.ndarray) -> np.ndarray:
        """Return the rates (n, k) of one of the `halves` at states (n, d).

        Parameters
        ----------
        side : {0, 1}
        states : (n, d) array
        """
        return _filled(self._compiled_halves[side], states, self.values)

    def slopes(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return ∂f_i/∂x_j, (n, d, d), and ∂f_i/∂a_k, (n, d, m), at states (n, d)."""
        d = len(self.symbols)
        flat = _filled(self._compiled_slopes, states, self.values).reshape(len(states), d, -1)
        return flat[:, :, :d], flat[:, :, d:]

    @cached_property
    def _compiled_rates(self) -> Callable[..., list[np.ndarray]]:
        return compile_formulas([*self.symbols, *self.parameters], self.rates)

    @cached_property
    def _compiled_halves(self) -> list[Callable[..., list[np.ndarray]]]:
        unknowns = [*self.symbols, *self.parameters]
        return [compile_formulas(unknowns, [self.rates[i] for i in half]) for half in self.halves]

    @cached_property
    def _compiled_slopes(self) -> Callable[..., list[np.ndarray]]:
        unknowns = [*self.symbols, *self.parameters]
        return compile_formulas(unknowns, [f.diff(x) for f in self.rates for x in unknowns])

    @cached_property
    def halves(self) -> tuple[list[int], list[int]] | None:
        """Two groups of coordinates, each of which moves by the values of the other alone."""
        d = len(self.symbols)
        moving = {s for s, rate in zip(self.symbols, self.rates, strict=True) if rate != 0}
        used = [[s in rate.free_symbols & moving for s in self.symbols] for rate in self.rates]
        side = [0] * d
        for start in range(d):
            stack = [start] if not side[start] else []
            side[start] = side[start] or 1
            while stack:
                i = stack.pop()
                for j in range(d):
                    if used[i][j] or used[j][i]:
                        if side[j] == side[i]:
                            return None
                        if not side[j]:
                            side[j] = -side[i]
                            stack.append(j)
        first = [i for i in range(d) if side[i] == 1]
        return first, [i for i in range(d) if side[i] == -1]


def real_symbol(name: str) -> sympy.Symbol:
    """Return a coordinate's symbol."""
    return sympy.Symbol(name, real=True)


def _real(expression: sympy.Expr) -> sympy.Expr:
    return expression.xreplace({s: real_symbol(s.name) for s in expression.free_symbols})


def as_number(value: float) -> sympy.Expr:
    """Return a number as a fraction of small numbers where it is one, else in decimals."""
    near = Fraction(float(value)).limit_denominator(_LARGEST)
    if abs(near - value) <= _SAME * abs(value):
        return sympy.Rational(near.numerator, near.denominator)
    number = sympy.Float(float(value), 8)
    return sympy.Integer(number) if abs(float(number)) == 1 else number


def parameters(n: int) -> tuple[sympy.Symbol, ...]:
    """Return so many symbols that no coordinate's name can meet."""
    return tuple(sympy.Dummy(f"a{k}", real=True) for k in range(n))


def _filled(
    function: Callable[..., list[np.ndarray]], states: np.ndarray, numbers: np.ndarray
) -> np.ndarray:
    with np.errstate(all="ignore"):
        columns = function(*states.T, *numbers)
    out = np.empty((len(columns), len(states)))
    for row, column in zip(out, columns, strict=True):
        row[:] = column
    return out.T
