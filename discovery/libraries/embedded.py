"""Embedded functions: those of some columns of the data, of which only coordinates move.

Data may have columns that are no coordinates: parameters, constant in each run, and numbers of
runs. Libraries are made for the columns that they are of; here they take all columns. Parameters
count as constants: derivatives with respect to them are zero. So a function of parameters alone has
no gradient, is no formula, and makes no formula that it is added or multiplied to another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy

from discovery.estimation.errors import of_columns
from discovery.estimation.half_lines import Column, HalfLine, half_lines
from discovery.libraries.functions import Functions
from discovery.libraries.library import Library
from discovery.libraries.monomials import MAX_TERMS, monomials


@dataclass(frozen=True)
class Embedded:
    """Functions of some of D columns, as functions of all of them.

    Attributes
    ----------
    functions : Functions
        Their symbols are among the columns'.
    symbols : tuple of D sympy.Symbol
        All columns.
    coordinates : tuple of int
        The columns that are coordinates: derivatives are with respect to them.
    """

    functions: Functions
    symbols: tuple[sympy.Symbol, ...]
    coordinates: tuple[int, ...]

    @cached_property
    def columns(self) -> tuple[int, ...]:
        """The columns that the functions are of, in the order of their symbols."""
        return tuple(self.symbols.index(symbol) for symbol in self.functions.symbols)

    @property
    def name(self) -> str:
        """That of the functions."""
        return self.functions.name

    @property
    def learned(self) -> bool:
        """Whether they are features of a network."""
        return self.functions.learned

    @property
    def fitted(self) -> int:
        """Numbers inside the functions that the data told."""
        return self.functions.fitted

    @property
    def positive(self) -> tuple[Column, ...]:
        """Columns of coordinates that must be positive, or on a half line."""
        lines = [line.of(self.columns[line.column]) for line in half_lines(self.functions.positive)]
        own = [line for line in lines if line.column in self.coordinates]
        return tuple(line.column if line == HalfLine(line.column) else line for line in own)

    def __len__(self) -> int:
        return len(self.functions)

    @property
    def dim(self) -> int:
        """Number of coordinates d."""
        return len(self.coordinates)

    @property
    def is_coordinate(self) -> bool:
        """Whether every function is a product of powers of coordinates and parameters."""
        return self.functions.is_coordinate

    @property
    def terms(self) -> tuple:
        """What makes two libraries one."""
        return self.functions.terms

    def values(self, states: np.ndarray) -> np.ndarray:
        """Return the values (m, n) at states (n, D)."""
        return self.functions.values(np.asarray(states, dtype=float)[:, list(self.columns)])

    def known(self, states: np.ndarray) -> np.ndarray:
        """Tell at which states (n, D) functions without a closed form are known."""
        return self.functions.known(np.asarray(states, dtype=float)[:, list(self.columns)])

    def jets(
        self, states: np.ndarray, covariance: np.ndarray | None = None, order: int = 1
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Return values, gradients with zeros for parameters, and Hessians against a covariance.

        Parameters
        ----------
        states : (n, D) array
        covariance : (n, D, D) array, optional
            Σ, needed for order 2; next to nothing for parameters.
        order : {0, 1, 2}

        Returns
        -------
        values : (m, n) array
        gradients : (D, m, n) array or None
        curvatures : (m, n) array or None
        """
        columns = list(self.columns)
        states = np.asarray(states, dtype=float)
        if covariance is not None:
            covariance = of_columns(covariance, columns)
        phi, inner, bend = self.functions.jets(states[:, columns], covariance, order)
        if inner is None:
            return phi, None, bend
        slopes = np.zeros((len(self.symbols), *inner.shape[1:]))
        for slope, column in zip(inner, columns, strict=True):
            if column in self.coordinates:
                slopes[column] = slope
        return phi, slopes, bend

    def expressions(self) -> list[sympy.Expr]:
        """Return the functions as SymPy expressions."""
        return self.functions.expressions()

    def costs(self) -> np.ndarray:
        """Return what each function costs in a formula, (m,)."""
        return self.functions.costs()

    @cached_property
    def moving(self) -> tuple[sympy.Symbol, ...]:
        """The symbols of the coordinates."""
        return tuple(self.symbols[i] for i in self.coordinates)

    def kinds(self) -> list[tuple]:
        """Return what each function is but for the coordinates in it; parameters tell kinds."""
        factors = (e.as_independent(*self.moving)[0] for e in self.expressions())
        kinds = zip(self.functions.kinds(), factors, strict=True)
        return [(*kind, str(factor)) if factor != 1 else kind for kind, factor in kinds]

    def restrict(self, columns: Sequence[int]) -> Embedded:
        """Return the given functions, in the given order."""
        chosen = self.functions.restrict(columns)
        return Embedded(chosen, self.symbols, self.coordinates)

    def divided(self, support: Sequence[int]) -> tuple[int, ...]:
        """Return what is left of terms without the parameters that all of them have.

        Parameters
        ----------
        support : sequence of int
            Of terms; returned as it is where the library does not hold what would be left.
        """
        terms = self.expressions()
        common = sympy.gcd_list([terms[j].as_independent(*self.moving)[0] for j in support])
        index = {term: j for j, term in enumerate(terms)}
        left = [index.get(terms[j] / common) for j in support] if common != 1 else [None]
        return tuple(support) if None in left else tuple(sorted(left))

    def without_constants(self) -> Embedded:
        """Return the functions that depend on coordinates."""
        moving = set(self.moving)
        kept = [j for j, e in enumerate(self.expressions()) if e.free_symbols & moving]
        return self if len(kept) == len(self) else self.restrict(kept)


def with_clock(library: Library, clock: sympy.Symbol) -> Library | None:
    """Return a library with its terms times 1 and t, and t and t² beside them.

    Parameters
    ----------
    library : Library
        Of the coordinates alone.
    clock : sympy.Symbol
        t.

    Returns
    -------
    Library or None
        None where these are too many terms.
    """
    if 2 * len(library) + 2 > MAX_TERMS:
        return None
    none = (0,) * len(library.atoms)
    return Library(
        [*library.symbols, clock],
        [*library.atoms, clock],
        [*((*e, p) for p in (0, 1) for e in library.exponents), (*none, 1), (*none, 2)],
        f"{library.name} with {clock.name}",
    )


def with_parameters(library: Library, parameters: Sequence[sympy.Symbol]) -> Library | None:
    """Return a library with its terms times powers of parameters.

    Powers up to two together, since what one parameter to the first power gives is often near what
    its square gives; only the first power where there would be too many terms.

    Parameters
    ----------
    library : Library
        Of the coordinates alone.
    parameters : sequence of sympy.Symbol

    Returns
    -------
    Library or None
        None without parameters, and where even the first power gives too many terms.
    """
    for degree in (2, 1) if parameters else ():
        powers = [(0,) * len(parameters), *monomials(len(parameters), degree)]
        if len(powers) * len(library) <= MAX_TERMS:
            return Library(
                [*library.symbols, *parameters],
                [*library.atoms, *parameters],
                [(*e, *p) for p in powers for e in library.exponents],
                f"{library.name} with {', '.join(s.name for s in parameters)}",
            )
    return None
