"""The symmetries of a metric, scikit-learn style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from discovery.criteria import SYMMETRIES
from discovery.symmetries import (
    counting,
    lie_operators,
    metric_error,
    problem,
    search,
    symmetry,
    training,
)
from discovery.symmetries.candidates import vector_fields
from discovery.symmetries.candidates.fields import CandidateFields
from discovery.symmetries.conditions import Condition
from discovery.symmetries.geometry import metric_at_points
from discovery.symmetries.geometry.sources import Metric, Potential
from discovery.symmetries.problem import Prepared
from discovery.symmetries.search import Explored, Solution
from discovery.symmetries.symmetry import Symmetry
from discovery.symmetries.transport import killing_space
from discovery.symmetries.transport.killing_space import KillingSpace

__all__ = ["Symmetry", "SymmetryFinder"]

# Metrics drawn from what a fit left open.
_DRAWS = 20


class SymmetryFinder(BaseEstimator):
    """Find the vector fields along which a metric does not change: Killing fields.

    Parameters
    ----------
    metric : callable or fitted model
        ``(batch, n) -> (batch, n, n)`` in `keras.ops`, taken as exact; or a fitted model
        (LagrangianManifold, NeuralDifferentialManifold, a MetricLayer, any model that
        `keras_ndm.manifold_of` understands). A LagrangianManifold brings its potential.
    library : str or sequence
        "auto", "affine", "polynomial", "trigonometric"; "learned", the outputs of a small network
        trained to be symmetries (`symmetries.candidates.network_fields`); or your own SymPy
        expressions: scalar functions, each tried along each axis, or vector fields as sequences of
        n components.
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
        (a LagrangianManifold after `polish` or `fit`; see `symmetries.metric_error`), else 0.03.
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
        open, for a model that tells; 1 where transport tells the count; else among bootstrap
        resamples of the held-out points.
    dimension_interval_ : tuple of two int
        90 % interval of the dimension, from the same draws.
    undecided_ : bool
        Whether there may be more symmetries than were counted, or are: defects below the tolerance
        grow without a gap, or are within three times what the metric's error allows; that error
        is so large that symmetries broken by 3 % would not be seen; or the library holds fewer
        than `dimension_bound_`.
    dimension_bound_ : int or None
        Dimension of all Killing fields in whatever coordinates, by transport along loops
        (`symmetries.transport.killing_space`): for exact metrics, with "auto" tolerance. No more
        are counted. None where it is not known.
    homotheties_, conformal_ : list of Symmetry
        Further fields with L_ξ g = 2c g (c ≠ 0), and with L_ξ g = 2σ(x) g that are no homotheties.
        Conformal fields of a surface form an infinite family, of which these are those in the
        library.
    nearly_ : list of Symmetry
        Fields with a defect above the tolerance but below 0.03; not counted.

    Notes
    -----
    With library "auto" the count for an exact metric is `dimension_bound_` where that is known;
    fields without a formula are given as long polynomials. Otherwise only fields that the library
    can express are found, and the count is a lower bound. A field is a symmetry of the region that
    the points cover; in a coordinate with the role "angle", of the whole circle.

    Examples
    --------
    >>> plane = lambda x: ops.eye(2) + 0 * x[:, :1, None]
    >>> finder = SymmetryFinder(metric=plane).fit(np.random.uniform(-1, 1, (300, 2)))
    >>> finder.n_symmetries_, [s.expression for s in finder.symmetries_]
    (3, ['∂x', '∂y', '-y ∂x + x ∂y'])
    """

    def __init__(  # noqa: PLR0913 (public API)
        self,
        metric: Metric | None = None,
        library: str | Sequence = "auto",
        degree: int = 2,
        potential: Potential | None = None,
        keeps: Condition | Sequence[Condition] = (),
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

    def fit(self, points: np.ndarray, y: None = None) -> SymmetryFinder:
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
        ready = problem.prepare(self, points, self.keeps)
        networks = isinstance(self.library, str) and self.library == "learned"
        fields = self._candidates(ready, networks)
        if networks:
            ready = self._for_networks(ready)
        ready.require(fields)
        first = search.solve(fields, ready)
        drawn, space = self._drawn(ready), self._space(ready)
        error = metric_error.errors(first, ready, drawn) if drawn else None
        if drawn:
            limit = counting.limits(error)
            if networks:
                limit = np.minimum(limit, ready.limit)
            found = Explored.of(first, counting.count(first.spectrum, limit, ready.gap))
        elif self._open_ended(ready, space):
            found = search.explore(first, ready, self.degree, self.metric, space)
        else:
            found = Explored.of(first, ready.dimension(first.spectrum))
        if networks:  # there are no formulas to look for
            found = replace(found, known=0, smooth=first)
        whole = found.smooth or found.best
        self.undecided_ = bool(np.sum(whole.spectrum <= ready.limit) > found.count)
        if drawn:
            self.undecided_ = counting.too_near(first.spectrum, limit, found.count)
            self.undecided_ |= bool(np.any(limit[: found.count] > SYMMETRIES.defect_learned))
        if space is not None:
            found = found.at_most(space.dimension)
            missing = not ready.keeps and found.count < space.dimension
            # What networks have beyond the bound is near a symmetry, and none.
            self.undecided_ = (self.undecided_ and not networks) or missing or space.doubtful > 0
        self.dimension_bound_ = None if space is None else space.dimension
        self.spectrum_, self.n_symmetries_ = whole.spectrum, found.count
        self._describe(found, ready)
        if drawn:
            limit = counting.limits_of_draws(error)
            spectra = metric_error.spectra(first, ready, drawn)
            counts = [counting.count(spectrum, limit, ready.gap) for spectrum in spectra]
        elif space is not None and not (self.undecided_ or ready.keeps):
            counts = [space.dimension]
        else:
            counts = self._resampled_counts(whole, found.count, ready)
        self.confidence_ = float(np.mean(np.equal(counts, found.count)))
        low, high = np.quantile(counts, [0.05, 0.95])
        self.dimension_interval_ = (int(low), int(high))
        return self

    def _candidates(self, ready: Prepared, networks: bool) -> CandidateFields:
        """Return the fields that are combined: trained ones, or those of a library."""
        if networks:
            return training.train(ready)
        return vector_fields.library(
            self.library, ready.names, ready.roles, ready.points, self.degree
        )

    def _open_ended(self, ready: Prepared, space: KillingSpace | None) -> bool:
        """Whether richer libraries are tried: where "auto" leaves the choice.

        Only for metrics known to double precision, or whose count is known: on a small region near
        symmetries abound, and rich libraries hold them to many digits.
        """
        chosen = isinstance(self.library, str) and self.library == self.tolerance == "auto"
        known = ready.geometry.double or (space is not None and not space.doubtful)
        return chosen and ready.geometry.exact and known and ready.with_metric and not ready.keeps

    def _for_networks(self, ready: Prepared) -> Prepared:
        """Return the limits for fields that a network gives."""
        if self.tolerance != "auto":
            return ready
        bounded = ready.geometry.exact and ready.with_metric
        limit = SYMMETRIES.network_defect_bounded if bounded else SYMMETRIES.network_defect
        return replace(ready, limit=limit, gap=SYMMETRIES.gap)

    def _drawn(self, ready: Prepared) -> list[metric_at_points.MetricField]:
        """Return metrics that fit as well, where the model tells and the tolerance is free."""
        if ready.geometry.exact or self.tolerance != "auto":
            return []
        return metric_at_points.drawn(self.metric, ready.points, _DRAWS)

    def _space(self, ready: Prepared) -> KillingSpace | None:
        """Return all Killing fields of an exact metric, where the tolerance is free."""
        if not (ready.with_metric and ready.geometry.exact and self.tolerance == "auto"):
            return None
        return killing_space.killing_space(self.metric, ready.points, ready.geometry, ready.roles)

    def _describe(self, found: Explored, ready: Prepared) -> None:
        """Write the fields as formulas, or as expansions where they have none."""
        best, known = found.best, found.known
        inside = best.vectors[:, :known]
        self.symmetries_ = symmetry.formulas(best, inside, "isometry", ready)
        self.nearly_: list[Symmetry] = []
        if found.smooth is not None:
            rest = search.remainder(found, ready)
            self.symmetries_ += symmetry.expansions(found.smooth, rest, ready)
        else:
            near = int(np.sum(best.spectrum[known:] <= SYMMETRIES.defect_nearly))
            beyond = best.vectors[:, known : known + near]
            self.nearly_ = symmetry.formulas(best, beyond, "nearly", ready)
        self._basis = (best, inside, ready)
        self._scaled: dict[str, list[Symmetry]] = {}

    @staticmethod
    def _resampled_counts(whole: Solution, total: int, ready: Prepared) -> list[int]:
        """Return the dimension on resamples of the points that judge."""
        few = whole.held.onto(whole.vectors[:, : total + 3])
        limit = max(ready.limit, counting.rich_limit(double=True))
        spectra = symmetry.resampled(few, ready.rng)
        return [counting.dimension(spectrum, limit, ready.gap) for spectrum in spectra]

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
        if not hasattr(self, "_basis"):
            raise ValueError(
                f"library={self.library!r} looks for fields that keep the metric, not for those "
                "that scale it. Fit with another library, for example 'auto'."
            )
        solution, known, ready = self._basis
        if solution.fit.lie.shape[1] <= 1:  # in one dimension every field is conformal
            return []
        for kind in ("homothety", "conformal"):
            if kind not in self._scaled:
                found, candidates = lie_operators.spectrum(solution.fit, kind)
                larger = np.maximum(found, lie_operators.defect(solution.held, candidates, kind))
                space = candidates[:, : ready.dimension(larger)]
                self._scaled[kind] = symmetry.formulas(solution, space, kind, ready, known)
                # Each kind contains the one before it.
                known = space if space.shape[1] >= known.shape[1] else known
                self._basis = (solution, known, ready)
            if kind == wanted:
                break
        return self._scaled[wanted]
