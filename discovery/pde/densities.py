"""Densities: functions of fields and their derivatives whose integrals may be conserved.

A law of a field equation is mostly an integral ∫ρ dx of a local density ρ(u, u_x, u_xx, …), in a
plane of ρ(u, u_x, u_y, …). Two densities that differ by a total derivative have the same integral,
so one of each class is kept: u u_xx and −u_x² are equivalent, and u u_x is a total derivative.

Source: P. J. Olver, *Applications of Lie Groups to Differential Equations*, section 4.3 (1993).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import sympy

from discovery.formulas.parsing import parse_formula
from discovery.libraries.monomials import symbols_of

if TYPE_CHECKING:
    from discovery.pde.grid import Grid

# Order of the derivatives that a user's densities may hold.
MAX_ORDER = 4
# Highest power of a field by itself.
MAX_POWER = 6
# What users ask for to have the next laws of integrable equations.
SECOND_DERIVATIVES = "fields with second derivatives"
# Densities of a set: larger sets take long, and so many integrals imitate each other.
MAX_DENSITIES = 32


class Densities(NamedTuple):
    """A set of densities under one name."""

    name: str
    expressions: list[sympy.Expr]


class Jets:
    """The variables of densities: fields and their derivatives, as symbols u, u_x, u_xy, ….

    Beside them what is no function of place: the other coordinates, a field at one point (u7), and
    a field on a line at the place that a coordinate tells (u_at_q). A formula without a field is
    not integrated.

    Parameters
    ----------
    fields : sequence of str
    n_axes : int
        Directions in space.
    beside : sequence of Z str
        The other coordinates.
    points : mapping from name to (field, point), optional
    places : sequence of int, optional
        Which of the coordinates are places.

    Attributes
    ----------
    fields : tuple of str
    variables : tuple of D str
        What the fields depend on: x, y, z, or another letter where a field is called so.
    places : dict from sympy.Symbol to (field, orders)
        ``orders``: of the derivative by each variable, a tuple of D int.
    beside : tuple of Z sympy.Symbol
        The other coordinates.
    at_point : dict from sympy.Symbol to (field, point)
    at_place : dict from sympy.Symbol to (field, order, coordinate)

    Raises
    ------
    ValueError
        For a field that has the name of another's derivative.
    """

    def __init__(
        self,
        fields: Sequence[str],
        n_axes: int = 1,
        beside: Sequence[str] = (),
        points: Mapping[str, tuple[int, int]] | None = None,
        places: Sequence[int] = (),
    ) -> None:
        self.fields = tuple(fields)
        taken = {*fields, *beside}
        free = [v for v in ("x", "y", "z", "s", "xi", "eta", "zeta") if v not in taken]
        if n_axes == 1 and free[0] != "x":
            free = ["s"] if "s" in free else ["xi"]
        self.variables = tuple(free[:n_axes])
        orders = [
            k for k in itertools.product(range(MAX_ORDER + 1), repeat=n_axes) if sum(k) <= MAX_ORDER
        ]
        self.places = {
            self.symbol(f, *k): (f, k)
            for f in range(len(fields))
            for k in sorted(orders, key=lambda k: (sum(k), [-n for n in k]))
        }
        if len(self.places) < len(self.fields) * len(orders):
            raise ValueError(
                f"fields {', '.join(self.fields)}: one has the name of another's derivative. "
                "Rename it."
            )
        self.beside = symbols_of(beside)
        for z in self.beside:
            if z in self.places:
                raise ValueError(
                    f"coordinate {z.name!r} has the name of a field or its derivative. Rename it."
                )
        self.at_point = dict(zip(symbols_of(points or ()), (points or {}).values(), strict=True))
        self.at_place = {
            sympy.Symbol(f"{self.symbol(f, order)}_at_{beside[i]}", real=True): (f, order, i)
            for i in places
            for f in range(len(fields))
            for order in range(MAX_ORDER + 1)
        }

    @classmethod
    def of(cls, grid: Grid, names: Sequence[str]) -> Jets:
        """Return the variables of densities on a grid.

        Parameters
        ----------
        grid : Grid
        names : sequence of d str
            The columns.
        """
        beside = [names[column] for column in grid.beside]
        points = {
            names[column]: (f, p)
            for f, own in enumerate(grid.columns if beside else ())
            for p, column in enumerate(own)
        }
        return cls(grid.fields, grid.n_axes, beside, points, grid.places)

    @property
    def n_axes(self) -> int:
        """Directions in space, D."""
        return len(self.variables)

    def symbol(self, field: int, *orders: int) -> sympy.Symbol:
        """Return the symbol of a field's derivative, of so many orders by x, by y, by z."""
        suffix = "".join(v * k for v, k in zip(self.variables, orders, strict=False))
        return sympy.Symbol(self.fields[field] + (f"_{suffix}" if suffix else ""), real=True)

    def slopes(self, field: int) -> list[sympy.Symbol]:
        """Return the symbols of a field's first derivatives, by x, by y, by z."""
        return [self.symbol(field, *row) for row in np.eye(self.n_axes, dtype=int)]

    def at(self, place: int, field: int, order: int = 0) -> sympy.Symbol:
        """Return the symbol of a field's derivative at the place that a coordinate tells.

        Parameters
        ----------
        place : int
            The coordinate's number.
        field : int
        order : int
            Of the derivative.
        """
        return next(s for s, known in self.at_place.items() if known == (field, order, place))

    @property
    def symbols(self) -> list[sympy.Symbol]:
        """All that may stand in formulas."""
        at_place = [s for s, (_, order, _) in self.at_place.items() if not order]
        return [*self.places, *self.beside, *self.at_point, *at_place]

    def is_integrated(self, term: sympy.Expr) -> bool:
        """Tell whether a term is a density: whether a field is in it, at no place in particular."""
        return not term.free_symbols.isdisjoint(self.places)

    def slope(self, term: sympy.Expr, symbol: sympy.Symbol) -> sympy.Expr:
        """Return the derivative of a term by a symbol, and by what fields are where a place is."""
        out = term.diff(symbol)
        if symbol in self.beside:
            for at, (f, order, i) in self.at_place.items():
                if self.beside[i] == symbol and term.has(at):
                    out += term.diff(at) * self.at(i, f, order + 1)
        return out

    def integral(self, density: sympy.Expr) -> sympy.Expr:
        """Return ∫ρ dx dy … with the fields written as functions, their derivatives as such.

        Terms without a field stand beside the integral.
        """
        terms = sympy.Add.make_args(density)
        inside = sympy.Add(*(term for term in terms if self.is_integrated(term)))
        outside = self.written(density - inside)
        if inside == 0:
            return outside
        return outside + sympy.Integral(self.written(inside), *map(sympy.Symbol, self.variables))

    def written(self, density: sympy.Expr) -> sympy.Expr:
        """Return ρ with the fields written as functions and their derivatives as such."""
        space = tuple(map(sympy.Symbol, self.variables))
        written = {}
        for symbol, (f, orders) in self.places.items():
            function = sympy.Function(self.fields[f])(*space)
            by = [(x, k) for x, k in zip(space, orders, strict=True) if k]
            written[symbol] = sympy.Derivative(function, *by) if by else function
        for symbol, (f, order, i) in self.at_place.items():
            if not order:
                written[symbol] = sympy.Function(self.fields[f])(self.beside[i])
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
                weight = 1.0 + 0.25 * sum(self.places[base][1])
            elif base in self.beside and power > 0:
                weight = 1.0
            elif base in self.at_point or base in self.at_place:
                weight = 1.25
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
    first = plain + _slopes(jets) + _fluxes(jets)
    # Where space has no preferred direction.
    even_handed = plain + _gradients(jets) + _fluxes(jets)
    powers = _products(u, 3) + _products(u, 4)
    high = [w**k for k in range(3, MAX_POWER + 1) for w in u]
    # Of two fields the even products too, as in energies that depend on no sign or phase.
    even = [u[0] ** i * u[1] ** j for i, j in ((2, 2), (2, 4), (4, 2))] if n == 2 else []
    twice = 2 * np.eye(jets.n_axes, dtype=int)
    bends = [sympy.Add(*(jets.symbol(f, *k) for k in twice)) ** 2 for f in range(n)]
    waves = [wave(w) for w in u for wave in (sympy.cos, sympy.sin)]
    inner = [u[f] for f in positive]
    # An enthalpy or entropy, and a momentum's energy m²/ρ.
    ratios = [e for r in inner for e in (sympy.log(r), r * sympy.log(r), 1 / r)]
    ratios += [w**k / r for r in inner for k in (1, 2) for w in u if w != r]
    sets = [
        Densities("quadratic densities", first),
        Densities("quartic densities", first + powers),
        Densities("cubic densities", first + _products(u, 3)),
        Densities("quartic densities, squared gradients", even_handed + powers),
        Densities("cubic densities, squared gradients", even_handed + _products(u, 3)),
        Densities("sextic densities", first + high + even),
        Densities("densities with second derivatives", first + powers + bends),
    ]
    if not polynomials:
        sets.append(Densities("trigonometric densities", first + waves))
    if ratios and not polynomials:
        sets.append(Densities("logarithmic and rational densities", first + ratios))
        sets.append(Densities("squared slopes over densities", plain + _vortices(jets, positive)))
        sets += _gases(jets, positive)
    return _fitting(sets)


