"""Geometry of any callable metric, by automatic differentiation.

A metric is a callable x ↦ g from (batch, n) to (batch, n, n), written in `keras.ops` or any code of
the backend, that treats its rows independently. For a `MetricLayer` the exact 2-jets are used
instead, which are much faster. Conventions are those of `keras_ndm.geometry.curvature`.
"""

from collections.abc import Callable
from typing import TypeAlias

import keras
import numpy as np
from keras import ops

from keras_ndm import backend
from keras_ndm.backend import Tensor
from keras_ndm.geometry import curvature

# Points and vectors as users give them.
Array: TypeAlias = Tensor | np.ndarray

# Entries across the diagonal may differ by this share of the largest, which is more than rounding.
_UNSYMMETRIC = 1e-2


def check_callable(metric: Callable) -> None:
    """Refuse what is no function of points."""
    if not callable(metric):
        raise ValueError(
            "The metric must be a function from points (batch, n) to tensors (batch, n, n), or a "
            f"MetricLayer; received {type(metric).__name__}. For a constant matrix g: "
            "lambda x: keras.ops.broadcast_to(g, (*x.shape, x.shape[1]))."
        )


def refuse_unsymmetric(g: np.ndarray) -> None:
    """Refuse metrics (…, n, n) that are not symmetric, but for rounding."""
    with np.errstate(invalid="ignore"):  # what is not finite is told elsewhere
        off = np.abs(g - np.swapaxes(g, -1, -2)).max(axis=(-2, -1), initial=0.0)
    bad = np.argwhere(off > _UNSYMMETRIC * np.abs(g).max(axis=(-2, -1), initial=0.0))
    if len(bad):
        raise ValueError(
            f"The metric is not symmetric; received {g[tuple(bad[0])].tolist()}. Expected g = gᵀ: "
            "give (g + gᵀ)/2."
        )


def as_points(points: Array) -> Tensor:
    """Points as a tensor of float32 or float64: integers and half precision in Keras' floatx."""
    points = ops.convert_to_tensor(points)
    if keras.backend.standardize_dtype(points.dtype) in ("float32", "float64"):
        return points
    floatx = keras.config.floatx()
    return ops.cast(points, floatx if floatx == "float64" else "float32")


def checked(points: Array) -> Tensor:
    """Points (batch, n) as a tensor; see `as_points`."""
    points = as_points(points)
    if len(points.shape) != 2:
        raise ValueError(
            f"Points must be an array of shape (batch, n), one point a row; received shape "
            f"{tuple(points.shape)}. Give a single point as points[None, :]."
        )
    return points


def vectors(values: Array, points: Tensor, name: str, dtype: str) -> Tensor:
    """Vectors at points, as a tensor.

    Parameters
    ----------
    values : array (batch, n)
    points : tensor (batch, n)
    name : str
        What an error calls them.
    dtype : str
        Of the tensor.

    Raises
    ------
    ValueError
        When they have another shape than the points.
    """
    values = ops.convert_to_tensor(values)
    same = (a == b or None in (a, b) for a, b in zip(values.shape, points.shape, strict=False))
    if len(values.shape) != 2 or not all(same):
        raise ValueError(
            f"`{name}` must be vectors at the points, shape {tuple(points.shape)}; received "
            f"shape {tuple(values.shape)}."
        )
    return ops.cast(values, dtype)


def _check_metric(metric, points):
    check_callable(metric)
    g = metric(points)
    n = points.shape[-1]
    if tuple(g.shape[1:]) != (n, n) or len(g.shape) != 3:
        raise ValueError(
            f"The metric must map points of shape (batch, {n}) to tensors of shape (batch, {n}, "
            f"{n}); it returned shape {tuple(g.shape)}."
        )
    if backend.concrete(g):
        refuse_unsymmetric(ops.convert_to_numpy(g))


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
    points = checked(points)
    if hasattr(metric, "jet"):
        jet = metric.jet(ops.cast(points, metric.compute_dtype), order=order)
        return (jet.value, jet.first, jet.second_matrix()) if order == 2 else (jet.value, jet.first)
    _check_metric(metric, points)
    if order == 1:
        return backend.partials(metric, points)
    g, dg = backend.partials(metric, points)
    _, ddg = backend.partials(lambda x: backend.partials(metric, x)[1], points)
    return g, dg, ddg


def inverse(g: Tensor) -> Tensor | None:
    """Inverse metric; NaN where there is none, except in a program that others compile."""
    return backend.inverse_or_nan(g) if backend.concrete(g) else None


def christoffel(metric: Callable, points: Array) -> Tensor:
    """Christoffel symbols (batch, n, n, n), ``[b, k, i, j]`` = Γ^k_ij; arguments as in `jet_of`."""
    g, dg = jet_of(metric, points, order=1)
    return curvature.christoffel_from(g, dg, inverse(g))


def riemann(metric: Callable, points: Array) -> Tensor:
    """Riemann tensor, indices down, ``[b, l, k, i, j]`` = R_lkij; arguments as in `jet_of`."""
    g, dg, ddg = jet_of(metric, points)
    return curvature.riemann_from(g, dg, ddg, inverse(g))


def ricci(metric: Callable, points: Array) -> Tensor:
    """Ricci tensor (batch, n, n); arguments as in `jet_of`."""
    g, dg, ddg = jet_of(metric, points)
    return curvature.ricci_from(g, dg, ddg, inverse(g))


def scalar_curvature(metric: Callable, points: Array) -> Tensor:
    """Ricci scalar (batch,), n(n − 1) on the unit n-sphere.

    Single precision loses digits with the metric's condition number: at some points of condition
    1e4 R may be off by half, from 1e5 on by factors. Where that matters, give a callable points in
    float64, and a `MetricLayer` ``dtype="float64"``.

    Parameters
    ----------
    metric, points
        As in `jet_of`.

    Returns
    -------
    tensor (batch,)
    """
    g, dg, ddg = jet_of(metric, points)
    return curvature.scalar_from(g, dg, ddg, inverse(g))
