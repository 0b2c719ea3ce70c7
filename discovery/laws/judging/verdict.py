"""The verdict: a table of named checks, and what follows from those that are passed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TypeAlias

import numpy as np

from discovery.criteria import LAWS, LawCriteria
from discovery.formulas.simplicity import free_numbers
from discovery.laws.judging.evidence import Evidence, Resamples
from discovery.libraries.functions import Functions


class Verdict(StrEnum):
    """What the evidence makes of a formula.

    ``UNDECIDED`` is for data that as a whole do not carry a verdict, ``ALONG_RUN`` for what is
    constant along few runs, of which windows are judged: there it is an identity. ``DECAYING`` is
    what is constant with the losses of friction beside it; see `discovery.laws.decaying`. No check
    leads to these three.
    """

    EXACT = "exact"
    APPROXIMATE = "approximate"
    DECAYING = "decaying"
    IDENTITY = "identity"
    ALONG_RUN = "along_run"
    REJECTED = "rejected"
    UNDECIDED = "undecided"

    __repr__ = str.__repr__


@dataclass(frozen=True)
class Check:
    """One statistic of a formula, compared with its limit.

    Attributes
    ----------
    name : str
        What is compared, in words.
    statistic, limit : float
        Infinite where this formula has no such limit.
    passed : bool
    unit : str
        Of both; ``"1"`` for pure numbers, ``"spread"`` for fractions of the formula's standard
        deviation over all samples.
    bound : str
        Whether the statistic is to be ``"at most"`` the limit, ``"at least"`` it or ``"above"`` it.
    """

    name: str
    statistic: float
    limit: float
    passed: bool
    unit: str = "1"
    bound: str = "at most"

    def __str__(self) -> str:
        unit = "" if self.unit == "1" else f" {self.unit}"
        limit = f"{self.bound} {self.limit:.3g}{unit}" if math.isfinite(self.limit) else "no limit"
        return f"{self.name}: {self.statistic:.3g} ({limit}), {'' if self.passed else 'not '}passed"

    def to_dict(self) -> dict[str, str | float | bool | None]:
        """Return plain values, ready for JSON; None for what is not finite."""
        values = asdict(self)
        return {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in values.items()
        }


@dataclass(frozen=True)
class Formula:
    """What a verdict is on.

    Attributes
    ----------
    terms : Functions
        The formula's own, s of them.
    coefficients : (s,) array
    by_chance : float
        How probably arbitrary coefficients would be as simple; see `simplicity.by_chance`.
    error : float
        Standard error of its least known coefficient, over that coefficient.
    unrelated : float
        How probably coordinates that do not depend on each other would vary it as little; see
        `constraint.chance_of_constraint`. Asked of identities alone.
    divided : float
        Lower end of the flatness without the factor that all terms share; see
        `constraint.flatness_without_factor`. Asked of identities alone.
    apart : float
        How far its values are from one, each in units of its own noise; see
        `constraint.apart_by_own_noise`. Asked of identities alone.
    steep : float
        What noise makes of it by its gradient, over what it makes by its curvature; see
        `constraint.slope_beyond_noise`. Asked of identities alone.
    seen : float
        The size of its terms over its noise, in the median run; see `constraint.seen_in_runs`.
        Asked of identities alone.
    """

    terms: Functions
    coefficients: np.ndarray
    by_chance: float = 1.0
    error: float = 0.0
    unrelated: float = 0.0
    divided: float = 0.0
    apart: float = 0.0
    steep: float = math.inf
    seen: float = math.inf

    @property
    def free_numbers(self) -> int:
        """How many numbers are in it: equal coefficients of terms of one kind are one.

        Those inside the terms that data told count too.
        """
        return free_numbers(self.coefficients, self.terms.kinds()) + self.terms.fitted

    def is_modest(self, criteria: LawCriteria) -> bool:
        """Tell whether it has too few free numbers, or too simple ones, to imitate a law."""
        few = self.free_numbers <= criteria.modest_numbers
        return few or self.by_chance <= criteria.simple_by_chance


# The checks, by what they compare.
VANISHING = "zero but for rounding"
VARYING = "more than rounding"
FLATNESS = "flatness"
FLATNESS_AT_LEAST = "flatness, lower end of its interval"
MOTION = "motion along runs"
DRIFT_AT_LEAST = "drift, lower end of its interval"
SIGNAL = "signal between runs"
DRIFT_EXCLUDED = "drift excluded"
SMALL_DRIFT = "small drift"
NO_SIGNAL = "one value in all runs"
ALIKE = "one value by the noise of each state, lower end of its interval"
FEW_TERMS = "terms of an identity"
CANCELLATION = "cancellation of terms"
VARIATION_EXCLUDED = "variation excluded"
ALONG = "motion along whole runs"
CONSTRAINT = "chance of as little variation in unrelated coordinates"
DIVIDED = "flatness without the factor that all terms share, lower end of its interval"
STEEP = "gradient beyond what noise makes of none"
SEEN = "terms over noise in the median run"
# With the ids of the runs behind it; told of laws that a few runs refute.
SINGLE_RUNS = "motion in single runs"

# What tells that a formula moves, and what exact laws and identities have in common: they do not.
MOVING = {FLATNESS, FLATNESS_AT_LEAST, MOTION, DRIFT_AT_LEAST}
_CONSTANT = (VARYING, FLATNESS, FLATNESS_AT_LEAST, MOTION, DRIFT_AT_LEAST)
_EXACT = (*_CONSTANT, SIGNAL, DRIFT_EXCLUDED)
# The first verdict all of whose checks are passed holds; without one a formula is rejected.
_VERDICTS = (
    (Verdict.IDENTITY, (VANISHING, ALIKE, FEW_TERMS, ALONG, CONSTRAINT, DIVIDED, STEEP, SEEN)),
    (Verdict.EXACT, _EXACT),
    (
        Verdict.IDENTITY,
        (
            *_CONSTANT,
            NO_SIGNAL,
            ALIKE,
            FEW_TERMS,
            CANCELLATION,
            VARIATION_EXCLUDED,
            ALONG,
            CONSTRAINT,
            DIVIDED,
            STEEP,
            SEEN,
        ),
    ),
    (Verdict.APPROXIMATE, (VARYING, SIGNAL, SMALL_DRIFT)),
)


Rule: TypeAlias = Callable[[Evidence, Formula, LawCriteria], Check]
_FURTHER: dict[str, Rule] = {}


def register(name: str, rule: Rule) -> None:
    """Add a check that every exact law must pass beside those of this module.

    Parameters
    ----------
    name : str
        Of the check, whatever the rule calls it.
    rule : callable (Evidence, Formula, LawCriteria) -> Check

    Raises
    ------
    ValueError
        For the name of another check.
    """
    if name in _FURTHER or any(name in names for _, names in _VERDICTS):
        raise ValueError(f"there is a check called {name!r} already. Choose another name.")
    _FURTHER[name] = rule


def checks(evidence: Evidence, formula: Formula, criteria: LawCriteria = LAWS) -> tuple[Check, ...]:
    """Compare the evidence on a formula with every limit.

    Many free numbers can imitate a law, so limits are tighter for a formula with more of them,
    unless its coefficients are too simple for chance.

    Parameters
    ----------
    evidence : Evidence
    formula : Formula
    criteria : LawCriteria

    Returns
    -------
    tuple of Check
        All of them, whichever the verdict will be; see `told`.
    """
    numbers, n_terms = formula.free_numbers, len(formula.terms)
    few = numbers <= criteria.many_numbers
    modest = formula.is_modest(criteria)
    # Noise makes an estimate of no drift at all, where there is some, in half of all cases. What is
    # constant along windows is no law yet, and their own bound is told.
    estimated = evidence.clean or evidence.along is not None
    drift = evidence.drift if estimated else evidence.drift_interval[1]
    at_rest = drift <= criteria.rounding_drift
    # What the limits on drift are divided by.
    for_many = 1.0 if few else criteria.many_factor
    for_all = (1.0 if modest else criteria.modest_factor) * for_many
    flat = criteria.flatness_ceiling if few or at_rest else criteria.excess_motion
    motion = criteria.detected_motion if modest else criteria.suspected_motion
    drift_at_least, drift_at_most = evidence.drift_interval
    # Noise alone is no identity, but one coordinate that shows nothing else is zero; a power of it
    # is none: it says the same, or noise hides how it moves.
    zero = n_terms == 1 and formula.terms.is_coordinate
    # Beside parameters its value may differ from run to run, and terms cancel within runs only:
    # there the shuffles tell.
    zero |= formula.terms.dim < len(formula.terms.symbols)
    # Windows are no runs: what differs between them is motion.
    signal = evidence.signal if evidence.along is None else 0.0
    alone = n_terms == 1 and formula.terms.expressions()[0].is_Symbol
    further = [
        replace(rule(evidence, formula, criteria), name=name) for name, rule in _FURTHER.items()
    ]
    return (
        _at_most(VANISHING, evidence.cancelled, criteria.rounding_drift),
        _above(VARYING, evidence.cancelled, criteria.rounding_drift),
        _at_most(FLATNESS, evidence.smoothed_flatness, flat),
        _at_most(FLATNESS_AT_LEAST, evidence.smoothed_flatness_interval[0], criteria.excess_motion),
        _at_least(MOTION, evidence.moving, motion, waived=at_rest),
        _at_most(
            DRIFT_AT_LEAST, drift_at_least, criteria.rounding_drift, "spread", waived=few or at_rest
        ),
        _at_least(SIGNAL, signal, criteria.signal),
        _at_most(
            DRIFT_EXCLUDED, evidence.drift_excluded, criteria.resolved_drift / for_all, "spread"
        ),
        _at_most(SMALL_DRIFT, drift_at_most, criteria.small_drift / for_many, "spread"),
        _at_most(NO_SIGNAL, signal, criteria.no_signal),
        _at_most(ALIKE, formula.apart, criteria.excess_motion, waived=evidence.clean),
        _at_most(FEW_TERMS, n_terms, criteria.identity_terms, "terms"),
        _at_most(CANCELLATION, evidence.cancelled, criteria.cancellation, waived=zero),
        _at_most(
            VARIATION_EXCLUDED,
            drift_at_most * evidence.spread / evidence.terms,
            criteria.resolved_drift / for_all,
            "of the terms' spread",
            waived=zero,
        ),
        _at_most(ALONG, evidence.along or 0.0, criteria.along_run, "of the terms' spread"),
        _at_most(CONSTRAINT, formula.unrelated, criteria.unrelated, waived=alone),
        _at_most(DIVIDED, formula.divided, criteria.excess_motion),
        _at_least(STEEP, formula.steep, criteria.identity_slope),
        _at_least(SEEN, formula.seen, criteria.identity_seen, waived=n_terms == 1),
        *further,
    )


def verdict_of(table: Sequence[Check]) -> Verdict:
    """Return the verdict that follows from the checks; those that are not there count as failed."""
    return _decided(table)[0]


def told(table: Sequence[Check]) -> tuple[Check, ...]:
    """Return the checks that tell why: an exact law's, and those that the verdict rests on.

    Whatever is not passed among them keeps the formula from being exact.
    """
    names = {*_EXACT, *_FURTHER, *_decided(table)[1]}
    return tuple(check for check in table if check.name in names)


def exact_in(table: Sequence[Check], resamples: Resamples) -> np.ndarray:
    """Tell on which resamples of the runs a formula passes every check of an exact law, (draws,).

    Statistics that are not resampled count as they are.

    Parameters
    ----------
    table : sequence of Check
        From `checks`, or what is told of them.
    resamples : Resamples
    """
    drawn = {
        FLATNESS: resamples.smoothed_flatness,
        FLATNESS_AT_LEAST: resamples.smoothed_least,
        MOTION: resamples.moving,
        SIGNAL: resamples.signal,
        DRIFT_EXCLUDED: resamples.drift_excluded,
    }
    needed = {*_EXACT, *_FURTHER}
    passed = np.ones(len(resamples.signal), dtype=bool)
    for check in table:
        if check.name not in needed:
            continue
        if check.name not in drawn or not math.isfinite(check.limit):
            passed &= check.passed
        elif check.bound == "at least":
            passed &= drawn[check.name] >= check.limit
        else:
            passed &= drawn[check.name] <= check.limit
    return passed


def in_doubt(evidence: Evidence, formula: Formula, criteria: LawCriteria = LAWS) -> bool:
    """Tell whether an exact formula may imitate a simpler law that a richer library holds.

    There is doubt where the data leave room for an imitation and there are signs of motion, many
    free numbers, or one that is hardly known: of its term little is seen that no other function
    would show. Not where the coefficients are too simple for chance, nor about a single
    term, which nothing simpler can replace.

    Parameters
    ----------
    evidence : Evidence
    formula : Formula
    criteria : LawCriteria
    """
    # What stands inside a term, as in 1/(x² + 1.3 y²), is as good as further terms.
    n_terms = len(formula.terms) + formula.terms.fitted
    spare = max(0, formula.free_numbers - criteria.doubt_numbers)
    spare = spare if n_terms > criteria.doubt_terms else 0
    drift_at_most = evidence.drift_interval[1]
    closest = criteria.imitation_drift * criteria.imitation_gain ** max(0, spare - 1)
    if (
        n_terms == 1
        or formula.by_chance <= criteria.simple_by_chance
        or not drift_at_most > closest
    ):
        return False
    hardly_known = n_terms >= criteria.doubt_terms and formula.error > criteria.doubt_error
    return bool(
        spare
        or hardly_known
        or evidence.smoothed_flatness > criteria.excess_motion
        or evidence.moving < criteria.suspected_motion
        or evidence.drift_chance < criteria.drift_signs
    )


def _decided(table: Sequence[Check]) -> tuple[Verdict, tuple[str, ...]]:
    """Return the verdict and the names of the checks that it rests on."""
    passed = {check.name for check in table if check.passed}
    rules = (
        (verdict, (*names, *_FURTHER) if verdict == Verdict.EXACT else names)
        for verdict, names in _VERDICTS
    )
    fitting = ((verdict, names) for verdict, names in rules if passed.issuperset(names))
    return next(fitting, (Verdict.REJECTED, ()))


def _at_most(
    name: str, statistic: float, limit: float, unit: str = "1", waived: bool = False
) -> Check:
    if waived:
        return Check(name, float(statistic), math.inf, True, unit)
    return Check(name, float(statistic), float(limit), bool(statistic <= limit), unit)


def _at_least(name: str, statistic: float, limit: float, waived: bool = False) -> Check:
    if waived:
        return Check(name, float(statistic), math.inf, True, bound="at least")
    passed = bool(statistic >= limit)
    return Check(name, float(statistic), float(limit), passed, bound="at least")


def _above(name: str, statistic: float, limit: float) -> Check:
    passed = not statistic <= limit
    return Check(name, float(statistic), float(limit), passed, bound="above")
