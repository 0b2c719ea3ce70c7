"""A library: the candidate functions Φ whose combinations may be conserved.

A term is a product of powers of *atoms* (coordinates, ``sin(theta)``, ``1/r`` …). Atoms are SymPy
expressions; products, their gradients and their Hessians follow from the chain rule on exponents,
so a library of hundreds of terms costs a few multiplications a term and needs no symbolic
differentiation beyond its atoms.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache

import numpy as np
import sympy

from discovery.parsing import parse_formula

Exponents = tuple[int, ...]


class Library:
    """Products of powers of atoms, with values, gradients and Hessian contractions.

    Parameters
    ----------
    symbols : sequence of sympy.Symbol
        The d coordinates, in the order of the state's columns.
    atoms : sequence of sympy.Expr
        The K building blocks, functions of `symbols`.
    exponents : sequence of tuples of int
        One row a term, K non-negative powers each; the constant is not a term.
    name : str
        What reports call it.

    Attributes
    ----------
    learned : bool
        Whether the terms are features of a network rather than closed forms.
    """

    learned = False

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
    def _plan(self) -> _Plan:
        return _Plan(self.exponents)

    @property
    def dim(self) -> int:
        """Number of coordinates d."""
        return len(self.symbols)

    @cached_property
    def positive(self) -> tuple[int, ...]:
        """Columns of coordinates that must be positive: their logarithm or inverse is taken."""
        logs = {f.args[0] for a in self.atoms for f in a.atoms(sympy.log)}
        roots = {f.base for a in self.atoms for f in a.atoms(sympy.Pow) if not f.exp.is_nonnegative}
        return tuple(i for i, symbol in enumerate(self.symbols) if symbol in logs | roots)

    @property
    def is_coordinate(self) -> bool:
        """Whether every term is a product of powers of coordinates."""
        return all(atom.is_Symbol for atom in self.atoms)

    def expressions(self) -> list[sympy.Expr]:
        """Return the terms as SymPy expressions, in the order of the columns of `values`."""
        return [
            sympy.Mul(*(a**p for a, p in zip(self.atoms, e, strict=True) if p))
            for e in self.exponents
        ]

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
        covariance : (n, d, d) array, optional
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
            atoms = [_atom(self.symbols, atom) for atom in self.atoms]
            values = np.empty((len(atoms), columns.shape[1]))
            for row, atom in zip(values, atoms, strict=True):
                row[:] = atom.value(columns)
            monomials = self._plan.monomials(values)
            phi = monomials[self._plan.terms]
            if order == 0:
                return phi, None, None
            gradient = [atom.gradient(columns) for atom in atoms]
            slopes = np.zeros((self.dim, len(self), columns.shape[1]))
            for j, k, power, index in self._plan.first:
                partial = monomials[index] if power == 1 else power * monomials[index]
                for i, d_atom in gradient[k].items():
                    slopes[i, j] += partial * d_atom
            if order == 1:
                return phi, slopes, None
            hessian = [atom.hessian(columns) for atom in atoms]
            bend = np.zeros_like(phi)
            sigma = np.moveaxis(covariance, 0, -1)
            pairing = _Pairing(gradient, sigma)
            traces = [
                sum((h * sigma[a, b] for (a, b), h in hess.items()), start=0.0) for hess in hessian
            ]
            for j, k, power, index in self._plan.first:
                if hessian[k]:
                    bend[j] += power * monomials[index] * traces[k]
            for j, k, k2, power, index in self._plan.second:
                bend[j] += power * monomials[index] * pairing(k, k2)
            return phi, slopes, bend


class _Plan:
    """Every monomial that values, gradients and Hessians need, each one product from another."""

    def __init__(self, exponents: Sequence[Exponents]) -> None:
        n_atoms = len(exponents[0]) if exponents else 0
        self._index: dict[Exponents, int] = {(0,) * n_atoms: 0}
        self._steps: list[tuple[int, int]] = []
        self.terms = np.array([self._add(e) for e in exponents], dtype=int)
        self.first: list[tuple[int, int, int, int]] = []
        self.second: list[tuple[int, int, int, int, int]] = []
        for j, e in enumerate(exponents):
            for k in range(n_atoms):
                if not e[k]:
                    continue
                lower = _lower(e, k)
                self.first.append((j, k, e[k], self._add(lower)))
                for k2 in range(n_atoms):
                    if lower[k2]:
                        self.second.append(
                            (j, k, k2, e[k] * lower[k2], self._add(_lower(lower, k2)))
                        )

    def _add(self, e: Exponents) -> int:
        if e not in self._index:
            k = max(range(len(e)), key=lambda q: (e[q] > 0, -q))
            parent = self._add(_lower(e, k))
            self._index[e] = len(self._index)
            self._steps.append((parent, k))
        return self._index[e]

    def monomials(self, atoms: np.ndarray) -> np.ndarray:
        """Return all monomials, shape (count, n), from atom values of shape (K, n)."""
        out = np.empty((len(self._index), atoms.shape[1]))
        out[0] = 1.0
        for row, (parent, k) in enumerate(self._steps, start=1):
            np.multiply(out[parent], atoms[k], out=out[row])
        return out


class _Pairing:
    """∇a_kᵀ Σ ∇a_l for atoms k and l, each computed once."""

    def __init__(self, gradient: list[dict[int, np.ndarray]], sigma: np.ndarray) -> None:
        self._gradient, self._sigma, self._known = gradient, sigma, {}

    def __call__(self, k: int, k2: int) -> np.ndarray:
        key = (min(k, k2), max(k, k2))
        if key not in self._known:
            self._known[key] = sum(
                (
                    dk * dl * self._sigma[i, j]
                    for i, dk in self._gradient[key[0]].items()
                    for j, dl in self._gradient[key[1]].items()
                ),
                start=0.0,
            )
        return self._known[key]


def _lower(e: Exponents, k: int) -> Exponents:
    return (*e[:k], e[k] - 1, *e[k + 1 :])


class _Atom:
    """One atom with its first and second derivatives, as functions of (d, n) columns.

    Each is compiled when first asked for: most libraries of a search are never reached.
    """

    def __init__(self, symbols: tuple[sympy.Symbol, ...], atom: sympy.Expr) -> None:
        self._symbols, self._atom = symbols, atom

    @cached_property
    def _first(self) -> dict[int, sympy.Expr]:
        """{i: ∂_i a} without the zeros."""
        atom = self._atom
        return {i: atom.diff(s) for i, s in enumerate(self._symbols) if atom.has(s)}

    @cached_property
    def _second(self) -> dict[tuple[int, int], sympy.Expr]:
        """{(i, j): ∂_i ∂_j a} without the zeros."""
        return {
            (i, j): h
            for i, g in self._first.items()
            for j, s in enumerate(self._symbols)
            if (h := g.diff(s).replace(sympy.DiracDelta, _nowhere)) != 0
        }

    def _compiled(self, expressions: list[sympy.Expr]) -> Callable[..., list[np.ndarray]]:
        return sympy.lambdify(
            self._symbols, expressions, modules=["numpy", "scipy"], cse=True, dummify=True
        )

    @cached_property
    def _value_of(self) -> Callable[..., list[np.ndarray]]:
        return self._compiled([self._atom])

    @cached_property
    def _gradient_of(self) -> Callable[..., list[np.ndarray]]:
        return self._compiled(list(self._first.values()))

    @cached_property
    def _hessian_of(self) -> Callable[..., list[np.ndarray]]:
        return self._compiled(list(self._second.values()))

    def value(self, columns: np.ndarray) -> np.ndarray:
        return self._value_of(*columns)[0]

    def gradient(self, columns: np.ndarray) -> dict[int, np.ndarray]:
        return dict(zip(self._first, map(_wide(columns), self._gradient_of(*columns)), strict=True))

    def hessian(self, columns: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
        if not self._second:
            return {}
        return dict(zip(self._second, map(_wide(columns), self._hessian_of(*columns)), strict=True))


@lru_cache(maxsize=4096)
def shape_of(atom: sympy.Expr) -> str:
    """Return an atom's text, the same for any names and any order of the symbols in it."""
    symbols = sorted(atom.free_symbols, key=str)
    blanks = [sympy.Symbol(f"_{i}", real=True) for i in range(len(symbols))]
    # Distances have four symbols; more are not worth the permutations.
    orders = itertools.permutations(blanks) if len(blanks) <= 4 else [blanks]
    return min(str(atom.xreplace(dict(zip(symbols, order, strict=True)))) for order in orders)


# Formulas are tried with a few terms of a library each: they share its compiled atoms.
_atom = lru_cache(maxsize=4096)(_Atom)


def _wide(columns: np.ndarray) -> Callable[[object], np.ndarray]:
    """Return what spreads a value, which may be one number, over all n columns."""
    return lambda value: np.broadcast_to(np.asarray(value, dtype=float), columns.shape[1:])


def _nowhere(*_: sympy.Expr) -> sympy.Integer:
    """Stand in for a derivative that is zero but at a point, such as that of sign(x)."""
    return sympy.Integer(0)
