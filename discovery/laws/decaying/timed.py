"""Stages for data with a clock: laws that hold the time beside coordinates."""

from __future__ import annotations

from collections.abc import Sequence

from discovery.data.parameters import Parts
from discovery.formulas.simple_numbers import NUMBERS, Numbers
from discovery.laws.decaying.rate_search import Growing
from discovery.laws.stage import Stage
from discovery.laws.stages import Among, OfUnknownScale
from discovery.libraries.families import polynomial
from discovery.libraries.monomials import MAX_TERMS, symbols_of, term_count
from discovery.libraries.unknown_scale import driven


def timed(names: Sequence[str], parts: Parts, numbers: Numbers = NUMBERS) -> list[Stage]:
    """Return stages whose functions hold e^{γt}, or waves of a frequency that the data tell.

    Parameters
    ----------
    names : sequence of str
        All columns.
    parts : Parts
        Which columns are what; one is the clock.
    numbers : Numbers
        What frequencies are rounded to.
    """
    symbols, columns = symbols_of(names), (*parts.coordinates, *parts.clock)
    clock, own = symbols[parts.clock[0]], [names[i] for i in parts.coordinates]
    inner: list[Stage] = []
    if term_count(len(own), 2) + 4 + 2 * len(own) <= MAX_TERMS:
        inner += [Growing(polynomial(own, degree), clock, numbers) for degree in (1, 2)]
        inner.append(OfUnknownScale(driven(own, clock), numbers))
    return [Among(stage, symbols, columns) for stage in inner]
