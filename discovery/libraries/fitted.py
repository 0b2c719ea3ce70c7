"""Fitted libraries: products of atoms that hold numbers which data told, as 1/(1 + 0.46 x²)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import sympy

from discovery.estimation.orbits import Orbits
from discovery.libraries.library import Library
from discovery.libraries.monomials import Exponents


class Fitted(Library):
    """A library some of whose numbers were fitted before its coefficients are.

    A formula of its terms has these numbers too, and could imitate as much more.

    Parameters
    ----------
    symbols, atoms, exponents, name
        As of `Library`.
    fitted : int
        Numbers inside the atoms that the data told.
    clear : callable, optional
        Returns in which rows of orbits its terms are known, (n,) bool; in all by default.
    """

    def __init__(
        self,
        symbols: Sequence[sympy.Symbol],
        atoms: Sequence[sympy.Expr],
        exponents: Sequence[Exponents],
        name: str,
        fitted: int,
        clear: Callable[[Orbits], np.ndarray] | None = None,
    ) -> None:
        super().__init__(symbols, atoms, exponents, name)
        self.fitted, self.clear = fitted, clear

    def __reduce__(self) -> tuple:
        return Fitted, (
            self.symbols,
            self.atoms,
            self.exponents,
            self.name,
            self.fitted,
            self.clear,
        )

    def restrict(self, columns: Sequence[int]) -> Fitted:
        """Return the library of the given terms."""
        some = super().restrict(columns)
        return Fitted(some.symbols, some.atoms, some.exponents, some.name, self.fitted, self.clear)
