"""Intervals by a jackknife over runs, for the few runs that judge, which differ much in size.

With n runs, θ₋ᵣ a statistic without run r, s² = (n − 1)/n Σ (θ₋ᵣ − mean)² and t Student's quantile
with n − 1 degrees of freedom:

ratio of sums           log θ ± t s
drift's square          from θ − t s to θ + u exp(t s / u) − u, u = max(θ, 0) + 2 t s

Noise makes θ of a drift symmetric, and then the upper end is θ + 1.3 t s. Motion makes it skewed,
and then the upper end is that of log θ. Chance may make θ negative: the end that is told counts
from 0, and so is no less than these runs can resolve; the one that is tested counts from θ.

Source: Miller (1974), The jackknife: a review, Biometrika 61; coverage in docs/evidence.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats

from discovery.criteria import LAWS

# Smaller denominators are zero.
_TINY = 1e-300


@dataclass(frozen=True)
class Ratio:
    """A ratio of sums over runs.

    Attributes
    ----------
    above, below : (runs,) arrays
        What each run adds to the numerator and to the denominator; positive.
    """

    above: np.ndarray
    below: np.ndarray

    @property
    def value(self) -> float:
        """The ratio."""
        return float(self.above.sum() / max(self.below.sum(), _TINY))

    def interval(self, coverage: float) -> tuple[float, float]:
        """Return both ends, symmetric on a logarithmic scale."""
        n = len(self.above)
        above, below = (np.maximum(x.sum() - x, _TINY) for x in (self.above, self.below))
        error = np.std(np.log(above) - np.log(below)) * np.sqrt(n - 1)
        with np.errstate(over="ignore"):
            factor = float(np.exp(stats.t.isf((1 - coverage) / 2, n - 1) * error))
        return self.value / factor, self.value * factor

    def drawn(self, draws: np.ndarray) -> np.ndarray:
        """Return the ratio on resamples, (draws,); `draws` (draws, runs) counts the runs."""
        return (draws @ self.above) / np.maximum(draws @ self.below, _TINY)


@dataclass(frozen=True)
class SquaredDrift:
    """Motion along runs over the spread of all samples, as variances.

    Attributes
    ----------
    motion : (runs,) array
        Systematic variance along each run; chance may make it negative.
    share : (runs,) array
        What each run counts in the mean motion.
    means : (runs,) array
        Mean value of each run, whose variance is the rest of the spread.
    """

    motion: np.ndarray
    share: np.ndarray
    means: np.ndarray

    @property
    def value(self) -> float:
        """Their ratio; negative where noise made the motion so."""
        return float(_share(self._mean, self.means.var(ddof=1)))

    @property
    def spread(self) -> float:
        """Standard deviation over all samples."""
        moved = max(self._mean, 0.0)
        return float(np.sqrt(max(float(self.means.var(ddof=1)) + moved, _TINY)))

    @property
    def chance(self) -> float:
        """How probably runs without any motion would show as much, by a one-sided t test."""
        n = len(self.motion)
        error = np.std(self._left) * np.sqrt(n - 1)
        return float(stats.t.sf(self._mean / max(error, _TINY), n - 1))

    @cached_property
    def error(self) -> float:
        """Standard error; infinite for two runs, of which either alone has no spread."""
        n = len(self.motion)
        if n < 3:
            return np.inf
        centred = self.means - self.means.mean()
        between = ((centred**2).sum() - centred**2 * n / (n - 1)) / (n - 2)
        with np.errstate(over="ignore"):  # runs that hardly differ leave a share without bound
            return float(np.std(_share(self._left, between)) * np.sqrt(n - 1))

    def at_least(self, coverage: float) -> float:
        """Return the lower end of a two-sided interval."""
        n = len(self.motion)
        return max(self.value - stats.t.isf((1 - coverage) / 2, n - 1) * self.error, 0.0)

    def at_most(self, level: float) -> float:
        """Return the upper end that is told: the truth exceeds it with probability `level`."""
        return float(np.maximum(self.value, 0.0) + self._margin(level, self.value))

    def excluded(self, level: float, values: np.ndarray | None = None) -> np.ndarray:
        """Return the upper end that is tested: what is above it is refuted at the one-sided level.

        Parameters
        ----------
        level : float
        values : (...) array, optional
            Of resamples; this one's by default.

        Returns
        -------
        (...) array
            Not below 0, like the truth.
        """
        values = self.value if values is None else values
        return np.maximum(values + self._margin(level, values), 0.0)

    def _margin(self, level: float, values: np.ndarray | float) -> np.ndarray | float:
        return upper_margin(values, self.error, level, len(self.motion))

    def drawn(self, draws: np.ndarray) -> np.ndarray:
        """Return the value on resamples, (draws,); `draws` (draws, runs) counts the runs."""
        motion = (draws @ (self.share * self.motion)) / (draws @ self.share)
        return _share(motion, variances(draws, self.means))

    @property
    def _mean(self) -> float:
        return float(np.average(self.motion, weights=self.share))

    @property
    def _left(self) -> np.ndarray:
        """The mean motion without each run."""
        total = self.share @ self.motion - self.share * self.motion
        return total / (self.share.sum() - self.share)


def upper_margin(
    values: np.ndarray | float, error: float, level: float, n_runs: int
) -> np.ndarray | float:
    """Return how far the upper end of an interval is above the square of a drift.

    Parameters
    ----------
    values : (...) array
        Estimates of the square.
    error : float
        Their standard error.
    level : float
        One-sided.
    n_runs : int

    Returns
    -------
    (...) array
    """
    margin = stats.t.isf(level, n_runs - 1) * error
    if not np.isfinite(margin):
        return np.full(np.shape(values), np.inf)
    moved = np.maximum(values, 0.0) + LAWS.skewed_motion * margin
    return moved * np.expm1(margin / np.maximum(moved, _TINY))


def variances(draws: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the variance of values (runs,) in resamples, (draws,)."""
    n = len(values)
    centred = values - values.mean()
    return np.maximum(draws @ centred**2 / n - (draws @ centred / n) ** 2, 0.0) * n / (n - 1)


def _share(motion: np.ndarray | float, between: np.ndarray | float) -> np.ndarray | float:
    return motion / np.maximum(between + np.maximum(motion, 0.0), _TINY)
