"""The general route: what is tried where no library holds the laws, whatever the coordinates are.

A quotient of two polynomials, found with its denominator (`finding.quotients`), and products of
powers of linear or quadratic functions, found from the surfaces that no run crosses
(`finding.darboux`). Each is
one small library, whose coefficients are fitted, rounded and judged like any other's; the
numbers of denominators and inside powers count among the formula's.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sympy

from discovery.criteria import LAWS
from discovery.data.coordinates import MOMENTA, POSITIONS
from discovery.estimation.orbits import Orbits
from discovery.formulas.simple_numbers import DIGITS, NUMBERS, Numbers
from discovery.laws.finding.darboux import Clear, Field, darboux_polynomials
from discovery.laws.finding.products import (
    Refined,
    Terms,
    normalised,
    refined,
    rounded,
    started,
    thinned,
)
from discovery.laws.finding.quotients import moments, shortest, spans
from discovery.laws.judging.law import Findings
from discovery.laws.judging.verdict import Verdict
from discovery.laws.stage import Stage
from discovery.libraries.families import polynomial
from discovery.libraries.fitted import Fitted
from discovery.libraries.functions import Functions
from discovery.libraries.library import Library
from discovery.libraries.monomials import monomials, symbols_of, term_count, unit

# Functions in numerator and denominator each, at most: twice as many are solved for at once.
_MOST = 36
# Degrees of numerator and denominator.
_DEGREES = (1, 2, 3, 4)
# Degrees of the field whose surfaces are looked for, of these, and of what stands beside their
# logarithms.
_FIELDS, _SURFACES, _RESTS = (2, 3), (1, 2), (1, 2)
# Monomials in a surface, at most: conics have five; quadrics in space take seconds to look for.
_MOST_IN_SURFACES = 5


@dataclass(frozen=True)
class Quotients(Stage):
    """Quotients of polynomials, from low degree to high.

    Attributes
    ----------
    names : tuple of str
        The coordinates.
    numbers : Numbers
        What coefficients are rounded to.
    name : str
        What reports call the stage where it has nothing to try.
    """

    names: tuple[str, ...]
    numbers: Numbers = NUMBERS
    name: str = "quotients"

    def __len__(self) -> int:
        return 0

    def libraries(self, fit: Orbits, found: Findings) -> Iterator[Library] | None:
        """Return a library for each degree at which some quotient is flat; None in windows."""
        return None if fit.of_run is not None else self._libraries(fit)

    def _libraries(self, fit: Orbits) -> Iterator[Library]:
        rng = np.random.default_rng(0)
        for powers in _powers(self.names):
            some, sizes = moments(powers, fit)
            for _, span in spans(some, rng):
                states = np.vstack([fit.smoothed.states, fit.measured.states])
                values = np.vstack([np.ones(len(states)), powers.values(states)]) / sizes[:, None]
                quotient = shortest(some, span, values, sizes, self.numbers)
                if quotient is not None:
                    yield self._library(powers, quotient.above, quotient.below)

    def _library(self, powers: Library, above: Sequence[int], below: dict[int, float]) -> Library:
        """Return the terms of the numerator over the denominator."""
        written = [sympy.S.One, *powers.expressions()]
        divisor = sum(self.numbers.symbolic(c, DIGITS) * written[j] for j, c in below.items())
        constant = (0,) * len(powers.symbols)
        exponents = [constant, *powers.exponents]
        return Fitted(
            powers.symbols,
            [*powers.symbols, 1 / divisor],
            [(*exponents[j], 1) for j in above],
            f"{powers.name} over another",
            fitted=len(below) - 1,
        )


@dataclass(frozen=True)
class Products(Stage):
    """Products of powers of linear or quadratic functions that runs keep the sign of.

    Attributes
    ----------
    names : tuple of str
        The coordinates.
    times : (n,) array
        Of the rows of the runs that formulas are found on.
    numbers : Numbers
        What coefficients are rounded to.
    name : str
        What reports call the stage where it has nothing to try.
    """

    names: tuple[str, ...]
    times: np.ndarray
    numbers: Numbers = NUMBERS
    name: str = "products of powers"

    def __len__(self) -> int:
        return 0

    def libraries(self, fit: Orbits, found: Findings) -> Iterator[Library] | None:
        """Return a library for each product that is flat; None in windows."""
        return None if fit.of_run is not None else self._libraries(fit)

    def _libraries(self, fit: Orbits) -> Iterator[Library]:
        for degree in _SURFACES:
            powers = polynomial(self.names, degree)
            if len(powers) > _MOST_IN_SURFACES:
                return
            surfaces = list(self._surfaces(powers, fit))
            if degree > 1:
                # Among quadrics are products of planes, and what is nearly exp(g): fewest first.
                surfaces = [found[:n] for found in surfaces for n in range(1, len(found) + 1)]
            # A function beside the logarithms of too few imitates those that are missing.
            for rest in _RESTS:
                for found in surfaces:
                    # A logarithm says nothing where noise hides that its polynomial is positive.
                    clear = fit.where(Clear(powers, found)(fit))
                    terms = Terms(polynomial(self.names, rest), powers, clear)
                    flat = list(self._refined(terms, found))
                    yield from (self._library(terms, thinned(terms, one)) for one in flat)
                    if flat:
                        return

    def _surfaces(self, powers: Library, fit: Orbits) -> Iterator[np.ndarray]:
        """Yield the polynomials whose zeros runs do not cross, for each degree of the field.

        Of higher degree are all products of these, too, and what imitates them.
        """
        rng = np.random.default_rng(0)
        for degree in _FIELDS:
            if term_count(len(self.names), degree) >= _MOST:
                continue
            field = Field.fitted(polynomial(self.names, degree), fit, self.times)
            if field is None:
                return
            cofactors = polynomial(self.names, degree - 1)
            found = darboux_polynomials(field, powers, cofactors, fit, rng)
            if len(found):
                yield found

    def _refined(self, terms: Terms, surfaces: np.ndarray) -> Iterator[Refined]:
        """Yield the products of given polynomials that are flat once refined."""
        for start in started(terms, surfaces * terms.sizes):
            product, fixed = normalised(start)
            one = refined(terms, product, ~fixed)
            if one is not None and one.flatness <= 2 * LAWS.flatness_ceiling:
                yield one

    def _library(self, terms: Terms, found: Refined) -> Library:
        """Return what is left of g, and the logarithms."""
        rest = terms.rest_library
        written = [sympy.S.One, *terms.powers_library.expressions()]
        logs, fitted = [], 0
        inside = rounded(terms, found, self.numbers)
        for polynomial_ in inside:
            used = np.flatnonzero(polynomial_)
            fitted += len(used) - 1
            parts = [self.numbers.symbolic(polynomial_[j], DIGITS) * written[j] for j in used]
            logs.append(sympy.log(sympy.Add(*parts)))
        zero = (0,) * len(logs)
        exponents = [(*rest.exponents[j], *zero) for j in np.flatnonzero(found.product.rest)]
        none = (0,) * len(rest.symbols)
        exponents += [(*none, *unit(len(logs), k)) for k in range(len(logs))]
        # There may be none left.
        clear = Clear(terms.powers_library, np.reshape(inside, (len(inside), len(written))))
        return Fitted(rest.symbols, [*rest.symbols, *logs], exponents, self.name, fitted, clear)


def _powers(names: Sequence[str]) -> Iterator[Library]:
    """Yield what numerators and denominators are made of, the smaller first.

    Beside all monomials up to a degree those of a degree in each coordinate: invariants of
    integrable maps are biquadratic.
    """
    d, symbols = len(names), symbols_of(names)
    sets = [
        (monomials(d, degree), f"polynomial({degree})")
        for degree in _DEGREES
        if term_count(d, degree) < _MOST
    ]
    for degree in (1, 2):
        if d > 1 and (degree + 1) ** d <= _MOST:
            each = [e for e in itertools.product(range(degree + 1), repeat=d) if any(e)]
            sets.append((sorted(each, key=sum), f"polynomial({degree} in each)"))
    for exponents, name in sorted(sets, key=lambda pair: len(pair[0])):
        yield Library(symbols, symbols, exponents, name)


@dataclass(frozen=True)
class WhereNone(Stage):
    """A stage that is tried where no exact law was found.

    Attributes
    ----------
    stage : Stage
    """

    stage: Stage

    @property
    def name(self) -> str:
        """The stage's."""
        return self.stage.name

    def __len__(self) -> int:
        return len(self.stage)

    def libraries(self, fit: Orbits, found: Findings) -> Iterable[Functions] | None:
        """Return what the stage gives; None beside an exact law.

        What is nearly conserved may be what a polynomial makes of the law that is missing.
        """
        known = any(law.verdict == Verdict.EXACT for law in found.laws)
        return None if known else self.stage.libraries(fit, found)


