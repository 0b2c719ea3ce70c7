"""Ways in: runs from rows, tables, labelled arrays, files, and parts of these."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike

from discovery.data import files, labelled, sources, tables, wide
from discovery.data.checks import (
    SampleError,
    as_numbers,
    as_seconds,
    group_rows,
    one_each,
    restarts,
)
from discovery.data.coordinates import Roles, as_roles
from discovery.data.flaws.missing import (
    checked_missing,
)
from discovery.data.scan.scanned import Scan

if TYPE_CHECKING:
    import pandas as pd
    import xarray


class FromOutside:
    """What `Trajectories` are made of beside arrays of states; "the constructor" is theirs."""

    @classmethod
    def from_rows(
        cls,
        rows: ArrayLike,
        groups: ArrayLike | None = None,
        times: ArrayLike | None = None,
        names: Iterable[str] | None = None,
        roles: Roles | None = None,
        grid_spacing: float | Sequence[float] | None = None,
        missing: str = "raise",
    ) -> Self:
        """Build from rows that each carry a run id.

        Parameters
        ----------
        rows : (rows, d) array-like, in time order within each run; runs may be interleaved
        groups : (rows,) run id of each row, numbers or text; runs keep the order in which they
            first appear. Without them the rows are one run, and another one starts where time goes
            back
        times : (rows,), optional
        names, roles, grid_spacing, missing : as for the constructor

        Raises
        ------
        ValueError
            As for the constructor, or when rows, groups and times differ in length.
        """
        masked = [np.ma.getmaskarray(v) for v in (rows, times) if np.ma.isMaskedArray(v)]
        rows = as_numbers(rows, "rows")
        if groups is None:
            groups = restarts(len(rows), times)
        groups = one_each(groups)
        if rows.ndim != 2 or groups.shape != rows.shape[:1]:
            raise ValueError(
                f"rows has shape {rows.shape} and groups {groups.shape}. Expected (rows, d) and "
                "(rows,)."
            )
        if len(rows) == 0:
            raise ValueError("there are no rows. Expected at least one run.")
        if times is not None:
            times = as_numbers(as_seconds(times), "times")
            if times.shape != rows.shape[:1]:
                raise ValueError(
                    f"times has shape {times.shape}, there are {len(rows)} rows. Expected one a "
                    "row."
                )
        for mask in masked:
            rows = np.ma.array(rows, mask=np.ma.getmaskarray(rows) | mask.reshape(len(rows), -1))
        order, cuts, run_ids = group_rows(groups)
        try:
            return cls(
                states=np.split(rows[order], cuts),
                times=None if times is None else np.split(times[order], cuts),
                names=names,
                roles=roles,
                run_ids=run_ids,
                grid_spacing=grid_spacing,
                missing=missing,
            )
        except SampleError as error:
            raise error.of(order[error.row]) from None

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        run: str | None = None,
        time: str | None = None,
        names: Sequence[str] | None = None,
        roles: Roles | None = None,
        grid_spacing: float | Sequence[float] | None = None,
        missing: str = "raise",
    ) -> Self:
        """Build from a table with one row a sample.

        Parameters
        ----------
        frame : pandas.DataFrame
        run, time : str, optional
            The columns of run ids and times, or levels of the index. Default: those with a usual
            name (run, trial, trajectory, experiment, id and the like; t, time, seconds, timestamp
            and the like), in upper or lower case, with or without a unit. Dates become seconds
            since the first of them; ``time="steps"`` says that samples are equally spaced. Without
            a run column, a new run begins where time goes back.
        names : sequence of str, optional
            The columns that are coordinates. Default: all the others.
        roles, grid_spacing, missing : as for the constructor

        Notes
        -----
        A wide table, with columns x_run1, x_run2 and so on, is taken apart into runs.

        Raises
        ------
        ValueError
            When a column is missing, repeated or holds text, or as for the constructor.
        """
        frame = tables.as_table(frame, run, time)
        frame = frame if run is not None else wide.as_long(frame)
        run, time, names = tables.frame_columns(frame, run, time, names)
        if run is not None:
            tables.check_run_ids(frame, run)
        try:
            runs = cls.from_rows(
                rows=np.column_stack([tables.frame_numbers(frame, name) for name in names]),
                groups=None if run is None else frame[run].to_numpy(),
                times=None if time is None else tables.frame_times(frame, time),
                names=names,
                roles=tables.roles_of(roles, names),
                grid_spacing=grid_spacing,
                missing=missing,
            )
        except SampleError as error:
            raise error.of(error.row, tables.line_of(frame, error.row)) from None
        runs.in_degrees = tables.in_degrees(frame, names)
        runs.units = tables.units_of(frame, time, names)
        return runs

    @classmethod
    def from_xarray(
        cls,
        data: xarray.Dataset | xarray.DataArray,
        run: str | None = None,
        time: str | None = None,
        roles: Roles | None = None,
        missing: str = "raise",
    ) -> Self:
        """Build from labelled arrays: variables on dimensions of runs, of time, and of space.

        Parameters
        ----------
        data : xarray.Dataset or xarray.DataArray
            Variables with dimensions of space are fields on a grid, whose spacing is that of the
            coordinates. Those without are coordinates.
        run, time : str, optional
            The dimensions of runs and of time. Default: those with a usual name (see
            `from_frame`). Without one of runs the data are one run.
        roles, missing : as for the constructor

        Raises
        ------
        ValueError
            For no dimension of time, variables on unlike dimensions, points that are not equally
            spaced, and as for the constructor.
        """
        given = labelled.contents(data, run, time)._asdict()
        n_points = given.pop("n_points")
        if n_points:
            told = as_roles(roles, tuple(given["names"])) or (None,) * len(given["names"])
            roles = ["field"] * n_points + list(told[n_points:])
        return cls(**given, roles=roles, missing=missing)

    @classmethod
    def from_arrays(
        cls,
        arrays: Mapping[str, np.ndarray],
        run: str | None = None,
        time: str | None = None,
        names: Sequence[str] | None = None,
        roles: Roles | None = None,
        grid_spacing: float | Sequence[float] | None = None,
        missing: str = "raise",
    ) -> Self:
        """Build from named arrays, as NPZ and HDF5 files hold them.

        Parameters
        ----------
        arrays : mapping from name to array
            Either ``states`` (runs, steps, d) with ``times`` and ``run_ids``, or rows ``X``
            (rows, d) with ``groups`` and ``t`` (rows,); ``names`` (d,), ``roles`` (d,), empty text
            for unknown ones, and ``grid_spacing`` may stand in both.
        run, time : str, optional
            The arrays of run ids and times, where they have other names than these.
        names, roles, grid_spacing, missing : as for the constructor; they come before those of the
            arrays

        Raises
        ------
        ValueError
            When an array is missing, or as for the constructor.
        """
        found = tables.runs_in(arrays, run, time)
        if names is None and "names" in arrays:
            names = arrays["names"].tolist()
        if roles is None and "roles" in arrays:
            roles = [role or None for role in arrays["roles"].tolist()]
        if grid_spacing is None and "grid_spacing" in arrays:
            grid_spacing = np.asarray(arrays["grid_spacing"]).tolist()
        build = cls if "states" in found else cls.from_rows
        return build(**found, names=names, roles=roles, grid_spacing=grid_spacing, missing=missing)

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike,
        run: str | None = None,
        time: str | None = None,
        roles: Roles | None = None,
        names: Sequence[str] | None = None,
        grid_spacing: float | Sequence[float] | None = None,
        missing: str = "raise",
        **layout: str,
    ) -> Self:
        """Read a file, or a folder or pattern with a file a run.

        Tables (.csv, .tsv, .txt, .dat, .xlsx, .parquet, .feather, .json) and arrays (.npz, .npy,
        .mat, .h5, .json), also compressed (.gz, .bz2, .xz, .zip). Of text the separator, the
        decimal mark, the encoding, comments and units in titles are seen from the text.

        Parameters
        ----------
        path : path
            Of a file; of a folder, or a pattern like ``"runs/*.csv"``; ``"-"`` for standard input.
        run, time : str, optional
            As for ``from_frame`` (tables) or ``from_arrays`` (arrays).
        roles, names, grid_spacing, missing : as for the constructor; names also picks the
            coordinate columns of a table
        **layout : str
            Of text: ``sep``, ``decimal`` and ``encoding``, where they are not what they seem.

        Notes
        -----
        A table without titles has the columns x0, x1, …; say which is the time. ``from_arrays``
        tells which arrays are looked for. Pickles are never read.

        Raises
        ------
        ValueError
            For a missing, empty, unreadable or unknown kind of file (a missing one is a
            FileNotFoundError too, a missing package an ImportError), a missing column or array,
            and as for the constructor.
        """
        given = {"run": run, "time": time, "names": names, "roles": roles}
        given |= {"grid_spacing": grid_spacing, "missing": missing}
        found = sources.contents(path, **layout)
        if list(found) == [""]:
            return cls._of_content(found[""], **given)
        parts = {}
        for name, content in found.items():
            try:
                parts[name] = cls._of_content(content, **given)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
        return cls.joined(parts)

    @classmethod
    def scan(
        cls,
        path: str | os.PathLike,
        run: str | None = None,
        time: str | None = None,
        roles: Roles | None = None,
        names: Sequence[str] | None = None,
        missing: str = "raise",
    ) -> Scan[Self]:
        """Return runs in Parquet files that are larger than memory; nothing but titles is read.

        `discover` and `ConservedQuantityFinder.fit` search on some of the runs, and judge what they
        find on all of them, some at a time.

        Parameters
        ----------
        path : path
            Of a folder, a file, or a pattern like ``"runs/*.parquet"``. Files hold one run or many.
        run, time, names, roles, missing : as for ``from_frame``

        Notes
        -----
        Rows of a run are in the order of time: in a file, and from file to file in the order of
        their names. Without a column of runs each file is one, and a new run begins where time goes
        back. Where an id is in several files, it is one run if its times go on from file to file;
        else each file has runs of its own. A run, and a row group of a file, must fit into memory.

        Raises
        ------
        ValueError
            Where there is no Parquet file (also a FileNotFoundError), a file is damaged, or a
            column is not there; when the runs are read, as ``from_frame``, naming the files.
        """
        checked_missing(missing)
        make = partial(cls.from_frame, roles=roles, missing=missing)
        return Scan(path, make, run, time, names)

    @classmethod
    def _of_content(cls, content: files.Content, **given: object) -> Self:
        if isinstance(content, dict):
            return cls.from_arrays(content, **given)
        tables.check_titles(content, given["time"], given["names"])
        return cls.from_frame(content, **given)

    @classmethod
    def joined(cls, parts: Mapping[str, Self]) -> Self:
        """Return the runs of several parts, as files hold them, in one set.

        Parameters
        ----------
        parts : mapping from name to runs
            A run bears the name of its part; where this has several, their ids stand behind it.

        Raises
        ------
        ValueError
            For none, or parts with different coordinates.
        """
        if not parts:
            raise ValueError("there are no parts to join. Expected at least one.")
        first_name, first = next(iter(parts.items()))
        ids, states = [], []
        for name, part in parts.items():
            if set(part.names) != set(first.names):
                raise ValueError(
                    f"{name} has the coordinates {', '.join(part.names)}, {first_name} has "
                    f"{', '.join(first.names)}. Expected the same in each; names=[...] chooses "
                    "those to be used."
                )
            alone = part.n_runs == 1
            ids += [name if alone else f"{name}/{own}" for own in part.run_ids]
            states += part._by_run(part.rows[:, [part.names.index(n) for n in first.names]])
        runs = cls(
            states=states,
            times=[times for part in parts.values() for times in part._by_run(part.row_times)],
            names=first.names,
            roles=first.roles,
            run_ids=ids,
            grid_spacing=first.grid_spacing,
        )
        runs.in_degrees, runs.units = first.in_degrees, first.units
        return runs
