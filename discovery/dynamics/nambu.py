r"""Equations of motion from d − 1 laws of d coordinates: only a speed is left to be fitted.

The motion keeps to the curves on which all laws are constant. Their direction is

    n_i = ε_{i j … k} ∂_j C₁ … ∂_k C_{d−1},

the cross product of the gradients in three coordinates, and x' = s(x) n(x). The speed s is a sum of
few monomials.

Source: Nambu (Phys. Rev. D 7, 1973).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import sympy

from discovery.criteria import MOTION, SYMMETRIES
from discovery.dynamics.equations import Equations, Law, as_number, parameters
from discovery.dynamics.ties import Ties
from discovery.dynamics.weak import Weak, chosen
from discovery.noether.phase_space import evaluate

# Degree of the speed, in few coordinates and in more, and terms of it at most.
_DEGREE, _IN_MORE, _FEW, _MOST = 4, 2, 3, 6
# Coordinates beyond which the determinants are long.
_LARGEST = 6


def nambu(
    laws: Sequence[Law], symbols: Sequence[sympy.Symbol], moving: Sequence[int], weak: Weak
) -> Equations | None:
    """Return the equations of motion; None where no speed of few terms is found.

    Parameters
    ----------
    laws : sequence of Law
        One fewer than coordinates that move.
    symbols : sequence of d sympy.Symbol
    moving : sequence of int
        The coordinates that are no parameters.
    weak : Weak
    """
    axes = [symbols[i] for i in moving]
    if len(axes) > _LARGEST:
        return None
    direction = _direction([law.expression for law in laws], axes)
    speeds = _monomials(axes)
    columns = list(moving)
    size = weak.path[:, columns].std(axis=0)
    along = evaluate(direction, symbols, weak.path)
    factors = evaluate(speeds, symbols, weak.path)
    rates = [along * f[:, None] / size for f in factors.T]
    weak = weak.trusting(rates[:1])
    moved = [weak.integral(rate).ravel() for rate in rates]
    target = (weak.change(weak.path[:, columns]) / size).ravel()
    which, weights, left = chosen(moved, target, _MOST, SYMMETRIES.energy_gain)
    if not which or left > MOTION.weak_rest:
        return None
    return _equations(laws, symbols, columns, [speeds[k] for k in which], weights)


def _direction(laws: Sequence[sympy.Expr], axes: Sequence[sympy.Symbol]) -> list[sympy.Expr]:
    gradients = sympy.Matrix([[law.diff(x) for x in axes] for law in laws])
    signed = []
    for i in range(len(axes)):
        minor = gradients.copy()
        minor.col_del(i)
        signed.append((-1) ** i * minor.det(method="berkowitz") if len(laws) else sympy.Integer(1))
    return signed


def _monomials(axes: Sequence[sympy.Symbol]) -> list[sympy.Expr]:
    top = _DEGREE if len(axes) <= _FEW else _IN_MORE
    return [
        sympy.Mul(*chosen_axes)
        for degree in range(top + 1)
        for chosen_axes in itertools.combinations_with_replacement(axes, degree)
    ]


def _equations(
    laws: Sequence[Law],
    symbols: Sequence[sympy.Symbol],
    moving: list[int],
    speeds: list[sympy.Expr],
    weights: np.ndarray,
) -> Equations:
    """Return the equations; the first number of each law is fixed, as it only scales the speed."""
    forms, values, titles, free, ties = [], [], [], [], []
    for number, law in enumerate(laws, start=1):
        symbols_of_law = parameters(len(law.terms) - 1)
        first = as_number(law.coefficients[0]) * law.terms[0]
        others = (a * t for a, t in zip(symbols_of_law, law.terms[1:], strict=True))
        forms.append(sympy.Add(first, *others))
        free += symbols_of_law
        values += law.coefficients[1:]
        titles += [f"law {number}: {term}" for term in law.terms[1:]]
        ties.append(Ties.of(law.coefficients, range(1, len(law.terms))))
    of_speed = parameters(len(speeds))
    speed = sympy.Add(*(a * s for a, s in zip(of_speed, speeds, strict=True)))
    rates = [sympy.Integer(0)] * len(symbols)
    for i, along in zip(moving, _direction(forms, [symbols[i] for i in moving]), strict=True):
        rates[i] = sympy.expand(speed * along)
    return Equations(
        tuple(symbols),
        tuple(rates),
        (*free, *of_speed),
        np.array([*values, *weights], dtype=float),
        (*titles, *(f"speed: {s}" for s in speeds)),
        Ties.beside(ties, len(speeds)),
    )
