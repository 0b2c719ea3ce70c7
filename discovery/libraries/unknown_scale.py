"""Functions with a length of their own: exp(−kx), cos kx, 1/√(r² + a²), exp(−kr)/r, 1/√(c² − v²).

The length, or the wave number, is one number that only the data tell. A library of such functions
holds it as a symbol; `laws.finding.scale_search` looks for its value.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sympy

from discovery.data.coordinates import MOMENTA, group_bodies
from discovery.libraries.families import distances, exponential, wave_vectors
from discovery.libraries.library import Library
from discovery.libraries.monomials import MAX_TERMS, Exponents, monomials, scatter, symbols_of, unit


class WithScale(Library):
    """A library whose last symbol is the scale, a number."""

    given = 1

    def restrict(self, columns: Sequence[int]) -> WithScale:
        """Return the library of the given terms."""
        some = super().restrict(columns)
        return WithScale(some.symbols, some.atoms, some.exponents, some.name)


# The unknown number. A dummy symbol differs from every coordinate, whatever its name.
SCALE = sympy.Dummy("k", positive=True)


@dataclass(frozen=True)
class Scaled:
    """A library with an unknown scale.

    Attributes
    ----------
    library : Library
        Of the d coordinates and, last, `SCALE`.
    columns : tuple of int
        Coordinates whose unit the scale has (a length) or whose inverse (a wave number).
    wave_number : bool
        Whether it is the inverse.
    momenta : tuple of int
        Coordinates that kinetic energies are made of.
    oscillating : bool
        Whether the functions have many periods in the data where the wave number is large.
    richer : Library or None
        Functions of the same scale that may hold further laws.
    """

    library: Library
    columns: tuple[int, ...]
    wave_number: bool
    momenta: tuple[int, ...]
    oscillating: bool = False
    richer: Library | None = None

    @property
    def name(self) -> str:
        """What reports call it."""
        return self.library.name

    def __len__(self) -> int:
        return len(self.library)

    @property
    def terms(self) -> tuple[tuple[sympy.Expr, ...], tuple[Exponents, ...]]:
        """Atoms and exponents of the library."""
        return self.library.terms

    @property
    def plain(self) -> np.ndarray:
        """Which terms are without the scale, (m,) bool."""
        scale = np.array([atom.has(SCALE) for atom in self.library.atoms])
        return ~np.any(np.array(self.library.exponents)[:, scale], axis=1)

    def at(self, value: float | sympy.Expr, label: str) -> list[Library]:
        """Return the libraries of the coordinates at one value of the scale, simple to rich.

        Parameters
        ----------
        value : float or sympy.Expr
        label : str
            What their names say of it.
        """
        put = {SCALE: sympy.sympify(value)}
        return [
            Library(
                library.symbols[: len(self.library.symbols) - 1],
                [atom.xreplace(put) for atom in library.atoms],
                library.exponents,
                f"{library.name} ({label})",
            )
            for library in (self.library, self.richer)
            if library is not None
        ]

    def has_energy(self, expression: sympy.Expr) -> bool:
        """Tell whether a law has squares of momenta: it is an energy, and its potential known."""
        momenta = [self.library.symbols[i] for i in self.momenta]
        return any(expression.diff(p, 2) != 0 for p in momenta)


def scaled(names: Sequence[str], roles: Sequence[str | None]) -> list[Scaled]:
    """Return the libraries of unknown scale that the roles make worth trying.

    The energies of one function first, then those of one function beside quadratic ones.
    """
    symbols = symbols_of(names)
    positions = [i for i, role in enumerate(roles) if role == "position"]
    momenta = [i for i, role in enumerate(roles) if role in MOMENTA]
    if not momenta:
        if not 1 < len(positions) == len(names):
            return []
        rows = [_rows(symbols, along) for along in positions] if len(names) == 2 else []
        return [*rows, _waves(symbols, positions)]
    if not positions:
        return []
    x = [symbols[i] for i in positions]
    gap = [a - b for a, b in itertools.combinations(x, 2)]
    total = [a + b for a, b in itertools.combinations(x, 2)]
    gaps = distances(symbols, group_bodies([names[i] for i in positions], positions))
    # Where there are no distances, each coordinate is one from the origin.
    radii = gaps or x
    bodies = group_bodies([names[i] for i in momenta], momenta)
    speeds = [sum(symbols[i] ** 2 for i in body) for body in bodies]
    k, half = SCALE, sympy.Rational(1, 2)
    functions = {
        # By themselves: beside those of coordinates they fit at any scale.
        "exponential of differences": [
            sympy.exp(sign * k * q) for q in gap[: len(x) // 3 * len(gap)] for sign in (-1, 1)
        ],
        "exponential": [sympy.exp(sign * k * q) for q in (*x, *gap) for sign in (-1, 1)],
        "Morse": [sympy.exp(n * k * q) for q in x for n in (-1, -2)],
        "mirrored Morse": [sympy.exp(n * k * q) for q in x for n in (1, 2)],
        "waves": [wave(k * q) for q in (*x, *gap, *total) for wave in (sympy.cos, sympy.sin)],
        "softened": [(r**2 + k**2) ** -half for r in radii],
        "soft logarithm": [sympy.log(r**2 + k**2) for r in radii],
        "Gaussian": [sympy.exp(-((k * r) ** 2)) for r in radii],
        "sech²": [sympy.cosh(k * r) ** -2 for r in radii],
        "screened": [sympy.exp(-k * r) / r for r in gaps],
    }
    kinetic, potential = _quadratic(len(symbols), momenta), _quadratic(len(symbols), positions)
    linear = [tuple(int(i == j) for i in range(len(symbols))) for j in positions]
    rich = _stretched(exponential(names, roles), positions)
    out = []
    for plain in (kinetic, [*kinetic, *linear, *potential]):
        for name, fs in functions.items():
            if fs:
                library = _with_scale(symbols, plain, fs, name)
                wave_number = not name.startswith("soft")
                out.append(
                    Scaled(
                        library,
                        tuple(positions),
                        wave_number,
                        tuple(momenta),
                        oscillating=name == "waves",
                        richer=rich if name.startswith("exponential") else None,
                    )
                )
    # A momentum in a field that is periodic along an axis.
    moving = [tuple(int(i == j) for i in range(len(symbols))) for j in momenta]
    library = _with_scale(symbols, [*moving, *linear], functions["waves"], "momenta and waves")
    out.append(Scaled(library, tuple(positions), True, (), oscillating=True))
    # In momenta, and in velocities, all of which are below that of light.
    relativistic = {
        "relativistic": [sympy.sqrt(speed + k**2) for speed in speeds],
        "relativistic, of velocities": [(k**2 - speed) ** -half for speed in speeds],
    }
    for name, energies in relativistic.items():
        fs = [*energies, *(1 / r for r in gaps)]
        library = _with_scale(symbols, [*linear, *potential], fs, name)
        out.append(Scaled(library, tuple(momenta), False, tuple(momenta)))
    return [s for s in out if len(s) <= MAX_TERMS]


def of_logarithms(names: Sequence[str], columns: Sequence[int]) -> list[Scaled]:
    """Return sums of the coordinates with the exponential of one instead, of a rate of its own.

    A column may be the logarithm of an amount that sums have: pH, decibels, magnitudes. It does not
    stand beside its exponential, nor does one that falls beside one that grows: where the rate goes
    to zero these are powers, which imitate.

    Parameters
    ----------
    names : sequence of d str
        The coordinates.
    columns : sequence of int
        Those that may be logarithms.
    """
    symbols = symbols_of(names)
    out = []
    for i in columns:
        others = [unit(len(symbols), j) for j in range(len(symbols)) if j != i]
        for sign in (-1, 1) if others else ():
            growing, name = [sympy.exp(sign * SCALE * symbols[i])], f"exponential of {names[i]}"
            library = _with_scale(symbols, others, growing, name)
            out.append(Scaled(library, (i,), wave_number=True, momenta=()))
    return out


def _rows(symbols: Sequence[sympy.Symbol], along: int) -> Scaled:
    """Return waves along one axis, and what grows or fades across: of a row of eddies.

    What streams past them is beside: of Stuart's vortices cosh y − a cos x is constant.
    """
    across = symbols[1 - along]
    waves = [wave(SCALE * symbols[along]) for wave in (sympy.cos, sympy.sin)]
    fading = [sympy.exp(sign * SCALE * across) for sign in (-1, 1)]
    both = [wave * fade for wave in waves for fade in fading]
    linear = [unit(len(symbols), i) for i in range(len(symbols))]
    library = _with_scale(
        symbols, linear, [*waves, *fading, *both], f"waves along {symbols[along]}"
    )
    return Scaled(library, (along,), wave_number=True, momenta=(), oscillating=True)


def _waves(symbols: Sequence[sympy.Symbol], positions: Sequence[int]) -> Scaled:
    """Return standing and running waves of a stream function, beside a uniform stream."""
    phases = [
        SCALE * sum(n * symbols[i] for n, i in zip(mode, positions, strict=True))
        for mode in wave_vectors(len(positions), 2)
    ]
    functions = [wave(phase) for phase in phases for wave in (sympy.cos, sympy.sin)]
    linear = [unit(len(symbols), i) for i in positions]
    library = _with_scale(symbols, linear, functions, "waves in all directions")
    return Scaled(library, tuple(positions), wave_number=True, momenta=(), oscillating=True)


def driven(names: Sequence[str], clock: sympy.Symbol) -> Scaled:
    """Return a library for a drive of unknown frequency k, cos kt: of an oscillator's energy.

    Parameters
    ----------
    names : sequence of d str
        The coordinates.
    clock : sympy.Symbol
        t, the last coordinate.
    """
    symbols = (*symbols_of(names), clock)
    d = len(names)
    waves = [wave(n * SCALE * clock) for n in (1, 2) for wave in (sympy.cos, sympy.sin)]
    none = (0,) * len(waves)
    exponents = [(*e, 0, *none) for e in monomials(d, 2)]
    for j in range(len(waves)):
        wave = tuple(int(i == j) for i in range(len(waves)))
        exponents.append((*(0,) * (d + 1), *wave))
        # The wave itself goes with the coordinates, its double frequency with their squares' part.
        exponents += [(*e, 0, *wave) for e in monomials(d, 1) if j < 2]
    library = WithScale((*symbols, SCALE), [*symbols, *waves], exponents, "drive")
    return Scaled(library, (d,), wave_number=True, momenta=(), oscillating=True)


def _stretched(library: Library, columns: Sequence[int]) -> Library:
    """Put the scale before the given coordinates, but not in powers of them."""
    stretch = {library.symbols[i]: SCALE * library.symbols[i] for i in columns}
    atoms = [a if a.is_Symbol else a.xreplace(stretch) for a in library.atoms]
    return Library(library.symbols, atoms, library.exponents, library.name)


def _quadratic(d: int, columns: Sequence[int]) -> list[Exponents]:
    return [scatter(d, columns, e) for e in monomials(len(columns), 2) if sum(e) == 2]


def _with_scale(
    symbols: Sequence[sympy.Symbol],
    powers: Sequence[Exponents],
    functions: Sequence[sympy.Expr],
    name: str,
) -> Library:
    """Return powers of the coordinates with functions of them and the scale, the last symbol."""
    d, k = len(symbols), len(functions)
    exponents = [(*e, *(0,) * k) for e in powers]
    exponents += [(*(0,) * d, *(int(i == j) for i in range(k))) for j in range(k)]
    return WithScale((*symbols, SCALE), [*symbols, *functions], exponents, name)
