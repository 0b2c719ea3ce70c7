"""A metric given as a matrix of formulas, with a potential."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import sympy


class FormulaMetric:
    """Metric and potential as SymPy expressions; derivatives are exact and need no backend.

    Parameters
    ----------
    matrix : sympy.Matrix (n, n)
        g_ij(q), symmetric.
    symbols : sequence of n sympy.Symbol
        The coordinates q.
    potential : sympy.Expr, optional
        V(q).

    Examples
    --------
    >>> theta, phi = symbols = sympy.symbols("theta phi", real=True)
    >>> sphere = FormulaMetric(sympy.diag(1, sympy.sin(theta) ** 2), symbols)
    >>> SymmetryFinder(metric=sphere, names=("theta", "phi")).fit(points).n_symmetries_
    3
    """

    def __init__(
        self,
        matrix: sympy.Matrix,
        symbols: Sequence[sympy.Symbol],
        potential: sympy.Expr | None = None,
    ) -> None:
        self.matrix, self.symbols = sympy.Matrix(matrix), tuple(symbols)
        self.potential = potential
        n = len(self.symbols)
        if self.matrix.shape != (n, n):
            raise ValueError(
                f"The matrix must be {n} × {n} for the coordinates {self.symbols}; received "
                f"{self.matrix.shape}."
            )
        parts = [*self.matrix, sympy.sympify(0 if potential is None else potential)]
        unknown = set().union(*(p.free_symbols for p in parts)) - set(self.symbols)
        if unknown:
            raise ValueError(
                f"The formulas use {', '.join(sorted(map(str, unknown)))}, which are not among the "
                f"coordinates {', '.join(map(str, self.symbols))}."
            )
        flat = [*parts, *(p.diff(s) for s in self.symbols for p in parts)]
        self._evaluate = sympy.lambdify(self.symbols, flat, modules=["numpy", "scipy"], cse=True)

    def at(self, points: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return g (N, n, n), ``[b, k, i, j]`` = ∂_k g_ij, V (N,) and ∂_k V (N, n) at points."""
        n, count = len(self.symbols), len(points)
        with np.errstate(all="ignore"):
            rows = self._evaluate(*np.asarray(points, dtype=float).T)
        flat = np.stack([np.broadcast_to(np.asarray(r, dtype=float), (count,)) for r in rows], 1)
        values, slopes = flat[:, : n * n + 1], flat[:, n * n + 1 :].reshape(count, n, n * n + 1)
        return (
            values[:, :-1].reshape(count, n, n),
            slopes[:, :, :-1].reshape(count, n, n, n),
            values[:, -1],
            slopes[:, :, -1],
        )

    def second_jet(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return g, ∂g as `at`, and ``[b, k, l, i, j]`` = ∂_k ∂_l g_ij (N, n, n, n, n)."""
        n, count = len(self.symbols), len(points)
        with np.errstate(all="ignore"):
            rows = self._second(*np.asarray(points, dtype=float).T)
        flat = np.stack([np.broadcast_to(np.asarray(r, dtype=float), (count,)) for r in rows], 1)
        g, dg, _, _ = self.at(points)
        return g, dg, flat.reshape(count, n, n, n, n)

    @cached_property
    def _second(self) -> Callable:
        bends = [p.diff(s, t) for s in self.symbols for t in self.symbols for p in self.matrix]
        return sympy.lambdify(self.symbols, bends, modules=["numpy", "scipy"], cse=True)
