"""Laws that follow from others: with the axes turned, by brackets, and across the velocity.

Where one component of a vector is conserved the next one often is: the Runge–Lenz vector along y
beside that along x. Where two functions are conserved in Hamilton's equations, so is their Poisson
bracket (Poisson's theorem): {L_x, L_y} = L_z, and {A_x, A_y} is the energy times L_z. What follows
gives terms alone; their coefficients are found and judged as those of any library, so that unequal
masses do no harm.

Where one body keeps a vector J that is linear in its velocity v, its angular momentum with what a
field adds, it may keep a second one, v × J + f r/|r|: the Runge–Lenz vector, also about a magnetic
monopole. Of its few terms each has its own coefficient again.

Sources: V. I. Arnold, *Mathematical Methods of Classical Mechanics*, §40; D. Zwanziger, Phys. Rev.
176, 1480 (1968).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import sympy

from discovery.data.coordinates import MOMENTA, group_bodies
from discovery.estimation.orbits import Orbits
from discovery.laws.judging.law import Findings, Law
from discovery.laws.judging.verdict import Verdict
from discovery.laws.stage import Stage
from discovery.libraries.fitted import Fitted
from discovery.libraries.library import Library
from discovery.libraries.monomials import symbols_of

# Brackets of more operations are not simplified, and of more laws not formed: both take seconds.
_LONG, _MANY = 120, 6


class Completed(Stage):
    """What follows from the laws found so far; tried again whenever there are more of them.

    Parameters
    ----------
    symbols : sequence of d sympy.Symbol
    axes : sequence of (n,) sequences of int
        Columns along the n axes in turn: of a body's place, of its velocity or momentum.
    pairs : sequence of (int, int)
        Columns of a position and of its velocity or momentum.
    """

    name = "what follows from laws"

    def __init__(
        self,
        symbols: Sequence[sympy.Symbol],
        axes: Sequence[Sequence[int]],
        pairs: Sequence[tuple[int, int]],
    ) -> None:
        self.symbols, self.axes, self.pairs = tuple(symbols), axes, pairs
        self._known: set[frozenset[sympy.Expr]] = set()
        self._formed: set[frozenset[sympy.Expr]] = set()

    def __len__(self) -> int:
        return 0

    def libraries(self, fit: Orbits, found: Findings) -> list[Library] | None:
        """Return the terms of each formula that follows and was not tried; None without any.

        Parameters
        ----------
        fit : Orbits
        found : Findings
            The laws and identities so far.
        """
        exact = [law for law in found.laws if law.verdict == Verdict.EXACT and _is_plain(law)]
        self._known |= {frozenset(law.library.expressions()) for law in exact}
        new = []
        follow = self._across(exact), self._turned(exact), self._brackets(exact)
        for library in itertools.chain(*follow):
            terms = frozenset(library.expressions())
            if terms not in self._known:
                self._known.add(terms)
                new.append(library)
        return new or None

    def _turned(self, laws: Sequence[Law]) -> Iterator[Library]:
        """Yield laws with the axes changed in a circle."""
        n = len(self.axes[0])
        for law, step in itertools.product(laws, range(1, n)):
            change = {
                self.symbols[group[k]]: self.symbols[group[(k + step) % n]]
                for group in self.axes
                for k in range(n)
            }
            library = law.library
            atoms = [atom.xreplace(change) for atom in library.atoms]
            yield Fitted(self.symbols, atoms, library.exponents, self.name, library.fitted)

    def _across(self, laws: Sequence[Law]) -> Iterator[Library]:
        """Yield the terms of v × J + f r/|r| along an axis, of one body that keeps a vector J.

        One axis at a time: where one is a law, the only energy beside which it is comes next.
        """
        if len(self.axes) > len(("place", "velocity")):
            return
        place, velocity = ([self.symbols[i] for i in columns] for columns in self.axes)
        radius = sympy.sqrt(sum(x**2 for x in place))
        vectors = [
            _terms_of(sympy.expand(part + x / radius), self.symbols, self.name, 0)
            for cross in _crosses([law.expression for law in laws], velocity)
            for part, x in zip(cross, place, strict=True)
        ]
        if any(_is_among(law, vector) for law in laws for vector in vectors):
            energy = sympy.Add(*(v**2 for v in velocity), 1 / radius, 1 / radius**2)
            yield _terms_of(energy, self.symbols, self.name, 0)
        untried = (v for v in vectors if frozenset(v.expressions()) not in self._known)
        yield from itertools.islice(untried, 1)

    def _brackets(self, laws: Sequence[Law]) -> Iterator[Library]:
        """Yield the terms of brackets of two laws."""
        if len(laws) > _MANY:
            return
        pairs = [(self.symbols[i], self.symbols[j]) for i, j in self.pairs]
        for one, other in itertools.combinations(laws, 2):
            both = frozenset([one.expression, other.expression])
            if both in self._formed:
                continue
            self._formed.add(both)
            fitted = one.library.fitted + other.library.fitted
            for formula in brackets(one.expression, other.expression, pairs):
                yield _terms_of(formula, self.symbols, self.name, fitted)


def brackets(
    one: sympy.Expr, other: sympy.Expr, pairs: Sequence[tuple[sympy.Symbol, sympy.Symbol]]
) -> list[sympy.Expr]:
    """Return what may be conserved where two functions are: their bracket, or its factors.

    Parameters
    ----------
    one, other : sympy.Expr
    pairs : sequence of (position, momentum)

    Returns
    -------
    list of sympy.Expr
        The bracket alone where it has no factors; else each factor, and what is left without it.
        Empty where it is a number, or too long.
    """
    bracket = sympy.Add(
        *(one.diff(q) * other.diff(p) - one.diff(p) * other.diff(q) for q, p in pairs)
    )
    bracket = sympy.expand(bracket)
    if sympy.count_ops(bracket) > _LONG:
        return []
    plain = bracket.is_polynomial(*(s for pair in pairs for s in pair))
    bracket = sympy.factor(bracket if plain else sympy.simplify(bracket))
    factors = [f for f in sympy.Mul.make_args(bracket.as_coeff_Mul()[1]) if f.is_Add]
    parts = [part for f in factors for part in (f, sympy.cancel(bracket / f))]
    parts = [sympy.expand(part) for part in (parts if len(factors) > 1 else [bracket])]
    return list(dict.fromkeys(part for part in parts if part.free_symbols))


def with_completed(
    stages: Sequence[Stage], names: Sequence[str], roles: Sequence[str | None]
) -> list[Stage]:
    """Return stages with what follows from laws after each, for bodies in a plane or in space.

    Parameters
    ----------
    stages : sequence of Stage
    names, roles : sequences of length d
    """
    places = [i for i, role in enumerate(roles) if role == "position"]
    momenta = [i for i, role in enumerate(roles) if role in MOMENTA]
    partner = dict(zip(places, momenta, strict=False))
    bodies = group_bodies([names[i] for i in places], places)
    sizes = {len(body) for body in bodies}
    if len(places) != len(momenta) or sizes not in ({2}, {3}):
        return list(stages)
    axes = [*bodies, *([partner[i] for i in body] for body in bodies)]
    completed = Completed(symbols_of(names), axes, list(partner.items()))
    return [one for stage in stages for one in (stage, completed)]


def _crosses(
    laws: Sequence[sympy.Expr], velocity: Sequence[sympy.Symbol]
) -> list[list[sympy.Expr]]:
    """Return v × J for each J that laws linear in the velocity make up, by components.

    In a plane J is one of them; in space the component r × v + g r along an axis has all velocities
    but that along it.
    """
    linear = [law for law in laws if _degree(law, velocity) == 1]
    if len(velocity) == len("xy"):
        across = [j for j in linear if {*velocity} <= j.free_symbols]
        return [[velocity[1] * j, velocity[0] * j] for j in across]
    along = [[j for j in linear if {*velocity} - j.free_symbols == {v}] for v in velocity]
    return [
        [velocity[k - 2] * j[k - 1] - velocity[k - 1] * j[k - 2] for k in range(len(velocity))]
        for j in itertools.product(*along)
    ]


def _degree(formula: sympy.Expr, symbols: Sequence[sympy.Symbol]) -> int | None:
    """Return the degree in these symbols; None of what is no polynomial."""
    if not formula.is_polynomial(*symbols):
        return None
    return sympy.Poly(formula, *symbols).total_degree()


def _is_among(law: Law, library: Library) -> bool:
    """Tell whether all terms of a formula are a library's."""
    terms = law.library.expressions()
    return len(terms) > 1 and {*terms} <= {*library.expressions()}


def _is_plain(law: Law) -> bool:
    return type(law.library) in (Library, Fitted)


def _terms_of(
    formula: sympy.Expr, symbols: Sequence[sympy.Symbol], name: str, fitted: int
) -> Library:
    """Return the terms of a formula as products of coordinates and of other functions."""
    terms = []
    for term in sympy.Add.make_args(formula):
        powers = term.as_powers_dict()
        whole = {s: sympy.sympify(powers[s]) for s in symbols}
        plain = {s: int(p) for s, p in whole.items() if p.is_Integer and p > 0}
        rest = sympy.Mul(*(b**p for b, p in powers.items() if b.free_symbols and b not in plain))
        terms.append((plain, rest))
    others = list(dict.fromkeys(rest for _, rest in terms if rest.free_symbols))
    exponents = [
        (*(plain.get(s, 0) for s in symbols), *(int(rest == other) for other in others))
        for plain, rest in terms
    ]
    return Fitted(symbols, [*symbols, *others], exponents, name, fitted)
