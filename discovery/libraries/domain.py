"""The domain of fitted functions: the states that the data which told them surround.

The leverage of a state, (φ(x) − m)ᵀ (S + R)⁻¹ (φ(x) − m) with the mean m and covariance S of the
terms and the penalty R they were fitted with, is small among the data and grows steeply away from
them (the inverse Christoffel function; Lasserre and Pauwels, Adv. Comput. Math. 45, 2019).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from discovery.libraries.functions import Functions


@dataclass(frozen=True)
class Domain:
    """States whose leverage is at most that of nearly all data.

    Attributes
    ----------
    library : Functions
        m terms.
    mean : (m,) array
    inverse : (m, m) array
        (S + R)⁻¹.
    most : float
        The leverage up to which states are in the domain.
    """

    library: Functions
    mean: np.ndarray
    inverse: np.ndarray
    most: float

    @classmethod
    def of(
        cls, library: Functions, states: np.ndarray, penalty: np.ndarray, outside: float
    ) -> Domain:
        """Return the domain of the given states.

        Parameters
        ----------
        library : Functions
            m terms.
        states : (n, d) array
        penalty : (m, m) array
            R.
        outside : float
            The share of these states that are left out: the outermost.
        """
        values = library.values(states)
        mean = values.mean(axis=1)
        inverse = np.linalg.pinv(np.cov(values) + penalty, hermitian=True)
        whole = cls(library, mean, inverse, np.inf)
        most = float(np.quantile(whole.leverage(states), 1 - outside))
        return cls(library, mean, inverse, most)

    def leverage(self, states: np.ndarray) -> np.ndarray:
        """Return how far states (n, d) are from the data, (n,)."""
        rest = self.library.values(states).T - self.mean
        return np.sum((rest @ self.inverse) * rest, axis=1)

    def holds(self, states: np.ndarray) -> np.ndarray:
        """Tell which states (n, d) are in the domain, (n,) bool."""
        return self.leverage(states) <= self.most
