"""A second look: other noise, no runs unlike the others, nothing that columns are off by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeAlias

import numpy as np

from discovery.analysis.asked import Asked
from discovery.analysis.seen import Seen
from discovery.criteria import LIBRARIES, LawCriteria
from discovery.data.frame import Frame, with_rows
from discovery.data.trajectories import Trajectories
from discovery.laws.judging.allowed_noise import allowed_noise
from discovery.laws.judging.conclusion import Conclusion
from discovery.laws.judging.law import Findings, Law
from discovery.laws.judging.unlike import refuted_by_few, unlike_runs
from discovery.laws.judging.verdict import SINGLE_RUNS, Check, Verdict
from discovery.laws.off_by_run import Off, off_by_run, off_in_words
from discovery.libraries.escalation import Given
from discovery.libraries.library import Library
from discovery.noether.motion import MeasuredMotion
from discovery.report.report import DiscoveryReport

# Formulas that are no laws, but nearly so, which tell of runs unlike the others.
FEW_NEARLY = 5
# Runs that are named before the others are counted.
_RUNS_TOLD = 10


class Analysed(NamedTuple):
    """What came out, and how to go on from there.

    Attributes
    ----------
    report : DiscoveryReport
    frame : Frame
        Of the report: about the origin that the motion shows.
    motion : MeasuredMotion
        How the runs move.
    said : list of str
        What all runs say, where these are a sample; or which are unlike the others, where the
        report is on these.
    """

    report: DiscoveryReport
    frame: Frame
    motion: MeasuredMotion
    said: list[str]


# Analyses other runs, or what else is asked of them, in the same way.
Again: TypeAlias = Callable[[Trajectories, Asked], Analysed]


def with_noise_of_laws(
    some: Seen, findings: Findings, asked: Asked, again: Again
) -> Analysed | None:
    """Analyse anew with the noise that exact laws allow, which may be less than what was seen.

    None where they allow as much, or where fewer laws are found then.

    Parameters
    ----------
    some : Seen
    findings : Findings
    asked : Asked
    again : Again
        How to.
    """
    if asked.noise is not None or asked.rest is not None or some.few or some.split is None:
        return None
    exact = [law for law in findings.laws if law.verdict == Verdict.EXACT]
    noise = allowed_noise(exact, some.orbits)
    if noise is None:
        return None
    other = again(some.sound, replace(asked, noise=noise))
    return other if other.report.n_conserved >= len(exact) else None


def without_unlike(some: Seen, findings: Findings, asked: Asked, again: Again) -> Analysed | None:
    """Analyse the runs without those that are unlike the others; None where nothing holds then.

    Parameters
    ----------
    some : Seen
    findings : Findings
    asked : Asked
    again : Again
        How to.
    """
    if not _alone(some, asked):
        return None
    alike = _alike(some, findings, asked.criteria)
    if alike.all():
        return None
    other = again(some.sound[alike], asked.again)
    # What has no closed form is known amid the data, and runs that leave them are as good.
    if not any(q.verdict == Verdict.EXACT and q.form_known for q in other.report.quantities):
        return None
    ids = _listed(some.sound.run_ids[~alike])
    said = f"runs {ids} move otherwise: the report is on the {alike.sum()} others"
    return other._replace(said=[*other.said, said])


def without_refuted(some: Seen, findings: Findings, asked: Asked) -> Findings:
    """Return the findings with laws nearly conserved that move in runs which are as good as others.

    Parameters
    ----------
    some : Seen
    findings : Findings
    asked : Asked
    """
    if not _alone(some, asked):
        return findings
    laws = list(findings.laws)
    for law, runs, chance in refuted_by_few(_exact(findings), some.split.all, asked.criteria):
        ids = _listed(some.sound.run_ids[runs])
        why = Check(f"{SINGLE_RUNS} ({ids})", chance, asked.criteria.unlike, False, "1", "at least")
        own = next(i for i, other in enumerate(laws) if other is law)
        laws[own] = replace(law, verdict=Verdict.APPROXIMATE, checks=(*law.checks, why))
    laws.sort(key=lambda law: law.verdict != Verdict.EXACT)
    return replace(findings, laws=laws)


def unless_off(some: Seen, found: Sequence[Given], asked: Asked, again: Again) -> Conclusion | None:
    """Return "undecided" where laws hold without what a column is off by in each run.

    Parameters
    ----------
    some : Seen
    found : sequence of Given
        The libraries.
    asked : Asked
    again : Again
        How to.
    """
    off = _off(some, found) if _alone(some, asked) else []
    if not off:
        return None
    other = again(_without_errors(some, off[0]), asked.again)
    if not other.report.n_conserved:
        return None
    formulas = [str(law.expression) for law in other.report.quantities]
    return Conclusion("undecided", off_in_words(off, some.of.names, formulas))


def _listed(ids: np.ndarray) -> str:
    more = f" and {len(ids) - _RUNS_TOLD} more" if len(ids) > _RUNS_TOLD else ""
    return ", ".join(map(str, ids[:_RUNS_TOLD])) + more


def _alone(some: Seen, asked: Asked) -> bool:
    """Tell whether all runs are here, enough for a verdict, and as they were measured."""
    return asked.rest is None and not asked.others and not some.few and some.split is not None


def _off(some: Seen, found: Sequence[Given]) -> list[Off]:
    """Return columns that may be off by another number in each run."""
    orbits = some.seen
    if some.own or not orbits.on_a_path or some.of.dim > LIBRARIES.wide:
        return []
    some_of_them = [
        given
        for given in found
        if isinstance(given, Library) and orbits.clear(given.positive).all()
    ]
    return off_by_run(some_of_them, orbits, range(some.of.dim))


def _without_errors(some: Seen, off: Off) -> Trajectories:
    """Return the runs, all columns, without what one coordinate is off by in each."""
    rows = some.sound.rows.copy()
    values = some.seen.measured.states[:, off.column]
    rows[:, some.parts.coordinates[off.column]] += off.added(values, some.sound.offsets)
    changed = with_rows(some.sound, rows, some.sound.row_times)
    changed.units, changed.in_degrees = some.sound.units, some.sound.in_degrees
    return changed


def _alike(some: Seen, findings: Findings, criteria: LawCriteria) -> np.ndarray:
    """Tell which runs are like the others, (runs,) of bool."""
    exact = _exact(findings)
    nearly = sorted(findings.refused, key=lambda law: law.evidence.drift)[:FEW_NEARLY]
    alike = np.ones(some.orbits.n_runs, dtype=bool)
    alike[unlike_runs(exact or nearly, some.split.all, criteria, exact)] = False
    return alike


def _exact(findings: Findings) -> list[Law]:
    """Return the exact laws, but for features that were learned."""
    return [
        law for law in findings.laws if law.verdict == Verdict.EXACT and not law.library.learned
    ]
