"""Formulas for the user are in symbols without assumptions, and look as before."""

import numpy as np
import pytest
import sympy

from discovery import ConservedQuantityFinder, datasets
from discovery.formulas.plain import plain

x, y = sympy.symbols("x y", real=True)


@pytest.mark.parametrize(
    "formula",
    [
        x**2 / 2 + sympy.cos(y) / 3 - 1,
        sympy.Mul(2, x - 1000, evaluate=False) ** 2 + y,
        sympy.sqrt(x**2 + y**2) * abs(x) - sympy.log(x / 10),
        sympy.Integral(sympy.Function("u")(x) ** 2, x),
        sympy.Derivative(sympy.Function("u")(x), (x, 2)) ** 2,
    ],
)
def test_only_the_assumptions_go(formula):
    moved = plain(formula)
    assert str(moved) == str(formula)
    assert not any(symbol.assumptions0.get("real") for symbol in moved.atoms(sympy.Symbol))
    assert not moved.has(x)
    assert plain(moved) == moved


def test_a_user_s_symbols_are_those_of_a_law():
    runs = datasets.load("pendulum", 40, 80)
    finder = ConservedQuantityFinder(roles=runs.roles, random_state=0)
    (law,) = finder.fit(runs, groups=None).quantities_
    state = dict(zip(runs.names, (0.3, 0.2), strict=True))
    by_names = float(law.expression.subs(state))
    by_terms = sum(c * float(term.subs(state)) for term, c in law.coefficients.items())
    np.testing.assert_allclose([by_names, by_terms], law(np.array([0.3, 0.2])), rtol=1e-6)
