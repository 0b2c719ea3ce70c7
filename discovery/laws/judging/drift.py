"""Drift: how far a formula moves along an orbit when the noise is set aside.

Measurement noise is independent from sample to sample, so its spectrum along a run is flat; what
the state does is not independent, and stands out above that floor at low frequencies. With P_k the
power of cosine mode k of h along a run of T samples (type-II DCT, orthonormal),

    A_b = (1/T) Σ_{k in band b} (P_k − floor),     floor = mean of P_k over the upper half,

is the systematic variance of h in a band of frequencies, without any model of the noise. A slow
secular drift fills the lowest band, motion with the orbit a higher one.

Source: the periodogram test of whiteness, after Bartlett (1955).
"""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np
from scipy.fft import dct
from scipy.ndimage import uniform_filter1d

from discovery.criteria import LAWS, LawCriteria
from discovery.estimation.orbits import Orbits
from discovery.formulas.pencil import solve
from discovery.laws.finding.operators import moved_by, steepness
from discovery.libraries.functions import Functions

# Upper edges of the bands as fractions of the highest mode; the last band is the floor.
EDGES = (1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2)
# Samples over which the noise level is averaged before it weights them, so that a sample's weight
# does not depend on its own noise.
WINDOW = 9
# Share of each term's noise that is added to it where terms may be dependent.
_RIDGE = 1e-12
# Bootstrap samples for the standard errors of coefficients.
ERROR_DRAWS = 64


