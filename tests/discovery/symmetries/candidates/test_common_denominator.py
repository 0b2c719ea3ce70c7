"""Quotients with one denominator, found from values alone."""

import numpy as np
import sympy

from discovery.symmetries.candidates.common_denominator import denominator

X, Y = sympy.symbols("x y", real=True)
MONOMIALS = [sympy.Integer(1), X, Y, X**2, X * Y, Y**2]


def found(q, points):
    """Return the denominator of the fields ∂x/q and y ∂x/q."""
    over = sympy.lambdify((X, Y), 1 / q)(*points.T)
    fields = np.stack([over, 0 * over, points[:, 1] * over, 0 * over], axis=1).reshape(-1, 2, 2)
    functions = sympy.lambdify((X, Y), MONOMIALS)(*points.T)
    values = np.stack(np.broadcast_arrays(*functions), axis=1)
    return denominator(fields, values, MONOMIALS)


def test_a_denominator_is_found():
    points = np.random.default_rng(0).uniform(0.5, 2, (80, 2))
    q = found(X**2 + 2 * Y, points)
    assert not sympy.simplify(q / (X**2 + 2 * Y)).free_symbols
    assert found(sympy.exp(X * Y), points) is None


def test_a_denominator_that_vanishes_is_none():
    points = np.random.default_rng(0).uniform(-1, 1, (80, 2))
    points[0] = (1e-4, 0.5)
    assert found(X, points) is None
