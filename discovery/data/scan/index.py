"""The index of scanned files: which run has how many rows in which row group.

Only the columns of runs and times are read for it, a row group at a time. A run may span row groups
and files. Where an id is in several files, it is one run if its times go on from file to file, in
the order of their names; else each file has runs of its own, as files of one run have.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from discovery.data.scan.pieces import Columns, Share, plain, rows_of

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.dataset import ParquetFileFragment


@dataclass(frozen=True)
class _Entry:
    """The rows of one run in one row group."""

    group: int
    file: str
    key: Any
    rows: int
    first: Any
    last: Any
    start: int = 0


@dataclass(frozen=True)
class RunIndex:
    """Where runs are.

    Attributes
    ----------
    run_ids : (runs,) array
        In the order in which they first appear.
    lengths : (runs,) array of int
        Rows of each.
    groups : list of pyarrow.dataset.ParquetFileFragment
        Row groups.
    entries : list of tuples (group, key, start, rows), one list a run
    keyed : bool
        Whether a column tells runs apart.
    """

    run_ids: np.ndarray
    lengths: np.ndarray
    groups: list[ParquetFileFragment]
    entries: list[list[tuple[int, Any, int, int]]]
    keyed: bool

    @classmethod
    def of(cls, files: dict[str, ParquetFileFragment], columns: Columns) -> RunIndex:
        """Read the columns of runs and times.

        Parameters
        ----------
        files : dict from the name of a file to it
        columns : Columns

        Raises
        ------
        ValueError
            For rows without a run id, files without rows, and runs that go on in some files and
            start anew in others.
        """
        groups: list[ParquetFileFragment] = []
        found: list[_Entry] = []
        for name, file in files.items():
            entries = _runs_of_file(name, file, columns, len(groups))
            groups += file.split_by_row_group()
            found += entries
        if not found:
            raise ValueError(f"{next(iter(files))} holds no rows. Expected one row a sample.")
        apart = columns.run is None or _own_in_each_file(found)
        places: dict[Any, int] = {}
        where: list[list[tuple[int, Any, int, int]]] = []
        for one in found:
            place = places.setdefault((one.file, one.key) if apart else one.key, len(places))
            if place == len(where):
                where.append([])
            where[place].append((one.group, one.key, one.start, one.rows))
        ids = list(places)
        if apart:
            per_file = defaultdict(int)
            for file, _ in ids:
                per_file[file] += 1
            alone = len(files) == 1
            ids = [
                key if alone else file if per_file[file] == 1 else f"{file}/{key}"
                for file, key in ids
            ]
        lengths = np.array([sum(rows for *_, rows in own) for own in where])
        return cls(np.array(ids), lengths, groups, where, columns.run is not None)

    def shares(self, runs: Sequence[int]) -> tuple[Share, ...]:
        """Return what has to be read of some runs.

        Parameters
        ----------
        runs : sequence of int
            Their places.
        """
        wanted: dict[int, list[tuple[int, Any, int, int]]] = defaultdict(list)
        for run in runs:
            for group, key, start, rows in self.entries[run]:
                wanted[group].append((run, key, start, rows))
        out = []
        for group in sorted(wanted):
            own = wanted[group]
            ids = tuple(self.run_ids[run] for run, *_ in own)
            keys = tuple(key for _, key, *_ in own)
            spans = tuple((start, start + rows) for *_, start, rows in own)
            rows = self.groups[group]
            out.append(Share(rows, ids, keys) if self.keyed else Share(rows, ids, None, spans))
        return tuple(out)


def _runs_of_file(
    name: str, file: ParquetFileFragment, columns: Columns, first_group: int
) -> list[_Entry]:
    """Return the runs of a file, by row groups."""
    if columns.run is None:
        return list(_by_restarts(name, file, columns, first_group))
    return list(_by_column(name, file, columns, first_group))


def _by_column(
    name: str, file: ParquetFileFragment, columns: Columns, first_group: int
) -> Iterator[_Entry]:
    read = [columns.run, *([] if columns.time is None else [columns.time])]
    for number, group in enumerate(file.split_by_row_group(), start=first_group):
        table = rows_of(group, read)
        if not len(table):
            continue
        column = plain(table[columns.run]).combine_chunks()
        if column.null_count:
            row = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
            raise ValueError(
                f"{file.path}: column {columns.run!r} has no run id at row {row} of a row group. "
                "Fill it in, or drop the row."
            )
        coded = column.dictionary_encode()
        codes = coded.indices.to_numpy()
        keys = coded.dictionary.to_pylist()
        at = np.arange(len(codes))
        first, last = np.empty(len(keys), dtype=int), np.empty(len(keys), dtype=int)
        first[codes[::-1]], last[codes] = at[::-1], at
        times = None if columns.time is None else _comparable(table[columns.time])
        counts = np.bincount(codes, minlength=len(keys))
        for k, key in enumerate(keys):
            ends = (None, None) if times is None else (times[first[k]], times[last[k]])
            yield _Entry(number, name, key, int(counts[k]), *ends)


def _by_restarts(
    name: str, file: ParquetFileFragment, columns: Columns, first_group: int
) -> Iterator[_Entry]:
    """Yield the runs of a file without a column of them: where time goes back, one more starts."""
    run, before = 0, None
    for number, group in enumerate(file.split_by_row_group(), start=first_group):
        if columns.time is None:
            rows = group.count_rows()
            if rows:
                yield _Entry(number, name, 0, rows, None, None)
            continue
        times = _comparable(rows_of(group, [columns.time])[columns.time])
        if not len(times):
            continue
        run += int(before is not None and times[0] < before)
        before = times[-1]
        cuts = np.flatnonzero(times[1:] < times[:-1]) + 1
        for start, end in zip([0, *cuts], [*cuts, len(times)], strict=True):
            run += int(start > 0)
            yield _Entry(number, name, run, int(end - start), None, None, int(start))


def _comparable(column: pa.ChunkedArray) -> np.ndarray:
    """Return times as numbers or text, whatever can be compared."""
    import pyarrow as pa

    column = plain(column)
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.int64() if column.type.bit_width == 64 else pa.int32())
    return column.to_numpy()


def _own_in_each_file(entries: Sequence[_Entry]) -> bool:
    """Tell whether ids count the runs of each file, and not those of all.

    Raises
    ------
    ValueError
        Where some runs go on in another file and some start anew.
    """
    ends: dict[Any, dict[str, tuple[Any, Any]]] = defaultdict(dict)
    for one in entries:
        first = ends[one.key].get(one.file, (one.first, None))[0]
        ends[one.key][one.file] = (first, one.last)
    several = {key: list(files.values()) for key, files in ends.items() if len(files) > 1}
    going_on = {
        key
        for key, spans in several.items()
        if all(a[1] is not None and b[0] > a[1] for a, b in itertools.pairwise(spans))
    }
    if going_on and len(going_on) < len(several):
        anew = next(key for key in several if key not in going_on)
        files = list(ends[anew])
        raise ValueError(
            f"run {next(iter(going_on))!r} goes on in another file, and run {anew!r} starts anew "
            f"in {files[1]} (it is in {files[0]} too). Expected ids that are the same run in all "
            "files, their rows in the order of the files' names; or ids of each file's own."
        )
    return bool(several) and not going_on