def with_second_derivatives(jets: Jets) -> list[Densities]:
    """Return densities in which the next laws of integrable equations are, two of them mostly.

    Products of two derivatives: of the first order times powers of the fields, and of the second.
    A mirror image of the equation parts densities with an odd number of derivatives from the
    others, and a change of the fields' signs those of even degree.

    Parameters
    ----------
    jets : Jets
    """
    n = len(jets.fields)
    u = [jets.symbol(f) for f in range(n)]
    squares, cubes, fourth = (_products(u, k) for k in (2, 3, 4))
    steep, twice = _gradients(jets), 2 * np.eye(jets.n_axes, dtype=int)
    bends = [sympy.Add(*(jets.symbol(f, *k) for k in twice)) for f in range(n)]
    quadratic = [*squares, *steep, *_products(bends, 2)]
    steeper, steepest = ([s * w for s in steep for w in powers] for powers in (u, squares))
    # Of each product all places of the derivative but on its first field: Σ of all is nothing.
    odd = [flux * w for flux in _fluxes(jets) for w in (1, *u, *squares)]
    for f, g in itertools.combinations(range(n), 2):
        odd += [bends[g] * slope for slope in jets.slopes(f)]
    even = [*quadratic, *fourth, *_products([w**2 for w in u], 3), *steepest]
    sets = [
        Densities("second derivatives", [*u, *quadratic, *cubes, *fourth, *steeper]),
        Densities("second derivatives, even", even),
        Densities("second derivatives, odd", list(dict.fromkeys(odd))),
    ]
    return [tried for tried in sets if 0 < len(tried.expressions) <= MAX_DENSITIES]


