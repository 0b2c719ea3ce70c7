"""A metric, its derivatives and a potential at points, from whatever the user has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from discovery.symmetries.geometry.formula_metric import FormulaMetric

# Step of numerical derivatives in standard deviations: balances the fourth-order truncation
# against single-precision rounding of a network's output.
_STEP = 0.02
# Share of unexplained motion above which nothing is read off a learned Lagrangian.
_MISFIT = 0.1
# Unless it is this small a share of what a metric that changes over the data would cause: motion so
# straight is that of a flat metric, and what is left is noise.
_STRAIGHT = 1e-3


@dataclass(frozen=True)
class MetricField:
    """Geometry at N points.

    Attributes
    ----------
    metric : (N, n, n) array
    partials : (N, n, n, n) array, ``partials[b, k, i, j]`` = ∂_k g_ij
    force : (N, n) array or None, ∂_k V
    potential : (N,) array or None, V
    energy_scale : float
        What changes of V are counted in.
    exact : bool
        Whether the metric is a formula (an error of rounding only) or a fitted model.
    double : bool
        Whether it was computed in double precision.
    """

    metric: np.ndarray
    partials: np.ndarray
    force: np.ndarray | None
    potential: np.ndarray | None
    energy_scale: float
    exact: bool
    double: bool = True

    def take(self, rows: np.ndarray) -> MetricField:
        """Return the geometry at some of the points."""
        parts = (self.metric, self.partials, self.force, self.potential)
        some = (None if part is None else part[rows] for part in parts)
        return MetricField(*some, self.energy_scale, self.exact, self.double)


def evaluate(metric: object, points: np.ndarray, potential: Callable | None = None) -> MetricField:
    """Evaluate a metric with its first derivatives.

    Parameters
    ----------
    metric : callable or fitted model
        ``(batch, n) -> (batch, n, n)`` in `keras.ops`; or a FormulaMetric or LagrangianManifold
        (their potential is taken too), a MetricLayer, a NeuralDifferentialManifold, or any model
        that `keras_ndm.manifold_of` understands.
    points : (N, n) array
    potential : callable, optional
        ``(batch, n) -> (batch,)`` in `keras.ops`.

    Raises
    ------
    ValueError
        When the metric is none of these, has the wrong shape, is not finite, not symmetric or not
        positive definite.
    """
    exact, force, values, energy = True, None, None, 0.0
    if isinstance(metric, FormulaMetric):
        g, dg, values, force = metric.at(points)
        energy = float(np.std(values)) if metric.potential is not None else 0.0
    elif hasattr(metric, "lagrangian_terms"):
        exact = False
        terms = metric.lagrangian_terms(points)
        if terms.misfit > _MISFIT and terms.bend > _STRAIGHT:
            raise ValueError(
                f"The model leaves {terms.misfit:.0%} of the motion's mean square unexplained, so "
                "its metric may have symmetries that the motion has not. Train it further; at most "
                f"{_MISFIT:.0%} may be noise."
            )
        g, dg, force, values = terms.metric, terms.partials, terms.force, terms.potential
        energy = terms.energy_scale
    elif hasattr(metric, "jet"):
        exact = False
        g, dg = _by_jets(metric, points)
    elif hasattr(metric, "metric_tensor") or hasattr(metric, "layers"):
        exact = False
        g, dg = _by_differences(_tensor_of(metric), points)
    elif callable(metric):
        g, dg = _by_jets(metric, points)
    else:
        raise ValueError(
            "`metric` must be a callable (batch, n) -> (batch, n, n) in keras.ops, or a fitted "
            f"model with a metric; received {type(metric).__name__}."
        )
    double = g.dtype == np.float64
    g, dg = g.astype(float), dg.astype(float)
    _check(g, dg, points)
    field = MetricField((g + np.swapaxes(g, 1, 2)) / 2, dg, force, values, energy, exact, double)
    return _with_potential(field, potential, points)


def second_jet(metric: object, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return g, ∂g and ``[b, k, l, i, j]`` = ∂_k ∂_l g_ij of an exact metric, unchecked.

    Parameters
    ----------
    metric : callable or FormulaMetric
    points : (N, n) array
    """
    if isinstance(metric, FormulaMetric):
        return metric.second_jet(points)
    from keras import ops

    from keras_ndm import geometry

    # A constant has no tangent on TensorFlow, nor has what is linear a second one.
    def tied(x):
        return metric(x) + 0.0 * ops.square(x[:, :1, None])

    jet = geometry.jet_of(tied, points, order=2)
    return tuple(np.asarray(ops.convert_to_numpy(part), dtype=float) for part in jet)


