"""The span of conserved quantities, closed under Poisson brackets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy

from discovery.algebra import lie_algebra
from discovery.criteria import SYMMETRIES
from discovery.noether import phase_space
from discovery.noether.phase_space import PhaseSpace

# An algebra that needs more generators than this is not named.
MOST = 16
# Nor one of which a bracket has more operations: such lists go on without end.
_LONG = 1000


class BracketSpan:
    """Functions on phase space with their values and gradients at states.

    Parameters
    ----------
    space : PhaseSpace
    states : (N, D) array
        Where functions are compared.

    Attributes
    ----------
    generators : list of sympy.Expr
        Linearly independent.
    """

    def __init__(self, space: PhaseSpace, states: np.ndarray) -> None:
        d = len(space.symbols)
        self.space, self.states = space, states
        self.generators: list[sympy.Expr] = []
        self._tensor = space.tensor()
        poisson = phase_space.evaluate(list(self._tensor), space.symbols, states)
        self._poisson = poisson.reshape(-1, d, d)
        self._values = np.zeros((len(states), 0))
        self._slopes = np.zeros((len(states), 0, d))
        self._symbolic: list[sympy.Matrix] = []
        self._endless = False

    def close(self, quantities: Sequence[sympy.Expr]) -> None:
        """Add the quantities, then their brackets until no bracket leaves the span.

        Stops with more than `MOST` generators, or where their formulas grow too long: there may be
        no end.
        """
        for h in quantities:
            values = phase_space.evaluate([h], self.space.symbols, self.states)[:, 0]
            if (
                self._outside(values, np.linalg.norm(values), self._values)
                > SYMMETRIES.new_generator
            ):
                self._add(h)
        done = 0
        while done < len(self.generators):
            for other in range(done):
                if len(self.generators) > MOST or self._endless:
                    return
                self._add_bracket(done, other)
            done += 1

    def _add(self, h: sympy.Expr) -> None:
        symbols = self.space.symbols
        slope = sympy.Matrix([h.diff(s) for s in symbols])
        self.generators.append(h)
        self._symbolic.append(slope)
        values = phase_space.evaluate([h, *slope], symbols, self.states)
        self._values = np.concatenate([self._values, values[:, :1]], axis=1)
        self._slopes = np.concatenate([self._slopes, values[:, None, 1:]], axis=1)

    def _add_bracket(self, i: int, j: int) -> None:
        brackets, sizes = lie_algebra.brackets_of(self._slopes[:, [i, j]], self._poisson)
        size = np.linalg.norm(sizes[:, 0, 1])
        # Coefficients may depend on what commutes with everything (the energy).
        central = self._central()
        rows = np.concatenate(
            [self._values, lie_algebra.with_levels(self._values, central)], axis=1
        )
        if self._outside(brackets[:, 0, 1], size, rows) > SYMMETRIES.new_generator:
            bracket = (self._symbolic[i].T * self._tensor * self._symbolic[j])[0]
            self._endless = sympy.count_ops(bracket) > _LONG
            if not self._endless:
                self._add(sympy.expand(bracket))

    def _central(self) -> np.ndarray:
        brackets, sizes = lie_algebra.brackets_of(self._slopes, self._poisson)
        rates = np.sqrt(np.mean(brackets**2, axis=0))
        zero = rates <= SYMMETRIES.central_bracket * np.sqrt(np.mean(sizes**2, axis=0)) + 1e-12
        return np.flatnonzero(zero.all(axis=1))

    @staticmethod
    def _outside(values: np.ndarray, size: float, rows: np.ndarray) -> float:
        """Return the share of a function that no combination of the rows' functions gives."""
        if size == 0:
            return 0.0
        scale = np.linalg.norm(rows, axis=0)
        unit = rows / np.where(scale > 0, scale, 1.0)
        rest = values - unit @ np.linalg.lstsq(unit, values, rcond=1e-10)[0]
        return float(np.linalg.norm(rest) / size)

    def algebra(self) -> lie_algebra.LieAlgebra | None:
        """Fit the algebra of all generators; None where `close` saw no end."""
        if self._endless or not 0 < len(self.generators) <= MOST:
            return None
        return lie_algebra.of_functions(self._values, self._slopes, self._poisson)

    def name(self) -> str | None:
        """Name the algebra beside the energy, which commutes with everything."""
        fitted = self.algebra()
        if fitted is None:
            return "unknown"
        energy = phase_space.evaluate([self.space.hamiltonian], self.space.symbols, self.states)
        within = np.linalg.lstsq(self._values, energy[:, 0], rcond=None)[0]
        if (
            self._outside(energy[:, 0], np.linalg.norm(energy), self._values)
            > SYMMETRIES.new_generator
        ):
            return fitted.name
        beside = fitted.modulo(within)
        return None if beside is None else beside.name
