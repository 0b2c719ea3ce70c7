"""Alternatives: other forms of a law that fit as well.

What is conserved is a function, and within noise more than one formula is that function: a quartic
well or a hyperbolic cosine. The simplest form is the law; the others that passed the same checks
are kept beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter

import numpy as np

from discovery.estimation.split import Split
from discovery.laws.judging.independence import independent
from discovery.laws.judging.law import Law
from discovery.laws.judging.verdict import Verdict


def with_alternatives(laws: Sequence[Law], pool: Sequence[Law], split: Split) -> list[Law]:
    """Attach to each exact law the other forms of it, the simplest first.

    Parameters
    ----------
    laws : sequence of Law
        Those that were chosen.
    pool : sequence of Law
        All that were not rejected.
    split : Split
        The runs, and the states at which gradients are compared.
    """
    chosen = {law.expression for law in laws}
    others = [law for law in pool if law.verdict == Verdict.EXACT and law.expression not in chosen]
    others.sort(key=attrgetter("price"))
    return [
        replace(law, alternatives=tuple(o for o in others if _is_form_of(o, law, split)))
        if law.verdict == Verdict.EXACT
        else law
        for law in laws
    ]


def _is_form_of(other: Law, law: Law, split: Split) -> bool:
    """Tell whether another law depends on this one alone, and is it but for their errors.

    What is it but for rounding is no other form.
    """
    if other.library.learned or law.library.learned:
        return False
    gradients = [one.gradient(split.probes, split.held.unit) for one in (law, other)]
    # What was judged beside laws that nearly tell it is a form of none of these.
    sine = min if law.near or other.near else max
    if independent(gradients[1:], gradients[:1], [sine(law.sine, other.sine)]):
        return False
    difference = unlike(law, other, split.all.smoothed.states)
    errors = np.hypot(law.evidence.drift_interval[1], other.evidence.drift_interval[1])
    return law.criteria.rounding_drift < difference <= errors


def unlike(law: Law, other: Law, states: np.ndarray) -> float:
    """Return what no multiple of a law explains of another, as a share of the other's spread.

    Parameters
    ----------
    law, other : Law
    states : (n, d) array

    Returns
    -------
    float
    """
    values = np.array([one.coefficients @ one.library.values(states) for one in (law, other)])
    sound = values[:, np.isfinite(values).all(axis=0)]
    return float(np.sqrt(max(0.0, 1.0 - np.corrcoef(sound)[0, 1] ** 2)))