def by_spread(points: np.ndarray, potential: Callable | None = None) -> MetricField:
    """Return the flat metric in which every coordinate has unit spread."""
    spread = points.std(axis=0)
    g = np.broadcast_to(
        np.diag(np.where(spread > 0, spread, 1.0) ** -2.0), (len(points), *2 * spread.shape)
    )
    dg = np.zeros((*g.shape, len(spread)))
    return _with_potential(MetricField(g, dg, None, None, 0.0, True), potential, points)


def _with_potential(
    field: MetricField, potential: Callable | None, points: np.ndarray
) -> MetricField:
    if potential is not None:
        values, force = _by_jets_scalar(potential, points)
        field = replace(field, potential=values, force=force, energy_scale=float(np.std(values)))
    if not field.energy_scale > 0:  # a constant potential constrains nothing
        field = replace(field, potential=None, force=None)
    return field


def drawn(metric: object, points: np.ndarray, count: int) -> list[MetricField]:
    """Return metrics that fit the model's data as well, drawn from what its fit left open.

    None where the model does not tell.
    """
    if not hasattr(metric, "drawn_terms"):
        return []
    return [_of_terms(terms) for terms in metric.drawn_terms(points, count)]


def _of_terms(terms: object) -> MetricField:
    g = (terms.metric + np.swapaxes(terms.metric, 1, 2)) / 2
    parts = (terms.force, terms.potential, terms.energy_scale)
    return _with_potential(MetricField(g, terms.partials, *parts, False), None, None)


def _by_jets(metric: Callable, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from keras import ops

    from keras_ndm import geometry

    # A constant has no tangent on TensorFlow; adding zero times x gives one.
    tied = metric if hasattr(metric, "jet") else lambda x: metric(x) + 0.0 * x[:, :1, None]
    g, dg = geometry.jet_of(tied, points, order=1)
    return tuple(np.asarray(ops.convert_to_numpy(part)) for part in (g, dg))


def _by_jets_scalar(function: Callable, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from keras import ops

    if not callable(function):
        raise ValueError(
            "`potential` must be a callable (batch, n) -> (batch,) in keras.ops; received "
            f"{type(function).__name__}."
        )
    tensor = ops.convert_to_tensor(points)
    probe = function(tensor)
    if tuple(probe.shape) != (len(points),):
        raise ValueError(
            f"The potential must map points (batch, n) to numbers (batch,); for {len(points)} "
            f"points it returned shape {tuple(probe.shape)}."
        )
    units = [ops.convert_to_tensor(np.ones_like(points) * e) for e in np.eye(points.shape[1])]
    # A constant has no tangent on TensorFlow; adding zero times x gives one.
    slopes = [ops.jvp(lambda x: function(x) + 0.0 * x[:, 0], (tensor,), (u,))[1] for u in units]
    value, first = probe, ops.stack(slopes, axis=1)
    value, first = (np.asarray(ops.convert_to_numpy(p), dtype=float) for p in (value, first))
    if not (np.isfinite(value).all() and np.isfinite(first).all()):
        raise ValueError("The potential or its derivative is not finite at some of the points.")
    return value, first


def _tensor_of(model: object) -> Callable:
    from keras_ndm import manifold_of

    if hasattr(model, "metric_tensor"):
        return model.metric_tensor
    return manifold_of(model).metric_tensor


def _by_differences(metric: Callable, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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


def _check(g: np.ndarray, dg: np.ndarray, points: np.ndarray) -> None:
    n = points.shape[1]
    if g.shape != (len(points), n, n):
        raise ValueError(
            f"The metric must map points of shape {points.shape} to tensors of shape "
            f"{(len(points), n, n)}; it returned {g.shape}."
        )
    bad = ~(np.isfinite(g).all(axis=(1, 2)) & np.isfinite(dg).all(axis=(1, 2, 3)))
    if bad.any():
        raise ValueError(
            f"The metric or its derivative is not finite at {bad.sum()} of {len(points)} points, "
            f"the first of them {points[bad][0]}."
        )
    size = np.abs(g).max(axis=(1, 2), keepdims=True)
    if np.any(np.abs(g - np.swapaxes(g, 1, 2)) > 1e-4 * size):
        raise ValueError("The metric is not symmetric: g_ij and g_ji differ at some points.")
    lowest = np.linalg.eigvalsh((g + np.swapaxes(g, 1, 2)) / 2)[:, 0]
    if np.any(lowest <= 0):
        at = int(np.argmin(lowest))
        raise ValueError(
            f"The metric is not positive definite at {(lowest <= 0).sum()} of {len(points)} "
            f"points; its smallest eigenvalue is {lowest[at]:.3g} at {points[at]}. Leave such "
            "points out; of a metric of space and time give the spatial part."
        )
