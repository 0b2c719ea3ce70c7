"""The command line: a data set or runs of one's own in, the report of conserved quantities out."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence

from discovery.cli.messages import in_options
from discovery.cli.options import parser

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
        print(_answer(options), flush=True)
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
        from importlib.metadata import version

        return f"ndm-discover {version('keras-ndm')}"
    if options.list:
        return _list(options.json)
    from discovery.cli.analysis import report_of
    from discovery.cli.output import check_page, write_page

    check_page(options.html)
    report = report_of(options)
    write_page(report, options.html)
    if options.json:
        return json.dumps(report.to_dict(), indent=2, ensure_ascii=False)
    return str(report)


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
