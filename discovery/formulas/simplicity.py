"""Simplicity: free numbers of a formula, and how probably chance gives such simple ones."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from discovery.criteria import FORMULAS

# Ratios of whole numbers up to four, from 1/4 to 4: so many per unit of the logarithm.
_DENSITY = 4.0


def free_numbers(coefficients: np.ndarray, kinds: Sequence[tuple]) -> int:
    """Count the numbers in a formula: equal coefficients of terms of one kind are one."""
    return len({(kind, round(abs(c), 12)) for kind, c in zip(kinds, coefficients, strict=True)})


def by_chance(coefficients: np.ndarray, errors: np.ndarray, kinds: Sequence[tuple]) -> float:
    """Return how probably a formula of arbitrary coefficients would be rounded to such simple ones.

    What imitates a law has coefficients as they come; a law's own are often 1, 2 or a half. Equal
    coefficients of terms that differ in their coordinates only (x², y²) count once: a symmetry of
    the system makes them equal in its imitations too.

    Parameters
    ----------
    coefficients : (s,) array
        Rounded.
    errors : (s,) array
        Standard errors before; the coefficient that sets the scale has none.
    kinds : sequence of s tuples
        Of the terms, as `Functions.kinds` tells them.
    """
    main = int(np.argmin(errors / np.abs(coefficients)))
    ratios = np.abs(coefficients / coefficients[main])
    each = widths(coefficients, errors, main)
    simple: dict[tuple, float] = {}
    for ratio, width, kind in zip(ratios, each, kinds, strict=True):
        for q in range(1, FORMULAS.textbook + 1):
            p = round(ratio * q)
            if 1 <= p <= FORMULAS.textbook and abs(p / q - ratio) <= 1e-9 * ratio:
                key = (kind, Fraction(p, q))
                simple[key] = min(width, simple.get(key, np.inf))
    simple.pop((kinds[main], Fraction(1)))
    return float(np.prod([min(2 * _DENSITY * width, 1.0) for width in simple.values()]))


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
