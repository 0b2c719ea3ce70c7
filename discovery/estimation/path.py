"""A path: states with the covariance of their error, and estimates of how large that error is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Path:
    """States with their covariance.

    Attributes
    ----------
    states : (n, d) array
    covariance : (n, d, d) array
        Of the error of each state.
    """

    states: np.ndarray
    covariance: np.ndarray

    @cached_property
    def half(self) -> np.ndarray:
        """Cholesky factors of the covariance, (n, d, d)."""
        return np.linalg.cholesky(self.covariance)


def raw_path(rows: np.ndarray, noise: np.ndarray) -> Path:
    """Return measured states (n, d) with the covariance of their noise (d,), diag(noise²)."""
    return Path(rows, np.broadcast_to(np.diag(noise**2), (*rows.shape, rows.shape[1])))


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
    variance, posterior = (np.einsum("nii->ni", p.covariance) for p in (measured, path))
    excess = (measured.states - path.states) ** 2 - variance + 2 * posterior
    return float(np.mean(excess / np.median(variance, axis=0)))


def stated_error(path: Path, measured: Path) -> float:
    """Return the mean squared error that a path's own covariance states.

    Parameters
    ----------
    path, measured : Path
        As for `estimated_error`, and in the same units.
    """
    variance, posterior = (np.einsum("nii->ni", p.covariance) for p in (measured, path))
    return float(np.mean(posterior / np.median(variance, axis=0)))
