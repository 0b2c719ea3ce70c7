r"""Forces that do no work, as a magnetic field's: an energy does not tell them, and runs do.

    M w' = (Lagrange's force) + Σ_k b_k f_k(q) A_k w,   A_k antisymmetric,

f_k monomials of the positions. The numbers are chosen, few of them, over short windows.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import sympy

from discovery.criteria import MOTION, SYMMETRIES
from discovery.dynamics.weak import Weak, chosen
from discovery.noether.phase_space import evaluate

# Degree of the field in the positions, terms of it at most, and positions at most.
_DEGREE, _TERMS, _LARGEST = 2, 3, 4


class Push(NamedTuple):
    """A force across the velocities.

    Attributes
    ----------
    force : tuple of sympy.Expr
        Its part in the equation of each position.
    title : str
    """

    force: tuple[sympy.Expr, ...]
    title: str


def pushes(q: Sequence[sympy.Symbol], w: Sequence[sympy.Symbol]) -> list[Push]:
    """Return the forces that are tried.

    Parameters
    ----------
    q, w : sequences of n sympy.Symbol
        Positions and their velocities.
    """
    if len(q) > _LARGEST:
        return []
    fields = [
        sympy.Mul(*factors)
        for degree in range(_DEGREE + 1)
        for factors in itertools.combinations_with_replacement(q, degree)
    ]
    out = []
    for (i, j), field in itertools.product(itertools.combinations(range(len(q)), 2), fields):
        force = [sympy.Integer(0)] * len(q)
        force[i], force[j] = field * w[j], -field * w[i]
        out.append(Push(tuple(force), f"field in ({q[i]}, {q[j]}): {field}"))
    return out


def missing(
    rest: np.ndarray,
    whole: np.ndarray,
    symbols: Sequence[sympy.Symbol],
    tried: Sequence[Push],
    weak: Weak,
) -> tuple[list[Push], np.ndarray, float] | None:
    """Return the forces that momenta miss, their numbers and what they leave.

    Parameters
    ----------
    rest : (windows, n) array
        Changes of momenta that the energy's force does not explain.
    whole : (windows, n) array
        The momenta.
    symbols : sequence of d sympy.Symbol
    tried : sequence of Push
    weak : Weak

    Returns
    -------
    forces, numbers, share of the momenta's square that is left
        None where these forces do not explain it.
    """
    columns = [weak.integral(evaluate(p.force, symbols, weak.path)).ravel() for p in tried]
    target = rest.ravel()
    which, weights, left = chosen(columns, target, _TERMS, SYMMETRIES.energy_gain)
    share = left * float(target @ target) / float(np.sum(whole**2))
    if not which or share > MOTION.weak_rest:
        return None
    return [tried[k] for k in which], weights, share
