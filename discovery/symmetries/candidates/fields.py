"""What searches need of candidate vector fields, whatever these are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import sympy


class Fields(Protocol):
    """Fields ξ_f that can be evaluated.

    Attributes
    ----------
    fields : sequence of m
        One entry a field, by which messages name it.
    """

    fields: Sequence

    def __len__(self) -> int:
        """Return the number of fields m."""

    def jets(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Evaluate fields and derivatives at points (N, n).

        Returns
        -------
        values : (N, m, n) array, ``values[b, f, k]`` = ξ_f^k
        slopes : (N, m, n, n) array, ``slopes[b, f, i, k]`` = ∂_i ξ_f^k
        """


class CandidateFields(Fields, Protocol):
    """Fields whose combinations can also be written down.

    Attributes
    ----------
    symbols : tuple of n sympy.Symbol
    dim : int
        Number of coordinates n.
    """

    symbols: tuple[sympy.Symbol, ...]
    dim: int

    def combine(self, coefficients: Sequence[float | sympy.Expr]) -> tuple[sympy.Expr, ...]:
        """Return the n components of Σ c_f ξ_f."""
