"""Negative powers: of which coordinates, and which of them."""

import numpy as np
import sympy

from discovery.libraries.escalation import escalation
from discovery.libraries.library import Library
from discovery.libraries.monomials import MAX_TERMS
from discovery.libraries.rational import gaps, invertible, rational


def test_only_what_stays_away_from_zero_is_inverted():
    rows = np.random.default_rng(0).uniform(1, 2, (100, 3)) * [1, -1, 1]
    rows[0, 2] = 1e-3
    assert invertible(rows, [None] * 3) == [0]
    assert invertible(rows, ["angle", None, None]) == []


def test_inverses_need_values_clear_of_the_noise():
    rows = np.random.default_rng(0).uniform(0.1, 2, (1000, 1))
    assert invertible(rows, [None], np.array([0.01])) == [0]
    assert invertible(rows, [None], np.array([0.3])) == []
    rows[:20] = -0.01
    assert invertible(rows, [None], np.array([1e-4])) == []
    assert invertible(rows, [None], np.array([0.01])) == [0]


def test_momenta_of_one_sign_are_not_divided_by():
    rows = np.full((20, 3), 5.0) + np.linspace(0, 1, 20)[:, None]
    assert invertible(rows, ["position", "momentum", "velocity"]) == [0]
    assert invertible(rows, ["amount", None, "angular_velocity"]) == [0, 1]


def test_powers_of_a_rational_library():
    library = rational(["r", "w"], ["position", "angular_velocity"], [0])
    r, w = library.symbols
    terms = {sympy.simplify(e) for e in library.expressions()}
    assert {r**2 * w, 1 / r, w**2 / r**2, r**4} <= terms
    points = np.array([[1.3, -0.4], [0.7, 2.0]])
    index = [sympy.simplify(e) for e in library.expressions()].index(w**2 / r**2)
    np.testing.assert_allclose(library.values(points)[index], (points[:, 1] / points[:, 0]) ** 2)


def test_powers_of_many_positive_columns_are_too_many():
    names = [f"c{i}" for i in range(40)]
    assert rational(names, ["amount"] * 40, range(40)) is None
    assert len(rational(names[:2], ["amount"] * 2, range(2))) <= MAX_TERMS


LINE = ["q1", "q2", "p1", "p2"], ["position", "position", "momentum", "momentum"]


def test_gaps_are_those_of_positions_that_keep_their_order():
    rows = np.random.default_rng(0).uniform([3, 0, 0, 5], [4, 1, 1, 6], (200, 4))
    library = gaps(*LINE, rows, np.full(4, 1e-3))
    q1, q2, *_ = library.symbols
    found = library.expressions()[14:]
    assert found == [1 / (q1 - q2), (q1 - q2) ** -2, sympy.log(q1 - q2)]
    assert gaps(*LINE, rows - [3, 0, 0, 0], np.full(4, 1e-3)) is None
    # Noise that may close the gap.
    assert gaps(*LINE, rows, np.full(4, 1.5)) is None


def test_gaps_with_products_hold_what_a_law_of_third_degree_needs():
    rows = np.random.default_rng(0).uniform([0, 3, 0, 0], [1, 4, 1, 1], (200, 4))
    library = gaps(*LINE, rows, np.full(4, 1e-3), products=True)
    q1, q2, p1, p2 = library.symbols
    terms = set(library.expressions())
    assert {p1**2 * p2, q2 * p1 * p2, p1 / (q2 - q1) ** 2, q1 / (q2 - q1) ** 2} <= terms
    assert (q2 - q1) ** -1 not in terms


def test_deep_inverse_powers_beside_momenta():
    """What (1 − 2/r + q²/r²)² holds, of data with a momentum alone."""
    names, rows = ("r", "phi", "p", "L"), np.random.default_rng(0).uniform(1, 2, (50, 4))
    told = ("position", "angle", "momentum", "momentum")
    r, p, spin = sympy.symbols("r p L", real=True)
    deep = {p**2 / r**4, spin**2 / r**4, p**2 / r**3, 1 / r}
    for roles, tried in ((told, True), (("position", "angle", "other", "other"), False)):
        some = [s for s in escalation(names, roles, rows) if isinstance(s, Library)]
        assert any(deep <= {*library.expressions()} for library in some) is tried
