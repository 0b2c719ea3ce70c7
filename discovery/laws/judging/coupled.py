"""Coupled: the one law beside functions that are nearly conserved, each by itself.

Two systems that are coupled weakly keep their energies nearly, and what one of them loses the other
gains. Neither is a law, and nothing on the smoothed path tells their sum from others: it is where
motion that follows the states is least, with the term of a library that leaves less of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import sympy
from scipy import stats

from discovery.criteria import LAWS, LawCriteria
from discovery.estimation.orbits import Orbits
from discovery.formulas.pencil import Pencil
from discovery.laws.finding.candidates import Candidate
from discovery.laws.finding.operators import Operators, moved_by
from discovery.laws.judging.following import Sample, inner_rows, instruments, long_runs
from discovery.laws.judging.law import Law
from discovery.libraries.functions import Functions


def sides(
    library: Functions, terms: Sequence[sympy.Expr], ops: Operators
) -> Iterator[tuple[Candidate, Candidate]]:
    """Yield what a sum says of two coordinates, and of all others, where no term has both kinds.

    Parameters
    ----------
    library : Functions
    terms : sequence of sympy.Expr
    ops : Operators
        Of the library, on the runs to fit to.
    """
    place = {term: j for j, term in enumerate(library.expressions())}
    if not place.keys() >= set(terms):  # numbers inside were moved
        return
    coordinates = sorted(set().union(*(term.free_symbols for term in terms)), key=str)
    costs, seen = library.costs(), set()
    for pair in combinations(coordinates, 2):
        one = frozenset(place[t] for t in terms if t.free_symbols & set(pair))
        rest = frozenset(place[t] for t in terms if t.free_symbols - set(pair))
        if one & rest or min(len(one), len(rest)) < 2 or one in seen:
            continue
        seen |= {one, rest}
        out = []
        for support in (sorted(one), sorted(rest)):
            flatness, c = ops.pencil.smallest(np.array(support))
            out.append(Candidate(tuple(support), c, flatness, float(costs[support].sum())))
        yield out[0], out[1]


def coupled(
    library: Functions,
    parts: Sequence[Law],
    fit: Orbits,
    level: float,
    criteria: LawCriteria = LAWS,
) -> Candidate | None:
    """Return the sum of nearly conserved functions that moves least, maybe with a term between.

    The term's coefficient is to be further from zero than chance explains in the largest of as many
    as the library has (Bonferroni).

    Parameters
    ----------
    library : Functions
        It has the parts' terms.
    parts : sequence of Law
        Two at least, each of coordinates of its own.
    fit : Orbits
        The runs to fit it to.
    level : float
        Of a term that joins by chance.
    criteria : LawCriteria

    Returns
    -------
    Candidate or None
        Its flatness is the motion that is left, against the noise: of sums of the same parts the
        least is the likeliest. None where runs are too short.
    """
    place = {term: j for j, term in enumerate(library.expressions())}
    fit = long_runs(fit)
    if fit is None:
        return None
    start = np.zeros(len(library))
    for part in parts:
        some = [place[term] for term in part.library.expressions()]
        start[some] = part.coefficients / (part.evidence.noise * part.evidence.spread)
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
    of = [part.expression.free_symbols for part in parts]
    among = [j for t, j in place.items() if sum(bool(t.free_symbols & own) for own in of) > 1]
    others = np.array(among, dtype=int)[np.diag(noise)[among] > 0]
    support = own
    if len(others):
        trials = np.column_stack([np.tile(own, (len(others), 1)), others])
        left = pencil.lowest(trials)
        if pencil.smallest(own)[0] - left.min() > stats.chi2.isf(level / len(others), 1):
            support = np.sort(trials[int(np.argmin(left))])
    flatness, c = pencil.smallest(support)
    cost = float(library.costs()[support].sum())
    return Candidate(tuple(int(j) for j in support), c, flatness, cost)
