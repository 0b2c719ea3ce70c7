"""Formulas compiled for NumPy, whatever their symbols are called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields

import numpy as np
import sympy

# What derivatives of |x| and sign x hold, away from the place where these have a kink or a jump.
_ALMOST_EVERYWHERE = {"DiracDelta": lambda x, *_: np.zeros_like(np.asarray(x, dtype=float))}


def compile_formulas(
    symbols: Sequence[sympy.Symbol], expressions: Sequence[sympy.Expr]
) -> Callable[..., list[np.ndarray]]:
    """Return a function of the symbols' values that gives a list, one entry an expression.

    Symbols become `blanks`, so that none of their names can stand for a function or be no word of
    Python's. Constant expressions give one number.

    Parameters
    ----------
    symbols : sequence of d sympy.Symbol
    expressions : sequence of sympy.Expr
    """
    own = blanks(symbols)
    if own != tuple(symbols):
        put = dict(zip(symbols, own, strict=True))
        expressions = [expression.xreplace(put) for expression in expressions]
    modules = [_ALMOST_EVERYWHERE, "numpy", "scipy"]
    return sympy.lambdify(own, list(expressions), modules=modules, cse=True)


def blanks(symbols: Sequence[sympy.Symbol]) -> tuple[sympy.Symbol, ...]:
    """Return as many symbols _0, _1, … of which the same is known, always the same ones.

    What SymPy derives of expressions in new symbols, such as dummies, it derives again each time.

    Parameters
    ----------
    symbols : sequence of sympy.Symbol
    """
    return tuple(sympy.Symbol(f"_{k}", **s.assumptions0) for k, s in enumerate(symbols))


class Recompiled:
    """A dataclass whose cached functions are compiled anew where it is unpickled or copied."""

    def __getstate__(self) -> dict[str, object]:
        return {own.name: getattr(self, own.name) for own in fields(self)}
