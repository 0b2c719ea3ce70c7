"""Which few functions describe the free functions of a form, by evidence on runs set apart.

One pencil of all functions in a dictionary is restricted to each small set of them. Half of the
runs find the coefficients, the other half tell how flat they are.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy
from scipy import linalg

from discovery.criteria import FORMULAS, LAWS
from discovery.estimation.errors import among
from discovery.estimation.orbits import Orbits
from discovery.formulas.pencil import Spectrum, solve
from discovery.formulas.simple_numbers import Numbers
from discovery.laws.finding.operators import (
    Once,
    Operators,
    noise_weights,
    operators,
    spectrum,
)
from discovery.laws.finding.scale_search import tuned_near
from discovery.libraries.free_forms import Form
from discovery.libraries.functions import Functions
from discovery.libraries.library import Library
from discovery.libraries.unknown_scale import Scaled

# Rows that the halves have together, about.
_ROWS = 4000
# The same where many functions at many lengths are compared, to be tuned on all rows.
_ROWS_OF_LENGTHS = 1500
# Degrees whose share in an expansion tells what is left out of it.
LAST = 3
# Groups of functions that describe one free function, at most, sets of them that are compared, and
# libraries that are offered.
_MOST, _COMPARED, _OFFERED = 4, 4000, 3
# Groups without a length beside which none with one are tried, of a potential.
_FEW = 2
# Kinds of functions with a length that are tuned: alone, and beside another function.
_TUNED = {1: 16, 2: 3}
# Of unit D: functions in one set may be dependent.
_RIDGE = 1e-11
# Lengths in units of the largest distance at which functions with a scale are tried.
_LENGTHS = np.geomspace(0.08, 3.0, 12)
# Exponents at which powers are tried.
_EXPONENTS = np.geomspace(14.0, 0.15, 20)

# Functions of `S` that come together.
Group = tuple[sympy.Expr, ...]


@dataclass(frozen=True)
class Halves:
    """The runs that formulas are found on, thinned, in two halves.

    Attributes
    ----------
    find, choose : Orbits
    """

    find: Orbits
    choose: Orbits

    @classmethod
    def of(cls, fit: Orbits, rows: int = _ROWS) -> Halves:
        """Return halves with every so many rows of each run, about so many in all."""
        some = fit.thinned(rows)
        runs = np.arange(some.n_runs)
        return cls(some.take(runs[::2]), some.take(runs[1::2]))

    def operators(self, library: Functions) -> tuple[Operators, Operators]:
        """Return the library's operators on both halves."""
        return matrices(library, self.find), matrices(library, self.choose)


def matrices(library: Functions, orbits: Orbits) -> Operators:
    """Return the operators of a library, weighted where noise is uneven."""
    library, parts = Once(library), (orbits.smoothed, orbits.offsets, orbits.scale)
    with np.errstate(all="ignore"):
        ops = operators(library, *parts)
        if not ops.is_finite:
            raise FloatingPointError("its functions have no value on these data")
        weights = noise_weights(library, orbits.smoothed, spectrum(ops).vectors[:, :1])
        return ops if weights is None else operators(library, *parts, weights)


@dataclass(frozen=True)
class Flat:
    """How flat a combination is on runs that did not find it.

    Attributes
    ----------
    flatness : float
    drift : float
        Its motion along runs over its spread.
    """

    flatness: float
    drift: float

    @property
    def by_noise(self) -> bool:
        """Whether noise explains its motion, or nearly so."""
        return self.flatness <= 2 * LAWS.flatness_ceiling

    @property
    def promising(self) -> bool:
        """Whether it may be a law, or near one: free functions are never flat to rounding."""
        return self.drift <= LAWS.small_drift or (
            self.by_noise and self.drift < FORMULAS.hardly_varies
        )


def without_known(ops: Operators, n_plain: int) -> np.ndarray:
    """Return a basis (m, k) of what is left of m terms beside the flat ones of the first few.

    Laws without free functions are found before. Every other combination is looked for with the
    known ones taken out of each term, or a sum of functions that is nearly 1 would find them anew.

    Parameters
    ----------
    ops : Operators
    n_plain : int
    """
    m = len(ops.within)
    if not n_plain:
        return np.eye(m)
    flat = spectrum(ops.restrict(np.arange(n_plain)))
    still = flat.vectors[:, flat.values <= 2 * LAWS.flatness_ceiling]
    if not still.size:
        return np.eye(m)
    known = np.zeros((m, still.shape[1]))
    known[:n_plain] = still
    seen = ops.unit_dirichlet @ known
    rest = linalg.null_space(seen[:n_plain].T)
    basis = linalg.block_diag(rest, np.eye(m - n_plain))
    return basis - known @ np.linalg.solve(known.T @ seen, seen.T @ basis)


def flat_directions(ops: Operators, n_plain: int) -> Spectrum:
    """Return the spectrum of all combinations but the flat ones of the first `n_plain` terms."""
    basis = without_known(ops, n_plain)
    flat = spectrum(ops.onto(basis))
    return Spectrum(flat.values, basis @ flat.vectors)


