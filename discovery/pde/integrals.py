"""Integrals of densities over a grid: values, gradients, and what noise does to them.

With u = Σ a_k B_k, h the size of a grid cell, I_j = h Σ_p ρ_j(u(x_p), u_x(x_p), …), points weighted
where walls stand on them or a step beyond, and noise of covariance Σ in the amplitudes,

    J = ∂I/∂a = h Σ_p ∂ρ/∂u⁽ᵏ⁾ B⁽ᵏ⁾        the functional derivative, wave by wave
    J Σ Jᵀ                                 covariance of the integrals
    ½ tr(Σ ∂²I_j/∂a²)                      bias, taken out
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import sympy
from scipy import linalg

from discovery.formulas.compiling import compile_formulas
from discovery.pde.basis import Basis
from discovery.pde.densities import Jets
from discovery.pde.grid import Grid
from discovery.pde.variables import AtPlace, AtPoint, Coordinate, OfField, Variable, covariance_of

# States that are evaluated at once, which bounds memory.
_CHUNK = 512


class Integrals:
    """The integrals of densities over fields that are given by their waves' amplitudes.

    And functions of the coordinates beside them, which are amplitudes too.

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
        sizes = [*map(len, self._bases), *(1 for _ in grid.beside)]
        self._slices = [slice(a, b) for a, b in itertools.pairwise(np.cumsum([0, *sizes]))]
        variables = {s: self._variable(s) for s in self._used()}
        symbols = list(variables)
        self._first = [
            {s: d for s in symbols if (d := jets.slope(density, s)) != 0}
            for density in self.densities
        ]
        self._second = [
            {
                (s, t): d
                for s, slope in first.items()
                for t in symbols[: symbols.index(s) + 1]
                # Noise of two fields is independent.
                if variables[s].part == variables[t].part and (d := jets.slope(slope, t)) != 0
            }
            for first in self._first
        ]
        formulas = (
            self.densities,
            [d for first in self._first for d in first.values()],
            [d for second in self._second for d in second.values()],
        )
        # Slopes at a place are those of a field there.
        used = set().union(*(e.free_symbols for some in formulas for e in some))
        self._variables = variables | {s: self._variable(s) for s in used - set(symbols)}
        self._functions = [compile_formulas(list(self._variables), some) for some in formulas]
        # A formula without a field is not integrated: the mean of what is the same at all points.
        self._weights = [
            grid.cell if jets.is_integrated(density) else 1 / grid.n_points
            for density in self.densities
        ]
        self._points = [
            grid.weights if jets.is_integrated(density) else 1.0 for density in self.densities
        ]

    def _used(self) -> list[sympy.Symbol]:
        """Return the symbols that the densities depend on, a place with the field there."""
        jets, used = self.jets, {s for density in self.densities for s in density.free_symbols}
        used |= {jets.beside[i] for s, (_, _, i) in jets.at_place.items() if s in used}
        every = (*jets.places, *jets.beside, *jets.at_point, *jets.at_place)
        return [s for s in every if s in used]

    def _variable(self, symbol: sympy.Symbol) -> Variable:
        jets, n = self.jets, len(self._bases)
        if symbol in jets.places:
            f, orders = jets.places[symbol]
            # Axes come in the order of the grid's shape, (…, y, x).
            return OfField(self._slices[f], self._bases[f], orders[::-1])
        if symbol in jets.at_point:
            f, point = jets.at_point[symbol]
            return AtPoint(self._slices[f], self._bases[f], point)
        if symbol in jets.at_place:
            f, order, i = jets.at_place[symbol]
            return AtPlace(self._slices[f], self._bases[f], self._slices[n + i].start, order)
        return Coordinate(self._slices[n + jets.beside.index(symbol)])

    def amplitudes(self, states: np.ndarray) -> np.ndarray:
        """Return the amplitudes (n, K + Z) of states (n, d)."""
        parts = [b.amplitudes(self.grid.values(states, f)) for f, b in enumerate(self._bases)]
        return np.concatenate([*parts, states[:, list(self.grid.beside)]], axis=1)

    def states(self, amplitudes: np.ndarray) -> np.ndarray:
        """Return the states (n, d) of amplitudes (n, K + Z)."""
        out = np.empty((len(amplitudes), self.grid.dim))
        for f, basis in enumerate(self._bases):
            out[:, self.grid.columns[f]] = basis.field(amplitudes[:, self._slices[f]])
        out[:, list(self.grid.beside)] = amplitudes[:, self._slices[len(self._bases) - 1].stop :]
        return out

    def with_points(self, point: int) -> Integrals:
        """Return the same with the fields at a point taken at another one."""
        out = copy(self)
        out._variables = {
            s: replace(v, point=point) if isinstance(v, AtPoint) else v
            for s, v in self._variables.items()
        }
        return out

    def values(self, amplitudes: np.ndarray) -> np.ndarray:
        """Return the integrals (m, n) of amplitudes (n, K + Z)."""
        return np.concatenate([self._plain(given) for _, given in self._chunks(amplitudes)], axis=1)

    def gradients(self, amplitudes: np.ndarray) -> np.ndarray:
        """Return J, the integrals' derivatives by the amplitudes, (n, m, K + Z)."""
        return np.concatenate([self._slopes(given) for _, given in self._chunks(amplitudes)])

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
        for part, given in self._chunks(self.amplitudes(states)):
            out[part] = self._traces(given, partial(self._by_points, covariance[part], given))
        return out.T

    def moments(
        self,
        amplitudes: np.ndarray,
        error: np.ndarray,
        noise: np.ndarray,
        noise_beside: Sequence[float] = (),
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the integrals without the bias of noise, and their covariance by noise.

        Parameters
        ----------
        amplitudes : (n, K + Z) array
        error : (n, K + Z) array
            Variance of each amplitude over that of the measured one: 1 where nothing is smoothed.
        noise : (F, N) array
            Standard deviation of each field's noise at each point.
        noise_beside : sequence of Z float
            Standard deviation of the noise of the coordinates beside them.

        Returns
        -------
        values : (n, m) array
        covariance : (n, m, m) array
        """
        n, m = len(amplitudes), len(self.densities)
        values, covariance = np.empty((n, m)), np.empty((n, m, m))
        factors = [_factor(b, level) for b, level in zip(self._bases, noise, strict=True)]
        factors += list(map(float, noise_beside))
        levels = [*noise, *(np.array([level]) for level in noise_beside)]
        for part, given in self._chunks(amplitudes):
            with np.errstate(all="ignore"):  # a logarithm of noise below zero is refused later
                local = partial(self._variance_at_points, error[part], levels, given)
                values[part] = self._plain(given).T - 0.5 * self._traces(given, local)
                scaled = self._slopes(given) * np.sqrt(error[part])[:, None, :]
                for columns, factor in zip(self._slices, factors, strict=True):
                    one = scaled[:, :, columns]
                    scaled[:, :, columns] = one * factor if np.ndim(factor) == 0 else one @ factor
            covariance[part] = scaled @ np.swapaxes(scaled, 1, 2)
        return values, covariance

    def _chunks(self, amplitudes: np.ndarray) -> Iterator[tuple[slice, _Chunk]]:
        """Yield parts of the rows, with each symbol's values there."""
        for begin in range(0, len(amplitudes), _CHUNK):
            part = slice(begin, begin + _CHUNK)
            own = amplitudes[part]
            yield part, _Chunk(own, [v.values(own) for v in self._variables.values()])

    def _plain(self, given: _Chunk) -> np.ndarray:
        return np.array(
            [
                self._sum(value, j, given)
                for j, value in enumerate(self._functions[0](*given.values))
            ]
        )

    def _slopes(self, given: _Chunk) -> np.ndarray:
        rows = iter(self._functions[1](*given.values))
        n = len(given.amplitudes)
        out = np.zeros((n, len(self.densities), self._slices[-1].stop))
        for j, (first, weight) in enumerate(zip(self._first, self._weights, strict=True)):
            for s in first:
                variable = self._variables[s]
                slope = np.broadcast_to(next(rows), (n, self.grid.n_points)) * self._points[j]
                out[:, j, variable.part] += weight * variable.adjoint(slope, given.amplitudes)
        return out

    def _traces(
        self, given: _Chunk, covariance: Callable[[sympy.Symbol, sympy.Symbol], np.ndarray]
    ) -> np.ndarray:
        """Return tr(Σ ∂²I_j), (n, m), from the covariance of two symbols at each point."""
        rows = iter(self._functions[2](*given.values))
        out = np.zeros((len(given.amplitudes), len(self.densities)))
        known: dict[tuple[sympy.Symbol, sympy.Symbol], np.ndarray] = {}
        for j, second in enumerate(self._second):
            for s, t in second:
                if (s, t) not in known:
                    known[s, t] = covariance(s, t)
                term = self._sum(next(rows) * known[s, t], j, given)
                out[:, j] += 2 * term if s != t else term
        return out

    def _by_points(
        self, covariance: np.ndarray, given: _Chunk, s: sympy.Symbol, t: sympy.Symbol
    ) -> np.ndarray:
        """Return the covariance of symbols s and t of one part, from that of the states."""
        source = self._slices.index(self._variables[s].part)
        if source < len(self._bases):
            columns, onto = self.grid.columns[source], self._bases[source].dense().T
        else:
            columns, onto = [self.grid.beside[source - len(self._bases)]], np.ones((1, 1))
        # Both as functions of the values at the points.
        one, other = (self._variables[k].matrix(given.amplitudes) @ onto for k in (s, t))
        if covariance.ndim == 3:
            block = covariance[:, np.array(columns)[:, None], columns]
            return np.sum((one @ block) * other, axis=2)
        product, variance = one * other, covariance[:, columns]
        if product.ndim == 2:
            return variance @ product.T
        return np.einsum("nc,npc->np", variance, product)

    def _variance_at_points(
        self,
        error: np.ndarray,
        levels: Sequence[np.ndarray],
        given: _Chunk,
        s: sympy.Symbol,
        t: sympy.Symbol,
    ) -> np.ndarray:
        """Return the same from the error of the amplitudes and the noise of each point."""
        one, other = self._variables[s], self._variables[t]
        level = levels[self._slices.index(one.part)] ** 2
        share = covariance_of(one, other, given.amplitudes, error[:, one.part])
        # Noise varies slowly along the grid: what it is at the point counts there.
        if isinstance(one, AtPoint):
            return share * level[one.point]
        return share * (level if share.shape[1] == len(level) else level.mean())

    def _sum(self, values: np.ndarray, density: int, given: _Chunk) -> np.ndarray:
        shape = len(given.amplitudes), self.grid.n_points
        values = np.broadcast_to(values, shape) * self._points[density]
        return self._weights[density] * values.sum(axis=1)


class _Chunk(NamedTuple):
    """Some rows: their amplitudes, and the values of the symbols."""

    amplitudes: np.ndarray
    values: list[np.ndarray]


def _factor(basis: Basis, level: np.ndarray) -> np.ndarray | float:
    """Return L with LLᵀ the covariance of amplitudes by noise of each point's level (N,)."""
    if np.ptp(level) == 0:
        return float(level[0])
    shapes = basis.dense()
    return linalg.cholesky((shapes.T * level**2) @ shapes, lower=True)
