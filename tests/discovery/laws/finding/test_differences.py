"""Squares of differences: which quadratic forms are such, and how they are written."""

import numpy as np
import pytest
import sympy

from discovery.laws.finding.differences import in_differences, tied

X, Y, Z, U = sympy.symbols("x y z u", real=True)
G = sympy.Symbol("g", positive=True)


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("u**2 + x**2 - 2*x*y + y**2", "u**2 + (x - y)**2"),
        ("g*x**2 - 2*g*x*y + g*y**2", "g*(x - y)**2"),
        ("x**2 - 2*x*y + 2*y**2 - 2*y*z + z**2", "(x - y)**2 + (y - z)**2"),
        ("-x**2 + 2*x*y - y**2 + u**4", "u**4 - (x - y)**2"),
        # No such squares: a sum's, a rotation, a well of its own, products of differences.
        ("x**2 + 2*x*y + y**2", "x**2 + 2*x*y + y**2"),
        ("x*u - y*z", "u*x - y*z"),
        ("2*x**2 - 2*x*y + y**2", "2*x**2 - 2*x*y + y**2"),
        ("x*y - y*z + z*u - u*x", "-u*x + u*z + x*y - y*z"),
        ("x**2 - 2*g*x*y + y**2", "-2*g*x*y + x**2 + y**2"),
    ],
)
def test_quadratic_forms(given, written):
    names = {"x": X, "y": Y, "z": Z, "u": U, "g": G}
    formula = sympy.sympify(given, locals=names)
    terms = {}
    for part in formula.as_ordered_terms():
        number, term = part.as_independent(X, Y, Z, U)
        terms[term] = number
    out = in_differences(terms)
    assert sympy.expand(out - formula) == 0
    assert str(out) == written


@pytest.mark.parametrize(("mixed", "is_difference"), [(-1.57, True), (-1.3, False)])
def test_rows_sum_to_zero_where_they_may(mixed, is_difference):
    terms, errors = [U**2, X**2, X * Y, Y**2], np.array([0.0, 0.01, 0.01, 0.01])
    coefficients = np.array([1.0, 0.78, mixed, 0.79])
    out = tied(terms, coefficients, errors, lambda trial: True)
    assert (out[1] == -out[2] / 2 == out[3]) == is_difference
    np.testing.assert_array_equal(
        tied(terms, coefficients, errors, lambda trial: False), coefficients
    )


def test_a_tie_that_would_take_a_term_away_is_none():
    """Errors as large as the coefficients allow any sums of rows, also with no square left."""
    terms = [X**2, X * Y, X * Z, Y**2, Y * Z, Z**2]
    coefficients = np.array([1.0, 2.2, -2.2, 1.0, -2.2, 1.0])
    out = tied(terms, coefficients, 40 * np.abs(coefficients), lambda trial: True)
    np.testing.assert_array_equal(out, coefficients)
