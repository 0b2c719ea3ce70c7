"""Judging on all: what a search found on a sample is judged on all runs, some at a time.

The evidence is that of `judging.evidence`, on the runs that took no part in finding the formula;
those that did join the test of motion alone. A law whose coefficients are no simple numbers, or
that holds on the sample and not on all, is refitted by some of the runs and judged by the others.
Where that does not help it loses its verdict, and another form of it that holds takes its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np

from discovery.criteria import LawCriteria
from discovery.estimation.orbits import Orbits
from discovery.estimation.split import PROBES
from discovery.formulas.simple_numbers import NUMBERS, Numbers
from discovery.laws.judging.evidence import Evidence, Runs, weighed
from discovery.laws.judging.law import Findings, Law
from discovery.laws.judging.selection import select
from discovery.laws.judging.verdict import Formula, Verdict, checks, exact_in, told, verdict_of
from discovery.laws.whole.refit import added, fits, refitted, with_errors_of_all
from discovery.laws.whole.seen import Statement, Whole


@dataclass(frozen=True)
class OnAll:
    """What judging on all made of findings.

    Attributes
    ----------
    findings : Findings
    lost : list of Law
        Laws of the sample that are none on all.
    n_rows, n_runs : int
        That were looked at, without what is no sample.
    """

    findings: Findings
    lost: list[Law]
    n_rows: int
    n_runs: int


def judged_on_all(
    findings: Findings,
    sample: Orbits,
    whole: Whole,
    rng: np.random.Generator,
    numbers: Numbers = NUMBERS,
) -> OnAll | None:
    """Judge what was found on a sample on all runs; None where nothing was found to be judged.

    Parameters
    ----------
    findings : Findings
        Laws, other forms of them and identities; and what was not resolved on the sample, which
        becomes a law where there is none beside it and the whole resolves it.
    sample : Orbits
        Runs of the sample that judged.
    whole : Whole
    rng : numpy.random.Generator
        Draws the resamples.
    numbers : Numbers
        What coefficients are rounded to.
    """
    unresolved = [findings.unresolved] if findings.unresolved and not findings.laws else []
    forms = [form for law in findings.laws for form in law.alternatives]
    candidates = [*findings.laws, *findings.identities, *forms, *unresolved]
    if not candidates:
        return None
    seen = whole.seen([Statement.of(law, sample) for law in candidates])
    again = {id(law): _again(law, *seen.runs(k), deepcopy(rng)) for k, law in enumerate(candidates)}
    every = [added(both) for both in zip(seen.refit, seen.others, strict=True)]
    better = {}
    for k, law in enumerate(candidates):
        own = again[id(law)]
        if every[k] is None:
            continue
        again[id(law)] = with_errors_of_all(own, every[k])
        # A law of the sample, or what the sample did not resolve.
        asked = law.verdict == Verdict.EXACT or any(law is one for one in unresolved)
        sums = seen.refit[k] if asked else None
        holds = own.verdict == Verdict.EXACT
        if sums is not None and not (holds and fits(law, sums, numbers)):
            other = refitted(law, sums, every[k], numbers)
            better |= {} if other is None else {id(law): other}
    if better:
        told = whole.seen([Statement.once(one, sample) for one in better.values()], refitted=True)
        # Each counts as one more candidate that these runs judge.
        for k, (old, law) in enumerate(better.items()):
            law = replace(law, candidate=_judged(findings) + k + 1)
            held, fit = told.runs(k)
            judged = _again(law, held, fit, deepcopy(rng))
            # Fewer runs see less: what all of them refute is not saved by the fewer.
            by_all = _again(law, (*held, *fit), (), deepcopy(rng))
            if judged.verdict == by_all.verdict == Verdict.EXACT:
                again[old] = judged
    laws, lost = [], []
    for law in findings.laws:
        own, others = again[id(law)], [again[id(form)] for form in law.alternatives]
        exact = [one for one in (own, *others) if one.verdict == Verdict.EXACT]
        # Refitted, two forms may be one.
        holding = list({one.expression: one for one in exact}.values())
        if law.verdict == Verdict.EXACT and holding:
            laws.append(replace(holding[0], alternatives=tuple(holding[1:])))
        elif own.verdict in (Verdict.EXACT, Verdict.APPROXIMATE):
            laws.append(replace(own, alternatives=()))
        if own.verdict != law.verdict and law.verdict == Verdict.EXACT and not holding:
            lost.append(own)
    laws += [again[id(law)] for law in unresolved if again[id(law)].verdict == Verdict.EXACT]
    identities = [again[id(law)] for law in findings.identities]
    laws = _apart(laws, sample) if better else laws
    found = replace(
        findings,
        laws=sorted(laws, key=lambda law: law.verdict != Verdict.EXACT),
        identities=[law for law in identities if law.verdict == Verdict.IDENTITY],
        unresolved=None if laws else findings.unresolved,
        n_judges=seen.n_runs - len(whole.found_on),
    )
    return OnAll(found, lost, seen.n_rows, seen.n_runs)


def _apart(laws: Sequence[Law], sample: Orbits) -> list[Law]:
    """Return the laws that are no functions of simpler ones, as refitted ones may be."""
    positive = list(dict.fromkeys(column for law in laws for column in law.library.positive))
    states = sample.smoothed.states[sample.clear(positive)]
    probes = states[:: max(1, len(states) // PROBES)]
    kept = {id(law) for law in select(laws, probes, sample.scale).laws}
    return [law for law in laws if id(law) in kept]


def _judged(findings: Findings) -> int:
    """Return how many candidates the runs of the sample judged."""
    every = [*findings.laws, *findings.identities, *findings.left_out, *findings.refused]
    return max(law.candidate for law in every) if every else 1


def _again(law: Law, held: Sequence[Runs], fit: Sequence[Runs], rng: np.random.Generator) -> Law:
    """Return a law with the evidence of all runs, and the verdict that follows."""
    if not held:
        return replace(law, verdict=Verdict.REJECTED)
    judges = Runs.joined(held)
    every = Runs.joined([*held, *fit])
    with np.errstate(all="ignore"):
        evidence = weighed(judges, rng, law.criteria, law.candidate)
    evidence = replace(evidence, outermost=law.evidence.outermost)
    formula = Formula(law.library, law.coefficients, law.by_chance)
    table = checks(evidence, formula, law.criteria)
    if verdict_of(table) in (Verdict.EXACT, Verdict.IDENTITY):
        evidence = _with_every(evidence, every, law.criteria)
        table = checks(evidence, formula, law.criteria)
    return replace(
        law,
        evidence=evidence,
        verdict=verdict_of(table),
        checks=told(table),
        exact_in=exact_in(table, evidence.resamples),
    )


def _with_every(evidence: Evidence, every: Runs, criteria: LawCriteria) -> Evidence:
    """Return evidence with what the runs show too that a formula was found on; see `Judge.law`."""
    moving = 2 * min(every.motion.chance(criteria), evidence.moving)
    evidence = replace(evidence, moving=moving)
    return evidence.bounded(every.bound_in_all(evidence, criteria))
