"""Descriptions of learned laws: which monomials they name, and how much these leave unexplained."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy

from discovery.data.frame import Frame
from discovery.formulas.simple_numbers import NUMBERS
from discovery.laws.learned.library import LearnedLibrary, Network
from discovery.libraries.domain import Domain
from discovery.libraries.embedded import Embedded
from discovery.libraries.framed import Framed
from discovery.libraries.library import Library
from discovery.libraries.monomials import symbols_of
from discovery.libraries.numeric import Numeric
from discovery.report.description import described
from discovery.report.quantity import Quantity
from discovery.report.terms import domain_from_plain, domain_to_plain, from_plain, to_plain

FIT, HELD = np.random.default_rng(0).normal(size=(2, 500, 4))
NAMES = ("x", "y", "z", "w")
X, Y, Z, W = symbols_of(NAMES)


def quantity(library, coefficients):
    return Quantity(
        expression=sympy.Symbol("f"),
        verdict="exact",
        flatness=1.0,
        flatness_interval=(0.9, 1.1),
        drift=0.0,
        drift_interval=(0.0, 0.01),
        signal=10.0,
        _library=library,
        _coefficients=np.array(coefficients),
    )


def learned(*layers):
    """Return a law that is a network of (kernel, bias) layers on the coordinates as they are."""
    network = Network(np.zeros(4), np.ones(4), (), tuple((np.array(k), b) for k, b in layers))
    return quantity(LearnedLibrary(NAMES, network), [1.0])


def test_a_network_that_is_a_polynomial_is_described_as_it():
    law = described(learned(([[1.0], [0.0], [-0.5], [0.0]], 3.0)), FIT, HELD)
    # A constant tells no orbits apart.
    assert law.expression == sympy.Float(1, 3) * X - sympy.Float(0.5, 3) * Z
    assert law.approximation_error < 1e-20
    np.testing.assert_allclose(law(HELD), HELD[:, 0] - HELD[:, 2] / 2 + 3)


def test_a_description_is_not_passed_on_as_the_law():
    inner = Library((X, Y, Z, W), (X, Y, Z, W), 2 * np.eye(4, dtype=int))
    numbers = quantity(Numeric(inner, np.ones((4, 1)), inner), [1.0])
    network = learned(([[1.0], [0.0], [-0.5], [0.0]], 3.0))
    for law, what in ((numbers, "a sum of many terms"), (network, "a network")):
        with pytest.raises(ValueError, match=f"{what} has no closed form.* law\\(states\\)"):
            law.plain_form()


def test_terms_that_explain_little_are_left_out():
    """x and a steep step across y + z + w = 0, of whose variance one monomial explains a fifth."""
    first = [[0.01, 0.0], [0.0, 30.0], [0.0, 30.0], [0.0, 30.0]]
    law = described(learned((first, 0.0), ([[100.0], [0.2]], 0.0)), FIT, HELD)
    assert law.expression.free_symbols == {X}
    assert 0.02 < law.approximation_error < 0.06


def test_units_go_before_the_terms():
    """Of x and y in thousands of kilometres, where the user has metres."""
    frame = Frame((Fraction(0),) * 4, (6, 6, 3, 3), (False,) * 4)
    far = 0.5 * Z**2 + 0.3 * X**2 - 1.2 / sympy.sqrt(X**2 + Y**2) + 0.3 * sympy.log(X**2 + Y**2)
    law = replace(learned(([[1.0], [0.0], [-0.5], [0.0]], 3.0)), expression=far)
    law = replace(law, alternatives=(X**2 / 2 + 1 / sympy.sqrt(X**2 + Y**2),))
    seen = law.outside(frame, NUMBERS)
    assert {str(term) for term in sympy.Add.make_args(seen.expression)} == {
        "5.0e-7*z**2",
        "3.0e-13*x**2",
        "-1.2e+6/sqrt(x**2 + y**2)",
        "0.3*log(x**2 + y**2)",
    }
    assert str(seen.alternatives[0]) == "5.0e-13*x**2 + 1.0e+6/sqrt(x**2 + y**2)"


def test_closed_forms_stay_as_they_are():
    law = quantity(Library((X, Y, Z, W), (X, Y, Z, W), np.eye(4, dtype=int)), [1.0, 0, 0, 0])
    assert described(law, FIT, HELD) is law


def test_terms_that_cancel_along_runs_are_described_together():
    """An energy as numbers, of which no single term explains a third."""
    states = np.random.default_rng(2).normal(size=(3000, 4))
    inner = Library((X, Y, Z, W), (X, Y, Z, W), 2 * np.eye(4, dtype=int))
    law = described(quantity(Numeric(inner, np.ones((4, 1)), inner), [1.0]), states, states)
    assert law.expression.free_symbols == {X, Y, Z, W}
    assert law.approximation_error < 1e-6


def test_the_bound_of_a_law_as_numbers_holds_amid_the_data():
    inner = Library((X, Y, Z, W), (X, Y, Z, W), 2 * np.eye(4, dtype=int))
    numbers = Numeric(inner, np.ones((4, 1)), inner)
    assert "amid the data, drift above" in quantity(numbers, [1.0]).statement
    inside = replace(quantity(numbers, [1.0]), outermost=0.023)
    assert "amid the data, but for 2.3 % of the samples, the outermost, drift" in inside.statement
    assert "amid" not in quantity(inner, np.ones(4)).statement
    hidden = replace(quantity(inner, np.ones(4)), hidden=0.004)
    assert "but for 0.4 % of the samples, which noise hides, drift above" in hidden.statement


def test_a_law_as_numbers_tells_where_it_is_known():
    """In the user's units, beside columns that it is not of, and after it was stored."""
    inner = Library((X, Y), (X, Y), 2 * np.eye(2, dtype=int))
    domain = Domain.of(inner, FIT[:, :2], np.zeros((2, 2)), 0.02)
    numbers = Numeric(inner, np.ones((2, 1)), inner, domain=domain)
    frame = Frame((1, 0, 0, 0), (2, 0, 0, 0), (False,) * 4)
    law = quantity(Framed(Embedded(numbers, (X, Y, Z, W), (0, 1)), frame), [1.0])
    states = FIT * [100, 1, 1, 1] + [1, 0, 0, 0]
    known = law.known_at(states)
    assert 0.97 < known.mean() < 0.99
    again = replace(law, _library=from_plain(to_plain(law._library)))
    np.testing.assert_array_equal(again.known_at(states), known)
    assert not law.known_at(states[:1] + 1e4).any()
    assert law.known_at(states.reshape(50, 10, 4)).shape == (50, 10)
    assert quantity(inner, np.ones(2)).known_at(1e4 * FIT[:, :2]).all()


