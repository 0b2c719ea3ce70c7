"""The judge: a candidate is refined on the fit runs and tested on the held-out ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from discovery.estimation.split import Split
from discovery.formulas import simplicity
from discovery.formulas.simple_numbers import Numbers
from discovery.laws.finding import candidates, rounding
from discovery.laws.finding.operators import Operators
from discovery.laws.judging.drift import DriftTest
from discovery.laws.judging.evidence import FLAT, gather
from discovery.laws.judging.law import (
    SMALL_DRIFT,
    Law,
)
from discovery.laws.judging.verdict import verdict_of
from discovery.libraries.library import Library

# Systematic motion that no rounding of coefficients takes away.
PLAIN_DRIFT = 0.1


# Times the limits of motion on held-out runs beyond which a candidate is not looked at further.
HOPELESS = 6.0


def _with_errors(law: Law, split: Split, rng: np.random.Generator) -> Law:
    test = DriftTest(law.library, law.coefficients, split.where(law.library.positive).all)
    return replace(law, errors=test.standard_errors(law.coefficients, rng))


def _hopeless(candidate: candidates.Candidate, held: Operators) -> bool:
    """Tell whether held-out runs refute a candidate so clearly that no refinement would help."""
    ops, c = held.restrict(np.array(candidate.support)), candidate.coefficients
    moved = c @ ops.within @ c
    return bool(
        moved > HOPELESS * FLAT * (c @ ops.dirichlet @ c)
        and moved > HOPELESS * SMALL_DRIFT**2 * (c @ ops.between @ c)
    )


def _judge(
    library: Library,
    ops: Operators,
    candidate: candidates.Candidate,
    test: DriftTest,
    errors: np.ndarray,
    split: Split,
    rng: np.random.Generator,
    numbers: Numbers,
) -> Law:
    """Test a refined candidate on the held-out runs."""
    terms = library.restrict(candidate.support)
    coefficients = candidate.coefficients
    evidence = gather(terms, coefficients, split.held, rng)
    chance = simplicity.by_chance(coefficients, errors, terms.kinds())
    verdict = verdict_of(evidence, terms, coefficients, evidence.moving, chance)
    # Simple numbers are often better than fitted ones, but no cure for what plainly moves.
    if verdict != "rejected" or evidence.drift_interval[0] <= PLAIN_DRIFT:
        coefficients = rounding.rounded(ops, candidate, test.allows, numbers, errors, terms.kinds())
        evidence = gather(terms, coefficients, split.held, rng)
        chance = simplicity.by_chance(coefficients, errors, terms.kinds())
        verdict = verdict_of(evidence, terms, coefficients, evidence.moving, chance)
    if verdict in ("exact", "identity"):
        # Runs that a formula was fitted to flatter it, so drift that they show as well is real.
        moving = DriftTest(terms, coefficients, split.all).score(coefficients)
        verdict = verdict_of(evidence, terms, coefficients, max(moving, evidence.moving), chance)
    return Law(
        library=terms,
        coefficients=coefficients,
        expression=candidates.expression(terms.expressions(), coefficients, numbers),
        evidence=evidence,
        verdict=verdict,
        cost=candidate.cost + len(terms),
        by_chance=chance,
    )


def _refined(
    library: Library,
    ops: Operators,
    candidate: candidates.Candidate,
    split: Split,
    rng: np.random.Generator,
) -> tuple[candidates.Candidate, DriftTest, np.ndarray]:
    """Return the candidate with the coefficients that drift least, and their standard errors.

    Terms that may as well be zero are left out, the least certain first.
    """
    while True:
        terms = library.restrict(candidate.support)
        test = DriftTest(terms, candidate.coefficients, split.fit)
        candidate = rounding.better_of(ops, candidate, test.refined())
        errors = test.standard_errors(candidate.coefficients, rng)
        shorter = rounding.without_uncertain(ops, candidate, errors, library.costs())
        if shorter is None:
            return candidate, test, errors
        candidate = shorter
