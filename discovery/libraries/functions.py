"""Functions: what every kind of candidate functions offers to search, verdict and report.

Products of powers (`Library`), features of a network (`LearnedLibrary`) and integrals of densities
(`IntegralLibrary`) are used in the same way. What is written for one works for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self, runtime_checkable

import numpy as np
import sympy

from discovery.estimation.half_lines import Column


@runtime_checkable
class Functions(Protocol):
    """m functions Φ of d coordinates, with their derivatives.

    Attributes
    ----------
    name : str
        What reports call them.
    symbols : tuple of d sympy.Symbol
        The coordinates, in the order of the state's columns.
    learned : bool
        Whether they are features of a network rather than closed forms.
    positive : tuple of int or HalfLine
        Columns of coordinates in whose positive values alone they are defined, or half lines.
    fitted : int
        Numbers inside them that the data told.
    """

    name: str
    symbols: tuple[sympy.Symbol, ...]
    learned: bool
    positive: tuple[Column, ...]
    fitted: int

    def __len__(self) -> int:
        """Return the number of functions m."""

    @property
    def dim(self) -> int:
        """Number of coordinates d."""

    @property
    def is_coordinate(self) -> bool:
        """Whether every function is a coordinate, or a product of powers of coordinates."""

    def values(self, states: np.ndarray) -> np.ndarray:
        """Return the values (m, n) at states (n, d)."""

    def jets(
        self, states: np.ndarray, covariance: np.ndarray | None = None, order: int = 1
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Return values, gradients and Hessians against a covariance.

        Parameters
        ----------
        states : (n, d) array
        covariance : (n, d, d) array, or (n, d) array of variances, optional
            Σ, needed for order 2.
        order : {0, 1, 2}

        Returns
        -------
        values : (m, n) array
        gradients : (d, m, n) array or None
            ``gradients[i, j] = ∂Φ_j/∂x_i``.
        curvatures : (m, n) array or None
            tr(Σ ∇∇Φ_j).
        """

    def expressions(self) -> list[sympy.Expr]:
        """Return the functions as SymPy expressions."""

    def costs(self) -> np.ndarray:
        """Return what each function costs in a formula, (m,): the simpler, the less."""

    def kinds(self) -> list[tuple]:
        """Return what each function is but for the coordinates in it: x² and u² are of one kind."""

    def restrict(self, columns: Sequence[int]) -> Self:
        """Return the given functions, in the given order."""