def _slopes(jets: Jets) -> list[sympy.Expr]:
    """Return products of two first derivatives, one of each class.

    u_x v_y − u_y v_x is a total derivative: of the two terms the first stays.
    """
    n, axes = len(jets.fields), range(jets.n_axes)
    slopes = [jets.slopes(f) for f in range(n)]
    fields = itertools.combinations_with_replacement(range(n), 2)
    along = itertools.combinations_with_replacement(axes, 2)
    return [slopes[f][a] * slopes[g][b] for (f, g), (a, b) in itertools.product(fields, along)]


def _gradients(jets: Jets) -> list[sympy.Expr]:
    """Return ∇u·∇v for each pair of fields."""
    slopes = [jets.slopes(f) for f in range(len(jets.fields))]
    pairs = itertools.combinations_with_replacement(slopes, 2)
    return [sympy.Add(*(p * q for p, q in zip(*pair, strict=True))) for pair in pairs]


def _fluxes(jets: Jets) -> list[sympy.Expr]:
    """Return u v_x: it is −v u_x, and u u_x a total derivative, so one of each pair."""
    pairs = itertools.combinations(range(len(jets.fields)), 2)
    return [jets.symbol(f) * slope for f, g in pairs for slope in jets.slopes(g)]


def _vortices(jets: Jets, positive: Sequence[int]) -> list[sympy.Expr]:
    """Return the terms of (v_x − u_y)²/h and (u_x + v_y)²/h: a fluid's potential enstrophy."""
    out = []
    for r in positive:
        others = [f for f in range(len(jets.fields)) if f != r]
        for f, g in itertools.combinations(others, 2):
            for a, b in itertools.combinations(range(jets.n_axes), 2):
                for one, other in ((b, a), (a, b)):
                    pair = (jets.slopes(f)[one], jets.slopes(g)[other])
                    out += [product / jets.symbol(r) for product in _products(pair, 2)]
    return out


def _gases(jets: Jets, positive: Sequence[int]) -> list[Densities]:
    """Return a gas' energies: m²/2ρ or ρ v²/2 of its motion, both ways, and ρ^γ.

    γ = 1 + 2/f for molecules of f degrees of freedom: 3 of an atom, 5 of two atoms, 6 of light. One
    in a set: of several powers of a density that varies little, sums are nearly nothing.
    """
    u = [jets.symbol(f) for f in range(len(jets.fields))]
    moving = [w for f, w in enumerate(u) if f not in positive]
    dense = [u[f] for f in positive]
    motion = [term for r in dense for w in moving for term in (w**2 / r, r * w**2)]
    sets = []
    for freedom in (5, 3, 6):
        power = 1 + sympy.Rational(2, freedom)
        sets.append(Densities(f"densities to the {power}", u + motion + [r**power for r in dense]))
    return sets if motion else []


def _fitting(sets: Sequence[Densities]) -> list[Densities]:
    """Return the first set, and those that are not too large and hold something new."""
    chosen = list(sets[:1])
    for tried in sets[1:]:
        known = any(set(tried.expressions) <= set(other.expressions) for other in chosen)
        if len(tried.expressions) <= MAX_DENSITIES and not known:
            chosen.append(tried)
    return chosen


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
    known = ", ".join(s.name for s in jets.places if sum(jets.places[s][1]) <= 2)
    parsed = []
    for given in expressions:
        density = parse_formula(given, jets.symbols, "library")
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
