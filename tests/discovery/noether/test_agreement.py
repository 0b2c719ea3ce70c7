"""Laws of data against the Killing fields of their energy."""

import numpy as np
import pytest
import sympy

from discovery import SymmetryFinder
from discovery.noether.pairing import pair
from discovery.symmetries.geometry.formula_metric import FormulaMetric

P, V, A, W, M = "position", "velocity", "angle", "angular_velocity", "momentum"
PLANE, ROLES = ("x", "y", "u", "v"), (P, P, V, V)
ENERGY = "u**2/2 + v**2/2 + (x**2 + y**2)**2"
ROTATION = "x*v - y*u"


def test_laws_that_pair_have_no_flags():
    found = pair([ENERGY, ROTATION], PLANE, ROLES)
    assert found.flags == []
    assert found.reason == ""


def test_a_law_that_was_missed_is_named():
    (flag,) = pair([ENERGY], PLANE, ROLES).flags
    assert "-y ∂x + x ∂y" in flag
    assert "not among the laws" in flag


@pytest.mark.parametrize(
    ("quantities", "names", "roles"),
    [
        # p_x alone is a function of the two energies.
        (["u**2", "v**2 + y**4"], PLANE, ROLES),
        (
            ["(px**2 + py**2)/2 - 1/sqrt(x**2 + y**2)", "x*py - y*px"],
            ("x", "y", "px", "py"),
            (P, P, M, M),
        ),
        (
            ["omega_r**2 + r**2*w**2 + r**4", "r**2*w"],
            ("r", "phi", "omega_r", "w"),
            (P, A, V, W),
        ),
        (
            ["w1**2 + w2**2/2 + cos(a1 - a2)*w1*w2 - 2*cos(a1) - cos(a2)"],
            ("a1", "a2", "w1", "w2"),
            (A, A, W, W),
        ),
    ],
)
def test_complete_sets_of_laws(quantities, names, roles):
    states = np.random.default_rng(0).uniform(0.5, 1.5, (400, len(names)))
    assert pair(quantities, names, roles, states).flags == []


def test_why_nothing_was_paired():
    assert "do not pair" in pair([ROTATION], PLANE, (P, P, P, V)).reason
    assert "No energy" in pair([ROTATION], PLANE, ROLES).reason
    assert "no quantities" in pair([], PLANE, ROLES).reason


def test_a_metric_of_formulas():
    theta, _ = symbols = sympy.symbols("theta phi", real=True)
    points = np.random.default_rng(0).uniform([0.5, 0.0], [2.6, 6.0], (300, 2))
    sphere = FormulaMetric(sympy.diag(1, sympy.sin(theta) ** 2), symbols)
    assert SymmetryFinder(metric=sphere, names=("theta", "phi")).fit(points).n_symmetries_ == 3
    by_name = FormulaMetric([["1", "0"], ["0", "sin(theta)**2"]], ("theta", "phi"))
    assert str(by_name.matrix) == str(sphere.matrix)
    tilted = FormulaMetric(sphere.matrix, symbols, sympy.cos(theta))
    finder = SymmetryFinder(metric=tilted, names=("theta", "phi")).fit(points)
    assert [s.expression for s in finder.symmetries_] == ["∂phi"]
    with pytest.raises(ValueError, match="2 × 2"):
        FormulaMetric(sympy.eye(3), symbols)
    with pytest.raises(ValueError, match="'k' is unknown"):
        FormulaMetric(sympy.Symbol("k") * sympy.eye(2), symbols)
