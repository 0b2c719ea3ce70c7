"""Rounding: the coefficients that drift least, as the simplest numbers inside their intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from discovery.criteria import FORMULAS
from discovery.formulas.simple_numbers import NUMBERS, Numbers, Refit
from discovery.formulas.simplicity import widths
from discovery.laws.finding.candidates import Candidate
from discovery.laws.finding.operators import Operators

# Fractions of its interval that a coefficient is rounded within, in turn: the widest that the data
# allow is taken, and a finer grid of fractions would only take longer.
_SHRINK = (1.0, 0.7, 0.35, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 5e-4, 5e-5, 5e-6)


def better_of(ops: Operators, candidate: Candidate, refined: np.ndarray) -> Candidate:
    """Return the candidate with refined coefficients, unless the smoothed path speaks against.

    Parameters
    ----------
    ops : Operators
        On the runs that the candidate was found on.
    candidate : Candidate
    refined : (s,) array
    """
    local = ops.restrict(np.array(candidate.support))
    mu = float(local.pencil.ratio(refined))
    if mu > _limit(candidate):
        return candidate
    return replace(candidate, coefficients=refined, flatness=mu)


def _limit(candidate: Candidate) -> float:
    """Return the μ up to which other coefficients are as flat."""
    return max(FORMULAS.flatness_floor, candidate.flatness * FORMULAS.rounding_slack**2)


def without_uncertain(
    ops: Operators, candidate: Candidate, errors: np.ndarray, costs: np.ndarray
) -> Candidate | None:
    """Return the candidate without the term that is least surely not zero.

    None where every term is sure, or where the flatness needs it. What is zero goes at once.

    Parameters
    ----------
    ops : Operators
    candidate : Candidate
    errors : (s,) array
        Standard errors of the coefficients.
    costs : (m,) array
        What each term of the library costs.
    """
    there = candidate.coefficients != 0
    if not there.all():
        support = np.array(candidate.support)[there]
        return replace(
            candidate,
            support=tuple(int(j) for j in support),
            coefficients=candidate.coefficients[there],
            cost=float(costs[support].sum()),
        )
    doubt = errors / np.abs(candidate.coefficients)
    worst = int(np.argmax(doubt))
    if len(doubt) == 1 or doubt[worst] * FORMULAS.interval < 1:
        return None
    support = np.delete(np.array(candidate.support), worst)
    mu, c = ops.pencil.smallest(support)
    if mu > max(FORMULAS.flatness_floor, candidate.flatness * FORMULAS.rounding_slack):
        return None
    return Candidate(tuple(int(j) for j in support), c, mu, float(costs[support].sum()))


def rounded(
    ops: Operators,
    candidate: Candidate,
    still: Callable[..., bool],
    numbers: Numbers = NUMBERS,
    errors: np.ndarray | None = None,
    kinds: Sequence[tuple] = (),
    refit: Refit | None = None,
) -> np.ndarray:
    """Return the simplest coefficients inside their intervals.

    Terms of one kind (u², v²) get equal coefficients where these may be. One coefficient is scaled
    to one and the rest are rounded to simple fractions, coarsely at first; what no simple fraction
    fits keeps as many digits as it is known to. Every trial is tested: on the operators it must
    stay about as flat as the unrounded formula (or below `FORMULAS.flatness_floor`), and on the
    measured runs it must not drift more: than the fitted formula with all that was changed, and
    than the best of equal coefficients with the simple numbers alone. Where many are equal, few
    numbers would hide among all that is allowed for.

    Parameters
    ----------
    ops : Operators
    candidate : Candidate
    still : callable
        Tells whether coefficients drift no more than others, noise set aside, with how many ratios
        changed, all without a number: as `DriftTest.allows`.
    numbers : Numbers
        What counts as simple.
    errors : (s,) array, optional
        Standard errors of the candidate's coefficients; without them only flatness and drift
        limit the rounding.
    kinds : sequence of s tuples, optional
        Of the terms, as `Functions.kinds` tells them.
    refit : callable, optional
        Returns coefficients of which those that are simple numbers are fixed and the others are
        fitted anew beside them.

    Returns
    -------
    (s,) array
        Coefficients in the order of ``candidate.support``, most of them positive.
    """
    local = ops.restrict(np.array(candidate.support))
    limit = _limit(candidate)
    size = np.sqrt(np.diag(local.unit_dirichlet))
    exact = candidate.coefficients

    def flat(trial: np.ndarray) -> bool:
        return float(local.pencil.ratio(trial)) <= limit and still(trial, candidate.coefficients)

    def allowed(trial: np.ndarray) -> bool:
        simple = len(set(np.abs(exact[numbers.are_simple(trial)]))) - 1
        return flat(trial) and (simple < 1 or still(trial, exact, simple))

    if errors is not None and kinds:
        even = equal_in_kind(exact, errors, kinds)
        if np.any(even != exact) and flat(even):
            main = np.abs(even)[np.argmin(errors / np.abs(even))]
            others = even if refit is None else refit(even, np.abs(even) == main)
            # Along windows of one run what drifts least may still move from window to window.
            exact = others if flat(others) else even
    strong = np.flatnonzero(
        np.abs(exact) * size > FORMULAS.strong_term * np.max(np.abs(exact) * size)
    )
    known = {int(pivot): widths(exact, errors, pivot) for pivot in strong}
    simple = numbers.simplest(exact, known, _SHRINK, allowed, errors is not None, refit)
    if simple is not None:
        return simple
    pivot = int(np.argmax(np.abs(exact)))
    known = np.zeros(len(exact)) if errors is None else widths(exact, errors, pivot)
    return numbers.shortest(exact / exact[pivot], known, allowed)


def equal_in_kind(
    coefficients: np.ndarray, errors: np.ndarray, kinds: Sequence[tuple]
) -> np.ndarray:
    """Return coefficients of one size for terms of one kind, where the errors allow it.

    Parameters
    ----------
    coefficients, errors : (s,) arrays
        And their standard errors.
    kinds : sequence of s tuples
        Of the terms, as `Functions.kinds` tells them.
    """
    size, slack = np.abs(coefficients), FORMULAS.interval
    out = coefficients.copy()
    for kind in set(kinds):
        group: list[int] = []
        for i in sorted((i for i, k in enumerate(kinds) if k == kind), key=lambda i: size[i]):
            if group and size[i] - slack * errors[i] > (size + slack * errors)[group].min():
                group = []
            group.append(i)
            weights = 1 / np.maximum(errors[group], 1e-9 * size[group]) ** 2
            out[group] = np.sign(coefficients[group]) * np.average(size[group], weights=weights)
    return out
