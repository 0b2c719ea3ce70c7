r"""Vector fields of no particular formula: products of Legendre polynomials and Fourier modes.

They approximate every smooth field over a box (or round a circle) to many digits, so they tell how
many symmetries a metric has in any coordinates, also where no short formula is among the
candidates.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import sympy
from numpy.polynomial import legendre
from scipy.special import eval_legendre

from discovery.criteria import SYMMETRIES

# Digits of the coefficients of an expansion.
_DIGITS = 10
# Beyond this many fields the eigenproblem takes seconds.
_MOST = 520
_DEGREE = 40


class P(sympy.Function):
    """Legendre polynomial P(a, u), left as it is: its powers of u would cancel each other."""

    nargs = 2
    _imp_ = staticmethod(eval_legendre)

    @classmethod
    def eval(cls, a: sympy.Expr, u: sympy.Expr) -> sympy.Expr | None:
        """Write the first two out."""
        return {0: sympy.Integer(1), 1: u}.get(int(a))

    def fdiff(self, argindex: int = 2) -> sympy.Expr:
        """Return the slope in u."""
        if argindex != 2:
            raise sympy.ArgumentIndexError(self, argindex)
        return PSlope(*self.args)


class PSlope(sympy.Function):
    """Slope of P(a, u) in u."""

    nargs = 2

    @staticmethod
    def _imp_(a: int, u: np.ndarray) -> np.ndarray:
        return legendre.legval(u, legendre.legder(np.eye(int(a) + 1)[int(a)]))


class SmoothFields:
    """Every product of one-dimensional modes up to a total degree, along every axis.

    They are `CandidateFields`.

    Parameters
    ----------
    symbols : sequence of n sympy.Symbol
    roles : sequence of n
        "angle" coordinates whose points go round are periodic.
    points : (N, n) array
        Their box is where the polynomials live.
    most : int
        Fields at most; the degree follows.
    """

    def __init__(
        self,
        symbols: Sequence[sympy.Symbol],
        roles: Sequence[str | None],
        points: np.ndarray,
        most: int,
    ) -> None:
        self.symbols = tuple(symbols)
        n = len(symbols)
        low, high = points.min(axis=0), points.max(axis=0)
        self._middle, self._half = (low + high) / 2, np.where(high > low, (high - low) / 2, 1.0)
        self._periodic = [
            role == "angle" and _goes_round(column)
            for role, column in zip(roles, points.T, strict=True)
        ]
        self.modes: list[tuple[int, ...]] = []
        for degree in range(_DEGREE + 1):
            modes = self._up_to(degree)
            if n * len(modes) > min(most, _MOST):
                break
            self.modes = modes

    def _up_to(self, degree: int) -> list[tuple[int, ...]]:
        """Return indices of products; the modes of a circle are 1, cos, sin, cos 2 and so on."""
        ranges = [range(2 * degree + 1 if p else degree + 1) for p in self._periodic]
        return [
            index
            for index in itertools.product(*ranges)
            if sum(self._order(a, p) for a, p in zip(index, self._periodic, strict=True)) <= degree
        ]

    @staticmethod
    def _order(index: int, periodic: bool) -> int:
        return (index + 1) // 2 if periodic else index

    @property
    def degrees(self) -> np.ndarray:
        """Total degree of each field's mode, (m,)."""
        per_mode = [
            sum(self._order(a, p) for a, p in zip(mode, self._periodic, strict=True))
            for mode in self.modes
        ]
        return np.repeat(np.array(per_mode, dtype=int), self.dim)

    def __len__(self) -> int:
        return len(self.modes) * self.dim

    @property
    def dim(self) -> int:
        """Number of coordinates n."""
        return len(self.symbols)

    @property
    def fields(self) -> list[tuple[int, ...]]:
        """One entry a field: its mode."""
        return [mode for mode in self.modes for _ in range(self.dim)]

    def jets(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return values (N, m, n) and slopes (N, m, n, n), as `Fields.jets`."""
        return along_axes(*self.scalars(np.asarray(points, dtype=float)))

    def scalars(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return every mode (N, F) and its gradient (N, F, n)."""
        index = np.array(self.modes)
        parts, rates = [], []
        for k, periodic in enumerate(self._periodic):
            highest = int(index[:, k].max(initial=0))
            if periodic:
                value, rate = _fourier(points[:, k], highest)
            else:
                u = (points[:, k] - self._middle[k]) / self._half[k]
                value, rate = _legendre(u, highest)
                rate = rate / self._half[k]
            parts.append(value[:, index[:, k]])
            rates.append(rate[:, index[:, k]])
        slopes = [
            np.prod([rates[j] if j == k else parts[j] for j in range(self.dim)], axis=0)
            for k in range(self.dim)
        ]
        return np.prod(parts, axis=0), np.stack(slopes, axis=2)

    def combine(self, coefficients: Sequence[float]) -> tuple[sympy.Expr, ...]:
        """Return the components of Σ c_f ξ_f."""
        table = np.asarray(coefficients, dtype=float).reshape(len(self.modes), self.dim)
        return tuple(
            sympy.Add(
                *(
                    sympy.Float(c, _DIGITS) * self._formula(mode)
                    for c, mode in zip(table[:, k], self.modes, strict=True)
                    if c
                )
            )
            for k in range(self.dim)
        )

    def _formula(self, mode: tuple[int, ...]) -> sympy.Expr:
        factors = []
        for k, (a, periodic) in enumerate(zip(mode, self._periodic, strict=True)):
            s = self.symbols[k]
            if periodic:
                order = self._order(a, True)
                factors.append((sympy.cos if a % 2 == 0 else sympy.sin)(order * s))
            else:
                middle, half = (
                    sympy.Float(float(f"{v[k]:.12g}")) for v in (self._middle, self._half)
                )
                factors.append(P(a, (s - middle) / half))
        return sympy.Mul(*factors)


def along_axes(values: np.ndarray, slopes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return jets of functions (N, F) with slopes (N, F, n), each along each axis in turn."""
    count, functions, n = slopes.shape
    eye = np.eye(n)
    xi = values[:, :, None, None] * eye
    partial = slopes[:, :, None, :, None] * eye[:, None, :]
    return xi.reshape(count, functions * n, n), partial.reshape(count, functions * n, n, n)


def _goes_round(column: np.ndarray) -> bool:
    turned = np.sort(np.mod(column, 2 * np.pi))
    gaps = np.diff(np.append(turned, turned[0] + 2 * np.pi))
    return bool(gaps.max() < max(SYMMETRIES.angle_gap, 10 * np.median(gaps)))


def _legendre(u: np.ndarray, highest: int) -> tuple[np.ndarray, np.ndarray]:
    value = legendre.legvander(u, highest)
    derivative = np.zeros((highest + 1, highest + 1))
    for a in range(1, highest + 1):
        derivative[:a, a] = legendre.legder(np.eye(a + 1)[a])
    return value, value @ derivative


def _fourier(x: np.ndarray, highest: int) -> tuple[np.ndarray, np.ndarray]:
    """Return 1, sin, cos, sin 2, cos 2 … and their derivatives."""
    orders = (np.arange(highest + 1) + 1) // 2
    odd = np.arange(highest + 1) % 2 == 1
    angle = x[:, None] * orders
    value = np.where(odd, np.sin(angle), np.cos(angle))
    rate = np.where(odd, np.cos(angle), -np.sin(angle)) * orders
    return value, rate
