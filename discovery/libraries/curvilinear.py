"""Energies in curvilinear coordinates: polar, spherical, Euler angles."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import sympy

from discovery.criteria import LIBRARIES
from discovery.data.coordinates import MOMENTA, POSITIONS
from discovery.libraries.library import Library
from discovery.libraries.monomials import MAX_TERMS, Exponents, monomials, symbols_of

# Powers of a positive coordinate beside momenta, and in a potential.
_KINETIC, _POTENTIAL = (0, -2, -1, 1, 2), (0, -2, -1, 1, 2, 3, 4)


def clear_sines(
    rows: np.ndarray, roles: Sequence[str | None], noise: np.ndarray
) -> list[tuple[int, bool]]:
    """Return the sines and cosines of angles that stay away from zero: these may be divided by.

    Parameters
    ----------
    rows : (n, d) array
    roles : sequence of length d
    noise : (d,) array
        Standard deviation of each coordinate's noise.

    Returns
    -------
    list of (int, bool)
        The angle's column, and whether it is the sine.
    """
    clear = []
    for i in (i for i, role in enumerate(roles) if role == "angle"):
        least = max(LIBRARIES.smallest_sine, LIBRARIES.sine_noise * noise[i])
        for function in (np.sin, np.cos):
            if np.abs(function(rows[:, i])).min() > least:
                clear.append((i, function is np.sin))
    return clear


def curvilinear(
    names: Sequence[str],
    roles: Sequence[str | None],
    columns: Sequence[int],
    sines: Sequence[tuple[int, bool]],
) -> Library | None:
    """Return the terms of kinetic energies and potentials in curvilinear coordinates.

    Products of two momenta, and momenta, times powers of positive columns and 1/sin²θ, cos θ/sin²θ
    and cos 2θ; powers of the columns times harmonics of the angles. None where there is no
    momentum, nothing to divide by, or so much of it that there would be too many terms.

    Parameters
    ----------
    names, roles : sequences of length d
    columns : sequence of int
        The positive columns.
    sines : sequence of (int, bool)
        As `clear_sines` returns them.
    """
    symbols = symbols_of(names)
    momenta = [i for i, role in enumerate(roles) if role in MOMENTA]
    if not momenta or not (columns or sines):
        return None
    angles = [i for i, role in enumerate(roles) if role == "angle"]
    lengths = [atom for i in columns for atom in (symbols[i], 1 / symbols[i])]
    metric = [f for i, sine in sines for f in _metric(symbols[i], sine)]
    waves = [f(n * symbols[i]) for i in angles for n in (1, 2) for f in (sympy.cos, sympy.sin)]
    p = [symbols[i] for i in momenta]
    atoms = [*p, *lengths, *metric, *waves]
    for exponents in _choices(len(p), len(columns), len(metric), len(waves)):
        if len(exponents) <= MAX_TERMS:
            return Library(symbols, atoms, exponents, "curvilinear")
    return None


def of_one_angle(
    names: Sequence[str], roles: Sequence[str | None], sines: Sequence[tuple[int, bool]]
) -> list[Library]:
    """Return for each angle the terms of a law of it and its momentum alone.

    They are few enough to have parameters beside them, where motion separates (Carter's constant).
    None for a single angle without other coordinates.

    Parameters
    ----------
    names, roles : sequences of length d
    sines : sequence of (int, bool)
        As `clear_sines` returns them.
    """
    symbols = symbols_of(names)
    places = [i for i, role in enumerate(roles) if role in POSITIONS]
    momenta = [i for i, role in enumerate(roles) if role in MOMENTA]
    if len(places) < 2 or len(places) != len(momenta):
        return []
    out = []
    for i, k in zip(places, momenta, strict=True):
        if roles[i] != "angle":
            continue
        q, p = symbols[i], symbols[k]
        waves = [f(n * q) for n in (1, 2) for f in (sympy.cos, sympy.sin)]
        inverse = [f for j, sine in sines if j == i for f in _metric(q, sine)[:2]]
        exponents = [(2, *(0,) * (len(waves) + len(inverse)))]
        exponents += [(0, *e) for e in _one_of(len(waves) + len(inverse)) if any(e)]
        out.append(Library(symbols, [p, *waves, *inverse], exponents, f"of {names[i]} alone"))
    return out


def _metric(angle: sympy.Symbol, sine: bool) -> list[sympy.Expr]:
    f, g = (sympy.sin, sympy.cos) if sine else (sympy.cos, sympy.sin)
    return [f(angle) ** -2, g(angle) / f(angle) ** 2, sympy.cos(2 * angle)]


def _choices(n: int, lengths: int, metric: int, waves: int) -> Iterator[list[Exponents]]:
    """Yield exponents of momenta, lengths and their inverses, metric, waves: the most first."""
    pairs = [(*e,) for e in monomials(n, 2) if sum(e) == 2]
    squares = [e for e in pairs if max(e) == 2]
    single = [e for e in monomials(n, 1)]
    none = (0,) * n
    kinetic, potential = _powers(_KINETIC, lengths), _powers(_POTENTIAL, lengths)
    curved, flat = _one_of(metric), [(0,) * metric]
    still, wavy = [(0,) * waves], _one_of(waves)
    rest = [(*none, *r, *flat[0], *w) for r in potential for w in wavy if any(r) or any(w)] + [
        (*e, *r, *flat[0], *still[0]) for e in single for r in kinetic
    ]
    for curved_pairs, few in ((pairs, kinetic), (squares, kinetic), (squares, kinetic[:3])):
        yield [
            (*e, *r, *m, *still[0])
            for e in pairs
            for r in few
            for m in (curved if e in curved_pairs else flat)
        ] + rest


def _powers(of: Sequence[int], columns: int) -> list[Exponents]:
    """Return powers of one column at a time, as exponents of (x, 1/x) of each."""
    out = [(0,) * (2 * columns)]
    for i, power in itertools.product(range(columns), of):
        if power:
            e = [0] * (2 * columns)
            e[2 * i + (power < 0)] = abs(power)
            out.append(tuple(e))
    return out


def _one_of(n: int) -> list[Exponents]:
    return [(0,) * n, *monomials(n, 1)]
