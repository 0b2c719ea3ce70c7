"""Fields as arrays with an axis for each direction in space, laid out as columns."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from discovery.data.checks import as_numbers

# Axes of a field in space, and points along one: fewer show no derivatives.
_MOST_AXES, FEWEST_POINTS = 3, 8
_LETTERS = "uvwabcdefgh"


def has_axes(states: ArrayLike) -> bool:
    """Tell whether states have axes in space: (runs, steps, fields, …, ny, nx), or a list of runs.

    Parameters
    ----------
    states : array-like
    """
    if isinstance(states, (list, tuple)):
        return bool(states) and all(getattr(run, "ndim", 0) >= 3 for run in states)
    return getattr(states, "ndim", 0) >= 4


def as_columns_of_points(
    states: ArrayLike, names: Iterable[str] | None
) -> tuple[np.ndarray | list[np.ndarray], list[str]]:
    """Return states with a column for each field and point, and the names of the columns.

    Parameters
    ----------
    states : array of shape (runs, steps, fields, …, ny, nx), or sequence of (steps_i, fields, …)
    names : iterable of str, optional
        Of the fields. Default: u, v, w, ….

    Returns
    -------
    states : (runs, steps, d) array, or list of (steps_i, d) arrays
    names : list of d str
        ``u12`` on a line, ``u_3_12`` in a plane, ``u_2_3_12`` in space; points count from 1.

    Raises
    ------
    ValueError
        For more axes than three, fewer than eight points along one, runs on different grids, and
        names that are not as many as the fields.
    """
    together = not isinstance(states, (list, tuple))
    runs = states if together else [np.asanyarray(run) for run in states]
    shapes = {run.shape[1:] for run in runs}
    if len(shapes) != 1:
        raise ValueError(
            f"runs are on the grids {', '.join(map(str, sorted(shapes)))}. Expected "
            "(steps, fields, ny, nx) with the same fields and points in each."
        )
    n_fields, *shape = shapes.pop()
    if len(shape) > _MOST_AXES:
        raise ValueError(
            f"states has {len(shape)} axes beside runs, steps and fields. Expected one to three "
            "in space: (runs, steps, fields, nx), (…, ny, nx) or (…, nz, ny, nx)."
        )
    if min(shape) < FEWEST_POINTS:
        raise ValueError(
            f"states has shape {runs.shape if together else runs[0].shape}. Expected "
            "(runs, steps, d), or fields (runs, steps, fields, …, ny, nx) with at least "
            f"{FEWEST_POINTS} points along each axis."
        )
    fields = _field_names(names, n_fields)
    columns = [_named(field, point) for field in fields for point in _points(shape)]
    if together:
        return as_numbers(states, "states").reshape(*states.shape[:2], -1), columns
    flat = [as_numbers(run, f"states of run {i}") for i, run in enumerate(runs)]
    return [run.reshape(len(run), -1) for run in flat], columns


def _field_names(names: Iterable[str] | None, n_fields: int) -> list[str]:
    if names is None:
        if n_fields <= len(_LETTERS):
            return list(_LETTERS[:n_fields])
        return [f"u{i + 1}" for i in range(n_fields)]
    fields = [names] if isinstance(names, str) else list(names)
    if len(fields) != n_fields:
        raise ValueError(
            f"names has {len(fields)} entries, states has {n_fields} fields. Expected one a field."
        )
    return fields


def _points(shape: Sequence[int]) -> itertools.product:
    return itertools.product(*(range(1, n + 1) for n in shape))


def _named(field: str, point: tuple[int, ...]) -> str:
    plain = len(point) == 1 and not field[-1:].isdigit()
    return f"{field}{'' if plain else '_'}{'_'.join(map(str, point))}"
