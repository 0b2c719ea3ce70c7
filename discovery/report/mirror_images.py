"""Identities of fields that have one cause: each state is its own mirror image along an axis.

Then integrals of densities with an odd number of derivatives along that axis are zero, all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from discovery.report.quantity import Quantity


def by_cause(identities: Sequence[Quantity]) -> list[tuple[Quantity, str]]:
    """Return one identity of each cause, and what there is beside it: nothing, or a remark.

    Parameters
    ----------
    identities : sequence of Quantity
        What all runs obey alike.
    """
    odd = {id(q): _odd_along(q.expression) for q in identities}
    rest, out = list(identities), []
    for axis in sorted({a for along in odd.values() if len(along) == 1 for a in along}, key=str):
        alike = sorted((q for q in rest if axis in odd[id(q)]), key=lambda q: len(odd[id(q)]))
        if len(alike) > 1:
            rest = [q for q in rest if axis not in odd[id(q)]]
            out.append((alike[0], _remark(len(alike) - 1, axis)))
    return [*out, *((q, "") for q in rest)]


def _remark(others: int, axis: sympy.Symbol) -> str:
    return (
        f"so {'do' if others > 1 else 'does'} {others} more with an odd number of derivatives "
        f"along {axis}, as where each state is its own mirror image along {axis}"
    )


def _odd_along(law: sympy.Expr) -> set[sympy.Symbol]:
    """Return the axes whose mirror image changes an integral's sign."""
    if not isinstance(law, sympy.Integral):
        return set()
    density = law.function
    slopes = density.atoms(sympy.Derivative)
    images = {
        axis: density.xreplace({d: (-1) ** d.variables.count(axis) * d for d in slopes})
        for axis in law.variables
    }
    return {axis for axis, image in images.items() if sympy.expand(image + density) == 0}
