"""The energy among laws that were left out as functions of others.

Where orbits are alike the energy is nearly a function of other laws: of nearly circular ones, of
angular momentum. That the coordinates move as it moves them tells it from an imitation.
"""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter

import numpy as np

from discovery.criteria import LAWS, LawCriteria
from discovery.estimation.split import Split
from discovery.laws.judging.independence import independent, on_surface, sine_to
from discovery.laws.judging.law import Findings, Law
from discovery.laws.judging.outwards import told_by_all
from discovery.laws.judging.selection import unexplained
from discovery.laws.judging.verdict import Verdict
from discovery.noether.motion import Candidate, MeasuredMotion
from discovery.noether.naming import names_of


def with_energy_left_out(
    findings: Findings, motion: MeasuredMotion, split: Split, criteria: LawCriteria = LAWS
) -> Findings:
    """Return laws with the energy, where it is none of them and was left out.

    It is one more law where its gradient leaves the span of the others' and its values differ from
    what they explain by more than its drift may. Where it is a function of the others it takes the
    place of the longest that it makes needless.

    Parameters
    ----------
    findings : Findings
    motion : MeasuredMotion
        Of the same coordinates.
    split : Split
    criteria : LawCriteria
    """
    exact = [law for law in findings.laws if law.verdict == Verdict.EXACT]
    plain = [law for law in exact if not law.library.learned]
    if not plain or not motion.pairs or "energy" in names_of(list(map(_form, plain)), motion):
        return findings
    for energy in _candidates(findings):
        if _moves(energy, plain, motion):
            laws = _with(energy, exact, findings, split, criteria)
            if laws is not None:
                return replace(findings, laws=laws)
    return findings


def _with(
    energy: Law, exact: list[Law], findings: Findings, split: Split, criteria: LawCriteria
) -> list[Law] | None:
    """Return all laws with the energy among them; None where it is none beside the others."""
    scale = split.held.scale
    probes = on_surface(split.probes, scale, findings.identities)
    within = [law.gradient(probes, scale) for law in findings.identities]

    def gradients(laws: list[Law]) -> list[np.ndarray]:
        return [law.gradient(probes, scale) for law in laws]

    known = split.where(energy.library.positive).all
    energy = told_by_all(energy, known, criteria)
    most = split.all.most_laws(energy.library.dim) - len(within)
    sine = sine_to(gradients(exact), *gradients([energy]), within, criteria)
    rest = unexplained(energy, exact, split.all)
    if sine > energy.sine and rest > energy.evidence.drift_interval[1] and len(exact) < most:
        return [energy, *findings.laws]
    for longest in sorted(exact, key=attrgetter("complexity"), reverse=True):
        if longest.complexity <= energy.complexity:
            break
        trial = [energy if law is longest else law for law in exact]
        if len(independent(gradients(trial), within, criteria=criteria)) == len(trial):
            return [energy if law is longest else law for law in findings.laws]
    return None


def _form(law: Law) -> Candidate:
    return Candidate(law.library, law.coefficients)


def _candidates(findings: Findings) -> list[Law]:
    """Return what was left out, the simplest first."""
    some = [law for law in findings.left_out if not law.library.learned]
    return sorted(some, key=attrgetter("price"))


def _moves(law: Law, others: list[Law], motion: MeasuredMotion) -> bool:
    """Tell whether the coordinates move as a law moves them, and not as the others do."""
    return names_of(list(map(_form, [law, *others])), motion)[0] == "energy"
