"""A path: states and the covariance of what is not known of them."""

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
        How far the true state may be from ``states``.
    """

    states: np.ndarray
    covariance: np.ndarray

    @cached_property
    def half(self) -> np.ndarray:
        """Cholesky factors of the covariance, (n, d, d)."""
        return np.linalg.cholesky(self.covariance)


def raw_path(rows: np.ndarray, noise: np.ndarray) -> Path:
    """Return the measured states with the covariance of their noise, diag(noise²)."""
    return Path(rows, np.broadcast_to(np.diag(noise**2), (*rows.shape, rows.shape[1])))
