"""Compiled atoms, and the order in which products of them and derivatives are computed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, lru_cache

import numpy as np
import sympy

from discovery.estimation.errors import between
from discovery.formulas.compiling import blanks, compile_formulas
from discovery.libraries.monomials import Exponents

# Which second derivatives there are, without the zeros, and the function that gives them.
Second = tuple[list[tuple[int, int]], Callable[..., list[np.ndarray]]]


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
        ∂²Φ_j/∂a_k∂a_l = p × monomial i, for k ≤ l; twice it where these differ.
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
                for k2 in range(k, n_atoms):
                    if lower[k2]:
                        power = e[k] * lower[k2] * (1 if k2 == k else 2)
                        self.second.append((j, k, k2, power, self._add(_lower(lower, k2))))

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
        {i: ∂_i a_k, (n,) or one number} of each atom.
    errors : (n, d, d) or (n, d) array
        Σ, or its diagonal.
    """

    def __init__(self, gradient: list[dict[int, np.ndarray]], errors: np.ndarray) -> None:
        self._gradient, self._errors, self._known = gradient, errors, {}

    def __call__(self, k: int, k2: int) -> np.ndarray | float:
        """Return the values at atoms k and k2, (n,); one zero where noise does not tie them."""
        if (k, k2) not in self._known:
            ties = (
                (dk * dl, between(self._errors, i, j))
                for i, dk in self._gradient[k].items()
                for j, dl in self._gradient[k2].items()
            )
            self._known[k, k2] = sum(
                (slope * tie for slope, tie in ties if isinstance(tie, np.ndarray)), start=0.0
            )
        return self._known[k, k2]


def _lower(e: Exponents, k: int) -> Exponents:
    return (*e[:k], e[k] - 1, *e[k + 1 :])


class Shape:
    """A formula of some symbols with its first and second derivatives.

    Each is compiled when it is first asked for, since most libraries of a search are never reached.

    Parameters
    ----------
    symbols : tuple of sympy.Symbol
        All that are in it.
    formula : sympy.Expr
    moving : int
        It is differentiated by so many of them, the first.
    """

    def __init__(self, symbols: tuple[sympy.Symbol, ...], formula: sympy.Expr, moving: int) -> None:
        self._symbols, self._formula, self._moving = symbols, formula, moving

    @cached_property
    def _first(self) -> list[sympy.Expr]:
        """∂_i a of each symbol that moves."""
        return [self._formula.diff(s) for s in self._symbols[: self._moving]]

    def _compiled(self, expressions: list[sympy.Expr]) -> Callable[..., list[np.ndarray]]:
        return compile_formulas(self._symbols, expressions)

    @cached_property
    def value_of(self) -> Callable[..., list[np.ndarray]]:
        """The value as a function of the symbols'."""
        return self._compiled([self._formula])

    @cached_property
    def gradient_of(self) -> Callable[..., list[np.ndarray]]:
        """The first derivatives, in their order."""
        return self._compiled(self._first)

    @cached_property
    def alone(self) -> Second:
        """The second derivatives by one symbol twice."""
        return self._second((i, i) for i in range(self._moving))

    @cached_property
    def second(self) -> Second:
        """All second derivatives, mixed ones once."""
        return self._second(itertools.combinations_with_replacement(range(self._moving), 2))

    def _second(self, pairs: Iterable[tuple[int, int]]) -> Second:
        of = {(i, j): self._first[i].diff(self._symbols[j]) for i, j in pairs}
        of = {pair: h for pair, h in of.items() if h != 0}
        return list(of), self._compiled(list(of.values())) if of else lambda *_: []


class Atom:
    """One atom with its first and second derivatives, as functions of (d, n) columns.

    Parameters
    ----------
    places : sequence of int
        The coordinates in it.
    shape : Shape
        What it is of these.
    """

    def __init__(self, places: Sequence[int], shape: Shape) -> None:
        self._places, self.shape = places, shape

    def value(self, columns: np.ndarray) -> np.ndarray:
        """Return a, (n,) or one number."""
        return self.shape.value_of(*self._own(columns))[0]

    def gradient(self, columns: np.ndarray) -> dict[int, np.ndarray | float]:
        """Return {i: ∂_i a, (n,) or one number} of the coordinates in it."""
        # A number that is given, at the end, has a place and no derivative.
        return dict(zip(self._places, self.shape.gradient_of(*self._own(columns)), strict=False))

    def bend(self, columns: np.ndarray, errors: np.ndarray) -> np.ndarray | float:
        """Return tr(Σ ∇∇a), (n,) or zero, for errors Σ (n, d, d), or their diagonal (n, d)."""
        pairs, function = self.shape.alone if errors.ndim == 2 else self.shape.second
        total = 0.0
        for (i, j), h in zip(pairs, function(*self._own(columns)), strict=True):
            twice = 1.0 if i == j else 2.0
            total = total + twice * h * between(errors, self._places[i], self._places[j])
        return total

    def _own(self, columns: np.ndarray) -> list[np.ndarray]:
        return [columns[i] for i in self._places]


@lru_cache(maxsize=4096)
def shape_of(atom: sympy.Expr) -> str:
    """Return an atom's text, the same for any names and any order of the symbols in it."""
    symbols = sorted(atom.free_symbols, key=str)
    places = [sympy.Symbol(f"_{i}", real=True) for i in range(len(symbols))]
    # Distances have four symbols; more are not worth the permutations.
    orders = itertools.permutations(places) if len(places) <= 4 else [places]
    return min(str(atom.xreplace(dict(zip(symbols, order, strict=True)))) for order in orders)


@lru_cache(maxsize=4096)
def atom_of(symbols: tuple[sympy.Symbol, ...], atom: sympy.Expr, given: int = 0) -> Atom:
    """Return a compiled atom, the same one for all libraries.

    The last symbols, as many as `given`, are numbers by which it is not differentiated.

    Formulas are tried as libraries of a few terms each: they share what was compiled. So do atoms
    that differ in the coordinates alone, such as the distances of many bodies.
    """
    inside = atom.free_symbols
    places = [i for i, symbol in enumerate(symbols) if symbol in inside]
    inner = [symbols[i] for i in places]
    own = blanks(inner)
    moving = sum(i < len(symbols) - given for i in places)
    formula = atom.xreplace(dict(zip(inner, own, strict=True)))
    return Atom(places, _compiled_once(own, formula, moving))


_compiled_once = lru_cache(maxsize=4096)(Shape)
