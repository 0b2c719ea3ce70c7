"""File formats: tables (CSV, TSV, Parquet) and sets of named arrays (NPZ, HDF5).

Files become data frames or dicts of arrays, and these become files; `Trajectories` makes runs of
them. `register` adds a format.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

FilePath: TypeAlias = str | os.PathLike
Arrays: TypeAlias = dict[str, np.ndarray]
Content: TypeAlias = "pd.DataFrame | Arrays"


@dataclass(frozen=True)
class Format:
    """How one kind of file is read and written.

    Parameters
    ----------
    name : str
        As messages call it: ``"csv"``.
    suffixes : tuple of str
        Ends of the names of such files, in lower case: ``(".csv", ".csv.gz")``.
    is_table : bool
        True where the content is a data frame with one row a sample; False where it is a dict of
        arrays, as `Trajectories.to_arrays` returns it.
    read : callable
        ``read(path) -> content``.
    write : callable
        ``write(content, path)``.
    """

    name: str
    suffixes: tuple[str, ...]
    is_table: bool
    read: Callable[[FilePath], Content]
    write: Callable[[Content, FilePath], None]


_FORMATS: dict[str, Format] = {}


def register(*formats: Format) -> None:
    """Make formats known to everything that reads or writes runs, by their suffixes.

    Raises
    ------
    ValueError
        For a suffix that another format has.
    """
    for new in formats:
        for suffix in new.suffixes:
            if suffix in _FORMATS:
                raise ValueError(f"{suffix} stands for {_FORMATS[suffix].name} already.")
        _FORMATS.update(dict.fromkeys(new.suffixes, new))


def suffixes() -> tuple[str, ...]:
    """Return the suffixes of all known formats."""
    return tuple(_FORMATS)


def format_of(path: FilePath) -> Format:
    """Return the format that a file's suffix stands for.

    Raises
    ------
    ValueError
        For an unknown suffix; the message lists the known ones.
    """
    name = Path(path).name.lower()
    for suffix, known in _FORMATS.items():
        if name.endswith(suffix):
            return known
    raise ValueError(
        f"{path}: unknown kind of file. Expected a name that ends in {', '.join(_FORMATS)}."
    )


class MissingFileError(FileNotFoundError, ValueError):
    """The named file does not exist."""


def read(path: FilePath) -> Content:
    """Read a file into a data frame or a dict of arrays, as its format says.

    Raises
    ------
    MissingFileError
        When there is no such file.
    ValueError
        When the file is empty, damaged, or of another kind than its suffix says.
    """
    kind = format_of(path)
    if not Path(path).is_file():
        raise MissingFileError(f"{path}: no such file. Check the path (relative to {Path.cwd()}).")
    if Path(path).stat().st_size == 0:
        raise ValueError(f"{path} is empty. Expected {kind.name} data.")
    try:
        content = kind.read(path)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path} could not be read as {kind.name}: {error}. Check that the file is whole and "
            "that its suffix tells its format; pickled content is not read."
        ) from error
    if len(content) == 0:
        raise ValueError(f"{path} holds no rows. Expected one row a sample.")
    return content


def write(content: Content, path: FilePath) -> None:
    """Write a data frame or a dict of arrays, whichever the format of `path` holds."""
    format_of(path).write(content, path)


def _read_csv(path: FilePath, separator: str = ",") -> pd.DataFrame:
    import pandas as pd

    # pandas would rename a repeated column.
    head = pd.read_csv(path, sep=separator, skipinitialspace=True, header=None, nrows=1, dtype=str)
    titles = head.iloc[0].dropna().str.strip()
    repeated = sorted(set(titles[titles.duplicated()]))
    if repeated:
        raise ValueError(f"the table repeats the columns {repeated}; each needs a name of its own")
    frame = pd.read_csv(path, sep=separator, skipinitialspace=True)
    # A first column without a title is the index that DataFrame.to_csv writes, not a coordinate.
    return frame.drop(columns="Unnamed: 0") if frame.columns[0] == "Unnamed: 0" else frame


def _write_csv(frame: pd.DataFrame, path: FilePath, separator: str = ",") -> None:
    frame.to_csv(path, index=False, sep=separator)


def _read_parquet(path: FilePath) -> pd.DataFrame:
    import pandas as pd

    return pd.read_parquet(path)


def _write_parquet(frame: pd.DataFrame, path: FilePath) -> None:
    frame.to_parquet(path, index=False)


def _read_npz(path: FilePath) -> Arrays:
    with np.load(path, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


def _write_npz(arrays: Arrays, path: FilePath) -> None:
    np.savez_compressed(path, **arrays)


def _read_hdf5(path: FilePath) -> Arrays:
    import h5py

    with h5py.File(path, "r") as file:
        datasets = {key: item for key, item in file.items() if isinstance(item, h5py.Dataset)}
        return {
            key: np.asarray(item.asstr()[()], dtype=str)
            if h5py.check_string_dtype(item.dtype)
            else item[()]
            for key, item in datasets.items()
        }


def _write_hdf5(arrays: Arrays, path: FilePath) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        for key, values in arrays.items():
            if values.dtype.kind == "U":
                file.create_dataset(key, data=values.tolist(), dtype=h5py.string_dtype())
            else:
                file.create_dataset(key, data=values)


register(
    Format("csv", (".csv", ".csv.gz"), True, _read_csv, _write_csv),
    Format(
        "tsv",
        (".tsv", ".tsv.gz"),
        True,
        lambda path: _read_csv(path, separator="\t"),
        lambda frame, path: _write_csv(frame, path, separator="\t"),
    ),
    Format("parquet", (".parquet",), True, _read_parquet, _write_parquet),
    Format("npz", (".npz",), False, _read_npz, _write_npz),
    Format("hdf5", (".h5", ".hdf5"), False, _read_hdf5, _write_hdf5),
)