def general_stages(
    names: Sequence[str],
    roles: Sequence[str | None],
    numbers: Numbers = NUMBERS,
    *,
    times: np.ndarray | None = None,
    given: bool = True,
    iterates: bool = False,
) -> list[Stage]:
    """Return the stages for coordinates that are no mechanical system's.

    Parameters
    ----------
    names : sequence of d str
    roles : sequence of d str or None
        Given or inferred. None are returned for positions with velocities or momenta, whose laws
        are sums of powers of these if they move on paths, and for angles.
    numbers : Numbers
        What coefficients are rounded to.
    times : (n,) array, optional
        Of the rows of the runs that formulas are found on; None where these lie on no path.
    given : bool
        Whether roles were given. Where they were inferred they may be wrong: stages are returned
        for any, to be tried where no exact law was found.
    iterates : bool
        Whether the rows lie on no path: a map of positions and momenta may keep a quotient.
    """
    if len(names) < 2:
        return []
    stages: list[Stage] = [Quotients(tuple(names), numbers)]
    if times is not None:
        stages.insert(0, Products(tuple(names), times, numbers))
    mechanical = not iterates and set(roles) & set(POSITIONS) and set(roles) & set(MOMENTA)
    if mechanical or "angle" in roles:
        return [] if given else [WhereNone(stage) for stage in stages]
    return stages
