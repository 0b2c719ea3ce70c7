"""Trajectories: runs of one system, checked once and kept as flat rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from discovery.data import files
from discovery.data.cells import is_degrees
from discovery.data.checks import (
    SampleError,
    as_row_times,
    as_rows,
    as_run_ids,
    as_spacing,
    check_finite,
    check_times,
    place_in_run,
)
from discovery.data.coordinates import Roles, as_names, as_roles, in_words
from discovery.data.flaws.angles import as_columns, turning_roles
from discovery.data.flaws.missing import (
    checked_missing,
    counted,
    left_out,
    masked_rows,
    masked_times,
    rows_to_keep,
)
from discovery.data.flaws.samples import Samples
from discovery.data.gridded import as_columns_of_points, has_axes
from discovery.data.noise_level import NoiseLevel, known_noise, noise_scale
from discovery.data.velocities import (
    Formed,
    form,
    position_columns,
    position_roles,
    unwrapped,
    velocity_names,
)
from discovery.data.ways_in import FromOutside

if TYPE_CHECKING:
    import pandas as pd


class Trajectories(FromOutside):
    """Runs of one system: states in time order, one set of coordinates.

    Parameters
    ----------
    states : array-like of shape (runs, steps, d), or sequence of (steps_i, d) arrays
        Fields also as (runs, steps, fields, nx), (…, fields, ny, nx) or (…, fields, nz, ny, nx);
        `names` are then those of the fields (default: u, v, w, …), columns are called u1, u2, …
        on a line and u_1_1, u_1_2, … in a plane, and their role is ``"field"``.
    times : (steps,) or (runs, steps) array-like, or sequence of (steps_i,) arrays, optional
        Any unit; regular or not, strictly increasing within a run. Dates become seconds since the
        first of them. Default: 0, 1, 2, …
    names : sequence of d str, optional
        Coordinate names, used in formulas. Default: x0, x1, …
    roles : sequence of d str or None, or mapping from name (or pattern) to role, optional
        What each coordinate is: one of ``discovery.trajectories.ROLES``, or None for unknown. Roles
        choose candidate functions (sines for an angle, logarithms for an amount).
    run_ids : sequence of runs distinct numbers or strings, optional
        Default: 0, 1, 2, …
    grid_spacing : float or sequence of float, optional
        For fields: the distance between neighbouring grid points, the same for all fields; where
        it differs, one for each axis, (hy, hx). Default: unknown; derivatives are then in units of
        the grid.
    missing : {"raise", "drop"}
        What is done with samples that have a value that is not finite, or the time of the sample
        before: refused, or left out. Of several at one time the first is kept, whatever the values
        of the others; `remarks` counts them. Masked samples, and those that are written twice, are
        always left out.

    Attributes
    ----------
    rows : (rows, d) float64, all runs one after another
    row_times : (rows,) float64
    offsets : (runs + 1,) int; run i is ``rows[offsets[i]:offsets[i + 1]]``
    names, roles, run_ids : as above, defaults filled in; roles is None when none were given
    grid_spacing : float, tuple of float, or None
    truth : dict from name to a function of states (..., d) -> (...); empty for measured data
    name, equations : str or None; what the data set is called and obeys, where that is known
    formed : Formed or None; what is known of the errors of states that `with_velocities` made
    remarks : tuple of str; what was left out or converted, which reports say
    in_degrees : tuple of str; columns in degrees, as their names or titles say
    units : dict from name, or "time", to the unit that its title has in a file; for pictures

    Raises
    ------
    ValueError
        For wrong shapes, text, NaN or infinity, times that do not increase, unknown roles,
        repeated names or ids.

    Examples
    --------
    >>> import numpy as np
    >>> t = np.linspace(0, 10, 50)
    >>> runs = Trajectories(states=[np.c_[a * np.cos(t), -a * np.sin(t)] for a in (1, 2)], times=t)
    >>> runs.states.shape, runs[1].n_runs
    ((2, 50, 2), 1)
    """

    def __init__(
        self,
        states: ArrayLike,
        times: ArrayLike | None = None,
        names: Iterable[str] | None = None,
        roles: Roles | None = None,
        run_ids: ArrayLike | None = None,
        grid_spacing: float | Sequence[float] | None = None,
        missing: str = "raise",
    ) -> None:
        if has_axes(states):
            states, names = as_columns_of_points(states, names)
            roles = ["field"] * len(names) if roles is None else roles
        self.rows, self.offsets = as_rows(states)
        self.row_times = as_row_times(times, self.offsets)
        self.names = as_names(names, self.rows.shape[1])
        self.roles = as_roles(roles, self.names)
        self.run_ids = as_run_ids(run_ids, len(self.offsets) - 1)
        self.remarks: tuple[str, ...] = ()
        self.in_degrees = tuple(name for name in self.names if is_degrees(name))
        self.units: dict[str, str] = {}
        offsets, run_ids = self.offsets, self.run_ids
        kept = self._leave_out(states, times, missing)
        self.grid_spacing = as_spacing(grid_spacing)
        self.truth: dict[str, Callable[[np.ndarray], np.ndarray]] = {}
        self.name: str | None = None
        self.equations: str | None = None
        self.formed: Formed | None = None
        try:
            check_finite(self.rows, self.row_times, self.offsets, self.names, self.run_ids)
            check_times(self.row_times, self.offsets, self.run_ids)
        except SampleError as error:
            row = kept[error.row]
            raise error.of(row, place_in_run(row, offsets, run_ids)[1]) from None

    def _leave_out(self, states: ArrayLike, times: ArrayLike | None, missing: str) -> np.ndarray:
        """Leave out what is no sample, and say so; return which rows are kept."""
        drop = checked_missing(missing) == "drop"
        masked, timeless = masked_rows(states, self.offsets), masked_times(times, self.offsets)
        keep = rows_to_keep(self.rows, self.row_times, self.offsets, masked | timeless, drop)
        if keep.all():
            return np.arange(len(keep))
        if not keep.any():
            raise ValueError(
                "no sample has a value in every column. Expected some: leave out the columns that "
                "have none."
            )
        self.remarks = tuple(left_out(self.rows, self.row_times, masked, keep, self.names))
        lengths = np.add.reduceat(keep, self.offsets[:-1], dtype=int)
        if (lengths == 0).any():
            self.remarks += (f"{counted(int((lengths == 0).sum()), 'run')} without a sample",)
        self.rows, self.row_times = self.rows[keep], self.row_times[keep]
        self.run_ids = self.run_ids[lengths > 0]
        self.offsets = np.concatenate([[0], np.cumsum(lengths[lengths > 0])])
        return np.flatnonzero(keep)

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        return len(self.offsets) - 1

    @property
    def dim(self) -> int:
        """Number of coordinates, d."""
        return self.rows.shape[1]

    @property
    def lengths(self) -> np.ndarray:
        """(runs,) number of samples in each run."""
        return np.diff(self.offsets)

    @property
    def groups(self) -> np.ndarray:
        """(rows,) index of the run that each row belongs to: 0, …, runs − 1."""
        return np.repeat(np.arange(self.n_runs), self.lengths)

    @property
    def states(self) -> np.ndarray | list[np.ndarray]:
        """(runs, steps, d) when all runs are equally long, else a list of (steps_i, d)."""
        if self._equal_lengths():
            return self.rows.reshape(self.n_runs, -1, self.dim)
        return self._by_run(self.rows)

    @property
    def times(self) -> np.ndarray | list[np.ndarray]:
        """(runs, steps) when all runs are equally long, else a list of (steps_i,)."""
        if self._equal_lengths():
            return self.row_times.reshape(self.n_runs, -1)
        return self._by_run(self.row_times)

    def __len__(self) -> int:
        return self.n_runs

    def __repr__(self) -> str:
        return f"Trajectories({self.summary()})"

    def summary(self) -> str:
        """Return what the runs are and how many, in a few words."""
        return self.summary_of(self.lengths)

    def summary_of(self, lengths: np.ndarray) -> str:
        """Return the same of runs of which these are some.

        Parameters
        ----------
        lengths : (runs,) array of int
            Samples in each.
        """
        shortest, longest = lengths.min(), lengths.max()
        steps = f"{shortest}" if shortest == longest else f"{shortest} to {longest}"
        title = f"{self.name}: " if self.name else ""
        size = f"{len(lengths)} run{'s' * (len(lengths) > 1)} × {steps} samples"
        return f"{title}{size}, {in_words(self.names, self.roles)}"

    def __getitem__(self, which: int | slice | Sequence[int] | np.ndarray) -> Trajectories:
        """Choose runs by an index, a slice, a list of indices or a boolean mask over runs."""
        chosen = np.atleast_1d(np.arange(self.n_runs)[which])
        if chosen.size == 0:
            raise ValueError(f"the selection holds none of the {self.n_runs} runs.")
        states, times = self._by_run(self.rows), self._by_run(self.row_times)
        part = Trajectories(
            states=[states[i] for i in chosen],
            times=[times[i] for i in chosen],
            names=self.names,
            roles=self.roles,
            run_ids=self.run_ids[chosen],
            grid_spacing=self.grid_spacing,
        )
        part.truth, part.name, part.equations = dict(self.truth), self.name, self.equations
        if self.formed is not None:
            rows = [np.arange(self.offsets[i], self.offsets[i + 1]) for i in chosen]
            part.formed = self.formed.among(np.concatenate(rows), range(self.dim))
        part.remarks, part.in_degrees, part.units = self.remarks, self.in_degrees, self.units
        return part

    def of_columns(self, columns: Sequence[int]) -> Trajectories:
        """Return the runs with some of their coordinates alone, in the given order.

        Parameters
        ----------
        columns : sequence of int
        """
        columns = list(columns)
        names = [self.names[i] for i in columns]
        roles = None if self.roles is None else [self.roles[i] for i in columns]
        part = Trajectories(
            states=self._by_run(self.rows[:, columns]),
            times=self._by_run(self.row_times),
            names=names,
            roles=roles if roles and any(roles) else None,
            run_ids=self.run_ids,
            grid_spacing=self.grid_spacing,
        )
        part.name, part.equations = self.name, self.equations
        if self.formed is not None:
            part.formed = self.formed.among(slice(None), columns)
        part.remarks = self.remarks
        part.in_degrees = tuple(name for name in self.in_degrees if name in part.names)
        part.units = {name: unit for name, unit in self.units.items() if name in (*names, "time")}
        return part

    def with_velocities(self, noise: NoiseLevel = None) -> Trajectories:
        """Return the runs with velocities, formed from their positions.

        Local polynomials give positions and velocities together, with their joint covariance. Where
        positions are noisy the states are fewer than the samples, each from samples of its own, so
        that their errors do not depend on each other. Angles come without jumps. Columns that are
        neither positions nor angles are smoothed beside them; those that are constant in each run
        stay as they are. Runs too short to form velocities are left out.

        Parameters
        ----------
        noise : float, (d,) array-like, or mapping from name to float, optional
            Standard deviation of the noise of each column where it is known; estimated by default.

        Returns
        -------
        Trajectories
            The columns, then velocities: ``vx`` for x, ``thetadot`` for theta, in units of the
            times, with their roles. ``formed`` has the covariance, which `discover` uses.

        Raises
        ------
        ValueError
            For fields, where no column is a position or one is a velocity already, and for runs
            that are all too short.

        Examples
        --------
        >>> import numpy as np
        >>> t = np.linspace(0, 10, 50)
        >>> runs = Trajectories(states=np.cos(t)[None, :, None], times=t, names=["x"])
        >>> runs.with_velocities().names
        ('x', 'vx')
        """
        if self.in_degrees:
            levels = known_noise(noise, self.names)
            if levels is not None:
                told = [name in self.in_degrees for name in self.names]
                levels = levels * np.where(told, np.pi / 180, 1.0)
            return self.in_radians(self.in_degrees).with_velocities(levels)
        ranges = np.maximum.reduceat(self.rows, self.offsets[:-1])
        ranges = ranges - np.minimum.reduceat(self.rows, self.offsets[:-1])
        moving = [int(i) for i in np.flatnonzero(ranges.max(axis=0) > 0)]
        positions = position_columns(self.names, self.roles, moving)
        roles = list(self.roles or position_roles(self.names, positions))
        rows = unwrapped(self.rows, self.offsets, [i for i in moving if roles[i] == "angle"])
        levels = known_noise(noise, self.names)
        if levels is None:
            levels = noise_scale(rows, self.row_times, self.offsets)
        found = form(rows[:, moving], self.row_times, self.offsets, levels[moving])
        # Values of all moving columns, then the slopes of positions.
        slopes = [len(moving) + moving.index(i) for i in positions]
        kept = [*range(len(moving)), *slopes]
        size = self.dim + len(positions)
        into = [*moving, *range(self.dim, size)]
        states = np.hstack([rows[found.rows], np.zeros((len(found.rows), len(positions)))])
        states[:, into] = found.states[:, kept]
        velocities = velocity_names([self.names[i] for i in positions], self.names)
        kinds = ["angular_velocity" if roles[i] == "angle" else "velocity" for i in positions]
        long = np.flatnonzero(np.diff(found.offsets))
        cuts = found.offsets[1:-1]
        runs = Trajectories(
            states=[np.split(states, cuts)[i] for i in long],
            times=[np.split(self.row_times[found.rows], cuts)[i] for i in long],
            names=[*self.names, *velocities],
            roles=[*roles, *kinds],
            run_ids=self.run_ids[long],
        )
        runs.name, runs.equations = self.name, self.equations
        runs.in_degrees = ()  # in radians by now
        runs.formed = found.formed.among(slice(None), kept).amid(states, into)
        runs.remarks, runs.units = self.remarks, self.units
        return runs

    def in_radians(self, columns: str | Sequence[str]) -> Trajectories:
        """Return the runs with some columns turned from degrees into radians.

        Parameters
        ----------
        columns : str or sequence of str
            Angles and angular velocities in degrees. Those without a role become angles, or
            angular velocities where they are the rate of an angle among them.

        Raises
        ------
        ValueError
            For a name that is no column.
        """
        chosen = as_columns(columns, self.names, "in_radians")
        radians = np.ones(self.dim)
        radians[chosen] = np.pi / 180
        rows = self.rows * radians
        turned = Trajectories(
            states=self._by_run(rows),
            times=self._by_run(self.row_times),
            names=self.names,
            roles=turning_roles(Samples(rows, self.row_times, self.offsets), self.roles, chosen),
            run_ids=self.run_ids,
        )
        turned.name, turned.equations = self.name, self.equations
        if self.formed is not None:
            turned.formed = self.formed.inside(np.zeros(self.dim), 1 / radians)
        words = ", ".join(self.names[i] for i in chosen)
        turned.remarks = (*self.remarks, f"{words} turned from degrees into radians")
        turned.in_degrees = tuple(name for name in self.in_degrees if name not in words.split(", "))
        gone = {self.names[i] for i in chosen}
        turned.units = {name: unit for name, unit in self.units.items() if name not in gone}
        return turned

    def split(
        self, fraction: float = 0.75, random_state: int | np.random.Generator | None = None
    ) -> tuple[Trajectories, Trajectories]:
        """Part the runs at random, whole runs only, into two sets.

        Parameters
        ----------
        fraction : float
            Share of the runs in the first set, between 0 and 1; each set gets at least one run.
        random_state : int, numpy Generator or None

        Raises
        ------
        ValueError
            For fewer than two runs, or a fraction outside (0, 1).
        """
        if not 0 < fraction < 1:
            raise ValueError(
                f"fraction is {fraction}. Expected a share between 0 and 1, for example 0.75."
            )
        if self.n_runs < 2:
            raise ValueError(
                "one run cannot be split by run. Expected at least 2 runs; give more of them."
            )
        order = np.random.default_rng(random_state).permutation(self.n_runs)
        cut = int(np.clip(round(fraction * self.n_runs), 1, self.n_runs - 1))
        return self[np.sort(order[:cut])], self[np.sort(order[cut:])]

    def to_frame(self, run: str = "run", time: str = "t") -> pd.DataFrame:
        """Return a table with one row a sample: run, t, then the coordinates."""
        import pandas as pd

        taken = {run, time} & set(self.names)
        if taken or run == time:
            raise ValueError(
                f"run={run!r} and time={time!r} must differ from each other and from the "
                f"coordinates {self.names}."
            )
        columns = {run: self.run_ids[self.groups], time: self.row_times}
        return pd.DataFrame(columns | dict(zip(self.names, self.rows.T, strict=True)))

    def to_file(self, path: str | os.PathLike) -> None:
        """Write a file that ``from_file`` reads back; tables do not keep roles, NPZ and HDF5 do."""
        table = files.format_of(path).is_table
        files.write(self.to_frame() if table else self.to_arrays(), path)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return arrays that ``from_arrays`` takes back, by name.

        Runs of equal length are ``states`` (runs, steps, d) with ``times`` and ``run_ids``; others
        are rows ``X`` (rows, d) with ``t`` and ``groups``.
        """
        if self._equal_lengths():
            arrays = {"states": self.states, "times": self.times, "run_ids": self.run_ids}
        else:
            arrays = {"X": self.rows, "t": self.row_times, "groups": self.run_ids[self.groups]}
        arrays["names"] = np.array(self.names)
        if self.roles is not None:
            arrays["roles"] = np.array([role or "" for role in self.roles])
        if self.grid_spacing is not None:
            arrays["grid_spacing"] = np.array(self.grid_spacing)
        return arrays

    def _equal_lengths(self) -> bool:
        return bool(np.ptp(self.lengths) == 0)

    def _by_run(self, values: np.ndarray) -> list[np.ndarray]:
        return np.split(values, self.offsets[1:-1])
