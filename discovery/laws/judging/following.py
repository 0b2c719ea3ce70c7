"""Following: whether what a formula moves along a run follows the states.

The noise of a sample knows nothing of the sample before, and all that a formula h moves besides is
a function of the state. So for functions z of the state before a sample, and for h without its mean
over the run, but for this sample and the two beside it,

    m = Σ_t w_t z_t (h_t − h̄_t)

is zero but for chance where h is conserved, whatever its noise is: no sample of h meets its own
noise in z, in the mean or in the weight. So

    J = mᵀ S⁻¹ m,     S = Σ_t z*_t z*_tᵀ (h_t − h̄)² + Σ_k b_k b_kᵀ

follows a χ² distribution with as many degrees of freedom as there are functions z. z*_t is what h_t
is multiplied by in m. The b_k are m of what is not known for sure: of each term, as much of it as
its coefficient may be off, of numbers inside terms likewise, and of the bias that noise puts into
h, which is taken out, as much as the noise of each coordinate may be off. Power in a band adds up
by chance, this with the motion itself: a tenth of the noise is seen in some thousand samples.

Sources: Hansen (1982), Large sample properties of generalized method of moments estimators,
Econometrica 50: the test of overidentifying restrictions; White (1980), A heteroskedasticity-
consistent covariance matrix estimator, Econometrica 48.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats

from discovery.criteria import FORMULAS, LAWS, LawCriteria
from discovery.estimation.errors import moved, variances
from discovery.estimation.orbits import Orbits
from discovery.laws.judging.drift import DriftTest
from discovery.laws.judging.evidence import RESAMPLES
from discovery.laws.judging.numbers_inside import with_changes
from discovery.libraries.compiled import Plan
from discovery.libraries.functions import Functions
from discovery.libraries.monomials import monomials, term_count

# Highest degree of polynomials in the states.
_HIGHEST = 6
# How many functions z there are at most, samples for each of them, and samples that are looked at:
# of more, whole runs. Budgets: with fewer samples for each, noise has the same probabilities.
_MOST, _SAMPLES, _ROWS = 90, 40, 20_000
# Shares of sums of squares: what is rounding, and what is left of a function that others nearly
# are, where its own rounding begins to count. Neither changes what noise does.
_RIDGE, _NEARLY = 1e-9, 1e-6
# Samples of a run with a mean beside the three that are left out of it; of fewer nothing is asked.
_FEWEST = 8


def chance_of_following(
    library: Functions,
    coefficients: np.ndarray,
    fit: Orbits,
    orbits: Orbits,
    criteria: LawCriteria = LAWS,
) -> np.ndarray:
    """Return how probably a true law would follow the states as closely.

    Polynomials in the states are asked, of a low degree and of a high one, and products of two of
    the states and terms; the least of the probabilities counts as many times as there are
    (Bonferroni).

    Parameters
    ----------
    library : Functions
        The formula's own s terms.
    coefficients : (s,) array
    fit : Orbits
        The runs that the formula was fitted to: how well it is known.
    orbits : Orbits
        Along paths, whose measured states count.
    criteria : LawCriteria
        Motion that is rounding, and how well noise is known.

    Returns
    -------
    (1 + draws,) array
        As it is, and as it would be with other noise: J is drawn from the distribution whose mean
        it is. 1 where nothing can be said: off paths, of windows of few runs, of an expansion,
        whose error follows the states, and where samples are too few.
    """
    nothing = np.ones(1 + RESAMPLES)
    orbits = long_runs(orbits)
    if orbits is None or library.learned or getattr(library, "blur", 0.0):
        return nothing
    numbers, terms, c = with_changes(library, coefficients)
    if library.fitted > len(numbers):
        return nothing
    off = FORMULAS.interval**2 * DriftTest(terms, c, fit, criteria).least.error_covariance(c)
    off += np.diag((FORMULAS.least_width * c) ** 2)
    if not np.isfinite(off).all():
        return nothing
    sample = Sample(terms, c, off, orbits, criteria)
    if not sample.is_finite:
        return nothing
    rng = np.random.default_rng(0)
    chances = np.array([sample.chances(z, rng) for z in instruments(terms, orbits)])
    return np.minimum(len(chances) * chances.min(axis=0), 1.0) if len(chances) else nothing


def long_runs(orbits: Orbits) -> Orbits | None:
    """Return runs that are long enough, and no more of them than tell; None where they do not.

    Off paths, and of windows of few runs, nothing is told.
    """
    if not orbits.on_a_path or orbits.of_run is not None or orbits.are_functions:
        return None
    long = np.flatnonzero(np.diff(orbits.offsets) >= _FEWEST)
    step = 1 + int(np.diff(orbits.offsets)[long].sum()) // _ROWS
    some = long[::step]
    return orbits.take(some) if len(some) > 1 else None


class Sample:
    """What a formula is at all samples but the ends of runs, and what of it is not known.

    Parameters
    ----------
    terms : Functions
        s of them.
    coefficients : (s,) array
    off : (s, s) array
        Covariance of what they may be off by.
    orbits : Orbits
    criteria : LawCriteria

    Attributes
    ----------
    terms : (s, n) array
        Their values, without the bias that noise makes.
    """

    def __init__(
        self,
        terms: Functions,
        coefficients: np.ndarray,
        off: np.ndarray,
        orbits: Orbits,
        criteria: LawCriteria,
    ) -> None:
        c, states, errors = coefficients, orbits.measured.states, orbits.measured.errors
        phi, slopes, bend = terms.jets(states, errors, order=2)
        phi = phi - 0.5 * bend
        inner = inner_rows(orbits.offsets)
        noise = moved(np.tensordot(c, slopes, (0, 1)), errors)
        noise = noise[inner - 1]
        self._offsets = orbits.offsets - 2 * np.arange(len(orbits.offsets))
        self._inside = np.ones(len(inner) - 1, dtype=bool)
        self._inside[self._offsets[1:-1] - 1] = False
        self._weight = 1.0 / (noise + max(float(np.median(noise)), 1e-300))
        self._values = c @ phi[:, inner]
        each = variances(errors)
        alone = (each * (np.arange(each.shape[1]) == i) for i in range(each.shape[1]))
        bends = np.array([c @ terms.jets(states, some, order=2)[2] for some in alone])
        bias = 0.5 * criteria.stated_noise * bends
        values, vectors = np.linalg.eigh(off)
        unsure = (vectors * np.sqrt(np.maximum(values, 0.0))).T @ phi
        self._unsure = np.vstack([unsure, bias])[:, inner]
        self.terms = phi[:, inner]
        spread = float(self._values.var() * self._weight.sum())
        self._rounding = criteria.rounding_drift**2 * spread

    @property
    def is_finite(self) -> bool:
        """Whether all that is summed has a value."""
        return all(np.isfinite(of).all() for of in (self.terms, self._unsure, self._weight))

    def chances(self, z: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the probability of a J as large, for functions z (k, n), and on each draw."""
        z = self.against_others(z)
        unsure = z @ self._unsure.T
        values, vectors = np.linalg.eigh(self._covariance(z) + unsure @ unsure.T)
        # None is left where few samples have all the weight.
        sound = values > _RIDGE * values.max(initial=0.0)
        sums = (vectors[:, sound] / np.sqrt(values[sound])).T @ (z @ self._values)
        found, degrees = float(sums @ sums), len(sums)
        if not degrees:
            return np.ones(1 + RESAMPLES)
        drawn = rng.noncentral_chisquare(degrees, max(found - degrees, 0.0), RESAMPLES)
        # The length of what noise adds is at least that of both less that of the motion.
        length = np.sqrt(np.append(found, drawn)) - np.sqrt(self._rounding)
        return stats.chi2.sf(np.maximum(length, 0.0) ** 2, degrees)

    def _covariance(self, z: np.ndarray) -> np.ndarray:
        """Return that of the sums of z* h, by the squares of h about its mean over each run."""
        lengths = np.repeat(np.diff(self._offsets), np.diff(self._offsets))
        parts = z * self._centred(self._values) * np.sqrt(lengths / (lengths - 1))
        return parts @ parts.T

    def _sums(self, values: np.ndarray) -> np.ndarray:
        """Return sums over each run, (..., runs)."""
        return np.add.reduceat(values, self._offsets[:-1], axis=-1)

    def _at_samples(self, of_runs: np.ndarray) -> np.ndarray:
        """Return values of runs at their samples, (..., n)."""
        return np.repeat(of_runs, np.diff(self._offsets), axis=-1)

    def _centred(self, values: np.ndarray) -> np.ndarray:
        """Return values (..., n) without their weighted mean over each run."""
        means = self._sums(values * self._weight) / self._sums(self._weight)
        return values - self._at_samples(means)

    def _around(self, values: np.ndarray) -> np.ndarray:
        """Return sums over each sample of a run and the two beside it."""
        out = values.copy()
        out[..., :-1] += values[..., 1:] * self._inside
        out[..., 1:] += values[..., :-1] * self._inside
        return out

    def against_others(self, z: np.ndarray) -> np.ndarray:
        """Return z* (m, n) of functions z (k, n), orthonormal ones that no few samples decide."""
        steady = _orthonormal(self._centred(z) * np.sqrt(self._weight))
        size = np.sum(steady**2, axis=0)
        least = np.minimum(1.0, np.sqrt(LAWS.leverage * size.mean() / np.maximum(size, 1e-300)))
        weighted = z * (self._weight * least)
        others = self._at_samples(self._sums(self._weight)) - self._around(self._weight)
        share = weighted / others
        against = self._at_samples(self._sums(share))
        against -= self._around(share)
        against *= self._weight
        weighted -= against
        return _orthonormal(weighted)


