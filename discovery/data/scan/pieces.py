"""Pieces: whole runs in the files they are stored in, read when they are needed.

A piece is small and can be sent to another machine, which reads the runs from the same files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from discovery.data.formats import FilePath
from discovery.data.tables import STEPS

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from pyarrow.dataset import ParquetFileFragment

Made = TypeVar("Made")


@dataclass(frozen=True)
class Columns:
    """Which columns of a table are what.

    Attributes
    ----------
    run, time : str or None
    names : tuple of str
        The coordinates.
    """

    run: str | None
    time: str | None
    names: tuple[str, ...]


@dataclass(frozen=True)
class Share:
    """The rows that some runs have in one row group of a file.

    Attributes
    ----------
    rows : pyarrow.dataset.ParquetFileFragment
        The row group.
    ids : tuple
        What the runs are called in the whole.
    keys : tuple or None
        Their values in the column of runs; None where runs are stretches of rows.
    spans : tuple of (int, int)
        First row and end of each run, where there are no keys.
    """

    rows: ParquetFileFragment
    ids: tuple
    keys: tuple | None = None
    spans: tuple[tuple[int, int], ...] = ()

    def table(self, columns: Columns) -> pd.DataFrame:
        """Return these rows with a column of run ids, the last one."""
        import pyarrow.compute as pc

        told = (columns.time, *columns.names, *(() if self.keys is None else (columns.run,)))
        table = rows_of(self.rows, [name for name in told if name is not None])
        if self.keys is None:
            places = np.repeat(np.arange(len(self.ids)), [b - a for a, b in self.spans])
            at = np.concatenate([np.arange(a, b) for a, b in self.spans])
            frame = (table if len(at) == len(table) else table.take(at)).to_pandas(
                ignore_metadata=True
            )
        else:
            column = plain(table[columns.run])
            found = pc.index_in(column, value_set=_array(self.keys, column))
            table = table.filter(pc.is_valid(found))
            places = found.drop_null().to_numpy()
            frame = table.drop_columns([columns.run]).to_pandas(ignore_metadata=True)
        return frame.assign(**{RUN: np.array(self.ids)[places]})


# The column of run ids in what a share returns; no column of a user is called so.
RUN = "run id "


@dataclass(frozen=True)
class Piece(Generic[Made]):
    """Some whole runs.

    Attributes
    ----------
    shares : tuple of Share
        In the order in which a run goes on.
    columns : Columns
    make : callable
        From a table and the columns of runs and times to runs.
    n_rows : int
        As stored.
    """

    shares: tuple[Share, ...]
    columns: Columns
    make: Callable[..., Made]
    n_rows: int

    def read(self) -> Made:
        """Return the runs.

        Raises
        ------
        ValueError
            As `Trajectories.from_frame`, naming the files.
        """
        import pandas as pd

        frames = [share.table(self.columns) for share in self.shares]
        frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
        time = STEPS if self.columns.time is None else self.columns.time
        try:
            return self.make(frame, run=RUN, time=time, names=list(self.columns.names))
        except ValueError as error:
            files = in_words([share.rows.path for share in self.shares])
            raise ValueError(f"{files}: {error}") from error


def rows_of(rows: ParquetFileFragment, names: Sequence[str]) -> pa.Table:
    """Read some columns of a row group; what is no column there is in the names of its folders.

    Raises
    ------
    ValueError
        For a damaged file.
    """
    import pyarrow as pa
    from pyarrow.dataset import get_partition_keys

    with intact(rows.path):
        stored = rows.physical_schema.names
        table = rows.to_table(columns=[name for name in names if name in stored], use_threads=False)
        told = get_partition_keys(rows.partition_expression)
        for name in names:
            if name not in stored:
                n_rows = rows.count_rows()
                table = table.append_column(name, pa.chunked_array([pa.repeat(told[name], n_rows)]))
        return table


@contextmanager
def intact(path: FilePath) -> Iterator[None]:
    """Say which file is damaged, where reading it fails.

    Raises
    ------
    ValueError
    """
    import pyarrow as pa

    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise ValueError(
            f"{path} could not be read as parquet: {error}. Check that the file is whole, or leave "
            "it out."
        ) from error


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column whose values stand in it, and not in a dictionary beside it."""
    import pyarrow as pa

    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def in_words(paths: Sequence[str]) -> str:
    """Name the files that something was found in."""
    names = list(dict.fromkeys(paths))
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"


def _array(values: Sequence[Any], like: pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, type=like.type)
