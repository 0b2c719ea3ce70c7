"""Selection: the independent laws among those that passed, judged as a set.

A flow in d dimensions has at most d − 1 laws, less one for each identity.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from operator import attrgetter

import numpy as np
from scipy import stats
from scipy.spatial.distance import cdist

from discovery.criteria import LAWS, LawCriteria
from discovery.estimation.orbits import Orbits
from discovery.laws.judging.between import choices, parameters_of
from discovery.laws.judging.independence import independent, on_surface, sine_to
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
        What the other laws' values on these explain of a law's is asked only where they are given.
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
    known: dict[int, np.ndarray] = {}

    def gradients(laws: Sequence[Law]) -> list[np.ndarray]:
        for law in laws:
            if id(law) not in known:
                known[id(law)] = law.gradient(probes, scale)
        return [known[id(law)] for law in laws]

    obeyed = [law for law in pool if law.verdict == Verdict.IDENTITY]
    obeyed.sort(key=attrgetter("cost"))
    identities: list[Law] = []
    for law in obeyed:
        if independent(gradients([law]), gradients(identities), criteria=criteria):
            identities.append(law)
            probes = on_surface(probes, scale, identities)
            known.clear()
    laws = [law for law in pool if law.verdict != Verdict.IDENTITY]
    laws.sort(
        key=lambda law: (
            law.verdict != Verdict.EXACT,
            price(law),
            law.evidence.smoothed_flatness,
        )
    )
    within = gradients(identities)
    dim = laws[0].library.dim if laws else 0
    most = (dim - 1 if orbits is None else orbits.most_laws(dim)) - len(identities)

    def redundant(some: Sequence[Law]) -> Law | None:
        # What is near others is as near for these.
        least = min((sine(law) for law in some if law.near), default=np.inf)
        sines = [min(sine(law), law.criteria.sine, least) for law in some]
        return _redundant(some, gradients(some), within, sines, orbits, price)

    gone: list[Law] = []
    while True:
        sines = [sine(law) for law in laws]
        kept = independent(gradients(laws), within, sines, criteria)
        chosen = [laws[k] for k in kept]
        extra = redundant(chosen)
        exact = [law for law in chosen if law.verdict == Verdict.EXACT]
        if extra is None and exact and len(exact) > most:
            extra = max(exact, key=price)
        if extra is None:
            break
        gone.append(extra)
        laws = [law for law in laws if law is not extra]
    # A law that left on account of one that left after it comes back.
    for law in sorted(gone, key=price):
        trial = sorted([*chosen, law], key=lambda own: own.verdict != Verdict.EXACT)
        sines = [sine(own) for own in trial]
        whole = len(independent(gradients(trial), within, sines, criteria)) == len(trial)
        exact = sum(own.verdict == Verdict.EXACT for own in trial)
        if whole and exact <= most and redundant(trial) is None:
            chosen = trial
    return Findings(chosen if orbits is None else _telling(chosen, orbits), identities)


def _redundant(
    laws: Sequence[Law],
    gradients: Sequence[np.ndarray],
    obeyed: Sequence[np.ndarray],
    sines: Sequence[float],
    orbits: Orbits | None,
    price: Callable[[Law], float],
) -> Law | None:
    """Return the costliest law that is a function of others, of equals the least known, or None.

    The set is judged as a whole: an imitation of L E may have been found before the energy E. It
    is known by its gradient, which lies in the span of the others', or by its values, where what
    these do not explain does not clearly exceed the drift that is not excluded: an imitation may
    have gradients of its own, and hardly any values. Beside parameters any law may: what all runs
    obey by these, less a parameter times another law. What is beyond doubt imitates nothing that
    costs more than it: of Kepler's problem the energy's values are nearly a function of those of
    angular momentum and of one component of the Runge–Lenz vector.

    Parameters
    ----------
    laws : sequence of Law
    gradients : sequence of (n, d) arrays
        Theirs.
    obeyed : sequence of (n, d) arrays
        Gradients of identities.
    sines : sequence of float
        How far each law's gradient must leave the span of the others'.
    orbits : Orbits, optional
        For their values.
    price : callable
        What a law costs.
    """
    found = []
    for i, law in enumerate(laws):
        # An exact law is not explained by those that are only nearly conserved.
        others = [
            j for j, other in enumerate(laws) if j != i and other.verdict in (law.verdict, "exact")
        ]
        if not others:
            continue
        sine = sine_to([gradients[j] for j in others], gradients[i], obeyed, law.criteria)
        if sine <= sines[i]:
            found.append(law)
        elif orbits is not None and (
            law.doubtful or sine <= law.criteria.learned_sine or orbits.parameters
        ):
            those = [laws[j] for j in others]
            if not law.doubtful:
                those = [other for other in those if price(other) <= price(law)]
            if those and unexplained(law, those, orbits) < law.least_new:
                found.append(law)
    return max(found, key=lambda law: (price(law), law.evidence.drift_interval[1]), default=None)


def _telling(laws: Sequence[Law], orbits: Orbits) -> list[Law]:
    """Return the exact laws, and of the others those that move little beside what is new in them.

    The runs' parameters and the exact laws tell the rest of their values: of a density that
    diffuses, ∫w² is the square of ∫w and a little more, which is lost soon.

    Parameters
    ----------
    laws : sequence of Law
        The exact ones first.
    orbits : Orbits
    """
    exact = [law for law in laws if law.verdict == Verdict.EXACT]
    near = laws[len(exact) :]
    known = [law.means(orbits) for law in exact] if near else []
    for law in near:
        values = np.array([law.means(orbits), *known])
        new = unexplained_values(values, orbits, law.criteria, smooth=False)
        if law.evidence.drift_interval[1] <= law.criteria.small_drift * new:
            exact.append(law)
    return exact


def unexplained(law: Law, others: Sequence[Law], orbits: Orbits) -> float:
    """Return the share of a law's spread between orbits that is no polynomial in other laws'.

    In all or in two of these, and beside them in the runs' parameters, in all or in one: of these
    the value may be what all runs obey by their parameters.

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
    means = np.array([other.means(orbits) for other in (law, *others)])
    return unexplained_values(means, orbits, law.criteria, smooth=law.near)


