"""What a report says of laws beside their judgement: drift, symmetries, and what all runs say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import sympy

from discovery.criteria import LAWS
from discovery.data.frame import Frame
from discovery.data.parameters import Parts
from discovery.data.scan.scanned import Scan
from discovery.data.trajectories import Trajectories
from discovery.estimation.orbits import Orbits
from discovery.estimation.split import PROBES
from discovery.formulas.charts import outside
from discovery.formulas.simple_numbers import Numbers
from discovery.laws.judging.law import Law
from discovery.laws.judging.trend import secular_rate
from discovery.laws.whole.judged import OnAll
from discovery.libraries.many_bodies.bodies import FEWEST_COLUMNS
from discovery.libraries.many_bodies.sums import symmetry_of
from discovery.noether.pairing import Pairing, pair
from discovery.noether.words import UNNAMED, describe
from discovery.report.framing import retold
from discovery.report.quantity import Quantity
from discovery.report.report import DiscoveryReport


def of_all(
    on_all: OnAll | None, scan: Scan[Trajectories], frame: Frame, numbers: Numbers
) -> list[str]:
    """Say what was judged on all runs, and which laws of the sample were lost.

    Parameters
    ----------
    on_all : OnAll or None
        None where nothing was found.
    scan : Scan
        All runs.
    frame : Frame
    numbers : Numbers
    """
    if scan.n_runs < LAWS.min_runs:
        return [f"judged there too: {LAWS.min_runs} runs are needed to judge on all"]
    if on_all is None:
        return ["nothing was found there that could be judged on all"]
    left_out = scan.n_rows - on_all.n_rows
    said = [f"judged on all {scan.n_rows} rows of {scan.n_runs} runs"]
    said += [f"of which {left_out} are left out or joined to states"] if left_out else []
    for law in on_all.lost:
        lost = Quantity.from_law(law).outside(frame, numbers).for_users()
        said.append(f"{lost.formula} holds on the sample and not on all")
    return said


def drift_rate(law: Law, orbits: Orbits, times: np.ndarray) -> float:
    """Return how fast a nearly conserved quantity drifts, where its terms are defined.

    Parameters
    ----------
    law : Law
    orbits : Orbits
    times : (n,) array
    """
    clear = orbits.clear(law.library.positive)
    some = orbits.where(clear)
    return secular_rate(
        law.library,
        law.coefficients,
        some.measured,
        times[clear],
        some.offsets,
        law.evidence.spread,
    )


def with_symmetries(
    report: DiscoveryReport,
    runs: Trajectories,
    orbits: Orbits,
    numbers: Numbers,
    parts: Parts,
    by_kind: bool,
    frame: Frame,
) -> DiscoveryReport:
    """Pair laws with the symmetries behind them, where roles say that the data are mechanical.

    With the symmetries of the runs' typical system, where parameters differ from run to run.

    Parameters
    ----------
    report : DiscoveryReport
    runs : Trajectories
        The coordinates.
    orbits : Orbits
        Of all columns.
    numbers : Numbers
    parts : Parts
        Which columns are what.
    by_kind : bool
        Name sums over bodies by their kind alone.
    frame : Frame
        That the report is in; symmetries are told of the user's coordinates.
    """
    exact = [q for q in report.quantities if q.verdict == "exact" and q.approximation_error is None]
    if not exact or runs.roles is None:
        return report
    if by_kind or runs.dim >= FEWEST_COLUMNS:
        # Brackets of so many coordinates take minutes: sums tell their symmetry by their kind.
        kinds = [symmetry_of(q.library) for q in exact]
        told = [kind and retold(kind, report.names, frame) for kind in kinds]
        named = [replace(q, symmetry=text) for q, text in zip(exact, told, strict=True)]
        others = [q for q in report.quantities if not any(q is e for e in exact)]
        return replace(report, quantities=named + others)
    clock = [sympy.Symbol(report.names[i], real=True) for i in parts.clock]
    exact = [q for q in exact if not q.expression.has(*clock)] if clock else exact
    some = orbits.smoothed.states[:: max(1, len(orbits.smoothed.states) // PROBES)]
    typical = {
        sympy.Symbol(report.names[i], real=True): float(np.median(some[:, i]))
        for i in parts.parameters
    }
    formulas = [numbers.numeric(q.expression).subs(typical) for q in exact]
    errors = [
        {term.subs(typical): error for term, error in q.best_known_errors.items() if error > 0}
        for q in exact
    ]
    states = some[:, list(parts.coordinates)]
    pairing = pair(formulas, runs.names, runs.roles, states, errors)
    told = symmetries_outside(pairing, runs.names, frame.of_columns(parts.coordinates))
    named = [replace(q, symmetry=text) for q, text in zip(exact, told, strict=True)]
    others = [q for q in report.quantities if not any(q is e for e in exact)]
    notes = [f"algebra {pairing.algebra}"] if pairing.algebra not in (None, "unknown") else []
    # A constraint breaks symmetries that the energy's formula has.
    if not report.identities:
        notes += [f"to check: {retold(flag, report.names, frame)}" for flag in pairing.flags]
    return replace(report, quantities=named + others, symmetries=notes)


def symmetries_outside(pairing: Pairing, names: tuple[str, ...], frame: Frame) -> list[str | None]:
    """Return symmetries in the user's coordinates: about their centres, and in their units.

    Parameters
    ----------
    pairing : Pairing
        In the frame.
    names : tuple of str
        Of the frame's coordinates.
    frame : Frame
    """
    told = []
    for text, field in zip(pairing.symmetries, pairing.fields, strict=True):
        own = text and retold(text, names, frame)
        if field is not None and (own != text or text.startswith(UNNAMED)):
            units = [frame.unit[names.index(q.name)] for q in pairing.positions]
            field = [u * outside(c, names, frame) for u, c in zip(units, field, strict=True)]
            of_user = describe(field, pairing.positions, pairing.kinds)
            named = not of_user.startswith(UNNAMED)
            own = of_user if named or text.startswith(UNNAMED) else own
        told.append(own)
    return told
