"""Rounding: the coefficients that drift least, as the simplest numbers inside their intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from discovery.flatness import Operators, flatness
from discovery.formulas import FLOOR, Candidate, smallest
from discovery.libraries.functions import Functions
from discovery.numbers import NUMBERS, Numbers

# Factor by which other coefficients may raise μ where the measured runs are asked too.
ROUNDED = 1.15
# Coefficients lie within so many standard errors, and are never known better or worse than this.
INTERVAL = 2.5
KNOWN = 5e-4
UNKNOWN = 0.3
# Ratios of numbers up to the first, of which there are so many per unit of the logarithm.
_TEXTBOOK, _DENSITY = 4, 4.0
# Fractions of its interval that a coefficient is rounded within, in turn.
_SHRINK = (1.0, 0.7, 0.35, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 5e-4, 5e-5, 5e-6)


def better_of(ops: Operators, candidate: Candidate, refined: np.ndarray) -> Candidate:
    """Return the candidate with refined coefficients, unless the smoothed path speaks against."""
    local = ops.restrict(np.array(candidate.support))
    mu = float(flatness(local, refined))
    if mu > max(FLOOR, candidate.flatness * ROUNDED**2):
        return candidate
    return replace(candidate, coefficients=refined, flatness=mu)


def without_uncertain(
    ops: Operators, candidate: Candidate, errors: np.ndarray, costs: np.ndarray
) -> Candidate | None:
    """Return the candidate without the term that is least surely not zero.

    None where every term is sure, or where the flatness needs it.

    Parameters
    ----------
    errors : (s,) array
        Standard errors of the coefficients.
    costs : (m,) array
        What each term of the library costs.
    """
    doubt = errors / np.abs(candidate.coefficients)
    worst = int(np.argmax(doubt))
    if doubt[worst] * INTERVAL < 1:
        return None
    support = np.delete(np.array(candidate.support), worst)
    mu, c = smallest(ops, support)
    if mu > max(FLOOR, candidate.flatness * ROUNDED):
        return None
    return Candidate(tuple(int(j) for j in support), c, mu, float(costs[support].sum()))


def rounded(
    ops: Operators,
    candidate: Candidate,
    still: Callable[[np.ndarray], bool],
    numbers: Numbers = NUMBERS,
    errors: np.ndarray | None = None,
    kinds: Sequence[tuple] = (),
) -> np.ndarray:
    """Return the simplest coefficients inside their intervals.

    Terms of one kind (u², v²) get equal coefficients where these may be. One coefficient is scaled
    to one and the rest are rounded to simple fractions, coarsely at first; what no simple fraction
    fits keeps as many digits as it is known to. Every trial is tested: on the operators it must
    stay about as flat as the unrounded formula (or be below `FLOOR`), and on the measured runs it
    must not drift more.

    Parameters
    ----------
    still : callable
        Tells whether coefficients drift no more than the unrounded ones, noise set aside.
    numbers : Numbers
        What counts as simple.
    errors : (s,) array, optional
        Standard errors of the candidate's coefficients; without them only flatness and drift
        limit the rounding.
    kinds : sequence of s tuples, optional
        Of the terms, as `Library.kinds` tells them.

    Returns
    -------
    (s,) array
        Coefficients in the order of ``candidate.support``, most of them positive.
    """
    support = np.array(candidate.support)
    local = ops.restrict(support)
    limit = max(FLOOR, candidate.flatness * ROUNDED**2)
    size = np.sqrt(np.diag(local.unit_dirichlet))
    exact = candidate.coefficients

    def allowed(trial: np.ndarray) -> bool:
        return float(flatness(local, trial)) <= limit and still(trial)

    if errors is not None and kinds:
        even = _equal_in_kind(exact, errors, kinds)
        exact = even if allowed(even) else exact
    strong = np.flatnonzero(np.abs(exact) * size > 0.02 * np.max(np.abs(exact) * size))
    widths = {int(pivot): _widths(exact, errors, pivot) for pivot in strong}
    for shrink in _SHRINK:
        trials = []
        for pivot, width in widths.items():
            known = width if errors is not None else np.zeros(len(exact))
            pairs = [
                numbers.simple(ratio, shrink * w, k)
                for ratio, w, k in zip(exact / exact[pivot], width, known, strict=True)
            ]
            trials.append((sum(p[1] for p in pairs), tuple(p[0] for p in pairs)))
        for cost, values in sorted(trials):
            if np.isfinite(cost) and allowed(np.array(values)):
                return _signed(np.array(values))
    pivot = int(np.argmax(np.abs(exact)))
    known = _widths(exact, errors, pivot) if errors is not None else np.zeros(len(exact))
    return _signed(_digits(exact / exact[pivot], known, allowed, numbers))


def _equal_in_kind(
    coefficients: np.ndarray, errors: np.ndarray, kinds: Sequence[tuple]
) -> np.ndarray:
    """Return coefficients of one size for terms of one kind, where the errors allow it."""
    size = np.abs(coefficients)
    out = coefficients.copy()
    for kind in set(kinds):
        group: list[int] = []
        for i in sorted((i for i, k in enumerate(kinds) if k == kind), key=lambda i: size[i]):
            if group and size[i] - INTERVAL * errors[i] > (size + INTERVAL * errors)[group].min():
                group = []
            group.append(i)
            weights = 1 / np.maximum(errors[group], 1e-9 * size[group]) ** 2
            out[group] = np.sign(coefficients[group]) * np.average(size[group], weights=weights)
    return out


def free_numbers(coefficients: np.ndarray, kinds: Sequence[tuple]) -> int:
    """Count the numbers in a formula: equal coefficients of terms of one kind are one."""
    return len({(kind, round(abs(c), 12)) for kind, c in zip(kinds, coefficients, strict=True)})


def by_chance(coefficients: np.ndarray, errors: np.ndarray, terms: Functions) -> float:
    """Return how probably a formula of arbitrary coefficients would be rounded to such simple ones.

    What imitates a law has coefficients as they come; a law's own are often 1, 2 or a half. Equal
    coefficients of terms that differ in their coordinates only (x², y²) count once: a symmetry of
    the system makes them equal in its imitations too.

    Parameters
    ----------
    coefficients : (s,) array
        Rounded.
    errors : (s,) array
        Standard errors before; the coefficient that sets the scale has none.
    terms : Functions
        The formula's own.
    """
    main = int(np.argmin(errors / np.abs(coefficients)))
    ratios = np.abs(coefficients / coefficients[main])
    widths = _widths(coefficients, errors, main)
    kinds = terms.kinds()
    simple: dict[tuple, float] = {}
    for ratio, width, kind in zip(ratios, widths, kinds, strict=True):
        for q in range(1, _TEXTBOOK + 1):
            p = round(ratio * q)
            if 1 <= p <= _TEXTBOOK and abs(p / q - ratio) <= 1e-9 * ratio:
                key = (kind, Fraction(p, q))
                simple[key] = min(width, simple.get(key, np.inf))
    simple.pop((kinds[main], Fraction(1)))
    return float(np.prod([min(2 * _DENSITY * width, 1.0) for width in simple.values()]))


def _widths(coefficients: np.ndarray, errors: np.ndarray | None, pivot: int) -> np.ndarray:
    """Return how far each coefficient over the pivot's may be off, as a fraction of itself."""
    if errors is None:
        return np.full(len(coefficients), UNKNOWN)
    relative = errors / np.abs(coefficients)
    width = INTERVAL * np.hypot(relative, relative[pivot])
    return np.clip(width, KNOWN, UNKNOWN)


def _digits(
    ratios: np.ndarray,
    known: np.ndarray,
    allowed: Callable[[np.ndarray], bool],
    numbers: Numbers,
) -> np.ndarray:
    """Round to as few digits as are known and allowed, simple fractions where they fit."""
    known_digits = 1 - np.floor(np.log10(np.where(known > 0, known, UNKNOWN)))
    for extra in range(11):
        values = np.empty(len(ratios))
        for i, digits in enumerate(np.maximum(known_digits, 2).astype(int) + extra):
            tolerance = max(10.0 ** (1 - digits), known[i])
            values[i], cost = numbers.simple(ratios[i], tolerance, known[i])
            if not np.isfinite(cost):
                values[i] = float(f"{ratios[i]:.{digits - 1}e}")
        if allowed(values):
            return values
    return ratios


def _signed(values: np.ndarray) -> np.ndarray:
    negative = np.sum(values < 0)
    flip = negative > len(values) / 2 or (negative == len(values) / 2 and values[0] < 0)
    return -values if flip else values
