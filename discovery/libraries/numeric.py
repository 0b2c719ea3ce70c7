"""Numeric functions: combinations of many basis functions, of which no closed form is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy

from discovery.libraries.domain import Domain
from discovery.libraries.expanded import Expanded
from discovery.libraries.library import Library


class Numeric:
    """Functions that are known by their values, each a fixed combination of a library's terms.

    Parameters
    ----------
    inner : Library or Expanded
        m terms.
    vectors : (m, k) array
        One function a column.
    describing : Library
        Terms that describe them, in a report.
    numbers : sequence of int, optional
        What the functions are called: f1, f2, …
    domain : Domain, optional
        Where they are known; everywhere by default.
    blur : float
        How well they are known: errors of states, in spreads, that move them as much as what the
        expansion leaves out.
    """

    learned = True
    positive = ()
    is_coordinate = False

    def __init__(
        self,
        inner: Library | Expanded,
        vectors: np.ndarray,
        describing: Library,
        numbers: Sequence[int] | None = None,
        domain: Domain | None = None,
        blur: float = 0.0,
    ) -> None:
        self.inner, self.vectors, self.describing = inner, vectors, describing
        self.domain, self.blur = domain, blur
        self.symbols, self.name = inner.symbols, f"{inner.name}, as numbers"
        self.numbers = tuple(range(1, vectors.shape[1] + 1) if numbers is None else numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def dim(self) -> int:
        """Number of coordinates d."""
        return self.inner.dim

    @property
    def fitted(self) -> int:
        """Coefficients that each function holds: a formula of it pays for them."""
        return len(self.inner) - 1

    def values(self, states: np.ndarray) -> np.ndarray:
        """Evaluate the functions, (k, n), at states (n, d)."""
        return self.vectors.T @ self.inner.values(states)

    def jets(
        self, states: np.ndarray, covariance: np.ndarray | None = None, order: int = 1
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Evaluate functions, gradients and Hessians against a covariance.

        Parameters
        ----------
        states : (n, d) array
        covariance : (n, d, d) array, or (n, d) array of variances, optional
            Σ, needed for order 2.
        order : {0, 1, 2}

        Returns
        -------
        values : (k, n) array
        gradients : (d, k, n) array or None
        curvatures : (k, n) array or None
            tr(Σ ∇∇Φ_j).
        """
        values, slopes, bend = self.inner.jets(states, covariance, order)
        turn = self.vectors.T
        return (
            turn @ values,
            None if slopes is None else turn @ slopes,
            None if bend is None else turn @ bend,
        )

    def known(self, states: np.ndarray) -> np.ndarray:
        """Tell at which states (n, d) they are known, (n,) of bool: the data surround them."""
        return np.ones(len(states), bool) if self.domain is None else self.domain.holds(states)

    def expressions(self) -> list[sympy.Expr]:
        """Return each as an undefined function of the coordinates that it depends on."""
        used = set().union(*(atom.free_symbols for atom in self.inner.atoms))
        some = [symbol for symbol in self.symbols if symbol in used]
        return [sympy.Function(f"f{k}")(*some) for k in self.numbers]

    def kinds(self) -> list[tuple]:
        """Return a kind of its own for each function."""
        return [(k,) for k in self.numbers]

    def costs(self) -> np.ndarray:
        """Return a high cost: any closed form is simpler."""
        return np.full(len(self), 100.0)

    def restrict(self, columns: Sequence[int]) -> Numeric:
        """Return the given functions."""
        columns = list(columns)
        numbers = [self.numbers[j] for j in columns]
        parts = self.inner, self.vectors[:, columns], self.describing
        return Numeric(*parts, numbers, self.domain, self.blur)
