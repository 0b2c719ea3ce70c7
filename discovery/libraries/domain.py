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
    farthest : (m,) array or None
        How far each term may be from its mean: one far state of a steep term has so much leverage
        that it says nothing of the others. None where none has a limit of its own.
    """

    library: Functions
    mean: np.ndarray
    inverse: np.ndarray
    most: float
    farthest: np.ndarray | None = None

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

    @classmethod
    def around(cls, library: Functions, states: np.ndarray) -> Domain:
        """Return the domain of all given states, for few terms of any size.

        Parameters
        ----------
        library : Functions
            m terms.
        states : (n, d) array
            Those at which a term has no value are in no domain.
        """
        values = library.values(states)
        values = values[:, np.isfinite(values).all(axis=0)]
        mean, size = values.mean(axis=1), values.std(axis=1)
        size = np.where(size > 0, size, 1.0)[:, None]
        inverse = np.linalg.pinv(np.cov(values / size), hermitian=True) / (size * size.T)
        whole = cls(library, mean, inverse, np.inf)
        most = float(np.nanmax(whole.leverage(states)))
        return cls(library, mean, inverse, most, np.abs(values - mean[:, None]).max(axis=1))

    def leverage(self, states: np.ndarray) -> np.ndarray:
        """Return how far states (n, d) are from the data, (n,)."""
        return self._leverage(self._away(states))

    def holds(self, states: np.ndarray) -> np.ndarray:
        """Tell which states (n, d) are in the domain, (n,) bool."""
        away = self._away(states)
        inside = self._leverage(away) <= self.most
        near = self.farthest is None or np.all(np.abs(away) <= self.farthest, axis=1)
        return inside & near

    def _away(self, states: np.ndarray) -> np.ndarray:
        return self.library.values(states).T - self.mean

    def _leverage(self, away: np.ndarray) -> np.ndarray:
        return np.sum((away @ self.inverse) * away, axis=1)
