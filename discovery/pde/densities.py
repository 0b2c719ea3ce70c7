"""Densities: functions of fields and their derivatives whose integrals may be conserved.

A law of a field equation is mostly an integral ∫ρ dx of a local density ρ(u, u_x, u_xx, …). Two
densities that differ by a total derivative have the same integral, so one of each class is kept:
u u_xx and −u_x² are equivalent, and u u_x is a total derivative.

Source: P. J. Olver, *Applications of Lie Groups to Differential Equations*, section 4.3 (1993).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import sympy

from discovery.formulas.parsing import parse_formula

# Order of the derivatives that a user's densities may hold.
MAX_ORDER = 4
# Highest power of a field by itself.
MAX_POWER = 6
# Densities of a set: larger sets take long, and so many integrals imitate each other.
MAX_DENSITIES = 32


class Densities(NamedTuple):
    """A set of densities under one name."""

    name: str
    expressions: list[sympy.Expr]


class Jets:
    """The variables of densities: fields and their derivatives, as symbols u, u_x, u_xx, ….

    Parameters
    ----------
    fields : sequence of str

    Attributes
    ----------
    fields : tuple of str
    variable : str
        What the fields depend on: x, or another letter where a field is called x.
    places : dict from sympy.Symbol to (field, order)

    Raises
    ------
    ValueError
        For a field that has the name of another's derivative.
    """

    def __init__(self, fields: Sequence[str]) -> None:
        self.fields = tuple(fields)
        self.variable = next(v for v in ("x", "s", "y", "xi") if v not in fields)
        self.places = {
            self.symbol(f, order): (f, order)
            for f in range(len(fields))
            for order in range(MAX_ORDER + 1)
        }
        if len(self.places) < len(self.fields) * (MAX_ORDER + 1):
            raise ValueError(
                f"fields {', '.join(self.fields)}: one has the name of another's derivative. "
                "Rename it."
            )

    def symbol(self, field: int, order: int = 0) -> sympy.Symbol:
        """Return the symbol of a field's derivative."""
        suffix = f"_{self.variable * order}" if order else ""
        return sympy.Symbol(self.fields[field] + suffix, real=True)

    def integral(self, density: sympy.Expr) -> sympy.Integral:
        """Return ∫ρ dx with the fields written as functions and their derivatives as such."""
        return sympy.Integral(self.written(density), sympy.Symbol(self.variable))

    def written(self, density: sympy.Expr) -> sympy.Expr:
        """Return ρ with the fields written as functions and their derivatives as such."""
        x = sympy.Symbol(self.variable)
        written = {}
        for symbol, (f, order) in self.places.items():
            function = sympy.Function(self.fields[f])(x)
            written[symbol] = sympy.Derivative(function, (x, order)) if order else function
        return density.xreplace(written)

    def cost(self, density: sympy.Expr) -> float:
        """Return what a density costs in a formula.

        One a factor, a little more for a derivative, as much as a fourth power for a function: of
        a polynomial and a cosine that imitate each other the shorter formula is the simpler one.
        """
        factors = density.as_powers_dict()
        total = 0.1 * (len(factors) - 1)
        for base, power in factors.items():
            if base in self.places and power > 0:
                weight = 1.0 + 0.25 * self.places[base][1]
            else:
                weight = 4.0 + 0.25 * float(sympy.count_ops(base))
            total += float(abs(power)) * weight
        return total


def escalation(
    jets: Jets, positive: Sequence[int] = (), *, polynomials: bool = False
) -> list[Densities]:
    """Return the densities to try in turn, from few to many.

    Derivatives enter in squares and products of two, as in energies and momenta. So the first
    laws of an integrable equation are found, and not its infinitely many later ones.

    Parameters
    ----------
    jets : Jets
    positive : sequence of int
        Fields that are positive everywhere.
    polynomials : bool
        Whether to return polynomials alone.
    """
    n = len(jets.fields)
    u = [jets.symbol(f) for f in range(n)]
    plain = [*u, *_products(u, 2)]
    slopes = _products([jets.symbol(f, 1) for f in range(n)], 2)
    # u v_x is −v u_x, and u u_x a total derivative: one of each pair.
    fluxes = [u[f] * jets.symbol(g, 1) for f, g in itertools.combinations(range(n), 2)]
    first = plain + slopes + fluxes
    powers = _products(u, 3) + _products(u, 4)
    high = [w**k for k in range(3, MAX_POWER + 1) for w in u]
    # Of two fields the even products too, as in energies that depend on no sign or phase.
    even = [u[0] ** i * u[1] ** j for i, j in ((2, 2), (2, 4), (4, 2))] if n == 2 else []
    bends = [jets.symbol(f, 2) ** 2 for f in range(n)]
    waves = [wave(w) for w in u for wave in (sympy.cos, sympy.sin)]
    inner = [u[f] for f in positive]
    # An enthalpy or entropy, and a momentum's energy m²/ρ.
    ratios = [e for r in inner for e in (sympy.log(r), r * sympy.log(r), 1 / r)]
    ratios += [w**2 / r for r in inner for w in u if w != r]
    sets = [
        Densities("quadratic densities", first),
        Densities("quartic densities", first + powers),
        Densities("sextic densities", first + high + even),
        Densities("densities with second derivatives", first + powers + bends),
    ]
    if not polynomials:
        sets.append(Densities("trigonometric densities", first + waves))
    if ratios and not polynomials:
        sets.append(Densities("logarithmic and rational densities", first + ratios))
    return [s for k, s in enumerate(sets) if k == 0 or len(s.expressions) <= MAX_DENSITIES]


def custom(expressions: Sequence[sympy.Expr | str], jets: Jets) -> Densities:
    """Make a set of the user's own densities.

    Parameters
    ----------
    expressions : sequence of sympy.Expr or str
        In the fields and their derivatives, e.g. ``["u**2", "u_x**2", "u_xx*v"]``.
    jets : Jets

    Raises
    ------
    ValueError
        For text that is no formula, and symbols that are no fields or derivatives.
    """
    known = ", ".join(s.name for s in jets.places if jets.places[s][1] <= 2)
    parsed = []
    for given in expressions:
        density = parse_formula(given, list(jets.places), "library")
        if not density.free_symbols:
            raise ValueError(
                f"library: {given!r} is no density of the fields. Expected a formula in {known}, …"
            )
        parsed.append(density)
    if not parsed:
        raise ValueError("library: received no densities. Give at least one, or library='auto'.")
    return Densities("custom densities", parsed)


def _products(factors: Sequence[sympy.Expr], degree: int) -> list[sympy.Expr]:
    chosen = itertools.combinations_with_replacement(factors, degree)
    return [sympy.Mul(*group) for group in chosen]
