"""Expanded functions: products of momenta and of functions of positions."""

import numpy as np
import pytest
import sympy

from discovery.libraries.energy_forms import energy_forms
from discovery.libraries.expanded import Axis, Expanded
from discovery.libraries.library import Library
from discovery.libraries.numeric import Numeric
from discovery.report.terms import from_plain, to_plain

SYMBOLS = sympy.symbols("x a u v", real=True)


def expansion(core=None):
    axes = [Axis(0, False, 0.3, 1.7, 2, core), Axis(1, True)]
    powers = [[0, 0], [2, 0], [1, 1], [0, 2], [1, 0]]
    functions = [[3, 4], [0, 1], [2, 2], [5, 0], [1, 3]]
    return Expanded(SYMBOLS, axes, [2, 3], np.array(powers), np.array(functions))


@pytest.mark.parametrize("core", [None, (0.2, 0.7)])
def test_values_and_derivatives_are_those_of_the_formulas(core):
    functions = expansion(core)
    formulas = Library(SYMBOLS, functions.expressions(), np.eye(5, dtype=int))
    rng = np.random.default_rng(0)
    states, half = rng.normal(size=(6, 4)), rng.normal(size=(6, 4, 4))
    covariance = half @ half.transpose(0, 2, 1)
    for own, other in zip(
        functions.jets(states, covariance, 2), formulas.jets(states, covariance, 2), strict=True
    ):
        np.testing.assert_allclose(own, other, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(functions.degrees, [5, 1, 3, 5, 3])


def test_functions_as_numbers_are_stored_with_their_expansion():
    inner = expansion(core=(0.2, 0.7))
    describing = Library(SYMBOLS, SYMBOLS, np.eye(4, dtype=int))
    functions = Numeric(inner, np.arange(1.0, 6)[:, None], describing)
    again = from_plain(to_plain(functions))
    states = np.random.default_rng(1).normal(size=(9, 4))
    np.testing.assert_array_equal(again.values(states), functions.values(states))


def test_a_stretched_axis_reaches_a_core_with_fewer_terms():
    rows = np.random.default_rng(3).standard_normal((2000, 1))
    core = np.log(rows[:, 0] ** 2 + 0.1)
    left = []
    for axis in (Axis.over(rows, 0), Axis.over(rows, 0).stretched(rows)):
        (terms,) = axis.tables(rows[:, 0], 17, 0)
        assert np.abs(terms).max() < 1 + 1e-9
        left.append(np.std(core - terms.T @ np.linalg.lstsq(terms.T, core, rcond=None)[0]))
    assert left[1] < left[0] / 10
    # An angle, and what is next to constant, stay as they are.
    assert Axis(0, True).stretched(rows) == Axis(0, True)
    still = Axis.over(rows**25, 0)
    assert still.stretched(rows**25) == still


def test_forms_of_energies_hold_every_square_and_every_low_degree():
    rows = np.random.default_rng(2).uniform(-1, 1, (50, 4))
    roles = ["position", "angle", "momentum", "momentum"]
    constant, _, masses = energy_forms(["x", "a", "p", "l"], roles, rows)
    assert len(constant.library) <= 250 and len(masses.library) <= 250
    squares = constant.library.powers.sum(axis=1) == 2
    assert squares.sum() == 3 and not constant.library.degrees[squares].any()
    assert (masses.library.powers.sum(axis=1) == 2).sum() > 30
    assert energy_forms(["x", "p", "s"], ["position", "momentum", "other"], rows[:, :3]) == []