def measured(ops: Operators, c: np.ndarray) -> Flat:
    """Return how flat a combination (m,) is on runs with these operators."""
    within, noise, between = (c @ part @ c for part in (ops.within, ops.dirichlet, ops.between))
    return Flat(float(within / max(noise, 1e-300)), float(np.sqrt(within / (within + between))))


def described(
    form: Form, halves: Halves, fit: Orbits, promised: Sequence[Flat], numbers: Numbers
) -> Iterator[Library]:
    """Yield libraries of few functions that describe the free functions of a form, the best first.

    Functions with a length are tried where those without one do not suffice, and powers with any
    exponent where one function does not.

    Parameters
    ----------
    form : Form
    halves : Halves
        Of the runs.
    fit : Orbits
        All of them.
    promised : sequence of Flat
        How flat free functions are: one each law that is looked for.
    numbers : Numbers
        What lengths are rounded to.
    """
    groups = form.groups()
    sets = _sets(len(groups))
    mu = _flatness(_Dictionary.of(form, groups), halves, sets, len(promised))
    best = shortest(mu)
    as_free = FORMULAS.set_slack * max(flat.flatness for flat in promised)
    # Each function comes with all factors: one with a length may say more than two without.
    enough = len(best[0]) if best and mu[best[0]] <= as_free else _MOST + 1
    few = 1 if any(form.factors) or not form.potential else _FEW
    if form.scaled_groups() and enough > few:
        yield from _of_some_length(form, fit, numbers, enough - 1)
    if form.powers() and enough > 1:
        yield from _of_some_power(form, fit, numbers, enough - 1)
    for chosen in best:
        yield form.described([f for j in chosen for f in groups[j]])


def _sets(n_groups: int) -> list[tuple[int, ...]]:
    """Return sets of a few of so many groups: of as many as there is room for, one at least."""
    out: list[tuple[int, ...]] = []
    for n in range(1, _MOST + 1):
        if n > 1 and len(out) + math.comb(n_groups, n) > _COMPARED:
            break
        out += itertools.combinations(range(n_groups), n)
    return out


def _of_some_length(form: Form, fit: Orbits, numbers: Numbers, largest: int) -> Iterator[Library]:
    """Yield libraries with one function of a length that is searched, and one more at most.

    Sets of more functions than the largest are not tried.
    """
    unit = max(abs(end) for shape in form.shapes for end in (shape.low, shape.high))
    used = set().union(*(shape.expression.free_symbols for shape in form.shapes))
    columns = tuple(i for i, symbol in enumerate(form.symbols) if symbol in used)
    # Across a length as short as the noise all looks flat.
    noise = float(fit.noise[list(columns)].max())
    lengths = _LENGTHS[_LENGTHS * unit > FORMULAS.noise_lengths * noise] * unit
    # With no length they are polynomials, of large terms.
    yield from _of_some(form, form.scaled_groups(), 1 / lengths, columns, (fit, numbers, largest))


def _of_some_power(form: Form, fit: Orbits, numbers: Numbers, largest: int) -> Iterator[Library]:
    """Yield libraries with one power of which the exponent is searched, as for a length."""
    # With no exponent they are logarithms.
    yield from _of_some(form, form.powers(), _EXPONENTS, (), (fit, numbers, largest))


def _of_some(
    form: Form,
    scaled: Sequence[Group],
    scales: np.ndarray,
    columns: tuple[int, ...],
    asked: tuple[Orbits, Numbers, int],
) -> Iterator[Library]:
    """Yield libraries with functions of a scale: of those given, the last is a limit."""
    fit, numbers, largest = asked
    few = Halves.of(fit, _ROWS_OF_LENGTHS)
    plain = form.groups()
    first, kinds = len(plain), len(scaled)
    sets = [(first + i,) for i in range(kinds)]
    sets += [(j, *some) for some in sets for j in range(first)]
    mu: dict[tuple[int, ...], float] = {}
    for k, dictionary in enumerate(_Dictionary.at_each(form, plain, scaled, scales)):
        found_here = _flatness(dictionary, few, sets, 1)
        mu |= {(*some[:-1], some[-1] + k * kinds): own for some, own in found_here.items()}
    for size, most in _TUNED.items():
        found: list[Library] = []
        if size > largest:
            return
        of_size = [chosen for chosen in mu if len(chosen) == size]
        best = _best_of_each_kind(of_size, mu, kinds, first)
        # What is no flatter at any scale than what does not help has no scale of its own.
        high = max(map(mu.get, best)) / FORMULAS.dip_prominence
        for chosen in [some for some in best if mu[some] < high][:most]:
            k, kind = divmod(chosen[-1] - first, kinds)
            if k == len(scales) - 1:
                continue  # flatter yet in the limit
            functions = [f for j in chosen[:-1] for f in plain[j]] + list(scaled[kind])
            library = Scaled(form.described(functions), columns, True, ())
            found += tuned_near(library, fit, scales[k], numbers)
        yield from found
        if found:
            return


