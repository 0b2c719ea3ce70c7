"""A metric, its derivatives and a potential at points, checked."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from discovery.symmetries.geometry import sources
from discovery.symmetries.geometry.sources import ExactMetric, Jet, Metric, Potential


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


def evaluate(metric: Metric, points: np.ndarray, potential: Potential | None = None) -> MetricField:
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
    source = sources.source_of(metric)
    jet = source.jet(points)
    g, dg = jet.metric, jet.partials
    double = g.dtype == np.float64
    g, dg = g.astype(float), dg.astype(float)
    _check(g, dg, points)
    field = _field(jet._replace(metric=g, partials=dg), source.exact, double)
    return _with_potential(field, potential, points)


def second_jet(
    metric: ExactMetric, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return g, ∂g and ``[b, k, l, i, j]`` = ∂_k ∂_l g_ij at points (N, n), unchecked."""
    return sources.source_of(metric).second_jet(points)


def by_spread(points: np.ndarray, potential: Potential | None = None) -> MetricField:
    """Return the flat metric in which every coordinate has unit spread."""
    spread = points.std(axis=0)
    g = np.broadcast_to(
        np.diag(np.where(spread > 0, spread, 1.0) ** -2.0), (len(points), *2 * spread.shape)
    )
    dg = np.zeros((*g.shape, len(spread)))
    return _with_potential(MetricField(g, dg, None, None, 0.0, True), potential, points)


def _with_potential(
    field: MetricField, potential: Potential | None, points: np.ndarray
) -> MetricField:
    if potential is not None:
        values, force = _by_jets_scalar(potential, points)
        field = replace(field, potential=values, force=force, energy_scale=float(np.std(values)))
    if not field.energy_scale > 0:  # a constant potential constrains nothing
        field = replace(field, potential=None, force=None)
    return field


def drawn(metric: Metric, points: np.ndarray, count: int) -> list[MetricField]:
    """Return metrics that fit the model's data as well, drawn from what its fit left open.

    Parameters
    ----------
    metric : callable or fitted model
        As in `evaluate`.
    points : (N, n) array
    count : int
        How many.

    Returns
    -------
    list of MetricField
        Empty where the model does not tell.
    """
    jets = sources.source_of(metric).drawn(points, count)
    return [_with_potential(_field(jet, False), None, points) for jet in jets]


def _field(jet: Jet, exact: bool, double: bool = True) -> MetricField:
    g = (jet.metric + np.swapaxes(jet.metric, 1, 2)) / 2
    return MetricField(g, jet.partials, jet.force, jet.potential, jet.energy_scale, exact, double)


def _by_jets_scalar(function: Potential, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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
