"""Sums over pairs of a function of their distance, however many pairs there are.

    Φ(s) = Σ_k w_k φ(R_k),     R_k = Σ_a ℓ_ka²

With the differences ℓ_ka of pair k along each axis,

    ∂Φ/∂ℓ_ka = 2 w_k φ′ ℓ_ka,     ∂²Φ/∂ℓ_ka² = w_k (2 φ′ + 4 φ″ ℓ_ka²),

so that three functions of one number are evaluated for each pair, and what noise of independent
coordinates does to Φ follows from the variances alone. Of many pairs the formula is written with
indices, Σ_i Σ_j>i φ(|x_j − x_i|²).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import sympy

from discovery.formulas.compiling import compile_formulas
from discovery.libraries.many_bodies.sums import Block, Sum, number

# Sums of more pairs in a periodic box are written with indices.
_MOST_WRITTEN = 100


@dataclass(frozen=True)
class Radial(Sum):
    """A sum over pairs whose kernel is a function of the squared distance, its only argument.

    Attributes
    ----------
    kernel : sympy.Expr
        φ.
    arguments : tuple of one sympy.Symbol
        The squared distance.
    forms : tuple of D Forms
        The differences along each axis.
    weights : (K,) array
    kind : str
        As of any `Sum`.
    cost : float
        What it costs in a formula.
    """

    def jets(
        self, at: Block, order: int
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Return the value (n,), the gradient (d, n) and the curvature (n,).

        Parameters
        ----------
        at : Block
        order : {0, 1, 2}
        """
        if at.covariance is not None and at.covariance.ndim == 3:
            return self._whole().jets(at, order)
        phi, first, second = self._kernels(at.square(self.forms), order)
        value = self.weights @ phi
        if order == 0:
            return value, None, None
        dim, weights = at.states.shape[1], 2 * self.weights[:, None]
        first = weights * first
        slope = sum(form.incidence(dim) @ (first * at.form(form)) for form in self.forms)
        if order == 1:
            return value, slope, None
        second = 2 * weights * second
        bend = np.zeros_like(value)
        for form in self.forms:
            curved = form.incidence(dim, 2) @ (first + second * at.form(form) ** 2)
            bend += np.sum(at.covariance.T * curved, axis=0)
        return value, slope, bend

    def _kernels(
        self, square: np.ndarray, order: int
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Return φ and its derivatives up to an order at squared distances (K, n)."""
        factor, exponent = self.kernel.as_coeff_exponent(self.arguments[0])
        if factor.is_number and (2 * exponent).is_Integer:
            # A power: its derivatives are the value times a number over the argument.
            inverse = 1 / square
            phi = float(factor) * _power(square, inverse, exponent)
            first = float(exponent) * phi * inverse if order > 0 else None
            second = float(exponent - 1) * first * inverse if order > 1 else None
            return phi, first, second
        found = _compiled(self.kernel, self.arguments[0], order)(square)
        parts = [np.broadcast_to(part, square.shape) for part in found]
        return *parts, *[None] * (2 - order)

    def _whole(self) -> Sum:
        """Return the same as a function of the differences."""
        gaps = tuple(sympy.Symbol(f"a{k}", real=True) for k in range(len(self.forms)))
        kernel = self.kernel.xreplace({self.arguments[0]: sum(gap**2 for gap in gaps)})
        return Sum(kernel, gaps, self.forms, self.weights, self.kind, self.cost)

    def _expression(self, symbols: Sequence[sympy.Symbol]) -> sympy.Expr:
        short = self._with_indices([s.name for s in symbols])
        return self._whole().written(tuple(symbols)) if short is None else short

    def _with_indices(self, names: Sequence[str]) -> sympy.Expr | None:
        """Return the sum over all pairs of numbered bodies; None for others, and for few pairs."""
        n = len(self.weights)
        if n <= _MOST_WRITTEN or self.forms[0].period is None or np.ptp(self.weights):
            return None
        bodies = (1 + int(np.sqrt(1 + 8 * n))) // 2
        i, j = sympy.symbols("i j")
        gaps = []
        for form in self.forms:
            own = [form.index[0, 1], *form.index[: bodies - 1, 0]]
            parts = [re.fullmatch(r"(\D.*?)_?(\d+)", names[k]) for k in own]
            told = all(parts) and len({part[1] for part in parts}) == 1
            if not told or [int(part[2]) for part in parts] != list(range(1, bodies + 1)):
                return None
            base = sympy.IndexedBase(parts[0][1])
            gap, length = base[j] - base[i], number(form.period)
            gaps.append(gap - length * sympy.floor(gap / length + sympy.S.Half, evaluate=False))
        if {"i", "j", *(str(gap.atoms(sympy.IndexedBase)) for gap in gaps)} & set(names):
            return None
        kernel = self.kernel.xreplace({self.arguments[0]: sum(gap**2 for gap in gaps)})
        weight = number(float(self.weights[0]))
        return weight * sympy.Sum(kernel, (j, i + 1, bodies), (i, 1, bodies - 1))


def _power(square: np.ndarray, inverse: np.ndarray, exponent: sympy.Rational) -> np.ndarray:
    """Return a power of squares, by products and at most one root: ten times faster."""
    base = square if exponent > 0 else inverse
    whole, half = divmod(abs(int(2 * exponent)), 2)
    out = np.sqrt(base) if half else None
    while whole:
        if whole % 2:
            out = base if out is None else out * base
        whole //= 2
        base = base * base if whole else base
    return out


@lru_cache(maxsize=256)
def _compiled(
    kernel: sympy.Expr, argument: sympy.Symbol, order: int
) -> Callable[..., list[np.ndarray]]:
    """Return a kernel and its derivatives up to an order as a function."""
    derivatives = [kernel.diff(argument, k) if k else kernel for k in range(order + 1)]
    return compile_formulas([argument], derivatives)