def unexplained_values(
    values: np.ndarray, orbits: Orbits, criteria: LawCriteria = LAWS, smooth: bool = True
) -> float:
    """Return the share of the first values' spread that is no polynomial in the others.

    In all or in two of these.

    Parameters
    ----------
    values : (k, runs) array
        Means over each run; nan where there is none.
    orbits : Orbits
    criteria : LawCriteria
    smooth : bool
        Whether it is to be no other smooth function of them either: 1/L² is no polynomial.
    """
    sound = np.isfinite(values).all(axis=0)
    values = values[:, sound]
    some, needed = choices(parameters_of(orbits)[sound]), criteria.runs_per_coefficient
    rows = range(1, len(values))
    # Few runs tell polynomials of high degree in few laws only.
    sets = {tuple(rows), *itertools.combinations(rows, 2)}
    left = [
        _left(np.vstack([values[0], values[list(known)], own.T]), needed)
        for known in sets
        for own in some
    ]
    if smooth and len(values) > 1:
        left += [_not_foretold(np.vstack([values, own.T])) for own in some]
    return min(left)


def _not_foretold(values: np.ndarray) -> float:
    """Return the share of the spread of the first values that splines through others leave.

    Each value is foretold by all others, from where it is in the rest: polyharmonic splines, left
    out one by one at once (Rippa, Adv. Comput. Math. 11, 1999).
    """
    h, *rest = stats.zscore(values, axis=1)
    places = np.column_stack([np.ones(len(h)), *rest])
    distances = cdist(places, places) ** 3
    line = np.zeros((places.shape[1],) * 2)
    inverse = np.linalg.pinv(np.block([[distances, places], [places.T, line]]))[: len(h), : len(h)]
    return float(np.sqrt(np.mean((inverse @ h / np.diag(inverse)) ** 2)))


def _left(values: np.ndarray, needed: float) -> float:
    """Return the share of the spread of the first values that is no polynomial in the others."""
    known, n = len(values) - 1, values.shape[1]
    degrees = (3, 2, 1) if known else ()
    degree = next((p for p in degrees if needed * term_count(known, p) < n), 0)
    if not degree:
        return 1.0
    values = stats.zscore(values, axis=1)
    powers = monomials(known, degree)
    design = np.array([np.prod(values[1:].T ** np.array(e), axis=1) for e in powers])
    design = np.column_stack([np.ones(n), design.T])
    rest = values[0] - design @ np.linalg.lstsq(design, values[0])[0]
    return float(np.sqrt(rest @ rest / (n - design.shape[1])))
