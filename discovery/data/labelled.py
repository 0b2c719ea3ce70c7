"""Labelled arrays (xarray): variables on dimensions of runs, of time, and of space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from discovery.data.column_names import RUN_COLUMNS, TIME_COLUMNS, usual_column
from discovery.data.gridded import as_columns_of_points

if TYPE_CHECKING:
    import xarray

# Grid points are equally spaced where their distances differ by less than this share.
_EVEN = 1e-6
# Axes that have an order whatever the order of dimensions: x is the last.
_LETTERS = ("z", "y", "x")


class Labelled(NamedTuple):
    """What a data set holds, as `Trajectories` takes it.

    Attributes
    ----------
    states : (runs, steps, variables, …) array
        One axis for each dimension of space behind the variables. Columns (runs, steps, d), where
        there are variables without space beside fields: the points of the fields come first.
    times : (steps,) array or None
    names : list of str
        Of the variables, or of the columns.
    run_ids : (runs,) array or None
    grid_spacing : tuple of float, or None
        Along each dimension of space.
    n_points : int
        Columns of fields, where others stand beside them; else 0.
    """

    states: np.ndarray
    times: np.ndarray | None
    names: list[str]
    run_ids: np.ndarray | None
    grid_spacing: tuple[float, ...] | None
    n_points: int = 0


def contents(
    data: xarray.Dataset | xarray.DataArray, run: str | None = None, time: str | None = None
) -> Labelled:
    """Return the variables of a data set with the axes in their order.

    Parameters
    ----------
    data : xarray.Dataset or xarray.DataArray
    run, time : str, optional
        The dimensions of runs and of time. Default: those with a usual name. Without one of runs
        the data are one run.

    Raises
    ------
    ValueError
        For what is no data set, no dimension of time, variables on unlike dimensions but for what
        has none of space, points that are not equally spaced.
    """
    if not hasattr(data, "dims") or not hasattr(data, "coords"):
        raise ValueError(
            f"received {type(data).__name__}. Expected an xarray.Dataset or xarray.DataArray."
        )
    if not hasattr(data, "data_vars"):
        data = data.to_dataset(name=data.name or "u")
    names = [str(name) for name in data.data_vars]
    if not names:
        raise ValueError("the data set has no variables. Expected one for each field.")
    variables = [data[name] for name in data.data_vars]
    widest = max(variables, key=lambda variable: variable.ndim)
    dims = [str(dim) for dim in widest.dims]
    time = _dimension(dims, time, TIME_COLUMNS, "time")
    if time is None:
        raise ValueError(
            f"no dimension of {_listed(dims)} is called like a time. Pass time='...' with its name."
        )
    run = _dimension([d for d in dims if d != time], run, RUN_COLUMNS, "run")
    space = [d for d in dims if d not in (run, time)]
    beside = []
    for name, variable in zip(names, variables, strict=True):
        own = set(map(str, variable.dims))
        # Of runs alone it is a parameter of each.
        if own <= {run, time}:
            beside.append(variable)
        elif own != set(dims):
            raise ValueError(
                f"variable {name!r} has the dimensions {_listed(variable.dims)}, {widest.name!r} "
                f"has {_listed(dims)}. Expected the same, or those of runs or of time alone: "
                "choose variables with data[[...]]."
            )
    if set(space) <= set(_LETTERS):
        space.sort(key=_LETTERS.index)
    order = [d for d in (run, time, *space) if d is not None]
    apart = {v.name for v in beside}
    fields = [v for v in variables if v.name not in apart]
    n_points, along = 0, order[: len(order) - len(space)]
    if fields:
        states, names = _stacked(fields, widest, order, run is None)
    if fields and beside:
        states, names = as_columns_of_points(states, names)
        n_points = len(names)
    if beside:
        others, named = _stacked(beside, widest, along, run is None)
        states = np.concatenate([states, others], axis=2) if fields else others
        names = [*names, *named] if fields else named
    spacing = tuple(_spacing(data, dim) for dim in space)
    return Labelled(
        states=states,
        times=_times(data, time),
        names=names,
        run_ids=np.asarray(data[run].values) if run is not None and run in data.coords else None,
        grid_spacing=spacing or None,
        n_points=n_points,
    )


def _stacked(
    variables: Sequence[xarray.DataArray],
    widest: xarray.DataArray,
    order: Sequence[str],
    one_run: bool,
) -> tuple[np.ndarray, list[str]]:
    """Return variables as one array, in the given order of dimensions, and their names."""
    whole = widest.isel({d: 0 for d in widest.dims if d not in order}, drop=True)
    arrays = [np.asarray(v.broadcast_like(whole).transpose(*order).values) for v in variables]
    states = np.stack(arrays, axis=2 - one_run)
    return states[None] if one_run else states, [str(v.name) for v in variables]


def _dimension(
    dims: Sequence[str], given: str | None, usual: tuple[str, ...], what: str
) -> str | None:
    if given is None:
        return usual_column(list(dims), usual)
    if given not in dims:
        raise ValueError(f"{what}={given!r} is no dimension. Expected one of {_listed(dims)}.")
    return given


def _spacing(data: xarray.Dataset, dim: str) -> float:
    """Return the distance between points along a dimension, 1 where it has no coordinate."""
    if dim not in data.coords:
        return 1.0
    places = np.asarray(data[dim].values)
    if places.dtype.kind not in "iuf":
        return 1.0
    steps = np.abs(np.diff(places.astype(float)))
    if len(steps) == 0 or np.ptp(steps) > _EVEN * steps.max() or steps.min() <= 0:
        raise ValueError(
            f"the points along {dim!r} are not equally spaced. Expected equal distances: "
            f"data.interp({dim}=...) makes them so."
        )
    return float(steps.mean())


def _times(data: xarray.Dataset, time: str) -> np.ndarray | None:
    """Return the times, dates as seconds since the first; None where there are none."""
    if time not in data.coords:
        return None
    times = np.asarray(data[time].values)
    if times.dtype.kind in "mM":
        return (times - times[0]) / np.timedelta64(1, "s")
    return times


def _listed(dims: Sequence[str]) -> str:
    return ", ".join(map(str, dims))
