"""A library: the candidate functions Φ whose combinations may be conserved.

A term is a product of powers of *atoms* (coordinates, ``sin(theta)``, ``1/r`` …). Atoms are SymPy
expressions; products, their gradients and their Hessians follow from the chain rule on exponents,
so a library of hundreds of terms costs a few multiplications a term and needs no symbolic
differentiation beyond its atoms.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import sympy

from discovery.estimation.half_lines import Column, HalfLine
from discovery.formulas.parsing import parse_formula
from discovery.libraries.compiled import Pairing, Plan, atom_of, shape_of
from discovery.libraries.monomials import Exponents


class Library:
    """Products of powers of atoms, with values, gradients and Hessian contractions.

    Parameters
    ----------
    symbols : sequence of sympy.Symbol
        The d coordinates, in the order of the state's columns.
    atoms : sequence of sympy.Expr
        The K building blocks, functions of `symbols`.
    exponents : sequence of tuples of int
        K non-negative powers for each term; the constant is not a term.
    name : str
        What reports call it.

    Attributes
    ----------
    learned : bool
        Whether the terms are features of a network rather than closed forms.
    fitted : int
        Numbers inside the atoms that the data told; see `fitted.Fitted`.
    given : int
        How many of the symbols, at the end, are numbers: nothing moves them.
    """

    learned = False
    fitted = 0
    given = 0

    def __init__(
        self,
        symbols: Sequence[sympy.Symbol],
        atoms: Sequence[sympy.Expr],
        exponents: Sequence[Exponents],
        name: str = "custom",
    ) -> None:
        self.symbols = tuple(symbols)
        self.atoms = tuple(
            a if isinstance(a, sympy.Expr) else parse_formula(a, symbols, "atoms") for a in atoms
        )
        self.exponents = tuple(tuple(int(p) for p in e) for e in exponents)
        self.name = name

    def __reduce__(self) -> tuple:
        # Compiled functions do not pickle; what they were compiled from does.
        return Library, (self.symbols, self.atoms, self.exponents, self.name)

    def __len__(self) -> int:
        return len(self.exponents)

    def __repr__(self) -> str:
        return f"Library({self.name!r}, {len(self)} terms of {len(self.symbols)} coordinates)"

    @cached_property
    def _plan(self) -> Plan:
        return Plan(self.exponents)

    @property
    def dim(self) -> int:
        """Number of coordinates d."""
        return len(self.symbols)

    @cached_property
    def positive(self) -> tuple[Column, ...]:
        """Columns of coordinates that must be positive: their logarithm or inverse is taken.

        Of log(5 − x) those below 5.
        """
        logs = {f.args[0] for a in self.atoms for f in a.atoms(sympy.log)}
        roots = {f.base for a in self.atoms for f in a.atoms(sympy.Pow) if not f.exp.is_nonnegative}
        own = [i for i, symbol in enumerate(self.symbols) if symbol in logs | roots]
        return (*own, *_limits(logs, self.symbols))

    @property
    def is_coordinate(self) -> bool:
        """Whether every term is a product of powers of coordinates."""
        return all(atom.is_Symbol for atom in self.atoms)

    @property
    def terms(self) -> tuple[tuple[sympy.Expr, ...], tuple[Exponents, ...]]:
        """Atoms and exponents: libraries of which these are equal hold the same functions."""
        return self.atoms, self.exponents

    def expressions(self) -> list[sympy.Expr]:
        """Return the terms as SymPy expressions, in the order of the columns of `values`."""
        return list(self._expressions)

    @cached_property
    def _expressions(self) -> tuple[sympy.Expr, ...]:
        return tuple(
            sympy.Mul(*(a**p for a, p in zip(self.atoms, e, strict=True) if p))
            for e in self.exponents
        )

    def costs(self) -> np.ndarray:
        """Return what each term costs in a formula: one a factor, more where it is no symbol.

        Of two terms of one degree the pure power is a little simpler, so that separate energies
        come before what mixes coordinates.
        """
        weight = [1.0 if a.is_Symbol else 1.0 + 0.25 * sympy.count_ops(a) for a in self.atoms]
        factors = [sum(p * w for p, w in zip(e, weight, strict=True)) for e in self.exponents]
        distinct = [sum(p > 0 for p in e) for e in self.exponents]
        return np.array(factors) + 0.1 * (np.array(distinct) - 1)

    def kinds(self) -> list[tuple]:
        """Return what each term is but for the coordinates in it: x²y and u²v are of one kind."""
        shapes = [shape_of(a) for a in self.atoms]
        return [
            tuple(sorted((shape, p) for shape, p in zip(shapes, e, strict=True) if p))
            for e in self.exponents
        ]

    def restrict(self, columns: Sequence[int]) -> Library:
        """Return the library of the given terms."""
        chosen = [self.exponents[j] for j in columns]
        used = [k for k in range(len(self.atoms)) if any(e[k] for e in chosen)]
        return Library(
            self.symbols,
            [self.atoms[k] for k in used],
            [tuple(e[k] for k in used) for e in chosen],
            self.name,
        )

    def values(self, states: np.ndarray) -> np.ndarray:
        """Evaluate the terms.

        Parameters
        ----------
        states : (n, d) array

        Returns
        -------
        (m, n) array
            Terms first, so that each is contiguous in memory.
        """
        return self.jets(states, order=0)[0]

    def jets(
        self, states: np.ndarray, covariance: np.ndarray | None = None, order: int = 1
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Evaluate the terms, their gradients and their Hessians against a covariance.

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
            tr(Σ ∇∇Φ_j): twice the bias that noise of covariance Σ puts into Φ_j.
        """
        columns = np.ascontiguousarray(np.asarray(states, dtype=float).T)
        with np.errstate(all="ignore"):
            atoms = [atom_of(self.symbols, atom, self.given) for atom in self.atoms]
            values = np.empty((len(atoms), columns.shape[1]))
            for row, atom in zip(values, atoms, strict=True):
                row[:] = atom.value(columns)
            monomials = self._plan.monomials(values)
            phi = monomials[self._plan.terms]
            if order == 0:
                return phi, None, None
            gradient = [atom.gradient(columns) for atom in atoms]
            slopes = np.zeros((self.dim, len(self), columns.shape[1]))
            begun = set()
            for j, k, power, index in self._plan.first:
                for i, d_atom in gradient[k].items():
                    if (i, j) in begun:
                        slopes[i, j] += power * d_atom * monomials[index]
                    else:  # most are of one factor
                        np.multiply(power * d_atom, monomials[index], out=slopes[i, j])
                        begun.add((i, j))
            if order == 1:
                return phi, slopes, None
            bends = [atom.bend(columns, covariance) for atom in atoms]
            bend = np.zeros_like(phi)
            pairing = Pairing(gradient, covariance)
            for j, k, power, index in self._plan.first:
                if isinstance(bends[k], np.ndarray):
                    bend[j] += power * monomials[index] * bends[k]
            for j, k, k2, power, index in self._plan.second:
                tied = pairing(k, k2)
                if isinstance(tied, np.ndarray):
                    bend[j] += power * tied * monomials[index]
            return phi, slopes, bend


def _limits(logs: set[sympy.Expr], symbols: Sequence[sympy.Symbol]) -> list[HalfLine]:
    """Return the half lines on which logarithms of a − x, a + x and a² − x² have values."""
    lines = []
    for inside in logs:
        free = inside.free_symbols
        if len(free) != 1 or inside.is_Symbol or not inside.is_polynomial(*free):
            continue
        column = symbols.index(*free)
        *rest, constant = map(float, sympy.Poly(inside, *free).all_coeffs())
        if len(rest) == 1:
            lines.append(HalfLine(column, constant / abs(rest[0]), 1 if rest[0] > 0 else -1))
        elif len(rest) == 2 and rest[0] < 0 == rest[1] and constant > 0:
            end = (-constant / rest[0]) ** 0.5
            lines += [HalfLine(column, end, sign) for sign in (1, -1)]
    return lines
