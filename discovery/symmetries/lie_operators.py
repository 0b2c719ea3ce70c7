r"""Killing fields as an eigenproblem.

For ξ = Σ_k c_k ξ_k(x) on a metric g, the Lie derivative and the covariant derivative are

    (L_ξ g)_ij = ξ^k ∂_k g_ij + g_kj ∂_i ξ^k + g_ik ∂_j ξ^k,
    ∇_i ξ^k    = ∂_i ξ^k + Γ^k_ij ξ^j,

and the *defect* of ξ is the square root of

    λ = E ‖L_ξ g‖²_g / E( ‖∇ξ‖²_g + ‖ξ‖²_g / ℓ² ),

with ℓ the size of the sampled region in the metric, so that λ depends neither on units nor on the
scale of g. An isometry has λ = 0; with a potential, (ξ·∇V / E₀)² joins the numerator. A homothety
has L_ξ g = 2c g, a conformal field L_ξ g = 2σ(x) g.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from discovery.symmetries.candidates.fields import Fields
from discovery.symmetries.conditions import Condition
from discovery.symmetries.geometry.curvature import christoffel, region_size
from discovery.symmetries.geometry.metric_at_points import MetricField

# Combinations of fields this small against the largest are zero on the points (cos² + sin² − 1).
_DEPENDENT = 1e-9


@dataclass(frozen=True)
class LieOperators:
    """Rows whose sums of squares are numerator and denominator of λ, point by point.

    Attributes
    ----------
    lie : (N, p, m) array
        Components of L_ξ g in an orthonormal frame, p = n(n+1)/2; off-diagonal ones times √2.
    potential : (N, q, m) array
        ξ·∇V in units of the energy scale, and what else must vanish.
    size : (N, n² + n, m) array
        Components of ∇ξ and ξ/ℓ in an orthonormal frame.
    """

    lie: np.ndarray
    potential: np.ndarray
    size: np.ndarray

    def take(self, rows: np.ndarray) -> LieOperators:
        """Return the operators at some of the points."""
        return LieOperators(self.lie[rows], self.potential[rows], self.size[rows])

    def onto(self, vectors: np.ndarray) -> LieOperators:
        """Return the operators on the combinations in the columns of `vectors`, (m, k)."""
        return LieOperators(self.lie @ vectors, self.potential @ vectors, self.size @ vectors)

    def columns(self, which: np.ndarray) -> LieOperators:
        """Return the operators of some of the fields."""
        return LieOperators(self.lie[..., which], self.potential[..., which], self.size[..., which])

    def numerator(self, kind: str = "isometry") -> np.ndarray:
        """Return the numerator's rows, (rows, m); kind as in `spectrum`."""
        lie = self.lie
        if kind != "isometry":
            n = _dimension(lie.shape[1])
            frame = np.zeros((lie.shape[1], 1))
            frame[_diagonal(n), 0] = 1.0
            trace = np.sum(lie * frame, axis=1, keepdims=True) / n
            if kind == "homothety":
                trace = trace.mean(axis=0, keepdims=True)
            return (lie - frame * trace).reshape(-1, lie.shape[2]) / np.sqrt(len(lie))
        rows = np.concatenate([lie, self.potential], axis=1)
        return rows.reshape(-1, lie.shape[2]) / np.sqrt(len(lie))

    def denominator(self) -> np.ndarray:
        """Return the denominator's rows, (rows, m)."""
        return self.size.reshape(-1, self.size.shape[2]) / np.sqrt(len(self.size))


