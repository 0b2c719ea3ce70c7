r"""What all runs obey alike, as bonds of the motion: only forces along their surface are felt.

On states with J(q) w = c, J the slopes of the bonds, a law may be written in many ways: each of its
forces is the true one but for a part Jᵀλ. With P = 1 − J⁺J, which takes that part away,

    P (p' − F) = 0,   so   (P p)' = P F + P' p,   P' = −J⁺J'P − (J⁺J'P)ᵀ,

and with masses M and the acceleration a of the force as written, that which keeps the bonds is

    w' = a − M⁻¹Jᵀ (J M⁻¹ Jᵀ)⁻¹ (J a + J' w)        (Gauss's principle of least constraint).

Off the surface that motion is none: a start that noise has put there may run away. So starts are
moved to the surface first, the shortest way in units of the noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy

from discovery.dynamics.equations import Law
from discovery.formulas.compiling import Recompiled, compile_formulas
from discovery.formulas.plain import plain
from discovery.noether.phase_space import evaluate

# States at which bonds are looked at, and a singular value of theirs that is rounding.
_POINTS, _SAID = 50, 1e-6
# Newton's steps to the surface: noise is small beside its bends.
_NEWTON = 4


@dataclass(frozen=True)
class Bound(Recompiled):
    """The surface of all runs: formulas h and the values c that they have there.

    Attributes
    ----------
    symbols : tuple of d sympy.Symbol
    formulas : tuple of k sympy.Expr
    values : (k,) array
    noise : (d,) array
        Units in which the way to the surface is short.
    """

    symbols: tuple[sympy.Symbol, ...]
    formulas: tuple[sympy.Expr, ...]
    values: np.ndarray
    noise: np.ndarray

    @classmethod
    def of(
        cls,
        constraints: Sequence[Law],
        symbols: tuple[sympy.Symbol, ...],
        pairs: Sequence[tuple[int, int]],
        path: np.ndarray,
        noise: np.ndarray,
    ) -> Bound:
        """Return the surface on which the constraints have their means over the runs.

        What binds positions binds the velocities too: its rate is zero.

        Parameters
        ----------
        constraints : sequence of Law
        symbols : tuple of d sympy.Symbol
        pairs : sequence of (int, int)
            Columns of each position and of its velocity.
        path : (m, d) array
            States of the runs.
        noise : (d,) array
        """
        formulas = [constraint.expression for constraint in constraints]
        values = list(evaluate(formulas, symbols, path).mean(axis=0))
        speeds = {symbols[j] for _, j in pairs}
        for formula in [f for f in formulas if not f.free_symbols & speeds]:
            formulas.append(sympy.Add(*(formula.diff(symbols[i]) * symbols[j] for i, j in pairs)))
            values.append(0.0)
        return cls(symbols, tuple(formulas), np.array(values), noise)

    def onto(self, states: np.ndarray) -> np.ndarray:
        """Return the states (n, d) on the surface that are nearest to states (n, d)."""
        k, out = len(self.formulas), np.array(states)
        for _ in range(_NEWTON):
            columns = np.broadcast_arrays(*self._compiled(*out.T), out[:, 0])[:-1]
            flat = np.stack(columns, axis=1).reshape(len(out), k, -1)
            miss, slopes = self.values - flat[:, :, 0], flat[:, :, 1:] * self.noise
            # Formulas may say the same twice.
            back = np.linalg.pinv(slopes, _SAID)
            out = out + self.noise * np.einsum("nij,nj->ni", back, miss)
        return out

    @cached_property
    def _compiled(self):
        rows = [(h, *(h.diff(s) for s in self.symbols)) for h in self.formulas]
        return compile_formulas(list(self.symbols), [one for row in rows for one in row])


def slopes_of(
    constraints: Sequence[Law],
    symbols: Sequence[sympy.Symbol],
    q: Sequence[sympy.Symbol],
    w: Sequence[sympy.Symbol],
    path: np.ndarray,
) -> tuple[sympy.Matrix, list[str]]:
    """Return the slopes J (k, n) of bonds of n positions and the bonds, none said by others.

    Of what is constant in all runs, functions of the positions alone bind by their slopes, and sums
    of velocities, c(q)·w, by their coefficients.

    Parameters
    ----------
    constraints : sequence of Law
    symbols : sequence of d sympy.Symbol
    q, w : sequences of n sympy.Symbol
        Positions and their velocities.
    path : (m, d) array
        States of the runs.
    """
    some = path[:: max(1, len(path) // _POINTS)]
    rows: list[list[sympy.Expr]] = []
    names = []
    for constraint in constraints:
        bond = constraint.expression
        by_q, by_w = ([bond.diff(x) for x in axes] for axes in (q, w))
        row = by_w if any(by_w) else by_q
        if not any(row) or any(slope.has(*w) for slope in row):
            continue
        trial = [*rows, row]
        values = evaluate([s for each in trial for s in each], symbols, some)
        values = values.reshape(len(some), len(trial), len(q))
        if not np.isfinite(values).all():
            continue
        size = np.linalg.norm(values, axis=2, keepdims=True)
        levels = np.linalg.svd(values / np.where(size > 0, size, 1.0), compute_uv=False)
        if np.median(levels[:, -1]) > _SAID and len(trial) < len(q):
            rows = trial
            names.append(str(plain(bond)))
    return sympy.Matrix(len(rows), len(q), [s for row in rows for s in row]), names


def changes(slopes: sympy.Matrix, q: Sequence[sympy.Symbol], w: Sequence[sympy.Symbol]) -> list:
    """Return J' (k, n) along the motion, a list of rows' elements.

    Parameters
    ----------
    slopes : sympy.Matrix (k, n)
    q, w : sequences of n sympy.Symbol
    """
    pairs = list(zip(q, w, strict=True))
    return [sympy.Add(*(s.diff(x) * speed for x, speed in pairs)) for s in slopes]


def along(
    slopes: sympy.Matrix,
    symbols: Sequence[sympy.Symbol],
    q: Sequence[sympy.Symbol],
    w: Sequence[sympy.Symbol],
    path: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return P and P' at states, both (m, n, n).

    Parameters
    ----------
    slopes, symbols, q, w, path
        As of `slopes_of`.
    """
    shape = (len(path), *slopes.shape)
    j = evaluate(list(slopes), symbols, path).reshape(shape)
    moved = evaluate(changes(slopes, q, w), symbols, path).reshape(shape)
    inverse = np.linalg.pinv(j)
    kept = np.eye(len(q)) - inverse @ j
    turned = inverse @ moved @ kept
    return kept, -turned - turned.swapaxes(1, 2)


def bound(
    acceleration: sympy.Matrix,
    inverse: sympy.Matrix,
    slopes: sympy.Matrix,
    q: Sequence[sympy.Symbol],
    w: Sequence[sympy.Symbol],
) -> sympy.Matrix:
    """Return the acceleration (n, 1) that keeps the bonds.

    Parameters
    ----------
    acceleration : sympy.Matrix (n, 1)
        Of the forces as written.
    inverse : sympy.Matrix (n, n)
        Of the masses.
    slopes : sympy.Matrix (k, n)
    q, w : sequences of n sympy.Symbol
    """
    moved = sympy.Matrix(*slopes.shape, changes(slopes, q, w))
    push = inverse * slopes.T
    block = slopes * push
    miss = slopes * acceleration + moved * sympy.Matrix(w)
    return acceleration - push * (block.adjugate() * miss) / block.det()
