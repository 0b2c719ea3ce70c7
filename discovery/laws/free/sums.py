"""Sums of functions of one coordinate each: what separates, as z + a log(c² − v²) of a fall.

    h = Σ F_i(x_i)

Where dx/dt = a(x) b(y) m and dy/dt = c(x) d(y) m, whatever m, such a sum is conserved. All F are
expanded first. Where the sum is flat, each F is described by few functions in its turn, with the
others still free: so functions and lengths of one coordinate are looked for at a time.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import sympy

from discovery.estimation.orbits import Orbits
from discovery.formulas.simple_numbers import NUMBERS, Numbers
from discovery.laws.free.description import Halves, described, flat_directions, measured
from discovery.laws.free.stages import FreeFunctions, promising
from discovery.laws.judging.law import Findings, Law
from discovery.laws.stage import Stage
from discovery.libraries.fitted import Fitted
from discovery.libraries.free_forms import Form, Shape, one_summand, sum_form
from discovery.libraries.library import Library
from discovery.libraries.monomials import symbols_of
from discovery.libraries.rational import mostly_positive

# Descriptions of one function, and sums of them, that are offered.
_DESCRIPTIONS, _OFFERED = 4, 6
# What reports call the libraries.
NAME = "sums of functions of one coordinate"
# Coordinates, at most: of more, listed libraries are sums of as many.
_MOST_COLUMNS = 4
# The same beside known laws.
_MOST_BESIDE = 3
# Rows on which lengths are looked for, and runs that make two halves.
_ROWS, _FEWEST_RUNS = 4000, 4
# Degrees of expansions; the first one tells in what coordinates are even.
_DEGREES = (6, 4, 10)
_EVEN = ("values", "sizes", "ends")
# How often each coordinate is asked, and flat combinations that are looked at.
_SWEEPS, _LEADING = 2, 3


@dataclass
class Sums(FreeFunctions):
    """Closed forms of a sum of functions, where an expansion promises a law that is not known.

    Attributes
    ----------
    form : Form
    numbers : Numbers
        What lengths are rounded to.
    promises : bool
        Whether the expansion promised a law when it was tried.
    positive : tuple of int
        Columns whose values near zero are left out.
    """

    positive: tuple[int, ...] = ()

    def libraries(self, fit: Orbits, found: Findings) -> list[Library]:
        """Return libraries of few terms; none where the expansion is no flatter."""
        known = [law for law in found.laws if law.sure]
        if known and len(self.form.shapes) > _MOST_BESIDE:
            return []  # what is linear in amounts is known, and any of it may be added
        few = fit.where(fit.clear(self.positive)).thinned(_ROWS)
        if few.n_runs < _FEWEST_RUNS:
            return []
        # A run at the edge is far from what an expansion knows, and not from what forms do.
        whole = Halves(few, few)
        self.form = _flattest(self.form, Halves.of(few))
        new = promising(self.form, whole, known)
        self.promises = bool(new)
        if not new:
            return []
        best = [min(new, key=lambda flat: flat.flatness)]
        each = [
            _descriptions(one_summand(self.form, k), whole, few, best, self.numbers)
            for k in range(len(self.form.shapes))
        ]
        together = [
            _library(self.form, [*itertools.chain(*some)]) for some in itertools.product(*each)
        ]
        return sorted(together, key=lambda own: len(own) + own.fitted)[:_OFFERED]

    def imitated_by(self, law: Law, fit: Orbits, beside: Findings) -> list[Library]:
        """Return nothing: rivals have sums of a law's own coordinates.

        Parameters
        ----------
        law : Law
        fit : Orbits
            The runs that formulas are found on.
        beside : Findings
            The other laws.
        """
        return []


def _flattest(form: Form, halves: Halves) -> Form:
    """Return the form whose expansion moves least on the half that did not find it.

    One coordinate after the other, in what functions of it may vary evenly.
    """

    @cache
    def drift(shapes: tuple[Shape, ...], degree: int) -> float:
        library = replace(form, shapes=shapes, degree=degree).free()
        find, choose = halves.operators(library)
        vectors = flat_directions(find, 0).vectors[:, :_LEADING]
        return min((measured(choose, c).drift for c in vectors.T), default=np.inf)

    degree = _DEGREES[0]
    shapes = tuple(replace(shape, even=_EVEN[0]) for shape in form.shapes)
    for _, k in itertools.product(range(_SWEEPS), range(len(shapes))):
        ways = [(*shapes[:k], replace(shapes[k], even=even), *shapes[k + 1 :]) for even in _EVEN]
        shapes = min(ways, key=lambda way: drift(way, degree))
    degree = min(_DEGREES, key=lambda n: drift(shapes, n))
    return replace(form, shapes=shapes, degree=degree)


def _descriptions(
    form: Form, halves: Halves, fit: Orbits, promised: Sequence, numbers: Numbers
) -> list[list[sympy.Expr]]:
    """Return sets of functions that describe the only free function of a form."""
    plain = {sympy.Mul(*term) for term in form.plain}
    some = itertools.islice(described(form, halves, fit, promised, numbers), _DESCRIPTIONS)
    return [[term for term in own.expressions() if term not in plain] for own in some]


def _library(form: Form, terms: Sequence[sympy.Expr]) -> Fitted:
    fitted = {number for term in terms for number in term.atoms(sympy.Float)}
    exponents = [tuple(row) for row in np.eye(len(terms), dtype=int).tolist()]
    return Fitted(form.symbols, terms, exponents, NAME, len(fitted))


def sum_stages(
    names: Sequence[str],
    roles: Sequence[str | None],
    orbits: Orbits,
    numbers: Numbers = NUMBERS,
) -> list[Stage]:
    """Return the stage for two to four coordinates that are no angles; none for others.

    Parameters
    ----------
    names, roles : sequences of length d
    orbits : Orbits
        All runs: the ranges of the coordinates are theirs.
    numbers : Numbers
        What lengths are rounded to.
    """
    if not 1 < len(names) <= _MOST_COLUMNS or "angle" in roles:
        return []
    return [sums_of(symbols_of(names), range(len(names)), orbits, numbers)]


def sums_of(
    symbols: Sequence[sympy.Symbol], columns: Sequence[int], orbits: Orbits, numbers: Numbers
) -> Sums:
    """Return the stage of sums of functions of the given columns.

    Parameters
    ----------
    symbols : sequence of d sympy.Symbol
    columns : sequence of int
    orbits : Orbits
        Their range is theirs.
    numbers : Numbers
    """
    states, noise = orbits.smoothed.states, orbits.noise
    positive = tuple(i for i in columns if mostly_positive(states[:, i], noise[i]))
    clear = orbits.where(orbits.clear(positive))
    form = sum_form(symbols, columns, clear.smoothed.states, noise)
    return Sums(form, numbers, positive=positive)
