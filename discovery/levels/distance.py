"""How far runs are apart in what is conserved, in standard errors.

    d² = (C̄_a − C̄_b)ᵀ Σ⁻¹ (C̄_a − C̄_b),    Σ = Σ_a + Σ_b,

C̄ being the means of the laws over a piece and Σ their covariance by noise, and by what the laws
move by themselves. Two pieces of one run, or of two runs on one level set, have d² as χ² has it.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from scipy import stats

from discovery.criteria import MOTION
from discovery.levels.pieces import Mean

# Directions that noise has no share in, and rounding has.
_ROUNDING = 1e-12


class LawDistance(float):
    """Standard errors between two pieces of runs in what is conserved: a number that says more.

    Attributes
    ----------
    rank : int
        Number of laws that it is a distance in.
    chance : float
        How often two pieces on one level set are as far apart, by noise.
    """

    rank: int
    chance: float

    @classmethod
    def of(cls, one: Mean, other: Mean, unit: np.ndarray) -> Self:
        """Return the distance of two means.

        Parameters
        ----------
        one, other : Mean
        unit : (k,) array
            Spreads of the laws.
        """
        root = whitening(one.covariance + other.covariance, unit)
        apart = root @ (one.values - other.values)
        distance = cls(np.linalg.norm(apart))
        distance.rank = len(apart)
        distance.chance = float(stats.chi2.sf(distance**2, len(apart)))
        return distance

    @property
    def alike(self) -> bool:
        """Whether noise alone may explain it: both pieces may be on one level set."""
        return self.chance > MOTION.apart

    def __str__(self) -> str:
        laws = "law" if self.rank == 1 else "laws"
        same = "may be on one level set" if self.alike else "are on different level sets"
        return (
            f"{float(self):.3g} standard errors apart in {self.rank} {laws}: they {same} "
            f"(chance {self.chance:.2g})"
        )


def whitening(covariance: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Return a lower triangular W (k, k) with W Σ Wᵀ = 1.

    Row i is law i without what the laws before it say of its error.

    Parameters
    ----------
    covariance : (k, k) array
        Σ.
    unit : (k,) array
        Spreads of the laws; errors are no smaller than rounding of these.
    """
    unit = np.maximum(unit, 1e-300)
    scaled = covariance / np.outer(unit, unit)
    scaled = scaled + np.diag(_ROUNDING * np.diag(scaled) + _ROUNDING**2)
    return np.linalg.inv(np.linalg.cholesky(scaled)) / unit
