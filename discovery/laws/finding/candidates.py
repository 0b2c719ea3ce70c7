"""Closed forms: sparse vectors of a null space, simplest first, with rounded coefficients.

The null space of flat directions has many bases; a formula is a vector of it with few terms. For
every term as pivot there is a sparse vector that contains it (`formulas.sparse_vectors`), and
backward elimination on the operators themselves removes what the flatness does not need.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import sympy

from discovery.criteria import FORMULAS
from discovery.formulas.pencil import leaving
from discovery.formulas.simple_numbers import NUMBERS, Numbers
from discovery.formulas.simplicity import divisor
from discovery.formulas.sparse_vectors import sparse_vectors, strongest
from discovery.laws.finding.differences import in_differences
from discovery.laws.finding.elimination import thinned
from discovery.laws.finding.operators import Operators, spectrum

# Terms of a library all triples of which are looked at.
TRIPLES = 80
# Determinant of the correlations of what noise does to terms, above which these are independent.
INDEPENDENT = 1e-10
# Terms a formula may start from before elimination.
MAX_SUPPORT = 24


@dataclass(frozen=True)
class Candidate:
    """A combination of few terms.

    Attributes
    ----------
    support : tuple of int
        Columns of the library.
    coefficients : (s,) array
    flatness : float
        μ on the runs it was found on.
    cost : float
        What its terms cost together.
    """

    support: tuple[int, ...]
    coefficients: np.ndarray
    flatness: float
    cost: float


def candidates(
    ops: Operators,
    vectors: np.ndarray,
    costs: np.ndarray,
    slack: float | None = None,
    flat: float = 0.0,
) -> list[Candidate]:
    """Return sparse combinations in the span of flat directions, simplest first.

    Formulas of one to three terms are looked for among all of them, not in the span: where terms
    are nearly dependent (powers of one coordinate), noise hides a short vector in a long basis.

    Parameters
    ----------
    ops : Operators
        On the runs that the directions were found on.
    vectors : (m, k) array
        Flat directions.
    costs : (m,) array
        What each term costs.
    slack : float, optional
        Factor by which leaving out one term may raise μ; `FORMULAS.flatness_slack` by default.
    flat : float
        μ up to which formulas of one to three terms are candidates.

    Returns
    -------
    list of Candidate
        Those of one to three terms, and at most two for each term as pivot, without repetitions.
    """
    slack = FORMULAS.flatness_slack if slack is None else slack
    found = _Found(ops, costs, slack, flat)
    for support in short_supports(ops, flat):
        found.keep(support, support[0])
    found.add_cheapest()
    found.add_sparse(vectors)
    if flat and len(costs) > MAX_SUPPORT:
        for support, pivot in thinned(ops, vectors.shape[1], costs, slack):
            found.keep(found.without_needless(support, pivot), pivot)
    found.add_without_simpler()
    found.add_exchanged()
    return found.in_order()


class _Found:
    """The combinations that were found, and how more are made of them.

    Parameters
    ----------
    ops : Operators
    costs : (m,) array
    slack, flat : float
        As for `candidates`.
    """

    def __init__(self, ops: Operators, costs: np.ndarray, slack: float, flat: float) -> None:
        self._ops, self._costs, self._slack, self._flat = ops, costs, slack, flat
        self._size = np.sqrt(np.diag(ops.unit_dirichlet))
        self._all: dict[tuple[int, ...], Candidate] = {}

    def keep(self, support: tuple[int, ...], pivot: int) -> None:
        """Keep a combination of these terms if the pivot is part of it."""
        if support in self._all:
            return
        mu, c = self._ops.pencil.smallest(np.array(support))
        if _matters(np.array(support), c, pivot, self._size):
            cost = float(self._costs[list(support)].sum())
            self._all[support] = Candidate(support, c, mu, cost)

    def without_needless(self, support: np.ndarray, pivot: int) -> tuple[int, ...]:
        """Return the terms that the flatness needs, and the pivot."""
        return _eliminate(self._ops, support, pivot, self._costs, self._size, self._slack)

    def add_sparse(self, vectors: np.ndarray) -> None:
        """Add what sparse vectors of the span begin with: all that is needed, and the fewest."""
        basis, _ = np.linalg.qr(vectors * self._size[:, None])
        for pivot, sparse in sparse_vectors(basis, self._costs):
            order = strongest(sparse)[:MAX_SUPPORT]
            if pivot not in order:
                continue
            reduced = self.without_needless(np.sort(order), pivot)
            self.keep(reduced, pivot)
            most = len(reduced) if reduced in self._all else len(order)
            fewest = _fewest(self._ops, order, pivot, self._size, self._slack, most)
            if fewest is not None:
                self.keep(self.without_needless(fewest, pivot), pivot)

    def add_cheapest(self) -> None:
        """Add what the cheapest terms hold by themselves, as a sum of shares that is one.

        In a long basis noise mixes it with its own products, which have as many terms.
        """
        cheapest = np.flatnonzero((self._costs == self._costs.min()) & (self._size > 0))
        if not self._flat or not 3 < len(cheapest) < len(self._costs):
            return
        inside = spectrum(self._ops.restrict(cheapest))
        still = inside.vectors[:, inside.values <= self._flat]
        if still.shape[1]:
            vectors = np.zeros((len(self._costs), still.shape[1]))
            vectors[cheapest] = still
            self.add_sparse(vectors)

    def add_without_simpler(self) -> None:
        """Add mixtures with simpler laws without the terms of one of them, or of all."""
        for support in list(self._all):
            blocks = [set(b) for b in self._all if len(b) < len(support) and set(b) < set(support)]
            for block in [*blocks, set().union(*blocks)] if len(blocks) > 1 else blocks:
                rest = tuple(j for j in support if j not in block)
                pivot = self._strongest(rest, support) if rest else None
                if pivot is not None:
                    self.keep(self.without_needless(np.array(rest), pivot), pivot)

    def add_exchanged(self) -> None:
        """Add combinations with one term exchanged for a simpler one."""
        for support, before in _exchanged(self._all, self._costs).items():
            pivot = self._strongest(support, before)
            if pivot is not None:
                self.keep(support, pivot)

    def _strongest(self, support: tuple[int, ...], before: tuple[int, ...]) -> int | None:
        """Return the term that moves most, where the terms are about as flat as those before."""
        mu, c = self._ops.pencil.smallest(np.array(support))
        as_flat = self._all[before].flatness * self._slack**2
        if not mu <= max(FORMULAS.flatness_floor, self._flat, as_flat):
            return None
        return support[int(np.argmax(np.abs(c) * self._size[list(support)]))]

    def in_order(self) -> list[Candidate]:
        """Return all, the simplest first.

        Of formulas that are as simple and all flat, the order of the columns decides and not noise:
        a basis of laws that span a space does not depend on the order of the runs.
        """

        def order(f: Candidate) -> tuple:
            last_first = sorted(f.support, reverse=True)
            flatness = f.flatness if f.flatness > self._flat else 0.0
            return len(f.support), f.cost, flatness, last_first

        return sorted(self._all.values(), key=order)


def _exchanged(
    supports: Collection[tuple[int, ...]], costs: np.ndarray
) -> dict[tuple[int, ...], tuple[int, ...]]:
    """Return supports with one term exchanged for a simpler one of no longer formula, and before.

    What is added of a simpler law is arbitrary: where the squared momentum (u + v)² is conserved,
    an energy holds u² + v² or u² + u v.
    """
    out = {}
    for support, block in itertools.permutations(supports, 2):
        shared, new = set(support) & set(block), set(block) - set(support)
        if len(block) <= len(support) and len(new) == 1:
            price = costs[list(new)].sum()
            for j in shared:
                if costs[j] > price:
                    out[tuple(sorted({*support, *new} - {j}))] = support
    return out


def short_supports(ops: Operators, flat: float) -> list[tuple[int, ...]]:
    """Return the single terms with μ at most `flat`, then pairs and triples of others.

    Triples only in small libraries: of m terms there are m³/6.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        single = np.diag(ops.within) / np.diag(ops.dirichlet) <= flat
        w, d = ops.within, ops.dirichlet
        w1, w2, d1, d2 = np.diag(w)[:, None], np.diag(w), np.diag(d)[:, None], np.diag(d)
        # The smaller root of det(W − μ D) = 0 of each 2 × 2 block.
        square, linear, constant = d1 * d2 - d**2, w1 * d2 + w2 * d1 - 2 * w * d, w1 * w2 - w**2
        root = np.sqrt(np.maximum(linear**2 - 4 * square * constant, 0.0))
        pair = 2 * constant <= flat * (linear + root)
    proper = square > INDEPENDENT * d1 * d2
    pair = np.triu(pair & proper & ~single[:, None] & ~single, 1)
    short = [(int(j),) for j in np.flatnonzero(single)]
    short += [(int(i), int(j)) for i, j in np.argwhere(pair)]
    others = np.flatnonzero(~single)
    if len(others) > TRIPLES:
        return short
    triples = np.array(list(itertools.combinations(others, 3)), dtype=int).reshape(-1, 3)
    i, j, k = triples.T
    triples = triples[~(pair[i, j] | pair[i, k] | pair[j, k])]
    # What is a constant but for rounding is no formula.
    unit = d / np.sqrt(np.maximum(d1 * d2, 1e-300))
    dependence = np.linalg.det(unit[triples[:, :, None], triples[:, None, :]])
    triples = triples[dependence > INDEPENDENT]
    return short + [tuple(map(int, t)) for t in triples[ops.pencil.lowest(triples) <= flat]]


