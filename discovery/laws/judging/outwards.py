"""Outwards: whether the numbers of a formula are those of the outer runs too.

An expansion of a law holds where the data are, and what it leaves out grows outwards. So numbers
fitted to the runs that stay amid the data are other ones than those that the outer runs ask for,
and of a law they are the same. With D_r the quadratic form of what the terms drift along run r,
the numbers c that drift least in all runs leave Σ_r D_r c = 0 in all directions that change the
formula. Runs weigh by w_r, their rank by how far out they go, and

    S = Σ_r u_r,     u_r = (w_r − A) D_r c,     A = (Σ w_r D_r) (Σ D_r)⁻¹

is zero but for chance where all runs have the same c; A is what is lost to fitting c. With n runs
and k directions Sᵀ (Σ u_r u_rᵀ)⁻¹ S / n follows a beta distribution of k/2 and (n − k)/2.

Sources: Hansen (1992), Testing for parameter instability in linear models, J. Policy Modeling 14:
sums of scores; Hotelling (1931), The generalization of Student's ratio. How far out: see
`libraries.domain`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import stats

from discovery.criteria import LAWS, LawCriteria
from discovery.estimation.orbits import Orbits
from discovery.laws.judging.drift import DriftTest
from discovery.laws.judging.law import Law
from discovery.laws.judging.numbers_inside import with_changes, with_errors
from discovery.laws.judging.verdict import Verdict
from discovery.libraries.domain import Domain
from discovery.libraries.functions import Functions

# Share of a sum of squares that is rounding.
_RIDGE = 1e-10


def told_by_all(law: Law, orbits: Orbits, criteria: LawCriteria = LAWS) -> Law:
    """Return a law with what all runs tell: errors of its numbers, and where it is known.

    Parameters
    ----------
    law : Law
    orbits : Orbits
        All runs, where its terms have values and are known.
    criteria : LawCriteria
    """
    law, terms = with_errors(law, orbits, criteria), law.library
    if law.verdict != Verdict.EXACT or terms.learned or len(terms) == 1:
        return law
    domain = Domain.around(terms, orbits.smoothed.states)
    # Two terms are no expansion, and one number is the scale.
    may_be_one = len(terms) + terms.fitted >= criteria.doubt_terms and law.numbers_by_data > 1
    # Windows share their run's numbers. Where samples follow no path all motion is noise too, and
    # where there is none it is not by chance.
    told = orbits.on_a_path and orbits.of_run is None and not law.evidence.clean
    chance = None
    if may_be_one and told:
        chance = chance_outwards(terms, law.coefficients, orbits, domain, criteria)
    return replace(law, domain=domain, outwards=chance)


def chance_outwards(
    library: Functions,
    coefficients: np.ndarray,
    orbits: Orbits,
    domain: Domain,
    criteria: LawCriteria = LAWS,
) -> float:
    """Return how probably a true law's numbers would change as much from inner runs to outer ones.

    Parameters
    ----------
    library : Functions
        The formula's own s terms.
    coefficients : (s,) array
    orbits : Orbits
        All runs.
    domain : Domain
        Of the terms, amid these runs: how far out a state is.
    criteria : LawCriteria

    Returns
    -------
    float
        1 where runs are too few to tell.
    """
    _, terms, c = with_changes(library, coefficients)
    if orbits.n_runs <= len(c) + 1:
        return 1.0
    least = DriftTest(terms, c, orbits, criteria).by_groups(np.arange(orbits.n_runs))
    leverage = domain.leverage(orbits.smoothed.states)
    size = np.sqrt(np.maximum(np.diag(least.noise), 1e-300))
    drifts, noise = least.drifts / np.outer(size, size), least.noise / np.outer(size, size)
    if not np.isfinite(drifts).all():
        return 1.0
    farthest = np.maximum.reduceat(leverage, orbits.offsets[:-1])
    weights = stats.rankdata(farthest) / orbits.n_runs
    return _chance(drifts, noise, least.refined(near=c) * size, weights)


def _chance(drifts: np.ndarray, noise: np.ndarray, c: np.ndarray, weights: np.ndarray) -> float:
    """Return the probability of a statistic as large, of forms (runs, s, s) and weights (runs,)."""
    n = len(drifts)
    # A formula has no scale: directions that change nothing else are none.
    turn = np.linalg.svd((noise @ c)[:, None])[0][:, 1:]
    scores = drifts @ c @ turn
    slopes = turn.T @ drifts @ turn
    inverse = np.linalg.pinv(slopes.sum(axis=0), hermitian=True)
    lost = np.tensordot(weights, slopes, (0, 0)) @ inverse
    parts = weights[:, None] * scores - scores @ lost.T
    values, vectors = np.linalg.eigh(parts.T @ parts)
    sound = values > _RIDGE * values.max(initial=0.0)
    sums = (parts @ vectors[:, sound]).sum(axis=0) / np.sqrt(values[sound])
    k = len(sums)
    return float(stats.beta.sf(min(sums @ sums / n, 1.0), k / 2, (n - k) / 2)) if k else 1.0
