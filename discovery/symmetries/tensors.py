r"""Killing tensors of rank two: symmetries hidden in phase space.

A function quadratic in the momenta, h = ½ K^ij(q) p_i p_j + U(q), is conserved under
H = ½ g^ij p_i p_j + V exactly when

    ∇^(i K^jk) = 0        and        g^ij ∂_j U = K^ij ∂_j V.

Candidates K and U are linear in unknown coefficients, so their defect is a generalized eigenproblem
as in `lie_operators`; the denominator is E( ‖∇K‖² + ‖K‖²/ℓ² + ‖∇U‖²/E₀² ). The metric itself
(K = g⁻¹, U = V) and products of Killing fields are always among the solutions: these are reducible.

Source: B. Carter, Phys. Rev. 174 (1968) 1559; with potentials, J. Hietarinta, Phys. Rep. 147
(1987).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import sympy

from discovery.symmetries.candidates.vector_fields import VectorFields
from discovery.symmetries.geometry.curvature import christoffel, region_size
from discovery.symmetries.geometry.metric_at_points import MetricField
from discovery.symmetries.lie_operators import LieOperators

# What is left of a candidate, as a share, up to which it is a sum of others; in double and in
# single precision.
_DEPENDENT = {True: 1e-9, False: 1e-5}
# The symbol that stands for the potential in formulas.
POTENTIAL = sympy.Symbol("V", real=True)


class TensorLibrary:
    """Candidates: scalar functions times the symmetric tensors e_i ⊙ e_j, and scalar potentials.

    Parameters
    ----------
    symbols : sequence of n sympy.Symbol
    functions : sequence of sympy.Expr
        Tried for each K^ij, and, alone and times V, for U.
    with_potential : bool
        Whether there is a potential V.
    further : sequence of sympy.Expr
        Tried for U besides: it is of higher degree than K where V is a polynomial.
    """

    def __init__(
        self,
        symbols: list[sympy.Symbol],
        functions: list[sympy.Expr],
        with_potential: bool,
        further: Sequence[sympy.Expr] = (),
    ) -> None:
        n = len(symbols)
        zero = [sympy.Integer(0)] * (n - 1)
        more = [f for f in further if f not in functions] if with_potential else []
        self.symbols, self.functions = tuple(symbols), [*functions, *more]
        self._scalars = VectorFields(symbols, [(f, *zero) for f in self.functions])
        self.entries = [
            (f, i, j)
            for f in range(len(functions))
            for i, j in itertools.combinations_with_replacement(range(n), 2)
        ]
        self.potentials: list[tuple[int, bool]] = []
        if with_potential:
            self.potentials = [(f, False) for f, e in enumerate(self.functions) if e.free_symbols]
            self.potentials += [(f, True) for f in range(len(functions))]

    def __len__(self) -> int:
        return len(self.entries) + len(self.potentials)

    def drop_dependent(self, points: np.ndarray, potential: np.ndarray, double: bool) -> None:
        """Leave out candidates U that are sums of others on the points.

        Parameters
        ----------
        points : (N, n) array
        potential : (N,) array
            V at the points.
        double : bool
            Whether V was computed in double precision.
        """
        values, _ = self.scalars(points)
        basis, kept = np.ones((len(points), 1)) / np.sqrt(len(points)), []
        for f, times in self.potentials:
            column = values[:, f] * (potential if times else 1.0)
            rest = column - basis @ (basis.T @ column)
            rest = rest - basis @ (basis.T @ rest)
            if np.linalg.norm(rest) > _DEPENDENT[double] * np.linalg.norm(column):
                basis = np.column_stack([basis, rest / np.linalg.norm(rest)])
                kept.append((f, times))
        self.potentials = kept

    def scalars(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the functions (N, F) and their gradients (N, F, n)."""
        values, slopes = self._scalars.jets(points)
        return values[:, :, 0], slopes[:, :, :, 0]

    def tensor(self, coefficients: list[sympy.Expr]) -> sympy.Matrix:
        """Return K^ij of a combination."""
        n = len(self.symbols)
        out = sympy.zeros(n, n)
        for c, (f, i, j) in zip(coefficients, self.entries, strict=False):
            out[i, j] += c * self.functions[f]
            if i != j:
                out[j, i] += c * self.functions[f]
        return out

    def potential(self, coefficients: list[sympy.Expr]) -> sympy.Expr:
        """Return U of a combination, in the coordinates and V."""
        own = coefficients[len(self.entries) :]
        return sympy.Add(
            *(
                c * self.functions[f] * (POTENTIAL if times else 1)
                for c, (f, times) in zip(own, self.potentials, strict=True)
            )
        )

    def costs(self) -> np.ndarray:
        """Return what each candidate costs in a formula."""
        cost = [1.0 + 0.25 * sympy.count_ops(f) + 0.5 * len(f.free_symbols) for f in self.functions]
        tensors = [cost[f] for f, _, _ in self.entries]
        return np.array(tensors + [cost[f] + 0.25 * times for f, times in self.potentials])


