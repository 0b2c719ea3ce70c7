"""Sums of one kernel over bodies, pairs or bonds, as candidate functions.

    Φ(s) = Σ_k w_k F(ℓ_k1(s), …, ℓ_ka(s))

The ℓ are linear forms of few coordinates: a velocity of body k, the difference of two positions,
the centre of mass. So a function costs as much as it has parts, and the number of functions does
not grow with the number of bodies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import sympy
from scipy import sparse

from discovery.formulas.compiling import compile_formulas
from discovery.formulas.simple_numbers import NUMBERS
from discovery.libraries.functions import Functions
from discovery.libraries.many_bodies.remembered import Jet, keep, recalled

# Values of a form that are held at once: few enough to stay in a processor's cache.
_BLOCK = 2**16
# What a law that holds a sum of a kind follows from, the first that is in it.
_SYMMETRIES = {
    "kinetic": "time translation",
    "turning": "rotation of all bodies",
    "momentum": "translation of all bodies",
}


@dataclass(frozen=True)
class Forms:
    """K linear forms of d coordinates, one a part of a sum.

    Attributes
    ----------
    index : (K, p) array of int
        Columns of the coordinates in each form.
    factor : (K, p) array
        What they are multiplied by.
    period : float or None
        Where the form is a difference of places in a periodic box: the length of the box. The
        nearest image counts.
    """

    index: np.ndarray
    factor: np.ndarray
    period: float | None = None

    @classmethod
    def of(cls, columns: Sequence[int]) -> Forms:
        """Return the coordinates in the given columns."""
        index = np.asarray(columns, dtype=int)[:, None]
        return cls(index, np.ones(index.shape))

    @classmethod
    def differences(
        cls, first: Sequence[int], second: Sequence[int], period: float | None = None
    ) -> Forms:
        """Return the second coordinate less the first, for each of K pairs of columns.

        Parameters
        ----------
        first, second : sequences of K int
        period : float, optional
            As in the attributes.
        """
        index = np.column_stack([second, first]).astype(int)
        return cls(index, np.tile([1.0, -1.0], (len(index), 1)), period)

    @classmethod
    def total(cls, columns: Sequence[int], weights: np.ndarray) -> Forms:
        """Return one form: the weighted sum of all given coordinates."""
        return cls(np.asarray(columns, dtype=int)[None], np.asarray(weights, dtype=float)[None])

    def values(self, states: np.ndarray) -> np.ndarray:
        """Return the forms (K, n) at states (n, d)."""
        parts = zip(self.index.T, self.factor.T, strict=True)
        out = sum(factor[:, None] * states.T[index] for index, factor in parts)
        if self.period is not None:
            images = np.rint(out / self.period)
            images *= self.period
            out -= images
        return out

    def scattered(self, slopes: np.ndarray, dim: int) -> np.ndarray:
        """Return the gradient (dim, n) of a function whose derivatives by the forms are given."""
        return self.incidence(dim) @ slopes

    def incidence(self, dim: int, power: int = 1) -> sparse.csr_matrix:
        """Return the factors of each coordinate in each form, (dim, K), to a power.

        Parameters
        ----------
        dim : int
            Number of coordinates.
        power : int
        """
        if (dim, power) not in self._incidences:
            n_forms, width = self.index.shape
            rows = np.repeat(np.arange(n_forms), width)
            entries = (self.factor.ravel() ** power, (self.index.ravel(), rows))
            matrix = sparse.csr_matrix(entries, shape=(dim, n_forms))
            self._incidences[dim, power] = matrix
        return self._incidences[dim, power]

    @cached_property
    def _incidences(self) -> dict[tuple[int, int], sparse.csr_matrix]:
        return {}

    def against(self, other: Forms, covariance: np.ndarray) -> np.ndarray:
        """Return the covariances (K, n) of the forms with another set's, one by one.

        Parameters
        ----------
        other : Forms
        covariance : (n, d, d) array, or (n, d) array
            Of the coordinates, or variances alone where they are independent.
        """
        out = 0.0
        for i, a in zip(self.index.T, self.factor.T, strict=True):
            for j, b in zip(other.index.T, other.factor.T, strict=True):
                if covariance.ndim == 3:
                    out = out + (a * b)[:, None] * covariance[:, i, j].T
                elif (i == j).any():
                    out = out + (a * b * (i == j))[:, None] * covariance[:, i].T
        return out

    def symbolic(self, symbols: Sequence[sympy.Symbol], k: int) -> sympy.Expr:
        """Return form k as a formula."""
        pairs = zip(self.index[k], self.factor[k], strict=True)
        form = sympy.Add(*(number(f) * symbols[i] for i, f in pairs))
        if self.period is None:
            return form
        length = number(self.period)
        # Left as it is: SymPy would look for whole numbers in it for a long time.
        return form - length * sympy.floor(form / length + sympy.S.Half, evaluate=False)


class Block:
    """Some states, and the linear forms there that were asked for.

    Parameters
    ----------
    states : (n, d) array
    covariance : (n, d, d) or (n, d) array or None
        As `Forms.against` takes it.
    """

    def __init__(self, states: np.ndarray, covariance: np.ndarray | None) -> None:
        self.states, self.covariance = states, covariance
        self._forms: dict[int, np.ndarray] = {}
        self._squares: dict[tuple[int, ...], np.ndarray] = {}

    def form(self, form: Forms) -> np.ndarray:
        """Return the values (K, n) of forms.

        Parameters
        ----------
        form : Forms
        """
        if id(form) not in self._forms:
            self._forms[id(form)] = form.values(self.states)
        return self._forms[id(form)]

    def square(self, forms: Sequence[Forms]) -> np.ndarray:
        """Return the sum of the squares of forms, (K, n).

        Parameters
        ----------
        forms : sequence of Forms
        """
        key = tuple(map(id, forms))
        if key not in self._squares:
            self._squares[key] = sum(self.form(form) ** 2 for form in forms)
        return self._squares[key]


@dataclass(frozen=True)
class Sum:
    """One function Σ_k w_k F(ℓ_k).

    Attributes
    ----------
    kernel : sympy.Expr
        F.
    arguments : tuple of a sympy.Symbol
        Its arguments.
    forms : tuple of a Forms
        What they stand for.
    weights : (K,) array
    kind : str
        The same for functions that differ in their bodies or axes only.
    cost : float
        What it costs in a formula.
    """

    kernel: sympy.Expr
    arguments: tuple[sympy.Symbol, ...]
    forms: tuple[Forms, ...]
    weights: np.ndarray
    kind: str
    cost: float = 1.0

    def jets(
        self, at: Block, order: int
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Return the value (n,), the gradient (d, n) and the curvature (n,).

        Parameters
        ----------
        at : Block
        order : {0, 1, 2}
        """
        states, covariance = at.states, at.covariance
        value, first, second = _compiled(self.kernel, self.arguments)
        forms = [at.form(form) for form in self.forms]
        shape = forms[0].shape

        def summed(parts: np.ndarray) -> np.ndarray:
            return self.weights @ np.broadcast_to(parts, shape)

        phi = summed(value(*forms)[0])
        if order == 0:
            return phi, None, None
        slope = np.zeros((states.shape[1], shape[1]))
        for form, part in zip(self.forms, first(*forms), strict=True):
            weighted = self.weights[:, None] * np.broadcast_to(part, shape)
            slope += form.scattered(weighted, states.shape[1])
        if order == 1:
            return phi, slope, None
        bend = np.zeros(shape[1])
        parts = iter(second(*forms))
        for a, form in enumerate(self.forms):
            for other in self.forms[a:]:
                part = next(parts)
                if np.any(part):
                    both = form.against(other, covariance)
                    bend += (1.0 if other is form else 2.0) * summed(part * both)
        return phi, slope, bend

    def written(self, symbols: tuple[sympy.Symbol, ...]) -> sympy.Expr:
        """Return the sum as a formula, written out once for all libraries that hold it."""
        if symbols not in self._formulas:
            self._formulas[symbols] = self._expression(symbols)
        return self._formulas[symbols]

    @cached_property
    def _formulas(self) -> dict[tuple[sympy.Symbol, ...], sympy.Expr]:
        return {}

    def _expression(self, symbols: Sequence[sympy.Symbol]) -> sympy.Expr:
        terms = []
        for k, weight in enumerate(self.weights):
            forms = [form.symbolic(symbols, k) for form in self.forms]
            inside = self.kernel.xreplace(dict(zip(self.arguments, forms, strict=True)))
            terms.append(number(weight) * inside)
        return sympy.Add(*terms)

    def put(self, values: dict[sympy.Symbol, sympy.Expr | float]) -> Sum:
        """Return the sum with numbers for some of its arguments."""
        put = {symbol: sympy.sympify(value) for symbol, value in values.items()}
        kept = [a for a, symbol in enumerate(self.arguments) if symbol not in put]
        return Sum(
            self.kernel.xreplace(put),
            tuple(self.arguments[a] for a in kept),
            tuple(self.forms[a] for a in kept),
            self.weights,
            self.kind,
            self.cost,
        )


