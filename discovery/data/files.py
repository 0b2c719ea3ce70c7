"""Files of runs: tables and sets of named arrays, known by their suffixes, also compressed.

Files become data frames or dicts of arrays, and these become files; `Trajectories` makes runs of
them. `register` adds a format.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from discovery.data import compression, formats
from discovery.data.cells import ContentError
from discovery.data.formats import Arrays, Content, FilePath

__all__ = ["Arrays", "Content", "FilePath", "Format", "MissingFileError", "read", "register"]


@dataclass(frozen=True)
class Format:
    """How one kind of file is read and written.

    Parameters
    ----------
    name : str
        As messages call it: ``"csv"``.
    suffixes : tuple of str
        Ends of the names of such files, in lower case: ``(".csv",)``. Compressed files are known
        by the suffix before that of the compression.
    is_table : bool
        True where the content to be written is a data frame with one row a sample; False where it
        is a dict of arrays, as `Trajectories.to_arrays` returns it. What is read may be either.
    read : callable
        ``read(path) -> content``.
    write : callable
        ``write(content, path)``.
    is_text : bool
        Whether ``read`` takes ``sep``, ``decimal`` and ``encoding``.
    """

    name: str
    suffixes: tuple[str, ...]
    is_table: bool
    read: Callable[..., Content]
    write: Callable[[Content, FilePath], None]
    is_text: bool = False


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


def is_known(path: FilePath) -> bool:
    """Tell whether a file's name ends as those of a known format do, compressed or not."""
    return _known(path) is not None


def format_of(path: FilePath) -> Format:
    """Return the format that a file's suffix stands for.

    Raises
    ------
    ValueError
        For an unknown suffix; the message lists the known ones.
    """
    known = _known(path)
    if known is None:
        raise ValueError(
            f"{path}: unknown kind of file. Expected a name that ends in {', '.join(_FORMATS)}, "
            f"or in one of these and {', '.join(compression.SUFFIXES)}."
        )
    return known


def _known(path: FilePath) -> Format | None:
    name = compression.inner_name(path).lower()
    return next((known for suffix, known in _FORMATS.items() if name.endswith(suffix)), None)


class MissingFileError(FileNotFoundError, ValueError):
    """The named file does not exist."""


def read(path: FilePath, **layout: str) -> Content:
    """Read a file into a data frame or a dict of arrays, as its format says.

    Parameters
    ----------
    path : path to the file, which may be compressed
    **layout : str
        Of text: ``sep``, ``decimal``, ``encoding``, where they are not what they seem.

    Raises
    ------
    MissingFileError
        When there is no such file.
    MissingEngineError
        When a package is needed that is not installed; an ImportError and a ValueError.
    ValueError
        When the file is empty, damaged, or of another kind than its suffix says.
    """
    if not Path(path).is_file():
        format_of(path)
        raise MissingFileError(f"{path}: no such file. Check the path (relative to {Path.cwd()}).")
    if Path(path).stat().st_size == 0:
        raise ValueError(f"{path} is empty. Expected {format_of(path).name} data.")
    if not compression.is_compressed(path):
        return _read(path, path, layout)
    inner, data = _expanded(path, path)
    return read_bytes(data, inner, f"{path}", **layout)


def _expanded(path: FilePath, title: FilePath) -> tuple[str, bytes]:
    try:
        return compression.expanded(path)
    except Exception as error:  # as below
        raise ValueError(f"{title} could not be read: {error}. Check that it is whole.") from error


def read_bytes(data: bytes, name: str, title: str, **layout: str) -> Content:
    """Read the content of a file, as the suffix of its name says.

    Parameters
    ----------
    data : bytes
    name : str
        Of the file: ``"runs.csv"``.
    title : str
        What messages call it.
    **layout : str
        As for `read`.

    Raises
    ------
    ValueError
        As for `read`.
    """
    known = format_of(name)
    if not data:
        raise ValueError(f"{title} is empty. Expected {known.name} data.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"data{Path(name).suffix.lower()}"
        path.write_bytes(data)
        if not compression.is_compressed(path):
            return _read(path, title, layout)
        return read_bytes(_expanded(path, title)[1], compression.inner_name(name), title, **layout)


def _read(path: FilePath, title: FilePath, layout: dict[str, str]) -> Content:
    kind = format_of(path)
    unknown = sorted(set(layout) - {"sep", "decimal", "encoding"})
    if unknown or (layout and not kind.is_text):
        raise ValueError(
            f"{title}: {'=, '.join(unknown or layout)}= cannot be given for {kind.name}. Expected "
            "sep=, decimal= or encoding=, for tables of text alone."
        )
    try:
        content = kind.read(path, **layout)
    except ImportError as error:
        raise formats.MissingEngineError(f"{title}: {error}") from error
    except ContentError as error:
        raise ContentError(f"{title}: {error}.") from error
    except Exception as error:  # the readers of many packages raise whatever they like
        said = f"{error}".strip().removesuffix(".").replace(os.fspath(path), f"{title}")
        raise ValueError(
            f"{title} could not be read as {kind.name}: {said}. Check that the file is whole and "
            "that its suffix tells its format; pickled content is not read."
        ) from error
    if len(content) == 0:
        raise ValueError(f"{title} holds no rows. Expected one row a sample.")
    return content


def write(content: Content, path: FilePath) -> None:
    """Write a data frame or a dict of arrays, whichever the format of `path` holds."""
    kind = format_of(path)
    if not compression.is_compressed(path):
        kind.write(content, path)
        return
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / f"data{kind.suffixes[0]}"
        kind.write(content, plain)
        compression.pack(plain.read_bytes(), path)


register(
    Format("csv", (".csv",), True, formats.read_text, formats.write_csv, is_text=True),
    Format("tsv", (".tsv", ".txt", ".dat"), True, formats.read_text, formats.write_tsv, True),
    Format("Excel", (".xlsx", ".xls", ".ods"), True, formats.read_excel, formats.write_excel),
    Format("parquet", (".parquet",), True, formats.read_parquet, formats.write_parquet),
    Format("feather", (".feather",), True, formats.read_feather, formats.write_feather),
    Format("JSON", (".json", ".jsonl"), False, formats.read_json, formats.write_json),
    Format("npz", (".npz",), False, formats.read_npz, formats.write_npz),
    Format("npy", (".npy",), False, formats.read_npy, formats.refuse_to_write),
    Format("MATLAB", (".mat",), False, formats.read_mat, formats.refuse_to_write),
    Format("hdf5", (".h5", ".hdf5"), False, formats.read_hdf5, formats.write_hdf5),
)
