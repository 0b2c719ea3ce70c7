"""Energies whose potential depends on what a known symmetry leaves unchanged.

A law L linear in the momenta moves the places by ξ = ∂L/∂w. In the plane, with ξ of degree one in
them, one shape has ξ·∇s = 0: the distance from a place that no column names, or the combination of
coordinates across a direction. The potential is looked for as a free function of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sympy

from discovery.data.coordinates import MOMENTA
from discovery.estimation.orbits import Orbits
from discovery.formulas.simple_numbers import NUMBERS, Numbers
from discovery.laws.free.stages import FreeFunctions
from discovery.laws.judging.law import Findings
from discovery.laws.judging.verdict import Verdict
from discovery.laws.stage import Stage
from discovery.libraries.fitted import Fitted
from discovery.libraries.free_forms import Form, Shape
from discovery.libraries.functions import Functions
from discovery.libraries.library import Library
from discovery.libraries.monomials import symbols_of


@dataclass
class Unchanged(Stage):
    """Energies beside a known law linear in the momenta, of one body in the plane.

    Attributes
    ----------
    symbols : tuple of 4 sympy.Symbol
    positions, momenta : tuple of int
        Columns; two of each.
    orbits : Orbits
        All runs: the range of the shape is theirs.
    numbers : Numbers
        What lengths are rounded to.
    name : str
        What reports call it where there is nothing to try.
    """

    symbols: tuple[sympy.Symbol, ...]
    positions: tuple[int, int]
    momenta: tuple[int, int]
    orbits: Orbits
    numbers: Numbers = NUMBERS
    name: str = "functions of what a known law leaves unchanged"

    def __len__(self) -> int:
        return 0

    def libraries(self, fit: Orbits, found: Findings) -> Iterator[Functions] | None:
        """Return energies with a function of the shape; None beside an energy or without one."""
        laws = [law.expression for law in found.laws if law.verdict == Verdict.EXACT]
        w = [self.symbols[i] for i in self.momenta]
        if any(all(law.diff(p, 2) != 0 for p in w) for law in laws):
            return None
        shapes = [shape for law in laws if (shape := self._shape(law)) is not None]
        return self._of(shapes[0], fit, found) if shapes else None

    def _of(self, shape: sympy.Expr, fit: Orbits, found: Findings) -> Iterator[Functions]:
        states, symbols = self.orbits.smoothed.states, self.symbols
        both = [(s,) for s in symbols]
        plain = (*both, *itertools.combinations_with_replacement(symbols, 2))
        of = Shape.of(shape, symbols, states, self.orbits.noise)
        form = Form(str(shape), symbols, plain, ((),), (of,))
        for library in FreeFunctions(form, self.numbers).libraries(fit, found):
            yield _fitted(library, shape)

    def _shape(self, law: sympy.Expr) -> sympy.Expr | None:
        """Return what a law's motion of the places leaves unchanged, if it is a simple shape."""
        q, w = ([self.symbols[i] for i in some] for some in (self.positions, self.momenta))
        a, b = (sympy.expand(law.diff(p)) for p in w)
        if any(part.free_symbols - set(q) for part in (a, b)) or not (a or b):
            return None
        x, y = q
        if a.is_number and b.is_number:
            return b * x - a * y if a and b else None  # along an axis the coordinate is tried
        turn = b.coeff(x)
        rotation = (b - turn * x, a + turn * y)
        if not (turn and all(part.is_number for part in rotation)):
            return None
        # ξ = turn (−(y − c_y), x − c_x)
        place = -rotation[0] / turn, rotation[1] / turn
        return None if place == (0, 0) else sympy.sqrt((x - place[0]) ** 2 + (y - place[1]) ** 2)


def _fitted(library: Library, shape: sympy.Expr) -> Fitted:
    numbers = {n for n in shape.atoms(sympy.Float)}
    return Fitted(library.symbols, library.atoms, library.exponents, library.name, len(numbers))


def unchanged_stages(
    names: Sequence[str],
    roles: Sequence[str | None],
    orbits: Orbits,
    numbers: Numbers = NUMBERS,
) -> list[Stage]:
    """Return the stage for one body in the plane; none for other coordinates.

    Parameters
    ----------
    names, roles : sequences of length d
    orbits : Orbits
        All runs.
    numbers : Numbers
        What lengths are rounded to.
    """
    positions = tuple(i for i, role in enumerate(roles) if role == "position")
    momenta = tuple(i for i, role in enumerate(roles) if role in MOMENTA)
    if len(names) != 4 or (len(positions), len(momenta)) != (2, 2):
        return []
    return [Unchanged(symbols_of(names), positions, momenta, orbits, numbers)]
