"""A short form in place of a long one, where chance may explain all that spoke against it.

A form of several numbers is refused at signs of motion that one true law in 25 shows. A longer form
of the same law can then pass by a hair, with numbers enough to follow the noise. Both show what the
noise of these very runs shows, so the shorter one is held against the longer one by odds:

- signs of probability p count against a law by at most −e p log p, whatever the alternative is;
- each number more of the longer one makes it a fixed factor less likely beforehand.

Source: T. Sellke, M. J. Bayarri, J. O. Berger, The American Statistician 55, 62 (2001).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter

import numpy as np

from discovery.criteria import LawCriteria
from discovery.laws.judging.law import Law
from discovery.laws.judging.verdict import MOTION, Verdict, exact_in


def readmitted(law: Law, refused: Sequence[Law], criteria: LawCriteria) -> list[Law]:
    """Return forms that are likelier than a longer one, as exact laws, the simplest first.

    Whether they say the same is not asked here.

    Parameters
    ----------
    law : Law
        An exact one.
    refused : sequence of Law
        Formulas that are not exact.
    criteria : LawCriteria
    """
    simpler = (other for other in refused if _outweighs(other, law, criteria))
    return [_as_exact(other, criteria) for other in sorted(simpler, key=attrgetter("price"))]


def _outweighs(other: Law, law: Law, criteria: LawCriteria) -> bool:
    """Tell whether the odds are for a form at which nothing but signs of motion were seen."""
    p = other.evidence.moving
    if [check.name for check in other.checks if not check.passed] != [MOTION]:
        return False
    if p < criteria.detected_motion or other.evidence.drift_excluded > law.evidence.drift_excluded:
        return False
    beforehand = criteria.odds_of_a_number ** (other.free_numbers - law.free_numbers)
    return bool(-np.e * p * np.log(p) * beforehand > 1)


def _as_exact(law: Law, criteria: LawCriteria) -> Law:
    checks = tuple(
        replace(check, limit=criteria.detected_motion, passed=True)
        if check.name == MOTION
        else check
        for check in law.checks
    )
    drawn = exact_in(checks, law.evidence.resamples)
    return replace(law, verdict=Verdict.EXACT, checks=checks, exact_in=drawn)
