"""Laws whose coefficients are functions of one shape: geodesics, fields along an axis, drag.

    h = Σ F_b(s) w^b,    w^b the products of momenta up to degree one, then two,

with s a position or the difference of two. An expansion tells whether there is one, and is a law
as numbers (`free.mechanical`); few functions of s are tried in its place before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from discovery.estimation.orbits import Orbits
from discovery.formulas.simple_numbers import NUMBERS, Numbers
from discovery.laws.free.description import Halves, described
from discovery.laws.free.mechanical import Mechanical
from discovery.laws.judging.law import Findings
from discovery.laws.stage import Stage
from discovery.libraries.energy_forms import EnergyForm, one_shape_forms
from discovery.libraries.free_forms import Form, Shape
from discovery.libraries.library import Library
from discovery.libraries.numeric import Numeric


@dataclass
class OfOneShape(Stage):
    """Closed forms of functions of one shape, where an expansion promises a law.

    Attributes
    ----------
    form : Form
        The same law for functions in closed form.
    expanded : Mechanical
    numbers : Numbers
        What lengths are rounded to.
    promises : bool
        Whether the expansion promised a law when it was tried.
    """

    form: Form
    expanded: Mechanical
    numbers: Numbers = NUMBERS
    promises: bool = field(default=False, init=False)

    @property
    def name(self) -> str:
        """What it is polynomial in, and what the functions are of."""
        return f"{self.expanded.form.name}, functions of {self.form.name}"

    def __len__(self) -> int:
        return len(self.expanded)

    def libraries(self, fit: Orbits, found: Findings) -> Iterator[Library] | list[Library] | None:
        """Return libraries of few functions; None where the expansion holds nothing new."""
        if self.expanded.is_needless(fit, found):
            return None
        promised = self.expanded.promised(fit, found)
        self.promises = bool(promised)
        return described(self.form, Halves.of(fit), fit, promised, self.numbers) if promised else []


@dataclass(frozen=True)
class AsNumbers(Stage):
    """The expansion itself, where it promised a law.

    Attributes
    ----------
    closed : OfOneShape
        Tried before.
    """

    closed: OfOneShape

    @property
    def name(self) -> str:
        """The expansion's."""
        return self.closed.expanded.name

    def __len__(self) -> int:
        return len(self.closed)

    def libraries(self, fit: Orbits, found: Findings) -> list[Numeric] | None:
        """Return the flattest function that is not known; None where none was promised."""
        return self.closed.expanded.libraries(fit, found) if self.closed.promises else None


def one_shape_stages(
    names: Sequence[str],
    roles: Sequence[str | None],
    orbits: Orbits,
    numbers: Numbers = NUMBERS,
) -> list[Stage]:
    """Return the stages for positions with velocities or momenta; none for others.

    Parameters
    ----------
    names, roles : sequences of length d
    orbits : Orbits
        All runs: the ranges of the shapes are theirs.
    numbers : Numbers
        What lengths are rounded to.
    """
    states = orbits.smoothed.states
    out: list[Stage] = []
    for expansion in one_shape_forms(names, roles, states):
        expanded = Mechanical(expansion)
        (axis,) = expansion.axes
        if axis.angle:
            out.append(expanded)
            continue
        shape = Shape.of(axis.shape(expansion.symbols), expansion.symbols, states, orbits.noise)
        closed = OfOneShape(_closed(expansion, shape), expanded, numbers)
        out += [closed, AsNumbers(closed)]
    return out


def _closed(expansion: EnergyForm, shape: Shape) -> Form:
    """Return the form of the same laws for functions in closed form."""
    p = [expansion.symbols[i] for i in expansion.momenta]
    factors = [
        tuple(q for q, n in zip(p, powers, strict=True) for _ in range(n))
        for powers in expansion.factors
    ]
    plain = tuple(factor for factor in factors if factor)
    return Form(str(shape.expression), expansion.symbols, plain, tuple(factors), (shape,))
