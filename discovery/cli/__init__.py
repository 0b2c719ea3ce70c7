"""The command line: a data set or runs of one's own in, the report of conserved quantities out."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import discovery
from discovery.cli.messages import in_options
from discovery.cli.options import parser

if TYPE_CHECKING:
    from discovery.datasets.observed import Measured
    from discovery.datasets.system import System

# As shells report what Ctrl-C has stopped.
_STOPPED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process by default.
    """
    try:
        options = parser().parse_args(argv)
        answer = _answer(options)
        if hasattr(sys.stdout, "reconfigure"):
            # A terminal or a pipe without the letters loses these, and nothing else.
            sys.stdout.reconfigure(errors="replace")
        print(answer, flush=True)
    except BrokenPipeError:
        # The reader (head, a pager) has seen enough; Python must not complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ValueError, ImportError) as error:
        print(f"ndm-discover: {in_options(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("ndm-discover: stopped.", file=sys.stderr)
        return _STOPPED
    return 0


def _answer(options: argparse.Namespace) -> str:
    if options.version:
        return f"ndm-discover {discovery.__version__}"
    if options.list:
        return _list(options.json)
    from discovery.cli.analysis import report_of
    from discovery.cli.output import check_outputs, write_outputs

    check_outputs(options)
    report = report_of(options)
    write_outputs(report, options)
    if options.json:
        return json.dumps(report.to_dict(), indent=2, ensure_ascii=False)
    return report.explain() if options.explain else str(report)


def _list(as_json: bool) -> str:
    from discovery.datasets import catalogue

    names = [*catalogue.names(), *catalogue.measured()]
    if as_json:
        return json.dumps(names)
    width = max(map(len, names))
    return "\n".join(f"{n:<{width}}  {_described(catalogue.info(n))}" for n in names)


def _described(record: System | Measured) -> str:
    if record.count is None:
        return f"{record.dim:3d} coordinates, measured"
    laws = "law" if record.count == 1 else "laws"
    return f"{record.dim:3d} coordinates, {record.count or 'no'} {laws}"
