"""Geometry of any callable metric, by automatic differentiation.

A metric is a callable x ↦ g from (batch, n) to (batch, n, n), written in `keras.ops` or any code of
the backend, that treats its rows independently. For a `MetricLayer` the exact 2-jets are used
instead, which are much faster. Conventions are those of `keras_ndm.geometry.curvature`.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from keras import ops

from keras_ndm import backend
from keras_ndm.backend import Tensor
from keras_ndm.geometry import curvature

# Points and vectors as users give them.
Array: TypeAlias = Tensor | np.ndarray


def _check_points(points):
    points = ops.convert_to_tensor(points)
    if len(points.shape) != 2:
        raise ValueError(
            f"Points must be an array of shape (batch, n), one point a row; received shape "
            f"{tuple(points.shape)}. Give a single point as points[None, :]."
        )
    return points


def _check_metric(g, points):
    n = points.shape[-1]
    if tuple(g.shape[1:]) != (n, n) or len(g.shape) != 3:
        raise ValueError(
            f"The metric must map points of shape (batch, {n}) to tensors of shape (batch, {n}, "
            f"{n}); it returned shape {tuple(g.shape)}."
        )


def jet_of(metric: Callable, points: Array, order: int = 2) -> tuple:
    """Metric with its partial derivatives.

    Parameters
    ----------
    metric : callable or MetricLayer, (batch, n) -> (batch, n, n)
    points : array (batch, n)
    order : {1, 2}

    Returns
    -------
    g : tensor (batch, n, n)
    dg : tensor (batch, n, n, n), ``[b, k, i, j]`` = ∂_k g_ij
    ddg : tensor (batch, n, n, n, n), ``[b, k, l, i, j]`` = ∂_k ∂_l g_ij; only with order 2

    Raises
    ------
    ValueError
        When points or the metric's values have the wrong shape.
    """
    points = _check_points(points)
    if hasattr(metric, "jet"):
        jet = metric.jet(ops.cast(points, metric.compute_dtype), order=order)
        return (jet.value, jet.first, jet.second_matrix()) if order == 2 else (jet.value, jet.first)
    _check_metric(metric(points), points)
    if order == 1:
        return backend.partials(metric, points)
    g, dg = backend.partials(metric, points)
    _, ddg = backend.partials(lambda x: backend.partials(metric, x)[1], points)
    return g, dg, ddg


def christoffel(metric: Callable, points: Array) -> Tensor:
    """Christoffel symbols (batch, n, n, n), ``[b, k, i, j]`` = Γ^k_ij; arguments as in `jet_of`."""
    return curvature.christoffel_from(*jet_of(metric, points, order=1))


def riemann(metric: Callable, points: Array) -> Tensor:
    """Riemann tensor, indices down, ``[b, l, k, i, j]`` = R_lkij; arguments as in `jet_of`."""
    return curvature.riemann_from(*jet_of(metric, points))


def ricci(metric: Callable, points: Array) -> Tensor:
    """Ricci tensor (batch, n, n); arguments as in `jet_of`."""
    return curvature.ricci_from(*jet_of(metric, points))


def scalar_curvature(metric: Callable, points: Array) -> Tensor:
    """Ricci scalar (batch,), n(n − 1) on the unit n-sphere; arguments as in `jet_of`."""
    return curvature.scalar_from(*jet_of(metric, points))
