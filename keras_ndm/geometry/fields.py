"""Sectional curvature, volume, and the derivatives of vector fields, forms and metrics.

Fields are callables on points (batch, n), as the metric is; conventions are those of
`keras_ndm.geometry.curvature`.
"""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from keras_ndm import backend
from keras_ndm.backend import Tensor
from keras_ndm.geometry import curvature
from keras_ndm.geometry.callables import Array, as_points, checked, inverse, jet_of, vectors


def sectional_curvature(metric: Callable, points: Array, u: Array, v: Array) -> Tensor:
    """Curvature of the planes spanned by u and v, `K = R(u,v,u,v) / (|u|²|v|² − ⟨u,v⟩²)`.

    Parameters
    ----------
    metric : callable or MetricLayer
    points, u, v : array (batch, n)

    Returns
    -------
    tensor (batch,)
        1 on the unit sphere; NaN where u and v span no plane, up to rounding.

    Raises
    ------
    ValueError
        When shapes do not fit.
    """
    points = checked(points)
    g, dg, ddg = jet_of(metric, points)
    u, v = (vectors(w, points, name, g.dtype) for w, name in ((u, "u"), (v, "v")))
    riemann = curvature.riemann_from(g, dg, ddg, inverse(g))
    top = ops.einsum("blkij,bl,bk,bi,bj->b", riemann, u, v, u, v)
    uu, vv, uv = (ops.einsum("bi,bij,bj->b", a, g, b) for a, b in ((u, u), (v, v), (u, v)))
    area, whole = uu * vv - uv**2, ops.abs(uu * vv) + uv**2
    rounding = 8.0 * float(np.finfo(keras.backend.standardize_dtype(g.dtype)).eps)
    plane = ops.abs(area) > rounding * whole
    return ops.where(plane, top / ops.where(plane, area, 1.0), float("nan"))


def volume_element(metric: Callable, points: Array) -> Tensor:
    """√det g at the points, (batch,)."""
    g = metric(as_points(points))
    diagonal = ops.diagonal(ops.cholesky(g), axis1=-2, axis2=-1)
    return ops.exp(ops.sum(ops.log(diagonal), axis=-1))


def covariant_derivative(metric: Callable, field: Callable, points: Array) -> Tensor:
    """∇_k X^i = ∂_k X^i + Γ^i_kj X^j of a vector field.

    Parameters
    ----------
    metric : callable or MetricLayer
    field : callable, (batch, n) -> (batch, n)
        X.
    points : array (batch, n)

    Returns
    -------
    tensor (batch, n, n), ``[b, k, i]`` = ∇_k X^i
    """
    g, dg = jet_of(metric, points, order=1)
    value, first = backend.partials(field, ops.cast(ops.convert_to_tensor(points), g.dtype))
    return first + ops.einsum("bikj,bj->bki", curvature.christoffel_from(g, dg, inverse(g)), value)


def lie_derivative(metric: Callable, field: Callable, points: Array) -> Tensor:
    """Lie derivative of the metric, (L_X g)_ij = X^k ∂_k g_ij + g_kj ∂_i X^k + g_ik ∂_j X^k.

    Zero everywhere exactly when X is a Killing field.

    Parameters
    ----------
    metric : callable or MetricLayer
    field : callable, (batch, n) -> (batch, n)
        X.
    points : array (batch, n)

    Returns
    -------
    tensor (batch, n, n)
    """
    g, dg = jet_of(metric, points, order=1)
    value, first = backend.partials(field, ops.cast(ops.convert_to_tensor(points), g.dtype))
    half = ops.einsum("bik,bkj->bij", first, g)
    return ops.einsum("bk,bkij->bij", value, dg) + half + ops.swapaxes(half, 1, 2)


def divergence(metric: Callable, field: Callable, points: Array) -> Tensor:
    """∇_i X^i of a vector field, (batch,).

    Parameters
    ----------
    metric, field, points
        As in `lie_derivative`.
    """
    return ops.trace(covariant_derivative(metric, field, points), axis1=1, axis2=2)
