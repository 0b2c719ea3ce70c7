"""Rounding: the coefficients that drift least, as the simplest numbers inside their intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from discovery.formulas.pencil import Operators, flatness, smallest
from discovery.formulas.simple_numbers import NUMBERS, Numbers
from discovery.formulas.simplicity import INTERVAL, UNKNOWN, _widths
from discovery.laws.finding.candidates import FLOOR, Candidate

# Factor by which other coefficients may raise μ where the measured runs are asked too.
ROUNDED = 1.15


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