def test_a_formula_that_may_be_an_expansion_tells_where_it_is_known():
    """Amid the states that told it, in the user's units and after it was stored."""
    terms = Library((X, Y), (X, Y), [(1, 0), (9, 0), (0, 2)])
    law = replace(quantity(terms, np.ones(3)), _domain=Domain.around(terms, FIT[:, :2]))
    assert "amid" not in law.statement and law.known_at(1e4 * FIT[:, :2]).all()
    for unsure in (
        replace(law, doubtful=True),
        replace(law, alternatives=(X + Y,)),
        replace(law, outwards=0.001),
    ):
        assert "amid the data, drift above" in unsure.statement
        assert unsure.known_at(FIT[:, :2]).all()
        assert not unsure.known_at(1.2 * FIT[np.abs(FIT[:, :2]).argmax(axis=0), :2]).any()
    seen = replace(law, doubtful=True).outside(Frame((1, 0), (2, 0), (False,) * 2), NUMBERS)
    assert not seen.known_at([[300.0, 0.0], [500.0, 0.0]]).all()
    states = FIT[:, :2] * [100, 1] + [1, 0]
    assert seen.known_at(states).mean() > 0.99
    inside = 0.98 * (states - states.mean(axis=0)) + states.mean(axis=0)
    assert seen.known_at(inside).all()
    again = domain_from_plain(domain_to_plain(seen.domain), seen.library)
    np.testing.assert_array_equal(again.holds(1.5 * states), seen.known_at(1.5 * states))
