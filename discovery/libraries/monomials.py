"""Monomials: their exponents, how many there are, and the symbols that they are powers of."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TypeAlias

import sympy

Exponents: TypeAlias = tuple[int, ...]

# Terms beyond which a library costs more than the evidence of a usual data set can carry. Larger
# ones are not built, or left out of what ``library="auto"`` tries.
MAX_TERMS = 210


def symbols_of(names: Sequence[str]) -> tuple[sympy.Symbol, ...]:
    """Return one real symbol for each coordinate."""
    return tuple(sympy.Symbol(name, real=True) for name in names)


def term_count(n: int, degree: int) -> int:
    """Return the number of monomials of n variables, total degree 1 to `degree`."""
    return math.comb(n + degree, degree) - 1


def scatter(size: int, columns: Sequence[int], powers: Exponents) -> Exponents:
    """Return powers of some columns as exponents of all.

    Parameters
    ----------
    size : int
        Number of columns in all.
    columns : sequence of int
        The columns that the powers are of.
    powers : tuple of int
        One a column.

    Returns
    -------
    tuple of `size` int
    """
    out = [0] * size
    for column, power in zip(columns, powers, strict=True):
        out[column] += power
    return tuple(out)


def unit(size: int, at: int) -> Exponents:
    """Return the exponents of one column alone, to the power one."""
    return tuple(int(i == at) for i in range(size))


def monomials(n: int, degree: int) -> list[Exponents]:
    """Return exponents of all monomials of n variables, total degree 1 to `degree`, low first."""
    out = []
    for total in range(1, degree + 1):
        for chosen in itertools.combinations_with_replacement(range(n), total):
            out.append(tuple(chosen.count(i) for i in range(n)))
    return out
