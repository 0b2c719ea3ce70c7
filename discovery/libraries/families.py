"""Families of libraries: which functions are worth trying for which kinds of coordinates."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import sympy

from discovery.data.coordinates import MOMENTA, group_bodies
from discovery.libraries.library import Library
from discovery.libraries.monomials import MAX_TERMS, monomials, scatter, symbols_of, unit


def polynomial(
    names: Sequence[str], degree: int = 2, columns: Sequence[int] | None = None
) -> Library:
    """Return all monomials up to a degree.

    Parameters
    ----------
    names : sequence of str
        The coordinates.
    degree : int
    columns : sequence of int, optional
        The coordinates that monomials are of; all by default.
    """
    symbols = symbols_of(names)
    atoms = [symbols[i] for i in (range(len(names)) if columns is None else columns)]
    return Library(symbols, atoms, monomials(len(atoms), degree), f"polynomial({degree})")


def powers(names: Sequence[str], columns: Sequence[int], degree: int = 2) -> Library:
    """Return powers of single coordinates: what motions apart keep, where products are too many.

    Parameters
    ----------
    names : sequence of str
        The coordinates.
    columns : sequence of int
        Those that powers are of.
    degree : int
        Largest power; lowered where there would be too many terms.
    """
    degree = min(degree, MAX_TERMS // len(columns))
    symbols = symbols_of(names)
    atoms = [symbols[i] for i in columns]
    exponents = [
        tuple(power * e for e in unit(len(atoms), j))
        for power in range(1, degree + 1)
        for j in range(len(atoms))
    ]
    return Library(symbols, atoms, exponents, f"powers({degree})")


def trigonometric(names: Sequence[str], roles: Sequence[str | None], order: int = 2) -> Library:
    """Return Fourier modes of the angles, times monomials up to degree two of the rest.

    Modes cos(n·θ), sin(n·θ) rather than powers of cosines: they are linearly independent, so no
    identity such as cos² + sin² = 1 hides in the library.

    Parameters
    ----------
    names, roles : sequences of length d
    order : int
        Largest 1-norm of a wave vector n; it is lowered where there would be too many terms.
    """
    symbols = symbols_of(names)
    angles = [i for i, role in enumerate(roles) if role == "angle"]
    rest = [i for i in range(len(names)) if i not in angles]
    others = [(0,) * len(rest), *monomials(len(rest), 2)]
    modes = wave_vectors(len(angles), order)
    while order > 1 and (2 * len(modes) + 1) * len(others) > MAX_TERMS:
        order -= 1
        modes = wave_vectors(len(angles), order)
    atoms = [symbols[i] for i in rest]
    for mode in modes:
        phase = sum(n * symbols[i] for n, i in zip(mode, angles, strict=True))
        atoms += [sympy.cos(phase), sympy.sin(phase)]
    count = len(atoms) - len(rest)
    waves = [(0,) * count, *(tuple(int(i == j) for i in range(count)) for j in range(count))]
    exponents = [m + w for w in waves for m in others if any(m + w)]
    return Library(symbols, atoms, exponents, "trigonometric")


def tilted(names: Sequence[str], roles: Sequence[str | None]) -> Library:
    """Return `trigonometric` with the angles themselves, their squares and those of differences.

    What turns against a constant torque gains or loses energy with every turn: a pendulum on a
    string that unwinds, a generator under load, a Josephson junction with a bias current. What is
    twisted does so by the square: pendulums on one wire, a junction in a loop with an inductance.

    Parameters
    ----------
    names, roles : sequences of length d
    """
    waves = trigonometric(names, roles)
    angles = [waves.symbols[i] for i, role in enumerate(roles) if role == "angle"]
    apart = [a - b for a, b in itertools.combinations(angles, 2)]
    n, k, all_of = len(waves.atoms), len(angles), len(angles) + len(apart)
    exponents = [(*e, *(0,) * all_of) for e in waves.exponents]
    exponents += [unit(n + all_of, n + j) for j in range(k)]
    exponents += [tuple(2 * e for e in unit(n + all_of, n + j)) for j in range(all_of)]
    return Library(waves.symbols, [*waves.atoms, *angles, *apart], exponents, "angles unwound")


def phases(names: Sequence[str]) -> Library:
    """Return log(1 − cos) of the difference of any two angles: of twice sin² of half of it.

    What phase oscillators that are all alike keep are sums of these, cross ratios for one
    (Watanabe and Strogatz, Physica D 74, 1994): no phase overtakes another one there.

    Parameters
    ----------
    names : sequence of str
        The coordinates, all of them angles.
    """
    symbols = symbols_of(names)
    atoms = [sympy.log(1 - sympy.cos(a - b)) for a, b in itertools.combinations(symbols, 2)]
    exponents = [unit(len(atoms), j) for j in range(len(atoms))]
    return Library(symbols, atoms, exponents, "differences of phases")


def logarithmic(names: Sequence[str], columns: Sequence[int], degree: int = 2) -> Library:
    """Return monomials up to a degree, and logarithms.

    Parameters
    ----------
    names : sequence of str
        The coordinates.
    columns : sequence of int
        The positive coordinates, whose logarithms are taken.
    degree : int
    """
    symbols = symbols_of(names)
    atoms = [*symbols, *(sympy.log(symbols[i]) for i in columns)]
    logs = [
        tuple(int(k == len(symbols) + j) for k in range(len(atoms))) for j in range(len(columns))
    ]
    powers = [(*e, *(0,) * len(columns)) for e in monomials(len(symbols), degree)]
    return Library(symbols, atoms, powers + logs, "logarithmic")


def mechanics(names: Sequence[str], roles: Sequence[str | None], products: bool = False) -> Library:
    """Return quadratic monomials with inverse distances, radial and between pairs of bodies.

    Parameters
    ----------
    names, roles : sequences of length d
    products : bool
        Add what quadratic hidden symmetries (Laplace–Runge–Lenz) need: position × velocity² and
        position over distance.
    """
    symbols = symbols_of(names)
    positions = [i for i, role in enumerate(roles) if role == "position"]
    momenta = [i for i, role in enumerate(roles) if role in MOMENTA]
    bodies = group_bodies([names[i] for i in positions], positions)
    gaps = distances(symbols, bodies)
    d = len(symbols)
    atoms = [*symbols, *(1 / r for r in gaps)]
    pad = (0,) * len(gaps)
    exponents = [e + pad for e in monomials(d, 2)]
    exponents += [(0,) * d + unit(len(gaps), j) for j in range(len(gaps))]
    if products:
        quadratic = [e for e in monomials(len(momenta), 2) if sum(e) == 2]
        for i in positions:
            for q in quadratic:
                e = list(unit(d, i))
                for k, p in zip(momenta, q, strict=True):
                    e[k] += p
                exponents.append((*e, *pad))
            exponents += [unit(d, i) + unit(len(gaps), j) for j in range(len(gaps))]
    name = "mechanics with products" if products else "mechanics"
    return Library(symbols, atoms, exponents, name)


POTENTIALS = {
    "1/r": lambda r: 1 / r,
    "log r": sympy.log,
    "r": lambda r: r,
    "1/r^2": lambda r: r**-2,
    "1/r^3": lambda r: r**-3,
    "exp(-r)/r": lambda r: sympy.exp(-r) / r,
    "r^3": lambda r: r**3,
    "r^4": lambda r: r**4,
}


def radial(
    names: Sequence[str], roles: Sequence[str | None], potentials: Sequence[str] = tuple(POTENTIALS)
) -> Library:
    """Return quadratic monomials with potentials of the distances, central or between pairs.

    Parameters
    ----------
    names, roles : sequences of length d
    potentials : sequence of str
        Keys of `POTENTIALS`.
    """
    symbols = symbols_of(names)
    positions = [i for i, role in enumerate(roles) if role == "position"]
    gaps = distances(symbols, group_bodies([names[i] for i in positions], positions))
    functions = [POTENTIALS[key](r) for key in potentials for r in gaps]
    name = ", ".join(potentials) if len(potentials) < len(POTENTIALS) else "all"
    return _with_functions(symbols, functions, f"radial ({name})")


def of_distances_alone(
    names: Sequence[str], roles: Sequence[str | None], potential: str
) -> Library | None:
    """Return a potential of the distances between bodies, and nothing else; None of one body.

    What vortices keep, or drops in a fluid, has no part of velocities.

    Parameters
    ----------
    names, roles : sequences of length d
    potential : str
        Key of `POTENTIALS`.
    """
    symbols = symbols_of(names)
    positions = [i for i, role in enumerate(roles) if role == "position"]
    bodies = group_bodies([names[i] for i in positions], positions)
    if len(bodies) < 2:
        return None
    functions = [POTENTIALS[potential](r) for r in distances(symbols, bodies)]
    exponents = [unit(len(functions), k) for k in range(len(functions))]
    return Library(symbols, functions, exponents, f"{potential} alone")


def multipoles(names: Sequence[str], roles: Sequence[str | None]) -> Library | None:
    """Return quadratic monomials with potentials of a charge, a dipole and a quadrupole.

    They are 1/r, q_i / r³ and q_i q_j / r⁵, of one body in the plane or in space; None for others.
    In space q_i q_j / r³ beside them, what a magnetic dipole adds to angular momentum; the sum of
    the squares is 1/r, so that the last is left out.

    Parameters
    ----------
    names, roles : sequences of length d
    """
    symbols = symbols_of(names)
    positions = [i for i, role in enumerate(roles) if role == "position"]
    if len(group_bodies([names[i] for i in positions], positions)) != 1 or len(positions) < 2:
        return None
    d = len(symbols)
    (r,) = distances(symbols, [positions])
    exponents = [(*e, 0) for e in monomials(d, 2)]
    for e in [(0,) * len(positions), *monomials(len(positions), 2)]:
        powers = dict(zip(positions, e, strict=True))
        exponents.append((*(powers.get(i, 0) for i in range(d)), 2 * sum(e) + 1))
    if len(positions) == 3:
        exponents += [(*e, 3) for e in _quadratic(d, positions)[:-1]]
    return Library(symbols, [*symbols, 1 / r], exponents, "multipoles")


def _quadratic(d: int, columns: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the exponents of products of two of some columns, that of the last squared last."""
    pairs = itertools.combinations_with_replacement(columns, 2)
    return [tuple(pair.count(i) for i in range(d)) for pair in pairs]


