"""Totals: a basis of conserved sums in which no amount counts negatively.

A network of reactions conserves what its species are made of: E + ES, and S + ES + P. Any
combination is conserved too, as E − S − P, which counts nothing. The combinations without negative
coefficients are a cone; its extreme rays are those that no two others add up to, and are found in
exact arithmetic on whole numbers.

Source: Schuster and Höfer, J. Chem. Soc. Faraday Trans. 87 (1991), conserved moieties.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

# Sets of coefficients that are tried to be zero together, at most: of more rays takes seconds.
_MOST_SETS = 3000
# Atoms of an element in a molecule are no more, and such multiples are as good as the coefficients:
# any number in few digits is a ratio of large ones.
_LARGEST, _ROUNDING = 24, 1e-9

Whole = tuple[int, ...]


def in_whole_numbers(vector: Sequence[float] | np.ndarray) -> Whole | None:
    """Return the least multiple of a vector in small whole numbers; None where there is none.

    Parameters
    ----------
    vector : (n,) array
        Not zero.
    """
    vector = np.asarray(vector, dtype=float)
    ratios = vector / np.abs(vector[vector != 0]).min()
    parts = [Fraction(float(ratio)).limit_denominator(_LARGEST) for ratio in ratios]
    near = np.array([float(part) for part in parts])
    if not np.allclose(near, ratios, rtol=_ROUNDING, atol=_ROUNDING):
        return None
    common = math.lcm(*(part.denominator for part in parts))
    whole = _least([int(part * common) for part in parts])
    return whole if max(map(abs, whole)) <= _LARGEST else None


def extreme_rays(rows: Sequence[Whole]) -> list[Whole] | None:
    """Return the extreme rays of the combinations of rows that have no negative entry.

    Parameters
    ----------
    rows : sequence of k tuples of n int
        Independent.

    Returns
    -------
    list of tuples of n int, or None
        Those of few entries first; None where there are too many sets to look at.
    """
    k, n = len(rows), len(rows[0])
    if math.comb(n, k - 1) > _MOST_SETS:
        return None
    found = set()
    for zero in itertools.combinations(range(n), k - 1):
        # The combination that vanishes at these entries, by Cramer's rule.
        columns = [[row[j] for j in zero] for row in rows]
        weights = [
            (-1) ** i * _determinant([c for m, c in enumerate(columns) if m != i]) for i in range(k)
        ]
        ray = [sum(w * row[j] for w, row in zip(weights, rows, strict=True)) for j in range(n)]
        if any(ray) and (min(ray) >= 0 or max(ray) <= 0):
            found.add(_least([abs(entry) for entry in ray]))
    return sorted(found, key=lambda ray: (n - ray.count(0), sum(ray), tuple(-r for r in ray)))


def totals(rows: Sequence[Whole], given: Sequence[Whole] = ()) -> list[Whole] | None:
    """Return as many sums without negative entries that say what rows say; None without such.

    Parameters
    ----------
    rows : sequence of k tuples of n int
    given : sequence of tuples of n int
        Further rows, which are not replaced: sums may have multiples of them.

    Returns
    -------
    list of k tuples of n int, or None
        The simplest that are independent of each other and of those given.
    """
    rays = extreme_rays([*rows, *given])
    chosen: list[Whole] = []
    for ray in rays or ():
        if are_independent([*given, *chosen, ray]):
            chosen.append(ray)
        if len(chosen) == len(rows):
            return chosen
    return None


def are_independent(rows: Sequence[Whole]) -> bool:
    """Tell whether no row is a combination of the others.

    Parameters
    ----------
    rows : sequence of tuples of n int
    """
    return bool(np.linalg.matrix_rank(np.array(rows, dtype=float)) == len(rows))


def _least(entries: Sequence[int]) -> Whole:
    common = math.gcd(*entries)
    return tuple(entry // common for entry in entries)


def _determinant(rows: Sequence[Sequence[int]]) -> int:
    """Return a determinant of whole numbers: all divisions are without remainder (Bareiss)."""
    rows, sign, last = [list(row) for row in rows], 1, 1
    for i in range(len(rows) - 1):
        pivot = next((j for j in range(i, len(rows)) if rows[j][i]), None)
        if pivot is None:
            return 0
        if pivot != i:
            rows[i], rows[pivot], sign = rows[pivot], rows[i], -sign
        for j in range(i + 1, len(rows)):
            for m in range(i + 1, len(rows)):
                rows[j][m] = (rows[j][m] * rows[i][i] - rows[j][i] * rows[i][m]) // last
        last = rows[i][i]
    return sign * rows[-1][-1] if rows else 1
