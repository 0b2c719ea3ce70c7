"""Evidence: what runs say of one formula, with intervals by bootstrap over runs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from discovery.criteria import LAWS, LawCriteria
from discovery.estimation.orbits import Orbits
from discovery.laws.judging.between import variance_between
from discovery.laws.judging.drift import DriftTest, even_weights, motion_everywhere, values_of
from discovery.libraries.functions import Functions

# Bootstrap samples of runs.
BOOTSTRAPS = 400


@dataclass(frozen=True)
class Evidence:
    """One formula on one set of runs.

    Attributes
    ----------
    flatness : float
        Motion along measured orbits over that of the noise in the same function, read from its
        fastest modes: 1, but for chance, where there is nothing else.
    flatness_interval : (float, float)
        95 % interval by bootstrap over runs.
    smoothed_flatness : float
        Motion along the smoothed path over what its noise explains at most: far more sensitive,
        and 1 or less for a law.
    smoothed_flatness_interval : (float, float)
        95 % interval by bootstrap over runs.
    signal : float
        Variance between orbits over variance within (or the noise's, where that is larger): how
        well the value tells orbits apart. What parameters explain of it does not count.
    drift : float
        Systematic motion along an orbit, noise set aside, as a fraction of the spread over all
        samples.
    drift_interval : (float, float)
        Two standard errors of its square either way.
    noise : float
        Standard deviation of one value by noise, as a fraction of the spread.
    spread : float
        Standard deviation over all samples, noise set aside.
    moving : float
        Standard errors by which its systematic motion exceeds what is tolerated.
    slope : float
        Root mean square of the gradient in standardized coordinates.
    cancelled : float
        Variation of the value over that of its terms alone, as standard deviations: small where
        terms that vary cancel, one where there is nothing but noise in them.
    everywhere : float
        Bound on the motion at all samples alike, as a fraction of the spread over all samples;
        see `drift.motion_everywhere`.
    flat_draws : (draws,) array of bool
        Whether the smoothed path of each bootstrap sample of runs finds it flat.
    """

    flatness: float
    flatness_interval: tuple[float, float]
    smoothed_flatness: float
    smoothed_flatness_interval: tuple[float, float]
    signal: float
    drift: float
    drift_interval: tuple[float, float]
    noise: float
    spread: float
    moving: float
    slope: float
    cancelled: float
    flat_draws: np.ndarray = field(repr=False)
    everywhere: float = 0.0

    @property
    def bound(self) -> float:
        """The motion along an orbit that is not excluded, as a fraction of the spread.

        Not of what was weighted alone: noisy places may hide motion.
        """
        return max(self.drift_interval[1], self.everywhere)


def gather(
    library: Functions,
    coefficients: np.ndarray,
    orbits: Orbits,
    rng: np.random.Generator,
    criteria: LawCriteria = LAWS,
) -> Evidence:
    """Measure a formula on runs that took no part in finding it.

    Parameters
    ----------
    library : Functions
        The formula's own terms.
    coefficients : (s,) array
    orbits : Orbits
    rng : numpy.random.Generator
        For the bootstrap.
    criteria : LawCriteria
        How wide intervals are, and what counts as flat in a bootstrap sample.
    """
    starts, lengths = orbits.offsets[:-1], np.diff(orbits.offsets)
    smooth = orbits.smoothed
    h, noise = values_of(library, coefficients, smooth.states, smooth.covariance)
    weight = even_weights(noise, orbits.offsets)
    mass = np.add.reduceat(weight, starts)
    means = np.add.reduceat(weight * h, starts) / mass
    within = np.add.reduceat(weight * (h - np.repeat(means, lengths)) ** 2, starts)
    moved = np.add.reduceat(weight * noise, starts)
    test = DriftTest(library, coefficients, orbits, criteria)
    systematic = test.bands(coefficients).sum(axis=1)

    draws = rng.multinomial(len(lengths), np.full(len(lengths), 1 / len(lengths)), BOOTSTRAPS)
    weights = np.vstack([np.ones(len(lengths)), draws])
    smoothed = (weights @ within) / np.maximum(weights @ moved, 1e-300)
    motion, by_noise = test.motion(coefficients)
    mu = (weights @ motion) / np.maximum(weights @ by_noise, 1e-300)
    drift2 = (weights @ (systematic * lengths)) / (weights @ lengths)
    between = max(float(means.var(ddof=1)), 0.0)
    spread = float(np.sqrt(max(between + max(drift2[0], 0.0), 1e-300)))
    # Both ways: a variance that chance made negative still has a bound.
    margin = criteria.drift_errors * float(drift2[1:].std())
    bounds = np.array([drift2[0] - margin, drift2[0] + margin])
    drift = np.sqrt(np.maximum([drift2[0], *bounds], 0.0)) / spread
    tail = 100 * np.array([(1 - criteria.coverage) / 2, (1 + criteria.coverage) / 2])
    return Evidence(
        flatness=float(mu[0]),
        flatness_interval=tuple(np.percentile(mu[1:], tail).tolist()),
        smoothed_flatness=float(smoothed[0]),
        smoothed_flatness_interval=tuple(np.percentile(smoothed[1:], tail).tolist()),
        signal=variance_between(means, orbits, criteria)
        * mass.sum()
        / max(float(within.sum()), float(moved.sum()), 1e-300),
        drift=float(drift[0]),
        drift_interval=(float(drift[1]), float(drift[2])),
        noise=float(np.sqrt(test.noise)) / spread,
        spread=spread,
        moving=test.score(coefficients),
        slope=test.slope(coefficients),
        cancelled=test.cancelled(coefficients),
        everywhere=motion_everywhere(h, noise, orbits.offsets, criteria.drift_errors),
        flat_draws=smoothed[1:] <= criteria.flatness_ceiling,
    )
