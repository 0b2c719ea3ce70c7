"""Formulas as plain data, with values and slopes on tensors.

A formula is a number or a list that begins with its kind: ``["Symbol", "x"]``, ``["Add", …]``,
``["Mul", …]``, ``["Pow", base, exponent]``, or a function of `FUNCTIONS`. Only these parts are
read, so a file holds nothing that runs.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import TypeAlias

from keras import ops

from keras_ndm import backend
from keras_ndm.backend import Tensor

Tree: TypeAlias = "float | list"
# A value (n,) or a number, and its derivatives by columns, those that are not zero.
Jet: TypeAlias = "tuple[Tensor | float, dict[int, Tensor | float]]"

# Levels of a formula: beyond what anyone writes.
_DEEPEST = 60
_CONSTANTS = {"pi": math.pi, "E": math.e}
# Powers that are products.
_PRODUCT = 8

# name: (f, f′ as a function of x and f(x))
FUNCTIONS = {
    "exp": (ops.exp, lambda x, f: f),
    "log": (ops.log, lambda x, f: 1 / x),
    "sin": (backend.sin, lambda x, f: backend.cos(x)),
    "cos": (backend.cos, lambda x, f: -backend.sin(x)),
    "tan": (ops.tan, lambda x, f: 1 + f * f),
    "asin": (ops.arcsin, lambda x, f: 1 / ops.sqrt(1 - x * x)),
    "acos": (ops.arccos, lambda x, f: -1 / ops.sqrt(1 - x * x)),
    "atan": (ops.arctan, lambda x, f: 1 / (1 + x * x)),
    "sinh": (ops.sinh, lambda x, f: ops.cosh(x)),
    "cosh": (ops.cosh, lambda x, f: ops.sinh(x)),
    "tanh": (backend.tanh, lambda x, f: 1 - f * f),
    "Abs": (ops.abs, lambda x, f: ops.sign(x)),
    "sign": (ops.sign, lambda x, f: ops.zeros_like(x)),
}


def as_tree(formula: object, names: Sequence[str]) -> Tree:
    """Return a formula as plain data.

    Parameters
    ----------
    formula : number, list or SymPy expression
        A list as above; ``["Rational", p, q]``, ``["Float", mantissa, exponent, precision]`` and
        other kinds of symbols, as `discovery` writes them, too.
    names : sequence of str
        The symbols that it may have.

    Raises
    ------
    ValueError
        For any other part.
    """
    return _tree(formula, set(names), 0)


def _tree(part: object, names: set[str], depth: int) -> Tree:
    if depth > _DEEPEST:
        raise ValueError("a formula is nested too deeply.")
    if isinstance(part, Real) and not isinstance(part, bool):
        return _finite(float(part))
    if hasattr(part, "free_symbols") and hasattr(part, "args"):
        return _of_sympy(part, names, depth)
    match part:
        case [str(name)] if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ["Rational", int(p), int(q)] if q:
            return _finite(p / q)
        case ["Float", int(mantissa), int(exponent), int()]:
            return _finite(math.ldexp(float(mantissa), exponent))
        case ["Symbol" | "Real" | "Positive", str(name)]:
            return _symbol(name, names)
        case ["Pow", base, exponent]:
            return ["Pow", _tree(base, names, depth + 1), _tree(exponent, names, depth + 1)]
        case ["Add" | "Mul" as kind, _, *_]:
            return [kind, *(_tree(inner, names, depth + 1) for inner in part[1:])]
        case [str(name), inner] if name in FUNCTIONS:
            return [name, _tree(inner, names, depth + 1)]
    raise ValueError(
        f"{str(part)[:60]} is no part of a formula. Expected SymPy expressions of numbers, "
        f"{', '.join(sorted(names))}, Add, Mul, Pow and {', '.join(FUNCTIONS)}."
    )


def _of_sympy(part: object, names: set[str], depth: int) -> Tree:
    """Return an expression of SymPy, which need not be installed."""
    if getattr(part, "is_Symbol", False):
        return _symbol(part.name, names)
    if not part.free_symbols:
        return _finite(float(part))
    return _tree([type(part).__name__, *part.args], names, depth)


def _symbol(name: str, names: set[str]) -> Tree:
    if name not in names:
        raise ValueError(
            f"a formula has {name!r}. Expected the coordinates {', '.join(sorted(names))}."
        )
    return ["Symbol", name]


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"a formula has the number {value}.")
    return value


def symbols(tree: Tree) -> set[str]:
    """Return the names in a formula, as `as_tree` returns it."""
    if not isinstance(tree, list):
        return set()
    if tree[0] == "Symbol":
        return {tree[1]}
    return set().union(*map(symbols, tree[1:]))


def jet(tree: Tree, columns: Mapping[str, int], states: Tensor) -> Jet:
    """Return the value of a formula and its derivatives by the columns of states.

    Parameters
    ----------
    tree : number or list
        As `as_tree` returns it.
    columns : mapping from name to int
    states : tensor (n, d)
    """
    if not isinstance(tree, list):
        return tree, {}
    kind, *parts = tree
    if kind == "Symbol":
        return states[:, columns[parts[0]]], {columns[parts[0]]: 1.0}
    jets = [jet(part, columns, states) for part in parts]
    if kind == "Pow":
        return _power(*jets)
    if kind in FUNCTIONS:
        function, slope = FUNCTIONS[kind]
        return _composed(jets[0], function, slope)
    total = jets[0]
    for other in jets[1:]:
        total = _sum(total, other) if kind == "Add" else _product(total, other)
    return total


def _sum(a: Jet, b: Jet) -> Jet:
    slopes = dict(a[1])
    for i, slope in b[1].items():
        slopes[i] = slopes[i] + slope if i in slopes else slope
    return a[0] + b[0], slopes


def _product(a: Jet, b: Jet) -> Jet:
    slopes = {i: slope * b[0] for i, slope in a[1].items()}
    for i, slope in b[1].items():
        slopes[i] = slopes[i] + slope * a[0] if i in slopes else slope * a[0]
    return a[0] * b[0], slopes


def _composed(inner: Jet, function: Callable, slope: Callable) -> Jet:
    if not inner[1]:
        # Numbers are worked out in the precision of the layer.
        return float(ops.convert_to_numpy(function(ops.convert_to_tensor(inner[0])))), {}
    value = function(inner[0])
    factor = slope(inner[0], value)
    return value, {i: factor * own for i, own in inner[1].items()}


def _power(base: Jet, exponent: Jet) -> Jet:
    if exponent[1]:  # a variable power
        logarithm = _composed(base, *FUNCTIONS["log"]) if base[1] else (math.log(base[0]), {})
        return _composed(_product(exponent, logarithm), *FUNCTIONS["exp"])
    p = exponent[0]
    if not base[1]:
        return base[0] ** p, {}
    return _composed(base, lambda x: _to_the(x, p), lambda x, f: p * _to_the(x, p - 1))


def _to_the(x: Tensor, p: float) -> Tensor:
    """Return x^p; whole powers and roots have no logarithm in them, which negative x lacks."""
    if p < 0:
        return 1 / _to_the(x, -p)
    if p == 0:
        return ops.ones_like(x)
    whole, half = int(p), p - int(p)
    if whole > _PRODUCT or half not in (0.0, 0.5):
        return ops.power(x, p)
    out = ops.sqrt(x) if half else None
    for _ in range(whole):
        out = x if out is None else out * x
    return out
