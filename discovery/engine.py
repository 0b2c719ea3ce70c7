"""The engine: from orbits and libraries to laws, identities and a verdict.

Data flows one way: operators → spectrum → sparse candidates → held-out evidence → independence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import sympy

from discovery import formulas
from discovery.evidence import Evidence, gather
from discovery.flatness import Operators, noise_weights, operators, spectrum
from discovery.independence import independent
from discovery.libraries.library import Library
from discovery.orbits import Orbits

# Share of the runs on which formulas are found; the rest only judges them.
FIT_SHARE = 0.6
# Flat: motion along orbits at most this many times what noise explains (1 if all were known).
FLAT = 1.5
# A law tells orbits apart: its variance between them is at least this many times that within.
SIGNAL = 5.0
# Systematic motion that no table of numbers excludes, as a fraction of the spread.
NO_DRIFT = 2e-6
# Nearly conserved: systematic motion at most this fraction of the spread.
SMALL_DRIFT = 0.02
# A law is known only if systematic motion above this fraction of the spread is excluded.
RESOLVED = 0.2
# What all runs obey is believed only if it is simple.
IDENTITY_TERMS = 6
# Points at which gradients are compared.
PROBES = 256


@dataclass(frozen=True)
class Law:
    """A formula with its evidence."""

    library: Library
    coefficients: np.ndarray
    expression: sympy.Expr
    evidence: Evidence
    verdict: str
    cost: float


@dataclass(frozen=True)
class StageRecord:
    """What one library gave."""

    library: str
    n_terms: int
    spectrum: np.ndarray
    n_laws: int


@dataclass(frozen=True)
class Findings:
    """What the engine found.

    Attributes
    ----------
    laws : list of Law
        Independent, the exact ones first.
    identities : list of Law
        What all runs obey alike.
    stages : list of StageRecord
    """

    laws: list[Law] = field(default_factory=list)
    identities: list[Law] = field(default_factory=list)
    stages: list[StageRecord] = field(default_factory=list)


def analyse(orbits: Orbits, stages: Sequence[Library], rng: np.random.Generator) -> Findings:
    """Search the libraries in turn for functions that are conserved along the orbits.

    Parameters
    ----------
    orbits : Orbits
    stages : sequence of Library
        From simple to rich. The search stops once no further law can exist: a flow in d
        dimensions has at most d − 1.
    rng : numpy.random.Generator
        For the split into fit and held-out runs, and the bootstrap.
    """
    shuffled = rng.permutation(orbits.n_runs)
    n_fit = int(np.clip(round(FIT_SHARE * orbits.n_runs), 2, orbits.n_runs - 2))
    fit, held = orbits.take(shuffled[:n_fit]), orbits.take(shuffled[n_fit:])
    rows = rng.choice(len(held.smoothed.states), min(PROBES, len(held.smoothed.states)), False)
    probes = held.smoothed.states[np.sort(rows)]

    pool: list[Law] = []
    records: list[StageRecord] = []
    chosen = Findings()
    for library in stages:
        on_fit = operators(library, fit.smoothed, fit.offsets, fit.scale)
        flat = spectrum(on_fit)
        leading = flat.vectors[:, : max(1, int(np.sum(flat.values <= 2 * FLAT)))]
        weights = noise_weights(library, fit.smoothed, leading)
        if weights is not None:
            on_fit = operators(library, fit.smoothed, fit.offsets, fit.scale, weights)
            flat = spectrum(on_fit)
        before = len(chosen.laws)
        pool += _trials(library, on_fit, flat.values, flat.vectors, held, rng)
        chosen = _select(pool, probes, orbits.scale)
        records.append(StageRecord(library.name, len(library), flat.values, len(chosen.laws) - before))
        exact = sum(law.verdict == "exact" for law in chosen.laws)
        if exact + len(chosen.identities) >= library.dim - 1:
            break
    return Findings(chosen.laws, chosen.identities, records)


def _trials(
    library: Library,
    ops: Operators,
    values: np.ndarray,
    vectors: np.ndarray,
    held: Orbits,
    rng: np.random.Generator,
) -> list[Law]:
    """Return what passes of one library, exact laws, identities and nearly conserved alike."""
    costs = library.costs()
    flat = values <= 2 * FLAT
    out = []
    if flat.any():
        out += [
            _judge(library, ops, candidate, costs, held, rng)
            for candidate in formulas.candidates(ops, vectors[:, flat], costs)
        ]
    spread = np.einsum("jk,ij,ik->k", vectors, ops.between, vectors)
    within = np.einsum("jk,ij,ik->k", vectors, ops.within, vectors)
    slow = ~flat & (within <= SMALL_DRIFT**2 * spread)
    if slow.any():
        out += [
            _judge(library, ops, candidate, costs, held, rng)
            for candidate in formulas.candidates(ops, vectors[:, slow], costs, slack=1.5)
        ]
    return [law for law in out if law is not None]


def _judge(
    library: Library,
    ops: Operators,
    candidate: formulas.Candidate,
    costs: np.ndarray,
    held: Orbits,
    rng: np.random.Generator,
) -> Law | None:
    """Test a candidate on the held-out runs; return nothing where it fails."""
    support = list(candidate.support)
    terms = library.restrict(support)
    coefficients = formulas.rounded(ops, candidate)
    evidence = gather(terms, coefficients, held, rng)
    verdict = _verdict(evidence, len(support))
    if verdict is None:
        return None
    return Law(
        library=terms,
        coefficients=coefficients,
        expression=formulas.expression(terms.expressions(), coefficients),
        evidence=evidence,
        verdict=verdict,
        cost=float(costs[support].sum()) + len(support),
    )


def _verdict(evidence: Evidence, n_terms: int) -> str | None:
    flat = evidence.flatness <= FLAT and evidence.flatness_interval[0] <= 1.2
    still = evidence.drift_interval[0] <= max(NO_DRIFT, 0.1 * evidence.noise)
    if flat and still:
        if evidence.signal >= SIGNAL:
            return "exact" if evidence.drift_interval[1] <= RESOLVED else None
        return "identity" if n_terms <= IDENTITY_TERMS else None
    if evidence.signal >= SIGNAL and evidence.drift_interval[1] <= SMALL_DRIFT:
        return "approximate"
    return None


def _select(pool: list[Law], probes: np.ndarray, scale: np.ndarray) -> Findings:
    """Keep independent laws, exact before approximate, simple before complex."""
    order = {"exact": 0, "approximate": 1}
    identities = sorted((law for law in pool if law.verdict == "identity"), key=lambda law: law.cost)
    laws = sorted(
        (law for law in pool if law.verdict != "identity"),
        key=lambda law: (order[law.verdict], law.cost, law.evidence.flatness),
    )
    obeyed = [_gradient(law, probes, scale) for law in identities]
    identities = [identities[k] for k in independent(obeyed)]
    obeyed = [_gradient(law, probes, scale) for law in identities]
    kept = independent([_gradient(law, probes, scale) for law in laws], within=obeyed)
    return Findings([laws[k] for k in kept], identities)


def _gradient(law: Law, probes: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return the gradient in standardized coordinates, (n, d)."""
    _, slopes, _ = law.library.jets(probes, order=1)
    return np.einsum("j,ijn->ni", law.coefficients, slopes) * scale