def plane_flow(names: Sequence[str], roles: Sequence[str | None]) -> Library | None:
    """Return stream functions of plane potential flow about a body at the origin.

    Real and imaginary parts of z, z², 1/z and 1/z², and log r, of z = x + i y: stream, strain, a
    doublet (a cylinder in a stream), a quadrupole and a vortex. x² + y² beside them, a flow that
    turns as a whole. None where the columns are not two places.

    Parameters
    ----------
    names, roles : sequences of length d
    """
    if list(roles) != ["position"] * 2:
        return None
    x, y = symbols = symbols_of(names)
    (r,) = distances(symbols, [[0, 1]])
    poles = [x / r**2, y / r**2, (x**2 - y**2) / r**4, x * y / r**4]
    return _with_functions(symbols, [sympy.log(r), *poles], "plane flow")


def exponential(names: Sequence[str], roles: Sequence[str | None]) -> Library:
    """Return quadratic monomials with exponentials of positions and of their differences.

    exp(±q), exp(±2q) (Morse) and exp(±(q_i − q_j)) (Toda), the last also times momenta, with
    cubic monomials of the momenta beside them where there is room.
    """
    symbols = symbols_of(names)
    positions = [i for i, role in enumerate(roles) if role == "position"]
    momenta = [i for i, role in enumerate(roles) if role in MOMENTA]
    own = [sympy.exp(k * symbols[i]) for i in positions for k in (-2, -1, 1, 2)]
    pairs = [
        sympy.exp(sign * (symbols[i] - symbols[j]))
        for i, j in itertools.combinations(positions, 2)
        for sign in (-1, 1)
    ]
    library = _with_functions(symbols, [*own, *pairs], "exponential")
    d, k = len(symbols), len(own) + len(pairs)
    cubic = [e for e in monomials(len(momenta), 3) if sum(e) == 3]
    extra = [(*scatter(d, momenta, e), *(0,) * k) for e in cubic]
    extra += [
        unit(d, i) + (0,) * len(own) + unit(len(pairs), j)
        for i in momenta
        for j in range(len(pairs))
    ]
    if not pairs or len(library) + len(extra) > MAX_TERMS:
        return library
    return Library(symbols, library.atoms, [*library.exponents, *extra], "exponential")


