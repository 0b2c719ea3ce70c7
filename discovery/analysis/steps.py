"""The analysis of states in a frame: runs -> orbits -> stages -> findings -> report.

`laws_of` goes through the steps; those before and after, which fields share, are in `pipeline`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from discovery.analysis.again import (
    Analysed,
    unless_off,
    with_noise_of_laws,
    without_refuted,
    without_unlike,
)
from discovery.analysis.asked import Asked
from discovery.analysis.energies import with_energies
from discovery.analysis.searched import decaying, libraries, may_decay, searched
from discovery.analysis.seen import Seen, as_orbits
from discovery.criteria import LIBRARIES
from discovery.data.frame import Frame
from discovery.data.parameters import Parts
from discovery.data.trajectories import Trajectories
from discovery.estimation.iterates.sampling import Sampling
from discovery.estimation.passage import Passage
from discovery.laws.judging.conclusion import Conclusion, conclude
from discovery.laws.judging.law import Findings
from discovery.laws.judging.verdict import Verdict
from discovery.laws.whole.judged import OnAll
from discovery.noether.motion import MeasuredMotion
from discovery.preparations import Preparation
from discovery.report.assembly import report_on
from discovery.report.description import described
from discovery.report.report import DiscoveryReport
from discovery.statements import drift_rate, of_all, with_symmetries


def laws_of(
    sound: Trajectories,
    parts: Parts,
    frame: Frame,
    preparation: Preparation,
    asked: Asked,
    rng: np.random.Generator,
) -> Analysed:
    """Analyse runs without gross errors in a frame.

    Parameters
    ----------
    sound : Trajectories
        In the frame.
    parts : Parts
        Which columns are what.
    frame : Frame
    preparation : Preparation
    asked : Asked
    rng : numpy.random.Generator
        Draws the split and the resamples.
    """
    some = as_orbits(sound, parts, frame, preparation, asked, rng)
    found = libraries(some, asked)
    findings = searched(some, found, preparation, asked, rng)

    def again(runs: Trajectories, asked: Asked) -> Analysed:
        return laws_of(runs, parts, frame, preparation, asked, rng)

    other = with_noise_of_laws(some, findings, asked, again)
    if other is not None:
        return other
    motion = MeasuredMotion.of(some.orbits, some.moving, sound, list(parts.coordinates))
    findings = with_energies(some, findings, motion, asked, rng)
    other = without_unlike(some, findings, asked, again)
    if other is not None:
        return other
    findings = without_refuted(some, findings, asked)
    on_all = _on_all(some, findings, preparation, asked, rng)
    findings = findings if on_all is None else on_all.findings
    conclusion = conclude(findings, some.known, some.moving.roles)
    if may_decay(some, found, findings, conclusion, asked):
        findings = decaying(some, found, findings, asked, rng)
        conclusion = conclude(findings, some.known, some.moving.roles)
    if conclusion.verdict == "none":
        conclusion = unless_off(some, found, asked, again) or conclusion
    report = _reported(some, findings, conclusion, preparation, asked)
    said = []
    if asked.rest is not None:
        said = of_all(on_all, asked.rest.source.scan, some.frame, asked.numbers)
    return Analysed(report, some.frame, motion, said)


def _on_all(
    some: Seen,
    findings: Findings,
    preparation: Preparation,
    asked: Asked,
    rng: np.random.Generator,
) -> OnAll | None:
    """Judge what was found on all runs, where these are a sample."""
    if asked.rest is None or some.few:
        return None
    way = asked.rest.reading, some.frame, some.parts, preparation.sampling
    passage = Passage.of(*way, some.sound, some.orbits)
    found_on = some.sound.run_ids[some.fit]
    return asked.rest.judge(findings, some.split, found_on, passage, asked.numbers, rng)


def _reported(
    some: Seen,
    findings: Findings,
    conclusion: Conclusion,
    preparation: Preparation,
    asked: Asked,
) -> DiscoveryReport:
    """Say what was found, with the symmetries behind it."""
    cloud = preparation.sampling == Sampling.CLOUD
    drifting = [
        law for law in findings.laws if law.verdict == Verdict.APPROXIMATE and not law.decay
    ]
    report = report_on(
        findings,
        conclusion,
        names=some.sound.names,
        noise=dict(zip(some.moving.names, some.known.mean_noise.tolist(), strict=True)),
        title="",
        drift_rates={
            law.expression: 0.0 if cloud else drift_rate(law, some.orbits, some.sound.row_times)
            for law in drifting
        },
    )
    if not some.few:  # for which nothing is learned
        states = some.split.fit.smoothed.states, some.split.held.smoothed.states
        report = replace(report, quantities=[described(q, *states) for q in report.quantities])
    if some.of.dim > LIBRARIES.wide:
        searched = [*report.searched, f"no manifold is trained for {some.of.dim} columns"]
        report = replace(report, searched=searched)
    runs, by_kind = (some.moving, some.orbits), asked.in_box
    return with_symmetries(report, *runs, asked.numbers, some.parts, by_kind, some.frame)
