"""Plain names of vector fields: "translation along x", "rotation in (x, y)"."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import sympy

from discovery.criteria import SYMMETRIES
from discovery.data.coordinates import group_bodies
from discovery.formulas.decimals import in_decimals
from discovery.formulas.simple_numbers import as_numbers
from discovery.symmetries.candidates.vector_fields import to_text

# How a field without a name here is told.
UNNAMED = "isometry"


def describe(
    components: Sequence[sympy.Expr],
    symbols: Sequence[sympy.Symbol],
    roles: Sequence[str | None],
) -> str:
    """Name the motion that a vector field generates.

    Parameters
    ----------
    components : sequence of n sympy.Expr
        ξ^k(q).
    symbols : sequence of n sympy.Symbol
        The positions q.
    roles : sequence of n
        "position" or "angle".

    Returns
    -------
    str
        Such as "rotation of all bodies in (x, y)"; the field itself where it has no name here.
    """
    names = [str(s) for s in symbols]
    moved = [k for k, c in enumerate(components) if _simplified(c, symbols) != 0]
    affine = _affine(components, symbols)
    if affine is not None:
        matrix, offset = affine
        if not np.any(matrix):
            return _constant(offset, moved, names, roles)
        word = _linear(matrix, offset, names)
        if word:
            return word
    simple = [sympy.simplify(c) for c in components]
    scale = abs(simple[moved[0]].as_coeff_Mul()[0]) if moved else 1
    parts = [_plain(sympy.expand(c / scale)) for c in simple]
    return f"{UNNAMED} {to_text(parts, names)}"


def _simplified(component: sympy.Expr, symbols: Sequence[sympy.Symbol]) -> sympy.Expr:
    """Return a component simplified; expanded, which is far less work, where it is a polynomial."""
    polynomial = component.is_polynomial(*symbols)
    return sympy.expand(component) if polynomial else sympy.simplify(component)


def _plain(component: sympy.Expr) -> sympy.Expr:
    """Return a component with numbers that are whole or fractions as such, others rounded."""
    return component.xreplace({c: as_numbers([c])[0] for c in component.atoms(sympy.Float)})


def _vanish(values: np.ndarray, size: float = 1.0) -> bool:
    """Whether numbers are zero beside `size`, as far as rounded formulas tell."""
    return bool(np.abs(values).max() <= SYMMETRIES.equal_coefficients * size)


def _affine(
    components: Sequence[sympy.Expr], symbols: Sequence[sympy.Symbol]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return A and b of ξ = A q + b in units of the largest entry, or None."""
    jacobian = sympy.Matrix(components).jacobian(list(symbols))
    jacobian = jacobian.applyfunc(lambda entry: _simplified(entry, symbols))
    if jacobian.free_symbols:
        return None
    matrix = np.array(jacobian, dtype=float)
    offset = np.array(
        [float(c.subs({s: 0 for s in symbols})) for c in map(sympy.sympify, components)]
    )
    top = max(np.abs(matrix).max(), 0.0)
    if top:
        matrix = np.where(np.abs(matrix) > SYMMETRIES.equal_coefficients * top, matrix / top, 0.0)
        return matrix, np.where(np.abs(offset) > 1e-9, offset / top, 0.0)
    return matrix, offset / np.abs(offset).max()


def _constant(
    offset: np.ndarray, moved: list[int], names: Sequence[str], roles: Sequence[str | None]
) -> str:
    equal = _vanish(offset[moved] - offset[moved[0]], np.abs(offset[moved[0]]))
    if all(roles[k] == "angle" for k in moved):
        if len(moved) == 1:
            return f"rotation about the axis of {names[moved[0]]}"
        if equal:
            return f"common rotation about the axes of {', '.join(names[k] for k in moved)}"
    if len(moved) == 1:
        return f"translation along {names[moved[0]]}"
    axes = {_axis(names, k) for k in moved}
    if (
        equal
        and len(axes) == 1
        and len(moved) == sum(_axis(names, k) in axes for k in range(len(names)))
    ):
        return f"translation of all bodies along {axes.pop()}"
    unit = offset / np.min(np.abs(offset[moved]))
    terms = [sympy.nsimplify(round(unit[k], 3)) * sympy.Symbol(names[k]) for k in moved]
    return f"translation along the direction {in_decimals(sympy.Add(*terms))}"


def _axis(names: Sequence[str], k: int) -> str:
    return names[k].rstrip("0123456789").rstrip("_") or names[k]


def _linear(matrix: np.ndarray, offset: np.ndarray, names: Sequence[str]) -> str | None:
    n = len(names)
    if _vanish(matrix - matrix[0, 0] * np.eye(n)) and not np.any(offset):
        return "dilation"
    bodies = group_bodies(list(names), list(range(n)))
    if len({len(b) for b in bodies}) != 1:
        bodies = [list(range(n))]
    if len(bodies) > 1:
        blocks = np.array([[matrix[np.ix_(a, b)] for b in bodies] for a in bodies])
        own = blocks[range(len(bodies)), range(len(bodies))]
        across = blocks[~np.eye(len(bodies), dtype=bool)]
        axes = [_axis(names, k) for k in bodies[0]]
        plane = _plane(own[0], axes)
        if plane and _vanish(own - own[0]) and _vanish(across):
            return f"rotation of all bodies {plane}" if not np.any(offset) else None
        if plane and _vanish(blocks - blocks[:1]) and not np.any(offset):
            return f"rotation of the centre of mass {plane}, bodies carried along"
        return None
    plane = _plane(matrix, names)
    if plane is None:
        return None
    if not np.any(offset):
        return f"rotation {plane}"
    centre = np.linalg.lstsq(matrix, -offset, rcond=None)[0]
    if not _vanish(matrix @ centre + offset, np.abs(offset).max()):
        return None
    where = ", ".join(f"{c:.6g}" for c in centre)
    return f"rotation {plane} about ({where})"


def _plane(matrix: np.ndarray, names: Sequence[str]) -> str | None:
    """Return "in (x, y)" or "about the axis …" for an antisymmetric matrix."""
    if not _vanish(matrix + matrix.T) or not np.any(matrix):
        return None
    n = len(matrix)
    planes = [(i, j) for i, j in itertools.combinations(range(n), 2) if not _vanish(matrix[i, j])]
    if len(planes) == 1:
        i, j = planes[0]
        return f"in ({names[i]}, {names[j]})"
    if n == 3:
        axis = np.array([matrix[2, 1], matrix[0, 2], matrix[1, 0]])
        return f"about the axis ({', '.join(f'{a:.3g}' for a in axis)})"
    return None
