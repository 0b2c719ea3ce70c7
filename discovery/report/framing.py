"""Framing: a report on framed coordinates becomes one on the user's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from discovery.data.coordinates import field_of
from discovery.data.frame import Frame
from discovery.formulas.simple_numbers import Numbers
from discovery.report.report import DiscoveryReport


def outside(report: DiscoveryReport, frame: Frame, numbers: Numbers) -> DiscoveryReport:
    """Return a report in the user's units, from the user's origin, in symbols of SymPy's own.

    Parameters
    ----------
    report : DiscoveryReport
        On the runs in the frame.
    frame : Frame
    numbers : Numbers
        What counts as simple in a formula.
    """
    if not frame.is_identity or frame.time_exponent:
        report = _in_units(report, frame, numbers)
    return replace(
        report,
        quantities=[q.for_users() for q in report.quantities],
        identities=[q.for_users() for q in report.identities],
    )


def _in_units(report: DiscoveryReport, frame: Frame, numbers: Numbers) -> DiscoveryReport:
    units = dict(zip(report.names, abs(frame.unit).tolist(), strict=True))
    units |= {field_of(name): unit for name, unit in units.items() if name not in report.noise}
    return replace(
        report,
        quantities=[q.outside(frame, numbers) for q in report.quantities],
        identities=[q.outside(frame, numbers) for q in report.identities],
        noise={name: level * units[name] for name, level in report.noise.items()},
    )


def retold(text: str, names: Sequence[str], frame: Frame) -> str:
    """Return words on framed coordinates with those of the user that have another origin.

    Parameters
    ----------
    text : str
    names : sequence of str
        Of the frame's coordinates.
    frame : Frame
    """
    for name, centre in zip(names, frame.centre, strict=True):
        if centre:
            sign = "-" if centre > 0 else "+"
            moved = f"({name} {sign} {float(abs(centre)):g})"
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", moved, text)
    return text
