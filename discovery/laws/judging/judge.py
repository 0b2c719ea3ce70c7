"""The judge: a candidate is refined on the fit runs and tested on the held-out ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count

import numpy as np
from scipy import stats

from discovery.criteria import FORMULAS, LAWS, LawCriteria
from discovery.estimation.split import Split
from discovery.formulas import simplicity
from discovery.formulas.simple_numbers import NUMBERS, Numbers
from discovery.laws.finding import rounding
from discovery.laws.finding.candidates import Candidate, expression
from discovery.laws.finding.differences import tied
from discovery.laws.finding.operators import Operators
from discovery.laws.judging.beside import drift_beside
from discovery.laws.judging.constraint import (
    apart_by_own_noise,
    chance_of_constraint,
    flatness_without_factor,
    slope_beyond_noise,
)
from discovery.laws.judging.drift import DriftTest, Evaluated
from discovery.laws.judging.evidence import (
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
    """

    library: Functions
    split: Split
    rng: np.random.Generator
    numbers: Numbers = NUMBERS
    criteria: LawCriteria = LAWS
    number: Iterator[int] = field(default_factory=lambda: count(1))
    known: Sequence[Law] = ()

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
            fit, criteria = self.split.fit, self.criteria
            longer = with_missing(self.library, ops, refined.candidate, fit, criteria)
            # A coordinate that moves is not stilled by other functions of it.
            if longer is None or self._of_one_coordinate(longer):
                break
            again = self._shortened(ops, longer)
            if len(again.candidate.support) <= len(refined.candidate.support):
                break
            refined = again
        return refined

    def _of_one_coordinate(self, candidate: Candidate) -> bool:
        terms = self.library.restrict(candidate.support).expressions()
        return len(set().union(*(term.free_symbols for term in terms))) == 1

    def as_it_is(self, candidate: Candidate) -> Refined:
        """Return a candidate with its own coefficients, and what the fit runs say of them."""
        terms = self.library.restrict(candidate.support)
        drift = DriftTest(terms, candidate.coefficients, self.split.fit, self.criteria)
        level = 2 * float(stats.norm.sf(FORMULAS.interval))
        return Refined(candidate, drift, drift.standard_errors(candidate.coefficients, level))

    def _shortened(self, ops: Operators, candidate: Candidate) -> Refined:
        whole = candidate.support
        evaluated = Evaluated.of(self.library.restrict(whole), self.split.fit)
        while True:
            terms, fit = self.library.restrict(candidate.support), self.split.fit
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
        candidate, errors, k = refined.candidate, refined.errors, next(self.number)
        terms = self.library.restrict(candidate.support)
        formula, evidence, table = self._tested(terms, candidate.coefficients, errors, k)
        # Simple numbers are often better than fitted ones, but no cure for what plainly drifts.
        slight = evidence.drift_interval[0] <= self.criteria.plain_drift
        known = np.isfinite(errors).all()
        if known and (slight or verdict_of(table) != Verdict.REJECTED):
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
            formula, evidence, table = self._tested(terms, coefficients, errors, k)
        if verdict_of(table) in (Verdict.EXACT, Verdict.IDENTITY):
            # Runs that a formula was fitted to flatter it, so motion that they show too is real.
            whole = terms, formula.coefficients, self.split.all, self.criteria
            every = Runs.of(*whole, by_chance=formula.by_chance)
            tests = [every.motion.chance(self.criteria), evidence.moving]
            if self.split.all.of_run is not None:
                tests.append(chance_of_windows(*whole))
                evidence = replace(evidence, along=motion_along(*whole))
            fit = self.split.fit
            following = chance_of_following(*whole[:2], fit, *whole[2:])
            # The smallest of several probabilities counts as many times.
            evidence = evidence.told([*tests, following[0]], following[1:])
            if self.split.all.of_run is None:
                evidence = evidence.bounded(every.bound_in_all(evidence, self.criteria))
            table = checks(evidence, formula, self.criteria)
        if verdict_of(table) == Verdict.IDENTITY:
            whole = terms, formula.coefficients, self.split.held
            formula = replace(
                formula,
                steep=slope_beyond_noise(*whole, self.criteria),
                divided=flatness_without_factor(*whole, self.criteria),
                apart=apart_by_own_noise(*whole, self.criteria),
            )
            table = checks(evidence, formula, self.criteria)
        if verdict_of(table) == Verdict.IDENTITY:
            formula = replace(formula, unrelated=chance_of_constraint(*whole, self.rng))
            table = checks(evidence, formula, self.criteria)
        written, rounded = terms.expressions(), formula.coefficients
        if verdict_of(table) == Verdict.EXACT:
            evidence = self._beside_known(evidence, terms, rounded, k)
        return Law(
            library=terms,
            coefficients=rounded,
            expression=expression(written, rounded, self.numbers),
            evidence=evidence,
            verdict=verdict_of(table),
            cost=candidate.cost + len(terms),
            by_chance=formula.by_chance,
            checks=told(table),
            exact_in=exact_in(table, evidence.resamples),
            criteria=self.criteria,
            # What has no closed form costs what its functions cost.
            length=None
            if terms.learned
            else simplicity.length(written, rounded, terms.kinds(), self.numbers),
            candidate=k,
        )

    def _beside_known(
        self, evidence: Evidence, terms: Functions, coefficients: np.ndarray, k: int
    ) -> Evidence:
        """Return the evidence with bounds on what a formula says beside known laws."""
        held, every = self.split.held, self.split.all
        # Where noise is uneven, or none, or windows are judged, bounds are of another kind.
        if evidence.uneven or evidence.clean or held.of_run is not None or terms.learned:
            return evidence
        known = [(law.library, law.coefficients) for law in self.known]
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
    ) -> tuple[Formula, Evidence, tuple[Check, ...]]:
        """Return a formula of the given terms, what held-out runs say of it, and the checks."""
        rng = deepcopy(self.rng)
        chance = simplicity.by_chance(coefficients, errors, terms.kinds(), self.numbers)
        evidence = gather(terms, coefficients, self.split.held, rng, self.criteria, k, chance)
        formula = Formula(terms, coefficients, chance)
        return formula, evidence, checks(evidence, formula, self.criteria)
