"""Forms of energies: squares of momenta beside a potential, each coefficient a smooth function.

    h = ½ g_ij(q) w_i w_j + A_i(q) w_i + V(q)

V and, by the form, g and A are expansions in all positions at once (`libraries.expanded`), so that
h is linear in its unknowns. With velocities A falls out of the energy; with momenta it does not.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import sympy

from discovery.data.coordinates import MOMENTA, POSITIONS
from discovery.libraries.expanded import Axis, Expanded
from discovery.libraries.library import Library
from discovery.libraries.monomials import monomials, symbols_of

# Degrees of freedom: smooth functions of more positions have more terms than data can tell.
_MOST_POSITIONS = 3
# Coordinates without momenta of which any function is looked for.
_COORDINATES = 2
# Terms of the largest expansion, and its degree.
_MOST_TERMS, _MOST_DEGREE = 250, 16
# Degree of the monomials that describe a potential, and beside momenta.
_DESCRIBING, _BESIDE = 4, 2


@dataclass(frozen=True)
class EnergyForm:
    """One form of energies.

    Attributes
    ----------
    name : str
        What reports call it.
    symbols : tuple of d sympy.Symbol
    axes : tuple of Axis
        The positions.
    momenta : tuple of int
        Columns of the momenta.
    plain : (k, momenta) array of int
        Powers of the momenta in terms with constant coefficients.
    factors : (k, momenta) array of int
        Powers of the momenta whose coefficients are functions of position.
    pairs : tuple of (int, int)
        Columns of positions beside those of their canonical momenta; none of velocities.
    of : str
        What the functions are of, in words.
    """

    name: str
    symbols: tuple[sympy.Symbol, ...]
    axes: tuple[Axis, ...]
    momenta: tuple[int, ...]
    plain: np.ndarray
    factors: np.ndarray
    pairs: tuple[tuple[int, int], ...] = ()
    of: str = "position"

    def without(self, columns: Sequence[int]) -> EnergyForm:
        """Return the form of which nothing depends on the given positions."""
        axes = tuple(axis for axis in self.axes if axis.column not in columns)
        return replace(self, axes=axes)

    def stretched(self, rows: np.ndarray) -> EnergyForm:
        """Return the form on axes that are stretched about the middle of rows (n, d)."""
        return replace(self, axes=tuple(axis.stretched(rows) for axis in self.axes))

    @cached_property
    def library(self) -> Expanded:
        """The terms up to the highest degree at which they are few enough."""
        return next(
            library
            for library in map(self._of_degree, range(_MOST_DEGREE, 0, -1))
            if len(library) <= _MOST_TERMS
        )

    def _of_degree(self, degree: int) -> Expanded:
        sizes = [axis.count(degree) for axis in self.axes]
        places = np.array(list(itertools.product(*map(range, sizes))))
        own = [axis.degree(k) for axis, k in zip(self.axes, places.T, strict=True)]
        places = places[sum(own) <= degree]
        pairs = [(f, place) for place in places for f in self.factors if place.any() or f.any()]
        still = np.zeros(len(self.axes), dtype=int)
        powers, functions = zip(*((f, still) for f in self.plain), *pairs, strict=True)
        return Expanded(
            self.symbols,
            self.axes,
            self.momenta,
            np.array(powers),
            np.array(functions),
            f"{self.name} in smooth functions of {self.of}" if self.momenta else self.name,
        )

    @property
    def is_quadratic(self) -> bool:
        """Whether it has squares of momenta, as energies have."""
        return bool(np.any(np.vstack([self.plain, self.factors]).sum(axis=1) > 1))

    def describing(self) -> Library:
        """Return closed terms that describe such an energy."""
        atoms = [self.symbols[i] for i in self.momenta]
        for axis in self.axes:
            q = axis.shape(self.symbols)
            atoms += [sympy.cos(q), sympy.sin(q)] if axis.angle else [q]
        n, places = len(self.momenta), len(atoms) - len(self.momenta)
        none = (0,) * places
        exponents = [(*map(int, f), *none) for f in self.plain]
        for f in self.factors:
            degree = _BESIDE if f.any() else _DESCRIBING
            above = [none, *monomials(places, degree)]
            exponents += [(*map(int, f), *e) for e in above if any(e) or f.any()]
        name = f"{self.name}, {n} degrees of freedom" if n else self.name
        return Library(self.symbols, atoms, exponents, name)


def function_form(
    names: Sequence[str], roles: Sequence[str | None], rows: np.ndarray
) -> EnergyForm | None:
    """Return the form of any smooth function of two coordinates, none of them a momentum.

    Of three there is one, or nearly one, that is the same on all of an attractor.

    Parameters
    ----------
    names, roles : sequences of length d
    rows : (n, d) array
        States: the ranges of the coordinates are theirs.
    """
    if len(names) != _COORDINATES or set(roles) & set(MOMENTA):
        return None
    bare, nothing = np.zeros((1, 0), dtype=int), np.zeros((0, 0), dtype=int)
    axes = _axes(range(len(names)), roles, rows)
    parts = symbols_of(names), axes, (), nothing, bare
    return EnergyForm("smooth functions of both coordinates", *parts)


def _axes(
    positions: Sequence[int], roles: Sequence[str | None], rows: np.ndarray
) -> tuple[Axis, ...]:
    return tuple(Axis(i, True) if roles[i] == "angle" else Axis.over(rows, i) for i in positions)


def energy_forms(
    names: Sequence[str], roles: Sequence[str | None], rows: np.ndarray
) -> list[EnergyForm]:
    """Return the forms to try, from constant masses to masses and a one-form of position.

    Parameters
    ----------
    names, roles : sequences of length d
    rows : (n, d) array
        States: the ranges of the positions are theirs.

    Returns
    -------
    list of EnergyForm
        None where not all coordinates are positions with as many velocities or momenta, or where
        they are too many.
    """
    positions = [i for i, role in enumerate(roles) if role in POSITIONS]
    momenta = [i for i, role in enumerate(roles) if role in MOMENTA]
    n = len(positions)
    if not 1 <= n <= _MOST_POSITIONS or n != len(momenta) or 2 * n != len(names):
        return []
    axes = _axes(positions, roles, rows)
    unit = np.eye(n, dtype=int)
    pairs = itertools.combinations_with_replacement(range(n), 2)
    squares = np.array([unit[i] + unit[j] for i, j in pairs])
    bare, nothing = np.zeros((1, n), dtype=int), np.zeros((0, n), dtype=int)

    canonical = all(roles[i] == "momentum" for i in momenta)
    pairs_of = tuple(zip(positions, momenta, strict=True)) if canonical else ()

    def form(name: str, plain: np.ndarray, factors: np.ndarray) -> EnergyForm:
        parts = symbols_of(names), axes, tuple(momenta), plain, factors, pairs_of
        return EnergyForm(name, *parts)

    out = [
        form("energy", squares, bare),
        form("energy with masses", nothing, np.vstack([bare, squares])),
    ]
    if canonical:
        out.insert(1, form("energy with a one-form", squares, np.vstack([bare, unit])))
    return out


def one_shape_forms(
    names: Sequence[str], roles: Sequence[str | None], rows: np.ndarray
) -> list[EnergyForm]:
    """Return forms whose coefficients are functions of one shape, linear in the momenta first.

    The shape is a position or, of places on lines, the difference of two: that of a metric, a field
    or a potential which does not change along the other coordinates.

    Parameters
    ----------
    names, roles : sequences of length d
    rows : (n, d) array
        States: the ranges of the shapes are theirs.

    Returns
    -------
    list of EnergyForm
        None where there are others than positions and velocities or momenta, or too many.
    """
    positions = [i for i, role in enumerate(roles) if role in POSITIONS]
    momenta = [i for i, role in enumerate(roles) if role in MOMENTA]
    n = len(momenta)
    few = 1 <= len(positions) <= _MOST_POSITIONS and 1 <= n <= _MOST_POSITIONS
    if not few or len(positions) + n != len(names):
        return []
    symbols, unit = symbols_of(names), np.eye(n, dtype=int)
    canonical = all(roles[i] == "momentum" for i in momenta)
    pairs = itertools.combinations_with_replacement(range(n), 2)
    squares = np.array([unit[i] + unit[j] for i, j in pairs])
    bare, nothing = np.zeros((1, n), dtype=int), np.zeros((0, n), dtype=int)
    kinds = {
        "linear in the momenta": np.vstack([bare, unit]),
        "quadratic in the momenta": np.vstack([bare, *([unit] if canonical else []), squares]),
    }
    axes = list(_axes(positions, roles, rows))
    straight = [i for i in positions if roles[i] == "position"]
    # x, y, z are axes of one place, and x1, x2, x3 places on one line.
    if len(straight) < 3 or len({names[i].rstrip("0123456789_") for i in straight}) == 1:
        axes += [Axis.over(rows, i, j) for i, j in itertools.combinations(straight, 2)]
    return [
        EnergyForm(
            kind, symbols, (axis,), tuple(momenta), nothing, factors, of=str(axis.shape(symbols))
        )
        for axis in axes
        for kind, factors in kinds.items()
    ]
