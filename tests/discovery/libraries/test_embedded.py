"""Functions of some columns, to which parameters are constants."""

import numpy as np
import pytest

from discovery import libraries
from discovery.data.parameters import Parts
from discovery.laws.stages import stages_among, stages_of
from discovery.libraries.embedded import Embedded, with_parameters
from discovery.libraries.monomials import MAX_TERMS, symbols_of

NAMES = ("number", "x", "k", "u")
SYMBOLS = symbols_of(NAMES)
COORDINATES = (1, 3)
STATES = np.random.default_rng(0).uniform(0.5, 2.0, (7, 4))
NUMBER, X, K, U = STATES.T


def embedded(*expressions, names=("x", "u", "k")):
    return Embedded(libraries.custom(expressions, names), SYMBOLS, COORDINATES)


def test_derivatives_are_those_of_coordinates():
    """k x² + u² at k of each row: nothing along k, nothing along a column that is in no term."""
    terms = embedded("k*x**2", "u**2")
    covariance = np.broadcast_to(np.diag([1e-300, 0.04, 1e-300, 0.01]), (7, 4, 4))
    values, slopes, bend = terms.jets(STATES, covariance, order=2)
    np.testing.assert_allclose(values, [K * X**2, U**2])
    np.testing.assert_allclose(values, terms.values(STATES))
    np.testing.assert_allclose(slopes[1], [2 * K * X, 0 * X])
    np.testing.assert_allclose(slopes[3], [0 * U, 2 * U])
    assert not slopes[[0, 2]].any()
    np.testing.assert_allclose(bend, [2 * K * 0.04, np.full(7, 0.02)])
    assert terms.jets(STATES, order=0)[1] is None
    assert terms.dim == 2 and len(terms.symbols) == 4


def test_what_depends_on_parameters_alone_is_no_term():
    terms = embedded("k**2", "k*x", "log(k)", "u").without_constants()
    assert [str(e) for e in terms.expressions()] == ["k*x", "u"]
    whole = embedded("x", "u")
    assert whole.without_constants() is whole


def test_parameters_tell_kinds_of_terms():
    """x² and u² may have equal coefficients by a symmetry; k x² is of a kind of its own."""
    x2, u2, kx2, ku2 = embedded("x**2", "u**2", "k*x**2", "k*u**2").kinds()
    assert x2 == u2 != kx2 == ku2
    xu2, k_u2 = embedded("x*u**2", "k*u**2").kinds()
    assert xu2 != k_u2


def test_parameters_that_all_terms_have_are_no_part_of_a_formula():
    terms = embedded("k**2*x**2", "k*u**2", "k*x**2", "u**2", "k*u")
    assert terms.divided((0, 1)) == (2, 3)
    # Nothing common; a common factor whose quotient the library does not hold.
    assert terms.divided((2, 3)) == (2, 3)
    assert terms.divided((1, 4)) == (1, 4)


def test_logarithms_of_parameters_leave_no_rows_out():
    assert embedded("log(k)*x", "log(u)").positive == (3,)


def test_products_with_parameters():
    k, m = symbols_of(("k", "m"))
    plain = libraries.polynomial(("x", "u"), 2)
    rich = with_parameters(plain, [k, m])
    assert len(rich) == 6 * len(plain)
    assert {"x**2", "k*x**2", "k*m*x**2", "m**2*u"} <= {str(e) for e in rich.expressions()}
    assert with_parameters(plain, []) is None


@pytest.mark.parametrize(("degree", "times"), [(10, 3), (12, 2), (20, None)])
def test_no_more_terms_than_a_library_may_have(degree, times):
    (k,) = symbols_of(("k",))
    plain = libraries.polynomial(("x", "u"), degree)
    rich = with_parameters(plain, [k])
    assert (None if rich is None else len(rich) / len(plain)) == times
    assert rich is None or len(rich) <= MAX_TERMS


def test_a_parameter_times_the_time():
    """A law such as v − g slope t has a term with both."""
    parts = Parts(coordinates=(1,), parameters=(2,), clock=(3,))
    inner = stages_of([libraries.polynomial(("x",), 1)])
    stages = stages_among(inner, symbols_of(("number", "x", "k", "t")), parts)
    terms = [{str(e) for e in stage.library.expressions()} for stage in stages]
    assert terms[0] == {"x"} and "k*t" in terms[-1] and "k*x" in terms[-1]
    assert not any("k*t" in some for some in terms[:-1])
