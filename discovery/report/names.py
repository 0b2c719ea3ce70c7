"""Names of laws as physicists say them: energy, momentum, angular momentum."""

from __future__ import annotations

import sympy
from sympy.core.function import AppliedUndef

# What a law is called by the words that its symmetry begins with.
_BY_SYMMETRY = (
    ("time translation of the motion in ", "energy of the motion in {rest}"),
    ("time translation", "energy"),
    ("rotation of the centre of mass ", "angular momentum of the centre of mass"),
    ("rotation of all bodies ", "total angular momentum"),
    ("rotation ", "angular momentum"),
    ("common rotation ", "total angular momentum"),
    ("translation of all bodies along ", "total momentum along {rest}"),
    ("translation along ", "momentum along {rest}"),
    ("hidden symmetry of Laplace–Runge–Lenz kind", "component of the Laplace–Runge–Lenz vector"),
    ("hidden symmetry of Fradkin's kind", "component of Fradkin's tensor"),
)


def name_of(expression: sympy.Expr, symmetry: str | None, *, dissipated: bool) -> str:
    """Return what a quantity is called; empty where it has no name.

    Parameters
    ----------
    expression : sympy.Expr
    symmetry : str or None
        In the words of `discovery.noether`.
    dissipated : bool
        Whether friction takes of it: that is an energy.
    """
    for words, name in _BY_SYMMETRY:
        if symmetry and symmetry.startswith(words):
            return name.format(rest=symmetry.removeprefix(words).removesuffix(" alone"))
    if isinstance(expression, sympy.Integral) and isinstance(expression.function, AppliedUndef):
        return f"total of {expression.function.func}"
    return "energy" if dissipated else ""
