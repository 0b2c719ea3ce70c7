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
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy.fft import dct
from scipy.ndimage import uniform_filter1d

from discovery.criteria import LAWS, LawCriteria
from discovery.estimation.errors import moved
from discovery.estimation.orbits import Orbits
from discovery.laws.finding.operators import moved_by, steepness
from discovery.laws.judging.least_drift import LeastDrift, stays
from discovery.laws.judging.motion import Motion
from discovery.libraries.functions import Functions
from discovery.libraries.numeric import Numeric

# Upper edges of the bands as fractions of the highest mode; the last band is the floor.
EDGES = (1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2)
# Samples over which the noise level is averaged before it weights them, so that a sample's weight
# does not depend on its own noise.
WINDOW = 9
# Groups that runs are left out in for the standard errors of coefficients: one run each, where
# there are no more runs.
GROUPS = 100


def like_runs(offsets: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Yield first sample, end and length of runs that follow each other and are equally long.

    What is done to each run by itself can be done to them at once.
    """
    for length, group in itertools.groupby(itertools.pairwise(offsets), lambda of: of[1] - of[0]):
        some = list(group)
        yield int(some[0][0]), int(some[-1][1]), int(length)


@dataclass(frozen=True)
class Weighting:
    """How samples of all runs are weighted, where some runs are looked at alone.

    Attributes
    ----------
    usual : float
        The noise variance below which samples count alike.
    mean : float
        Of the weights, before they are scaled.
    spread : float
        Variance between all runs: noise of more hides all that a sample says.
    """

    usual: float
    mean: float
    spread: float = np.inf

    @classmethod
    def of(cls, noise: np.ndarray, offsets: np.ndarray) -> Weighting:
        """Return that of a function whose noise variance (n,) is known.

        Parameters
        ----------
        noise : (n,) array
        offsets : (runs + 1,) array of int
        """
        level = along(noise, offsets)
        # Where a function has no noise at all (it saturates) its median says nothing.
        usual = max(float(np.median(level)), 1e-9 * float(level.max()), 1e-300)
        return cls(usual, (1.0 / (level + usual)).mean())


def even_weights(
    noise: np.ndarray, offsets: np.ndarray, like: Weighting | None = None
) -> np.ndarray:
    """Return weights by the inverse of the noise variance (n,), slowly varying along each run.

    Without them a few close encounters would speak for all samples.

    Parameters
    ----------
    noise : (n,) array
        Variances.
    offsets : (runs + 1,) array of int
    like : Weighting, optional
        Of all runs, where these are some of them: the mean weight is one over all.
    """
    like = Weighting.of(noise, offsets) if like is None else like
    return 1.0 / (along(noise, offsets) + like.usual) / like.mean


def along(noise: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return noise variances (n,) averaged over a few samples of the same run.

    Parameters
    ----------
    noise : (n,) array
    offsets : (runs + 1,) array of int
    """
    level = np.empty_like(noise)
    for a, b, length in like_runs(offsets):
        level[a:b] = uniform_filter1d(
            noise[a:b].reshape(-1, length), WINDOW, axis=-1, mode="nearest"
        ).ravel()
    return level


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
    for a, b, length in like_runs(offsets):
        some = centred[..., a:b]
        parted = some.reshape(*some.shape[:-1], -1, length)
        out[..., a:b] = dct(parted, norm="ortho", axis=-1).reshape(some.shape)
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
    out = []
    for a, b, length in like_runs(offsets):
        some = power[a:b].reshape(-1, length)
        top = some[:, np.arange(length) > EDGES[-1] * length]
        out.append((length - 1) * (top if top.size else some).mean(axis=1))
    return np.concatenate(out)


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


@dataclass(frozen=True)
class Evaluated:
    """Terms on orbits: tests of some of them need not evaluate them again.

    Attributes
    ----------
    steady : (d, s, n) array
        Gradients on the smoothed path.
    values : (s, n) array
        On the measured one.
    slopes : (d, s, n) array
        Gradients on the measured one.
    bend : (s, n) array
        Twice the bias that noise puts into the values.
    """

    steady: np.ndarray
    values: np.ndarray
    slopes: np.ndarray
    bend: np.ndarray

    @classmethod
    def of(cls, library: Functions, orbits: Orbits) -> Evaluated:
        """Evaluate the terms of a library."""
        _, steady, _ = library.jets(orbits.smoothed.states, order=1)
        measured = orbits.measured
        return cls(steady, *library.jets(measured.states, measured.errors, order=2))

    @property
    def is_finite(self) -> bool:
        """Whether all have a value on all rows."""
        return all(np.isfinite(of).all() for of in (self.steady, self.values, self.slopes))

    def summed(self, coefficients: np.ndarray) -> Evaluated:
        """Return one combination of the terms."""
        c, both = coefficients, (self.steady, self.slopes)
        steady, slopes = (np.tensordot(c, of, (0, 1))[:, None] for of in both)
        return Evaluated(steady, (c @ self.values)[None], slopes, (c @ self.bend)[None])

    def restrict(self, columns: Sequence[int]) -> Evaluated:
        """Return some of the terms."""
        some = list(columns)
        return Evaluated(
            self.steady[:, some], self.values[some], self.slopes[:, some], self.bend[some]
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
    criteria : LawCriteria
    terms : Evaluated, optional
        The terms on the orbits, if they were evaluated before.
    like : Weighting, optional
        Of all runs, where these orbits are some of them.
    """

    def __init__(
        self,
        library: Functions,
        coefficients: np.ndarray,
        orbits: Orbits,
        criteria: LawCriteria = LAWS,
        terms: Evaluated | None = None,
        like: Weighting | None = None,
    ) -> None:
        self._criteria = criteria
        smooth, measured = orbits.smoothed, orbits.measured
        terms = Evaluated.of(library, orbits) if terms is None else terms
        noise = moved(np.tensordot(coefficients, terms.steady, (0, 1)), smooth.errors)
        weight = even_weights(noise, orbits.offsets, like)
        phi, slopes, bend = terms.values, terms.slopes, terms.bend
        self._offsets = orbits.offsets
        self._values, self._bend, self._weight = phi - 0.5 * bend, bend, weight
        self._modes = modes(self._values, weight, orbits.offsets)
        # The mean weight of each run's samples.
        self._level = np.add.reduceat(weight, orbits.offsets[:-1]) / np.diff(orbits.offsets)
        self._floor = orbits.on_a_path
        offsets = orbits.offsets.astype(np.int64).tobytes()
        self._counts = _excess_weights(offsets, self._floor)
        self.weight = float(weight.sum())
        self._noise = moved_by(slopes * np.sqrt(weight), measured.half) / self.weight
        self._orbits, self._phi, self._slopes = orbits, phi, slopes
        self._windows = orbits.of_run is not None
        self._blur = library.blur if isinstance(library, Numeric) else 0.0
        self._start = coefficients
        # Of nearly dependent terms rounding may leave less than nothing.
        self.noise = max(float(coefficients @ self._noise @ coefficients), 0.0)

    def restrict(self, columns: Sequence[int]) -> DriftTest:
        """Return the test of some of the terms; samples weigh as they do here.

        Parameters
        ----------
        columns : sequence of int
        """
        some = list(columns)
        part = copy(self)
        for name in ("_even_noise", "_covariance", "_steepness", "least"):
            part.__dict__.pop(name, None)  # of all terms
        part._phi, part._slopes = self._phi[some], self._slopes[:, some]
        part._values, part._modes = self._values[some], self._modes[some]
        part._bend = self._bend[some]
        part._noise, part._start = self._noise[np.ix_(some, some)], self._start[some]
        return part

    @cached_property
    def _even_noise(self) -> np.ndarray:
        return moved_by(self._slopes, self._orbits.measured.half) / self._phi.shape[1]

    @cached_property
    def _covariance(self) -> np.ndarray:
        return np.atleast_2d(np.cov(self._orbits.along_runs(self._phi)))

    @cached_property
    def _steepness(self) -> np.ndarray:
        return steepness(self._slopes, self._orbits.scale) / self._phi.shape[1]

    def motion(self, coefficients: np.ndarray) -> Motion:
        """Return what a formula moves along each run."""
        c = coefficients
        spectrum, lengths = c @ self._modes, np.diff(self._offsets)
        power = spectrum**2
        every = np.ones(self._values.shape[1])
        even = modes(c @ self._values, every, self._offsets)
        return Motion(
            lengths=lengths,
            power=np.add.reduceat(power, self._offsets[:-1]),
            fastest=drift_floor(power, self._offsets),
            level=self._level,
            bands=drift_bands(spectrum, self._counts, self._offsets),
            even=drift_bands(even, self._counts, self._offsets),
            trend=self._lowest(spectrum),
            bias=self._lowest(self._bias_modes(c)),
            share=0.0 if self._floor else self._share,
            total=self._total(c),
            noise=float(c @ self._noise @ c),
            even_noise=float(c @ self._even_noise @ c),
            slope=self.slope(c),
            terms=self._phi.mean(axis=1),
            covariance=self._covariance,
            coefficients=c,
            floor=self._floor,
            blur=self._blur,
        )

    def bands(self, coefficients: np.ndarray) -> np.ndarray:
        """Return the systematic variance in each band, (runs, bands)."""
        noise = float(coefficients @ self._noise @ coefficients)
        return self._systematic(coefficients @ self._modes, noise)

    def _systematic(self, spectrum: np.ndarray, noise: float) -> np.ndarray:
        bands = drift_bands(spectrum, self._counts, self._offsets)
        if self._floor:
            return bands
        # No mode is noise alone: what noise has in each band is known, and taken out.
        return bands - self._share * noise

    def _bias_modes(self, coefficients: np.ndarray) -> np.ndarray:
        return modes(0.5 * coefficients @ self._bend, self._weight, self._offsets)

    def _lowest(self, spectrum: np.ndarray) -> np.ndarray:
        """Return each run's lowest mode over the root of its samples, (runs,).

        Zero for windows: what coefficients lack rises or falls in many windows of a run alike.
        """
        lengths = np.diff(self._offsets)
        if self._windows:
            return np.zeros(len(lengths))
        lowest = spectrum[np.minimum(self._offsets[:-1] + 1, len(spectrum) - 1)]
        return np.where(lengths > 1, lowest, 0.0) / np.sqrt(lengths)

    @cached_property
    def _share(self) -> np.ndarray:
        """Share of the modes that each band holds, (runs, bands)."""
        return np.add.reduceat(self._counts, self._offsets[:-1], axis=1).T

    def _total(self, coefficients: np.ndarray) -> np.ndarray:
        """Return the variance of each run, (runs,), noise and all: no more than that can move."""
        values = coefficients @ self._values
        parts = [values[a:b].reshape(-1, n).var(axis=1) for a, b, n in like_runs(self._offsets)]
        return np.concatenate(parts)

    def chance(self, coefficients: np.ndarray) -> float:
        """Return how probably a true law would show as much motion, in bands or as a trend."""
        return self.motion(coefficients).chance(self._criteria)

    def slope(self, coefficients: np.ndarray) -> float:
        """Return the root mean square of the gradient in standardized coordinates."""
        return float(np.sqrt(max(coefficients @ self._steepness @ coefficients, 1e-300)))

    def alone(self, coefficients: np.ndarray) -> float:
        """Return the standard deviation of the terms, each on its own, added in squares."""
        return float(np.sqrt(max(coefficients**2 @ np.diag(self._covariance), 1e-300)))

    def allows(self, coefficients: np.ndarray, fitted: np.ndarray, ratios: int = 0) -> bool:
        """Tell whether coefficients lie in the joint confidence region about the fitted ones.

        Run by run; see `stays`. Motion below rounding is none.

        Parameters
        ----------
        coefficients, fitted : (s,) arrays
        ratios : int
            How many are not fitted; 0 for all.
        """
        trial, best = (self._systematic_at_scale(c) for c in (coefficients, fitted))
        variance = float(fitted @ self._covariance @ fitted)
        if self._windows:
            # What is constant along few runs has no spread of its own beside that of its terms.
            variance = self.alone(fitted) ** 2
        variance *= self.noise / max(self._noise_of(fitted), 1e-300)
        rounding = self._criteria.rounding_drift**2 * variance
        every, ratios = np.ones(len(trial)), ratios or max(len(fitted) - 1, 1)
        return stays(trial, best, every, rounding, ratios, self._criteria)

    def _systematic_at_scale(self, coefficients: np.ndarray) -> np.ndarray:
        """Return the systematic variance of each run for coefficients scaled to the same noise."""
        scale = np.sqrt(self.noise / max(self._noise_of(coefficients), 1e-300))
        return self.bands(coefficients * scale).sum(axis=1)

    def _noise_of(self, coefficients: np.ndarray) -> float:
        return float(coefficients @ self._noise @ coefficients)

    def standard_errors(self, coefficients: np.ndarray, level: float = 0.05) -> np.ndarray:
        """Return the standard errors of the coefficients that drift least; see `LeastDrift`."""
        return self.least.standard_errors(coefficients, level)

    def refined(self, near: np.ndarray | None = None) -> np.ndarray:
        """Return the coefficients that drift least; see `LeastDrift`."""
        return self.least.refined(near)

    def refitted(self, coefficients: np.ndarray, fixed: np.ndarray) -> np.ndarray:
        """Return coefficients of which some are fixed; see `LeastDrift`."""
        return self.least.refitted(coefficients, fixed)

    @cached_property
    def least(self) -> LeastDrift:
        """What the terms drift, by runs or `GROUPS` groups of them."""
        n_runs = len(self._offsets) - 1
        return self.by_groups(np.arange(n_runs) % min(n_runs, GROUPS))

    def by_groups(self, groups: np.ndarray, n_groups: int | None = None) -> LeastDrift:
        """Return what the terms drift on groups of runs.

        Parameters
        ----------
        groups : (runs,) array of int
            Which group each run is in.
        n_groups : int, optional
            One more than the last by default.
        """
        counts, s = self._counts.sum(axis=0), len(self._modes)
        runs = np.bincount(groups, minlength=n_groups or 0)
        drifts = np.zeros((len(runs), s, s))
        first = 0
        for a, b, length in like_runs(self._offsets):
            some = self._modes[:, a:b].reshape(s, -1, length).swapaxes(0, 1)
            powers = (some * counts[a:b].reshape(-1, 1, length)) @ some.swapaxes(1, 2)
            np.add.at(drifts, groups[first : first + len(powers)], powers)
            first += len(powers)
        return LeastDrift(drifts, runs, self._noise)


def values_of(
    library: Functions, coefficients: np.ndarray, states: np.ndarray, errors: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of a formula h, and the variance that noise gives them.

    Parameters
    ----------
    library : Functions
        Its s terms.
    coefficients : (s,) array
    states : (n, d) array
    errors : (n, d, d) or (n, d) array
        Of the noise, whose bias is taken out of the values to second order.

    Returns
    -------
    values, variances : (n,) arrays
    """
    h, variance = np.empty(len(states)), np.empty(len(states))
    step = 2**16
    for begin in range(0, len(states), step):
        part = slice(begin, begin + step)
        phi, slopes, bend = library.jets(states[part], errors[part], order=2)
        h[part] = coefficients @ (phi - 0.5 * bend)
        gradient = np.tensordot(coefficients, slopes, (0, 1))
        variance[part] = moved(gradient, errors[part])
    return h, variance
