"""What is tried beside integrals: functions of other coordinates, and their coupling to fields.

A particle that moves along a string, an oscillator at one point of it, a reservoir that exchanges
with a concentration: laws are then ∫ρ dx + f, with f of the coordinates and of the field where
these are. A coordinate may also stand in a density, as the length of a cylinder does in the mass of
the gas in it where places are shares of that length.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import sympy

from discovery.data.frame import with_rows
from discovery.data.parameters import parted
from discovery.data.trajectories import Trajectories
from discovery.estimation.path import Path
from discovery.pde.densities import MAX_DENSITIES, Densities, Jets
from discovery.pde.grid import Grid
from discovery.pde.integrals import Integrals
from discovery.pde.waves import FieldWaves

# Rows on which the point is looked for that coordinates are coupled to.
_ROWS = 800
# How much one combination counts at most there, and the share of a function that is rounding.
_MOST, _ROUNDING = 10.0, 1e-12
# What is lost with a combination that stays is one; with none, less than this.
_NONE_LOST = 0.3


class Beside(NamedTuple):
    """The coordinates beside fields, by what functions of them are worth trying.

    Attributes
    ----------
    free : list of sympy.Symbol
        Those that may stand in polynomials.
    angles : list of sympy.Symbol
    places : list of sympy.Symbol
        Those at which the fields count, of either kind.
    parameters : list of sympy.Symbol
        Constant in each run: functions of these alone are no laws.
    positive : list of sympy.Symbol
        Those of the free ones that are positive everywhere.
    """

    free: list[sympy.Symbol]
    angles: list[sympy.Symbol]
    places: list[sympy.Symbol]
    parameters: list[sympy.Symbol]
    positive: list[sympy.Symbol]

    @classmethod
    def of(cls, runs: Trajectories, grid: Grid, jets: Jets) -> tuple[Beside, Trajectories]:
        """Read what the coordinates are, and return the runs without jumps of what goes round.

        Angles go round, and places on a ring where they jump.

        Parameters
        ----------
        runs : Trajectories
        grid : Grid
        jets : Jets
        """
        parts, rows = parted(runs), runs.rows.copy()
        free, angles, round_about = [], [], []
        for i, (column, z) in enumerate(zip(grid.beside, jets.beside, strict=True)):
            angle = runs.roles[column] == "angle"
            turn = 2 * np.pi if angle else grid.shape[-1] * grid.spacings[-1]
            if angle or i in grid.places:
                for a, b in itertools.pairwise(runs.offsets):
                    rows[a:b, column] = np.unwrap(rows[a:b, column], period=turn)
            if angle:
                angles.append(z)
            elif np.any(rows[:, column] != runs.rows[:, column]):
                round_about.append(z)
            elif column in parts.coordinates:
                free.append(z)
        column_of = dict(zip(jets.beside, grid.beside, strict=True))
        parameters = [z for z, column in column_of.items() if column in parts.parameters]
        positive = [z for z in free if rows[:, column_of[z]].min() > 0]
        places = [jets.beside[i] for i in grid.places]
        if angles or round_about:
            runs = with_rows(runs, rows, runs.row_times)
        return cls(free, angles, places, parameters, positive), runs

    def plain(self, most: int) -> list[sympy.Expr]:
        """Return quadratic functions of the coordinates, fewer than all where they are too many.

        Parameters
        ----------
        most : int
        """
        waves = [wave(z) for z in self.angles for wave in (sympy.cos, sympy.sin)]
        linear = [*self.free, *waves]
        choices = [_products(self.free, 2), [z**2 for z in self.free], []]
        return next((t for c in choices if len(t := [*linear, *c]) <= most), linear)

    def rich(self) -> Iterator[tuple[str, list[sympy.Expr]]]:
        """Yield further functions of the coordinates, under their names."""
        z = self.free
        yield "quartic coordinates", [*_products(z, 3), *_products(z, 4)]
        yield "powers of coordinates", [w**k for k in (3, 4) for w in z]
        yield "trigonometric coordinates", [wave(w) for w in z for wave in (sympy.cos, sympy.sin)]
        amounts = [e for w in self.positive for e in (sympy.log(w), w * sympy.log(w), 1 / w)]
        yield "logarithmic coordinates", amounts

    def couplings(
        self, jets: Jets, points: Sequence[sympy.Symbol]
    ) -> tuple[list[sympy.Expr], list[sympy.Expr]]:
        """Return what couples coordinates to fields at a point and at places: a little, and more.

        Parameters
        ----------
        jets : Jets
        points : sequence of sympy.Symbol
            The fields at the point.
        """
        few, more = [], at_point(points, self.free)
        at_places = [s for s, (_, order, _) in jets.at_place.items() if not order]
        for place in self.places:
            here = [s for s in at_places if jets.beside[jets.at_place[s][2]] == place]
            few += here
            more += at_point(here, [z for z in self.free if z != place])
        few += [*_products(points, 2), *(u * z for u in points for z in self.free)]
        return few, more


def with_beside(
    sets: Sequence[Densities], jets: Jets, beside: Beside, points: Sequence[sympy.Symbol] = ()
) -> list[Densities]:
    """Return sets of densities with functions of the coordinates beside the fields.

    Parameters
    ----------
    sets : sequence of Densities
        From few to many.
    jets : Jets
    beside : Beside
    points : sequence of sympy.Symbol
        The fields at the point that coordinates are coupled to.
    """
    first = sets[0].expressions
    plain = beside.plain(MAX_DENSITIES - len(first))
    both = [*first, *plain]
    inside = [[z**k * density for z in beside.free for density in first] for k in (1, 2)]
    by_parameters = [c * term for c in beside.parameters for term in both]
    few, more = beside.couplings(jets, points)
    # Laws of what is not coupled first, among few functions.
    tried = [(d.name, d.expressions, []) for d in (sets[:2] if few else ())]
    tried += [(d.name, d.expressions, few) for d in sets]
    for name, own in beside.rich():
        tried += [(f"{d.name}, {name}", d.expressions, few + own) for d in sets[:2]]
    tried += [
        (f"{sets[0].name}, more couplings", first, more),
        (f"{sets[0].name} times coordinates", first, inside[0]),
        (f"{sets[0].name} times squares of coordinates", first, inside[1]),
        (f"{sets[0].name} by parameters", first, by_parameters),
    ]
    return _fitting(
        [Densities(name, list(dict.fromkeys([*a, *plain, *b]))) for name, a, b in tried]
    )


def point_coupled(
    waves: FieldWaves, sets: Sequence[Densities], jets: Jets, beside: Beside
) -> list[sympy.Symbol]:
    """Return the field at a grid point, one or more, that coordinates are most likely coupled to.

    With products of the coordinates and the fields there some combination stays constant along
    runs that else does not. With the variance W of all functions along runs and the covariance D
    that noise gives them, a combination that stays adds one to tr W⁻¹ D, any other hardly anything.

    Parameters
    ----------
    waves : FieldWaves
        Of the runs on which formulas are found.
    sets : sequence of Densities
        From few to many.
    jets : Jets
    beside : Beside
    """
    if jets.n_axes > 1 or not beside.free:
        return []
    few = waves.thinned(_ROWS)
    here = [s for s, (_, p) in jets.at_point.items() if p == 0]
    terms = [density for tried in sets[:2] for density in tried.expressions]
    terms += [*beside.plain(MAX_DENSITIES - len(sets[0].expressions)), *next(beside.rich())[1]]
    terms = list(dict.fromkeys([*terms, *at_point(here, beside.free)]))
    integrals = Integrals(terms, jets, few.grid, few.bases)
    paths = (few.orbits(integrals.with_points(p)).smoothed for p in range(few.grid.n_points))
    point = int(np.argmax([_staying(path, few.offsets) for path in paths]))
    path = few.orbits(integrals.with_points(point)).smoothed
    alone = [
        _staying(path, few.offsets, [j for j, t in enumerate(terms) if not t.has(*others)])
        for s in here
        if (others := [o for o in here if o != s])
    ]
    there = [s for s, (_, p) in jets.at_point.items() if p == point]
    whole = _staying(path, few.offsets)
    best = int(np.argmax(alone)) if alone else 0
    return [there[best]] if alone and alone[best] > whole - _NONE_LOST else there


def _staying(path: Path, offsets: np.ndarray, columns: Sequence[int] = ()) -> float:
    """Return tr W⁻¹ D: about the number of combinations that only noise moves along runs."""
    away = np.concatenate([run - run.mean(axis=0) for run in np.split(path.states, offsets[1:-1])])
    within, noise = away.T @ away, path.errors.sum(axis=0)
    if columns:
        within, noise = (matrix[np.ix_(columns, columns)] for matrix in (within, noise))
    size = np.sqrt(np.diag(within + noise))
    within, noise = within / np.outer(size, size), noise / np.outer(size, size)
    # No combination counts for more than a few: where there is no noise, rounding tells nothing.
    floor = noise / _MOST + _ROUNDING * np.eye(len(size))
    return float(np.trace(np.linalg.solve(within + floor, noise)))


def at_point(here: Sequence[sympy.Symbol], free: Sequence[sympy.Symbol]) -> list[sympy.Expr]:
    """Return fields at one point, their squares, and their products with coordinates.

    Parameters
    ----------
    here : sequence of sympy.Symbol
        The fields there.
    free : sequence of sympy.Symbol
        The coordinates.
    """
    return [*here, *_products(here, 2), *(u * z for u in here for z in free)]


def _products(factors: Sequence[sympy.Expr], degree: int) -> list[sympy.Expr]:
    chosen = itertools.combinations_with_replacement(factors, degree)
    return [sympy.Mul(*group) for group in chosen]


def _fitting(sets: Sequence[Densities]) -> list[Densities]:
    """Return the sets that are not too large and hold something new."""
    chosen: list[Densities] = []
    for tried in sets:
        known = any(set(tried.expressions) <= set(other.expressions) for other in chosen)
        if len(tried.expressions) <= MAX_DENSITIES and not known:
            chosen.append(tried)
    return chosen