def differences(names: Sequence[str], roles: Sequence[str | None], degree: int = 6) -> Library:
    """Return kinetic energies with powers of positions and of their differences.

    A spring between two bodies is a short function of the difference x₁ − x₀, and a long one of
    x₀ and x₁. Squares of differences stand for the products of two positions.

    Parameters
    ----------
    names, roles : sequences of length d
    degree : int
        Largest power.
    """
    symbols = symbols_of(names)
    positions = [i for i, role in enumerate(roles) if role == "position"]
    momenta = [i for i, role in enumerate(roles) if role in MOMENTA]
    gaps = [symbols[i] - symbols[j] for i, j in _alike(names, positions)]
    d, k = len(symbols), len(gaps)
    exponents = [(*scatter(d, momenta, e), *(0,) * k) for e in monomials(len(momenta), 2)]
    for power in range(1, degree + 1):
        exponents += [tuple(power * u for u in unit(d + k, i)) for i in positions]
    for power in range(2, degree + 1):
        exponents += [tuple(power * u for u in unit(d + k, d + j)) for j in range(k)]
    return Library(symbols, [*symbols, *gaps], exponents, f"differences({degree})")


def _alike(names: Sequence[str], positions: Sequence[int]) -> list[tuple[int, int]]:
    """Return the pairs of positions along one axis, where the names tell bodies and axes."""
    bodies = group_bodies([names[i] for i in positions], list(positions))
    if len(bodies) > 1 and len({len(body) for body in bodies}) == 1:
        pairs = itertools.combinations(bodies, 2)
        return [pair for a, b in pairs for pair in zip(a, b, strict=True)]
    return list(itertools.combinations(positions, 2))


