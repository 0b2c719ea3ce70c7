"""Negative powers: in polar coordinates, in ratios of amounts, of gaps between bodies on a line."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import sympy

from discovery.criteria import LIBRARIES, NOISE
from discovery.data.coordinates import MOMENTA
from discovery.libraries.library import Library
from discovery.libraries.monomials import (
    MAX_TERMS,
    Exponents,
    monomials,
    scatter,
    symbols_of,
    unit,
)

# Powers of ratios of coordinates.
_RATIO = 4
# Powers of a positive coordinate, from the widest range to the narrowest; the narrower ones for
# higher harmonics.
_RANGES = ((-2, 4), (-2, 2), (-1, 2), (-1, 1))
# Powers without harmonics: slopes of potentials r⁻², and products of two such functions.
_DEEP = (-4, 0)
# For `widest`: all but the narrowest range.
NARROWEST = len(_RANGES) - 1


def mostly_positive(values: np.ndarray, noise: float) -> bool:
    """Tell whether a coordinate (n,) is never negative, and mostly positive beyond its noise."""
    least = NOISE.clear_of_zero * noise
    return bool(values.min() > -least and np.mean(values > least) >= LIBRARIES.positive_share)


def invertible(
    rows: np.ndarray, roles: Sequence[str | None], noise: np.ndarray | None = None
) -> list[int]:
    """Return the columns that stay positive, away from zero, and are no angles and no momenta.

    A momentum may well have one sign, but no law divides by it.

    Parameters
    ----------
    rows : (n, d) array
    roles : sequence of length d
    noise : (d,) array, optional
        Standard deviation of each coordinate's noise. A few values may be hidden by it: their rows
        are left out when the library is used.
    """
    noise = np.zeros(rows.shape[1]) if noise is None else noise
    return [
        i
        for i, role in enumerate(roles)
        if role != "angle" and role not in MOMENTA and _stays_away(rows[:, i], noise[i])
    ]


def _stays_away(values: np.ndarray, noise: float) -> bool:
    """Tell whether a coordinate (n,) is positive and, but for noise, nowhere near zero."""
    if not mostly_positive(values, noise):
        return False
    clear = values[values > NOISE.clear_of_zero * noise]
    return bool(clear.min() > LIBRARIES.smallest_value * values.max())


def gaps(
    names: Sequence[str],
    roles: Sequence[str | None],
    rows: np.ndarray,
    noise: np.ndarray,
    products: bool = False,
) -> Library | None:
    """Return quadratic monomials with functions of the gaps between bodies on a line.

    A gap is a difference of two positions that never change their order; its functions are 1/d,
    1/d² and log d.

    Parameters
    ----------
    names, roles : sequences of length d
    rows : (n, d) array
    noise : (d,) array
        Standard deviation of each coordinate's noise.
    products : bool
        Of 1/d² alone, with what laws of third degree need (Calogero): cubes of momenta, positions
        times squares of momenta, and coordinates over d².

    Returns
    -------
    Library or None
        None where no two positions keep their order.
    """
    symbols, d = symbols_of(names), len(names)
    positions = [i for i, role in enumerate(roles) if role == "position"]
    momenta = [i for i, role in enumerate(roles) if role in MOMENTA]
    found = []
    for i, j in itertools.combinations(positions, 2):
        low, high = (i, j) if np.median(rows[:, j] - rows[:, i]) > 0 else (j, i)
        if _stays_away(rows[:, high] - rows[:, low], float(np.hypot(noise[i], noise[j]))):
            found.append(symbols[high] - symbols[low])
    if not found:
        return None
    functions = [gap**-2 for gap in found]
    if not products:
        functions = [f(gap) for f in (lambda g: 1 / g, lambda g: g**-2, sympy.log) for gap in found]
    k = len(functions)
    exponents = [(*e, *(0,) * k) for e in monomials(d, 2)]
    exponents += [(0,) * d + unit(k, j) for j in range(k)]
    if products:
        for e in monomials(len(momenta), 3):
            if sum(e) == 3:
                exponents.append((*scatter(d, momenta, e), *(0,) * k))
            elif sum(e) == 2:
                square = scatter(d, momenta, e)
                both = [tuple(np.add(square, unit(d, i)).tolist()) for i in positions]
                exponents += [(*one, *(0,) * k) for one in both]
        exponents += [unit(d, i) + unit(k, j) for i in (*positions, *momenta) for j in range(k)]
    name = "gaps with products" if products else "gaps"
    return Library(symbols, [*symbols, *functions], exponents, name)


def ratios(
    names: Sequence[str], roles: Sequence[str | None], rows: np.ndarray, noise: np.ndarray
) -> Library | None:
    """Return squares of angular momenta beside functions of direction alone.

    Where a potential is F(direction)/r², or r is pulled in any way that changes with time, ½ L² + F
    is conserved (Ermakov's and Lewis's invariants, a dipole's). F is of powers of x/y where y stays
    away from zero, or of x/r, where r does.

    Parameters
    ----------
    names, roles : sequences of length d
    rows : (n, d) array
    noise : (d,) array
        Standard deviation of each coordinate's noise.

    Returns
    -------
    Library or None
        None but for two or three positions of one body, and where nothing may be divided by.
    """
    symbols, d = symbols_of(names), len(names)
    positions = [i for i, role in enumerate(roles) if role == "position"]
    momenta = [i for i, role in enumerate(roles) if role in MOMENTA]
    n = len(positions)
    if n not in (2, 3) or len(momenta) != n:
        return None
    q, functions = [symbols[i] for i in positions], []
    for i, j in itertools.permutations(range(n), 2):
        if _stays_away(rows[:, positions[j]], noise[positions[j]]):
            functions += [(q[i] / q[j]) ** power for power in range(1, _RATIO + 1)]
    distance = np.linalg.norm(rows[:, positions], axis=1)
    if _stays_away(distance, float(np.max(noise[positions]))):
        r = sympy.sqrt(sum(x**2 for x in q))
        functions += [sympy.Mul(*some) / r**k for k in (1, 2) for some in _products(q, k)][:-1]
    if not functions:
        return None
    pairs = itertools.combinations(zip(positions, momenta, strict=True), 2)
    squares = [
        tuple(factors.count(column) for column in range(d))
        for (i, k), (j, m) in pairs
        for factors in ((i, i, m, m), (i, j, k, m), (j, j, k, k))
    ]
    none, k = (0,) * len(functions), len(functions)
    terms = [(*e, *none) for e in squares] + [(*(0,) * d, *unit(k, j)) for j in range(k)]
    return Library(symbols, [*symbols, *functions], terms, "ratios")


def _products(q: Sequence[sympy.Symbol], k: int) -> list[tuple[sympy.Symbol, ...]]:
    return list(itertools.combinations_with_replacement(q, k))


def rational(
    names: Sequence[str],
    roles: Sequence[str | None],
    columns: Sequence[int],
    order: int = 1,
    widest: int = 0,
) -> Library | None:
    """Return powers, also negative ones, of positive columns times monomials of the others.

    Monomials up to degree two, and harmonics of angles: r²ω, (r³ω² − 1) cos φ. The range
    of powers is the widest for which the terms are not too many; None where all are.

    Parameters
    ----------
    names, roles : sequences of length d
    columns : sequence of int
        The positive columns.
    order : int
        Of the harmonics; without any, powers down to the fourth inverse one.
    widest : int
        How many of the widest ranges are left out.
    """
    symbols = symbols_of(names)
    angles = [i for i, role in enumerate(roles) if role == "angle"]
    rest = [i for i in range(len(names)) if i not in angles and i not in columns]
    inverse = [1 / symbols[i] for i in columns]
    waves = [
        f(n * symbols[i])
        for i in angles
        for n in range(1, order + 1)
        for f in (sympy.cos, sympy.sin)
    ]
    atoms = [*(symbols[i] for i in columns), *inverse, *(symbols[i] for i in rest), *waves]
    others = [(0,) * len(rest), *monomials(len(rest), 2)]
    harmonics = [
        (0,) * len(waves),
        *(tuple(int(i == j) for i in range(len(waves))) for j in range(len(waves))),
    ]
    most = MAX_TERMS / (len(others) * len(harmonics))
    fitting = [
        r
        for r in (_RANGES[max(widest, order - 1) :] if order else [_DEEP])
        if (r[1] - r[0] + 1) ** len(columns) <= most
    ]
    if not fitting:
        return None
    low, high = fitting[0]
    name = "rational" if order and not widest else f"rational({low} to {high})"
    powers = [_signed(p) for p in itertools.product(range(low, high + 1), repeat=len(columns))]
    exponents = [p + m + w for w in harmonics for m in others for p in powers if any(p + m + w)]
    return Library(symbols, atoms, exponents, name)


def _signed(powers: Sequence[int]) -> Exponents:
    """Return powers as exponents of the columns, then of their inverses."""
    return (*(max(p, 0) for p in powers), *(max(-p, 0) for p in powers))
