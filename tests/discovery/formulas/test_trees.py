"""Formulas as nested lists: what is read back is what was written, and nothing else is read."""

import json

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.formulas.trees import from_tree, to_tree

NAMES = st.sampled_from(
    ["x", "E", "I", "S", "N", "Q", "pi", "lambda", "position x", "a-b", "θ", "", "Symbol", "1"]
).filter(bool) | st.text(min_size=1, max_size=8)
SYMBOLS = st.builds(sympy.Symbol, NAMES) | st.builds(
    lambda name: sympy.Symbol(name, real=True), NAMES
)
NUMBERS = (
    st.integers(-(10**6), 10**6).map(sympy.Integer)
    | st.fractions(max_denominator=1000).map(sympy.Rational)
    | st.floats(allow_nan=False, allow_infinity=False, width=32).map(sympy.Float)
    | st.floats(1e-9, 1e9).map(lambda value: sympy.Float(value, 6))
    | st.sampled_from([sympy.pi, sympy.E])
)


def grown(parts):
    functions = [sympy.sin, sympy.cos, sympy.exp, sympy.sinh, sympy.Abs, sympy.atan]
    made = (
        st.builds(lambda a, b: a + b, parts, parts)
        | st.builds(lambda a, b: a * b, parts, parts)
        | st.builds(lambda a, n: a**n, SYMBOLS, st.integers(-4, 4))
        | st.builds(lambda a: sympy.sqrt(1 + a**2), SYMBOLS)
        | st.builds(lambda f, a: f(a), st.sampled_from(functions), SYMBOLS)
        | st.builds(lambda c, a: sympy.Mul(c, 1 + a, evaluate=False), NUMBERS, SYMBOLS)
    )
    return made.filter(lambda e: not e.has(sympy.zoo, sympy.nan, sympy.oo, sympy.I))


FORMULAS = st.recursive(NUMBERS | SYMBOLS, grown, max_leaves=8)


@settings(deadline=None, max_examples=150)
@given(FORMULAS)
def test_round_trip(formula):
    again = from_tree(json.loads(json.dumps(to_tree(formula))))
    assert again == formula and str(again) == str(formula)
    assert again.free_symbols == formula.free_symbols


def test_sums_over_an_index():
    i, j, x = sympy.Symbol("i"), sympy.Symbol("j"), sympy.IndexedBase("x")
    gap = x[j] - x[i]
    gap -= 3 * sympy.floor(gap / 3 + sympy.S.Half, evaluate=False)
    formula = 4 * sympy.Sum(gap**-12, (j, i + 1, 64), (i, 1, 63))
    again = from_tree(json.loads(json.dumps(to_tree(formula))), fields=True)
    assert str(again) == str(formula)
    with pytest.raises(ValueError, match="no part of a formula"):
        from_tree(to_tree(formula))


def test_fields():
    x = sympy.Symbol("x")
    u = sympy.Function("u")(x)
    formula = sympy.Integral(-(u**3) + sympy.Derivative(u, (x, 2)) ** 2 / 2, x)
    assert from_tree(to_tree(formula), fields=True) == formula
    # What is compiled must hold no functions that are not known.
    with pytest.raises(ValueError, match="no part of a formula"):
        from_tree(to_tree(u))


@pytest.mark.parametrize(
    "formula",
    [
        sympy.Symbol("x", integer=True),
        sympy.Dummy("x"),
        sympy.zoo,
        sympy.I,
        sympy.gamma(sympy.Symbol("x")),
        sympy.Integral(sympy.Symbol("x"), (sympy.Symbol("x"), 0, 1)),
    ],
    ids=str,
)
def test_what_no_formula_holds_is_refused(formula):
    with pytest.raises(ValueError, match="cannot be stored"):
        to_tree(formula)


def deep(levels):
    tree = ["Symbol", "x"]
    for _ in range(levels):
        tree = ["sin", tree]
    return tree


NO_FORMULAS = {
    "code": "__import__('os').system('true')",
    "a function of Python's": ["eval", ["Symbol", "x"]],
    "an undefined function": ["Function", "exec", ["Symbol", "x"]],
    "no name": ["Symbol", ""],
    "a list as a name": ["Symbol", ["x"]],
    "zero below": ["Rational", 1, 0],
    "an endless power": ["Pow", 9, ["Pow", 9, 9]],
    "a large power": ["Pow", ["Symbol", "x"], 10**6],
    "a huge number": ["Float", 1, 10**9, 53],
    "many digits": 10**5000,
    "a sum of one": ["Add", 1],
    "a function of nothing": ["sin"],
    "an empty list": [],
    "an object": {},
    "nothing": None,
    "a truth value": True,
    "a fraction": 1.5,
    "a deep formula": deep(1000),
}


@pytest.mark.parametrize("tree", NO_FORMULAS.values(), ids=NO_FORMULAS)
def test_trees_that_are_no_formula(tree):
    with pytest.raises(ValueError):
        from_tree(tree)


def test_names_of_functions_are_words():
    with pytest.raises(ValueError, match="no part of a formula"):
        from_tree(["Function", "__import__('os').system", ["Symbol", "x"]], fields=True)


def test_fields_in_a_plane():
    """Mixed derivatives, and integrals over several directions."""
    x, y = sympy.symbols("x y")
    u = sympy.Function("u")(x, y)
    for formula in (u.diff(x, y) ** 2 + u.diff(x, 2) * u, u.diff(x, 2, y)):
        integral = sympy.Integral(formula, x, y)
        assert from_tree(to_tree(integral), fields=True) == integral
    with pytest.raises(ValueError, match="over no variable"):
        from_tree(["Integral", ["Symbol", "u"], 2], fields=True)
    with pytest.raises(ValueError, match="has limits"):
        to_tree(sympy.Integral(u, (x, 0, 1)))
