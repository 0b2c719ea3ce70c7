"""Evidence: what runs say of one formula, with intervals by bootstrap over runs."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
from scipy import linalg

from discovery.drift import drift_bands, drift_floor, even_weights, modes
from discovery.flatness import moved_by, steepness
from discovery.libraries.functions import Functions
from discovery.orbits import Orbits

BOOTSTRAPS = 400
# Draws for the standard errors of coefficients.
ERROR_DRAWS = 64
# Flat: motion along orbits at most this many times what noise explains (1 if all were known).
FLAT = 1.5
COVERAGE = 0.95
# Standard errors beyond which a systematic motion is real.
DETECTED = 4.0
# Share of the noise's variance that its handling may leave in each band.
TOLERATED = 0.003


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
        well the value tells orbits apart.
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


def gather(
    library: Functions, coefficients: np.ndarray, orbits: Orbits, rng: np.random.Generator
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
    """
    starts, lengths = orbits.offsets[:-1], np.diff(orbits.offsets)
    smooth = orbits.smoothed
    h, noise = values_of(library, coefficients, smooth.states, smooth.covariance)
    weight = even_weights(noise, orbits.offsets)
    mass = np.add.reduceat(weight, starts)
    means = np.add.reduceat(weight * h, starts) / mass
    within = np.add.reduceat(weight * (h - np.repeat(means, lengths)) ** 2, starts)
    moved = np.add.reduceat(weight * noise, starts)
    test = DriftTest(library, coefficients, orbits)
    systematic = test.bands(coefficients).sum(axis=1)

    draws = rng.multinomial(len(lengths), np.full(len(lengths), 1 / len(lengths)), BOOTSTRAPS)
    weights = np.vstack([np.ones(len(lengths)), draws])
    smoothed = (weights @ within) / np.maximum(weights @ moved, 1e-300)
    motion, by_noise = test.motion(coefficients)
    mu = (weights @ motion) / np.maximum(weights @ by_noise, 1e-300)
    drift2 = (weights @ (systematic * lengths)) / (weights @ lengths)
    between = max(float(means.var(ddof=1)), 0.0)
    spread = float(np.sqrt(max(between + max(drift2[0], 0.0), 1e-300)))
    # Twice the standard error both ways: a variance that chance made negative still has a bound.
    margin = 2 * float(drift2[1:].std())
    bounds = np.array([drift2[0] - margin, drift2[0] + margin])
    drift = np.sqrt(np.maximum([drift2[0], *bounds], 0.0)) / spread
    tail = 100 * np.array([(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Evidence(
        flatness=float(mu[0]),
        flatness_interval=tuple(np.percentile(mu[1:], tail).tolist()),
        smoothed_flatness=float(smoothed[0]),
        smoothed_flatness_interval=tuple(np.percentile(smoothed[1:], tail).tolist()),
        signal=between * mass.sum() / max(float(within.sum()), float(moved.sum()), 1e-300),
        drift=float(drift[0]),
        drift_interval=(float(drift[1]), float(drift[2])),
        noise=float(np.sqrt(test.noise)) / spread,
        spread=spread,
        moving=test.score(coefficients),
        slope=test.slope(coefficients),
        cancelled=test.cancelled(coefficients),
        flat_draws=smoothed[1:] <= FLAT,
    )


class DriftTest:
    """The systematic motion of combinations of a formula's terms, noise set aside.

    Parameters
    ----------
    library : Functions
        The formula's own s terms.
    coefficients : (s,) array
        The formula; its noise weights the samples.
    orbits : Orbits
    """

    def __init__(self, library: Functions, coefficients: np.ndarray, orbits: Orbits) -> None:
        smooth, measured = orbits.smoothed, orbits.measured
        _, noise = values_of(library, coefficients, smooth.states, smooth.covariance)
        weight = even_weights(noise, orbits.offsets)
        phi, slopes, bend = library.jets(measured.states, measured.covariance, order=2)
        self._offsets = orbits.offsets
        self._modes = modes(phi - 0.5 * bend, weight, orbits.offsets)
        self._counts = orbits.excess_weights
        self._noise = moved_by(slopes * np.sqrt(weight), measured.half) / weight.sum()
        self._covariance = np.atleast_2d(np.cov(phi))
        self._steepness = steepness(slopes, orbits.scale) / phi.shape[1]
        self._start = coefficients
        self.noise = float(coefficients @ self._noise @ coefficients)

    def motion(self, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the motion along each run and what noise explains of it, each (runs,).

        What the metric says of the noise counts where the fastest modes say less: clean data have
        a resolution, not a noise.
        """
        power = (coefficients @ self._modes) ** 2
        motion = np.add.reduceat(power, self._offsets[:-1])
        floor = drift_floor(power, self._offsets)
        stated = self.noise * (np.diff(self._offsets) - 1)
        return motion, floor if floor.sum() > stated.sum() / 2 else stated

    def bands(self, coefficients: np.ndarray) -> np.ndarray:
        """Return the systematic variance in each band, (runs, bands)."""
        return drift_bands(coefficients @ self._modes, self._counts, self._offsets)

    def score(self, coefficients: np.ndarray) -> float:
        """Return the largest band's excess in standard errors, beyond what is tolerated."""
        mean, error = self._moments(coefficients)
        noise = float(coefficients @ self._noise @ coefficients)
        return float(np.max((mean - TOLERATED * noise) / np.maximum(error, 1e-300)))

    def slope(self, coefficients: np.ndarray) -> float:
        """Return the root mean square of the gradient in standardized coordinates."""
        return float(np.sqrt(max(coefficients @ self._steepness @ coefficients, 1e-300)))

    def cancelled(self, coefficients: np.ndarray) -> float:
        """Return the value's standard deviation over that of its terms, each on its own."""
        alone = coefficients**2 @ np.diag(self._covariance)
        together = max(float(coefficients @ self._covariance @ coefficients), 0.0)
        return float(np.sqrt(together / max(alone, 1e-300)))

    def allows(self, coefficients: np.ndarray) -> bool:
        """Tell whether coefficients, scaled alike, drift no more than the formula's own."""
        scale = np.sqrt(self.noise / max(coefficients @ self._noise @ coefficients, 1e-300))
        mean, _ = self._moments(coefficients * scale)
        base, error = self._moments(self._start)
        return bool(np.all(mean <= np.maximum(base, 0.0) + DETECTED * error))

    def standard_errors(self, coefficients: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the standard errors of the coefficients that drift least, (s,).

        By bootstrap over runs. The term that contributes most sets the scale of each draw, and so
        has none.
        """
        starts, counts = self._offsets[:-1], self._counts.sum(axis=0)
        runs = [slice(a, b) for a, b in itertools.pairwise(self._offsets)]
        drifts = np.stack([(self._modes[:, r] * counts[r]) @ self._modes[:, r].T for r in runs])
        size = np.sqrt(np.diag(self._noise))
        unit = self._noise / np.outer(size, size) + 1e-12 * np.eye(len(size))
        main = int(np.argmax(np.abs(coefficients) * size))
        draws = []
        for _ in range(ERROR_DRAWS):
            weights = rng.multinomial(len(starts), np.full(len(starts), 1 / len(starts)))
            drift = np.einsum("r,rij->ij", weights, drifts) / len(starts)
            _, vectors = linalg.eigh(drift / np.outer(size, size), unit)
            drawn = vectors[:, 0] / size
            draws.append(drawn * (coefficients[main] / drawn[main]))
        errors = np.std(draws, axis=0)
        errors[main] = 0.0
        return errors

    def refined(self) -> np.ndarray:
        """Return the coefficients that drift least, against the noise that they carry.

        Noise adds nothing to a band's excess, so these are free of the bias that noise and
        smoothing put into squares.
        """
        total = self._counts.sum(axis=0)
        drift = (self._modes * total) @ self._modes.T / (len(self._offsets) - 1)
        size = np.sqrt(np.diag(self._noise))
        unit = self._noise / np.outer(size, size) + 1e-12 * np.eye(len(size))
        _, vectors = linalg.eigh(drift / np.outer(size, size), unit)
        return vectors[:, 0] / size

    def _moments(self, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        bands = self.bands(coefficients)
        return bands.mean(axis=0), bands.std(axis=0, ddof=1) / np.sqrt(len(bands))


def values_of(
    library: Functions, coefficients: np.ndarray, states: np.ndarray, covariance: np.ndarray
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
