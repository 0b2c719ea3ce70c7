"""Rivals: other forms of no more numbers that a formula may imitate.

A formula that passed is a hypothesis, its form included: a quadratic form of two temperatures moves
as little as the sum of logarithms that is the law, and four powers as an exponential. So what the
simplest library gave is tried against others: sums of logarithms, powers and inverses of its
coordinates; and functions of one coordinate and one length in place of several terms of it, with
the factor that these share. A function of a length is looked for where it describes what it takes
the place of within the drift that is not excluded: that costs next to nothing. What is left is
judged as any formula is, and the simplest that passes is the law.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import sympy

from discovery.estimation.orbits import Orbits
from discovery.formulas.simple_numbers import Numbers
from discovery.laws.finding.scale_search import tuned
from discovery.laws.free.sums import NAME as SUMS
from discovery.laws.free.sums import sums_of
from discovery.laws.judging.law import Findings, Law
from discovery.laws.judging.numbers_inside import numbers_inside
from discovery.laws.stage import Stage
from discovery.libraries.embedded import Embedded
from discovery.libraries.free_forms import SCALED, SCALED_BESIDE, S
from discovery.libraries.functions import Functions
from discovery.libraries.library import Library
from discovery.libraries.rational import mostly_positive
from discovery.libraries.unknown_scale import SCALE, Scaled, WithScale

# What reports call the libraries.
_NAME = "other forms"
# Functions of one coordinate and one length.
_FUNCTIONS = (*SCALED, *SCALED_BESIDE[:3])
# Lengths in units of the coordinate's spread at which they are tried.
_LENGTHS = np.geomspace(0.15, 3.0, 20)
# Coordinates whose functions are looked for one by one, at most.
_MOST_COLUMNS = 3
# States on which functions are compared.
_STATES = 500
# The drift of a form from another one, where each may drift from the law by as much.
_BOTH = 2.0

# What yields libraries with other forms of a law.
Rivals: TypeAlias = Callable[[Law, Orbits, Numbers, Sequence[Law]], Iterable[Functions]]


def rivals(
    law: Law, fit: Orbits, numbers: Numbers, beside: Sequence[Law] = ()
) -> Iterator[Functions]:
    """Yield libraries whose formulas may be what a law imitates.

    Parameters
    ----------
    law : Law
    fit : Orbits
        The runs that formulas are found on.
    numbers : Numbers
        What lengths are rounded to.
    beside : sequence of Law
        The other laws.
    """
    if isinstance(law.library, Embedded):
        for library in _of_a_length(law, fit.with_still_parameters(), numbers):
            yield Embedded(library, law.library.symbols, law.library.coordinates)
        return
    sums = _sums(law, fit)
    if sums is not None:
        yield sums
    yield from _of_one_coordinate_each(law, fit, numbers, beside)
    yield from _of_a_length(law, fit, numbers)


def _of_a_length(law: Law, fit: Orbits, numbers: Numbers) -> Iterator[Library]:
    """Yield a law's terms with functions of one coordinate and one length in place of several."""
    states = fit.smoothed.states
    states = states[:: max(1, len(states) // _STATES)]
    states = states[np.isfinite(law.library.values(states)).all(axis=0)]
    for symbol in _straight(law):
        for part in _Part.all_of(law, symbol):
            few = [some for some in _FUNCTIONS if len(some) < part.numbers]
            for scaled in map(part.replaced, few):
                if part.described(scaled, states):
                    yield from tuned(scaled, fit, numbers)


def also_of(stages: Sequence[Stage]) -> Rivals:
    """Return `rivals`, and what a law may be an expansion of by what stages give.

    Parameters
    ----------
    stages : sequence of Stage
    """

    def all_of(
        law: Law, fit: Orbits, numbers: Numbers, beside: Sequence[Law] = ()
    ) -> Iterator[Functions]:
        yield from rivals(law, fit, numbers, beside)
        for stage in stages:
            yield from stage.imitated_by(law, fit, Findings(list(beside)))

    return all_of


def _straight(law: Law) -> list[sympy.Symbol]:
    """Return a law's coordinates but for those that it has sines of: these are angles.

    Parameters are none.
    """
    terms = law.library.expressions()
    waves = set().union(*(term.atoms(sympy.sin, sympy.cos) for term in terms))
    angles = set().union(*(wave.free_symbols for wave in waves))
    used = set().union(*(term.free_symbols for term in terms)) - angles
    embedded = isinstance(law.library, Embedded)
    coordinates = law.library.moving if embedded else law.library.symbols
    return [symbol for symbol in coordinates if symbol in used]


def _sums(law: Law, fit: Orbits) -> Library | None:
    """Return sums of functions of single coordinates, where one of them may have a logarithm."""
    states, noise, symbols = fit.smoothed.states, fit.noise, law.library.symbols
    straight = _straight(law)
    positive = [
        symbol
        for symbol in straight
        if mostly_positive(states[:, symbols.index(symbol)], noise[symbols.index(symbol)])
    ]
    if not positive:
        return None
    terms = [f for q in straight for f in (q, q**2)]
    terms += [f for q in positive for f in (sympy.log(q), 1 / q, sympy.sqrt(q))]
    terms = list(dict.fromkeys([*terms, *law.library.expressions()]))
    return Library(symbols, terms, np.eye(len(terms), dtype=int), _NAME)


def _of_one_coordinate_each(
    law: Law, fit: Orbits, numbers: Numbers, beside: Sequence[Law]
) -> list[Library]:
    """Return sums of functions of single coordinates, found one by one."""
    symbols = law.library.symbols
    columns = [symbols.index(symbol) for symbol in _straight(law)]
    if law.library.name == SUMS or not 1 < len(columns) <= _MOST_COLUMNS:
        return []
    return sums_of(symbols, columns, fit, numbers).libraries(fit, Findings(list(beside)))


@dataclass(frozen=True)
class _Part:
    """Terms of a law that are one factor times a function of one coordinate.

    Attributes
    ----------
    law : Law
    symbol : sympy.Symbol
        The coordinate.
    factor : sympy.Expr
        Without the coordinate.
    own : list of int
        Which terms of the law.
    """

    law: Law
    symbol: sympy.Symbol
    factor: sympy.Expr
    own: list[int]

    @classmethod
    def all_of(cls, law: Law, symbol: sympy.Symbol) -> list[_Part]:
        """Return those of several numbers."""
        found: dict[sympy.Expr, list[int]] = defaultdict(list)
        for j, term in enumerate(law.library.expressions()):
            factor, function = term.as_independent(symbol, as_Add=False)
            if function.free_symbols == {symbol}:
                found[factor].append(j)
        parts = [cls(law, symbol, factor, own) for factor, own in found.items()]
        return [part for part in parts if part.numbers > 1]

    @property
    def numbers(self) -> int:
        """How many numbers the terms have, with those inside."""
        return len(self.own) + len(
            numbers_inside(self.law.library.restrict(self.own).expressions())
        )

    def described(self, scaled: Scaled, states: np.ndarray) -> bool:
        """Tell whether functions of some length do for the terms: then they may be the law's.

        With next to no length they are polynomials, and describe these always.

        Parameters
        ----------
        scaled : Scaled
            The law's terms with functions in place of these; see `replaced`.
        states : (n, d) array
        """
        values, evidence = self.law.values(states), self.law.evidence
        allowed = _BOTH * evidence.drift_interval[1] * evidence.spread
        unit = states[:, scaled.columns[0]].std()
        return any(
            _left(values, scaled.library, np.column_stack([states, np.full(len(states), k)]))
            <= allowed
            for k in 1 / (_LENGTHS * unit)
        )

    def replaced(self, functions: Sequence[sympy.Expr]) -> Scaled:
        """Return the law's terms with functions of a length, times the factor, in their place."""
        written = self.law.library.expressions()
        kept = [term for j, term in enumerate(written) if j not in self.own]
        kept += [self.factor] if self.factor.free_symbols else []
        new = [self.factor * f.xreplace({S: self.symbol}) for f in functions]
        terms = list(dict.fromkeys([*kept, *new]))
        symbols = (*self.law.library.symbols, SCALE)
        library = WithScale(symbols, terms, np.eye(len(terms), dtype=int), _NAME)
        return Scaled(library, (symbols.index(self.symbol),), wave_number=True, momenta=())


def _left(values: np.ndarray, library: Library, states: np.ndarray) -> float:
    """Return what no combination of functions explains of values (n,)."""
    design = np.vstack([np.ones(len(values)), library.values(states)])
    sizes = np.abs(design).max(axis=1)
    # What overflows, or is zero to rounding, describes nothing.
    if not (np.isfinite(sizes).all() and sizes.all()):
        return np.inf
    design = design.T / sizes
    rest = values - design @ np.linalg.lstsq(design, values)[0]
    return float(np.sqrt(np.mean(rest**2)))
