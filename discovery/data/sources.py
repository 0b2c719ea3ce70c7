"""Where runs come from: a file, a folder or a pattern with a file a run, or standard input."""

from __future__ import annotations

import glob
import os
import re
import sys
from pathlib import Path

from discovery.data import files
from discovery.data.files import Content, FilePath, MissingFileError

STANDARD_INPUT = "-"
# Beginnings of files by which their kind is known where they have no name.
_BEGINNINGS = {
    b"\x1f\x8b": ".csv.gz",
    b"BZh": ".csv.bz2",
    b"\xfd7zXZ": ".csv.xz",
    b"PK": ".xlsx",
    b"PAR1": ".parquet",
    b"ARROW1": ".feather",
    b"\x93NUMPY": ".npy",
    b"\x89HDF": ".h5",
    b"MATLAB": ".mat",
    b"[": ".json",
    b"{": ".json",
}


def contents(source: FilePath, **layout: str) -> dict[str, Content]:
    """Return what a source holds: the content of each file, by its name without suffix.

    Parameters
    ----------
    source : path
        A file; a folder or a pattern like ``runs/*.csv``, of files of one kind; ``"-"`` for
        standard input.
    **layout : str
        As for `discovery.data.files.read`.

    Returns
    -------
    dict from str to content, one for a file

    Raises
    ------
    ValueError
        As `discovery.data.files.read`, for folders without files, and files of several kinds.
    """
    if source == STANDARD_INPUT:
        return {"": _standard_input(layout)}
    path = Path(source)
    if path.is_dir():
        found = _in_folder(path)
    elif is_pattern(source) and not path.exists():
        found = matching(source)
    else:
        return {"": files.read(source, **layout)}
    return {name: files.read(file, **layout) for name, file in named(found).items()}


def matching(pattern: FilePath) -> list[Path]:
    """Return the files that match a pattern.

    Raises
    ------
    MissingFileError
        Where there is none.
    """
    found = [Path(name) for name in glob.glob(os.fspath(pattern)) if os.path.isfile(name)]
    if not found:
        raise MissingFileError(f"{pattern}: no file is called so. Check the pattern.")
    return found


def named(found: list[Path]) -> dict[str, Path]:
    """Return files by their names without suffix, or paths where these repeat; orbit2 first."""
    found = sorted(found, key=lambda file: _natural(os.fspath(file)))
    return dict(zip(_names(found), found, strict=True))


def is_pattern(source: FilePath) -> bool:
    """Tell whether a path stands for all files that match it."""
    return glob.has_magic(os.fspath(source))


def _in_folder(folder: Path) -> list[Path]:
    """Return the files of runs in a folder; a file that says READ ME is none."""
    found = [
        file
        for file in folder.iterdir()
        if file.is_file()
        and not file.name.startswith((".", "~"))
        and not file.name.lower().startswith(("readme", "license"))
        and files.is_known(file)
    ]
    if not found:
        raise MissingFileError(
            f"{folder} holds no file of runs. Expected names that end in "
            f"{', '.join(files.suffixes())}."
        )
    kinds = sorted({files.format_of(file).name for file in found})
    if len(kinds) > 1:
        raise ValueError(
            f"{folder} holds files of several kinds ({', '.join(kinds)}). Say which are the runs: "
            f"{folder / '*'}{found[0].suffix}"
        )
    return found


def _names(found: list[Path]) -> list[str]:
    stems = [re.sub(r"\..*", "", file.name) or file.name for file in found]
    return stems if len(set(stems)) == len(stems) else [os.fspath(file) for file in found]


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts orbit2 before orbit10."""
    parts = re.split(r"(\d+)", name)
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts if part]


def _standard_input(layout: dict[str, str]) -> Content:
    data = sys.stdin.buffer.read()
    start = data.lstrip()[:10]
    known = (suffix for begin, suffix in _BEGINNINGS.items() if start.startswith(begin))
    suffix = next(known, ".csv")
    if suffix == ".xlsx" and b".npy" in data[:200]:
        suffix = ".npz"  # an archive as well
    return files.read_bytes(data, f"data{suffix}", "standard input", **layout)
