"""The command line: a data set or a file of runs in, the report of conserved quantities out."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import importlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from discovery.data.trajectories import Trajectories
    from discovery.report.report import DiscoveryReport


_DESCRIPTION = """\
Find what is conserved along trajectories: how many quantities, which formulas, how sure.

SOURCE is the name of a data set (see --list), or a file of your own runs. The file holds several
runs of one system from different initial states, each with its samples in time order. Without a
column of run ids it is one run, and another one starts where time goes back. As a table:

    run,t,x,u
    0,0.0,1.00,0.00
    0,0.1,0.99,-0.10
    …
    1,0.0,1.50,0.00
"""

_EPILOG = """\
examples:
  python -m discovery kepler --noise 0.01
      100 simulated orbits with 1 % noise: energy, angular momentum, Laplace-Runge-Lenz vector
  python -m discovery lorenz --noise 0.01 --no-model
      a system without a law, answered in a second because no model is trained
  python -m discovery runs.csv --run orbit --time seconds
      your own table; every other column is a coordinate
  python -m discovery runs.csv --roles "x=position,u=velocity" --library mechanics
      say what the columns are, and which functions to try
  python -m discovery kdv --noise 0.05 --html kdv.html
      a field on a grid: mass, momentum, energy as integrals; and a page to look at
  python -m discovery kepler --json | python -m json.tool
      the same report for a program

how to read the report:
  flatness   how far a formula moves along an orbit, over what noise explains: about 1
             for a law, with its 95 % interval; everything else is far above; ≤ 0.01
             where the data show no noise
  conserved within noise; drift above 2.9 % excluded
             a law: on runs that took no part in finding it, it moves as noise does; drift
             is systematic motion along an orbit, as a share of the formula's spread
             between orbits
  nearly conserved: drifts by 0.5 %
             no law: it moves by more than noise does, by far less than its spread
  constant along the run to 0.3 % of its terms' motion
             one run, or fewer than eight: no law yet; it may be an accident of this orbit
  decays: rate 0.021 ± 0.0003
             no law: what is left without friction, which takes of it; with its loss, loss
             time and quality factor
  undecided  these runs cannot tell; the report says what to measure next