def _best_of_each_kind(
    sets: Sequence[tuple[int, ...]], mu: dict[tuple[int, ...], float], kinds: int, first: int
) -> list[tuple[int, ...]]:
    """Return the flattest sets of a few functions that differ in more than a length."""
    best: dict[tuple[int, ...], tuple[int, ...]] = {}
    for chosen in sorted(sets, key=lambda s: mu[s]):
        best.setdefault((*chosen[:-1], (chosen[-1] - first) % kinds), chosen)
    return list(best.values())


@dataclass(frozen=True)
class _Dictionary:
    """Groups of functions that may describe free functions, after the plain terms.

    Attributes
    ----------
    library : Functions
    n_plain : int
    groups : list of (k,) arrays
        The terms of each group, counted from the first that is not plain.
    """

    library: Functions
    n_plain: int
    groups: list[np.ndarray]

    @classmethod
    def of(cls, form: Form, groups: Sequence[Group]) -> _Dictionary:
        """Return the dictionary of functions without a scale."""
        library = form.described([f for group in groups for f in group])
        return cls(library, len(form.plain), _spans(form, groups))

    @classmethod
    def at_each(
        cls, form: Form, plain: Sequence[Group], scaled: Sequence[Group], scales: np.ndarray
    ) -> Iterator[_Dictionary]:
        """Yield, for each scale, that of functions without one and of those with it."""
        without = cls.of(form, plain)
        bare = replace(form, plain=()).described([f for group in scaled for f in group])
        start = len(without.library) - without.n_plain
        groups = [*without.groups, *(start + span for span in _spans(form, scaled))]
        for scale in scales:
            yield cls(_AtScale(without.library, bare, scale), without.n_plain, groups)


def _spans(form: Form, groups: Sequence[Group]) -> list[np.ndarray]:
    ends = form.width * np.cumsum([0, *map(len, groups)])
    return [np.arange(a, b) for a, b in itertools.pairwise(ends)]


class _AtScale:
    """The functions of one library, then those of another at a scale.

    Parameters
    ----------
    plain : Library
        Of d coordinates.
    scaled : Library
        Of these and, last, the scale.
    scale : float
    """

    def __init__(self, plain: Library, scaled: Library, scale: float) -> None:
        self.plain, self.scaled, self.scale = plain, scaled, scale
        self.dim = plain.dim

    def __len__(self) -> int:
        return len(self.plain) + len(self.scaled)

    def jets(
        self, states: np.ndarray, covariance: np.ndarray | None = None, order: int = 1
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Evaluate all functions, as `Functions.jets` does."""
        n, d = states.shape
        wide = None if covariance is None else among(covariance, d + 1, range(d))
        at = np.column_stack([states, np.full(n, self.scale)])
        values, slopes, bend = zip(
            self.plain.jets(states, covariance, order),
            self.scaled.jets(at, wide, order),
            strict=True,
        )
        return (
            np.concatenate(values),
            None if order < 1 else np.concatenate([some[:d] for some in slopes], axis=1),
            None if order < 2 else np.concatenate(bend),
        )


def _flatness(
    dictionary: _Dictionary, halves: Halves, sets: Iterable[tuple[int, ...]], count: int
) -> dict[tuple[int, ...], float]:
    """Return the flatness, on the half that chooses, of each set's `count` flattest combinations.

    The largest of theirs.
    """
    find, choose = halves.operators(dictionary.library)
    basis = without_known(find, dictionary.n_plain)
    find, choose = find.onto(basis), choose.onto(basis)
    n_base = basis.shape[1] - (len(dictionary.library) - dictionary.n_plain)
    out: dict[tuple[int, ...], float] = {}
    by_size: dict[int, list[tuple[tuple[int, ...], list[int]]]] = {}
    for chosen in sets:
        columns = [np.arange(n_base), *(n_base + dictionary.groups[j] for j in chosen)]
        columns = np.concatenate(columns).tolist()
        by_size.setdefault(len(columns), []).append((chosen, columns))
    for some in by_size.values():
        rows = np.array([columns for _, columns in some])
        pick = rows[:, :, None], rows[:, None, :]
        c = solve(find.within[pick], find.pencil.bottom[pick], _RIDGE).vectors[:, :, :count]
        moved, noise = (
            np.einsum("kia,kij,kja->ka", c, part[pick], c)
            for part in (choose.within, choose.pencil.bottom)
        )
        values = (moved / np.maximum(noise, 1e-300)).max(axis=1)
        out |= {chosen: float(mu) for (chosen, _), mu in zip(some, values, strict=True)}
    return out


def shortest(flatness: dict[tuple[int, ...], float]) -> list[tuple[int, ...]]:
    """Return the smallest sets that are about as flat as any; none if all move."""
    least = min(flatness.values())
    if not least <= 2 * LAWS.flatness_ceiling:
        return []
    limit = max(FORMULAS.flatness_floor, FORMULAS.set_slack * least)
    good = [chosen for chosen, mu in flatness.items() if mu <= limit]
    fewest = min(map(len, good))
    some = sorted((s for s in good if len(s) == fewest), key=lambda s: (sum(s), flatness[s]))
    return some[:_OFFERED]
