"""Independence: how many of the laws are not functions of the others.

Functions h₁ … h_k are functionally independent where their gradients are linearly independent, so
the count of conserved quantities is the rank of the gradients, at many points: H and H² count once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from discovery.criteria import LAWS, LawCriteria


def independent(
    gradients: Sequence[np.ndarray],
    within: Sequence[np.ndarray] = (),
    sines: Sequence[float] | None = None,
    criteria: LawCriteria = LAWS,
) -> list[int]:
    """Choose, in the given order, functions that are independent of those chosen before.

    Parameters
    ----------
    gradients : sequence of (n, d) arrays
        Of each function at the same n points, in standardized coordinates.
    within : sequence of (n, d) arrays
        Gradients of what all data obey (identities): directions that leave the data's manifold
        and do not count.
    sines : sequence of float, optional
        How close each gradient may come to the span of those before and still be new; that of
        the criteria by default.
    criteria : LawCriteria

    Returns
    -------
    list of int
        Positions in `gradients`.
    """
    basis: list[np.ndarray] = []
    for gradient in within:
        _extend(basis, gradient, criteria.sine)
    sines = [criteria.sine] * len(gradients) if sines is None else sines
    return [k for k, gradient in enumerate(gradients) if _extend(basis, gradient, sines[k])]


def sine_to(
    others: Sequence[np.ndarray],
    gradient: np.ndarray,
    within: Sequence[np.ndarray] = (),
    criteria: LawCriteria = LAWS,
) -> float:
    """Return the median sine of the angle from a gradient to the span of others.

    Parameters
    ----------
    others : sequence of (n, d) arrays
    gradient : (n, d) array
        At the same n points, in standardized coordinates.
    within : sequence of (n, d) arrays
        Gradients of identities, which belong to the span.
    criteria : LawCriteria
    """
    basis: list[np.ndarray] = []
    for other in (*within, *others):
        _extend(basis, other, criteria.sine)
    return float(np.median(_rest(basis, gradient)[1]))


def _extend(basis: list[np.ndarray], gradient: np.ndarray, least: float) -> bool:
    """Add what is new in a gradient to the orthonormal basis at every point; tell if it was new."""
    rest, sine = _rest(basis, gradient)
    if np.median(sine) <= least:
        return False
    basis.append(rest / np.where(sine > 1e-9, sine, 1.0))
    return True


def _rest(basis: Sequence[np.ndarray], gradient: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what of a gradient's direction leaves the span, (n, d), and its length, (n, 1)."""
    length = np.linalg.norm(gradient, axis=1, keepdims=True)
    rest = gradient / np.where(length > 0, length, 1.0)
    for _ in range(2):  # twice is enough: Gram–Schmidt to rounding
        for direction in basis:
            rest = rest - direction * np.sum(direction * rest, axis=1, keepdims=True)
    return rest, np.linalg.norm(rest, axis=1, keepdims=True)
