"""Rounding: like terms alike, and only as far as flatness and errors allow."""

import numpy as np
import pytest

from discovery.laws.finding.candidates import Candidate
from discovery.laws.finding.operators import Operators
from discovery.laws.finding.rounding import (
    better_of,
    equal_in_kind,
    rounded,
    without_uncertain,
)
from discovery.libraries import custom

NAMES = ("x", "y", "u", "v")


def test_like_terms_get_equal_coefficients_where_these_may_be():
    kinds = custom(["u**2", "v**2", "x**2", "x*y"], NAMES).kinds()
    coefficients, errors = np.array([1.0, -1.04, 2.0, 1.02]), np.array([0.0, 0.02, 0.02, 0.02])
    even = equal_in_kind(coefficients, errors, kinds)
    np.testing.assert_allclose(even, [1.0, -1.0, 2.0, 1.02])
    # Without one that sets the scale, the surer counts for more.
    even = equal_in_kind(np.array([1.0, 1.1]), np.array([0.01, 0.1]), kinds[:2])
    assert even[0] == even[1] == pytest.approx(1.001, abs=1e-3)


def operators_of(within):
    """Return the operators of two terms that noise moves alike and independently."""
    return Operators(np.array(within), np.eye(2), np.eye(2), np.eye(2))


def test_where_data_cannot_tell_better_from_worse_other_coefficients_are_as_good():
    """μ of (1, 1) is 0; that of (1, 1.1) is 0.1 and that of (1, 1.5) is 1.5."""
    ops = operators_of([[20.0, -20.0], [-20.0, 20.0]])
    found = Candidate((0, 1), np.ones(2), 0.0, 2.0)
    near, far = np.array([1.0, 1.1]), np.array([1.0, 1.5])
    assert better_of(ops, found, near).coefficients is near
    assert better_of(ops, found, far).coefficients is found.coefficients


def test_what_nobody_knows_is_not_rounded_to_anything():
    """Three stays three where no error is known and all coefficients are allowed."""
    found = Candidate((0, 1), np.array([1.0, 3.04]), 0.0, 2.0)
    one, other = rounded(operators_of(np.zeros((2, 2))), found, lambda *_: True)
    assert other / one == pytest.approx(3, rel=1e-12)


def test_a_term_of_no_weight_goes_at_once():
    """Its doubt is not a number, and without it nothing changes."""
    ops = Operators(np.eye(3), np.eye(3), np.eye(3), np.eye(3))
    some = Candidate((0, 1, 2), np.array([1.0, 0.0, 2.0]), 1.0, 5.0)
    shorter = without_uncertain(ops, some, np.array([0.1, 0.0, 0.0]), np.array([1.0, 2.0, 2.0]))
    assert shorter.support == (0, 2)
    np.testing.assert_array_equal(shorter.coefficients, [1.0, 2.0])
    assert shorter.cost == 3.0


def test_the_only_term_stays_however_uncertain():
    ops = Operators(np.eye(1), np.eye(1), np.eye(1), np.eye(1))
    alone = Candidate((0,), np.ones(1), 1.0, 1.0)
    assert without_uncertain(ops, alone, np.array([np.inf]), np.ones(1)) is None


def test_few_simple_numbers_do_not_hide_among_many_equal_ones():
    """x, y, z, … are equal and u is 1.985 of them, not 2: what is equal allows for nothing in u."""
    n, asked = 8, []
    kinds = [("of x",)] * n + [("of u",)]
    found = Candidate(tuple(range(n + 1)), np.append(np.ones(n), 1.985), 0.0, 9.0)
    errors = np.append(np.zeros(n), 0.01)

    def still(trial, fitted, ratios=0):
        asked.append(ratios)
        return not ratios or bool(np.allclose(trial / trial[0], fitted / fitted[0]))

    everywhere = Operators(np.zeros((n + 1, n + 1)), *[np.eye(n + 1)] * 3)
    numbers = rounded(everywhere, found, still, errors=errors, kinds=kinds)
    assert numbers[-1] / numbers[0] == pytest.approx(1.985, abs=1e-3)
    assert set(asked) <= {0, 1} and 1 in asked


def test_a_weak_term_is_not_made_one():
    """1.4 is simple, as 7/5, and 1/1.4 is not; but a multiple of what hardly counts is chance."""
    weak = Operators(np.zeros((2, 2)), np.eye(2), np.eye(2), np.diag([1.0, 1e-4]))
    found = Candidate((0, 1), np.array([1.4, 1.0]), 0.0, 2.0)
    numbers = rounded(weak, found, lambda *_: True, errors=np.array([1e-3, 1e-3]))
    assert numbers[0] == 1.0 and numbers[1] == pytest.approx(1 / 1.4, rel=1e-4)
