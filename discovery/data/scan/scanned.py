"""Scanned runs: Parquet files of which nothing is read until it is needed.

A folder, a pattern or a file; the files hold one run or many, and runs may span row groups and
files. What is asked of the whole is asked of its index (`scan.index`), and runs are read some at a
time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Generic

import numpy as np

from discovery.criteria import DATA
from discovery.data import files, sources
from discovery.data.files import FilePath, MissingFileError
from discovery.data.scan.index import RunIndex
from discovery.data.scan.pieces import Columns, Made, Piece, intact
from discovery.data.tables import frame_columns

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.dataset import FileSystemDataset

_SUFFIXES = (".parquet", ".pq", ".parq")
_EXPECTED = (
    f"Expected names that end in {', '.join(_SUFFIXES)}. What fits into memory is read by "
    "Trajectories.from_file or from_xarray; larger arrays (HDF5, Zarr, NetCDF) are written as "
    "Parquet some runs at a time: Trajectories(states[a:b], times).to_file('runs/part1.parquet')."
)
# Rows of the first file that tell which column is the time.
_HEAD = 10_000


class Scan(Generic[Made]):
    """Runs in Parquet files, as `Trajectories.scan` returns them.

    Parameters
    ----------
    path : path
        Of a folder, a file, or a pattern like ``"runs/*.parquet"``.
    make : callable
        ``make(frame, run=, time=, names=)`` makes runs of a table.
    run, time : str, optional
        As for `Trajectories.scan`.
    names : sequence of str, optional

    Attributes
    ----------
    path : str
    files : dict from a file's name to its path

    Raises
    ------
    ValueError
        Where there is no Parquet file, one is damaged, or a column that is named is not there.
    """

    def __init__(
        self,
        path: FilePath,
        make: Callable[..., Made],
        run: str | None = None,
        time: str | None = None,
        names: Sequence[str] | None = None,
    ) -> None:
        self.path, self._make = os.fspath(path), make
        self.files = _files(path)
        self._given = (run, time, names)
        there = self._stored.schema.names
        told = {"run": run, "time": None if time == "steps" else time}
        for what, name in (*told.items(), *(("names", name) for name in names or ())):
            if name is not None and name not in there:
                raise ValueError(
                    f"{what}={name!r} is no column of {self.path}; it has {_own(there)}."
                )

    def __repr__(self) -> str:
        return f"Scan({self.path!r}, {len(self.files)} files)"

    @property
    def names(self) -> tuple[str, ...]:
        """The coordinates."""
        return self.columns.names

    @property
    def n_rows(self) -> int:
        """Rows in all, as the files say."""
        return sum(self._rows_of_files)

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        return len(self.run_ids)

    @property
    def run_ids(self) -> np.ndarray:
        """(runs,) distinct ids, in the order in which they first appear."""
        return self._index.run_ids

    @property
    def lengths(self) -> np.ndarray:
        """(runs,) number of rows of each run, as stored."""
        return self._index.lengths

    @cached_property
    def columns(self) -> Columns:
        """Which columns hold runs, times and coordinates.

        Raises
        ------
        ValueError
            As `Trajectories.from_frame`.
        """
        run, time, names = self._given
        schema = self._stored.schema
        parts = list(self._stored.get_fragments())
        first = next((part for part, n in zip(parts, self._rows_of_files, strict=True) if n), None)
        first = parts[0] if first is None else first
        with intact(first.path):
            scanner = first.scanner(schema=schema, columns=_own(schema.names))
            head = scanner.head(_HEAD).to_pandas(ignore_metadata=True)
        run, time, names = frame_columns(head, run, time, names)
        return Columns(run, time, tuple(names))

    def pieces(self, max_rows: int, runs: Sequence[int] | None = None) -> list[Piece[Made]]:
        """Return runs in pieces; those that are stored beside each other are together.

        Parameters
        ----------
        max_rows : int
            That a piece has, unless a single run has more.
        runs : sequence of int, optional
            Their places, ascending; all of them by default.
        """
        runs = np.arange(self.n_runs) if runs is None else np.asarray(runs)
        out, first, size = [], 0, 0
        for at, length in enumerate(self.lengths[runs]):
            if size and size + length > max_rows:
                out.append(self._piece(runs[first:at], size))
                first, size = at, 0
            size += int(length)
        return [*out, self._piece(runs[first:], size)]

    def _piece(self, runs: Sequence[int], n_rows: int) -> Piece[Made]:
        return Piece(self._index.shares(runs), self.columns, self._make, n_rows)

    @cached_property
    def _stored(self) -> FileSystemDataset:
        from pyarrow import dataset

        with intact(next(iter(self.files.values()))):
            return dataset.dataset(
                [os.fspath(file) for file in self.files.values()],
                format="parquet",
                partitioning=dataset.partitioning(flavor="hive"),
                partition_base_dir=os.fspath(_told_folder(self.path)),
            )

    @cached_property
    def _rows_of_files(self) -> list[int]:
        counts = []
        for file in self._stored.get_fragments():
            with intact(file.path):
                counts.append(file.count_rows())
        return counts

    @cached_property
    def _index(self) -> RunIndex:
        columns = self.columns
        parts = dict(zip(self.files, self._stored.get_fragments(), strict=True))
        self._check_alike(columns)
        index = RunIndex.of(parts, columns)
        short = np.flatnonzero(index.lengths < DATA.fewest_samples)
        if short.size:
            raise ValueError(
                f"run {index.run_ids[short[0]]} has {index.lengths[short[0]]} samples "
                f"({short.size} such runs in all). Expected at least {DATA.fewest_samples}: leave "
                "these runs out, or check that the column of runs tells them apart."
            )
        return index

    def _check_alike(self, columns: Columns) -> None:
        """Refuse files whose columns are others than those of the first, or of another kind."""
        needed = [n for n in (columns.run, columns.time, *columns.names) if n is not None]
        first = self._stored.schema
        given = self._given[2] is not None
        for file in self._stored.get_fragments():
            with intact(file.path):
                own = file.physical_schema
            for name in needed:
                if name in own.names:
                    kinds = [_kind(schema.field(name).type) for schema in (first, own)]
                    if kinds[0] != kinds[1]:
                        raise ValueError(
                            f"column {name!r} holds {kinds[1]} in {file.path} and {kinds[0]} in "
                            "the first file. Expected one kind in all: mend that file."
                        )
                elif f"{name}=" not in file.path:
                    raise ValueError(
                        f"{file.path} has the columns {', '.join(_own(own.names))}, and no "
                        f"{name!r} as the first file has. Expected the same in each; names=[...] "
                        "chooses those to be used."
                    )
            more = [name for name in _own(own.names) if name not in first.names]
            if more and not given:
                raise ValueError(
                    f"{file.path} has the columns {', '.join(more)}, which the first file has not. "
                    "Expected the same in each; names=[...] chooses those to be used."
                )


def _files(path: FilePath) -> dict[str, Path]:
    """Return the Parquet files that a path stands for, in the order of their names."""
    folder = Path(path)
    if folder.is_dir():
        found = [
            file
            for file in folder.rglob("*")
            if file.suffix.lower() in _SUFFIXES and not file.name.startswith((".", "_", "~"))
        ]
        if not found:
            raise MissingFileError(f"{folder} holds no Parquet file. {_EXPECTED}")
    elif folder.is_file():
        found = [folder]
    elif sources.is_pattern(path):
        found = sources.matching(path)
    else:
        raise MissingFileError(
            f"{path}: no such file or folder. Check the path (relative to {Path.cwd()})."
        )
    other = [file for file in found if file.suffix.lower() not in _SUFFIXES]
    if other:
        raise ValueError(f"{other[0]} is no Parquet file. {_EXPECTED}")
    return sources.named(found)


def _told_folder(path: FilePath) -> Path:
    """Return the folder in which names of folders, as ``run=17``, tell of the runs."""
    folder = Path(path)
    while sources.is_pattern(folder) and not folder.exists():
        folder = folder.parent
    return folder.parent if folder.is_file() else folder


def _own(names: Sequence[str]) -> list[str]:
    """Return columns without the row numbers that pandas stores."""
    return [name for name in names if not name.startswith("__index_level_")]


def _kind(kind: pa.DataType) -> str:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "numbers"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "text"
    return f"{kind}"


def is_parquet(path: FilePath) -> bool:
    """Tell whether a path stands for Parquet files, and no other files of runs.

    Parameters
    ----------
    path : path
    """
    if Path(path).is_dir() and any(
        files.is_known(file) and file.suffix.lower() not in _SUFFIXES
        for file in Path(path).iterdir()
    ):
        return False
    try:
        return bool(_files(path))
    except ValueError:
        return False
