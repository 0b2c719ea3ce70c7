"""Assembly: what was found becomes a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import sympy

from discovery.laws.judging.conclusion import Conclusion
from discovery.laws.judging.law import Findings, Law, StageRecord
from discovery.report.quantity import Quantity
from discovery.report.report import DiscoveryReport

# The greatest confidence in that there is no law.
MOST = 0.99


def report_on(
    findings: Findings,
    conclusion: Conclusion,
    *,
    names: Sequence[str],
    noise: Mapping[str, float],
    title: str,
    drift_rates: Mapping[sympy.Expr, float],
) -> DiscoveryReport:
    """Put findings and the conclusion from them into words and plain values.

    Parameters
    ----------
    findings : Findings
    conclusion : Conclusion
    names : sequence of length d
        Of the coordinates.
    noise : mapping from name to standard deviation
        Of each coordinate, or of each field.
    title : str
        What the runs are, and what was left out of them.
    drift_rates : mapping from expression to rate
        Of the nearly conserved laws, see `discovery.laws.judging.trend`.
    """
    undecided = conclusion.verdict == "undecided"
    exact = [law.evidence for law in findings.laws if law.verdict == "exact"]
    return DiscoveryReport(
        quantities=[_quantity(law, undecided, drift_rates) for law in findings.laws],
        verdict=conclusion.verdict,
        reason=conclusion.reason,
        confidence=0.0 if undecided else _confidence(findings),
        identities=[] if undecided else [Quantity.from_law(i) for i in findings.identities],
        spectrum={s.library: s.spectrum for s in findings.stages if len(s.spectrum)},
        resolution=max((e.drift_interval[1] for e in exact), default=findings.resolution),
        noise=dict(noise),
        names=tuple(names),
        title=title,
        searched=[_searched(stage) for stage in findings.stages],
    )


def _searched(stage: StageRecord) -> str:
    if stage.skipped:
        return f"{stage.library} (skipped: {stage.skipped})"
    end = "; not to the end" if stage.unfinished else ""
    return f"{stage.library} ({stage.n_terms} terms: {stage.n_laws or 'no'} new{end})"


def _quantity(law: Law, undecided: bool, drift_rates: Mapping[sympy.Expr, float]) -> Quantity:
    if undecided and law.verdict not in ("along_run", "decaying"):
        return Quantity.from_law(law, "undecided")
    quantity = Quantity.from_law(law)
    if quantity.verdict != "approximate" or quantity.decay is not None:
        return quantity
    return replace(quantity, drift_rate=drift_rates[law.expression])


def _confidence(findings: Findings) -> float:
    """Return the share of resamples of the judging runs on which the same laws pass, and no more.

    Where nothing was found, the n runs that judged agree on it, and by Laplace's rule of
    succession the next one would with probability (n + 1)/(n + 2): so much of the share is said,
    and never more than `MOST`, since what is not in the libraries was not judged at all.
    """
    same = findings.rejected.copy()
    exact = [law for law in findings.laws if law.verdict == "exact"]
    for law in exact:
        same &= law.exact_in
    share = float(np.mean(same))
    if exact:
        return share
    return min(share * (findings.n_judges + 1) / (findings.n_judges + 2), MOST)