def inner_rows(offsets: np.ndarray) -> np.ndarray:
    """Return the rows of samples that have one of their run before and behind."""
    inner = np.ones(offsets[-1], dtype=bool)
    inner[[*offsets[:-1], *(offsets[1:] - 1)]] = False
    return np.flatnonzero(inner)


def _orthonormal(z: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of the rows of z (k, n), without those that are rounding."""
    size = np.sqrt(np.sum(z**2, axis=1))
    z = z[size > 0] / size[size > 0, None]
    values, vectors = np.linalg.eigh(z @ z.T)
    sound = values > _NEARLY * values.max(initial=0.0)
    return (vectors[:, sound] / np.sqrt(values[sound])).T @ z


def instruments(terms: Functions, orbits: Orbits) -> Iterator[np.ndarray]:
    """Yield functions (k, n) of the state before each sample."""
    states, inner = orbits.measured.states.T, inner_rows(orbits.offsets)
    states = _standard(states)
    both = np.vstack([_standard(terms.values(orbits.measured.states)), states])
    most = min(_MOST, len(inner) // _SAMPLES)

    def of(atoms: np.ndarray, degree: int) -> np.ndarray:
        plan = Plan(monomials(len(atoms), degree))
        before = plan.monomials(atoms[:, inner - 1])[plan.terms]
        return before - before.mean(axis=1)[:, None]

    degrees = [p for p in range(1, _HIGHEST + 1) if term_count(len(states), p) <= most]
    for degree in sorted({min(2, degrees[-1]), degrees[-1]} if degrees else ()):
        yield of(states, degree)
    few = max((k for k in range(1, len(both) + 1) if term_count(k, 2) <= most), default=0)
    if few:
        yield of(both[:few], 2)


def _standard(values: np.ndarray) -> np.ndarray:
    """Return values (k, n) of mean zero and variance one, without those that are constant."""
    spread = values.std(axis=1)
    some = spread > _RIDGE * np.abs(values).max(axis=1, initial=0.0)
    return (values[some] - values[some].mean(axis=1)[:, None]) / spread[some, None]
