"""Evidence: what runs say of one formula, with intervals by bootstrap over runs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from discovery.drift import lag_covariance
from discovery.libraries.library import Library
from discovery.orbits import Orbits

BOOTSTRAPS = 400
# Flat: motion along orbits at most this many times what noise explains (1 if all were known).
FLAT = 1.5
COVERAGE = 0.95
# Standard errors beyond which a systematic motion is real.
DETECTED = 3.3
# Share of the noise's variance that its handling may leave in the systematic part.
TOLERATED = 0.01


@dataclass(frozen=True)
class Evidence:
    """One formula on one set of runs.

    Attributes
    ----------
    flatness : float
        μ: motion along orbits over what the noise of the smoothed path explains.
    flatness_interval : (float, float)
        95 % interval by bootstrap over runs.
    signal : float
        Variance between orbits over variance within: how well the value tells orbits apart.
    drift : float
        Systematic motion along an orbit, noise set aside, as a fraction of the spread over all
        samples.
    drift_interval : (float, float)
    drift_score : float
        The systematic variance beyond `TOLERATED`, in units of its standard error: above about
        three it is real.
    noise : float
        Standard deviation of one value by noise, as a fraction of the spread.
    spread : float
        Standard deviation over all samples, noise set aside.
    flat_draws : (draws,) array of bool
        Whether each bootstrap sample of runs finds it flat.
    """

    flatness: float
    flatness_interval: tuple[float, float]
    signal: float
    drift: float
    drift_interval: tuple[float, float]
    drift_score: float
    noise: float
    spread: float
    flat_draws: np.ndarray = field(repr=False)


def gather(
    library: Library, coefficients: np.ndarray, orbits: Orbits, rng: np.random.Generator
) -> Evidence:
    """Measure a formula on runs that took no part in finding it.

    Parameters
    ----------
    library : Library
        The formula's own terms.
    coefficients : (s,) array
    orbits : Orbits
    rng : numpy.random.Generator
        For the bootstrap.
    """
    starts, lengths = orbits.offsets[:-1], np.diff(orbits.offsets)
    smooth = orbits.smoothed
    h, noise = _values(library, coefficients, smooth.states, smooth.covariance)
    # Samples count by the inverse of their noise, or a few close encounters would speak for all.
    weight = 1.0 / (noise + np.median(noise))
    weight /= weight.mean()
    mass = np.add.reduceat(weight, starts)
    means = np.add.reduceat(weight * h, starts) / mass
    within = np.add.reduceat(weight * (h - np.repeat(means, lengths)) ** 2, starts)
    moved = np.add.reduceat(weight * noise, starts)
    systematic, raw_noise = _systematic(library, coefficients, orbits, weight)

    noise2 = float(raw_noise.mean())
    draws = rng.multinomial(len(lengths), np.full(len(lengths), 1 / len(lengths)), BOOTSTRAPS)
    weights = np.vstack([np.ones(len(lengths)), draws])
    mu = (weights @ within) / np.maximum(weights @ moved, 1e-300)
    drift2 = (weights @ (systematic * mass)) / (weights @ mass)
    between = max(float(means.var(ddof=1)), 0.0)
    spread = float(np.sqrt(max(between + max(drift2[0], 0.0), 1e-300)))
    drift = np.sign(drift2) * np.sqrt(np.abs(drift2)) / spread
    tail = 100 * np.array([(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Evidence(
        flatness=float(mu[0]),
        flatness_interval=tuple(np.percentile(mu[1:], tail).tolist()),
        signal=between / max(float(within.sum() / mass.sum()), 1e-300),
        drift=float(max(drift[0], 0.0)),
        drift_interval=tuple(np.maximum(np.percentile(drift[1:], tail), 0.0).tolist()),
        drift_score=float((drift2[0] - TOLERATED * noise2) / max(drift2[1:].std(), 1e-300)),
        noise=float(np.sqrt(noise2) / spread),
        spread=spread,
        flat_draws=mu[1:] <= FLAT,
    )


class DriftTest:
    """Tells whether other coefficients drift more than a formula's own, noise set aside.

    Parameters
    ----------
    library : Library
        The formula's own terms.
    coefficients : (s,) array
        The reference.
    orbits : Orbits
        Runs that the formula was found on.
    """

    def __init__(self, library: Library, coefficients: np.ndarray, orbits: Orbits) -> None:
        smooth = orbits.smoothed
        _, noise = _values(library, coefficients, smooth.states, smooth.covariance)
        self._weight = 1.0 / (noise + np.median(noise))
        self._offsets = orbits.offsets
        phi, _, bend = library.jets(orbits.measured.states, orbits.measured.covariance, order=2)
        self._phi = phi - 0.5 * bend
        self._size = np.abs(coefficients).max()
        by_run = self._by_run(coefficients)
        error = by_run.std(ddof=1) / np.sqrt(len(by_run))
        self._limit = max(float(by_run.mean()), 0.0) + DETECTED * float(error)

    def __call__(self, coefficients: np.ndarray) -> bool:
        """Tell whether the coefficients, scaled alike, drift no more than the reference."""
        scaled = coefficients * (self._size / np.abs(coefficients).max())
        return bool(self._by_run(scaled).mean() <= self._limit)

    def _by_run(self, coefficients: np.ndarray) -> np.ndarray:
        none = np.zeros(len(self._offsets) - 1)
        return lag_covariance(coefficients @ self._phi, self._weight, none, self._offsets)


def _systematic(
    library: Library, coefficients: np.ndarray, orbits: Orbits, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the systematic variance of every run, and the mean variance of one noisy value."""
    measured, starts = orbits.measured, orbits.offsets[:-1]
    raw, noise = _values(library, coefficients, measured.states, measured.covariance)
    noise = np.add.reduceat(weight * noise, starts) / np.add.reduceat(weight, starts)
    return lag_covariance(raw, weight, noise, orbits.offsets), noise


def _values(
    library: Library, coefficients: np.ndarray, states: np.ndarray, covariance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return h, with the bias of noise taken out, and the variance that noise gives it."""
    h, variance = np.empty(len(states)), np.empty(len(states))
    step = 2**16
    for begin in range(0, len(states), step):
        part = slice(begin, begin + step)
        phi, slopes, bend = library.jets(states[part], covariance[part], order=2)
        gradient = np.einsum("j,ijn->ni", coefficients, slopes)
        h[part] = coefficients @ (phi - 0.5 * bend)
        variance[part] = np.einsum("ni,nij,nj->n", gradient, covariance[part], gradient)
    return h, variance
