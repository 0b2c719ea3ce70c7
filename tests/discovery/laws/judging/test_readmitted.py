"""A short form takes the place of a long one where chance explains what spoke against it."""

from dataclasses import replace

import numpy as np
import pytest

from discovery.criteria import LAWS
from discovery.laws.judging.readmitted import readmitted
from discovery.laws.judging.verdict import DRIFT_EXCLUDED, MOTION, SIGNAL, Check
from tests.discovery.laws.judging.test_selection import SURE, law

LONG = ("x", "y", "z", "x*y", "y*z", "x**2", "y**2", "z**2")
NUMBERS = (1.0, 0.37, 2.23, 0.71, 1.62, 3.19, 0.53, 1.41)


def of_terms(n, verdict="exact", failed=(), **evidence):
    one = law(*LONG[:n], coefficients=NUMBERS[:n], **evidence)
    limits = {MOTION: (0.04, "at least"), SIGNAL: (0.5, "at least"), DRIFT_EXCLUDED: (2, "at most")}
    checks = tuple(
        Check(name, one.evidence.moving, limit, name not in failed, bound=bound)
        for name, (limit, bound) in limits.items()
    )
    in_draws = np.full(1, not failed)
    return replace(one, verdict=verdict, checks=checks, exact_in=in_draws)


def refused(n, moving, failed=(MOTION,), **evidence):
    return of_terms(n, "rejected", failed, moving=moving, **evidence)


@pytest.mark.parametrize(
    ("moving", "numbers", "taken"),
    [(0.03, 8, True), (0.03, 5, False), (0.002, 8, False), (5e-4, 8, False)],
)
def test_numbers_enough_outweigh_a_sign_of_motion(moving, numbers, taken):
    """−e p log p is .29 and .034; four numbers more are worth 1/16, one more 1/2."""
    assert bool(readmitted(of_terms(numbers), [refused(4, moving)], LAWS)) == taken


def test_what_fails_otherwise_or_says_less_stays_refused():
    others = [
        refused(4, 0.03, (MOTION, SIGNAL)),
        refused(4, 0.03, (SIGNAL,)),
        refused(4, 0.03, drift_excluded=2 * SURE.drift_excluded),
    ]
    assert readmitted(of_terms(8), others, LAWS) == []


def test_the_simplest_comes_first_with_the_limit_that_it_passed():
    simple, _ = found = readmitted(of_terms(8), [refused(4, 0.03), refused(3, 0.03)], LAWS)
    assert [len(one.library) for one in found] == [3, 4]
    (check,) = (check for check in simple.checks if check.name == MOTION)
    assert (simple.verdict, check.passed, check.limit) == ("exact", True, LAWS.detected_motion)
    # Draws of the runs are asked with that limit, too.
    assert simple.exact_in.all()
