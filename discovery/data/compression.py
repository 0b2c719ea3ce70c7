"""Compressed files: .gz, .bz2, .xz, and .zip with one file inside."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

_OPEN: dict[str, Callable] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
SUFFIXES = (*_OPEN, ".zip")


def is_compressed(path: str | os.PathLike) -> bool:
    """Tell whether the last suffix is that of a compression."""
    return Path(path).suffix.lower() in SUFFIXES


def inner_name(path: str | os.PathLike) -> str:
    """Return the name of what a file holds, without a suffix of compression.

    Of a ``.zip`` this is the name of the one file inside where there is such an archive.
    """
    path = Path(path)
    if path.suffix.lower() == ".zip" and path.is_file():
        with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(path) as archive:
            members = _files(archive)
            if len(members) == 1:
                return Path(members[0]).name
    return path.stem if is_compressed(path) else path.name


def expanded(path: str | os.PathLike) -> tuple[str, bytes]:
    """Return the name and the content of the file inside.

    Raises
    ------
    ValueError
        For a ``.zip`` with no file inside, or several.
    OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile
        For damaged files.
    """
    path = Path(path)
    if path.suffix.lower() != ".zip":
        with _OPEN[path.suffix.lower()](path, "rb") as file:
            return path.stem, file.read()
    with zipfile.ZipFile(path) as archive:
        members = _files(archive)
        if len(members) != 1:
            raise ValueError(
                f"it holds {len(members)} files, expected one. Unpack it, and name the folder"
            )
        if archive.getinfo(members[0]).flag_bits & 1:
            raise ValueError("it is encrypted")
        return Path(members[0]).name, archive.read(members[0])


def pack(data: bytes, path: str | os.PathLike) -> None:
    """Write a compressed file.

    Parameters
    ----------
    data : bytes
    path : path whose last suffix is that of a compression
    """
    path = Path(path)
    if path.suffix.lower() != ".zip":
        with _OPEN[path.suffix.lower()](path, "wb") as file:
            file.write(data)
        return
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(path.stem, data)


def _files(archive: zipfile.ZipFile) -> list[str]:
    # macOS adds files of its own.
    return [
        name
        for name in archive.namelist()
        if not name.endswith("/") and not name.startswith("__MACOSX")
    ]