class Sums:
    """Sums over bodies, pairs and bonds as a library of m functions of d coordinates.

    Parameters
    ----------
    symbols : sequence of d sympy.Symbol
    sums : sequence of m Sum
    name : str
        What reports call it.

    Attributes
    ----------
    learned, is_coordinate : bool
        False: they are closed forms, and no single coordinates.
    positive : tuple of int
        Empty.
    fitted : int
        0: weights of the bodies count as told.
    """

    learned = False
    is_coordinate = False
    positive: tuple[int, ...] = ()
    fitted = 0

    def __init__(self, symbols: Sequence[sympy.Symbol], sums: Sequence[Sum], name: str) -> None:
        self.symbols, self.sums, self.name = tuple(symbols), tuple(sums), name

    def __len__(self) -> int:
        return len(self.sums)

    @property
    def dim(self) -> int:
        """Number of coordinates d."""
        return len(self.symbols)

    @cached_property
    def _written(self) -> list[sympy.Expr]:
        return [term.written(self.symbols) for term in self.sums]

    def expressions(self) -> list[sympy.Expr]:
        """Return the functions as SymPy expressions, every sum written out."""
        return list(self._written)

    def costs(self) -> np.ndarray:
        """Return what each function costs in a formula, (m,)."""
        return np.array([term.cost for term in self.sums])

    def kinds(self) -> list[tuple]:
        """Return what each function is but for the bodies or axes in it."""
        return [(term.kind,) for term in self.sums]

    def restrict(self, columns: Sequence[int]) -> Sums:
        """Return the given functions, in the given order."""
        return Sums(self.symbols, [self.sums[j] for j in columns], self.name)

    def values(self, states: np.ndarray) -> np.ndarray:
        """Return the values (m, n) at states (n, d)."""
        return self.jets(states, order=0)[0]

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
        states = np.asarray(states, dtype=float)
        values = np.empty((len(self), len(states)))
        slopes = np.empty((self.dim, *values.shape)) if order > 0 else None
        bends = np.empty(values.shape) if order > 1 else None
        left = []
        for j, term in enumerate(self.sums):
            known = recalled(term, states, covariance, order)
            if known is None:
                left.append(j)
                continue
            values[j] = known.value
            if slopes is not None:
                slopes[:, j] = known.slope
            if bends is not None:
                bends[j] = known.bend
        step = max(1, _BLOCK // max((len(self.sums[j].weights) for j in left), default=1))
        with np.errstate(all="ignore"):
            for begin in range(0, len(states) if left else 0, step):
                block = slice(begin, begin + step)
                some = None if covariance is None else covariance[block]
                # What several sums are of is evaluated once.
                at = Block(states[block], some)
                for j in left:
                    value, slope, bend = self.sums[j].jets(at, order)
                    values[j, block] = value
                    if slopes is not None:
                        slopes[:, j, block] = slope
                    if bends is not None:
                        bends[j, block] = bend
        for j in left:
            term = self.sums[j]
            jet = Jet(
                values[j],
                None if slopes is None else slopes[:, j],
                None if bends is None else bends[j],
            )
            keep(term, states, covariance, len(term.weights), jet)
        return values, slopes, bends


def symmetry_of(library: Functions) -> str | None:
    """Return the symmetry behind a law of bodies, in words, by the kinds of sums in it.

    Parameters
    ----------
    library : Functions
        The law's own terms.

    Returns
    -------
    str or None
        None where the kinds do not tell.
    """
    kinds = {kind for term in library.kinds() for kind in term}
    return next((words for kind, words in _SYMMETRIES.items() if kind in kinds), None)


def number(value: float) -> sympy.Expr:
    """Return a number, exact where it is simple.

    Parameters
    ----------
    value : float
    """
    return NUMBERS.symbolic(float(value))


@lru_cache(maxsize=1024)
def _compiled(kernel: sympy.Expr, arguments: tuple[sympy.Symbol, ...]) -> tuple:
    """Return a kernel, its first derivatives and its second ones (a ≤ b) as functions."""
    first = [kernel.diff(a) for a in arguments]
    second = [g.diff(b) for i, g in enumerate(first) for b in arguments[i:]]
    return tuple(compile_formulas(arguments, part) for part in ([kernel], first, second))
