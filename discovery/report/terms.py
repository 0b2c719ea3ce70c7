"""The terms of a quantity as plain data, for files: each library by what it is made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import sympy

from discovery.data.frame import Frame
from discovery.formulas.parsing import MAX_DIGITS, MAX_EXPONENT
from discovery.formulas.trees import Tree, from_tree, to_tree
from discovery.laws.learned.library import LearnedLibrary, Network
from discovery.libraries.domain import Domain
from discovery.libraries.embedded import Embedded
from discovery.libraries.expanded import Axis, Expanded
from discovery.libraries.fitted import Fitted
from discovery.libraries.framed import Framed
from discovery.libraries.functions import Functions
from discovery.libraries.library import Library
from discovery.libraries.many_bodies.sums import Sums
from discovery.libraries.monomials import symbols_of
from discovery.libraries.numeric import Numeric
from discovery.pde.basis import Ends
from discovery.pde.densities import Jets
from discovery.pde.grid import Grid
from discovery.pde.integral_library import IntegralLibrary
from discovery.report.sums_as_data import sums_from_plain, sums_to_plain

# What JSON holds.
Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | Tree | None"


def to_plain(library: Functions) -> dict[str, Plain]:
    """Return a library as plain values, its kind among them.

    Parameters
    ----------
    library : Functions

    Raises
    ------
    ValueError
        For a library of a kind that is not known here.
    """
    for kind, (cls, written, _) in _KINDS.items():
        if type(library) is cls:
            return {"kind": kind, **written(library)}
    raise ValueError(
        f"the report cannot be saved: its terms are a {type(library).__name__}, and only "
        f"{', '.join(cls.__name__ for cls, *_ in _KINDS.values())} are stored as data."
    )


def from_plain(plain: Mapping[str, Plain]) -> Functions:
    """Return the library that `to_plain` gave.

    Parameters
    ----------
    plain : mapping

    Raises
    ------
    ValueError, KeyError, TypeError
        For anything else.
    """
    if plain["kind"] not in _KINDS:
        raise ValueError(f"there are no terms of the kind {plain['kind']!r}.")
    return _KINDS[plain["kind"]][2](plain)


def _of_products(library: Library) -> dict[str, Plain]:
    return {
        "name": library.name,
        "symbols": [symbol.name for symbol in library.symbols],
        "atoms": [to_tree(atom) for atom in library.atoms],
        "exponents": [list(powers) for powers in library.exponents],
    }


def _products(plain: Mapping[str, Plain]) -> Library:
    atoms = [from_tree(tree) for tree in plain["atoms"]]
    symbols = symbols_of(plain["symbols"])
    _check_symbols(atoms, symbols)
    exponents = plain["exponents"]
    if not all(0 <= power <= MAX_EXPONENT for powers in exponents for power in powers):
        raise ValueError("a power is negative or too large.")
    if any(len(powers) != len(atoms) for powers in exponents):
        raise ValueError("powers and atoms differ in number.")
    return Library(symbols, atoms, exponents, str(plain["name"]))


def _of_fitted(library: Fitted) -> dict[str, Plain]:
    return {**_of_products(library), "fitted": library.fitted}


def _fitted(plain: Mapping[str, Plain]) -> Fitted:
    some = _products(plain)
    return Fitted(some.symbols, some.atoms, some.exponents, some.name, int(plain["fitted"]))


def _sums(plain: Mapping[str, Plain]) -> Functions:
    # Reports of version 0.2 hold every sum written out.
    return _products(plain) if "atoms" in plain else sums_from_plain(plain)


def _of_numeric(library: Numeric) -> dict[str, Plain]:
    return {
        "functions": to_plain(library.inner),
        "vectors": library.vectors.tolist(),
        "describing": _of_products(library.describing),
        "numbers": list(library.numbers),
        "domain": library.domain and domain_to_plain(library.domain),
    }


def domain_to_plain(domain: Domain) -> dict[str, Plain]:
    """Return a domain as plain values, but for the functions that it is of."""
    half = np.tril_indices(len(domain.mean))
    return {
        "mean": domain.mean.tolist(),
        "inverse": domain.inverse[half].tolist(),
        "most": domain.most,
        "farthest": None if domain.farthest is None else domain.farthest.tolist(),
    }


def domain_from_plain(plain: Mapping[str, Plain], inner: Functions) -> Domain:
    """Return the domain, of the given functions, that `domain_to_plain` gave."""
    mean, half = np.array(plain["mean"], dtype=float), np.tril_indices(len(inner))
    values = np.array(plain["inverse"], dtype=float)
    if mean.shape != (len(inner),) or values.shape != half[0].shape:
        raise ValueError("functions and the domain in which they are known differ in number.")
    inverse = np.zeros((len(inner),) * 2)
    inverse[half] = values
    inverse += np.tril(inverse, -1).T
    # Older files hold no limits of each term.
    farthest = plain.get("farthest") and np.array(plain["farthest"], dtype=float)
    if farthest is not None and farthest.shape != mean.shape:
        raise ValueError("functions and the limits of their values differ in number.")
    return Domain(inner, mean, inverse, float(plain["most"]), farthest)


def _numeric(plain: Mapping[str, Plain]) -> Numeric:
    inner, vectors = from_plain(plain["functions"]), np.array(plain["vectors"], dtype=float)
    if not isinstance(inner, (Library, Expanded)):
        raise ValueError(f"functions as numbers are none of a {type(inner).__name__}.")
    numbers = [int(number) for number in plain["numbers"]]
    if vectors.shape != (len(inner), len(numbers)):
        raise ValueError("functions and their coefficients differ in number.")
    # Older files hold no domain.
    domain = domain_from_plain(plain["domain"], inner) if plain.get("domain") else None
    return Numeric(inner, vectors, _products(plain["describing"]), numbers, domain)


def _of_expansion(library: Expanded) -> dict[str, Plain]:
    return {
        "name": library.name,
        "symbols": [symbol.name for symbol in library.symbols],
        "axes": [list(astuple(axis)) for axis in library.axes],
        "momenta": list(library.momenta),
        "powers": library.powers.tolist(),
        "functions": library.functions.tolist(),
    }


def _axis(
    column: Plain,
    angle: Plain,
    middle: Plain,
    half: Plain,
    other: Plain = None,
    core: Plain = None,
) -> Axis:
    # Older files hold neither differences nor cores.
    return Axis(
        int(column),
        bool(angle),
        float(middle),
        float(half),
        None if other is None else int(other),
        None if core is None else (float(core[0]), float(core[1])),
    )


def _expansion(plain: Mapping[str, Plain]) -> Expanded:
    axes = [_axis(*axis) for axis in plain["axes"]]
    momenta = [int(i) for i in plain["momenta"]]
    powers, functions = (np.array(plain[key], dtype=int) for key in ("powers", "functions"))
    sizes = (len(powers), len(momenta)), (len(powers), len(axes))
    if (powers.shape, functions.shape) != sizes:
        raise ValueError("powers and functions do not fit the coordinates.")
    if max(powers.max(initial=0), functions.max(initial=0)) > MAX_EXPONENT:
        raise ValueError(f"there is a degree above {MAX_EXPONENT}.")
    if min(powers.min(initial=0), functions.min(initial=0)) < 0:
        raise ValueError("there is a negative degree.")
    return Expanded(symbols_of(plain["symbols"]), axes, momenta, powers, functions, plain["name"])


def _of_columns(library: Embedded) -> dict[str, Plain]:
    return {
        "functions": to_plain(library.functions),
        "symbols": [symbol.name for symbol in library.symbols],
        "coordinates": list(library.coordinates),
    }


def _columns(plain: Mapping[str, Plain]) -> Embedded:
    symbols = symbols_of(plain["symbols"])
    return Embedded(from_plain(plain["functions"]), symbols, tuple(map(int, plain["coordinates"])))


def _of_frame(library: Framed) -> dict[str, Plain]:
    frame = library.frame
    return {
        "functions": to_plain(library.inner),
        "centre": [_of_fraction(c) for c in frame.centre],
        "exponent": list(frame.exponent),
        "mirrored": list(frame.mirrored),
        "time_exponent": frame.time_exponent,
        "from_start": frame.from_start,
        "turns": [None if turn is None else _of_fraction(turn) for turn in frame.turns],
    }


def _framed(plain: Mapping[str, Plain]) -> Framed:
    turns = tuple(None if turn is None else Fraction(*turn) for turn in plain["turns"])
    exponents = tuple(map(int, plain["exponent"]))
    if any(abs(exponent) > MAX_DIGITS for exponent in exponents):
        raise ValueError("a unit is out of bounds.")
    frame = Frame(
        tuple(Fraction(*c) for c in plain["centre"]),
        exponents,
        tuple(map(bool, plain["mirrored"])),
        int(plain["time_exponent"]),
        bool(plain["from_start"]),
        turns,
    )
    return Framed(from_plain(plain["functions"]), frame)


def _of_fraction(value: Fraction) -> list[int]:
    return [value.numerator, value.denominator]


def _of_integrals(library: IntegralLibrary) -> dict[str, Plain]:
    grid = library.grid
    return {
        "symbols": [symbol.name for symbol in library.symbols],
        "densities": [to_tree(density) for density in library.densities],
        "fields": list(grid.fields),
        "columns": grid.columns.tolist(),
        "shape": list(grid.shape),
        "spacings": list(grid.spacings),
        "walls": [list(map(int, walls)) for walls in grid.walls],
        "beside": list(grid.beside),
        "places": list(grid.places),
    }


def _integrals(plain: Mapping[str, Plain]) -> IntegralLibrary:
    names, fields = [str(name) for name in plain["symbols"]], map(str, plain["fields"])
    columns = np.array(plain["columns"], dtype=int)
    if "shape" in plain:
        shape, spacings = tuple(map(int, plain["shape"])), tuple(map(float, plain["spacings"]))
        walls = tuple(tuple(map(Ends, own)) for own in plain["walls"])
    else:  # as files of version 0.1 have it, of lines alone
        shape, spacings = columns.shape[1:], (float(plain["spacing"]),)
        walls = tuple((Ends(closed),) for closed in plain["walls"])
    beside, places = (tuple(map(int, plain.get(key, ()))) for key in ("beside", "places"))
    grid = Grid(tuple(fields), columns, shape, spacings, walls, beside, places)
    densities = [from_tree(tree) for tree in plain["densities"]]
    jets = Jets.of(grid, names)
    _check_symbols(densities, jets.symbols)
    return IntegralLibrary(densities, jets, grid, names)


def _check_symbols(formulas: Iterable[sympy.Expr], known: Iterable[sympy.Symbol]) -> None:
    """Refuse formulas in other symbols: of those that are compiled, any other name is code."""
    strangers = set().union(*(formula.free_symbols for formula in formulas)) - set(known)
    if strangers:
        raise ValueError(f"{strangers.pop()} is no coordinate.")


def _of_network(library: LearnedLibrary) -> dict[str, Plain]:
    network = library.network
    return {
        "symbols": [symbol.name for symbol in library.symbols],
        "numbers": list(library.numbers),
        "centre": network.centre.tolist(),
        "scale": network.scale.tolist(),
        "angles": list(network.angles),
        "layers": [[kernel.tolist(), bias.tolist()] for kernel, bias in network.layers],
    }


def _network(plain: Mapping[str, Plain]) -> LearnedLibrary:
    layers = ((np.array(k, dtype=float), np.array(b, dtype=float)) for k, b in plain["layers"])
    network = Network(
        np.array(plain["centre"], dtype=float),
        np.array(plain["scale"], dtype=float),
        tuple(map(int, plain["angles"])),
        tuple(layers),
    )
    return LearnedLibrary(plain["symbols"], network, [int(k) for k in plain["numbers"]])


_Written: TypeAlias = Callable[[Functions], dict[str, Plain]]
_Read: TypeAlias = Callable[[Mapping[str, Plain]], Functions]
_KINDS: dict[str, tuple[type, _Written, _Read]] = {
    "products": (Library, _of_products, _products),
    "fitted products": (Fitted, _of_fitted, _fitted),
    "sums": (Sums, sums_to_plain, _sums),
    "numbers": (Numeric, _of_numeric, _numeric),
    "expansion": (Expanded, _of_expansion, _expansion),
    "columns": (Embedded, _of_columns, _columns),
    "framed": (Framed, _of_frame, _framed),
    "integrals": (IntegralLibrary, _of_integrals, _integrals),
    "network": (LearnedLibrary, _of_network, _network),
}
