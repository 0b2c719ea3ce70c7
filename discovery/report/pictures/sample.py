"""A sample of the runs, which a report keeps so that it can draw its laws: few runs, few rows."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from discovery.data.coordinates import field_of
from discovery.data.frame import Frame
from discovery.data.parameters import constant_in_runs
from discovery.data.trajectories import Trajectories
from discovery.pde.grid import Grid, grid_of
from discovery.report.quantity import Quantity

# What is kept: runs, rows of each, laws, and of fields profiles of one run.
N_RUNS, N_ROWS, N_LAWS, N_PROFILES = 6, 100, 6, 12
# Rows of each run that tell its value of the first law.
N_CHOICE = 10
# Columns that no portrait shows.
_NO_COORDINATES = ("parameter", "time")


@dataclass(frozen=True, eq=False)
class Sample:
    """Some rows of some runs, as measured, with the laws' values there: plain arrays.

    Attributes
    ----------
    run_ids : tuple of str
        Of the runs, from the least to the greatest value of the first law.
    offsets : (runs + 1,) int array
        Run r is rows ``offsets[r]:offsets[r + 1]``.
    times : (n,) array
    time_unit : str
        Empty where it is not known.
    names, roles, units : tuples of str
        Of the coordinates that are kept: those of the first law where it is of two, else the first
        two, or of fields the columns of the first. An unknown role or unit is empty.
    states : (n, 2) array
        Values of these coordinates; of fields (profiles, points) at `profile_times`, along x in
        the middle of the other axes.
    formulas : tuple of k str
        Of the laws, as `Quantity.formula` has them.
    values, errors : (k, n) arrays
        Of the laws, and the standard deviation that noise gives each value.
    turns : (2,) array
        The turn of what is an angle, in its unit; 0 for others.
    profile_times : (profiles,) array
        Empty but for fields.
    grid_spacing : float
        Along the line that is shown; 0 but for fields.
    """

    run_ids: tuple[str, ...]
    offsets: np.ndarray
    times: np.ndarray
    time_unit: str
    names: tuple[str, ...]
    roles: tuple[str, ...]
    units: tuple[str, ...]
    states: np.ndarray
    formulas: tuple[str, ...]
    values: np.ndarray
    errors: np.ndarray
    turns: np.ndarray
    profile_times: np.ndarray
    grid_spacing: float

    @classmethod
    def of(
        cls,
        quantities: Sequence[Quantity],
        noise: Mapping[str, float],
        runs: Trajectories,
        frame: Frame,
        units: Mapping[str, str] | None = None,
    ) -> Sample:
        """Choose runs whose values of the first law lie evenly, and rows evenly in each.

        Parameters
        ----------
        quantities : sequence of Quantity
            Of the user's coordinates; the first of them are shown.
        noise : mapping from coordinate or field to standard deviation
            In the user's units.
        runs : Trajectories
            In a frame.
        frame : Frame
        units : mapping from name, or "time", to unit, optional
        """
        units = units or {}
        index = [_evenly(a, b) for a, b in itertools.pairwise(runs.offsets)]
        chosen = _spread_out(quantities, runs, frame)
        rows = np.concatenate([index[r] for r in chosen])
        states = frame.outside(runs.rows[rows])
        covariance = None
        if runs.formed is not None:
            covariance = runs.formed.covariance[rows] * np.outer(frame.unit, frame.unit)
        levels = np.array([noise.get(n, noise.get(field_of(n), 0.0)) for n in runs.names])
        shown = quantities[:N_LAWS]
        values, errors = np.zeros((2, len(shown), len(rows)))
        with np.errstate(all="ignore"):  # what is not defined at a state has no point
            for k, law in enumerate(shown):
                values[k], errors[k] = _with_errors(law, states, runs, levels, covariance)
        roles = tuple(role or "" for role in runs.roles or [None] * runs.dim)
        columns, profiles, spacing = _columns(runs, roles, quantities), np.zeros(0), 0.0
        if "field" in roles:
            grid = grid_of(runs.names, runs.grid_spacing, roles)
            columns, spacing = _middle_line(grid), grid.spacings[-1]
        pictured = states[:, columns]
        if "field" in roles:
            middle = chosen[len(chosen) // 2]
            some = _evenly(*runs.offsets[middle : middle + 2], N_PROFILES)
            pictured = frame.outside(runs.rows[some])[:, columns]
            profiles = runs.row_times[some] * frame.time_unit
        return cls(
            run_ids=tuple(str(runs.run_ids[r]) for r in chosen),
            offsets=np.cumsum([0, *(len(index[r]) for r in chosen)]),
            times=runs.row_times[rows] * frame.time_unit,
            time_unit=units.get("time", ""),
            names=tuple(runs.names[i] for i in columns),
            roles=tuple(roles[i] for i in columns),
            units=tuple(units.get(runs.names[i], "") for i in columns),
            states=pictured,
            formulas=tuple(q.formula for q in shown),
            values=values,
            errors=errors,
            turns=_turns(frame, roles, columns),
            profile_times=profiles,
            grid_spacing=spacing,
        )

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        return len(self.run_ids)

    @property
    def of_fields(self) -> bool:
        """Whether the states are profiles of a field."""
        return len(self.profile_times) > 0

    def by_run(self, values: np.ndarray) -> list[np.ndarray]:
        """Return values (n, …) run by run."""
        return np.split(values, self.offsets[1:-1])

    def to_dict(self) -> dict[str, object]:
        """Return plain lists, ready for JSON, with None for what is not finite."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, object]) -> Self:
        """Return the sample that `to_dict` gave."""
        kinds = {f.name: f.type for f in fields(cls)}
        made = {}
        for name, value in plain.items():
            if kinds[name] == "np.ndarray":
                value = np.array(value, dtype=int if name == "offsets" else float)
            elif kinds[name].startswith("tuple"):
                value = tuple(value)
            made[name] = value
        return cls(**made)


