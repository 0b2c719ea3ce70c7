"""Formulas from one chart into another: exact, with the powers of ten before the terms."""

from fractions import Fraction

import pytest
import sympy

from discovery.data.frame import Frame
from discovery.formulas.charts import inside, outside, parted

x, y = sympy.symbols("x y", real=True)
FRAME = Frame((Fraction(1000), Fraction(0)), (-3, 6), (False, True))
TERMS = [
    (x**2 / 100, (sympy.Rational(1, 100), x**2, 0)),
    (1 / sympy.sqrt(x**2 / 100 + y**2 / 100), (10, 1 / sympy.sqrt(x**2 + y**2), 0)),
    (sympy.log(x / 1000), (1, sympy.log(x), -sympy.log(1000))),
    ((10 * x - 10000) ** 3, (1000, (x - 1000) ** 3, 0)),
    ((3 - x) ** 2 * y / 10, (sympy.Rational(1, 10), (x - 3) ** 2 * y, 0)),
    (sympy.cos(x / 10), (1, sympy.cos(x / 10), 0)),
    ((x / 10 - y / 10) ** 2, (sympy.Rational(1, 100), (x - y) ** 2, 0)),
]


@pytest.mark.parametrize(("term", "expected"), TERMS, ids=[str(t) for t, _ in TERMS])
def test_factors_come_before_terms(term, expected):
    assert parted(term) == expected


@pytest.mark.parametrize("term", [x**2 * y, sympy.exp(x) / y, sympy.sqrt(x**2 + y**2)], ids=str)
def test_there_and_back(term):
    there = inside(term, (x, y), FRAME)
    back = outside(there, ("x", "y"), FRAME)
    assert sympy.expand(back - term) == 0
    assert there.subs({x: 0, y: -1}) == term.subs({x: 1000, y: 10**6})


def test_fields_and_their_derivatives():
    s = sympy.Symbol("s")
    u = sympy.Function("u")(s)
    frame = Frame((Fraction(0),) * 8, (3,) * 8, (False,) * 8)
    names = tuple(f"u{i}" for i in range(8))
    term = sympy.Integral(sympy.Derivative(u, s) ** 2 * u, s)
    factor, rest, constant = parted(outside(term, names, frame))
    assert (factor, rest, constant) == (sympy.Rational(1, 10**9), term, 0)
