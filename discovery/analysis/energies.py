"""Laws as mechanics has them: energies that are sums of laws, and better forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from discovery.analysis.asked import Asked
from discovery.analysis.seen import Seen
from discovery.criteria import FORMULAS, LIBRARIES
from discovery.estimation.split import Split
from discovery.laws.judging.joined import as_law, joined
from discovery.laws.judging.law import Findings, Law
from discovery.laws.judging.verdict import Verdict
from discovery.noether.energy_among import energy_among
from discovery.noether.energy_left_out import with_energy_left_out
from discovery.noether.motion import Candidate, MeasuredMotion
from discovery.noether.naming import names_of
from discovery.noether.quadratic_span import mode_energies, parted


def with_energies(
    some: Seen,
    findings: Findings,
    motion: MeasuredMotion,
    asked: Asked,
    rng: np.random.Generator,
) -> Findings:
    """Return laws as mechanics has them, where all columns are coordinates along paths.

    Parameters
    ----------
    some : Seen
    findings : Findings
    motion : MeasuredMotion
    asked : Asked
    rng : numpy.random.Generator
    """
    if some.split is None or some.few or not (some.parts.all_coordinates and some.on_a_path):
        return findings
    findings = with_energy_left_out(findings, motion, some.split, asked.criteria)
    findings = _with_energy(findings, motion, some.split, rng, asked)
    return _in_better_forms(findings, motion, some.split, rng, asked)


def _with_energy(
    findings: Findings,
    motion: MeasuredMotion,
    split: Split,
    rng: np.random.Generator,
    asked: Asked,
) -> Findings:
    """Return laws with the energy instead of the longest that it is a sum of."""
    exact = [law for law in findings.laws if law.sure and not law.library.learned]
    if len(exact) < 2 or len(motion.names) > LIBRARIES.wide:
        return findings
    laws = [Candidate(law.library, law.coefficients) for law in exact]
    weights = None if "energy" in names_of(laws, motion) else energy_among(laws, motion)
    if weights is None:
        return findings
    energy = joined(exact, weights, split, rng, numbers=asked.numbers, criteria=asked.criteria)
    if energy is None:
        return findings
    if names_of([Candidate(energy.library, energy.coefficients)], motion) != ["energy"]:
        return findings
    parts = [law for law, weight in zip(exact, weights, strict=True) if weight]
    longest = max(parts, key=lambda law: law.complexity)
    return replace(findings, laws=[energy if law is longest else law for law in findings.laws])


def _in_better_forms(
    findings: Findings,
    motion: MeasuredMotion,
    split: Split,
    rng: np.random.Generator,
    asked: Asked,
) -> Findings:
    """Return laws with sums of them instead: linear in the momenta, energies, those of modes."""
    if len(motion.names) > LIBRARIES.wide:
        return findings
    exact = [
        law for law in findings.laws if law.verdict == Verdict.EXACT and not law.library.learned
    ]
    forms = [Candidate(law.library, law.coefficients) for law in exact]
    how = {"numbers": asked.numbers, "criteria": asked.criteria}
    new = {
        id(exact[k]): joined(exact, weights, split, rng, **how)
        for k, weights in parted(forms, motion).items()
    }
    modes = mode_energies(forms, motion)
    error = max((_widest(exact[k]) for k in modes), default=0.0)
    of_modes = {
        id(exact[k]): as_law(*mode.terms(motion, error, asked.numbers), split, rng, **how)
        for k, mode in modes.items()
    }
    new |= {} if None in of_modes.values() else of_modes
    return replace(findings, laws=[new.get(id(law)) or law for law in findings.laws])


def _widest(law: Law) -> float:
    """Return half the width of the widest interval of a law's coefficients, over the largest."""
    size = np.abs(law.coefficients).max()
    errors = np.zeros(1) if law.errors is None else law.errors
    return FORMULAS.interval * float(errors.max() / size) + FORMULAS.least_width
