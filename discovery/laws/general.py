"""The general route: what is tried where no library holds the laws, whatever the coordinates are.

A quotient of two polynomials, found with its denominator (`finding.quotients`). It is one small
library, whose coefficients are fitted, rounded and judged like any other's; the
denominator's numbers count among the formula's.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sympy

from discovery.data.coordinates import MOMENTA, POSITIONS
from discovery.estimation.orbits import Orbits
from discovery.formulas.simple_numbers import NUMBERS, Numbers
from discovery.laws.finding.quotients import moments, shortest, spans
from discovery.laws.judging.law import Findings
from discovery.laws.stages import Stage
from discovery.libraries.fitted import Fitted
from discovery.libraries.library import Library
from discovery.libraries.monomials import monomials, symbols_of, term_count

# Functions in numerator and denominator each, at most: twice as many are solved for at once.
_MOST = 36
# Degrees of numerator and denominator.
_DEGREES = (1, 2, 3, 4)


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
        divisor = sum(self.numbers.symbolic(c) * written[j] for j, c in below.items())
        constant = (0,) * len(powers.symbols)
        exponents = [constant, *powers.exponents]
        return Fitted(
            powers.symbols,
            [*powers.symbols, 1 / divisor],
            [(*exponents[j], 1) for j in above],
            f"{powers.name} over another",
            fitted=len(below) - 1,
        )


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


def general_stages(
    names: Sequence[str], roles: Sequence[str | None], numbers: Numbers = NUMBERS
) -> list[Stage]:
    """Return the stages for coordinates that are no mechanical system's.

    Parameters
    ----------
    names : sequence of d str
    roles : sequence of d str or None
        Given or inferred. None are returned for positions with velocities or momenta, whose laws
        are sums of powers of these, and for angles.
    numbers : Numbers
        What coefficients are rounded to.
    """
    mechanical = set(roles) & set(POSITIONS) and set(roles) & set(MOMENTA)
    if mechanical or "angle" in roles or len(names) < 2:
        return []
    return [Quotients(tuple(names), numbers)]
