"""Integrals of densities over a grid: values, gradients, and what noise does to them.

With u = Σ a_k B_k, I_j = h Σ_p ρ_j(u(x_p), u_x(x_p), …), and noise of covariance Σ in the
amplitudes,

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
from discovery.pde.densities import Jets
from discovery.pde.grid import Grid, waves

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
    n_waves : sequence of F int, optional
        Waves kept of each field, K in all; every one by default.
    """

    def __init__(
        self,
        densities: Sequence[sympy.Expr],
        jets: Jets,
        grid: Grid,
        n_waves: Sequence[int] | None = None,
    ) -> None:
        self.densities, self.jets, self.grid = list(densities), jets, grid
        kept = [grid.n_points] * len(grid.fields) if n_waves is None else list(n_waves)
        used = {s for density in self.densities for s in density.free_symbols}
        self._symbols = [s for s in jets.places if s in used]
        places = [jets.places[s] for s in self._symbols]
        orders = max(order for _, order in places)
        cuts = np.concatenate([[0], np.cumsum(kept)])
        self._slices = [slice(a, b) for a, b in itertools.pairwise(cuts)]
        self._waves = [
            waves(grid.n_points, grid.spacing, walls, orders)[:, :, :k]
            for walls, k in zip(grid.walls, kept, strict=True)
        ]
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
        parts = [self.grid.values(states, f) @ w[0] for f, w in enumerate(self._waves)]
        return np.concatenate(parts, axis=1)

    def states(self, amplitudes: np.ndarray) -> np.ndarray:
        """Return the states (n, d) of amplitudes (n, K)."""
        out = np.empty((len(amplitudes), self.grid.columns.size))
        for f, w in enumerate(self._waves):
            out[:, self.grid.columns[f]] = amplitudes[:, self._slices[f]] @ w[0].T
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
        covariance : (n, d, d) array
            Σ of the states.
        """
        out = np.empty((len(states), len(self.densities)))
        for part, fields in self._chunks(self.amplitudes(states)):
            local = partial(self._covariance_at_points, covariance[part])
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
        factor = linalg.block_diag(
            *(
                linalg.cholesky((w[0].T * level**2) @ w[0], lower=True)
                for w, level in zip(self._waves, noise, strict=True)
            )
        )
        for part, fields in self._chunks(amplitudes):
            with np.errstate(all="ignore"):  # a logarithm of noise below zero is refused later
                plain = [self._sum(v, fields) for v in self._functions[0](*fields)]
                local = partial(self._variance_at_points, error[part], noise**2)
                values[part] = np.array(plain).T - 0.5 * self._traces(fields, local)
                scaled = (self._slopes(fields) * np.sqrt(error[part])[:, None, :]) @ factor
            covariance[part] = scaled @ np.swapaxes(scaled, 1, 2)
        return values, covariance

    def _chunks(self, amplitudes: np.ndarray) -> Iterator[tuple[slice, list[np.ndarray]]]:
        """Yield parts of the rows, with each symbol's values (c, N) there."""
        for begin in range(0, len(amplitudes), _CHUNK):
            part = slice(begin, begin + _CHUNK)
            yield (
                part,
                [
                    amplitudes[part, self._slices[f]] @ self._waves[f][order].T
                    for f, order in self._places
                ],
            )

    def _slopes(self, fields: list[np.ndarray]) -> np.ndarray:
        rows = iter(self._functions[1](*fields))
        out = np.zeros((len(fields[0]), len(self.densities), self._slices[-1].stop))
        for j, first in enumerate(self._first):
            for s in first:
                f, order = self._places[s]
                slope = np.broadcast_to(next(rows), fields[0].shape)
                out[:, j, self._slices[f]] += slope @ self._waves[f][order]
        return self.grid.spacing * out

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
        f = self._places[s][0]
        columns, w = self.grid.columns[f], self._waves[f]
        one, other = (w[self._places[k][1]] @ w[0].T for k in (s, t))
        local = covariance[:, columns[:, None], columns]
        return np.sum((one @ local) * other, axis=2)

    def _variance_at_points(
        self, error: np.ndarray, variance: np.ndarray, s: int, t: int
    ) -> np.ndarray:
        """Return the same from the error of the amplitudes and the noise of each point, squared."""
        f = self._places[s][0]
        both = self._waves[f][self._places[s][1]] * self._waves[f][self._places[t][1]]
        # Noise varies slowly along the grid: what it is at the point counts there.
        return (error[:, self._slices[f]] @ both.T) * variance[f]

    def _sum(self, values: np.ndarray, fields: list[np.ndarray]) -> np.ndarray:
        return self.grid.spacing * np.broadcast_to(values, fields[0].shape).sum(axis=1)
