"""Compiled formulas: whatever symbols are called, and with derivatives of |x| and sign x."""

import numpy as np
import pandas as pd
import pytest
import sympy

from discovery import ConservedQuantityFinder, datasets, noether
from discovery.formula_metric import FormulaMetric
from discovery.formulas.compiling import blanks, compile_formulas


@pytest.mark.parametrize("names", [("sqrt", "sin"), ("φ", "ϕ"), ("x y", "lambda"), ("cos", "E")])
def test_names_stand_for_nothing_else(names):
    a, b = (sympy.Symbol(name, real=True) for name in names)
    points = np.random.default_rng(0).uniform(1, 2, (2, 9))
    function = compile_formulas([a, b], [sympy.sqrt(a) + sympy.sin(b), sympy.cos(a) * b])
    first, second = function(*points)
    np.testing.assert_allclose(first, np.sqrt(points[0]) + np.sin(points[1]))
    np.testing.assert_allclose(second, np.cos(points[0]) * points[1])


def test_kinks_and_jumps_have_no_derivative_where_they_are():
    x = sympy.Symbol("x", real=True)
    f = sympy.Abs(x) + sympy.sign(x)
    slope, bend = compile_formulas([x], [f.diff(x), f.diff(x, 2)])(np.array([-2.0, 3.0]))
    np.testing.assert_allclose(slope, [-1.0, 1.0])
    np.testing.assert_allclose(np.broadcast_to(bend, 2), 0.0)


def test_columns_called_like_functions():
    runs = datasets.load("kepler", 16, 60, seed=0)
    roles = ["position"] * 2 + ["velocity"] * 2
    frame = pd.DataFrame(runs.rows, columns=["sqrt", "ϕ", "φ", "sin"])
    finder = ConservedQuantityFinder(roles=roles, random_state=0)
    assert finder.fit(frame, groups=runs.groups, times=runs.row_times).n_conserved_ == 3
    assert noether.pair(["sin**2/2 + 1/sqrt"], ["sqrt", "sin"], roles[1:3]).symmetries


def test_a_metric_in_symbols_called_like_functions():
    sqrt, _ = symbols = sympy.symbols("sqrt sin", real=True)
    metric = FormulaMetric([["1", "0"], ["0", sympy.sin(sqrt) ** 2]], symbols, "abs(sin) + sqrt")
    points = np.random.default_rng(0).uniform(0.5, 2.5, (7, 2))
    g, _, potential, _ = metric.at(points)
    np.testing.assert_allclose(g[:, 1, 1], np.sin(points[:, 0]) ** 2)
    np.testing.assert_allclose(potential, points.sum(axis=1))


@pytest.mark.parametrize("given", [None, 5, "x*v"])
def test_pair_takes_a_list(given):
    with pytest.raises(ValueError, match="Expected a list of formulas"):
        noether.pair(given, ["x", "v"], ["position", "velocity"])


@pytest.mark.parametrize("matrix", [5, "12", [["1", "0"], 3], [["1"], ["0"]]])
def test_a_matrix_is_square(matrix):
    with pytest.raises(ValueError, match="must be 2 × 2"):
        FormulaMetric(matrix, sympy.symbols("x y", real=True))


def test_symbols_of_the_same_kind_become_the_same_blanks():
    """SymPy keeps what it knows of expressions in them. A column may be called as a blank is."""
    x, y, one = (sympy.Symbol(name, real=True) for name in ("x", "y", "_1"))
    assert blanks([x, y]) == blanks([one, x])
    assert blanks([x, sympy.Symbol("y", positive=True)]) != blanks([x, y])
    assert compile_formulas([one, x], [one - 2 * x])(10.0, 1.0) == [8.0]
