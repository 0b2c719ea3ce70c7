"""A basis of simple laws: of all that says the same together, the laws of lowest degree.

Where laws span a space, functions of them are laws as well: p₁ p₂ p₃ − … and Σ p³ + … with the
total momentum hold the energy (Newton's identities), which is of lower degree and shorter. Such a
law that was found, and is a function of those chosen, takes the place of the highest one that it
makes needless; a logarithm, which is of no degree, is longer than the product that it is of. That
it is a function of laws beyond doubt clears it of doubt itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from discovery.criteria import LAWS, LawCriteria
from discovery.laws.judging.independence import independent, sine_to
from discovery.laws.judging.law import Law
from discovery.laws.judging.verdict import Verdict
from discovery.libraries.library import Library

# An energy's degree in the momenta: what is of no higher one stays.
_OF_ENERGY = 2


def in_simple_basis(
    laws: Sequence[Law],
    pool: Sequence[Law],
    identities: Sequence[Law],
    probes: np.ndarray,
    scale: np.ndarray,
    criteria: LawCriteria = LAWS,
) -> list[Law]:
    """Return laws with those of high degree replaced by simpler functions of all of them.

    Parameters
    ----------
    laws : sequence of Law
        The independent ones that were chosen.
    pool : sequence of Law
        All that were not rejected.
    identities : sequence of Law
    probes : (n, d) array
        States at which gradients are compared.
    scale : (d,) array
        Standard deviation of each coordinate.
    criteria : LawCriteria
    """
    chosen = list(laws)
    others = [law for law in pool if _is_plain(law) and not any(law is own for own in chosen)]
    others.sort(key=_order)

    def gradients(some: Sequence[Law]) -> list[np.ndarray]:
        return [law.gradient(probes, scale) for law in some]

    within = gradients(identities)
    for law in others:
        high = [
            own
            for own in chosen
            if _is_plain(own)
            and own.sure
            and law.complexity <= own.complexity
            and degree(own) > max(_OF_ENERGY, degree(law))
        ]
        if not high:
            continue
        sure = gradients([own for own in chosen if own.sure])
        if sine_to(sure, *gradients([law]), within, criteria) > max(law.sine, criteria.sine):
            continue
        for own in sorted(high, key=_order, reverse=True):
            trial = [law if other is own else other for other in chosen]
            if len(independent(gradients(trial), within, criteria=criteria)) == len(trial):
                chosen = trial
                break
    return chosen


def degree(law: Law) -> int:
    """Return the highest degree of a law's terms in coordinates that stand alone in them."""
    library = law.library
    plain = np.array([atom.is_Symbol for atom in library.atoms])
    return int(np.array(library.exponents)[:, plain].sum(axis=1).max(initial=0))


def _is_plain(law: Law) -> bool:
    """Tell whether a law is exact and a formula of products of atoms."""
    return law.verdict == Verdict.EXACT and isinstance(law.library, Library)


def _order(law: Law) -> tuple[int, float]:
    return degree(law), law.complexity
