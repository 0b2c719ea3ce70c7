"""Integrals of densities as a library of functions, from which laws of fields are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import sympy

from discovery.estimation.errors import of_columns
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import Path
from discovery.laws.judging.law import Law
from discovery.libraries.compiled import shape_of
from discovery.libraries.library import Library
from discovery.libraries.monomials import symbols_of
from discovery.pde.densities import Densities, Jets
from discovery.pde.grid import Grid
from discovery.pde.integrals import Integrals


class IntegralsAsCoordinates(Library):
    """The integrals as the coordinates of orbits, each a term of its own.

    Parameters
    ----------
    tried : Densities
    jets : Jets
    """

    def __init__(self, tried: Densities, jets: Jets) -> None:
        symbols = symbols_of([f"I{j}" for j in range(len(tried.expressions))])
        one = np.eye(len(symbols), dtype=int)
        super().__init__(symbols, symbols, [tuple(row) for row in one], tried.name)
        self._costs = np.array([jets.cost(density) for density in tried.expressions])

    def costs(self) -> np.ndarray:
        """Return what the densities cost."""
        return self._costs


class IntegralLibrary:
    """Integrals of densities as functions of states (see `Functions`).

    Parameters
    ----------
    densities : sequence of m sympy.Expr
    jets : Jets
    grid : Grid
    names : sequence of d str
        The columns.
    """

    learned = False
    positive = ()
    fitted = 0
    is_coordinate = False
    name = "integrals"

    def __init__(
        self, densities: Sequence[sympy.Expr], jets: Jets, grid: Grid, names: Sequence[str]
    ) -> None:
        self._arguments = (densities, jets, grid, names)
        self.symbols = symbols_of(names)
        self._integrals = Integrals(densities, jets, grid)

    def __reduce__(self) -> tuple:
        # Compiled functions do not pickle; what they were compiled from does.
        return IntegralLibrary, self._arguments

    def __len__(self) -> int:
        return len(self._arguments[0])

    @property
    def densities(self) -> list[sympy.Expr]:
        """The densities, in the fields and their derivatives; functions of what is beside them."""
        return list(self._arguments[0])

    @property
    def grid(self) -> Grid:
        """Where the fields are."""
        return self._arguments[2]

    @property
    def dim(self) -> int:
        """Number of columns d."""
        return len(self.symbols)

    def expressions(self) -> list[sympy.Expr]:
        """Return the integrals as SymPy expressions."""
        densities, jets, *_ = self._arguments
        return [jets.integral(density) for density in densities]

    def values(self, states: np.ndarray) -> np.ndarray:
        """Return the integrals (m, n) of states (n, d)."""
        return self._integrals.values(self._integrals.amplitudes(states))

    def costs(self) -> np.ndarray:
        """Return what the densities cost."""
        densities, jets, *_ = self._arguments
        return np.array([jets.cost(density) for density in densities])

    def kinds(self) -> list[tuple]:
        """Return each density's shape, whatever fields are in it: u² and v² are of one kind."""
        return [(shape_of(density),) for density in self._arguments[0]]

    def restrict(self, columns: Sequence[int]) -> IntegralLibrary:
        """Return the integrals of the given densities."""
        densities, *rest = self._arguments
        return IntegralLibrary([densities[j] for j in columns], *rest)

    def jets(
        self, states: np.ndarray, covariance: np.ndarray | None = None, order: int = 1
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Evaluate integrals, gradients and curvatures.

        Parameters
        ----------
        states : (n, d) array
        covariance : (n, d, d) array, or (n, d) array of variances, optional
            Σ of the states, needed for order 2.
        order : {0, 1, 2}

        Returns
        -------
        values : (m, n) array
        gradients : (d, m, n) array or None
            ``gradients[i, j] = ∂I_j/∂x_i``.
        curvatures : (m, n) array or None
            tr(Σ ∇∇I_j).
        """
        amplitudes = self._integrals.amplitudes(states)
        values = self._integrals.values(amplitudes)
        if order == 0:
            return values, None, None
        slopes = self._integrals.gradients(amplitudes)
        flat = self._integrals.states(slopes.reshape(-1, slopes.shape[2]))
        slopes = np.moveaxis(flat.reshape(*slopes.shape[:2], -1), 0, 2).swapaxes(0, 1)
        if order == 1:
            return values, slopes, None
        return values, slopes, self._integrals.curvatures(states, covariance)


def some_columns(orbits: Orbits, columns: list[int]) -> Orbits:
    """Return the orbits of some of the integrals."""
    measured, smoothed = (
        Path(path.states[:, columns], of_columns(path.errors, columns))
        for path in (orbits.measured, orbits.smoothed)
    )
    return Orbits(measured, smoothed, orbits.offsets, orbits.scale[columns], are_functions=True)


def on_grid(law: Law, tried: Densities, jets: Jets, grid: Grid, names: Sequence[str]) -> Law:
    """Return a law in the integrals as a law in the states, its formula that of the density.

    Parameters
    ----------
    law : Law
        Its library's symbols are the integrals of `tried`.
    tried : Densities
    jets : Jets
    grid : Grid
    names : sequence of d str
        The columns.
    """
    terms = law.library.expressions()
    density_of = dict(zip(law.library.symbols, tried.expressions, strict=True))
    return replace(
        law,
        library=IntegralLibrary([density_of[t] for t in terms], jets, grid, names),
        expression=law.expression.xreplace(density_of),
    )
