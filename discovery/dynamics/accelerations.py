r"""Equations of motion from as many laws as positions, the velocities known.

With q' = w and laws C₁ … C_n of n positions and their velocities, ∂C/∂q w + ∂C/∂w w' = 0, so that

    w' = −(∂C/∂w)⁻¹ (∂C/∂q) w.

No energy is needed: two components of the Runge–Lenz vector tell the attraction.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import sympy
from scipy import stats

from discovery.criteria import MOTION
from discovery.dynamics.canonical import Space
from discovery.dynamics.equations import Equations, Law
from discovery.dynamics.weak import Weak
from discovery.noether.phase_space import evaluate

# Positions and numbers beyond which the formulas are long; and numbers equal but for rounding.
_LARGEST, _MOST, _SAME = 3, 12, 1e-9


def accelerations(laws: Sequence[Law], space: Space, weak: Weak) -> Iterator[Equations]:
    """Yield equations of motion that move the data, n laws at a time.

    First with those numbers of two laws as one that noise hardly parts: then factors of the
    determinant cancel that would be singularities.

    Parameters
    ----------
    laws : sequence of Law
        That hold exactly.
    space : Space
        Positions with their velocities.
    weak : Weak
    """
    n = len(space.pairs)
    if not space.with_velocities or space.clock or n > _LARGEST:
        return
    for some in itertools.combinations(laws, n):
        for joined in (True, False):
            equations = _equations(some, space, joined)
            if equations is not None and _moves(equations, space, weak):
                yield equations


def _equations(laws: Sequence[Law], space: Space, joined: bool) -> Equations | None:
    numbers = _Numbers([], [], [])
    c = sympy.Matrix([numbers.of(law, joined) for law in laws])
    symbols = tuple(numbers.symbols)
    if len(symbols) > _MOST:
        return None
    by_speed = c.jacobian(space.w)
    if not _independent(by_speed, [*space.symbols, *symbols]):
        return None
    pushed = -by_speed.adjugate() * (c.jacobian(space.q) * sympy.Matrix(space.w))
    whole = by_speed.det(method="berkowitz")
    rates = [sympy.Integer(0)] * len(space.symbols)
    for (i, j), speed, push in zip(space.pairs, space.w, pushed, strict=True):
        rates[i], rates[j] = speed, sympy.factor(sympy.together(push / whole))
    values = np.array([value for value, _ in numbers.values], dtype=float)
    return Equations(space.symbols, tuple(rates), symbols, values, tuple(numbers.titles))


class _Numbers(NamedTuple):
    """Unknown numbers of laws: each law's in units of its first, whose size changes no motion."""

    symbols: list[sympy.Symbol]
    values: list[tuple[float, float]]  # with standard errors
    titles: list[str]

    def of(self, law: Law, joined: bool) -> sympy.Expr:
        """Return a law with unknown numbers, those of one size as one.

        Parameters
        ----------
        law : Law
        joined : bool
            Whether its numbers may be those of laws before it, where their errors allow that.
        """
        before = len(self.symbols)
        errors = law.errors or (0.0,) * len(law.terms)
        form = law.terms[0]
        for number, error, term in zip(law.coefficients, errors, law.terms, strict=True):
            if term is law.terms[0]:
                continue
            value, error = (part / law.coefficients[0] for part in (number, error))
            sign, size = int(np.sign(value)), abs(value)
            if abs(size - 1) <= _SAME:
                form += sign * term
                continue
            which = self._known(size, abs(error), range(0 if joined else before, len(self.symbols)))
            if which is None:
                which = len(self.symbols)
                self.symbols.append(sympy.Dummy(f"a{which}", positive=True))
                self.values.append((size, abs(error)))
                self.titles.append(str(term))
            form += sign * self.symbols[which] * term
        return form

    def _known(self, size: float, error: float, among: Sequence[int]) -> int | None:
        """Return which number is this one, as far as Wald's test tells."""
        for k in among:
            value, own = self.values[k]
            apart = np.hypot(error, own)
            apart = apart if np.isfinite(apart) else 0.0
            if abs(value - size) <= max(_SAME * size, stats.norm.isf(MOTION.equal / 2) * apart):
                return k
        return None


def _independent(slopes: sympy.Matrix, unknowns: Sequence[sympy.Symbol]) -> bool:
    """Tell whether a matrix of formulas has an inverse at nearly all states."""
    points = np.random.default_rng(0).uniform(0.5, 1.5, (5, len(unknowns)))
    size = evaluate(list(slopes), unknowns, points).reshape(-1, *slopes.shape)
    with np.errstate(all="ignore"):
        levels = np.linalg.svd(size, compute_uv=False)
    return bool(np.all(levels[:, -1] > _SAME * levels[:, 0]))


def _moves(equations: Equations, space: Space, weak: Weak) -> bool:
    """Tell whether the velocities change over windows as the equations say."""
    columns = [j for _, j in space.pairs]
    if _crosses_a_pole(equations, columns, weak):
        return False
    size = weak.path[:, columns].std(axis=0)
    push = equations(weak.path)[:, columns] / size
    weak = weak.trusting([push])
    change = weak.change(weak.path[:, columns]) / size
    said = weak.integral(push)
    sound = np.isfinite(said).all(axis=1)
    rest = change[sound] - said[sound]
    return bool(sound.any()) and float(np.sum(rest**2)) <= MOTION.weak_rest * float(
        np.sum(change[sound] ** 2)
    )


def _crosses_a_pole(equations: Equations, columns: Sequence[int], weak: Weak) -> bool:
    """Tell whether a denominator changes its sign along a run: no motion passes there."""
    numbers = dict(zip(equations.parameters, equations.values, strict=True))
    below = [sympy.fraction(equations.rates[j])[1].subs(numbers) for j in columns]
    signs = np.sign(evaluate(below, equations.symbols, weak.path))
    runs = (signs[edges[0] : edges[-1] + 1] for edges in weak.edges)
    return any(np.any(np.diff(run, axis=0) != 0) for run in runs)