exit status: 0 with a report, whatever it says; 2 for input that cannot be analysed.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process by default.
    """
    options = _parser().parse_args(argv)
    try:
        print(_list(options.json) if options.list else _answer(options), flush=True)
    except BrokenPipeError:
        # The reader (head, a pager) has seen enough; Python must not complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ValueError, ImportError) as error:
        print(f"ndm-discover: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ndm-discover",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("source", nargs="?", metavar="SOURCE", help="name of a data set, or a file")
    parser.add_argument("--list", action="store_true", help="list the data sets and stop")
    _add_data_set(parser)
    _add_file(parser)
    _add_search(parser)
    _add_output(parser)
    return parser


def _add_data_set(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("a data set")
    group.add_argument(
        "--noise",
        type=float,
        metavar="FRACTION",
        help="measurement noise, as a fraction of each coordinate's standard deviation (0)",
    )
    group.add_argument("--runs", type=int, metavar="N", help="number of runs (100)")
    group.add_argument("--steps", type=int, metavar="N", help="samples in each run (200)")


def _add_file(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("a file (.csv, .tsv, .parquet, .npz, .h5)")
    group.add_argument("--run", metavar="COLUMN", help="column of run ids (run, run_id, …)")
    group.add_argument("--time", metavar="COLUMN", help="column of times (t, time)")
    group.add_argument(
        "--roles",
        metavar="NAME=ROLE,…",
        help="what coordinates are: position, velocity, momentum, angle, angular_velocity, amount, "
        "field (u*=field for u1, u2, …), parameter, time, other",
    )
    group.add_argument(
        "--grid-spacing",
        type=float,
        metavar="LENGTH",
        help="of fields (columns u1, u2, … with the role field): distance of grid points (1)",
    )


def _add_search(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the search")
    group.add_argument(
        "--library",
        default="auto",
        metavar="NAME",
        help="candidate functions: auto (default; from simple to rich), polynomial, trigonometric, "
        "mechanics, radial, logarithmic, exponential",
    )
    group.add_argument(
        "--no-model",
        action="store_true",
        help="train no manifold: noise from the runs' own smoothness; quick, for little noise",
    )
    group.add_argument(
        "--kind",
        choices=("auto", "flow", "map"),
        help="what the samples of a run are: of a path in time (flow), or iterates of a map; by "
        "default they tell",
    )
    group.add_argument(
        "--unordered",
        action="store_true",
        help="the samples of a run are in no order, and share its constants; needs --noise-level",
    )
    group.add_argument(
        "--noise-level",
        type=float,
        metavar="SIGMA",
        help="standard deviation of the measurement noise where it is known; 0 where there is none",
    )
    group.add_argument(
        "--max-drift",
        type=float,
        metavar="SHARE",
        help="what is called nearly conserved drifts by less than this share of its spread (0.02)",
    )
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of all that is drawn (0)")


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument("--json", action="store_true", help="print the report as JSON")
    group.add_argument(
        "--html", metavar="FILE", help="write the report as a page as well, formulas typeset"
    )
    group.add_argument("--quiet", action="store_true", help="show no progress on stderr")


def _list(as_json: bool) -> str:
    from discovery.datasets import catalogue

    if as_json:
        return json.dumps(catalogue.names())
    width = max(map(len, catalogue.names()))
    systems = map(catalogue.info, catalogue.names())
    return "\n".join(
        f"{s.name:<{width}}  {s.dim:3d} coordinates, {s.count or 'no'} "
        f"law{'s' if s.count != 1 else ''}"
        for s in systems
    )


def _answer(options: argparse.Namespace) -> str:
    if options.unordered and options.noise_level is None:
        raise ValueError(
            "--unordered: samples in no order do not tell their noise. Give --noise-level, its "
            "standard deviation, or --noise-level 0 where there is none."
        )
    if options.unordered and options.kind not in (None, "auto"):
        raise ValueError(
            f"--unordered and --kind {options.kind} exclude each other: leave one out."
        )
    runs = _runs(options)
    report = _without_model(runs, options) if options.no_model else _with_model(runs, options)
    if options.html:
        _write_page(report, options.html)
    if options.json:
        return json.dumps(report.to_dict(), indent=2, ensure_ascii=False)
    return str(report)


def _write_page(report: DiscoveryReport, path: str) -> None:
    try:
        report.to_html(path)
    except OSError as error:
        raise ValueError(f"--html: {path} cannot be written: {error.strerror}.") from error


def _runs(options: argparse.Namespace) -> Trajectories:
    if options.source is None:
        raise ValueError("expected the name of a data set or a file; --help shows examples.")
    return _from_file(options) if _is_file(options.source) else _simulated(options)


def _is_file(source: str) -> bool:
    from discovery.data.files import suffixes
    from discovery.datasets import catalogue

    if os.path.sep in source or source.lower().endswith(suffixes()):
        return True
    return os.path.exists(source) and source not in catalogue.names()


def _from_file(options: argparse.Namespace) -> Trajectories:
    from discovery.data.trajectories import Trajectories

    _refuse(options, ("noise", "runs", "steps"), f"the file {options.source} is taken as it is")
    return Trajectories.from_file(
        options.source,
        run=options.run,
        time=options.time,
        roles=_roles(options.roles),
        grid_spacing=options.grid_spacing,
    )


def _simulated(options: argparse.Namespace) -> Trajectories:
    from discovery.datasets import simulation

    _refuse(
        options,
        ("run", "time", "roles", "grid_spacing"),
        f"{options.source!r} is taken as the name of a data set",
    )
    size = {"n_trajectories": options.runs, "n_steps": options.steps, "noise": options.noise}
    given = {key: value for key, value in size.items() if value is not None}
    return simulation.load(options.source, seed=options.seed, **given)


def _refuse(options: argparse.Namespace, names: Sequence[str], why: str) -> None:
    given = [f"--{name.replace('_', '-')}" for name in names if getattr(options, name) is not None]
    if given:
        raise ValueError(f"{', '.join(given)} cannot be used here: {why}.")


def _roles(text: str | None) -> dict[str, str] | None:
    if text is None:
        return None
    pairs = [part.split("=") for part in text.split(",")]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError(
            f"--roles: received {text!r}. Expected coordinate=role pairs with commas between, for "
            "example x=position,u=velocity."
        )
    return {name.strip(): role.strip() for name, role in pairs}


def _with_model(runs: Trajectories, options: argparse.Namespace) -> DiscoveryReport:
    from discovery.criteria import LAWS
    from discovery.data.readiness import check_for_analysis
    from discovery.pipeline import discover

    check_for_analysis(runs)  # before the seconds that a backend takes to load
    # No model is trained for fields, nor for runs too few for a verdict.
    if "field" not in (runs.roles or ()) and runs.n_runs >= LAWS.min_runs:
        with _quiet_start():
            importlib.import_module("keras_ndm")
    return discover(
        runs,
        library=options.library,
        noise=options.noise_level,
        kind=options.kind,
        ordered=not options.unordered,
        max_drift=options.max_drift,
        random_state=options.seed,
        verbose=not options.quiet,
    )


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


def _without_model(runs: Trajectories, options: argparse.Namespace) -> DiscoveryReport:
    import pandas as pd

    from discovery.finder import ConservedQuantityFinder

    finder = ConservedQuantityFinder(
        options.library,
        roles=runs.roles,
        noise=options.noise_level,
        grid_spacing=runs.grid_spacing,
        kind=options.kind,
        ordered=not options.unordered,
        max_drift=options.max_drift,
        random_state=options.seed,
    ).fit(pd.DataFrame(runs.rows, columns=runs.names), groups=runs.groups, times=runs.row_times)
    report = finder.report_
    return (
        dataclasses.replace(report, title=f"{runs.name}: {report.title}") if runs.name else report
    )
