"""What users pass to densities: points, contexts, validation data, and charts."""

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from keras import ops

from keras_ndm.charts import Chart
from keras_ndm.user_data import ENOUGH, batches_of

# What `fit` takes as x: points, points with contexts, or a data set that gives batches of them.
Inputs: TypeAlias = np.ndarray | tuple | Iterable

# Rows on which a chart is tried, and how far it may miss them, in units of their spread: tolerance,
# far above rounding and far below what a chart that is no bijection misses.
_TRIED = 512
_MISSED = 0.05


def checked_rows(x: np.ndarray, dtype: str) -> np.ndarray:
    """Points (N, d) in `dtype`.

    Raises
    ------
    ValueError
        When they have another shape or are not finite.
    """
    try:
        x = np.asarray(x, dtype)
    except (TypeError, ValueError):
        raise ValueError(
            f"Expected points as one array of shape (N, d); received {type(x).__name__}."
        ) from None
    if x.ndim != 2 or x.shape[1] == 0:
        raise ValueError(
            f"Points must have shape (N, d), one point a row; received shape {x.shape}."
        )
    bad = ~np.isfinite(x).all(axis=1)
    if bad.any():
        raise ValueError(
            f"{bad.sum()} of {len(x)} points are not finite, the first in row {np.argmax(bad)}. "
            "Leave them out."
        )
    return x


def first_points(data: Inputs, conditional: bool, dtype: str = "float32") -> tuple:
    """Points (N, d) and contexts (N, …), or None, of arrays or of a data set's first batches.

    Parameters
    ----------
    data : array, pair of arrays, or data set of batches
    conditional : bool
        Whether there is to be a context.
    dtype : str
        Of the points.

    Raises
    ------
    ValueError
        When points or contexts are not finite, do not fit each other, or cannot be read.
    """
    if not (hasattr(data, "__array__") or isinstance(data, list | tuple)):
        data = _gathered(data)
    pair = isinstance(data, tuple | list) and len(data) == 2 and np.ndim(data[0]) == 2
    x, context = data if pair else (data, None)
    x = checked_rows(x, dtype)
    if len(x) == 0:
        raise ValueError("Expected points of shape (N, d); received none.")
    if context is not None:
        context = np.asarray(context, "float32")
        if context.ndim == 1 and conditional:
            context = context[:, None]
        if len(context) != len(x) or not np.isfinite(context).all():
            raise ValueError(
                f"The context must be finite numbers, a row for each of {len(x)} points; received "
                f"shape {context.shape} with {np.sum(~np.isfinite(context))} values that are not "
                "finite."
            )
    return x, context


def _gathered(data):
    parts, seen = [], 0
    for batch in batches_of(data):
        first = batch[0] if isinstance(batch, tuple | list) else batch
        pair = isinstance(first, tuple | list)
        parts.append([np.asarray(part) for part in (first if pair else [first])])
        seen += len(parts[-1][0])
        if seen >= ENOUGH:
            break
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    if not columns:
        raise ValueError("The data set gives no batches.")
    return tuple(columns) if len(columns) > 1 else columns[0]


def validation(data: Inputs, conditional: bool) -> Inputs:
    """Validation data in the form that Keras takes: (x,), ((x, c),), or with weights (x, y, w)."""
    if hasattr(data, "__array__"):
        return (data,)
    if not isinstance(data, tuple | list):
        return data
    if conditional and len(data) == 2 and hasattr(data[0], "__array__") and data[1] is not None:
        x, context = data
        return ((x, context[:, None] if np.ndim(context) == 1 else context),)
    if len(data) == 3 and data[1] is None:
        return (data[0], np.zeros(len(data[2]), "float32"), data[2])
    return tuple(data)


def check_bijective(chart: Chart, x: np.ndarray, context: np.ndarray | None = None) -> None:
    """Refuse a chart that does not lead from data to a normal distribution's space and back.

    Parameters
    ----------
    chart : Chart
    x : array (N, d)
    context : array (N, c), optional

    Raises
    ------
    ValueError
        When a point or a coordinate does not come back, or is not finite.
    """
    x = x[np.linspace(0, len(x) - 1, min(_TRIED, len(x))).astype(int)]
    if context is not None:
        context = ops.convert_to_tensor(context[: len(x)])
    # Wider than the distribution: what it will reach.
    z = 1.5 * np.random.default_rng(0).normal(size=x.shape).astype(x.dtype)
    forward = lambda v: chart.forward_and_log_det(v, context)[0]  # noqa: E731
    inverse = lambda v: chart.inverse_given(v, context)  # noqa: E731
    for there, back, values, what in (
        (forward, inverse, x, "points of the data"),
        (inverse, forward, z, "normal random numbers"),
    ):
        try:
            again = ops.convert_to_numpy(back(there(ops.convert_to_tensor(values))))
        except (NotImplementedError, TypeError, AttributeError) as error:
            raise ValueError(
                f"The chart {chart.charts[-1].name!r} cannot be inverted: {error}"
            ) from error
        spread = np.maximum(values.std(axis=0), 1e-6 * np.abs(values).max())
        missed = np.abs(again - values) / np.maximum(spread, 1e-30)
        if again.shape != values.shape or not (missed < _MISSED).all():
            row = int(np.argmax(~(missed < _MISSED).all(axis=1)))
            raise ValueError(
                f"The chart {chart.charts[-1].name!r} is no bijection between the data and all of "
                f"R^{x.shape[1]}: of {what}, {values[row]} comes back as {again[row]}. A density "
                "needs a chart that is defined where the data are and reaches every z."
            )
