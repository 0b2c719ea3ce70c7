"""The analysis: orbits in, report out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from discovery.conclusion import Conclusion, conclude
from discovery.engine import Stage, analyse
from discovery.laws import Findings
from discovery.learned_features import described
from discovery.noether import pair
from discovery.numbers import Numbers
from discovery.orbits import Orbits
from discovery.quantity import Quantity
from discovery.report import DiscoveryReport
from discovery.secular import secular_rate
from discovery.split import PROBES, Split
from discovery.trajectories import Trajectories


def analyse_orbits(
    orbits: Orbits,
    stages: Sequence[Stage],
    split: Split,
    rng: np.random.Generator,
    *,
    names: Sequence[str],
    roles: Sequence[str | None] | None,
    title: str,
    times: np.ndarray,
    constants: Mapping[str, float] | None = None,
) -> DiscoveryReport:
    """Run the engine on orbits and report.

    Parameters
    ----------
    orbits : Orbits
    stages : sequence of Library, or of callables that learn one
        From simple to rich; see `engine.analyse`.
    split : Split
        Runs that formulas are found on, and runs that judge them.
    rng : numpy.random.Generator
    names, roles : sequences of length d
        Of the coordinates.
    title : str
    times : (n,) array
        Of the rows.
    constants : mapping from name to number, optional
        What coefficients may be multiples of.
    """
    numbers = Numbers.of(constants, names)
    findings = analyse(stages, split, rng, numbers)
    report = report_on(
        findings, conclude(findings, orbits, roles), orbits, names=names, title=title
    )
    quantities = [
        _with_rate(
            described(q, split.fit.smoothed.states, split.held.smoothed.states), orbits, times
        )
        for q in report.quantities
    ]
    constrained = bool(findings.identities)
    quantities, algebra = _with_symmetries(quantities, names, roles, orbits, numbers, constrained)
    return replace(report, quantities=quantities, symmetries=algebra)


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


def _with_rate(quantity: Quantity, orbits: Orbits, times: np.ndarray) -> Quantity:
    """Say of a nearly conserved quantity how fast it drifts."""
    if quantity.verdict != "approximate":
        return quantity
    law = quantity.library, np.array(list(quantity.coefficients.values()))
    clear = orbits.clear(quantity.library.positive)
    some = orbits.where(clear)
    rate = secular_rate(*law, some.measured, times[clear], some.offsets, quantity.spread)
    return replace(quantity, drift_rate=rate)


def _with_symmetries(
    quantities: list[Quantity],
    names: Sequence[str],
    roles: Sequence[str | None] | None,
    orbits: Orbits,
    numbers: Numbers,
    constrained: bool,
) -> tuple[list[Quantity], list[str]]:
    """Pair laws with the symmetries behind them, where roles say that the data are mechanical."""
    exact = [q for q in quantities if q.verdict == "exact" and q.approximation_error is None]
    if not exact or roles is None:
        return quantities, []
    some = orbits.smoothed.states[:: max(1, len(orbits.smoothed.states) // PROBES)]
    pairing = pair([numbers.numeric(q.expression) for q in exact], names, roles, some)
    named = [replace(q, symmetry=s) for q, s in zip(exact, pairing.symmetries, strict=True)]
    algebra = [f"algebra {pairing.algebra}"] if pairing.algebra not in (None, "unknown") else []
    # A constraint breaks symmetries that the energy's formula has.
    flags = [] if constrained else pairing.flags
    notes = algebra + [f"to check: {flag}" for flag in flags]
    return named + [q for q in quantities if not any(q is e for e in exact)], notes


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
