"""Ratios of what decays: of two functions that are lost at one rate the quotient is conserved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from discovery.criteria import FORMULAS, LIBRARIES
from discovery.formulas.simple_numbers import DIGITS, Numbers
from discovery.laws.judging.law import Law
from discovery.libraries.fitted import Fitted
from discovery.libraries.library import Library
from discovery.libraries.monomials import unit


def ratios(lost: Sequence[Law], states: np.ndarray, numbers: Numbers) -> list[Library]:
    """Return the terms of a quotient for each two functions that decay at rates which may be one.

    Parameters
    ----------
    lost : sequence of Law
        What decays, with its rate.
    states : (n, d) array
        On them what is divided by keeps its sign, and away from zero beside its terms.
    numbers : Numbers
        What the numbers of denominators are written in.
    """
    known = [(law, rate) for law in lost if (rate := _rate(law)) is not None]
    found = [
        _ratio(one, other, states, numbers)
        for (one, rate), (other, another) in combinations(known, 2)
        if abs(rate[0] - another[0]) <= FORMULAS.interval * np.hypot(rate[1], another[1])
    ]
    return [library for library in found if library is not None]


def _rate(law: Law) -> tuple[float, float] | None:
    """Return the λ of ḣ = −λ h and its error; None where h decays to something, or otherwise."""
    decay, terms = law.decay, law.library.expressions()
    if not decay.losses:
        return None if decay.level else (decay.rate, decay.error)
    taken = dict(zip(decay.losses, decay.factors, strict=True))
    if taken.keys() != set(terms):
        return None
    each = np.array([taken[term] for term in terms]) / law.coefficients
    rate = float(each.mean())
    error = abs(rate) * decay.error / decay.rate
    return (rate, error) if np.ptp(each) <= 2 * FORMULAS.interval * error else None


def _ratio(one: Law, other: Law, states: np.ndarray, numbers: Numbers) -> Library | None:
    """Return the terms of a function over the sum of both that stays furthest from zero, if any.

    Either of the two counts as a sum. The numerator is what is left, or the shorter function.
    """
    whole = sum(_sizes(law, states) for law in (one, other))
    least = {
        (a, b): _clearance((a * one.values(states) + b * other.values(states)) / whole)
        for a, b in ((0, 1), (1, 0), (1, 1), (1, -1))
    }
    a, b = max(least, key=least.get)
    if least[a, b] <= LIBRARIES.smallest_value:
        return None
    below: Counter = Counter()
    for weight, law in ((a, one), (b, other)):
        for term, c in zip(law.library.expressions(), law.coefficients, strict=True):
            below[term] += weight * float(c)
    left = [law for law, own in ((one, b), (other, a)) if own]
    above = min(left, key=lambda law: len(law.library)).library.expressions()
    divisor = sum(numbers.symbolic(c, DIGITS) * term for term, c in below.items() if c)
    exponents = [unit(len(above), j) for j in range(len(above))]
    inside = sum(c != 0 for c in below.values()) - 1
    terms = [term / divisor for term in above]
    return Fitted(one.library.symbols, terms, exponents, "ratio of what decays", inside)


def _sizes(law: Law, states: np.ndarray) -> np.ndarray:
    """Return the sum of the sizes of a function's terms at each state."""
    return np.abs(law.coefficients) @ np.abs(law.library.values(states))


def _clearance(shares: np.ndarray) -> float:
    """Return the least size; zero where the sign changes, or there is no value."""
    one_sign = np.ptp(np.sign(shares)) == 0
    return float(np.abs(shares).min()) if one_sign and np.isfinite(shares).all() else 0.0