def _with_functions(
    symbols: Sequence[sympy.Symbol], functions: Sequence[sympy.Expr], name: str
) -> Library:
    d, k = len(symbols), len(functions)
    exponents = [(*e, *(0,) * k) for e in monomials(d, 2)]
    exponents += [(0,) * d + unit(k, j) for j in range(k)]
    return Library(symbols, [*symbols, *functions], exponents, name)


def distances(symbols: Sequence[sympy.Symbol], bodies: list[list[int]]) -> list[sympy.Expr]:
    """Return the distance of one body from the origin, or those between pairs of bodies."""
    # |x| has a kink where two bodies on a line meet: distances need a plane at least.
    bodies = [body for body in bodies if len(body) > 1]
    if len(bodies) == 1:
        return [sympy.sqrt(sum(symbols[i] ** 2 for i in bodies[0]))]
    pairs = [(a, b) for a, b in itertools.combinations(bodies, 2) if len(a) == len(b)]
    return [
        sympy.sqrt(sum((symbols[i] - symbols[j]) ** 2 for i, j in zip(a, b, strict=True)))
        for a, b in pairs
    ]


def wave_vectors(n: int, order: int) -> list[tuple[int, ...]]:
    """Return integer vectors of 1-norm up to `order`, one of each pair ±n; differences always."""
    vectors = [unit(n, i) for i in range(n)]
    pairs = list(itertools.combinations(range(n), 2))
    for i, j in pairs:
        vectors.append(tuple(int(k == i) - int(k == j) for k in range(n)))
    if order >= 2:
        vectors += [tuple(int(k in pair) for k in range(n)) for pair in pairs]
        vectors += [tuple(2 * v for v in unit(n, i)) for i in range(n)]
    if order >= 3:
        for i, j in itertools.permutations(range(n), 2):
            for sign in (-1, 1):
                vectors.append(tuple(2 * int(k == i) + sign * int(k == j) for k in range(n)))
    return vectors