def _matters(support: np.ndarray, c: np.ndarray, pivot: int, size: np.ndarray) -> np.ndarray:
    """Tell whether the pivot is part of formulas (..., s), or only carried along by another's."""
    share = np.abs(c) * size[support]
    return np.max(share * (support == pivot), axis=-1) >= FORMULAS.negligible_share * share.max(
        axis=-1
    )


def _fewest(
    ops: Operators, order: np.ndarray, pivot: int, size: np.ndarray, slack: float, most: int
) -> np.ndarray | None:
    """Return the fewest of the strongest terms that are as flat as all, if fewer than `most`.

    The weak ones are what noise left, and may let another law into the formula.
    """
    limit = max(FORMULAS.flatness_floor, ops.pencil.smallest(np.sort(order))[0] * slack)
    for n in range(1 + int(np.argmax(order == pivot)), min(most, len(order))):
        some = np.sort(order[:n])
        mu, c = ops.pencil.smallest(some)
        if mu <= limit and _matters(some, c, pivot, size):
            return some
    return None


def _eliminate(
    ops: Operators,
    support: np.ndarray,
    pivot: int,
    costs: np.ndarray,
    size: np.ndarray,
    slack: float,
) -> tuple[int, ...]:
    """Remove terms while the flatness stays where it is; the pivot stays.

    A term that contributes next to nothing may cost more flatness than one that matters: it is
    there to mend a small bias of the smoothed path.
    """
    mu = 0.0
    while len(support) > 1:
        flat = ops.pencil.on(support)
        mu = max(mu, flat.values[0])
        share = np.abs(flat.vectors[:, 0]) * size[support]
        allowance = np.where(share < FORMULAS.negligible_share * share.max(), slack**4, slack)
        values, without = leaving(flat)
        values[(support == pivot) | ~_matters(support, without, pivot, size)] = np.inf
        limits = np.maximum(FORMULAS.flatness_floor, mu * allowance)
        fits = np.flatnonzero(values <= limits)
        if not len(fits):
            break
        drop = fits[np.argmin(values[fits] / limits[fits] - 1e-3 * costs[support[fits]])]
        support = np.delete(support, drop)
    return tuple(int(j) for j in support)


def expression(
    terms: list[sympy.Expr], coefficients: np.ndarray, numbers: Numbers = NUMBERS
) -> sympy.Expr:
    """Return Σ c_j Φ_j with fractions where the coefficients are simple ones.

    Quadratic forms of differences are written in these, and a common denominator once.

    Parameters
    ----------
    terms : list of s sympy.Expr
    coefficients : (s,) array
    numbers : Numbers
        What counts as simple.
    """
    written = [numbers.symbolic(float(c)) for c in coefficients]
    below = divisor(terms)
    above = [term * below for term in terms]
    return in_differences(dict(zip(above, written, strict=True))) / below
