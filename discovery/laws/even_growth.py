"""Laws of two quantities that grow evenly, each at the rate of a law.

The centre of mass moves at the rate of the momentum, Σ q p of particles that repel as 1/d³ grows at
that of twice the energy: dN/dt = T, with T conserved. Of two such quantities

    N_a T_b − N_b T_a

is conserved. Each N is looked for among the moments of the laws, Σ x_i τ with a coordinate x_i and
the terms τ of the laws so far and of their slopes, by least squares along the runs: Σ q ∂T/∂p is
one where T stays a law with all forces scaled away. What comes of it gives terms alone: their
coefficients are found and judged as those of any library.

Sources: S. Wojciechowski, Phys. Lett. A 95, 279 (1983), for Calogero's particles.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy

from discovery.data.coordinates import MOMENTA, group_bodies
from discovery.estimation.orbits import Orbits, without_means
from discovery.laws.judging.law import Findings, Law
from discovery.laws.judging.verdict import Verdict
from discovery.laws.stage import Stage
from discovery.libraries.fitted import Fitted
from discovery.libraries.library import Library
from discovery.libraries.monomials import symbols_of

# What reports call the libraries.
NAME = "quantities that grow evenly"
# Moments of one law, and laws, of more of which none are looked for; terms of one quantity.
_MOMENTS, _LAWS, _TERMS = 150, 6, 40
# Of the squares of a growth the share that its moments may leave, and by what share of that one
# moment fewer may add to it. The laws that come of them are judged like any other.
_LEFT, _MORE = 1e-3, 0.01
# Rows that growth is looked for on.
_ROWS = 4000
# Moments that others make up but for it are dependent; added to all variances, of size one.
_DEPENDENT = 1e-8
_TINY = 1e-300


@dataclass(frozen=True)
class _Growth:
    """A quantity that grows evenly: its moments, and the law that is its rate."""

    moments: tuple[tuple[int, sympy.Expr], ...]  # column of the coordinate, and the term
    rate: sympy.Expr
    fitted: int  # numbers in the rate that data told


class EvenGrowth(Stage):
    """What two quantities that grow evenly make; tried again whenever there are more laws.

    Parameters
    ----------
    symbols : sequence of d sympy.Symbol
    columns : sequence of int
        Coordinates that moments are formed with: no angles.
    exchanges : sequence of mappings from symbol to symbol
        Two bodies for each other, or two axes: what these leave alike may be one sum.
    times : (n,) array
        Of the rows of the runs that formulas are found on.
    """

    name = NAME

    def __init__(
        self,
        symbols: Sequence[sympy.Symbol],
        columns: Sequence[int],
        exchanges: Sequence[Mapping[sympy.Symbol, sympy.Symbol]],
        times: np.ndarray,
    ) -> None:
        self.symbols, self.columns = tuple(symbols), tuple(columns)
        self.exchanges, self.times = exchanges, times
        self._seen: set[frozenset[sympy.Expr]] = set()

    def __len__(self) -> int:
        return 0

    def libraries(self, fit: Orbits, found: Findings) -> list[Library] | None:
        """Return the terms of each pair's law; None where no new laws are known.

        Parameters
        ----------
        fit : Orbits
        found : Findings
            The laws and identities so far.
        """
        laws = [law for law in found.laws if law.verdict == Verdict.EXACT]
        laws = [law for law in laws if not law.library.learned and law.library.name != self.name]
        asked = frozenset(law.expression for law in laws)
        if not laws or len(laws) > _LAWS or fit.of_run is not None or asked in self._seen:
            return None
        self._seen.add(asked)
        grown = self._grown(laws, fit)
        return [self._library(*pair) for pair in itertools.combinations(grown, 2)]

    def _grown(self, laws: Sequence[Law], fit: Orbits) -> list[_Growth]:
        """Return what grows at the rate of a law, or evenly in all runs, of few moments each."""
        if len(self.times) != len(fit.smoothed.states):
            return []
        run = np.repeat(np.arange(fit.n_runs), np.diff(fit.offsets))
        some = slice(None, None, max(1, len(run) // _ROWS))
        clock = without_means(self.times[some], run[some])
        out = []
        for law in [None, *laws]:
            rate = 1.0 if law is None else law.means(fit)[run[some]]
            # A quantity is one of the law that is its rate, or of another: of the energy for P.
            of = sorted(laws, key=lambda other, law=law: other is not law)
            for moments in filter(None, map(self._moments, of)):
                values = self._of(moments, [], "moments", 0).values(fit.smoothed.states[some])
                kept = self._kept(moments, without_means(values, run[some]), rate * clock)
                if kept:
                    expression = sympy.Integer(1) if law is None else law.expression
                    numbers = 0 if law is None else law.free_numbers
                    out.append(_Growth(tuple(moments[i] for i in kept), expression, numbers))
                    break
        return out

    def _kept(
        self, moments: list[tuple[int, sympy.Expr]], values: np.ndarray, growth: np.ndarray
    ) -> list[int]:
        """Return the moments that a growth is a sum of, if any: of all bodies before others."""
        alike = self._alike(moments)
        sums = np.array([values[some].sum(axis=0) for some in alike])
        kept = [i for k in _fewest(sums, growth) for i in alike[k]]
        kept = kept or _fewest(values, growth)
        return kept if len(kept) <= _TERMS else []

    def _alike(self, moments: list[tuple[int, sympy.Expr]]) -> list[list[int]]:
        """Return groups of moments that exchanges of bodies turn into each other."""
        products = [self.symbols[column] * term for column, term in moments]
        place = {product: i for i, product in enumerate(products)}
        group = np.arange(len(products))
        for i, product in enumerate(products):
            for exchange in self.exchanges:
                j = place.get(product.xreplace(exchange))
                if j is not None:
                    group[group == group[j]] = group[i]
        return [[*map(int, np.flatnonzero(group == k))] for k in dict.fromkeys(group.tolist())]

    def _moments(self, law: Law) -> list[tuple[int, sympy.Expr]]:
        """Return coordinates times the terms of a law and of its slopes, without numbers."""
        own = [part.as_coeff_Mul()[1] for part in sympy.Add.make_args(law.expression)]
        if len(own) * len(self.columns) > _MOMENTS:
            return []
        others = [s for i, s in enumerate(self.symbols) if i not in self.columns]
        slopes = [
            part.as_coeff_Mul()[1]
            for term in own
            for symbol in others or self.symbols
            for part in sympy.Add.make_args(sympy.expand_mul(term.diff(symbol), deep=False))
        ]
        terms = dict.fromkeys([sympy.Integer(1), *slopes, *own])
        each = itertools.product(self.columns, terms)
        moments = [*{self.symbols[i] * term: (i, term) for i, term in each}.values()]
        return moments if len(moments) <= _MOMENTS else []

    def _library(self, one: _Growth, other: _Growth) -> Library:
        """Return the terms of N_a T_b and of N_b T_a."""
        rates = [rate for rate in (one.rate, other.rate) if rate != 1]
        fitted = one.fitted + other.fitted
        return self._of(
            [(*moment, other.rate) for moment in one.moments]
            + [(*moment, one.rate) for moment in other.moments],
            rates,
            self.name,
            fitted,
        )

    def _of(
        self,
        products: Sequence[tuple],
        rates: Sequence[sympy.Expr],
        name: str,
        fitted: int,
    ) -> Library:
        """Return products of a coordinate, a term and a rate, if any."""
        others = [*rates, *dict.fromkeys(term for _, term, *_ in products if term != 1)]
        atoms = [*self.symbols, *others]
        exponents = []
        for column, *factors in products:
            powers = [0] * len(atoms)
            powers[column] = 1
            for factor in factors:
                if factor != 1:
                    powers[atoms.index(factor)] += 1
            exponents.append(tuple(powers))
        return Fitted(self.symbols, atoms, list(dict.fromkeys(exponents)), name, fitted)


def even_growth_stages(
    names: Sequence[str], roles: Sequence[str | None], times: np.ndarray
) -> list[Stage]:
    """Return the stage for coordinates of which some are no angles.

    Parameters
    ----------
    names, roles : sequences of length d
    times : (n,) array
        Of the rows of the runs that formulas are found on.
    """
    symbols = symbols_of(names)
    positions = [i for i, role in enumerate(roles) if role == "position"]
    momenta = [i for i, role in enumerate(roles) if role in MOMENTA]
    others = [i for i, role in enumerate(roles) if role not in ("angle", *MOMENTA)]
    columns = positions or others
    exchanges = []
    if len(positions) == len(momenta):
        partner = dict(zip(positions, momenta, strict=True))
        bodies = group_bodies([names[i] for i in positions], positions)
        bodies = bodies if len(bodies) > 1 else [[i] for i in positions]
        for one, other in itertools.pairwise(bodies):
            if len(one) == len(other):
                pairs = [*zip(one, other, strict=True)]
                pairs += [(partner[i], partner[j]) for i, j in pairs]
                there = {symbols[i]: symbols[j] for i, j in pairs}
                exchanges.append(there | {new: old for old, new in there.items()})
    return [EvenGrowth(symbols, columns, exchanges, times)] if columns else []


def _fewest(moments: np.ndarray, growth: np.ndarray) -> list[int]:
    """Return the fewest moments (k, n) of which a sum follows a growth (n,); none if none does.

    One after the other goes, that which is missed least.
    """
    size = np.sqrt(np.mean(moments**2, axis=1))
    finite = np.isfinite(size).all() and np.isfinite(growth).all()
    if not finite or not np.any(growth):
        return []
    design = np.vstack([moments, growth]) / np.append(size, growth.std())[:, None].clip(_TINY)
    gram = design @ design.T / len(growth)
    gram[:-1, :-1] += _DEPENDENT * np.eye(len(moments))
    kept = np.arange(len(moments))
    while True:
        inverse = np.linalg.inv(gram[np.ix_(kept, kept)])
        c = inverse @ gram[kept, -1]
        left = max(gram[-1, -1] - float(c @ gram[kept, -1]), 0.0)
        if left > _LEFT:
            return []
        added = c**2 / np.diag(inverse)
        least = int(np.argmin(added))
        if len(kept) == 1 or added[least] > max(_MORE * left, _DEPENDENT):
            return [*map(int, kept)]
        kept = np.delete(kept, least)
