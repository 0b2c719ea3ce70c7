"""Place: the origin of each field and the unit of length in which densities are taken.

    u = c + w,   x = λ s

c is a round number near a field that lies far from zero: powers of what hardly differs from its
mean are all alike. λ is a power of ten, where the grid's length is of no ordinary size. Formulas go
back to the user's origin and unit exactly.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy

from discovery.criteria import FIELDS
from discovery.laws.judging.law import Law
from discovery.pde.basis import Ends
from discovery.pde.densities import Jets
from discovery.pde.grid import Grid
from discovery.pde.integral_library import IntegralLibrary

# Decades within which a wave number is of ordinary size.
_ORDINARY = 1.5
# What an origin costs in a formula: a number to be said.
_ORIGIN_COST = 1.0


@dataclass(frozen=True)
class Place:
    """Origins and unit of length.

    Attributes
    ----------
    origins : tuple of F sympy.Rational
        c of each field.
    length : sympy.Rational
        λ.
    """

    origins: tuple[sympy.Rational, ...]
    length: sympy.Rational

    @classmethod
    def as_given(cls, grid: Grid) -> Place:
        """Return the user's own origins and unit."""
        return cls((sympy.Integer(0),) * len(grid.fields), sympy.Integer(1))

    @classmethod
    def choices(cls, rows: np.ndarray, grid: Grid) -> list[Place]:
        """Return the places to look from: the user's origins, and others near fields far from zero.

        Parameters
        ----------
        rows : (n, d) array
            States.
        grid : Grid
            The user's.
        """
        size = math.log10(grid.longest / (2 * np.pi))
        length = sympy.Integer(10) ** (round(size) if abs(size) > _ORDINARY else 0)
        values = [grid.values(rows, f) for f in range(len(grid.fields))]
        # What is zero at its ends has its origin there.
        fixed = [any(Ends(ends).is_fixed for ends in own) for own in grid.walls]
        near, far = (
            tuple(
                sympy.Integer(0) if is_fixed else _origin(v, k)
                for v, is_fixed in zip(values, fixed, strict=True)
            )
            for k in (FIELDS.off, FIELDS.far_off)
        )
        return [cls(origins, length) for origins in dict.fromkeys((far, near))]

    def outside(self, law: Law, jets: Jets, grid: Grid, names: Sequence[str]) -> Law:
        """Return a law from here as one from the user's origins, in the user's unit.

        Parameters
        ----------
        law : Law
            Of an `IntegralLibrary`; its formula is the density.
        jets : Jets
        grid : Grid
            The user's.
        names : sequence of d str
            The columns.
        """
        if self.length == 1 and not any(self.origins):
            return replace(law, expression=jets.integral(law.expression))
        moved = self._moved(jets)
        pairs = []
        for density in law.library.densities:
            factor, rest = _factor_and_rest(density.xreplace(moved))
            pairs.append((factor * self._over_length(density, jets), rest))
        # The unit of the term with the fewest derivatives: it keeps its number.
        unit = min((factor for factor, _ in pairs), key=lambda f: abs(math.log10(f)))
        factors = np.array([float(factor / unit) for factor, _ in pairs])
        # A constant is no part of a law.
        densities = [density.as_coeff_Add()[1] for _, density in pairs]
        terms = [
            part * self._over_length(term, jets) / unit
            for term in sympy.Add.make_args(law.expression)
            for part in sympy.Add.make_args(term.xreplace(moved))
        ]
        spread = law.evidence.spread * float(self.length**jets.n_axes / unit)
        shifted = any(d.has(c) for d in densities for c in self.origins if c)
        return replace(
            law,
            library=IntegralLibrary(densities, jets, grid, names),
            coefficients=law.coefficients * factors,
            covariance=None
            if law.covariance is None
            else law.covariance * np.outer(factors, factors),
            expression=jets.integral(sympy.Add(*terms).as_coeff_Add()[1]),
            evidence=replace(law.evidence, spread=spread),
            cost=law.cost + _ORIGIN_COST * shifted,
        )

    def _moved(self, jets: Jets) -> dict[sympy.Symbol, sympy.Expr]:
        """Return what each symbol is in the user's."""
        moved = {
            symbol: symbol * self.length ** sum(orders) - (0 if any(orders) else self.origins[f])
            for symbol, (f, orders) in jets.places.items()
        }
        moved |= {symbol: symbol - self.origins[f] for symbol, (f, _) in jets.at_point.items()}
        for symbol, (f, order, i) in jets.at_place.items():
            moved[symbol] = symbol * self.length**order - (0 if order else self.origins[f])
            moved[jets.beside[i]] = jets.beside[i] / self.length
        return moved

    def _over_length(self, term: sympy.Expr, jets: Jets) -> sympy.Expr:
        """Return what stands before a term where integrals are over the user's lengths."""
        return sympy.Integer(1) if jets.is_integrated(term) else self.length**jets.n_axes


def _factor_and_rest(density: sympy.Expr) -> tuple[sympy.Rational, sympy.Expr]:
    """Return the number that all terms of a density share, and the rest."""
    terms = [term.as_coeff_Mul() for term in sympy.Add.make_args(density)]
    if len({factor for factor, _ in terms}) == 1:
        return terms[0][0], sympy.Add(*(rest for _, rest in terms))
    return sympy.Integer(1), density


def _origin(values: np.ndarray, off: float) -> sympy.Rational:
    """Return the roundest number within a standard deviation of the mean of values off zero.

    Zero for values that are not: those with a mean of at most `off` standard deviations.
    """
    mean, spread = float(values.mean()), float(values.std())
    if abs(mean) <= off * spread:
        return sympy.Integer(0)
    for power in itertools.count(math.ceil(math.log10(abs(mean))), -1):
        step = sympy.Integer(10) ** power
        nearest = round(mean / float(step)) * step
        if abs(float(nearest) - mean) <= spread:
            return nearest