def finite_mean(values: np.ndarray) -> float:
    """Return the mean of the values that are finite; nan where none is.

    Parameters
    ----------
    values : array
    """
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")


def _plain(value: np.ndarray | tuple[str, ...] | float | str) -> list | float | str:
    """Return an array or tuple as lists."""
    if isinstance(value, float | str):
        return value
    array = np.asarray(value)
    if array.dtype.kind == "f":
        array = np.where(np.isfinite(array), array, None)
    return array.tolist()


def _evenly(start: int, end: int, most: int = N_ROWS) -> np.ndarray:
    """Return at most so many rows from `start` to before `end`, evenly."""
    return np.unique(np.linspace(start, end - 1, most).round().astype(int))


def _spread_out(laws: Sequence[Quantity], runs: Trajectories, frame: Frame) -> list[int]:
    """Return runs whose values of the first law lie evenly from the least to the greatest."""
    order = np.arange(runs.n_runs)
    if laws:
        index = [_evenly(a, b, N_CHOICE) for a, b in itertools.pairwise(runs.offsets)]
        states = frame.outside(runs.rows[np.concatenate(index)])
        with np.errstate(all="ignore"):
            values = laws[0](states[:, _columns_of(laws[0], runs)])
        along = np.split(values, np.cumsum([len(rows) for rows in index])[:-1])
        order = np.argsort([finite_mean(own) for own in along], kind="stable")
    return order[_evenly(0, len(order), N_RUNS)].tolist()


def _columns_of(law: Quantity, runs: Trajectories) -> list[int]:
    """Return the columns of the coordinates that a law is of."""
    return [runs.names.index(symbol.name) for symbol in law.library.symbols]


def _with_errors(
    law: Quantity,
    states: np.ndarray,
    runs: Trajectories,
    levels: np.ndarray,
    covariance: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return a law's values at states (n, d) and their standard deviations, (n,) each."""
    columns = _columns_of(law, runs)
    values, slopes = law(states[:, columns]), law.gradient(states[:, columns])
    if covariance is None:
        return values, np.sqrt(np.sum((slopes * levels[columns]) ** 2, axis=1))
    part = covariance[:, np.array(columns)[:, None], columns]
    return values, np.sqrt(np.einsum("ni,nij,nj->n", slopes, part, slopes))


def _middle_line(grid: Grid) -> list[int]:
    """Return the columns of the first field along x, in the middle of the other axes."""
    lines = list(grid.lines([0]))
    at = tuple(n // 2 for n in grid.shape[:-1])
    return lines[int(np.ravel_multi_index(at, grid.shape[:-1])) if at else 0].tolist()


def _columns(runs: Trajectories, roles: Sequence[str], laws: Sequence[Quantity]) -> list[int]:
    """Return the columns that a portrait shows: those of the first law, where it is of two."""
    told = [i for i, role in enumerate(roles) if role not in _NO_COORDINATES]
    still = constant_in_runs(runs)
    coordinates = [i for i in told if roles[i] or not still[i]] or told
    law = {symbol.name for symbol in laws[0].expression.free_symbols} if laws else set()
    own = [i for i in coordinates if runs.names[i] in law]
    return own if len(own) == 2 else coordinates[:2]


def _turns(frame: Frame, roles: Sequence[str], columns: Sequence[int]) -> np.ndarray:
    """Return the turn of each column that is an angle, in its unit; 0 for others."""
    told = frame.turns or (None,) * len(roles)
    return np.array([float(told[i] or 2 * np.pi) * (roles[i] == "angle") for i in columns])
