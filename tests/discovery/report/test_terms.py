"""Terms of every kind become plain data and come back as the same functions."""

import json

import numpy as np
import pytest
import sympy

from discovery.libraries.families import polynomial
from discovery.libraries.fitted import Fitted
from discovery.libraries.many_bodies.radial import Radial
from discovery.libraries.many_bodies.sums import Forms, Sum, Sums
from discovery.libraries.numeric import Numeric
from discovery.report.terms import from_plain, to_plain

x, y = sympy.symbols("x y", real=True)
POLYNOMIAL = polynomial(("x", "y"), 2)
PAIR = Forms.differences([0], [1])
R2 = sympy.Symbol("R2", positive=True)
GAP = sympy.Symbol("gap", real=True)
KINDS = {
    "products": POLYNOMIAL,
    "fitted": Fitted((x, y), (x, y, 1 / (1 + x**2 / 3)), [(1, 0, 1), (0, 2, 1)], "a quotient", 1),
    "sums": Sums(
        (x, y), [Sum(1 / (1 + GAP**2), (GAP,), (PAIR,), np.array([0.731]), "pair")], "sums"
    ),
    "sums over pairs": Sums(
        (x, y),
        [Radial(R2**-6, (R2,), (PAIR,), np.array([0.731]), "pair", 2.0)],
        "sums",
    ),
    "numbers": Numeric(POLYNOMIAL, np.arange(10.0).reshape(5, 2), polynomial(("x", "y"), 1)),
}


@pytest.mark.parametrize("library", KINDS.values(), ids=KINDS)
def test_terms_come_back(library):
    states = np.random.default_rng(0).normal(size=(7, 2))
    again = from_plain(json.loads(json.dumps(to_plain(library))))
    np.testing.assert_allclose(again.values(states), library.values(states), rtol=1e-12)
    assert again.fitted == library.fitted
    assert str(again.expressions()) == str(library.expressions())
