"""Choice of libraries: what a user passes as ``library=`` becomes the libraries to try."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import sympy

from discovery.estimation.half_lines import half_lines
from discovery.formulas.parsing import parse_formula
from discovery.libraries.escalation import Given, escalation
from discovery.libraries.families import (
    exponential,
    logarithmic,
    mechanics,
    polynomial,
    radial,
    trigonometric,
)
from discovery.libraries.library import Library
from discovery.libraries.monomials import symbols_of
from discovery.libraries.rational import mostly_positive

# What a user may pass as ``library=``.
LibraryLike: TypeAlias = str | Library | Sequence[Library] | Sequence[sympy.Expr | str]


@dataclass(frozen=True)
class Columns:
    """What is known of the columns of the data when libraries are made.

    Attributes
    ----------
    names : tuple of d str
    roles : list of d str or None
    rows : (n, d) array
    rates : (n, d) array or None
        Time derivatives at the rows.
    noise : (d,) array or float
        Standard deviation of each coordinate's noise.
    iterates : bool
        Whether the rows lie on no path.
    """

    names: tuple[str, ...]
    roles: list[str | None]
    rows: np.ndarray
    rates: np.ndarray | None = None
    noise: np.ndarray | float = 0.0
    iterates: bool = False


Builder: TypeAlias = Callable[[Columns], list[Given]]
_BUILDERS: dict[str, Builder] = {}
#: The names that ``library=`` takes; what is registered later is among them.
NAMES = _BUILDERS.keys()


def register(name: str, build: Builder) -> None:
    """Let ``library=name`` stand for the libraries that a function builds, simple to rich.

    Parameters
    ----------
    name : str
    build : callable Columns -> list of Library

    Raises
    ------
    ValueError
        For a name that is taken, and for what cannot be called.
    """
    if name in _BUILDERS:
        raise ValueError(f"library: {name!r} is taken. Choose another name.")
    if not callable(build):
        raise ValueError(
            f"library: received {type(build).__name__} to build {name!r}. Expected a function of "
            "`libraries.Columns` that returns a list of libraries."
        )
    _BUILDERS[name] = build


def custom(expressions: Sequence[sympy.Expr | str], names: Sequence[str]) -> Library:
    """Make a library of the user's own expressions.

    Parameters
    ----------
    expressions : sequence of sympy.Expr or str
        Functions of the coordinates by name, e.g. ``["u**2", "1/sqrt(x**2 + y**2)"]``.
    names : sequence of str
        The coordinates.

    Raises
    ------
    ValueError
        For text that is no formula, symbols that are no coordinates, and constants.
    """
    symbols = symbols_of(names)
    atoms = [parse_formula(given, symbols, "library") for given in expressions]
    for given, atom in zip(expressions, atoms, strict=True):
        if not atom.free_symbols:
            raise ValueError(f"library: {given} is a constant. Leave it out: constants are free.")
    if not atoms:
        raise ValueError("library: received no expressions. Give at least one, or library='auto'.")
    exponents = [tuple(int(i == j) for i in range(len(atoms))) for j in range(len(atoms))]
    return Library(symbols, atoms, exponents, "custom")


def resolve(
    spec: LibraryLike,
    names: Sequence[str],
    roles: Sequence[str | None] | None,
    rows: np.ndarray,
    rates: np.ndarray | None = None,
    noise: np.ndarray | float = 0.0,
    iterates: bool = False,
) -> list[Given]:
    """Turn what a user passes as ``library=`` into the libraries to try, simple to rich.

    Parameters
    ----------
    spec : str, Library, or sequence of expressions or of libraries
    names, roles : sequences of length d
        Unknown roles are inferred from `rows` for ``"auto"``.
    rows : (n, d) array
    rates : (n, d) array, optional
        Time derivatives at the rows, to infer roles from.
    noise : (d,) array, optional
        Standard deviation of each coordinate's noise. It decides what may be divided by, and of
        what logarithms and cosines are taken.
    iterates : bool
        Whether the rows lie on no path.

    Raises
    ------
    ValueError
        For an unknown name, or a library of other coordinates.
    """
    chosen = checked(spec, names)
    if not isinstance(chosen, str):
        for library in chosen:
            _check_finite(library, rows)
        return chosen
    known = list(roles) if roles is not None else [None] * len(names)
    built = _BUILDERS[chosen](Columns(tuple(names), known, rows, rates, noise, iterates))
    if not built:
        raise ValueError(f"library: {chosen!r} builds none for these data. Choose another one.")
    return built


def checked(spec: LibraryLike, names: Sequence[str]) -> str | list[Library]:
    """Return a known name, or the libraries that were given; refused before anything is computed.

    Raises
    ------
    ValueError
        For an unknown name, expressions that are none, or a library of other coordinates.
    """
    if isinstance(spec, Library):
        spec = [spec]
    if isinstance(spec, str):
        if spec in NAMES:
            return spec
        raise ValueError(
            f"library: unknown name {spec!r}. Expected one of {', '.join(NAMES)}, a list of "
            "expressions, or a Library."
        )
    if isinstance(spec, Sequence) and spec and all(isinstance(s, Library) for s in spec):
        for library in spec:
            if library.dim != len(names):
                raise ValueError(
                    f"library: {library!r} is for {library.dim} coordinates, the data have "
                    f"{len(names)} ({', '.join(names)})."
                )
        return list(spec)
    if isinstance(spec, Sequence):
        return [custom(spec, names)]
    raise ValueError(
        f"library: expected one of {', '.join(NAMES)}, a list of expressions or a Library, "
        f"received {type(spec).__name__}."
    )


def _check_finite(library: Library, rows: np.ndarray) -> None:
    """Refuse terms that have no value where the coordinates that must be positive are so."""
    for line in half_lines(library.positive):
        rows = rows[line.inside(rows) > 0]
    finite = np.isfinite(library.values(rows)).all(axis=1)
    if not finite.all():
        terms = [str(t) for t, good in zip(library.expressions(), finite, strict=True) if not good]
        raise ValueError(
            f"library: {', '.join(terms)} is not finite on these data. Leave it out, or shift or "
            "scale the coordinates."
        )


def _auto(c: Columns) -> list[Given]:
    return escalation(c.names, c.roles, c.rows, c.rates, c.noise, c.iterates)


def _polynomial(c: Columns) -> list[Library]:
    return [polynomial(c.names, 2), polynomial(c.names, 4 if len(c.names) <= 4 else 3)]


def _trigonometric(c: Columns) -> list[Library]:
    roles = c.roles if "angle" in c.roles else ["angle"] * len(c.names)
    return [trigonometric(c.names, roles)]


def _mechanics(c: Columns) -> list[Library]:
    return [mechanics(c.names, c.roles), mechanics(c.names, c.roles, products=True)]


def _logarithmic(c: Columns) -> list[Library]:
    noise = np.broadcast_to(c.noise, len(c.names))
    positive = [i for i, level in enumerate(noise) if mostly_positive(c.rows[:, i], level)]
    if not positive:
        raise ValueError(
            "library='logarithmic' needs a coordinate that is nowhere negative but for noise; "
            f"none of {', '.join(c.names)} is. Choose another library, or shift the data."
        )
    return [logarithmic(c.names, positive)]


register("auto", _auto)
register("polynomial", _polynomial)
register("trigonometric", _trigonometric)
register("mechanics", _mechanics)
register("radial", lambda c: [radial(c.names, c.roles)])
register("logarithmic", _logarithmic)
register("exponential", lambda c: [exponential(c.names, c.roles)])
