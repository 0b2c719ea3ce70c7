"""What users give as a metric, asked for its values: one class for each kind.

`source_of` tells the kinds apart; nothing else does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias, TypeVar

import numpy as np

from discovery.criteria import SYMMETRIES
from discovery.symmetries.geometry.formula_metric import FormulaMetric

# Step of numerical derivatives in standard deviations: balances the fourth-order truncation
# against single-precision rounding of a network's output.
_STEP = 0.02


class Jet(NamedTuple):
    """A metric with its first derivatives at N points, and the potential that comes with it.

    Attributes
    ----------
    metric : (N, n, n) array
    partials : (N, n, n, n) array, ``partials[b, k, i, j]`` = ∂_k g_ij
    potential, force : (N,) and (N, n) arrays or None
        V and ∂_k V.
    energy_scale : float
        What changes of V are counted in; 0 where there is no potential.
    """

    metric: np.ndarray
    partials: np.ndarray
    potential: np.ndarray | None = None
    force: np.ndarray | None = None
    energy_scale: float = 0.0


class Terms(Protocol):
    """A learned Lagrangian at points, as `LagrangianManifold.lagrangian_terms` gives it."""

    metric: np.ndarray
    partials: np.ndarray
    potential: np.ndarray | None
    force: np.ndarray | None
    energy_scale: float
    misfit: float
    bend: float


class MechanicalModel(Protocol):
    """A `LagrangianManifold`, or what has its interface."""

    def lagrangian_terms(self, q: np.ndarray) -> Terms:
        """Return metric and potential at positions (N, n)."""

    def drawn_terms(self, q: np.ndarray, count: int) -> list[Terms]:
        """Return the same for other weights that fit the data as well."""


class TensorModel(Protocol):
    """A model that gives the values of its metric."""

    def metric_tensor(self, points: np.ndarray) -> np.ndarray:
        """Return g (N, n, n) at points (N, n)."""


Tensor = TypeVar("Tensor")
Potential: TypeAlias = Callable[[Tensor], Tensor]
ExactMetric: TypeAlias = FormulaMetric | Callable[[Tensor], Tensor]
Metric: TypeAlias = ExactMetric | MechanicalModel | TensorModel


class MetricSource(Protocol):
    """A metric that is asked for numbers.

    Attributes
    ----------
    exact : bool
        Whether it is a formula, known to rounding, or a fitted model.
    mechanical : bool
        Whether it may be the matrix of a kinetic energy, which gives momenta.
    """

    exact: bool
    mechanical: bool

    def jet(self, points: np.ndarray) -> Jet:
        """Return the metric at points (N, n); raise ValueError where it has none."""

    def drawn(self, points: np.ndarray, count: int) -> list[Jet]:
        """Return metrics that fit a model's data as well; none where that is not known."""


def source_of(metric: Metric) -> MetricSource:
    """Return the source for what a user gave.

    Raises
    ------
    ValueError
        When it is no metric.
    """
    if isinstance(metric, FormulaMetric):
        return OfFormulas(metric)
    if hasattr(metric, "lagrangian_terms"):
        return OfMotion(metric)
    if hasattr(metric, "jet"):
        return OfLayer(metric)
    if hasattr(metric, "metric_tensor") or hasattr(metric, "layers"):
        return OfValues(metric)
    if callable(metric):
        return OfCallable(metric)
    raise ValueError(
        "`metric` must be a callable (batch, n) -> (batch, n, n) in keras.ops, or a fitted "
        f"model with a metric; received {type(metric).__name__}."
    )


@dataclass(frozen=True)
class _Source:
    """What most kinds have in common: no draws."""

    metric: Metric

    def drawn(self, points: np.ndarray, count: int) -> list[Jet]:
        del points, count
        return []


