"""The laws of data sets as formulas, which the data sets have as functions only."""

import numpy as np
import sympy

FUNCTIONS = {
    "add": sympy.Add,
    "subtract": lambda a, b: a - b,
    "multiply": sympy.Mul,
    "divide": lambda a, b: a / b,
    "power": sympy.Pow,
    "negative": lambda a: -a,
    "square": lambda a: a**2,
    "sqrt": sympy.sqrt,
    "hypot": lambda a, b: sympy.sqrt(a**2 + b**2),
    "sin": sympy.sin,
    "cos": sympy.cos,
    "exp": sympy.exp,
    "log": sympy.log,
}


def formula(system, law):
    """Return ``: `formula` `` of a law, or nothing for an integral over a field."""
    if system.grid_spacing is not None:
        return ": an integral over the field"
    try:
        written = system.laws[law](*(Written(sympy.Symbol(name)) for name in system.names))
    except (
        KeyError,
        TypeError,
        AttributeError,
        ValueError,
    ):  # a law that is computed by more than functions of numbers
        return ""
    if not isinstance(written, Written):  # sums over arrays give arrays
        return ""
    return f": `{sympy.nsimplify(written.expression, rational=True, tolerance=1e-12)}`"


class Written(np.lib.mixins.NDArrayOperatorsMixin):
    """A formula that NumPy's functions and operators add to, where they would compute numbers."""

    def __init__(self, expression):
        self.expression = expression

    def __array_ufunc__(self, ufunc, method, *inputs, **_):
        """Write the function instead of evaluating it."""
        parts = [sympy.sympify(getattr(x, "expression", x)) for x in inputs]
        return Written(FUNCTIONS[ufunc.__name__](*parts))
