"""The judge: a candidate is refined on the fit runs and tested on the held-out ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import TypeAlias

import numpy as np
import sympy
from scipy import stats

from discovery.criteria import FORMULAS, LAWS, LawCriteria
from discovery.estimation.split import Split
from discovery.formulas import simplicity
from discovery.formulas.simple_numbers import NUMBERS, Numbers
from discovery.laws.finding import rounding
from discovery.laws.finding.candidates import Candidate, expression
from discovery.laws.finding.differences import tied
from discovery.laws.finding.operators import Operators
from discovery.laws.judging.beside import beside, chance_beside, drift_beside, known_on
from discovery.laws.judging.constraint import (
    apart_by_own_noise,
    chance_of_constraint,
    flatness_without_factor,
    seen_in_runs,
    slope_beyond_noise,
)
from discovery.laws.judging.drift import DriftTest, Evaluated
from discovery.laws.judging.evidence import (
    RESAMPLES,
    Evidence,
    Runs,
    chance_of_windows,
    gather,
    motion_along,
)
from discovery.laws.judging.following import chance_of_following
from discovery.laws.judging.law import Law
from discovery.laws.judging.missing import with_missing
from discovery.laws.judging.verdict import (
    Check,
    Formula,
    Verdict,
    checks,
    exact_in,
    told,
    verdict_of,
)
from discovery.libraries.functions import Functions

# A formula, what held-out runs say of it, and the checks.
Tested: TypeAlias = tuple[Formula, Evidence, tuple[Check, ...]]


@dataclass(frozen=True)
class Refined:
    """A candidate with the coefficients that drift least.

    Attributes
    ----------
    candidate : Candidate
    drift : DriftTest
        Of its terms, on the fit runs.
    errors : (s,) array
        Standard errors of the coefficients.
    """

    candidate: Candidate
    drift: DriftTest
    errors: np.ndarray


def forms(laws: Sequence[Law]) -> list[tuple[Functions, np.ndarray]]:
    """Return the terms and coefficients of laws."""
    return [(law.library, law.coefficients) for law in laws]


@dataclass(frozen=True)
class Judge:
    """Judges the candidates of one library.

    Attributes
    ----------
    library : Functions
    split : Split
        Runs that formulas are found on, and runs that judge them; rows on which the library is
        defined.
    rng : numpy.random.Generator
        For the resamples of runs: the same ones for every formula.
    numbers : Numbers
        What coefficients are rounded to.
    criteria : LawCriteria
    number : iterator of int
        Counts the candidates that these runs judge, over all libraries.
    known : sequence of Law
        Exact ones beyond doubt that other libraries gave.
    beside : sequence of Law
        Those that nearly tell a candidate: it is fitted, and its motion sought, without the noise
        that they show.
    """

    library: Functions
    split: Split
    rng: np.random.Generator
    numbers: Numbers = NUMBERS
    criteria: LawCriteria = LAWS
    number: Iterator[int] = field(default_factory=lambda: count(1))
    known: Sequence[Law] = ()
    beside: Sequence[Law] = ()

    def hopeless(self, candidate: Candidate, held: Operators) -> bool:
        """Tell whether held-out runs refute a candidate so clearly that refining cannot help.

        Parameters
        ----------
        candidate : Candidate
        held : Operators
            Of the library, on the held-out runs.
        """
        ops, c = held.restrict(np.array(candidate.support)), candidate.coefficients
        moved, factor = c @ ops.within @ c, self.criteria.hopeless_factor
        return bool(
            moved > factor * self.criteria.flatness_ceiling * (c @ ops.dirichlet @ c)
            and moved > factor * self.criteria.small_drift**2 * (c @ ops.between @ c)
        )

    def refined(self, ops: Operators, candidate: Candidate) -> Refined:
        """Return the candidate with the coefficients that drift least on the fit runs.

        Terms that may as well be zero are left out, the least certain first; where the rest still
        moves on these runs, a term that is surely not zero comes back.
        """
        refined = self._shortened(ops, candidate)
        while self._moves(refined):
            longer = self.lengthened(ops, refined)
            if longer is None:
                break
            refined = longer
        return refined

    def lengthened(self, ops: Operators, refined: Refined) -> Refined | None:
        """Return a formula with the term that it lacks most surely, if it stays in."""
        candidate = refined.candidate
        longer = with_missing(self.library, ops, candidate, self.split.fit, self.criteria)
        # A coordinate that moves is not stilled by other functions of it.
        if longer is None or len(self.coordinates(longer)) == 1:
            return None
        again = self._shortened(ops, longer)
        return again if len(again.candidate.support) > len(candidate.support) else None

    def coordinates(self, candidate: Candidate) -> set[sympy.Symbol]:
        """Return those that the terms of a candidate have."""
        terms = self.library.restrict(candidate.support).expressions()
        return set().union(*(term.free_symbols for term in terms))

    def as_it_is(self, candidate: Candidate) -> Refined:
        """Return a candidate with its own coefficients, and what the fit runs say of them."""
        terms = self.library.restrict(candidate.support)
        drift = DriftTest(terms, candidate.coefficients, self.split.fit, self.criteria)
        level = 2 * float(stats.norm.sf(FORMULAS.interval))
        return Refined(candidate, drift, drift.standard_errors(candidate.coefficients, level))

    def _shortened(self, ops: Operators, candidate: Candidate) -> Refined:
        whole, fit = candidate.support, self.split.fit
        evaluated = Evaluated.of(self.library.restrict(whole), self.split.fit)
        evaluated = beside(evaluated, known_on(forms(self.beside), fit), fit, even=True)
        while True:
            terms = self.library.restrict(candidate.support)
            own = evaluated.restrict([whole.index(j) for j in candidate.support])
            drift = DriftTest(terms, candidate.coefficients, fit, self.criteria, own)
            candidate = rounding.better_of(ops, candidate, drift.refined())
            level = 2 * float(stats.norm.sf(FORMULAS.interval))
            errors = drift.standard_errors(candidate.coefficients, level)
            shorter = rounding.without_uncertain(ops, candidate, errors, self.library.costs())
            if shorter is None:
                return Refined(candidate, drift, errors)
            candidate = shorter

    def _moves(self, refined: Refined) -> bool:
        """Tell whether a formula shows signs of motion on the runs that it was fitted to."""
        coefficients, drift = refined.candidate.coefficients, refined.drift
        return drift.chance(coefficients) < self.criteria.suspected_motion

    def law(self, ops: Operators, refined: Refined) -> Law:
        """Round the coefficients of a refined candidate and test it on the held-out runs.

        Parameters
        ----------
        ops : Operators
            Of the library, on the fit runs.
        refined : Refined

        Returns
        -------
        Law
            Whatever the verdict on it.
        """
        candidate, k = refined.candidate, next(self.number)
        terms = self.library.restrict(candidate.support)
        formula, evidence, table = self._in_simple_numbers(ops, refined, terms, k)
        if verdict_of(table) in (Verdict.EXACT, Verdict.IDENTITY):
            evidence = self._in_all_runs(formula, evidence)
            table = checks(evidence, formula, self.criteria)
        if verdict_of(table) == Verdict.IDENTITY:
            formula, table = self._as_identity(formula, evidence)
        written, rounded = terms.expressions(), formula.coefficients
        if verdict_of(table) == Verdict.EXACT:
            evidence = self._beside_known(evidence, terms, rounded, k)
            table = checks(evidence, formula, self.criteria)
        return Law(
            library=terms,
            coefficients=rounded,
            expression=expression(written, rounded, self.numbers),
            evidence=evidence,
            verdict=verdict_of(table),
            cost=candidate.cost + len(terms),
            by_chance=formula.by_chance,
            error=formula.error,
            checks=told(table),
            exact_in=exact_in(table, evidence.resamples),
            criteria=self.criteria,
            # What has no closed form costs what its functions cost.
            length=None
            if terms.learned
            else simplicity.length(written, rounded, terms.kinds(), self.numbers),
            candidate=k,
            near=bool(self.beside),
            by_run=bool(self.split.held.parameters),
        )

    def _in_simple_numbers(
        self, ops: Operators, refined: Refined, terms: Functions, k: int
    ) -> Tested:
        """Test a candidate on the held-out runs, with rounded coefficients where these do."""
        candidate, errors = refined.candidate, refined.errors
        tested = self._tested(terms, candidate.coefficients, errors, k)
        _, evidence, table = tested
        # Simple numbers are often better than fitted ones, but no cure for what plainly drifts.
        slight = evidence.drift_interval[0] <= self.criteria.plain_drift
        if not np.isfinite(errors).all() or not (slight or verdict_of(table) != Verdict.REJECTED):
            return tested
        allowed = partial(refined.drift.allows, fitted=candidate.coefficients)
        coefficients = rounding.rounded(
            ops,
            candidate,
            refined.drift.allows,
            self.numbers,
            errors,
            terms.kinds(),
            refined.drift.refitted,
        )
        errors = errors * np.abs(coefficients / candidate.coefficients)
        coefficients = tied(terms.expressions(), coefficients, errors, allowed)
        return self._tested(terms, coefficients, errors, k)

    def _in_all_runs(self, formula: Formula, evidence: Evidence) -> Evidence:
        """Add what all runs say of an exact law or an identity.

        Runs that a formula was fitted to flatter it, so motion that they show too is real.
        """
        whole = formula.terms, formula.coefficients, self.split.all, self.criteria
        every = Runs.of(*whole, by_chance=formula.by_chance)
        tests = [every.motion.chance(self.criteria), evidence.moving]
        windows = self.split.all.of_run is not None
        if windows:
            tests.append(chance_of_windows(*whole))
            evidence = replace(evidence, along=motion_along(*whole))
        following = chance_of_following(*whole[:2], self.split.fit, *whole[2:])
        # The smallest of several probabilities counts as many times.
        evidence = evidence.told([*tests, following[0]], following[1:])
        return (
            evidence if windows else evidence.bounded(every.bound_in_all(evidence, self.criteria))
        )

    def _as_identity(
        self, formula: Formula, evidence: Evidence
    ) -> tuple[Formula, tuple[Check, ...]]:
        """Ask what is asked of identities alone, the shuffles only where all else is passed."""
        whole = formula.terms, formula.coefficients, self.split.held
        formula = replace(
            formula,
            steep=slope_beyond_noise(*whole, self.criteria),
            divided=flatness_without_factor(*whole, self.criteria),
            apart=apart_by_own_noise(*whole, self.criteria),
            seen=seen_in_runs(*whole),
        )
        table = checks(evidence, formula, self.criteria)
        if verdict_of(table) == Verdict.IDENTITY:
            formula = replace(formula, unrelated=chance_of_constraint(*whole, self.rng))
            table = checks(evidence, formula, self.criteria)
        return formula, table

    def _beside_known(
        self, evidence: Evidence, terms: Functions, coefficients: np.ndarray, k: int
    ) -> Evidence:
        """Return the evidence with bounds on what a formula says beside known laws."""
        held, every = self.split.held, self.split.all
        # Where noise is uneven, or none, or windows are judged, bounds are of another kind.
        if evidence.uneven or evidence.clean or held.of_run is not None or terms.learned:
            return evidence
        known = forms(self.beside or self.known)
        if self.beside:
            chances = [
                chance_beside(terms, coefficients, known, of, self.criteria) for of in (held, every)
            ]
            evidence = evidence.told([evidence.moving, *chances], np.ones(RESAMPLES))
        # Some places only few runs come to: what all show is counted too.
        bounds = [
            drift_beside(terms, coefficients, known, runs, k, self.criteria)
            for runs in (held, every)
        ]
        if None in bounds:
            return evidence
        return replace(evidence, beside=tuple(map(max, zip(*bounds, strict=True))))

    def _tested(
        self, terms: Functions, coefficients: np.ndarray, errors: np.ndarray, k: int
    ) -> Tested:
        """Return a formula of the given terms, what held-out runs say of it, and the checks."""
        rng = deepcopy(self.rng)
        chance = simplicity.by_chance(coefficients, errors, terms.kinds(), self.numbers)
        evidence = gather(terms, coefficients, self.split.held, rng, self.criteria, k, chance)
        # Nothing is simpler than a sum of coordinates, however small a part one of them has.
        plain = all(term.is_Symbol for term in terms.expressions())
        error = 0.0 if plain else float(np.max(errors / np.abs(coefficients)))
        formula = Formula(terms, coefficients, chance, error)
        return formula, evidence, checks(evidence, formula, self.criteria)