def lie_operators(
    fields: Fields,
    points: np.ndarray,
    field: MetricField,
    keeps: Sequence[Condition] = (),
    with_metric: bool = True,
) -> LieOperators:
    """Evaluate the operators of a library on a metric.

    Parameters
    ----------
    fields : Fields
    points : (N, n) array
    field : MetricField
        Of the metric at the points.
    keeps : sequence of Condition
        What must be kept besides.
    with_metric : bool
        Whether L_ξ g counts; else the metric only measures sizes.

    Raises
    ------
    ValueError
        When a candidate field is not finite at the points.
    """
    g, dg = field.metric, field.partials
    xi, slopes = fields.jets(points)
    if not (np.isfinite(xi).all() and np.isfinite(slopes).all()):
        bad = ~(np.isfinite(xi).all(axis=(0, 2)) & np.isfinite(slopes).all(axis=(0, 2, 3)))
        raise ValueError(
            f"The vector fields {[fields.fields[f] for f in np.flatnonzero(bad)[:3]]} are not "
            "finite at some of the points; leave them out or move the points."
        )
    n = g.shape[1]
    factor = np.linalg.cholesky(g)
    frame = np.linalg.inv(factor)
    lowered = np.einsum("bfik,bkj->bfij", slopes, g, optimize=True)
    lie = np.einsum("bfk,bkij->bfij", xi, dg, optimize=True) + lowered
    lie += np.swapaxes(lowered, 2, 3)
    lie = np.einsum("bai,bfij,bcj->bfac", frame, lie, frame, optimize=True)
    upper = np.triu_indices(n)
    weights = np.where(upper[0] == upper[1], 1.0, np.sqrt(2.0))
    lie_rows = np.swapaxes(lie[:, :, upper[0], upper[1]] * weights, 1, 2)

    covariant = slopes + np.einsum("bkij,bfj->bfik", christoffel(g, dg), xi, optimize=True)
    covariant = np.einsum("bai,bfik,bkc->bfac", frame, covariant, factor, optimize=True)
    white = np.einsum("bfk,bkc->bfc", xi, factor) / region_size(g, points)
    size = np.concatenate([covariant.reshape(len(g), len(fields), n * n), white], axis=2)

    potential = np.zeros((len(g), 0, len(fields)))
    if field.force is not None:
        potential = np.einsum("bfk,bk->bf", xi, field.force)[:, None, :] / field.energy_scale
    further = [condition.rows(fields, points, factor) for condition in keeps]
    potential = np.concatenate([potential, *further], axis=1)
    if not with_metric:
        lie_rows = lie_rows[:, :0]
    return LieOperators(lie_rows, potential, np.swapaxes(size, 1, 2))


def spectrum(ops: LieOperators, kind: str = "isometry") -> tuple[np.ndarray, np.ndarray]:
    """Solve the eigenproblem by singular values, which keep the digits that squares would lose.

    Parameters
    ----------
    ops : LieOperators
    kind : {"isometry", "homothety", "conformal"}
        What L_ξ g may be: zero; a constant times g; any function times g.

    Returns
    -------
    defects : (k,) array, ascending
    vectors : (m, k) array
        Coefficients, with unit denominator.
    """
    top, bottom = ops.numerator(kind), ops.denominator()
    scale = np.linalg.norm(bottom, axis=0)
    keep = scale > 0
    _, lengths, right = np.linalg.svd(bottom[:, keep] / scale[keep], full_matrices=False)
    good = lengths > _DEPENDENT * lengths[0]
    basis = np.zeros((len(scale), int(good.sum())))
    basis[keep] = right[good].T / lengths[good] / scale[keep, None]
    _, values, rotation = np.linalg.svd(top @ basis, full_matrices=False)
    return values[::-1], (basis @ rotation.T)[:, ::-1]


def defect(ops: LieOperators, vectors: np.ndarray, kind: str = "isometry") -> np.ndarray:
    """Return √λ of combinations of the fields, (k,).

    Parameters
    ----------
    ops : LieOperators
    vectors : (m, k) or (m,) array
        Coefficients, one combination a column.
    kind : {"isometry", "homothety", "conformal"}
        As in `spectrum`.
    """
    top = np.linalg.norm(ops.numerator(kind) @ vectors, axis=0)
    return top / np.linalg.norm(ops.denominator() @ vectors, axis=0)


def _dimension(pairs: int) -> int:
    return int((np.sqrt(8 * pairs + 1) - 1) / 2)


def _diagonal(n: int) -> np.ndarray:
    upper = np.triu_indices(n)
    return np.flatnonzero(upper[0] == upper[1])
