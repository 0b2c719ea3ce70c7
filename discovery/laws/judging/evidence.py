"""Evidence: what runs say of one formula, with intervals by a jackknife over runs.

That a formula is conserved is a claim of equivalence: drift is smaller than a limit Δ. It is made
where a bound of level α excludes Δ, so that a formula that drifts by more passes with probability
α at most (two one-sided tests: Schuirmann 1987). Candidates are many, and one of them may pass by
chance: candidate k of a search must exclude Δ at level α / k(k + 1). These levels sum to α, so
that with probability 1 − α none of a search, however long, is called exact and drifts by more.
What a reader is told is the bound of level α of each law. Motion that speaks against a formula
needs no correction for the number of candidates: it is the true laws that such a test may wrong,
each of them once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
from scipy import stats

from discovery.criteria import LAWS, LawCriteria
from discovery.estimation.orbits import Orbits
from discovery.formulas.simplicity import free_numbers
from discovery.laws.judging.between import parameters_of, variance_between
from discovery.laws.judging.drift import DriftTest, Weighting, even_weights, values_of
from discovery.laws.judging.intervals import Ratio, SquaredDrift, upper_margin, variances
from discovery.laws.judging.motion import Motion, chance_of_any, chance_of_motion
from discovery.libraries.functions import Functions

# Resamples of runs, on which the checks are repeated.
RESAMPLES = 400
# Runs times draws that are held at a time.
_TOGETHER = 4_000_000


@dataclass(frozen=True)
class Resamples:
    """What decides, on resamples of the runs: as many, drawn with replacement.

    Each draw's statistics come from the runs' own; standard errors are those of the sample.

    Attributes
    ----------
    smoothed_flatness, smoothed_least, moving, drift_excluded, signal : (draws,) arrays
        As in `Evidence`; `smoothed_least` is the lower end of the flatness's interval.
    """

    smoothed_flatness: np.ndarray
    smoothed_least: np.ndarray
    moving: np.ndarray
    drift_excluded: np.ndarray
    signal: np.ndarray


@dataclass(frozen=True)
class Evidence:
    """One formula on one set of runs.

    Attributes
    ----------
    flatness : float
        Motion along measured orbits over that of the noise in the same function, read from its
        fastest modes: 1, but for chance, where there is nothing else.
    flatness_interval : (float, float)
        95 % interval, by a jackknife over runs.
    smoothed_flatness : float
        Motion along the smoothed path over what its noise explains at most: far more sensitive,
        and 1 or less for a law.
    smoothed_flatness_interval : (float, float)
        95 % interval, by a jackknife over runs: of what very many runs would give.
    signal : float
        Variance between orbits over variance within (or the noise's, where that is larger): how
        well the value tells orbits apart. What parameters explain of it does not count.
    drift : float
        Systematic motion along an orbit, noise set aside, as a fraction of the spread over all
        samples.
    drift_interval : (float, float)
        Below the lower end it is with probability 2.5 %, above the upper end with 5 %.
    drift_excluded : float
        Above it is with probability 5 % over k(k + 1), for the k-th candidate that was judged;
        noisy samples count less.
    drift_chance : float
        Probability that a true law would show as much drift.
    noise : float
        Standard deviation of one value by noise, as a fraction of the spread.
    spread : float
        Standard deviation over all samples, noise set aside.
    moving : float
        Probability that a true law would show as much motion in its worst band of frequencies.
    slope : float
        Root mean square of the gradient in standardized coordinates.
    cancelled : float
        Variation of the value over that of its terms alone, as standard deviations: small where
        terms that vary cancel, one where there is nothing but noise in them.
    terms : float
        Standard deviation of its terms, each on its own, added in squares.
    resamples : Resamples
        The same statistics on resamples of the runs.
    uneven : bool
        Whether noise differs so much from place to place that the drift is measured where it is
        small. What moves elsewhere is bounded by `Runs.bound_everywhere`.
    hidden : float
        Share of the samples that noise hides, which the bound leaves out; where noise is uneven.
    clean : bool
        Whether samples show no noise. Then all motion counts in the bounds.
    along : float or None
        Of windows of few runs: a bound on the motion along these, from `motion_along`. `signal` is
        that between windows then, and no evidence of a law.
    outermost : float
        Share of the samples that lie outside where its functions are known, and took no part.
    beside : (float, float) or None
        Bounds on the drift of what it says beside known laws, from `beside.drift_beside`.
    """

    flatness: float
    flatness_interval: tuple[float, float]
    smoothed_flatness: float
    smoothed_flatness_interval: tuple[float, float]
    signal: float
    drift: float
    drift_interval: tuple[float, float]
    drift_excluded: float
    drift_chance: float
    noise: float
    spread: float
    moving: float
    slope: float
    cancelled: float
    terms: float
    resamples: Resamples = field(repr=False)
    uneven: bool = False
    hidden: float = 0.0
    clean: bool = False
    along: float | None = None
    outermost: float = 0.0
    beside: tuple[float, float] | None = None

    def over_terms(self) -> Evidence:
        """Return the evidence with the spread of the terms as unit: few runs have no other."""
        unit = self.spread / self.terms
        low, high = self.drift_interval
        drawn = self.resamples.drift_excluded * unit
        return replace(
            self,
            drift=self.drift * unit,
            drift_interval=(low * unit, high * unit),
            drift_excluded=self.drift_excluded * unit,
            noise=self.noise * unit,
            spread=self.terms,
            resamples=replace(self.resamples, drift_excluded=drawn),
        )

    def told(self, chances: Sequence[float], drawn: np.ndarray) -> Evidence:
        """Return the evidence with the least of some chances of as much motion (Bonferroni).

        Parameters
        ----------
        chances : sequence of float
            That a true law would show as much motion, by one test each.
        drawn : (draws,) array
            One of them on each resample.
        """
        least = np.minimum(self.resamples.moving, len(chances) * drawn)
        moving = min(1.0, len(chances) * min(chances))
        return replace(self, moving=moving, resamples=replace(self.resamples, moving=least))

    def bounded(self, motion: float) -> Evidence:
        """Return the evidence with a bound on motion, in spreads, that no smaller one replaces."""
        low, high = self.drift_interval
        drawn = np.maximum(self.resamples.drift_excluded, motion)
        return replace(
            self,
            drift_interval=(low, max(high, motion)),
            drift_excluded=max(self.drift_excluded, motion),
            resamples=replace(self.resamples, drift_excluded=drawn),
        )


def gather(
    library: Functions,
    coefficients: np.ndarray,
    orbits: Orbits,
    rng: np.random.Generator,
    criteria: LawCriteria = LAWS,
    candidate: int = 1,
    by_chance: float = 1.0,
) -> Evidence:
    """Measure a formula on runs that took no part in finding it.

    Parameters
    ----------
    library : Functions
        The formula's own terms.
    coefficients : (s,) array
    orbits : Orbits
    rng : numpy.random.Generator
        Draws the resamples.
    criteria : LawCriteria
        How wide intervals are.
    candidate : int
        k where k − 1 were judged on these runs before: `drift_excluded` is at level α / k(k + 1).
    by_chance : float
        How probably arbitrary coefficients would be as simple; see `simplicity.by_chance`.
    """
    runs = Runs.of(library, coefficients, orbits, criteria, by_chance=by_chance)
    evidence = weighed(runs, rng, criteria, candidate)
    if orbits.of_run is None:
        return evidence
    along = motion_along(library, coefficients, orbits, criteria)
    return replace(evidence, along=along).over_terms()


@dataclass(frozen=True)
class Runs:
    """What each run says of one formula.

    Attributes
    ----------
    motion : Motion
        Along the measured runs.
    mass : (runs,) array
        Sum of the weights of its samples on the smoothed path.
    means, plain : (runs,) arrays
        Mean values there, weighted and not.
    within, moved : (runs,) arrays
        Weighted sums of squares about the mean, and of the variances that noise explains.
    rest : (runs,) array
        Mean square about the mean beyond the noise, all samples counting alike that are seen.
    clear : (runs,) array
        Mean values of these samples.
    seen : (runs,) array of int
        Samples that noise does not hide: it moves the formula by less than this differs between
        runs. All are seen where too many would not be, and of formulas with numbers to fit with,
        unless they are too simple for chance.
    parameters : (runs, p) array
        In units of their spread.
    """

    motion: Motion
    mass: np.ndarray
    means: np.ndarray
    plain: np.ndarray
    within: np.ndarray
    moved: np.ndarray
    rest: np.ndarray
    clear: np.ndarray
    seen: np.ndarray
    parameters: np.ndarray

    @classmethod
    def of(
        cls,
        library: Functions,
        coefficients: np.ndarray,
        orbits: Orbits,
        criteria: LawCriteria = LAWS,
        like: Weighting | None = None,
        by_chance: float = 1.0,
    ) -> Runs:
        """Look at each run.

        Parameters
        ----------
        library : Functions
            The formula's own s terms.
        coefficients : (s,) array
        orbits : Orbits
        criteria : LawCriteria
        like : Weighting, optional
            How samples of all runs are weighted, where these are some of them.
        by_chance : float
            As for `gather`.
        """
        starts, lengths = orbits.offsets[:-1], np.diff(orbits.offsets)
        smooth = orbits.smoothed
        h, noise = values_of(library, coefficients, smooth.states, smooth.errors)
        h = orbits.along_runs(h)
        weight = even_weights(noise, orbits.offsets, like)
        mass = np.add.reduceat(weight, starts)
        means = np.add.reduceat(weight * h, starts) / mass
        plain = np.add.reduceat(h, starts) / lengths
        most = _hiding(noise, means, criteria) if like is None else like.spread
        # Numbers left to fit with may imitate a law but for the places that noise hides.
        numbers = free_numbers(coefficients, library.kinds()) + library.fitted
        if numbers > criteria.doubt_numbers and by_chance > criteria.simple_by_chance:
            most = np.inf
        seen = _seen(noise, most, orbits.offsets)
        n_seen = np.add.reduceat(seen, starts)
        clear = np.add.reduceat(seen * h, starts) / n_seen
        rest = seen * ((h - np.repeat(clear, lengths)) ** 2 - noise)
        return cls(
            DriftTest(library, coefficients, orbits, criteria, like=like).motion(coefficients),
            mass,
            means,
            plain,
            np.add.reduceat(weight * (h - np.repeat(means, lengths)) ** 2, starts),
            np.add.reduceat(weight * noise, starts),
            np.add.reduceat(rest, starts) / n_seen,
            clear,
            n_seen,
            parameters_of(orbits),
        )

    @classmethod
    def joined(cls, parts: Sequence[Runs]) -> Runs:
        """Return the runs of all parts; they are of one formula, and weighted alike."""
        names = [field.name for field in fields(cls) if field.name != "motion"]
        arrays = (np.concatenate([getattr(part, name) for part in parts]) for name in names)
        return cls(Motion.joined([part.motion for part in parts]), *arrays)

    def bound_in_all(self, evidence: Evidence, criteria: LawCriteria) -> float:
        """Return a bound on the motion along these runs, more than those of the evidence.

        Some places only few runs come to: where noise is uneven, or there is none, all that moves
        counts.
        """
        if evidence.uneven or evidence.clean:
            return self.bound_everywhere(criteria)
        return _bound(self.motion.unweighted(), self.motion.lengths, self.plain, criteria)

    def bound_everywhere(self, criteria: LawCriteria) -> float:
        """Return a bound on the motion at all samples that are seen alike, and at every frequency.

        Weights by the noise make a sensitive test of whether a formula moves, but a bound from it
        holds where noise is small only: a term 1/r may move at small r as it likes. So the
        smoothed path, on which noise is least, is taken as it is. Where there is no noise, all that
        moves counts: a short excursion has as much power in the fastest modes as in others.

        Parameters
        ----------
        criteria : LawCriteria

        Returns
        -------
        float
            In spreads over all samples; above it is the motion with probability `drift_level`.
        """
        if self.motion.without_noise:
            return _bound(self.motion.total, self.motion.lengths, self.plain, criteria)
        # Noise that is overstated would take motion away: at the least there is none.
        least = min(float(np.average(self.rest, weights=self.seen)), 0.0)
        return _bound(self.rest - least, self.seen, self.clear, criteria)

    @property
    def hidden(self) -> float:
        """The share of the samples that noise hides."""
        return float(1 - self.seen.sum() / self.motion.lengths.sum())


def weighed(
    runs: Runs, rng: np.random.Generator, criteria: LawCriteria = LAWS, candidate: int = 1
) -> Evidence:
    """Weigh what runs say.

    Parameters
    ----------
    runs : Runs
    rng : numpy.random.Generator
        Draws the resamples.
    criteria : LawCriteria
        How wide intervals are.
    candidate : int
        As for `gather`.
    """
    motion, means, plain = runs.motion, runs.means, runs.plain
    within, moved, mass, lengths = runs.within, runs.moved, runs.mass, motion.lengths
    n = len(lengths)
    measured, smoothed = Ratio(motion.power, motion.explained()[0]), Ratio(within, moved)
    excess, error = motion.excess(criteria)
    drift = SquaredDrift(motion.unweighted(), lengths, plain)
    # What moves in noisy places only is seen where all samples count alike.
    unsure = motion.unsure(criteria) / drift.spread**2
    least = max(drift.at_least(criteria.coverage) - unsure, 0.0)
    even = SquaredDrift(motion.systematic(), lengths, plain)
    uneven = bool(drift.error > criteria.uneven_error * even.error)
    drift = even if uneven else drift
    alpha = level_of(candidate, criteria)

    between = variance_between(means, runs.parameters, criteria)
    # The share of the variance between runs that parameters do not explain.
    told = between / max(float(means.var(ddof=1)), 1e-300)

    low = max(drift.at_least(criteria.coverage) - unsure, 0.0)
    flattest = smoothed.interval(criteria.coverage)[0]
    drawn = [_drawn(draws, runs, excess, even) for draws in _draws(rng, n)]
    flat, values, mean_excess, signal = (np.concatenate(part) for part in zip(*drawn, strict=True))
    excluded = np.maximum(even.excluded(alpha, values), least)
    evidence = Evidence(
        flatness=measured.value,
        flatness_interval=measured.interval(criteria.coverage),
        smoothed_flatness=smoothed.value,
        smoothed_flatness_interval=smoothed.interval(criteria.coverage),
        signal=between * mass.sum() / max(within.sum(), moved.sum(), 1e-300),
        drift=float(np.sqrt(max(drift.value, 0.0))),
        drift_interval=(
            float(np.sqrt(low)),
            float(np.sqrt(max(drift.at_most(criteria.drift_level), least))),
        ),
        drift_excluded=float(np.sqrt(max(even.excluded(alpha), least))),
        drift_chance=drift.chance,
        noise=float(np.sqrt(max(motion.noise, 0.0))) / drift.spread,
        spread=drift.spread,
        moving=chance_of_any(excess, error),
        slope=motion.slope,
        cancelled=motion.cancelled,
        terms=motion.alone,
        resamples=Resamples(
            smoothed_flatness=flat,
            smoothed_least=flat * (flattest / max(smoothed.value, 1e-300)),
            moving=chance_of_motion(mean_excess, error, n),
            drift_excluded=np.sqrt(excluded),
            signal=told * signal,
        ),
        uneven=uneven,
        hidden=runs.hidden if uneven else 0.0,
    )
    if motion.without_noise:
        return replace(evidence.bounded(runs.bound_everywhere(criteria)), clean=True)
    return evidence.bounded(runs.bound_everywhere(criteria)) if uneven else evidence


def _draws(rng: np.random.Generator, n_runs: int) -> Iterator[np.ndarray]:
    """Yield how often each run is drawn, (draws, runs): as many draws at a time as fit."""
    together = max(1, min(RESAMPLES, _TOGETHER // n_runs))
    for begin in range(0, RESAMPLES, together):
        size = min(together, RESAMPLES - begin)
        yield rng.multinomial(n_runs, np.full(n_runs, 1 / n_runs), size)


def _drawn(
    draws: np.ndarray, runs: Runs, excess: np.ndarray, even: SquaredDrift
) -> tuple[np.ndarray, ...]:
    """Return flatness, squared drift, mean excess and signal of some draws."""
    variation = np.maximum(np.maximum(draws @ runs.within, draws @ runs.moved), 1e-300)
    return (
        Ratio(runs.within, runs.moved).drawn(draws),
        even.drawn(draws),
        draws @ excess / len(runs.means),
        variances(draws, runs.means) * (draws @ runs.mass) / variation,
    )


def _hiding(noise: np.ndarray, means: np.ndarray, criteria: LawCriteria) -> float:
    """Return the variance of noise that hides all that a sample says; infinite where many are so.

    Parameters
    ----------
    noise : (n,) array
        Variances.
    means : (runs,) array
        Mean value of each run: noise hides what is less than their spread.
    criteria : LawCriteria
    """
    most = float(means.var(ddof=1)) if len(means) > 1 else np.inf
    return most if np.mean(noise > most) <= criteria.hidden_samples else np.inf


def _seen(noise: np.ndarray, most: float, offsets: np.ndarray) -> np.ndarray:
    """Tell which samples noise (n,) does not hide, (n,); all of a run that it would hide."""
    seen = noise <= most
    some = np.add.reduceat(seen, offsets[:-1]) > 0
    return seen | ~np.repeat(some, np.diff(offsets))


def _bound(
    motion: np.ndarray, lengths: np.ndarray, means: np.ndarray, criteria: LawCriteria
) -> float:
    """Return what a drift exceeds with probability `drift_level`; (runs,) arrays."""
    moved = SquaredDrift(motion, lengths, means)
    return float(np.sqrt(moved.at_most(criteria.drift_level)))


def motion_along(
    library: Functions, coefficients: np.ndarray, orbits: Orbits, criteria: LawCriteria = LAWS
) -> float:
    """Return a bound on the motion of a formula along runs of which these orbits are windows.

    Few runs have no spread between them to measure it by: it is compared with the terms, which
    move along the run and cancel. Windows are the sample of the interval.

    Parameters
    ----------
    library : Functions
        The formula's own terms.
    coefficients : (s,) array
    orbits : Orbits
        All windows.
    criteria : LawCriteria

    Returns
    -------
    float
        Over the standard deviation of the terms along a run, each on its own, added in squares;
        above it is the motion with probability `drift_level`.
    """
    smooth, lengths = orbits.smoothed, np.diff(orbits.offsets)
    h, noise = values_of(library, coefficients, smooth.states, smooth.errors)
    rest = orbits.along_runs(h) ** 2 - noise
    motion = np.add.reduceat(rest, orbits.offsets[:-1]) / lengths
    n, mean = len(motion), max(float(rest.mean()), 0.0)
    margin = stats.t.isf(criteria.drift_level, n - 1) * motion.std(ddof=1) / np.sqrt(n)
    with np.errstate(over="ignore"):
        terms = orbits.along_runs(library.values(smooth.states)).var(axis=1)
    if not np.isfinite(terms).all():
        return np.inf
    return float(np.sqrt((mean + margin) / max(float(coefficients**2 @ terms), 1e-300)))


def chance_of_windows(
    library: Functions, coefficients: np.ndarray, orbits: Orbits, criteria: LawCriteria = LAWS
) -> float:
    """Return how probably noise alone would make the means of a run's windows differ as much.

    By a χ² test. What is slower than a window moves its mean, and nothing within it.

    Parameters
    ----------
    library : Functions
        The formula's own terms.
    coefficients : (s,) array
    orbits : Orbits
        All windows.
    criteria : LawCriteria
    """
    measured, starts, lengths = orbits.measured, orbits.offsets[:-1], np.diff(orbits.offsets)
    h, noise = values_of(library, coefficients, measured.states, measured.errors)
    means = np.add.reduceat(orbits.along_runs(h), starts) / lengths
    noise = np.add.reduceat(noise, starts) / lengths
    variance = noise * (1 / lengths + criteria.tolerated_motion)
    free = len(means) - len(np.unique(orbits.of_run))
    return float(stats.chi2.sf(np.sum(means**2 / np.maximum(variance, 1e-300)), max(free, 1)))


def level_of(candidate: int, criteria: LawCriteria = LAWS) -> float:
    """Return the level α / k(k + 1) at which candidate k of a search must exclude drift.

    Parameters
    ----------
    candidate : int
        k, from 1.
    criteria : LawCriteria
        With α.
    """
    return criteria.drift_level / (candidate * (candidate + 1))


def resolution(orbits: Orbits, criteria: LawCriteria = LAWS) -> float:
    """Return the drift that would be excluded of a law as noisy as the noisiest coordinate.

    White noise of variance σ² leaves σ² √(2/N) in the mean systematic variance of N samples.

    Parameters
    ----------
    orbits : Orbits
        The runs that judge.
    criteria : LawCriteria

    Returns
    -------
    float
        As a fraction of the spread.
    """
    ratio = float(np.max(orbits.mean_noise / orbits.scale))
    error = np.sqrt(2 / len(orbits.measured.states)) * ratio**2
    return float(np.sqrt(upper_margin(0.0, error, criteria.drift_level, orbits.n_runs)))
