"""Refitting: the coefficients of a law that was found on a sample, from sums over all runs.

What a library's search does on the runs that it has in memory is done for the few terms of one
law on runs that are read some at a time: `Sums` of parts are added, in any order of the parts. Some
runs refit and the others judge what comes of it, whichever piece a run is in.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy import stats

from discovery.criteria import FORMULAS, NOISE, LawCriteria
from discovery.estimation.orbits import Orbits
from discovery.formulas import simplicity
from discovery.formulas.simple_numbers import Numbers
from discovery.laws.finding import operators, rounding
from discovery.laws.finding.candidates import Candidate, expression
from discovery.laws.finding.differences import tied
from discovery.laws.finding.operators import Operators
from discovery.laws.judging.drift import GROUPS, DriftTest, Weighting
from discovery.laws.judging.law import Law
from discovery.laws.judging.least_drift import LeastDrift, stays
from discovery.laws.judging.numbers_inside import with_told
from discovery.libraries.functions import Functions

# Of so many runs `NOISE.fit_share` refit.
_OF = 1000


def drawn(run_ids: Sequence) -> tuple[np.ndarray, np.ndarray]:
    """Return a group for each run, and whether it refits: its id alone decides.

    Parameters
    ----------
    run_ids : sequence

    Returns
    -------
    (runs,) arrays of int and of bool
    """
    numbers = np.array([zlib.crc32(str(one).encode()) for one in run_ids], dtype=np.int64)
    return numbers % GROUPS, numbers // GROUPS % _OF < NOISE.fit_share * _OF


@dataclass(frozen=True)
class Sums:
    """What some runs add to the forms that decide the coefficients of s terms.

    Attributes
    ----------
    smoothed : operators.Sums
        Along the smoothed path.
    drifts : (groups, s, s) array
        Of each group's runs; see `LeastDrift`.
    runs : (groups,) array of int
    noise : (s, s) array
        What noise moves, times the weight.
    weight : float
        Of the measured samples.
    n_rows : int
    """

    smoothed: operators.Sums
    drifts: np.ndarray
    runs: np.ndarray
    noise: np.ndarray
    weight: float
    n_rows: int

    @classmethod
    def of(
        cls,
        library: Functions,
        coefficients: np.ndarray,
        orbits: Orbits,
        like: Weighting,
        groups: np.ndarray,
    ) -> Sums:
        """Sum over runs.

        Parameters
        ----------
        library : Functions
            s terms.
        coefficients : (s,) array
            Their noise weights the samples.
        orbits : Orbits
        like : Weighting
            Of all runs.
        groups : (runs,) array of int
        """
        test = DriftTest(library, coefficients, orbits, like=like)
        least, weight = test.by_groups(groups, GROUPS), test.weight
        smoothed = operators.sums_of(library, orbits.smoothed, orbits.offsets, orbits.scale)
        n_rows = len(orbits.measured.states)
        return cls(smoothed, least.drifts, least.runs, least.noise * weight, weight, n_rows)

    def __add__(self, other: Sums) -> Sums:
        """Return the sums over the runs of both."""
        return Sums(
            *(
                getattr(self, name) + getattr(other, name)
                for name in ("smoothed", "drifts", "runs", "noise", "weight", "n_rows")
            )
        )

    @property
    def is_finite(self) -> bool:
        """Whether all terms have values."""
        return bool(np.isfinite(self.drifts).all() and np.isfinite(self.noise).all())

    @property
    def least(self) -> LeastDrift:
        """What the terms drift, by groups that have runs; weights are then of mean one."""
        some = self.runs > 0
        drifts = self.drifts[some] * (self.n_rows / self.weight)
        return LeastDrift(drifts, self.runs[some], self.noise / self.weight)


def added(parts: Sequence[Sums | None]) -> Sums | None:
    """Return the sum of those that are there."""
    there = [part for part in parts if part is not None]
    return sum(there[1:], there[0]) if there else None


def with_errors_of_all(law: Law, sums: Sums, columns: Sequence[int] | None = None) -> Law:
    """Return a law with the standard errors that all runs tell; see `numbers_inside.with_errors`.

    Parameters
    ----------
    law : Law
    sums : Sums
        Of its terms, and of changes of the numbers inside them.
    columns : sequence of int, optional
        Which of these the law has; all by default.
    """
    least, n_terms = sums.least, len(law.library)
    least = least if columns is None else least.restrict(columns)
    if not sums.is_finite or len(least.runs) < law.criteria.min_runs:
        return law
    coefficients = np.append(law.coefficients, np.zeros(len(least.noise) - n_terms))
    return with_told(law, least.square_errors(coefficients), law.inside)


def refitted(law: Law, sums: Sums, every: Sums, numbers: Numbers) -> Law | None:
    """Return a law with the coefficients that drift least on more runs; None for the same ones.

    As a candidate of a search is: terms that may as well be zero are left out, and numbers are as
    simple as their intervals allow.

    Parameters
    ----------
    law : Law
        Numbers inside its terms stay as they are.
    sums : Sums
        Of its terms, on the runs that refit.
    every : Sums
        On all runs, which tell the errors.
    numbers : Numbers
        What coefficients are rounded to.

    Returns
    -------
    Law or None
        With the evidence of the law, which it must not keep, on the scale of its own coefficients.
    """
    terms, least = law.library, sums.least
    own = range(len(terms))
    least, ops = least.restrict(own), sums.smoothed.operators().restrict(np.array(own))
    if not sums.is_finite or len(least.runs) < law.criteria.min_runs:
        return None
    flatness = float(ops.pencil.ratio(law.coefficients))
    candidate = Candidate(tuple(own), law.coefficients, flatness, float(terms.costs().sum()))
    candidate, errors = _shortened(candidate, least, ops, terms.costs())
    if not np.isfinite(errors).all():
        return None
    some = list(candidate.support)
    size = least.noise_of(law.coefficients)
    terms, least = terms.restrict(some), least.restrict(some)
    of_some = ops.restrict(np.array(some))
    still = partial(_allowed, least, of_some, law.criteria)
    kinds, fitted = terms.kinds(), candidate.coefficients
    coefficients = rounding.rounded(ops, candidate, still, numbers, errors, kinds, least.refitted)
    errors = errors * np.abs(coefficients / fitted)
    coefficients = tied(terms.expressions(), coefficients, errors, partial(still, fitted=fitted))
    written = terms.expressions()
    if len(some) == len(own) and np.allclose(coefficients, law.coefficients, rtol=1e-9, atol=0):
        return None
    # How far the law varies is not known anew, only on another scale.
    scale = np.sqrt(least.noise_of(coefficients) / max(size, 1e-300))
    new = replace(
        law,
        evidence=replace(law.evidence, spread=law.evidence.spread * float(scale)),
        library=terms,
        coefficients=coefficients,
        expression=expression(written, coefficients, numbers),
        cost=candidate.cost + len(terms),
        by_chance=simplicity.by_chance(coefficients, errors, kinds, numbers),
        length=simplicity.length(written, coefficients, kinds, numbers),
        alternatives=(),
    )
    return with_errors_of_all(new, every, None if len(some) == len(own) else some)


def _shortened(
    candidate: Candidate, least: LeastDrift, ops: Operators, costs: np.ndarray
) -> tuple[Candidate, np.ndarray]:
    """Return a candidate without terms that may as well be zero, and its standard errors."""
    level = 2 * float(stats.norm.sf(FORMULAS.interval))
    while True:
        own = least.restrict(candidate.support)
        best = own.refined(near=candidate.coefficients)
        candidate = rounding.better_of(ops, candidate, best)
        errors = own.standard_errors(candidate.coefficients, level)
        shorter = rounding.without_uncertain(ops, candidate, errors, costs)
        if shorter is None:
            return candidate, errors
        candidate = shorter


def _allowed(
    least: LeastDrift,
    ops: Operators,
    criteria: LawCriteria,
    trial: np.ndarray,
    fitted: np.ndarray,
    ratios: int = 0,
) -> bool:
    """Tell whether coefficients are as good as fitted ones, as `DriftTest.allows` does by runs."""
    noise = least.noise_of(fitted)
    variance = fitted @ (ops.within + ops.between) @ fitted
    return stays(
        least.motions(trial, noise),
        least.motions(fitted, noise),
        least.runs,
        criteria.rounding_drift**2 * float(variance),
        ratios or max(len(fitted) - 1, 1),
        criteria,
    )


def fits(law: Law, sums: Sums, numbers: Numbers) -> bool:
    """Tell whether all coefficients are simple numbers that lie in their intervals on more runs.

    Parameters
    ----------
    law : Law
    sums : Sums
        Of its terms, on the runs that refit.
    numbers : Numbers
        What counts as simple.
    """
    c = law.coefficients
    if not sums.is_finite or not numbers.are_simple(c).all():
        return False
    least = sums.least.restrict(range(len(c)))
    errors = least.standard_errors(c)
    off = np.abs(least.shift(c, least.main(c)))
    return bool(np.all(off <= FORMULAS.interval * errors + FORMULAS.least_width * np.abs(c)))
