"""The symmetries of a metric, scikit-learn style."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from sklearn.base import BaseEstimator

from discovery import finder_input, generators, metric_fields, symmetry, vector_fields

# Share of the points on which fields are found; the rest only judges them.
_FIT_SHARE = 0.7
# Fields between the tolerance and this are listed as nearly symmetries.
_NEARLY = 0.03


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
        √(E‖L_ξ g‖² / E(‖∇ξ‖² + ‖ξ‖²/ℓ²)) on held-out points; see `discovery.symmetry`.
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
        points = np.asarray(points, dtype=float)
        if points.ndim != 2 or points.shape[1] != len(self.symbols):
            raise ValueError(
                f"Points must have shape (N, {len(self.symbols)}); received {points.shape}."
            )
        values, _ = vector_fields.VectorFields(self.symbols, [self.components]).jets(points)
        return values[:, 0]

    def __str__(self) -> str:
        return f"{self.expression}   ({self.kind}, residual {self.residual:.1e})"


class SymmetryFinder(BaseEstimator):
    """Find the vector fields along which a metric does not change: Killing fields.

    Parameters
    ----------
    metric : callable or fitted model
        ``(batch, n) -> (batch, n, n)`` in `keras.ops`, taken as exact; or a fitted model
        (LagrangianManifold, NeuralDifferentialManifold, a MetricLayer, any model that
        `keras_ndm.manifold_of` understands). A LagrangianManifold brings its potential.
    library : str or sequence
        "auto", "affine", "polynomial", "trigonometric"; or your own SymPy expressions: scalar
        functions, each tried along each axis, or vector fields as sequences of n components.
    degree : int
        Of polynomials in "auto", "polynomial" and "trigonometric".
    potential : callable, optional
        ``(batch, n) -> (batch,)`` in `keras.ops`; symmetries must then keep it too: ξ·∇V = 0.
    names, roles : sequence of n, optional
        Of the coordinates; the role "angle" brings periodic candidates. Default x, y, z or x1 … xn.
    tolerance : float or "auto"
        Largest defect of a symmetry. "auto": 0.001 for a callable; 0.03 for a fitted model, where
        also the next defect must be four times larger.
    random_state : int or None
        Of the split and the bootstrap.

    Attributes
    ----------
    n_symmetries_ : int
        Dimension of the space of Killing fields (with a potential: of those that keep it).
    symmetries_ : list of Symmetry
        A sparse basis of it.
    spectrum_ : (k,) array
        Defects, ascending: on the points that the fields were found on, or held out, the larger.
    confidence_ : float
        Share of bootstrap resamples of the held-out points with the same dimension.
    undecided_ : bool
        Whether defects below the tolerance were not counted because they grow without a gap: the
        metric was not learned well enough to tell.
    homotheties_, conformal_ : list of Symmetry
        Further fields with L_ξ g = 2c g (c ≠ 0), and with L_ξ g = 2σ(x) g that are no homotheties.
        Conformal fields of a surface form an infinite family, of which these are those in the
        library.
    nearly_ : list of Symmetry
        Fields with a defect above the tolerance but below 0.03; not counted.

    Notes
    -----
    Only fields that the library can express are found: the count is a lower bound. A field is a
    symmetry of the region that the points cover.

    Examples
    --------
    >>> plane = lambda x: ops.eye(2) + 0 * x[:, :1, None]
    >>> finder = SymmetryFinder(metric=plane).fit(np.random.uniform(-1, 1, (300, 2)))
    >>> finder.n_symmetries_, [s.expression for s in finder.symmetries_]
    (3, ['∂x', '∂y', '-y ∂x + x ∂y'])
    """

    def __init__(
        self,
        metric: object = None,
        library: str | Sequence = "auto",
        degree: int = 2,
        potential: Callable | None = None,
        names: Sequence[str] | None = None,
        roles: Sequence[str | None] | None = None,
        tolerance: float | str = "auto",
        random_state: int | None = None,
    ) -> None:
        self.metric = metric
        self.library = library
        self.degree = degree
        self.potential = potential
        self.names = names
        self.roles = roles
        self.tolerance = tolerance
        self.random_state = random_state

    def fit(self, points: np.ndarray, y: object = None) -> SymmetryFinder:
        """Find the symmetries over the region that the points cover.

        Parameters
        ----------
        points : (N, n) array
        y : ignored

        Raises
        ------
        ValueError
            When points or parameters do not fit, the metric is not positive definite, or the
            points are too few for the library.
        """
        del y
        points = finder_input.as_points(points)
        names, roles = finder_input.described(points.shape[1], self.names, self.roles)
        finder_input.check_degree(self.degree)
        geometry = metric_fields.evaluate(self.metric, points, self.potential)
        fields = vector_fields.library(self.library, names, roles, points, self.degree)
        self._check_count(points, fields)
        self._rule = finder_input.limit_and_gap(self.tolerance, geometry.exact)
        rng = np.random.default_rng(self.random_state)
        rows = rng.permutation(len(points))
        cut = int(_FIT_SHARE * len(points))
        operators = symmetry.lie_operators(fields, points, geometry)
        fit, held = operators.take(rows[:cut]), operators.take(rows[cut:])

        defects, vectors = symmetry.spectrum(fit)
        self.spectrum_ = np.maximum(defects, symmetry.defect(held, vectors))
        self.n_symmetries_ = self._dimension(self.spectrum_)
        self.undecided_ = bool(np.sum(self.spectrum_ <= self._rule[0]) > self.n_symmetries_)
        self.confidence_, intervals = self._bootstrap(held, vectors, rng)
        space = vectors[:, : self.n_symmetries_]
        self.symmetries_ = self._formulas(fields, fit, held, space, "isometry", rng)
        near = int(np.sum(self.spectrum_[self.n_symmetries_ :] <= _NEARLY))
        beyond = vectors[:, self.n_symmetries_ :][:, :near]
        self.nearly_ = self._formulas(fields, fit, held, beyond, "nearly", rng)
        self._scalings(fields, fit, held, vectors, rng)
        self.names_, self.roles_, self.intervals_ = names, roles, intervals
        return self

    def _check_count(self, points: np.ndarray, fields: vector_fields.VectorFields) -> None:
        n = points.shape[1]
        if fields.dim != n:
            raise ValueError(
                f"The library is for {fields.dim} coordinates; the points have {n} columns."
            )
        needed = int(np.ceil(4 * len(fields) / (n * (n + 1) / 2))) + n
        finder_input.check_count(len(points), needed, f"{len(fields)} vector fields")

    def _dimension(self, defects: np.ndarray) -> int:
        return finder_input.dimension(defects, *self._rule)

    def _bootstrap(
        self, held: symmetry.LieOperators, vectors: np.ndarray, rng: np.random.Generator
    ) -> tuple[float, np.ndarray]:
        """Return the share of resamples with the same dimension, and intervals of the defects."""
        few = held.onto(vectors[:, : self.n_symmetries_ + 3])
        draws = []
        for _ in range(50):
            rows = rng.integers(0, len(held.lie), len(held.lie))
            draws.append(symmetry.defect(few.take(rows), np.eye(few.lie.shape[2])))
        draws = np.array(draws)
        same = [self._dimension(draw) == self.n_symmetries_ for draw in draws]
        return float(np.mean(same)), np.quantile(draws, [0.05, 0.95], axis=0).T

    def _formulas(
        self,
        fields: vector_fields.VectorFields,
        fit: symmetry.LieOperators,
        held: symmetry.LieOperators,
        space: np.ndarray,
        kind: str,
        rng: np.random.Generator,
        known: np.ndarray | None = None,
    ) -> list[Symmetry]:
        if not space.shape[1]:
            return []
        rule = "isometry" if kind == "nearly" else kind
        top, bottom = fit.numerator(rule), fit.denominator()
        gram = generators.Gram(top.T @ top, bottom.T @ bottom)
        worst = float(symmetry.defect(fit, space, rule).max())
        allowed = 1.3 * worst
        if self._rule[1] > 1:  # a learned metric: finer differences are its errors
            allowed = max(allowed, 0.1 * self._rule[0])
        basis = generators.sparse_basis(gram, space, fields.costs(), allowed, known)
        return [self._symmetry(fields, v, held, kind, rng) for v in basis.T]

    def _symmetry(
        self,
        fields: vector_fields.VectorFields,
        vector: np.ndarray,
        held: symmetry.LieOperators,
        kind: str,
        rng: np.random.Generator,
    ) -> Symmetry:
        rule = "isometry" if kind == "nearly" else kind
        one = held.onto(vector[:, None])
        draws = []
        for _ in range(50):
            rows = rng.integers(0, len(one.lie), len(one.lie))
            draws.append(float(symmetry.defect(one.take(rows), np.eye(1), rule)[0]))
        components = fields.combine(generators.as_numbers(vector))
        return Symmetry(
            components=components,
            expression=vector_fields.to_text(components, [str(s) for s in fields.symbols]),
            residual=float(symmetry.defect(one, np.eye(1), rule)[0]),
            interval=tuple(float(q) for q in np.quantile(draws, [0.05, 0.95])),
            kind=kind,
            symbols=fields.symbols,
        )

    def _scalings(
        self,
        fields: vector_fields.VectorFields,
        fit: symmetry.LieOperators,
        held: symmetry.LieOperators,
        vectors: np.ndarray,
        rng: np.random.Generator,
    ) -> None:
        """Find what scales the metric, beyond what keeps it."""
        known = vectors[:, : self.n_symmetries_]
        self.homotheties_, self.conformal_ = [], []
        if fit.lie.shape[1] == 1:  # in one dimension every field is conformal
            return
        for kind, target in (("homothety", self.homotheties_), ("conformal", self.conformal_)):
            found, candidates = symmetry.spectrum(fit, kind)
            larger = np.maximum(found, symmetry.defect(held, candidates, kind))
            space = candidates[:, : self._dimension(larger)]
            target += self._formulas(fields, fit, held, space, kind, rng, known)
            # Each kind contains the one before it.
            known = space if space.shape[1] >= known.shape[1] else known
