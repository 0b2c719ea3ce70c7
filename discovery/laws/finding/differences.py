"""Squares of differences: x² − 2xy + y² is (x − y)², where the coefficients may be so.

A quadratic form that a common shift of its coordinates leaves as it is has rows that sum to zero,
and is a sum of squared differences: Σ cᵢⱼ xᵢxⱼ = −Σ_{i<j} cᵢⱼ/2 (xᵢ − xⱼ)².
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import sympy

from discovery.criteria import FORMULAS


def tied(
    terms: Sequence[sympy.Expr],
    coefficients: np.ndarray,
    errors: np.ndarray,
    allowed: Callable[[np.ndarray], bool],
) -> np.ndarray:
    """Return coefficients with rows that sum to zero exactly, where they do within their errors.

    Parameters
    ----------
    terms : sequence of s sympy.Expr
    coefficients, errors : (s,) arrays
        And their standard errors.
    allowed : callable
        Tells whether other coefficients will do.
    """
    out = coefficients.copy()
    at = {term: j for j, term in enumerate(terms)}
    for group in _coupled(at):
        rows = [_row(at, x, group) for x in group]
        if any(x**2 not in at for x in group):
            continue
        sums = [row @ coefficients for row in rows]
        slack = [FORMULAS.interval * np.hypot.reduce(row * errors) for row in rows]
        if np.all(np.abs(sums) <= slack):
            for x, row in zip(group, rows, strict=True):
                out[at[x**2]] -= row @ coefficients
    # Errors so large that a square could go tell nothing of a tie.
    return out if np.all(out != 0) and allowed(out) else coefficients


def in_differences(terms: Mapping[sympy.Expr, sympy.Expr]) -> sympy.Expr:
    """Return Σ c φ, with squares of differences where the quadratic terms are such.

    Parameters
    ----------
    terms : mapping from term to coefficient
        SymPy numbers, maybe with constants of the user's.
    """
    rest, squares = dict(terms), sympy.S.Zero
    for group in _coupled(terms):
        if not all(_vanishes(_row_sum(terms, x, group), terms.get(x**2)) for x in group):
            continue
        for x, y in _pairs(group, terms):
            squares -= rest.pop(x * y) / 2 * (x - y) ** 2
        for x in group:
            rest.pop(x**2)
    return sympy.Add(*(c * term for term, c in rest.items()), squares)


def _row_sum(
    terms: Mapping[sympy.Expr, sympy.Expr], x: sympy.Symbol, group: Sequence[sympy.Symbol]
) -> sympy.Expr:
    return sum((terms.get(x * y, 0) * (1 if x == y else sympy.S.Half) for y in group), sympy.S.Zero)


def _vanishes(total: sympy.Expr, square: sympy.Expr | None) -> bool:
    """Tell whether a row's sum is zero but for rounding of its square's coefficient."""
    if square is None or not total.is_number:
        return False
    return total == 0 or bool(abs(total) <= 1e-9 * abs(square))


def _pairs(
    group: Sequence[sympy.Symbol], terms: Mapping[sympy.Expr, object]
) -> list[tuple[sympy.Symbol, sympy.Symbol]]:
    return [(x, y) for i, x in enumerate(group) for y in group[i + 1 :] if x * y in terms]


def _coupled(terms: Mapping[sympy.Expr, object]) -> list[list[sympy.Symbol]]:
    """Return the groups of coordinates that products of two in the formula connect."""
    groups: list[set[sympy.Symbol]] = []
    for term in terms:
        if term.is_Mul and len(term.args) == 2 and all(f.is_Symbol for f in term.args):
            touched = [g for g in groups if g & set(term.args)]
            groups = [g for g in groups if g not in touched]
            groups.append(set(term.args).union(*touched))
    return [sorted(group, key=str) for group in groups]


def _row(
    at: Mapping[sympy.Expr, int], x: sympy.Symbol, group: Sequence[sympy.Symbol]
) -> np.ndarray:
    """Return what each coefficient counts in the sum of a coordinate's row, (s,)."""
    row = np.zeros(len(at))
    for y in group:
        if x * y in at:
            row[at[x * y]] = 1.0 if x == y else 0.5
    return row
