"""Files that the command line writes: whether they can be is known before the analysis."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from discovery.report.report import DiscoveryReport

_WRITERS: dict[str, Callable[[DiscoveryReport, str], str | None]] = {
    "html": lambda report, path: report.to_html(path),
    "markdown": lambda report, path: report.to_markdown(path),
    "latex": lambda report, path: report.to_latex(path),
    "save": lambda report, path: report.save(path),
    "plot": lambda report, path: _picture(report, path),
}


def check_outputs(options: argparse.Namespace) -> None:
    """Refuse files that cannot be written or hold the data, and pictures of an unknown kind.

    Raises
    ------
    ValueError
    """
    asked = list(_asked(options))
    for name, path in asked:
        if why := _why_not(path):
            raise ValueError(f"--{name}: {path} cannot be written: {why}.")
        if _is_of(options.source, path):
            raise ValueError(f"--{name}: {path} holds the data, which would be lost. Name another.")
        if name == "plot":
            _check_picture(path)
    paths = [Path(path).resolve() for _, path in asked]
    for (name, path), place in zip(asked, paths, strict=True):
        if paths.count(place) > 1:
            raise ValueError(f"--{name}: {path} is named twice. Expected a file for each output.")


def write_outputs(report: DiscoveryReport, options: argparse.Namespace) -> None:
    """Write the report to each file that is asked for.

    Raises
    ------
    ValueError
        Where one cannot be written.
    """
    for name, path in _asked(options):
        try:
            _WRITERS[name](report, path)
        except OSError as error:
            raise ValueError(f"--{name}: {path} cannot be written: {error.strerror}.") from error


def _asked(options: argparse.Namespace) -> Iterator[tuple[str, str]]:
    for name in _WRITERS:
        if getattr(options, name) is not None:
            yield name, getattr(options, name)


def _why_not(path: str) -> str:
    """Return why there can be no file of this name; empty where there can."""
    folder = Path(path).parent
    if not path or Path(path).is_dir():
        return "it is no name of a file"
    if not folder.is_dir():
        return f"there is no folder {folder}"
    if not os.access(Path(path) if Path(path).exists() else folder, os.W_OK):
        return "permission denied"
    return ""


def _is_of(source: str | None, path: str) -> bool:
    """Tell whether a file is what is analysed, or one of a folder or of a pattern."""
    if source is None or not Path(path).exists():
        return False
    files = list(Path(source).iterdir()) if Path(source).is_dir() else [source, *glob(source)]
    return any(os.path.exists(file) and os.path.samefile(path, file) for file in files)


def _check_picture(path: str) -> None:
    from matplotlib.backend_bases import FigureCanvasBase

    suffix = Path(path).suffix.lower().removeprefix(".")
    if suffix not in FigureCanvasBase.get_supported_filetypes():
        raise ValueError(
            f"--plot: {path} has no ending of a picture. Expected one such as .png, .svg or .pdf."
        )


def _picture(report: DiscoveryReport, path: str) -> None:
    """Draw the laws along runs, a portrait of runs, and the spectrum, below each other."""
    from matplotlib.figure import Figure

    from discovery.report.pictures.laws import InvariantDisplay

    laws = InvariantDisplay.all_of(report)
    portrait = [] if report.shown is None else ["portrait"]
    heights = [2.2] * len(laws) + [4.0] * len(portrait) + [1.4 + 0.3 * len(report.spectrum)]
    figure = Figure(figsize=(7, sum(heights)), layout="constrained")
    axes = figure.subplots(len(heights), height_ratios=heights, squeeze=False).ravel()
    for law, ax in zip(laws, axes[: len(laws)], strict=True):
        law.plot(ax)
    for kind, ax in zip([*portrait, "spectrum"], axes[len(laws) :], strict=True):
        report.plot(kind, ax=ax)
    figure.savefig(path)