def even_weights(noise: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return weights by the inverse of the noise variance (n,), slowly varying along each run.

    Without them a few close encounters would speak for all samples.
    """
    level = np.empty_like(noise)
    for a, b in itertools.pairwise(offsets):
        level[a:b] = uniform_filter1d(noise[a:b], WINDOW, mode="nearest")
    # Where a function has no noise at all (it saturates) its median says nothing.
    weight = 1.0 / (level + max(float(np.median(level)), 1e-9 * float(level.max()), 1e-300))
    return weight / weight.mean()


def modes(values: np.ndarray, weights: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return cosine modes of functions along each run, weighted and without their mean.

    Parameters
    ----------
    values : (..., n) array
        Functions along the measured (not smoothed) orbits.
    weights : (n,) array
    offsets : (runs + 1,) array of int

    Returns
    -------
    (..., n) array
        Mode k of run r at ``offsets[r] + k``.
    """
    starts, lengths = offsets[:-1], np.diff(offsets)
    mass = np.add.reduceat(weights, starts)
    means = np.add.reduceat(values * weights, starts, axis=-1) / mass
    centred = (values - np.repeat(means, lengths, axis=-1)) * np.sqrt(weights)
    out = np.empty_like(centred)
    for a, b in itertools.pairwise(offsets):
        out[..., a:b] = dct(centred[..., a:b], norm="ortho", axis=-1)
    return out


def excess_weights(offsets: np.ndarray, floor: bool = True) -> np.ndarray:
    """Return what each mode's power counts in each band's A_b, shape (bands, n).

    Without a floor the last band holds the fastest modes too, and nothing is taken out.
    """
    out = np.zeros((len(EDGES), offsets[-1]))
    lower = (0.0, *EDGES[:-1])
    upper = EDGES if floor else (*EDGES[:-1], 1.0)
    for a, b in itertools.pairwise(offsets):
        length = b - a
        fraction = np.arange(length) / length
        top = (fraction > EDGES[-1]) & floor
        for band, (low, high) in enumerate(zip(lower, upper, strict=True)):
            inside = (fraction > low) & (fraction <= high)
            out[band, a:b] = inside / length
            if top.any():
                out[band, a:b] -= top * (inside.sum() / top.sum() / length)
    return out


@lru_cache(maxsize=8)
def _excess_weights(offsets: bytes, floor: bool) -> np.ndarray:
    """Return `excess_weights` of offsets given as bytes: every formula asks for the same."""
    weights = excess_weights(np.frombuffer(offsets, dtype=np.int64), floor)
    weights.setflags(write=False)
    return weights


def drift_floor(power: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the power (n,) of white noise in all modes of each run but the mean, (runs,)."""
    out = np.empty(len(offsets) - 1)
    for r, (a, b) in enumerate(itertools.pairwise(offsets)):
        top = power[a:b][np.arange(b - a) > EDGES[-1] * (b - a)]
        out[r] = (b - a - 1) * (top.mean() if len(top) else power[a:b].mean())
    return out


def drift_bands(spectrum: np.ndarray, counts: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return A_b of every run.

    Parameters
    ----------
    spectrum : (n,) array
        Modes of one function.
    counts : (bands, n) array
        From `excess_weights`.
    offsets : (runs + 1,) array of int

    Returns
    -------
    (runs, bands) array
        Not necessarily positive: its expectation is the systematic variance.
    """
    return np.add.reduceat(counts * spectrum**2, offsets[:-1], axis=1).T


class DriftTest:
    """The systematic motion of combinations of a formula's terms, noise set aside.

    Parameters
    ----------
    library : Functions
        The formula's own s terms.
    coefficients : (s,) array
        The formula; its noise weights the samples.
    orbits : Orbits
    criteria : LawCriteria
    """

    def __init__(
        self,
        library: Functions,
        coefficients: np.ndarray,
        orbits: Orbits,
        criteria: LawCriteria = LAWS,
    ) -> None:
        self._criteria = criteria
        smooth, measured = orbits.smoothed, orbits.measured
        _, noise = values_of(library, coefficients, smooth.states, smooth.covariance)
        weight = even_weights(noise, orbits.offsets)
        phi, slopes, bend = library.jets(measured.states, measured.covariance, order=2)
        self._offsets = orbits.offsets
        self._modes = modes(phi - 0.5 * bend, weight, orbits.offsets)
        self._floor = orbits.on_a_path
        offsets = orbits.offsets.astype(np.int64).tobytes()
        self._counts = _excess_weights(offsets, self._floor)
        self._noise = moved_by(slopes * np.sqrt(weight), measured.half) / weight.sum()
        self._covariance = np.atleast_2d(np.cov(phi))
        self._steepness = steepness(slopes, orbits.scale) / phi.shape[1]
        self._start = coefficients
        self.noise = float(coefficients @ self._noise @ coefficients)

    def motion(self, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the motion along each run and what noise explains of it, each (runs,).

        What the metric says of the noise counts where the fastest modes say less: clean data have
        a resolution, not a noise. Off a smooth path fast modes are motion like any others.
        """
        power = (coefficients @ self._modes) ** 2
        motion = np.add.reduceat(power, self._offsets[:-1])
        floor = drift_floor(power, self._offsets)
        stated = self.noise * (np.diff(self._offsets) - 1)
        seen = self._floor and floor.sum() > stated.sum() / 2
        return motion, floor if seen else stated

    def bands(self, coefficients: np.ndarray) -> np.ndarray:
        """Return the systematic variance in each band, (runs, bands)."""
        bands = drift_bands(coefficients @ self._modes, self._counts, self._offsets)
        if self._floor:
            return bands
        # No mode is noise alone: what noise has in each band is known, and taken out.
        share = np.add.reduceat(self._counts, self._offsets[:-1], axis=1).T
        return bands - share * (coefficients @ self._noise @ coefficients)

    def score(self, coefficients: np.ndarray) -> float:
        """Return the largest band's excess in standard errors, beyond what is tolerated."""
        mean, error = self._moments(coefficients)
        noise = float(coefficients @ self._noise @ coefficients)
        tolerated = self._criteria.tolerated_motion * noise
        with np.errstate(over="ignore"):
            return float(np.max((mean - tolerated) / np.maximum(error, 1e-300)))

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
        margin = self._criteria.detected_motion * error
        return bool(np.all(mean <= np.maximum(base, 0.0) + margin))

    def standard_errors(self, coefficients: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the standard errors of the coefficients that drift least, (s,).

        By bootstrap over runs. The term that contributes most sets the scale of each draw, and so
        has none.
        """
        starts, counts = self._offsets[:-1], self._counts.sum(axis=0)
        runs = [slice(a, b) for a, b in itertools.pairwise(self._offsets)]
        drifts = np.stack([(self._modes[:, r] * counts[r]) @ self._modes[:, r].T for r in runs])
        size = np.sqrt(np.diag(self._noise))
        main = int(np.argmax(np.abs(coefficients) * size))
        draws = []
        for _ in range(ERROR_DRAWS):
            weights = rng.multinomial(len(starts), np.full(len(starts), 1 / len(starts)))
            drift = np.einsum("r,rij->ij", weights, drifts) / len(starts)
            drawn = solve(drift, self._noise, _RIDGE).vectors[:, 0]
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
        return solve(drift, self._noise, _RIDGE).vectors[:, 0]

    def _moments(self, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        bands = self.bands(coefficients)
        return bands.mean(axis=0), bands.std(axis=0, ddof=1) / np.sqrt(len(bands))


def motion_everywhere(
    values: np.ndarray, variances: np.ndarray, offsets: np.ndarray, errors: float
) -> float:
    """Return a bound on the motion of a formula at all samples alike, and at every frequency.

    Weights by the noise make a sensitive test of whether a formula moves, but a bound from it
    holds where noise is small only: a term 1/r may move at small r as it likes. So the smoothed
    path, on which noise is least, is taken as it is.

    Parameters
    ----------
    values, variances : (n,) arrays
        The formula on the smoothed path, and the variance that noise gives it there.
    offsets : (runs + 1,) array of int
    errors : float
        Standard errors over runs that are added to the mean square motion.

    Returns
    -------
    float
        Root mean square motion along a run, as a fraction of the standard deviation over all
        samples.
    """
    starts, lengths = offsets[:-1], np.diff(offsets)
    means = np.add.reduceat(values, starts) / lengths
    moved = np.add.reduceat((values - np.repeat(means, lengths)) ** 2 - variances, starts) / lengths
    mean, error = moved.mean(), moved.std(ddof=1) / np.sqrt(len(lengths))
    spread = max(float(values.var()), 1e-300)
    return float(np.sqrt((max(mean, 0.0) + errors * error) / spread))


def values_of(
    library: Functions, coefficients: np.ndarray, states: np.ndarray, covariance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of a formula h, and the variance that noise gives them.

    Parameters
    ----------
    library : Functions
        Its s terms.
    coefficients : (s,) array
    states : (n, d) array
    covariance : (n, d, d) array
        Of the noise, whose bias is taken out of the values to second order.

    Returns
    -------
    values, variances : (n,) arrays
    """
    h, variance = np.empty(len(states)), np.empty(len(states))
    step = 2**16
    for begin in range(0, len(states), step):
        part = slice(begin, begin + step)
        phi, slopes, bend = library.jets(states[part], covariance[part], order=2)
        gradient = np.einsum("j,ijn->ni", coefficients, slopes)
        h[part] = coefficients @ (phi - 0.5 * bend)
        variance[part] = np.einsum("ni,nij,nj->n", gradient, covariance[part], gradient)
    return h, variance
