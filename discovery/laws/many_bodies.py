"""Many bodies: masses from the total momentum, then sums over bodies and pairs with these.

The total momentum Σ m v is linear in the masses, so that one pencil over all axes tells them. With
them the kinetic energy is one function, the angular momentum another, and a pair potential one
more: as many unknowns as kinds of forces, whatever the number of bodies.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import sympy

from discovery.criteria import FORMULAS, LAWS
from discovery.estimation.orbits import Orbits
from discovery.formulas.pencil import Pencil
from discovery.formulas.simple_numbers import Numbers, in_digits
from discovery.laws.finding.scale_search import tuned
from discovery.laws.judging.law import Findings
from discovery.laws.species import of_species
from discovery.laws.stage import Stage
from discovery.libraries.functions import Functions
from discovery.libraries.many_bodies.bodies import Bodies
from discovery.libraries.many_bodies.families import (
    POTENTIALS,
    SCALED,
    SHORT,
    SHORT_SCALED,
    Family,
    ScaledSums,
)
from discovery.libraries.many_bodies.lattice import BONDS, ENDS, Lattice
from discovery.libraries.many_bodies.sums import Sums
from discovery.libraries.monomials import symbols_of

# Bodies whose pairs have free couplings: of more there are too many.
_MOST_FREE = 6
# Bodies among which species are told by the couplings of all pairs.
_MOST_COUPLED = 12
# Digits that masses are given with at most.
_DIGITS = 6

Build = Callable[[Family], Sums | ScaledSums | None]


@dataclass
class Scene:
    """The bodies with their masses, recognised once for all stages of a search.

    Attributes
    ----------
    bodies : Bodies
        As names tell them; bodies on a line may turn out to be fewer ones in a plane.
    """

    bodies: Bodies
    _known: Family | None = field(default=None, repr=False)

    def family(self, fit: Orbits, found: Findings) -> Family:
        """Return the bodies and their masses.

        Parameters
        ----------
        fit : Orbits
            The runs that formulas are found on.
        found : Findings
            The linear laws among them tell the axes.
        """
        if self._known is None:
            bodies = self.bodies
            if bodies.axes == 1:
                bodies = bodies.along(axes_of(bodies, found)) or bodies
            masses = np.ones(bodies.number) if bodies.of_momenta else masses_of(bodies, fit)
            self._known = Family(bodies, masses, bodies.box)
        return self._known


def axes_of(bodies: Bodies, found: Findings) -> list[list[int]]:
    """Return the columns of velocities in each linear law of these alone: an axis each.

    Parameters
    ----------
    bodies : Bodies
    found : Findings
    """
    column = {symbol: i for i, symbol in enumerate(symbols_of(bodies.names))}
    momenta = set(itertools.chain(*bodies.momenta))
    axes = []
    for law in found.laws:
        terms = law.library.expressions()
        if all(term in column and column[term] in momenta for term in terms):
            axes.append(sorted(column[term] for term in terms))
    return axes


def masses_of(bodies: Bodies, fit: Orbits) -> np.ndarray:
    """Return the masses (N,) with which the total momentum is flattest, in as few digits as may be.

    Along every axis alike, so that one pencil is solved for all. Ones where no total momentum is
    conserved.

    Parameters
    ----------
    bodies : Bodies
    fit : Orbits
    """
    n = bodies.number
    top, bottom = np.zeros((n, n)), np.zeros((n, n))
    for axis in bodies.momenta:
        own = fit.of_columns(axis)
        starts, lengths = own.offsets[:-1], np.diff(own.offsets)
        means = np.add.reduceat(own.smoothed.states, starts, axis=0) / lengths[:, None]
        moving = own.smoothed.states - np.repeat(means, lengths, axis=0)
        errors = own.smoothed.errors.mean(axis=0)
        top += moving.T @ moving / len(moving)
        bottom += np.diag(errors) if errors.ndim == 1 else errors
    pencil = Pencil(top, bottom)
    mu, c = pencil.smallest(np.arange(n))
    if mu > 2 * LAWS.flatness_ceiling or not (np.all(c > 0) or np.all(c < 0)):
        return np.ones(n)
    limit = max(FORMULAS.flatness_floor, mu * FORMULAS.rounding_slack)
    for digits in range(1, _DIGITS):
        masses = np.array([in_digits(m, digits) for m in c / c[0]])
        if np.all(masses > 0) and float(pencil.ratio(masses)) <= limit:
            return masses
    return c / c[0]


@dataclass(frozen=True)
class OfBodies(Stage):
    """A stage of sums over bodies.

    Attributes
    ----------
    name : str
    scene : Scene
        Shared by all these stages.
    build : callable Family -> Sums, ScaledSums or None
        What is tried; None where the bodies admit none.
    numbers : Numbers
        What scales are rounded to.
    first : bool
        Whether it is tried beside an energy as well.
    species : bool
        Whether the sums are of single pairs, of which those of species are made.
    """

    name: str
    scene: Scene
    build: Build
    numbers: Numbers
    first: bool = False
    species: bool = False

    def __len__(self) -> int:
        return 0

    def libraries(self, fit: Orbits, found: Findings) -> Iterable[Functions] | None:
        """Return the sums, at each scale at which one is flat; None beside an energy.

        Parameters
        ----------
        fit : Orbits
            The runs that formulas are found on.
        found : Findings
            The laws and identities so far.
        """
        family = self.scene.family(fit, found)
        if not self.first and has_energy(family.bodies, found):
            return None
        library = self.build(family)
        if library is None:
            return None
        libraries = [library]
        if isinstance(library, ScaledSums):
            libraries = tuned(library, fit, self.numbers)
        if not self.species:
            return libraries
        return itertools.chain(*(of_species(some, family, fit) for some in libraries))


def has_energy(bodies: Bodies, found: Findings) -> bool:
    """Tell whether a law is quadratic in the velocities: an energy.

    Of sums over bodies their kinds tell: derivatives of what is written out take long.

    Parameters
    ----------
    bodies : Bodies
    found : Findings
    """
    symbols = symbols_of(bodies.names)
    momenta = [symbols[i] for i in bodies.momenta[0]]
    for law in found.laws:
        if not law.sure:
            continue
        if isinstance(law.library, Sums):
            if ("kinetic",) in law.library.kinds():
                return True
        elif any(_is_quadratic(law.expression, p) for p in momenta):
            return True
    return False


def _is_quadratic(expression: sympy.Expr, p: sympy.Symbol) -> bool:
    twice = expression.diff(p, 2)
    return twice != 0 and not twice.has(p)


def stages_of_bodies(bodies: Bodies, numbers: Numbers) -> list[OfBodies]:
    """Return the stages of sums over bodies, from simple to rich.

    Parameters
    ----------
    bodies : Bodies
    numbers : Numbers
        What scales are rounded to.
    """
    scene = Scene(bodies)

    def stage(name: str, build: Build, first: bool = False, species: bool = False) -> OfBodies:
        return OfBodies(name, scene, build, numbers, first, species)

    out = [stage("sums over bodies", Family.motion, first=True)]
    potentials, scaled = POTENTIALS, SCALED
    if any(bodies.periods):
        # What does not fall off is no function of the nearest image.
        potentials, scaled = SHORT, SHORT_SCALED
    elif bodies.axes == 1:
        for ends in ENDS:
            out.append(stage(f"{ends}: powers", partial(_lattice, ends, Lattice.polynomial)))
        for ends in ENDS:
            for name in BONDS:
                bonded = partial(Lattice.bonded, name=name)
                out.append(stage(f"{ends}: {name}", partial(_lattice, ends, bonded)))
            out.append(stage(f"{ends}: cosines", partial(_lattice, ends, Lattice.waves)))
    for make in (Family.tied, Family.free, Family.coupled):
        species = make is Family.coupled
        title = "species" if species else "pairs"
        for name in potentials:
            build = partial(_plain, make, name)
            out.append(stage(f"{title}: {name}", build, species=species))
        for name in scaled:
            build = partial(_scaled, make, name)
            out.append(stage(f"{title}: {name}", build, species=species))
    return out


def _lattice(
    ends: str, build: Callable[[Lattice], Sums | ScaledSums], family: Family
) -> Sums | ScaledSums | None:
    return build(Lattice(family, ends)) if family.bodies.axes == 1 else None


def _admits(make: Callable, family: Family) -> bool:
    number = family.bodies.number
    if make is Family.coupled:
        return family.bodies.axes > 1 and _MOST_FREE < number <= _MOST_COUPLED
    return make is Family.tied or number <= _MOST_FREE


def _plain(make: Callable, name: str, family: Family) -> Sums | None:
    return make(family, POTENTIALS[name], name) if _admits(make, family) else None


def _scaled(make: Callable, name: str, family: Family) -> ScaledSums | None:
    return family.scaled(name, partial(make, family)) if _admits(make, family) else None
