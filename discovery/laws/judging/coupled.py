"""Coupled: the one law beside functions that are nearly conserved, each by itself.

Two systems that are coupled weakly keep their energies nearly, and what one of them loses the other
gains. Neither is a law, and nothing on the smoothed path tells their sum from others: it is where
motion that follows the states is least, with the term of a library that leaves least of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from discovery.criteria import FORMULAS, LAWS, LawCriteria
from discovery.estimation.orbits import Orbits
from discovery.formulas.pencil import Pencil
from discovery.laws.finding.candidates import Candidate
from discovery.laws.finding.operators import moved_by
from discovery.laws.judging.following import Sample, inner_rows, instruments, long_runs
from discovery.laws.judging.law import Law
from discovery.libraries.functions import Functions


def coupled(
    library: Functions, laws: Sequence[Law], fit: Orbits, criteria: LawCriteria = LAWS
) -> Candidate | None:
    """Return the sum of nearly conserved functions, maybe with one term more, that moves least.

    The term's coefficient is to be further from zero than chance explains in the largest of as many
    as the library has (Bonferroni).

    Parameters
    ----------
    library : Functions
    laws : sequence of Law
        Two at least, whose terms are in the library.
    fit : Orbits
        The runs to fit it to.
    criteria : LawCriteria

    Returns
    -------
    Candidate or None
        None where the library lacks terms, or runs are too short.
    """
    place = {term: j for j, term in enumerate(library.expressions())}
    fit = long_runs(fit)
    if fit is None or any(t not in place for law in laws for t in law.library.expressions()):
        return None
    start = np.zeros(len(library))
    for law in laws:
        some = [place[term] for term in law.library.expressions()]
        start[some] += law.coefficients / (law.evidence.noise * law.evidence.spread)
    own = np.flatnonzero(start)
    sample = Sample(library, start, np.zeros((len(start), len(start))), fit, criteria)
    asked = max(instruments(library.restrict(own.tolist()), fit), key=len, default=None)
    if asked is None or not sample.is_finite:
        return None
    z = sample.against_others(asked)
    _, slopes, _ = library.jets(fit.measured.states)
    inner = inner_rows(fit.offsets)
    share = np.sqrt(np.mean(z**2, axis=0))
    noise = moved_by(slopes[:, :, inner] * share, fit.measured.half[inner])
    sums = z @ sample.terms.T
    pencil = Pencil(sums.T @ sums, noise)
    others = np.setdiff1d(np.flatnonzero(np.diag(noise) > 0), own)
    support = own
    if len(others):
        trials = np.column_stack([np.tile(own, (len(others), 1)), others])
        least = pencil.lowest(trials)
        level = 2 * stats.norm.sf(FORMULAS.interval) / len(others)
        if pencil.smallest(own)[0] - least.min() > stats.chi2.isf(level, 1):
            support = np.sort(trials[int(np.argmin(least))])
    flatness, c = pencil.smallest(support)
    cost = float(library.costs()[support].sum())
    return Candidate(tuple(int(j) for j in support), c, flatness, cost)
