"""The symmetries of a metric, scikit-learn style."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from discovery import (
    finder_input,
    generators,
    library_choice,
    metric_error,
    metric_fields,
    symmetry,
    vector_fields,
)
from discovery.finder_input import Prepared
from discovery.library_choice import Explored, Solution

# Fields between the tolerance and this are listed as nearly symmetries.
_NEARLY = 0.03
# Resamples of the points, and metrics drawn from what a fit left open.
_RESAMPLES, _DRAWS = 50, 20
# Coefficients of an expansion below this share of the largest are left out.
_NEGLIGIBLE = 1e-6


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
    keeps : Output, Flow or Step of `discovery.conditions`, or a list of them
        What else they must keep: a model's output, its flow or its step to the next state. Then
        `metric` may be left out.
    names, roles : sequence of n, optional
        Of the coordinates; the role "angle" brings periodic candidates. Default x, y, z or x1 … xn.
    tolerance : float or "auto"
        Largest defect of a symmetry. "auto": for a callable 1e-6, or 0.001 where it computes in
        single precision. For a fitted model the next defect must be four times larger, and the
        limit is twice the defect that the metric's own error makes, where the model tells it
        (`LagrangianManifold.polish`; see `discovery.metric_error`), else 0.03.
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
        How often the dimension comes out the same: among 20 metrics drawn from what the fit left
        open, for a model that tells (`LagrangianManifold.polish`); else among bootstrap resamples
        of the held-out points.
    dimension_interval_ : tuple of two int
        90 % interval of the dimension, from the same draws.
    undecided_ : bool
        Whether fields that were not counted may yet be symmetries: their defects are below the
        tolerance but grow without a gap, or within three times what the metric's error allows.
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
        keeps: object = (),
        names: Sequence[str] | None = None,
        roles: Sequence[str | None] | None = None,
        tolerance: float | str = "auto",
        random_state: int | None = None,
    ) -> None:
        self.metric = metric
        self.library = library
        self.degree = degree
        self.potential = potential
        self.keeps = keeps
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
        ready = finder_input.prepare(self, points)
        fields = vector_fields.library(
            self.library, ready.names, ready.roles, ready.points, self.degree
        )
        self._check_count(ready, fields)
        first = library_choice.solve(fields, ready)
        drawn = self._drawn(ready)
        error = metric_error.errors(first, ready, drawn) if drawn else None
        if drawn:
            limit = metric_error.limits(error)
            found = Explored.of(first, metric_error.count(first.spectrum, limit, ready.gap))
        elif self._open_ended(ready):
            found = library_choice.explore(first, ready, self.degree)
        else:
            found = Explored.of(first, ready.dimension(first.spectrum))
        best, whole = found.best, found.smooth or found.best
        known = found.known
        self.spectrum_, self.n_symmetries_ = whole.spectrum, found.count
        self.undecided_ = bool(np.sum(whole.spectrum <= ready.limit) > found.count)
        if drawn:
            self.undecided_ = metric_error.too_near(first.spectrum, limit, found.count)
        self.symmetries_ = self._formulas(best, best.vectors[:, :known], "isometry", ready)
        self.nearly_ = []
        if found.smooth is not None:
            rest = library_choice.remainder(found, ready)
            self.symmetries_ += self._expansions(found.smooth, rest, ready)
        else:
            near = int(np.sum(best.spectrum[known:] <= _NEARLY))
            beyond = best.vectors[:, known : known + near]
            self.nearly_ = self._formulas(best, beyond, "nearly", ready)
        self._basis = (best, best.vectors[:, :known], ready)
        self._scaled: dict[str, list[Symmetry]] = {}
        if drawn:
            limit = metric_error.limits_of_draws(error)
            spectra = metric_error.spectra(first, ready, drawn)
            counts = [metric_error.count(spectrum, limit, ready.gap) for spectrum in spectra]
        else:
            counts = self._resampled_counts(whole, found.count, ready)
        self.confidence_ = float(np.mean(np.equal(counts, found.count)))
        low, high = np.quantile(counts, [0.05, 0.95])
        self.dimension_interval_ = (int(low), int(high))
        self.names_, self.roles_ = ready.names, ready.roles
        return self

    @staticmethod
    def _check_count(ready: Prepared, fields: vector_fields.VectorFields) -> None:
        n = ready.points.shape[1]
        if fields.dim != n:
            raise ValueError(
                f"The library is for {fields.dim} coordinates; the points have {n} columns."
            )
        equations = sum(condition.equations(n) for condition in ready.keeps)
        equations += ready.with_metric * n * (n + 1) / 2
        needed = finder_input.needed_points(len(fields), equations, n)
        finder_input.check_count(len(ready.points), needed, f"{len(fields)} vector fields")

    def _open_ended(self, ready: Prepared) -> bool:
        """Whether richer libraries are tried: where "auto" leaves the choice.

        Only for metrics known to double precision: on a small region near symmetries abound, and
        rich libraries hold them to many digits.
        """
        chosen = isinstance(self.library, str) and self.library == self.tolerance == "auto"
        exact = ready.geometry.exact and ready.geometry.double
        return chosen and exact and ready.with_metric and not ready.keeps

    def _drawn(self, ready: Prepared) -> list[metric_fields.MetricField]:
        """Return metrics that fit as well, where the model tells and the tolerance is free."""
        if ready.geometry.exact or self.tolerance != "auto":
            return []
        return metric_fields.drawn(self.metric, ready.points, _DRAWS)

    @staticmethod
    def _resampled_counts(whole: Solution, total: int, ready: Prepared) -> list[int]:
        """Return the dimension on resamples of the points that judge."""
        few = whole.held.onto(whole.vectors[:, : total + 3])
        limit = max(ready.limit, library_choice.STRICT)
        spectra = _resampled(few, ready.rng)
        return [finder_input.dimension(spectrum, limit, ready.gap) for spectrum in spectra]

    def _formulas(
        self,
        solution: Solution,
        space: np.ndarray,
        kind: str,
        ready: Prepared,
        known: np.ndarray | None = None,
    ) -> list[Symmetry]:
        """Return a sparse basis of a span."""
        if not space.shape[1]:
            return []
        fields, fit = solution.fields, solution.fit
        rule = "isometry" if kind == "nearly" else kind
        top, bottom = fit.numerator(rule), fit.denominator()
        gram = generators.Gram(top.T @ top, bottom.T @ bottom)
        allowed = 1.3 * float(symmetry.defect(fit, space, rule).max())
        if ready.gap > 1:  # a learned metric: finer differences are its errors
            allowed = max(allowed, 0.1 * ready.limit)
        basis = generators.sparse_basis(gram, space, fields.costs(), allowed, known)
        return [
            self._symmetry(solution, v, fields.combine(generators.as_numbers(v)), kind, ready)
            for v in basis.T
        ]

    def _expansions(self, solution: Solution, space: np.ndarray, ready: Prepared) -> list[Symmetry]:
        """Return fields that have no short formula here as sums of polynomials."""
        found = []
        for vector in space.T:
            vector = vector / np.abs(vector).max()
            vector = np.where(np.abs(vector) > _NEGLIGIBLE, vector, 0.0)
            components = solution.fields.combine(vector)
            found.append(self._symmetry(solution, vector, components, "isometry", ready))
        return found

    def _symmetry(
        self,
        solution: Solution,
        vector: np.ndarray,
        components: tuple[sympy.Expr, ...],
        kind: str,
        ready: Prepared,
    ) -> Symmetry:
        rule = "isometry" if kind == "nearly" else kind
        one = solution.held.onto(vector[:, None])
        draws = _resampled(one, ready.rng, rule)
        return Symmetry(
            components=components,
            expression=vector_fields.to_text(components, ready.names),
            residual=float(symmetry.defect(one, np.eye(1), rule)[0]),
            interval=tuple(float(q) for q in np.quantile(draws, [0.05, 0.95])),
            kind=kind,
            symbols=solution.fields.symbols,
        )

    @property
    def homotheties_(self) -> list[Symmetry]:
        """Fields that scale the metric by a constant, found when first asked for."""
        return self._scaling("homothety")

    @property
    def conformal_(self) -> list[Symmetry]:
        """Fields that scale the metric from place to place, found when first asked for."""
        return self._scaling("conformal")

    def _scaling(self, wanted: str) -> list[Symmetry]:
        """Find what scales the metric, beyond what keeps it."""
        check_is_fitted(self, "n_symmetries_")
        solution, known, ready = self._basis
        if solution.fit.lie.shape[1] <= 1:  # in one dimension every field is conformal
            return []
        for kind in ("homothety", "conformal"):
            if kind not in self._scaled:
                found, candidates = symmetry.spectrum(solution.fit, kind)
                larger = np.maximum(found, symmetry.defect(solution.held, candidates, kind))
                space = candidates[:, : ready.dimension(larger)]
                self._scaled[kind] = self._formulas(solution, space, kind, ready, known)
                # Each kind contains the one before it.
                known = space if space.shape[1] >= known.shape[1] else known
                self._basis = (solution, known, ready)
            if kind == wanted:
                break
        return self._scaled[wanted]


def _resampled(
    held: symmetry.LieOperators, rng: np.random.Generator, kind: str = "isometry"
) -> np.ndarray:
    """Return the defects (draws, k) on resamples of the points."""
    eye, n = np.eye(held.lie.shape[2]), len(held.lie)
    return np.array(
        [symmetry.defect(held.take(rng.integers(0, n, n)), eye, kind) for _ in range(_RESAMPLES)]
    )
