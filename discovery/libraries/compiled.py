"""Compiled atoms, and the order in which products of them and derivatives are computed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache

import numpy as np
import sympy

from discovery.estimation.errors import between
from discovery.formulas.compiling import compile_formulas
from discovery.libraries.monomials import Exponents


class Plan:
    """Every monomial that values, gradients and Hessians need, each computed from one before it.

    Parameters
    ----------
    exponents : sequence of tuples of int
        Of the m terms in the K atoms.

    Attributes
    ----------
    terms : (m,) array of int
        Where each term is among the monomials.
    first : list of (j, k, p, i)
        ∂Φ_j/∂a_k = p × monomial i.
    second : list of (j, k, l, p, i)
        ∂²Φ_j/∂a_k∂a_l = p × monomial i.
    """

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


class Pairing:
    """∇a_kᵀ Σ ∇a_l for atoms k and l, each computed once.

    Parameters
    ----------
    gradient : list of dict
        {i: ∂_i a_k, (n,)} of each atom, without the zeros.
    errors : (n, d, d) or (n, d) array
        Σ, or its diagonal.
    """

    def __init__(self, gradient: list[dict[int, np.ndarray]], errors: np.ndarray) -> None:
        self._gradient, self._errors, self._known = gradient, errors, {}

    def __call__(self, k: int, k2: int) -> np.ndarray:
        """Return the values at atoms k and k2, (n,)."""
        key = (min(k, k2), max(k, k2))
        if key not in self._known:
            self._known[key] = sum(
                (
                    dk * dl * between(self._errors, i, j)
                    for i, dk in self._gradient[key[0]].items()
                    for j, dl in self._gradient[key[1]].items()
                ),
                start=0.0,
            )
        return self._known[key]


def _lower(e: Exponents, k: int) -> Exponents:
    return (*e[:k], e[k] - 1, *e[k + 1 :])


class Atom:
    """One atom with its first and second derivatives, as functions of (d, n) columns.

    Each is compiled when it is first asked for, since most libraries of a search are never reached.

    Parameters
    ----------
    symbols : tuple of d sympy.Symbol
    atom : sympy.Expr
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
            if (h := g.diff(s)) != 0
        }

    def _compiled(self, expressions: list[sympy.Expr]) -> Callable[..., list[np.ndarray]]:
        return compile_formulas(self._symbols, expressions)

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
        """Return a, (n,) or one number."""
        return self._value_of(*columns)[0]

    def gradient(self, columns: np.ndarray) -> dict[int, np.ndarray]:
        """Return {i: ∂_i a, (n,)} without the zeros."""
        return dict(zip(self._first, map(_wide(columns), self._gradient_of(*columns)), strict=True))

    def hessian(self, columns: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
        """Return {(i, j): ∂_i ∂_j a, (n,)} without the zeros."""
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


@lru_cache(maxsize=4096)
def atom_of(symbols: tuple[sympy.Symbol, ...], atom: sympy.Expr) -> Atom:
    """Return a compiled atom, the same one for all libraries.

    Formulas are tried as libraries of a few terms each: they share what was compiled.
    """
    return Atom(symbols, atom)


def _wide(columns: np.ndarray) -> Callable[[np.ndarray | float], np.ndarray]:
    """Return the function that spreads a value, which may be one number, over all n columns."""
    return lambda value: np.broadcast_to(np.asarray(value, dtype=float), columns.shape[1:])
