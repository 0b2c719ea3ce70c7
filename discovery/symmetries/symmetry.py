"""One symmetry as a formula with its residual, made from the solution of an eigenproblem."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy

from discovery.formulas import pencil, simple_numbers, sparse_basis
from discovery.symmetries import lie_operators
from discovery.symmetries.candidates import vector_fields
from discovery.symmetries.problem import Prepared
from discovery.symmetries.search import Solution

# Resamples of the points for the interval of a residual.
RESAMPLES = 50
# Terms of an expansion below this share of the largest are left out.
_NEGLIGIBLE = 1e-13


@dataclass(frozen=True)
class Symmetry:
    """One vector field that preserves a geometry.

    Attributes
    ----------
    components : tuple of n sympy.Expr
        ξ^k in the coordinate directions.
    expression : str
        Such as ``-y ∂x + x ∂y``.
    residual : float
        √(E‖L_ξ g‖² / E(‖∇ξ‖² + ‖ξ‖²/ℓ²)) on held-out points; see `lie_operators`.
    interval : tuple of two floats
        90 % bootstrap interval of the residual.
    kind : {"isometry", "homothety", "conformal", "nearly"}
    symbols : tuple of n sympy.Symbol
    """

    components: tuple[sympy.Expr, ...]
    expression: str
    residual: float
    interval: tuple[float, float]
    kind: str
    symbols: tuple[sympy.Symbol, ...]

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Return the field's components (N, n) at points (N, n)."""
        return self.jets(points)[0]

    def jets(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Evaluate the field with its slopes at points (N, n).

        Returns
        -------
        values : (N, n) array, ``values[b, k]`` = ξ^k
        slopes : (N, n, n) array, ``slopes[b, i, k]`` = ∂_i ξ^k

        Raises
        ------
        ValueError
            When the points have another number of coordinates.
        """
        points = np.asarray(points, dtype=float)
        if points.ndim != 2 or points.shape[1] != len(self.symbols):
            raise ValueError(
                f"Points must have shape (N, {len(self.symbols)}); received {points.shape}."
            )
        fields = vector_fields.VectorFields(self.symbols, [self.components])
        values, slopes = fields.jets(points)
        return values[:, 0], slopes[:, 0]

    def __str__(self) -> str:
        return f"{self.expression}   ({self.kind}, residual {self.residual:.1e})"


def formulas(
    solution: Solution,
    space: np.ndarray,
    kind: str,
    ready: Prepared,
    known: np.ndarray | None = None,
) -> list[Symmetry]:
    """Return a sparse basis of a span as symmetries with formulas.

    Parameters
    ----------
    solution : Solution
    space : (m, k) array
        Combinations of the solution's fields that span it.
    kind : {"isometry", "homothety", "conformal", "nearly"}
    ready : Prepared
    known : (m, l) array, optional
        Combinations in the span that need no formula: the basis is independent of them.
    """
    if not space.shape[1]:
        return []
    fields, fit = solution.fields, solution.fit
    rule = "isometry" if kind == "nearly" else kind
    top, bottom = fit.numerator(rule), fit.denominator()
    forms = pencil.Pencil(top.T @ top, bottom.T @ bottom)
    allowed = 1.3 * float(lie_operators.defect(fit, space, rule).max())
    if ready.gap > 1:  # a learned metric: finer differences are its errors
        allowed = max(allowed, 0.1 * ready.limit)
    basis = sparse_basis.sparse_basis(forms, space, fields.costs(), allowed, known)
    found = []
    for vector in basis.T:
        components = tuple(map(_cancelled, fields.combine(simple_numbers.as_numbers(vector))))
        found.append(_symmetry(solution, vector, components, kind, ready))
    return found


def _cancelled(component: sympy.Expr) -> sympy.Expr:
    """Return a quotient of polynomials in lowest terms."""
    exact = not component.has(sympy.Float) and component.is_rational_function()
    return sympy.cancel(component) if exact and not component.is_polynomial() else component


def expansions(solution: Solution, space: np.ndarray, ready: Prepared) -> list[Symmetry]:
    """Return fields that have no short formula as sums of polynomials.

    Parameters
    ----------
    solution : Solution
    space : (m, k) array
        Combinations of the solution's fields, one a column.
    ready : Prepared
    """
    found, size = [], np.linalg.norm(solution.fit.denominator(), axis=0)
    for vector in space.T:
        share = np.abs(vector) * size
        vector = np.where(share > _NEGLIGIBLE * share.max(), vector, 0.0)
        vector = vector / np.abs(vector).max()
        components = solution.fields.combine(vector)
        found.append(_symmetry(solution, vector, components, "isometry", ready))
    return found


def _symmetry(
    solution: Solution,
    vector: np.ndarray,
    components: tuple[sympy.Expr, ...],
    kind: str,
    ready: Prepared,
) -> Symmetry:
    rule = "isometry" if kind == "nearly" else kind
    one = solution.held.onto(vector[:, None])
    draws = resampled(one, ready.rng, rule)
    return Symmetry(
        components=components,
        expression=vector_fields.to_text(components, ready.names),
        residual=float(lie_operators.defect(one, np.eye(1), rule)[0]),
        interval=tuple(float(q) for q in np.quantile(draws, [0.05, 0.95])),
        kind=kind,
        symbols=solution.fields.symbols,
    )


def resampled(
    held: lie_operators.LieOperators, rng: np.random.Generator, kind: str = "isometry"
) -> np.ndarray:
    """Return the defects (draws, k) on resamples of the points.

    Parameters
    ----------
    held : LieOperators
        Of k fields on the points that judge.
    rng : numpy.random.Generator
    kind : {"isometry", "homothety", "conformal"}
    """
    eye, n = np.eye(held.lie.shape[2]), len(held.lie)
    return np.array(
        [
            lie_operators.defect(held.take(rng.integers(0, n, n)), eye, kind)
            for _ in range(RESAMPLES)
        ]
    )
