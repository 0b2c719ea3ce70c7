"""From options to runs, and from runs to their report."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import math
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from discovery.cli.values import lengths_in, names_in, noise_in, numbers_in, pairs_in

if TYPE_CHECKING:
    from discovery.data.scan.scanned import Scan
    from discovery.data.trajectories import Trajectories
    from discovery.report.report import DiscoveryReport

_OF_DATA_SETS = ("noise", "runs", "steps")
_OF_FILES = (
    *("run", "time", "columns", "drop_missing", "sep", "decimal", "encoding", "roles"),
    "grid_spacing",
)


def report_of(options: argparse.Namespace) -> DiscoveryReport:
    """Return the report that the options ask for.

    Raises
    ------
    ValueError
        For what cannot be analysed.
    """
    from discovery.laws.progress import shown

    given = _of_search(options)
    if options.constants is not None:
        given["constants"] = numbers_in("--constants", options.constants, "g=9.81")
    if options.client is not None:
        given["client"] = options.client
    runs = _runs(options)
    if options.noise_level is not None:
        given["noise"] = noise_in("--noise-level", options.noise_level, runs.names)
    runs, given = _as_measured(runs, options, given)
    verbose = options.progress or (sys.stderr.isatty() and not options.quiet)
    with shown(verbose):
        if options.no_model:
            return _without_model(runs, options, given)
        return _with_model(runs, options, given | {"verbose": verbose})


def _of_search(options: argparse.Namespace) -> dict[str, str | float | bool]:
    """Return what the search is told, by its names in Python; what is not given has its default."""
    if options.unordered and options.noise_level is None:
        raise ValueError(
            "--unordered: samples in no order do not tell their noise. Give --noise-level, its "
            "standard deviation, or --noise-level 0 where there is none."
        )
    if options.unordered and options.kind not in (None, "auto"):
        raise ValueError(
            f"--unordered and --kind {options.kind} exclude each other: leave one out."
        )
    told = {"kind": options.kind, "max_drift": options.max_drift}
    told["ordered"] = False if options.unordered else None
    told |= {"bodies": options.bodies, "max_rows": options.max_rows}
    told["box"] = None if options.box is None else lengths_in("--box", options.box)
    return {name: value for name, value in told.items() if value is not None}


def _runs(options: argparse.Namespace) -> Trajectories | Scan[Trajectories]:
    if options.source is None:
        raise ValueError("expected the name of a data set or a file; --help shows examples.")
    if not _is_file(options.source):
        return _simulated(options)
    return _scanned(options) or _from_file(options)


def _is_file(source: str) -> bool:
    from discovery.data import files, sources
    from discovery.datasets import catalogue

    known = (*catalogue.names(), *catalogue.measured())
    if source == sources.STANDARD_INPUT or os.path.sep in source or sources.is_pattern(source):
        return True
    return files.is_known(source) or (os.path.exists(source) and source not in known)


def _from_file(options: argparse.Namespace) -> Trajectories:
    from discovery.data.trajectories import Trajectories

    _refuse(options, _OF_DATA_SETS, f"the file {options.source} is taken as it is")
    layout = {key: getattr(options, key) for key in ("sep", "decimal", "encoding")}
    given = {key: value for key, value in layout.items() if value is not None}
    if options.drop_missing:
        given["missing"] = "drop"
    if options.columns is not None:
        given["names"] = names_in("--columns", options.columns)
    if options.roles is not None:
        given["roles"] = pairs_in("--roles", options.roles, "x=position,u=velocity")
    return Trajectories.from_file(
        options.source,
        run=options.run,
        time=options.time,
        grid_spacing=(
            None
            if options.grid_spacing is None
            else lengths_in("--grid-spacing", options.grid_spacing)
        ),
        **given,
    )


def _scanned(options: argparse.Namespace) -> Scan[Trajectories] | None:
    """Return Parquet files of more rows than are searched; None where there are no such files."""
    from discovery.data.row_limit import MAX_ROWS
    from discovery.data.scan.scanned import is_parquet
    from discovery.data.trajectories import Trajectories

    layout = (options.sep, options.decimal, options.encoding, options.grid_spacing)
    if any(given is not None for given in layout) or not is_parquet(options.source):
        return None
    try:
        n_rows = Trajectories.scan(options.source).n_rows
    except ValueError:
        return None  # reading the file says what is wrong with it
    if n_rows <= (options.max_rows or MAX_ROWS):
        return None
    _refuse(options, _OF_DATA_SETS, f"the files of {options.source} are taken as they are")
    _refuse(options, ("positions_only",), "of so many rows missing velocities are seen and formed")
    names = None if options.columns is None else names_in("--columns", options.columns)
    roles = None
    if options.roles is not None:
        roles = pairs_in("--roles", options.roles, "x=position,u=velocity")
    missing = "drop" if options.drop_missing else "raise"
    return Trajectories.scan(options.source, options.run, options.time, roles, names, missing)


def _simulated(options: argparse.Namespace) -> Trajectories:
    from discovery.datasets import simulation

    _refuse(options, _OF_FILES, f"{options.source!r} is taken as the name of a data set")
    size = {"n_trajectories": options.runs, "n_steps": options.steps, "noise": options.noise}
    given = {key: value for key, value in size.items() if value is not None}
    return simulation.load(options.source, seed=options.seed, **given)


def _as_measured(
    runs: Trajectories | Scan[Trajectories], options: argparse.Namespace, given: dict
) -> tuple[Trajectories | Scan[Trajectories], dict]:
    """Return runs in radians, with velocities, and what is given of them: noise in their units."""
    from discovery.data.flaws.reading import in_radians, radians_in, read
    from discovery.data.noise_level import known_noise
    from discovery.data.scan.scanned import Scan
    from discovery.estimation.positions import Missing, with_formed_velocities

    if isinstance(runs, Scan):
        if options.degrees is not None:
            given = given | {"degrees": names_in("--degrees", options.degrees)}
        return runs, given
    noise = known_noise(given.get("noise"), runs.names)
    if options.degrees is not None:
        names = names_in("--degrees", options.degrees)
        runs = runs.in_radians(names)
        if noise is not None:
            noise = noise * [math.pi / 180 if name in names else 1 for name in runs.names]
            given = given | {"noise": noise}
    if options.positions_only:
        if options.kind == "map" or options.unordered:
            raise ValueError(
                "--positions-only forms velocities along paths in time; --kind map and --unordered "
                "are for samples that lie on none. Leave one of them out."
            )
        runs, turns = read(runs)
        noise = None if noise is None else noise * radians_in(turns)
        runs = in_radians(runs, turns) if any(turns) else runs
        runs = with_formed_velocities(runs, Missing(tuple(range(runs.dim))), noise)
        given = {name: value for name, value in given.items() if name != "noise"}
    return runs, given


def _refuse(options: argparse.Namespace, names: Sequence[str], why: str) -> None:
    given = [f"--{name.replace('_', '-')}" for name in names if getattr(options, name) is not None]
    if given:
        raise ValueError(f"{', '.join(given)} cannot be used here: {why}.")


def _with_model(
    runs: Trajectories | Scan[Trajectories], options: argparse.Namespace, given: dict
) -> DiscoveryReport:
    from discovery.criteria import LAWS
    from discovery.data.readiness import check_for_analysis
    from discovery.data.trajectories import Trajectories
    from discovery.pipeline import discover

    fields = False
    if isinstance(runs, Trajectories):
        check_for_analysis(runs)  # before the seconds that a backend takes to load
        fields = "field" in (runs.roles or ())
    # No model is trained for fields, nor for runs too few for a verdict.
    if not fields and runs.n_runs >= LAWS.min_runs:
        with _quiet_start():
            importlib.import_module("keras_ndm")
    return discover(runs, library=options.library, random_state=options.seed, **given)


@contextlib.contextmanager
def _quiet_start() -> Iterator[None]:
    """Hide what TensorFlow writes while it loads, unless the user has set how much that is.

    It writes to the file descriptor itself, before it reads TF_CPP_MIN_LOG_LEVEL (seen in 2.21).
    """
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        yield
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    sys.stderr.flush()
    stderr = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def _without_model(
    runs: Trajectories | Scan[Trajectories], options: argparse.Namespace, given: dict
) -> DiscoveryReport:
    from discovery.finder import ConservedQuantityFinder

    finder = ConservedQuantityFinder(options.library, random_state=options.seed, **given).fit(runs)
    report, name = finder.report_, getattr(runs, "name", None)
    return replace(report, title=f"{name}: {report.title}") if name else report
