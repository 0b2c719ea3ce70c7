"""A path: states with the covariance of their error, and estimates of how large that error is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from discovery.estimation.errors import full, variances


@dataclass(frozen=True)
class Path:
    """States with the errors that they may have.

    Attributes
    ----------
    states : (n, d) array
    errors : (n, d, d) array, or (n, d) array
        Covariance of the error of each state, or variances alone where the coordinates' errors are
        independent: see `estimation.errors`.
    """

    states: np.ndarray
    errors: np.ndarray

    @property
    def covariance(self) -> np.ndarray:
        """Covariance of the error of each state, (n, d, d)."""
        return full(self.errors)

    @property
    def variances(self) -> np.ndarray:
        """Variance of the error of each coordinate, (n, d)."""
        return variances(self.errors)

    @cached_property
    def half(self) -> np.ndarray:
        """Cholesky factors of the covariance, (n, d, d); standard deviations, (n, d)."""
        if self.errors.ndim == 2:
            return np.sqrt(self.errors)
        return np.linalg.cholesky(self.errors)


def raw_path(rows: np.ndarray, noise: np.ndarray) -> Path:
    """Return measured states (n, d) with the variances of their noise (d,)."""
    return Path(rows, np.broadcast_to(noise**2, rows.shape))


def estimated_error(path: Path, measured: Path) -> float:
    """Estimate the mean squared error of a smoothed path from its residuals.

    Mallows' C_p (Technometrics 15, 1973): residual² − R + 2 P, for noise of variance R and a
    posterior variance P, is the squared error on average. It is right on average also where the
    path is biased and P does not show it.

    Errors are counted in units of each coordinate's noise variance, the median of R over the rows.
    With R of each row as its unit, the few rows where a fitted metric understates the noise would
    decide.

    Parameters
    ----------
    path : Path
        The smoothed states, with their posterior covariance.
    measured : Path
        The same states as measured, with the covariance of their noise.

    Returns
    -------
    float
        1 for the measured states themselves.
    """
    variance, posterior = measured.variances, path.variances
    excess = (measured.states - path.states) ** 2 - variance + 2 * posterior
    return float(np.mean(excess / np.median(variance, axis=0)))


def stated_error(path: Path, measured: Path) -> float:
    """Return the mean squared error that a path's own covariance states.

    Parameters
    ----------
    path, measured : Path
        As for `estimated_error`, and in the same units.
    """
    variance, posterior = measured.variances, path.variances
    return float(np.mean(posterior / np.median(variance, axis=0)))
