"""Selection: the independent laws among those that passed, simplest first."""

from __future__ import annotations

import numpy as np
from scipy import stats

from discovery.estimation.orbits import Orbits
from discovery.laws.judging.independence import SINE, independent
from discovery.laws.judging.law import ENOUGH, UNPROVEN, Findings, Law
from discovery.libraries.monomials import monomials, term_count


def _select(pool: list[Law], probes: np.ndarray, scale: np.ndarray, sine: float) -> Findings:
    """Keep independent laws, exact before approximate, simple before complex."""

    def gradients(laws: list[Law]) -> list[np.ndarray]:
        return [law.gradient(probes, scale) for law in laws]

    obeyed = sorted((law for law in pool if law.verdict == "identity"), key=lambda law: law.cost)
    obeyed = [obeyed[k] for k in independent(gradients(obeyed))]
    laws = sorted(
        (law for law in pool if law.verdict != "identity"),
        key=lambda law: (law.verdict != "exact", law.cost, law.evidence.smoothed_flatness),
    )
    sines = [sine if law.verdict == "exact" else SINE for law in laws]
    kept = independent(gradients(laws), gradients(obeyed), sines)
    return Findings([laws[k] for k in kept], obeyed)


def select(pool: list[Law], probes: np.ndarray, scale: np.ndarray, orbits: Orbits) -> Findings:
    """Keep independent laws, exact before approximate, simple before complex."""

    def gradients(laws: list[Law]) -> list[np.ndarray]:
        return [law.gradient(probes, scale) for law in laws]

    order = {"exact": 0, "approximate": 1}
    obeyed = sorted((law for law in pool if law.verdict == "identity"), key=lambda law: law.cost)
    obeyed = [obeyed[k] for k in independent(gradients(obeyed))]
    laws = sorted(
        (law for law in pool if law.verdict != "identity"),
        key=lambda law: (order[law.verdict], law.price, law.evidence.smoothed_flatness),
    )
    while True:
        kept = independent(gradients(laws), gradients(obeyed), [law.sine for law in laws])
        chosen = [laws[k] for k in kept]
        idle = _adds_nothing(chosen, orbits)
        if idle is None:
            return Findings(chosen, obeyed)
        laws = [law for law in laws if law is not idle]


def _adds_nothing(laws: list[Law], orbits: Orbits) -> Law | None:
    """Return the first doubtful law that tells orbits apart no better than those before it do.

    What these do not explain of it must exceed by far the motion that is not excluded: an
    imitation may have gradients of its own, and hardly any values.
    """
    for i, law in enumerate(laws):
        motion = law.evidence.drift_interval[1]
        if i and law.doubtful and _unexplained(law, laws[:i], orbits) < UNPROVEN * motion:
            return law
    return None


def _unexplained(law: Law, others: list[Law], orbits: Orbits) -> float:
    """Return the share of a law's spread between orbits that is no polynomial in other laws'."""
    values = np.array([other.means(orbits) for other in (law, *others)])
    values = values[:, np.isfinite(values).all(axis=0)]
    n = values.shape[1]
    degree = next((p for p in (3, 2, 1) if ENOUGH * term_count(len(others), p) < n), 0)
    if not degree:
        return 1.0
    values = stats.zscore(values, axis=1)
    powers = monomials(len(others), degree)
    design = np.array([np.prod(values[1:].T ** np.array(e), axis=1) for e in powers])
    design = np.column_stack([np.ones(n), design.T])
    rest = values[0] - design @ np.linalg.lstsq(design, values[0])[0]
    return float(np.sqrt(rest @ rest / (n - design.shape[1])))