def tensor_operators(
    library: TensorLibrary,
    points: np.ndarray,
    field: MetricField,
    potential: np.ndarray | None,
) -> LieOperators:
    """Evaluate numerator and denominator of the defect on a metric.

    Parameters
    ----------
    library : TensorLibrary
    points : (N, n) array
    field : MetricField
        With the force ∂V where there is a potential.
    potential : (N,) array or None
        V at the points.

    Returns
    -------
    LieOperators
        ``lie`` holds ∇^(i K^jk) (n³ rows), ``potential`` the condition on U (n rows), both in an
        orthonormal frame.
    """
    g, n = field.metric, points.shape[1]
    values, slopes = library.scalars(points)
    m = len(library)
    k = np.zeros((len(points), m, n, n))
    dk = np.zeros((len(points), m, n, n, n))  # [b, a, l, i, j] = ∂_l K^ij
    for a, (f, i, j) in enumerate(library.entries):
        k[:, a, i, j] = k[:, a, j, i] = values[:, f]
        dk[:, a, :, i, j] = dk[:, a, :, j, i] = slopes[:, f]
    turn = np.einsum("bilm,bamj->balij", christoffel(g, field.partials), k, optimize=True)
    covariant = dk + turn + np.swapaxes(turn, 3, 4)
    factor = np.linalg.cholesky(g)
    frame = np.linalg.inv(factor)
    covariant = np.einsum(
        "bxl,balij,biy,bjz->baxyz", frame, covariant, factor, factor, optimize=True
    )
    symmetric = (
        sum(
            np.transpose(covariant, (0, 1, *(2 + p for p in order)))
            for order in ((0, 1, 2), (1, 2, 0), (2, 0, 1))
        )
        / 3.0
    )
    white = np.einsum("baij,bix,bjy->baxy", k, factor, factor, optimize=True)
    length = region_size(g, points)
    size = [covariant.reshape(len(points), m, -1), white.reshape(len(points), m, -1) / length]

    condition = np.zeros((len(points), m, 0))
    if field.force is not None:
        raised = np.zeros((len(points), m, n))  # frame components of ∂U
        for a, (f, times) in enumerate(library.potentials, start=len(library.entries)):
            slope = slopes[:, f]
            if times:
                slope = slope * potential[:, None] + values[:, f, None] * field.force
            raised[:, a] = np.einsum("bxi,bi->bx", frame, slope)
        pushed = np.einsum("baij,bj,bix->bax", k, field.force, factor, optimize=True)
        condition = (raised - pushed) / field.energy_scale
        size.append(raised / field.energy_scale)
    return LieOperators(
        np.swapaxes(symmetric.reshape(len(points), m, -1), 1, 2),
        np.swapaxes(condition, 1, 2),
        np.swapaxes(np.concatenate(size, axis=2), 1, 2),
    )
