"""Pages that the command line writes: whether they can be is known before the analysis."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from discovery.report.report import DiscoveryReport


def check_page(path: str | None) -> None:
    """Refuse a page that cannot be written.

    Raises
    ------
    ValueError
    """
    if path is None:
        return
    folder = Path(path).parent
    if not path or Path(path).is_dir():
        why = "it is no name of a file"
    elif not folder.is_dir():
        why = f"there is no folder {folder}"
    elif not os.access(Path(path) if Path(path).exists() else folder, os.W_OK):
        why = "permission denied"
    else:
        return
    raise ValueError(f"--html: {path} cannot be written: {why}.")


def write_page(report: DiscoveryReport, path: str | None) -> None:
    """Write the report as a page, where one is asked for.

    Raises
    ------
    ValueError
        Where it cannot be written.
    """
    if path is None:
        return
    try:
        report.to_html(path)
    except OSError as error:
        raise ValueError(f"--html: {path} cannot be written: {error.strerror}.") from error
