"""Simplicity: numbers in a formula, how probably chance gives such simple ones, its length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy
from scipy import stats

from discovery.criteria import FORMULAS
from discovery.formulas.simple_numbers import NUMBERS, Numbers


def free_numbers(coefficients: np.ndarray, kinds: Sequence[tuple]) -> int:
    """Count the numbers in a formula: equal coefficients of terms of one kind are one."""
    return len({(kind, round(abs(c), 12)) for kind, c in zip(kinds, coefficients, strict=True)})


def by_chance(
    coefficients: np.ndarray,
    errors: np.ndarray,
    kinds: Sequence[tuple],
    numbers: Numbers = NUMBERS,
) -> float:
    """Return how probably a formula of arbitrary coefficients would be rounded to such simple ones.

    What imitates a law has coefficients as they come; a law's own are often 1, 2 or a half. Equal
    coefficients of terms that differ in their coordinates only (x², y²) count once: a symmetry of
    the system makes them equal in its imitations too.

    Each ratio has the probability that a number as cheap lies in its interval; of arbitrary ones
    that is spread evenly, and Fisher's sum of their logarithms follows a chi-squared distribution.

    Parameters
    ----------
    coefficients : (s,) array
        Rounded.
    errors : (s,) array
        Standard errors before; the coefficient that sets the scale has none.
    kinds : sequence of s tuples
        Of the terms, as `Functions.kinds` tells them.
    numbers : Numbers
        What coefficients are rounded to.

    Source: Fisher, *Statistical Methods for Research Workers* (4th edition, 1932), section 21.1.
    """
    main = int(np.argmin(errors / np.abs(coefficients)))
    ratios = np.abs(coefficients / coefficients[main])
    each = widths(coefficients, errors, main)
    chances: dict[tuple, float] = {}
    for ratio, width, kind in zip(ratios, each, kinds, strict=True):
        key = (kind, round(float(ratio), 9))
        chances[key] = min(numbers.expected(ratio, width), chances.get(key, 1.0))
    chances.pop((kinds[main], 1.0))
    if not chances:
        return 1.0
    return float(stats.chi2.sf(-2 * np.sum(np.log(list(chances.values()))), 2 * len(chances)))


def length(
    terms: Sequence[sympy.Expr],
    coefficients: np.ndarray | None = None,
    kinds: Sequence[tuple] = (),
    numbers: Numbers = NUMBERS,
) -> float:
    """Return how many symbols it takes to write a formula: its description length.

    Coordinates, functions and operations are one symbol each, and a number as many as its bits
    fill. What comes again is written once: equal coefficients of terms of one kind, the length or
    wave number inside several terms, and the denominator that all terms have.

    Parameters
    ----------
    terms : sequence of s sympy.Expr
    coefficients : (s,) array, optional
        Without them, the terms alone: no formula of these is shorter.
    kinds : sequence of s tuples
        Of the terms, as `Functions.kinds` tells them.
    numbers : Numbers
        What coefficients are rounded to.
    """
    below = divisor(terms)
    if below != 1:
        terms = [*(t * below for t in terms), below]
    symbols = [len(_leaves(t)) + sympy.count_ops(t, visual=False) for t in terms]
    said = [numbers.price(float(n)) for n in set().union(*map(_scales, terms))]
    if coefficients is not None:
        own = {(kind, abs(float(c))) for kind, c in zip(kinds, coefficients, strict=True)}
        said += [numbers.price(c) for _, c in own]
    return float(sum(symbols) + len(terms) - 1 + sum(said) / FORMULAS.symbol_bits)


def divisor(terms: Sequence[sympy.Expr]) -> sympy.Expr:
    """Return the sum that all terms are divided by; one where there is none.

    Parameters
    ----------
    terms : sequence of sympy.Expr
    """
    sums = [
        {f.base for f in sympy.Mul.make_args(t) if f.is_Pow and f.exp == -1 and f.base.is_Add}
        for t in terms
    ]
    common = set.intersection(*sums) if sums else set()
    return common.pop() if len(common) == 1 else sympy.S.One


def _leaves(term: sympy.Expr) -> list[sympy.Expr]:
    return [part for part in sympy.preorder_traversal(term) if part.is_Symbol]


def _scales(term: sympy.Expr) -> set[sympy.Expr]:
    """Return the sizes of the numbers that multiply something inside a term, or are added."""
    inner = [part for part in sympy.preorder_traversal(term) if part.is_Mul or part.is_Add]
    return {abs(n) for part in inner for n in part.args if n.is_number} - {sympy.S.One}


def widths(coefficients: np.ndarray, errors: np.ndarray | None, pivot: int) -> np.ndarray:
    """Return how far each coefficient over the pivot's may be off, as a fraction of itself.

    Parameters
    ----------
    coefficients : (s,) array
    errors : (s,) array, optional
        Their standard errors.
    pivot : int
    """
    if errors is None:
        return np.full(len(coefficients), FORMULAS.most_width)
    relative = errors / np.abs(coefficients)
    width = FORMULAS.interval * np.hypot(relative, relative[pivot])
    return np.clip(width, FORMULAS.least_width, FORMULAS.most_width)
