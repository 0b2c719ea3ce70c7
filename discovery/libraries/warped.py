"""Warped coordinates: polynomials in a function of the coordinates, where data are its inverse."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy

from discovery.criteria import LIBRARIES
from discovery.libraries.library import Library
from discovery.libraries.monomials import MAX_TERMS, monomials, symbols_of, term_count

# Functions that undo a map of every coordinate, with the range of values in which each is of use:
# beyond, it is not defined, saturates or grows too fast.
WARPS = {
    "asinh": (sympy.asinh, -np.inf, np.inf),
    "sinh": (sympy.sinh, -6.0, 6.0),
    "log": (sympy.log, 0.0, np.inf),
    "exp": (sympy.exp, -6.0, 6.0),
    "tan": (sympy.tan, -np.pi / 2, np.pi / 2),
    "atan": (sympy.atan, -5.0, 5.0),
    "atanh": (sympy.atanh, -1.0, 1.0),
    "tanh": (sympy.tanh, -3.0, 3.0),
}


def warped(names: Sequence[str], warp: str, degree: int) -> Library:
    """Return monomials up to a degree of f(x_i), one f for all coordinates.

    Parameters
    ----------
    names : sequence of str
        The coordinates.
    warp : str
        A key of `WARPS`.
    degree : int
    """
    symbols = symbols_of(names)
    atoms = [WARPS[warp][0](s) for s in symbols]
    return Library(symbols, atoms, monomials(len(symbols), degree), f"{warp}({degree})")


def warps(names: Sequence[str], rows: np.ndarray, degrees: Sequence[int] = (2, 4)) -> list[Library]:
    """Return the libraries whose functions the data allow, all of low degree first.

    Parameters
    ----------
    names : sequence of d str
        The coordinates.
    rows : (n, d) array
    degrees : sequence of int
    """
    # Measurements lie a little outside of what is smooth.
    margin = LIBRARIES.warp_margin * (rows.max() - rows.min())
    low, high = rows.min() - margin, rows.max() + margin
    possible = [name for name, (_, least, most) in WARPS.items() if low > least and high < most]
    return [
        warped(names, name, degree)
        for degree in degrees
        if term_count(len(names), degree) <= MAX_TERMS
        for name in possible
    ]
