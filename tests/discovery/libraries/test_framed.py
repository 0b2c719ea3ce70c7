"""Libraries seen from another frame: values and derivatives in the user's coordinates."""

import pickle
from fractions import Fraction

import numpy as np
import pytest

from discovery import libraries
from discovery.data.frame import Frame
from discovery.libraries.framed import Framed, in_frame
from discovery.libraries.library import Library

NAMES = ("x", "y", "u", "v")
ROLES = ("position", "position", "velocity", "velocity")
FRAME = Frame((Fraction(100), Fraction(0), Fraction(0), Fraction(-7)), (2, 2, -1, -1), (False,) * 4)
INNER = libraries.mechanics(NAMES, ROLES, products=True)


@pytest.fixture(scope="module")
def states():
    return FRAME.outside(np.random.default_rng(0).normal(size=(50, 4)))


def test_values_are_those_of_the_formulas(states):
    framed = Framed(INNER, FRAME)
    plain = Library(framed.symbols, framed.expressions(), np.eye(len(framed), dtype=int))
    np.testing.assert_allclose(framed.values(states), plain.values(states), rtol=1e-9)


def test_logarithms_differ_by_no_constant():
    frame = Frame((Fraction(0),) * 2, (3, -4), (False, True))
    framed = Framed(libraries.logarithmic(("a", "b"), [0, 1]), frame)
    some = frame.outside(np.random.default_rng(0).uniform(1, 2, (9, 2)))
    assert str(framed.expressions()[-2]) == "log(a)"
    np.testing.assert_allclose(framed.values(some)[-2], np.log(some[:, 0]))


def test_derivatives_are_those_of_the_formulas(states):
    framed = Framed(INNER, FRAME)
    plain = Library(framed.symbols, framed.expressions(), np.eye(len(framed), dtype=int))
    covariance = np.broadcast_to(np.diag([4.0, 9.0, 1e-4, 2e-4]), (50, 4, 4))
    for ours, theirs in zip(
        framed.jets(states, covariance, 2), plain.jets(states, covariance, 2), strict=True
    ):
        size = np.abs(theirs).max(axis=-1, keepdims=True) + 1e-300
        np.testing.assert_allclose(ours / size, theirs / size, atol=1e-9)


def test_parts_and_copies(states):
    framed = Framed(INNER, FRAME)
    part = framed.restrict([3, 1])
    assert part.expressions() == [framed.expressions()[3], framed.expressions()[1]]
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(framed)).values(states), framed.values(states)
    )
    np.testing.assert_array_equal(framed.costs(), INNER.costs())
    assert framed.kinds() == INNER.kinds()


def test_a_user_s_library_in_a_frame(states):
    own = libraries.custom(["x**2", "cos(x)*u", "1/sqrt(x**2 + y**2)", "log(v)"], NAMES)
    frame = Frame((Fraction(0),) * 4, (2, 2, -1, -1), (False,) * 4)
    framed = in_frame(own, frame)
    ours, theirs = framed.values(frame.inside(states)), own.values(states)
    defined = np.isfinite(theirs)
    ratio = np.where(defined, ours, 1) / np.where(defined, theirs, 1)
    np.testing.assert_allclose(ratio[defined], (ratio[:, :1] * defined)[defined], rtol=1e-9)
    assert str(Framed(framed, frame).expressions()[2]) == "1/sqrt(x**2 + y**2)"
