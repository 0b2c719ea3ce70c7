"""Integrals of densities over a grid: values, gradients, and what noise does to them.

With u = Σ a_k B_k, h the size of a grid cell, I_j = h Σ_p ρ_j(u(x_p), u_x(x_p), …), and noise of
covariance Σ in the amplitudes,

    J = ∂I/∂a = h Σ_p ∂ρ/∂u⁽ᵏ⁾ B⁽ᵏ⁾        the functional derivative, wave by wave
    J Σ Jᵀ                                 covariance of the integrals
    ½ tr(Σ ∂²I_j/∂a²)                      bias, taken out
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import sympy
from scipy import linalg

from discovery.formulas.compiling import compile_formulas
from discovery.pde.basis import Basis
from discovery.pde.densities import Jets
from discovery.pde.grid import Grid

# States that are evaluated at once, which bounds memory.
_CHUNK = 512


class Integrals:
    """The integrals of densities over fields that are given by their waves' amplitudes.

    Parameters
    ----------
    densities : sequence of m sympy.Expr
        In the symbols of `jets`.
    jets : Jets
    grid : Grid
    bases : sequence of F Basis, optional
        Waves kept of each field, K in all; every one by default.
    """

    def __init__(
        self,
        densities: Sequence[sympy.Expr],
        jets: Jets,
        grid: Grid,
        bases: Sequence[Basis] | None = None,
    ) -> None:
        self.densities, self.jets, self.grid = list(densities), jets, grid
        self._bases = grid.bases() if bases is None else tuple(bases)
        used = {s for density in self.densities for s in density.free_symbols}
        self._symbols = [s for s in jets.places if s in used]
        # Axes come in the order of the grid's shape, (…, y, x).
        places = [(f, orders[::-1]) for f, orders in (jets.places[s] for s in self._symbols)]
        cuts = np.cumsum([0, *map(len, self._bases)])
        self._slices = [slice(a, b) for a, b in itertools.pairwise(cuts)]
        self._places = places
        self._first = [
            {s: d for s, x in enumerate(self._symbols) if (d := density.diff(x)) != 0}
            for density in self.densities
        ]
        self._second = [
            {
                (s, t): d
                for s, slope in first.items()
                for t in range(s + 1)
                # Noise of two fields is independent.
                if places[s][0] == places[t][0] and (d := slope.diff(self._symbols[t])) != 0
            }
            for first in self._first
        ]
        self._functions = [
            compile_formulas(self._symbols, flat)
            for flat in (
                self.densities,
                [d for first in self._first for d in first.values()],
                [d for second in self._second for d in second.values()],
            )
        ]

    def amplitudes(self, states: np.ndarray) -> np.ndarray:
        """Return the amplitudes (n, K) of states (n, d)."""
        parts = [b.amplitudes(self.grid.values(states, f)) for f, b in enumerate(self._bases)]
        return np.concatenate(parts, axis=1)

    def states(self, amplitudes: np.ndarray) -> np.ndarray:
        """Return the states (n, d) of amplitudes (n, K)."""
        out = np.empty((len(amplitudes), self.grid.columns.size))
        for f, basis in enumerate(self._bases):
            out[:, self.grid.columns[f]] = basis.field(amplitudes[:, self._slices[f]])
        return out

    def values(self, amplitudes: np.ndarray) -> np.ndarray:
        """Return the integrals (m, n) of amplitudes (n, K)."""
        parts = [
            np.array([self._sum(v, fields) for v in self._functions[0](*fields)])
            for _, fields in self._chunks(amplitudes)
        ]
        return np.concatenate(parts, axis=1)

    def gradients(self, amplitudes: np.ndarray) -> np.ndarray:
        """Return J, the integrals' derivatives by the amplitudes, (n, m, K)."""
        return np.concatenate([self._slopes(fields) for _, fields in self._chunks(amplitudes)])

    def curvatures(self, states: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Return tr(Σ ∂²I_j/∂x²), (m, n): twice the bias that noise of covariance Σ gives.

        For integrals of all waves. Noise of two fields is taken as independent.

        Parameters
        ----------
        states : (n, d) array
        covariance : (n, d, d) array, or (n, d) array of variances
            Σ of the states.
        """
        out = np.empty((len(states), len(self.densities)))
        known = self._covariance_at_points if covariance.ndim == 3 else self._spread_at_points
        for part, fields in self._chunks(self.amplitudes(states)):
            local = partial(known, covariance[part])
            out[part] = self._traces(fields, local)
        return out.T

    def moments(
        self, amplitudes: np.ndarray, error: np.ndarray, noise: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the integrals without the bias of noise, and their covariance by noise.

        Parameters
        ----------
        amplitudes : (n, K) array
        error : (n, K) array
            Variance of each amplitude over that of the measured one: 1 where nothing is smoothed.
        noise : (F, N) array
            Standard deviation of each field's noise at each point.

        Returns
        -------
        values : (n, m) array
        covariance : (n, m, m) array
        """
        n, m = len(amplitudes), len(self.densities)
        values, covariance = np.empty((n, m)), np.empty((n, m, m))
        factors = [_factor(b, level) for b, level in zip(self._bases, noise, strict=True)]
        for part, fields in self._chunks(amplitudes):
            with np.errstate(all="ignore"):  # a logarithm of noise below zero is refused later
                plain = [self._sum(v, fields) for v in self._functions[0](*fields)]
                local = partial(self._variance_at_points, error[part], noise**2)
                values[part] = np.array(plain).T - 0.5 * self._traces(fields, local)
                scaled = self._slopes(fields) * np.sqrt(error[part])[:, None, :]
                for columns, factor in zip(self._slices, factors, strict=True):
                    one = scaled[:, :, columns]
                    scaled[:, :, columns] = one * factor if np.ndim(factor) == 0 else one @ factor
            covariance[part] = scaled @ np.swapaxes(scaled, 1, 2)
        return values, covariance

    def _chunks(self, amplitudes: np.ndarray) -> Iterator[tuple[slice, list[np.ndarray]]]:
        """Yield parts of the rows, with each symbol's values (c, N) there."""
        for begin in range(0, len(amplitudes), _CHUNK):
            part = slice(begin, begin + _CHUNK)
            yield (
                part,
                [
                    self._bases[f].field(amplitudes[part, self._slices[f]], orders)
                    for f, orders in self._places
                ],
            )

    def _slopes(self, fields: list[np.ndarray]) -> np.ndarray:
        rows = iter(self._functions[1](*fields))
        out = np.zeros((len(fields[0]), len(self.densities), self._slices[-1].stop))
        for j, first in enumerate(self._first):
            for s in first:
                f, orders = self._places[s]
                slope = np.broadcast_to(next(rows), fields[0].shape)
                out[:, j, self._slices[f]] += self._bases[f].amplitudes(slope, orders)
        return self.grid.cell * out

    def _traces(
        self, fields: list[np.ndarray], covariance: Callable[[int, int], np.ndarray]
    ) -> np.ndarray:
        """Return tr(Σ ∂²I_j), (n, m), from the covariance (n, N) of two symbols at each point."""
        rows = iter(self._functions[2](*fields))
        out = np.zeros((len(fields[0]), len(self.densities)))
        known: dict[tuple[int, int], np.ndarray] = {}
        for j, second in enumerate(self._second):
            for s, t in second:
                if (s, t) not in known:
                    known[s, t] = covariance(s, t)
                term = self._sum(next(rows) * known[s, t], fields)
                out[:, j] += 2 * term if s != t else term
        return out

    def _covariance_at_points(self, covariance: np.ndarray, s: int, t: int) -> np.ndarray:
        """Return the covariance of symbols s and t of one field, from that of the states."""
        f, one, other = self._by_points(s, t)
        columns = self.grid.columns[f]
        return np.sum((one @ covariance[:, columns[:, None], columns]) * other, axis=2)

    def _spread_at_points(self, variance: np.ndarray, s: int, t: int) -> np.ndarray:
        """Return the same from the variances of the states."""
        f, one, other = self._by_points(s, t)
        return self.grid.values(variance, f) @ (one * other).T

    def _by_points(self, s: int, t: int) -> tuple[int, np.ndarray, np.ndarray]:
        """Return the field of two symbols, and both as functions of its values, (N, N)."""
        f = self._places[s][0]
        basis = self._bases[f]
        one, other = (basis.dense(self._places[k][1]) @ basis.dense().T for k in (s, t))
        return f, one, other

    def _variance_at_points(
        self, error: np.ndarray, variance: np.ndarray, s: int, t: int
    ) -> np.ndarray:
        """Return the same from the error of the amplitudes and the noise of each point, squared."""
        f = self._places[s][0]
        one, other = (self._places[k][1] for k in (s, t))
        # Noise varies slowly along the grid: what it is at the point counts there.
        return self._bases[f].local(error[:, self._slices[f]], one, other) * variance[f]

    def _sum(self, values: np.ndarray, fields: list[np.ndarray]) -> np.ndarray:
        return self.grid.cell * np.broadcast_to(values, fields[0].shape).sum(axis=1)


def _factor(basis: Basis, level: np.ndarray) -> np.ndarray | float:
    """Return L with LLᵀ the covariance of amplitudes by noise of each point's level (N,)."""
    if np.ptp(level) == 0:
        return float(level[0])
    shapes = basis.dense()
    return linalg.cholesky((shapes.T * level**2) @ shapes, lower=True)
