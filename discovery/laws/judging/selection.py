"""Selection: the independent laws among those that passed, simplest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter

import numpy as np
from scipy import stats

from discovery.criteria import LAWS, LawCriteria
from discovery.estimation.orbits import Orbits
from discovery.laws.judging.independence import independent, on_surface
from discovery.laws.judging.law import Findings, Law
from discovery.laws.judging.verdict import Verdict
from discovery.libraries.monomials import monomials, term_count


def select(
    pool: Sequence[Law],
    probes: np.ndarray,
    scale: np.ndarray,
    orbits: Orbits | None = None,
    *,
    price: Callable[[Law], float] = attrgetter("price"),
    sine: Callable[[Law], float] = attrgetter("sine"),
    criteria: LawCriteria = LAWS,
) -> Findings:
    """Keep independent laws, exact before approximate, simple before complex.

    Parameters
    ----------
    pool : sequence of Law
        None of them rejected.
    probes : (n, d) array
        States at which gradients are compared.
    scale : (d,) array
        Standard deviation of each coordinate.
    orbits : Orbits, optional
        A law in doubt must tell these apart better than the laws before it do.
    price : callable
        What a law costs; the cheap ones come first.
    sine : callable
        How far a law's gradient must leave the span of others' to be independent of them.
    criteria : LawCriteria
        How far an identity's must.

    Returns
    -------
    Findings
        Laws and identities alone.
    """

    def gradients(laws: Sequence[Law]) -> list[np.ndarray]:
        return [law.gradient(probes, scale) for law in laws]

    obeyed = [law for law in pool if law.verdict == Verdict.IDENTITY]
    obeyed.sort(key=attrgetter("cost"))
    identities: list[Law] = []
    for law in obeyed:
        if independent(gradients([law]), gradients(identities), criteria=criteria):
            identities.append(law)
            probes = on_surface(probes, scale, identities)
    laws = [law for law in pool if law.verdict != Verdict.IDENTITY]
    laws.sort(
        key=lambda law: (
            law.verdict != Verdict.EXACT,
            price(law),
            law.evidence.smoothed_flatness,
        )
    )
    while True:
        sines = [sine(law) for law in laws]
        kept = independent(gradients(laws), gradients(identities), sines, criteria)
        chosen = [laws[k] for k in kept]
        idle = None if orbits is None else _adds_nothing(chosen, orbits)
        if idle is None:
            return Findings(chosen, identities)
        laws = [law for law in laws if law is not idle]


def _adds_nothing(laws: Sequence[Law], orbits: Orbits) -> Law | None:
    """Return the first doubtful law that tells orbits apart no better than those before it do.

    What these do not explain of it must clearly exceed the drift that is not excluded: an
    imitation may have gradients of its own, and hardly any values.
    """
    for i, law in enumerate(laws):
        if i and law.doubtful:
            least = law.criteria.unexplained_drift * law.evidence.drift_interval[1]
            if unexplained(law, laws[:i], orbits) < least:
                return law
    return None


def unexplained(law: Law, others: Sequence[Law], orbits: Orbits) -> float:
    """Return the share of a law's spread between orbits that is no polynomial in other laws'.

    Parameters
    ----------
    law : Law
    others : sequence of Law
    orbits : Orbits

    Returns
    -------
    float
        One where there are too few runs to fit a polynomial to.
    """
    values = np.array([other.means(orbits) for other in (law, *others)])
    values = values[:, np.isfinite(values).all(axis=0)]
    n, needed = values.shape[1], law.criteria.runs_per_coefficient
    degree = next((p for p in (3, 2, 1) if needed * term_count(len(others), p) < n), 0)
    if not degree:
        return 1.0
    values = stats.zscore(values, axis=1)
    powers = monomials(len(others), degree)
    design = np.array([np.prod(values[1:].T ** np.array(e), axis=1) for e in powers])
    design = np.column_stack([np.ones(n), design.T])
    rest = values[0] - design @ np.linalg.lstsq(design, values[0])[0]
    return float(np.sqrt(rest @ rest / (n - design.shape[1])))