class OfFormulas(_Source):
    """A `FormulaMetric`, with its potential."""

    exact = mechanical = True

    def jet(self, points: np.ndarray) -> Jet:
        """Return the values of the formulas."""
        g, dg, potential, force = self.metric.at(points)
        if not (np.isfinite(potential).all() and np.isfinite(force).all()):
            raise ValueError("The potential or its derivative is not finite at some of the points.")
        energy = float(np.std(potential)) if self.metric.potential is not None else 0.0
        return Jet(g, dg, potential, force, energy)

    def second_jet(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the values of the formulas and of their second derivatives."""
        return self.metric.second_jet(points)


class OfCallable(_Source):
    """A function in `keras.ops`, differentiated by the backend."""

    exact = mechanical = True

    def jet(self, points: np.ndarray) -> Jet:
        """Return values and first derivatives."""
        # A constant has no tangent on TensorFlow; adding zero times x gives one.
        return Jet(*_jet_of(lambda x: self.metric(x) + 0.0 * x[:, :1, None], points, 1))

    def second_jet(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return values, first and second derivatives."""
        from keras import ops

        # What is linear has no second tangent either.
        jet = _jet_of(lambda x: self.metric(x) + 0.0 * ops.square(x[:, :1, None]), points, 2)
        return tuple(part.astype(float) for part in jet)


class _Learned(_Source):
    """A fitted network; a whole model is no kinetic energy, a layer may be."""

    exact = False

    @property
    def mechanical(self) -> bool:
        return not hasattr(self.metric, "layers")


class OfLayer(_Learned):
    """A `MetricLayer`, which has derivatives of its own."""

    def jet(self, points: np.ndarray) -> Jet:
        """Return values and first derivatives."""
        return Jet(*_jet_of(self.metric, points, 1))


class OfValues(_Learned):
    """A model that gives only values: derivatives are differences."""

    def jet(self, points: np.ndarray) -> Jet:
        """Return values and first derivatives."""
        return Jet(*_by_differences(self._tensor, points))

    @property
    def _tensor(self) -> Callable[[np.ndarray], np.ndarray]:
        if hasattr(self.metric, "metric_tensor"):
            return self.metric.metric_tensor
        from keras_ndm import manifold_of

        return manifold_of(self.metric).metric_tensor


class OfMotion(_Source):
    """A Lagrangian learned from motion, which knows how well it fits."""

    exact, mechanical = False, True

    def jet(self, points: np.ndarray) -> Jet:
        """Return the learned metric and potential, where they explain the motion."""
        terms = self.metric.lagrangian_terms(points)
        if terms.misfit > SYMMETRIES.misfit and terms.bend > SYMMETRIES.bend:
            raise ValueError(
                f"The model leaves {terms.misfit:.0%} of the motion's mean square unexplained, so "
                "its metric may have symmetries that the motion has not. Train it further; at most "
                f"{SYMMETRIES.misfit:.0%} may be noise."
            )
        return _of_terms(terms)

    def drawn(self, points: np.ndarray, count: int) -> list[Jet]:
        """Return metrics drawn from what the fit left open."""
        return [_of_terms(terms) for terms in self.metric.drawn_terms(points, count)]


def _of_terms(terms: Terms) -> Jet:
    return Jet(terms.metric, terms.partials, terms.potential, terms.force, terms.energy_scale)


def _jet_of(metric: Callable, points: np.ndarray, order: int) -> tuple[np.ndarray, ...]:
    from keras import ops

    from keras_ndm import geometry

    jet = geometry.jet_of(metric, points, order=order)
    return tuple(np.asarray(ops.convert_to_numpy(part)) for part in jet)


def _by_differences(
    metric: Callable[[np.ndarray], np.ndarray], points: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Differentiate a numpy-valued metric by the five-point formula."""
    n = points.shape[1]
    spread = points.std(axis=0)
    columns = []
    for k in range(n):
        h = np.zeros(n)
        h[k] = _STEP * (spread[k] or 1.0)
        near = metric(points + h) - metric(points - h)
        far = metric(points + 2 * h) - metric(points - 2 * h)
        columns.append((8 * near - far) / (12 * h[k]))
    return metric(points), np.stack(columns, axis=1)
