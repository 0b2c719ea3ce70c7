"""Terms that come back: those without which a formula moves on the runs that it was fitted to.

Elimination leaves out what changes the flatness of the smoothed path by no more than the bias of
smoothing. A small term of a law may go then, although measured samples, in which noise and motion
are told apart by their frequencies, show that it is there.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from discovery.criteria import FORMULAS, LAWS, LawCriteria
from discovery.estimation.orbits import Orbits
from discovery.laws.finding.candidates import MAX_SUPPORT, Candidate
from discovery.laws.finding.operators import Operators
from discovery.laws.judging.drift import DriftTest
from discovery.libraries.functions import Functions

# How many terms are fitted, each beside the formula: those that the smoothed path likes best.
_TRIED = 8


def with_missing(
    library: Functions,
    ops: Operators,
    candidate: Candidate,
    fit: Orbits,
    criteria: LawCriteria = LAWS,
) -> Candidate | None:
    """Return a formula with the term that is most surely not zero beside it, if there is one.

    Its coefficient is to be further from zero than chance explains in the largest of as many as
    the library has (Bonferroni).

    Parameters
    ----------
    library : Functions
    ops : Operators
        Of the library, on the fit runs.
    candidate : Candidate
    fit : Orbits
        The runs that the formula was fitted to.
    criteria : LawCriteria
    """
    support = np.array(candidate.support)
    others = np.setdiff1d(np.flatnonzero(np.diag(ops.unit_dirichlet) > 0), support)
    if not len(others) or len(support) >= MAX_SUPPORT:
        return None
    trials = np.column_stack([np.tile(support, (len(others), 1)), others])
    best = others[np.argsort(ops.pencil.lowest(trials))[:_TRIED]]
    level = 2 * float(stats.norm.sf(FORMULAS.interval)) / len(others)
    found, surest = None, float(stats.norm.isf(level / 2))
    terms = library.restrict([*support.tolist(), *best.tolist()])
    beside = np.append(candidate.coefficients, np.zeros(len(best)))
    every, own = DriftTest(terms, beside, fit, criteria), range(len(support))
    for place, added in enumerate(best, start=len(support)):
        longer, drift = np.append(support, added), every.restrict([*own, place])
        c = drift.refined()
        error = drift.standard_errors(c, level)[-1]
        if error > 0 and abs(c[-1]) > surest * error:
            found, surest = (longer, c), abs(c[-1]) / error
    if found is None:
        return None
    longer, c = found
    order = np.argsort(longer)
    local = ops.restrict(longer[order])
    return Candidate(
        tuple(int(j) for j in longer[order]),
        c[order],
        float(local.pencil.ratio(c[order])),
        candidate.cost,
    )
