"""Errors of states: variances say the same as the diagonal covariances that they stand for."""

import numpy as np
import pytest

from discovery.estimation import errors
from discovery.estimation.path import Path
from discovery.laws.finding.operators import operators
from discovery.libraries.families import mechanics, polynomial

RNG = np.random.default_rng(0)
VARIANCES = RNG.uniform(0.5, 2.0, (30, 4))
NAMES = ["x", "y", "u", "v"]
ROLES = ["position", "position", "velocity", "velocity"]


def test_full_covariances_have_the_variances_on_their_diagonals():
    covariance = errors.full(VARIANCES)
    np.testing.assert_array_equal(errors.variances(covariance), VARIANCES)
    assert np.count_nonzero(covariance) == VARIANCES.size
    assert errors.full(covariance) is covariance


@pytest.mark.parametrize(
    "change",
    [
        lambda e: errors.of_columns(e, [2, 0]),
        lambda e: errors.among(e, 6, [5, 0, 1, 3]),
        lambda e: errors.in_units(e, np.array([1.0, 2.0, 3.0, 4.0])),
    ],
)
def test_variances_change_as_their_covariances_do(change):
    np.testing.assert_allclose(
        errors.full(change(VARIANCES)), change(errors.full(VARIANCES)), atol=1e-299
    )


def test_what_errors_move():
    gradient = RNG.normal(size=(4, 30))
    np.testing.assert_allclose(
        errors.moved(gradient, VARIANCES), errors.moved(gradient, errors.full(VARIANCES))
    )
    for i, j in ((1, 1), (1, 2)):
        full = errors.between(errors.full(VARIANCES), i, j)
        np.testing.assert_array_equal(errors.between(VARIANCES, i, j) + np.zeros(30), full)


@pytest.mark.parametrize("library", [polynomial(NAMES, 3), mechanics(NAMES, ROLES, products=True)])
def test_operators_are_the_same(library):
    states, offsets = RNG.normal(size=(30, 4)), np.array([0, 15, 30])
    few, many = (
        operators(library, Path(states, e), offsets, np.ones(4))
        for e in (VARIANCES, errors.full(VARIANCES))
    )
    for name in ("within", "dirichlet", "between", "unit_dirichlet"):
        np.testing.assert_allclose(getattr(few, name), getattr(many, name), rtol=1e-10, atol=1e-12)
