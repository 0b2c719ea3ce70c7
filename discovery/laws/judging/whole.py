"""Judging on all: what a search found on a sample is judged on all runs, some at a time.

The evidence is that of `judging.evidence`, on the runs that took no part in finding the formula;
those that did join the test of motion alone. A law that holds on the sample and not on all loses
its verdict, and another form of it that holds takes its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter

import numpy as np
from threadpoolctl import threadpool_limits

from discovery.criteria import LawCriteria
from discovery.data.scan.pieces import Piece
from discovery.data.scan.workers import mapped
from discovery.data.trajectories import Trajectories
from discovery.estimation.orbits import Orbits
from discovery.estimation.passage import Passage
from discovery.laws import progress
from discovery.laws.judging.drift import Weighting, values_of
from discovery.laws.judging.evidence import Evidence, Runs, weighed
from discovery.laws.judging.law import Findings, Law
from discovery.laws.judging.verdict import Formula, Verdict, checks, exact_in, told, verdict_of
from discovery.libraries.functions import Functions
from discovery.libraries.numeric import Numeric


@dataclass(frozen=True)
class Statement:
    """A formula, and how samples are weighted to judge it.

    Attributes
    ----------
    terms : Functions
    coefficients : (s,) array
    criteria : LawCriteria
    like : Weighting
    by_chance : float
        How probably arbitrary coefficients would be as simple; see `simplicity.by_chance`.
    """

    terms: Functions
    coefficients: np.ndarray
    criteria: LawCriteria
    like: Weighting
    by_chance: float = 1.0

    @classmethod
    def of(cls, law: Law, orbits: Orbits) -> Statement:
        """Return what a law says, with the weights that it has on orbits of the sample."""
        some = where_known(orbits, law.library)
        smooth = some.smoothed
        _, noise = values_of(law.library, law.coefficients, smooth.states, smooth.errors)
        like = Weighting.of(noise, some.offsets)
        if law.evidence.hidden:
            like = replace(like, spread=law.evidence.spread**2)
        return cls(law.library, law.coefficients, law.criteria, like, law.by_chance)

    def on(self, orbits: Orbits) -> Runs | None:
        """Return what runs say of it; None where it has a value on none."""
        some = where_known(orbits, self.terms)
        if not some.n_runs:
            return None
        with np.errstate(all="ignore"):  # what has no value is no law
            criteria = self.criteria, self.like, self.by_chance
            return Runs.of(self.terms, self.coefficients, some, *criteria)


@dataclass(frozen=True)
class Seen:
    """What a piece says.

    Attributes
    ----------
    held, fit : tuple of Runs or None, one a statement
        Of runs that took no part in finding laws, and of those that did.
    n_rows, n_runs : int
        Left of the piece, without what is no sample.
    """

    held: tuple[Runs | None, ...]
    fit: tuple[Runs | None, ...]
    n_rows: int
    n_runs: int


@dataclass(frozen=True)
class Whole:
    """All runs of a source of which a sample was searched.

    Attributes
    ----------
    pieces : sequence of Piece
    passage : Passage
        How they become orbits.
    found_on : array
        Ids of the runs that laws were found on.
    client : distributed.Client or None
        Whose workers look at the pieces.
    """

    pieces: Sequence[Piece[Trajectories]]
    passage: Passage
    found_on: np.ndarray
    client: object | None = None

    def seen(self, statements: Sequence[Statement]) -> list[Seen]:
        """Return what the pieces say of statements, in their order.

        Parameters
        ----------
        statements : sequence of Statement
        """
        look = partial(
            looked_at, passage=self.passage, found_on=self.found_on, statements=tuple(statements)
        )
        found = mapped(look, self.pieces, self.client)
        return list(progress.counted(found, len(self.pieces)))


@threadpool_limits.wrap(limits=1, user_api="blas")
def looked_at(
    piece: Piece[Trajectories],
    passage: Passage,
    found_on: np.ndarray,
    statements: Sequence[Statement],
) -> Seen:
    """Return what the runs of a piece say of statements.

    Parameters
    ----------
    piece : Piece
    passage : Passage
    found_on : array
        Ids of the runs that they were found on.
    statements : sequence of Statement
    """
    orbits, ids = passage.orbits(piece.read())
    used = np.isin(ids, found_on)
    parts = [
        orbits if chosen.all() else orbits.take(np.flatnonzero(chosen)) if chosen.any() else None
        for chosen in (~used, used)
    ]
    held, fit = (
        tuple(None if part is None else one.on(part) for one in statements) for part in parts
    )
    return Seen(held, fit, len(orbits.measured.states), orbits.n_runs)


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
    findings: Findings, sample: Orbits, whole: Whole, rng: np.random.Generator
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
    """
    candidates = [*findings.laws, *findings.identities]
    candidates += [form for law in findings.laws for form in law.alternatives]
    if findings.unresolved is not None and not findings.laws:
        candidates.append(findings.unresolved)
    if not candidates:
        return None
    seen = whole.seen([Statement.of(law, sample) for law in candidates])
    again = {}
    for k, law in enumerate(candidates):
        held = [part.held[k] for part in seen if part.held[k] is not None]
        fit = [part.fit[k] for part in seen if part.fit[k] is not None]
        again[id(law)] = _again(law, held, fit, deepcopy(rng))
    laws, lost = [], []
    for law in findings.laws:
        own, forms = again[id(law)], [again[id(form)] for form in law.alternatives]
        holding = [one for one in (own, *forms) if one.verdict == Verdict.EXACT]
        if law.verdict == Verdict.EXACT and holding:
            laws.append(replace(holding[0], alternatives=tuple(holding[1:])))
        elif own.verdict in (Verdict.EXACT, Verdict.APPROXIMATE):
            laws.append(replace(own, alternatives=()))
        if own.verdict != law.verdict and law.verdict == Verdict.EXACT and not holding:
            lost.append(own)
    if findings.unresolved is not None and not findings.laws:
        resolved = again[id(findings.unresolved)]
        laws += [resolved] if resolved.verdict == Verdict.EXACT else []
    identities = [again[id(law)] for law in findings.identities]
    found = replace(
        findings,
        laws=sorted(laws, key=lambda law: law.verdict != Verdict.EXACT),
        identities=[law for law in identities if law.verdict == Verdict.IDENTITY],
        unresolved=None if laws else findings.unresolved,
        n_judges=sum(part.n_runs for part in seen) - len(whole.found_on),
    )
    rows, runs = (sum(map(attrgetter(name), seen)) for name in ("n_rows", "n_runs"))
    return OnAll(found, lost, rows, runs)


def _again(law: Law, held: Sequence[Runs], fit: Sequence[Runs], rng: np.random.Generator) -> Law:
    """Return a law with the evidence of all runs, and the verdict that follows."""
    if not held:
        return replace(law, verdict=Verdict.REJECTED)
    judges = Runs.joined(held)
    every = Runs.joined([*held, *fit])
    with np.errstate(all="ignore"):
        evidence = weighed(judges, rng, law.criteria, law.candidate)
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


def where_known(orbits: Orbits, library: Functions) -> Orbits:
    """Return the rows in which functions are defined, and known.

    Parameters
    ----------
    orbits : Orbits
    library : Functions
    """
    some = orbits.where(orbits.clear(library.positive))
    if not isinstance(library, Numeric):
        return some
    if library.domain is not None:
        some = some.where(some.in_long_runs(library.domain.holds(some.smoothed.states)))
    return some.blurred(library.blur) if library.blur else some
