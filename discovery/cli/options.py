"""Options of the command line, and what their values mean."""

from __future__ import annotations

import argparse

_DESCRIPTION = """\
Find what is conserved along trajectories: how many quantities, which formulas, how sure.

SOURCE is the name of a data set (see --list), or your own runs: a file, a folder or a pattern
('runs/*.csv') with a file a run, or - for standard input. Runs are of one system from different
initial states, each with its samples in time order. Without a column of run ids it is one run, and
another one starts where time goes back. As a table:

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
  python -m discovery runs.csv
      your own table: separator, decimal mark, units in titles, and the columns of runs and times
      are seen; every other column is a coordinate
  python -m discovery runs.csv --run orbit --time clock --columns "x,v"
      say which columns are which
  python -m discovery runs.csv --roles "x=position,u=velocity" --library mechanics
      say what the columns are, and which functions to try
  python -m discovery runs/ --no-model
      a folder of Parquet files larger than memory: searched in part, and judged on all
  python -m discovery kdv --noise 0.05 --html kdv.html
      a field on a grid: mass, momentum, energy as integrals; and a page to look at
  python -m discovery runs.csv --plot laws.pdf --markdown laws.md --save laws.json
      pictures for a talk, a table for notes, and the report itself, to be loaded in Python
  python -m discovery runs.csv --explain
      every number in a sentence, with the checks that decided
  python -m discovery kepler --json | python -m json.tool
      the same report for a program

how to read the report:
  conserved within noise; drift above 2.9 % excluded
             a law: on runs that took no part in finding it, it moves as noise does; drift
             is systematic motion along a run, as a share of the formula's spread between runs
  coefficient of v**2 ± 0.003
             a standard error; a law has no scale of its own: the 1 or ½ of a term is it
  nearly conserved: drifts by 0.5 %
             no law: it moves by more than noise does, by far less than its spread
  decays: rate 0.021 ± 0.0003
             no law: what is left without friction, which takes of it; with its loss, loss
             time and quality factor
  constant along the run to 0.3 % of its terms' motion
             one run, or fewer than eight: no law yet; it may be an accident of this orbit
  confidence 0.98
             the share of resamples of the judging runs in which the same laws pass
  undecided  these runs cannot tell; the report says what to measure next

exit status: 0 with a report, whatever it says; 2 for input that cannot be analysed; 130 when
stopped by Ctrl-C.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    out = argparse.ArgumentParser(
        prog="ndm-discover",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    out.add_argument("source", nargs="?", metavar="SOURCE", help="name of a data set, file, folder")
    out.add_argument("--list", action="store_true", help="list the data sets and stop")
    out.add_argument("--version", action="store_true", help="print the version and stop")
    _add_data_set(out)
    _add_file(out)
    _add_columns(out)
    _add_search(out)
    _add_output(out)
    return out


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
    group = parser.add_argument_group("a file, folder, pattern, or - for standard input")
    group.add_argument("--run", metavar="COLUMN", help="column of run ids (run, trial, id, …)")
    group.add_argument(
        "--time",
        metavar="COLUMN",
        help="column of times (t, time, seconds, …); steps for samples at equal distances",
    )
    group.add_argument(
        "--columns", metavar="NAME,…", help="columns that are coordinates (the others)"
    )
    group.add_argument(
        "--drop-missing",
        action="store_true",
        default=None,
        help="leave out samples with missing values",
    )
    group.add_argument(
        "--sep", metavar="MARK", help="between cells: comma, semicolon, tab, space, bar (as seen)"
    )
    group.add_argument("--decimal", metavar="MARK", help="point or comma (as seen)")
    group.add_argument("--encoding", metavar="NAME", help="utf-8, latin-1, utf-16, … (as seen)")
    group.add_argument(
        "--roles",
        metavar="NAME=ROLE,…",
        help="what coordinates are: position, velocity, momentum, angle, angular_velocity, amount, "
        "field (u*=field for u1, u2, …), parameter, time, other",
    )
    group.add_argument(
        "--grid-spacing",
        metavar="LENGTH",
        help="of fields (columns u1, u2, … or u_1_1, u_1_2, … with the role field): distance of "
        "grid points, or one an axis, 0.2,0.3 (1)",
    )


def _add_columns(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what was measured")
    group.add_argument("--degrees", metavar="NAME,…", help="columns that are angles in degrees")
    group.add_argument(
        "--positions-only",
        action="store_true",
        default=None,
        help="form velocities from the positions",
    )
    group.add_argument(
        "--noise-level",
        metavar="SIZE",
        help="standard deviation of the noise where it is known: one number, or x=0.01,v=0.2; "
        "0 where there is none",
    )
    group.add_argument(
        "--constants",
        metavar="NAME=VALUE,…",
        help="constants that coefficients may be multiples of: g=9.81",
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
        "--max-drift",
        type=float,
        metavar="SHARE",
        help="what is called nearly conserved drifts by less than this share of its spread (0.02)",
    )
    group.add_argument(
        "--bodies",
        type=int,
        metavar="N",
        help="how many bodies the columns of places and velocities are of",
    )
    group.add_argument(
        "--box",
        metavar="LENGTHS",
        help="length of a periodic box that the bodies are in, or one for each axis: 12 or 12,12,8",
    )
    group.add_argument(
        "--max-rows",
        type=int,
        metavar="N",
        help="of more rows so many are searched (200000); Parquet files are judged on all",
    )
    group.add_argument(
        "--client",
        metavar="ADDRESS",
        help="scheduler of a Dask cluster whose workers judge the rows of large Parquet files",
    )
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of all that is drawn (0)")


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    printed = group.add_mutually_exclusive_group()
    printed.add_argument("--json", action="store_true", help="print the report as JSON")
    printed.add_argument(
        "--explain",
        action="store_true",
        help="print every number of the report in a sentence, and what decided each verdict",
    )
    group.add_argument("--html", metavar="FILE", help="write a page with pictures as well")
    group.add_argument("--markdown", metavar="FILE", help="write the report as Markdown as well")
    group.add_argument(
        "--latex", metavar="FILE", help="write a table of the laws for a LaTeX document as well"
    )
    group.add_argument(
        "--plot",
        metavar="FILE",
        help="draw the laws along runs, a portrait of runs and the spectrum as well: .png, .svg, "
        ".pdf",
    )
    group.add_argument(
        "--save",
        metavar="FILE",
        help="write the whole report as well, for DiscoveryReport.load(FILE) in Python",
    )
    group.add_argument(
        "--progress",
        action="store_true",
        help="show progress on stderr, also where this is no terminal",
    )
    group.add_argument("--quiet", action="store_true", help="show no progress at all")
