"""A metric given as a matrix of formulas, with a potential."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import sympy

from discovery.formulas.compiling import compile_formulas
from discovery.formulas.parsing import parse_formula


class FormulaMetric:
    """Metric and potential as SymPy expressions; derivatives are exact and need no backend.

    Parameters
    ----------
    matrix : sympy.Matrix, or n rows of n formulas
        g_ij(q), symmetric; SymPy expressions or their text.
    symbols : sequence of n sympy.Symbol or str
        The coordinates q.
    potential : sympy.Expr or str, optional
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
        matrix: sympy.Matrix | Sequence[Sequence[sympy.Expr | str]],
        symbols: Sequence[sympy.Symbol | str],
        potential: sympy.Expr | str | None = None,
    ) -> None:
        self.symbols = tuple(sympy.Symbol(s) if isinstance(s, str) else s for s in symbols)
        n = len(self.symbols)
        rows = matrix.tolist() if isinstance(matrix, sympy.MatrixBase) else matrix
        square = isinstance(rows, list | tuple) and len(rows) == n
        if not square or any(not isinstance(r, list | tuple) or len(r) != n for r in rows):
            raise ValueError(
                f"The matrix must be {n} × {n} for the coordinates {self.symbols}; received "
                f"{matrix!r}."
            )
        self.matrix = sympy.Matrix(
            [[parse_formula(entry, self.symbols, "matrix") for entry in row] for row in rows]
        )
        self.potential = (
            None if potential is None else parse_formula(potential, self.symbols, "potential")
        )
        parts = [*self.matrix, self.potential or sympy.Integer(0)]
        flat = [*parts, *(p.diff(s) for s in self.symbols for p in parts)]
        self._evaluate = compile_formulas(self.symbols, flat)

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
        return compile_formulas(self.symbols, bends)
