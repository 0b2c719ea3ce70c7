"""The analysis: orbits in, report out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from discovery.data.trajectories import Trajectories
from discovery.estimation.orbits import Orbits
from discovery.laws.judging.conclusion import Conclusion
from discovery.laws.judging.law import Findings
from discovery.report.quantity import Quantity
from discovery.report.report import DiscoveryReport


def report_on(
    findings: Findings, conclusion: Conclusion, orbits: Orbits, names: Sequence[str], title: str
) -> DiscoveryReport:
    """Put findings and the conclusion from them into words and plain values."""
    undecided = "undecided" if conclusion.verdict == "undecided" else None
    noise = np.sqrt(np.mean(np.einsum("nii->ni", orbits.measured.covariance), axis=0))
    exact = [law.evidence for law in findings.laws if law.verdict == "exact"]
    return DiscoveryReport(
        quantities=[Quantity.from_law(law, undecided) for law in findings.laws],
        verdict=conclusion.verdict,
        reason=conclusion.reason,
        confidence=0.0 if undecided else _confidence(findings),
        identities=[] if undecided else [Quantity.from_law(i) for i in findings.identities],
        spectrum={s.library: s.spectrum for s in findings.stages if len(s.spectrum)},
        resolution=max((e.drift_interval[1] for e in exact), default=float("nan")),
        noise=dict(zip(names, noise.tolist(), strict=True)),
        names=tuple(names),
        title=title,
        searched=[
            f"{stage.library} ({stage.n_terms} terms: {stage.n_laws or 'no'} new)"
            for stage in findings.stages
        ],
    )


def title_of(runs: Trajectories, some: Trajectories, sound: Trajectories) -> str:
    """Return what the runs are, how many rows of them were drawn and left out as gross errors."""
    title = repr(runs).removeprefix("Trajectories(").removesuffix(")")
    if len(some.rows) < len(runs.rows):
        title += f"; {len(some.rows)} of {len(runs.rows)} rows analysed"
    dropped = len(some.rows) - len(sound.rows)
    return f"{title}; {dropped} gross errors left out" if dropped else title


def _confidence(findings: Findings) -> float:
    """Return the share of bootstrap draws in which the count is the same."""
    same = np.ones_like(findings.rejected)
    for law in findings.laws:
        if law.verdict == "exact":
            same &= law.evidence.flat_draws
    return float(np.mean(same & findings.rejected))
