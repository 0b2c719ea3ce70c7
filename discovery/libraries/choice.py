"""Choice of libraries: what a user passes as ``library=`` becomes the libraries to try."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import sympy

from discovery.formulas.parsing import parse_formula
from discovery.libraries.escalation import escalation
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
from discovery.libraries.unknown_scale import Scaled

# What a user may pass as ``library=``.
LibraryLike: TypeAlias = str | Library | Sequence[Library] | Sequence[sympy.Expr | str]

NAMES = (
    "auto",
    "polynomial",
    "trigonometric",
    "mechanics",
    "radial",
    "logarithmic",
    "exponential",
)


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
) -> list[Library | Scaled]:
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

    Raises
    ------
    ValueError
        For an unknown name, or a library of other coordinates.
    """
    known = list(roles) if roles is not None else [None] * len(names)
    chosen = checked(spec, names)
    if chosen == "auto":
        return escalation(names, known, rows, rates, noise)
    return _named(chosen, names, known, rows) if isinstance(chosen, str) else chosen


def checked(
    spec: str | Library | Sequence[str | sympy.Expr] | Sequence[Library], names: Sequence[str]
) -> str | list[Library]:
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


def _named(
    spec: str, names: Sequence[str], roles: list[str | None], rows: np.ndarray
) -> list[Library]:
    if spec == "polynomial":
        return [polynomial(names, 2), polynomial(names, 4 if len(names) <= 4 else 3)]
    if spec == "trigonometric":
        return [trigonometric(names, roles if "angle" in roles else ["angle"] * len(names))]
    if spec == "mechanics":
        return [mechanics(names, roles), mechanics(names, roles, products=True)]
    if spec == "radial":
        return [radial(names, roles)]
    if spec == "exponential":
        return [exponential(names, roles)]
    if spec == "logarithmic":
        positive = [i for i in range(len(names)) if rows[:, i].min() > 0]
        if not positive:
            raise ValueError(
                "library='logarithmic' needs a coordinate that is positive in every sample; "
                f"none of {', '.join(names)} is. Choose another library, or shift the data."
            )
        return [logarithmic(names, positive)]
    raise AssertionError(spec)  # `checked` knows the names
