"""Sparse vectors in a subspace, after Qu, Sun and Wright (2014)."""

from __future__ import annotations

import numpy as np

# Terms a formula may start from before elimination.
MAX_SUPPORT = 24


def _pivoted(basis: np.ndarray, costs: np.ndarray):
    """Yield (pivot, sparse vector of the span with one at the pivot)."""
    k = basis.shape[1]
    strength = np.linalg.norm(basis, axis=1)
    pivots = np.flatnonzero(strength > 0.05 * strength.max())
    prior = costs / costs.mean()
    for pivot in pivots:
        target = basis[pivot]
        vector = basis @ (target / (target @ target))
        for width in np.geomspace(0.5, 1e-3, 24):
            level = width * np.abs(vector).max()
            weights = prior / (vector**2 + level**2)
            weights[pivot] = 0.0
            gram = basis.T @ (weights[:, None] * basis)
            gram += 1e-12 * np.trace(gram) * np.eye(k) + 1e-300 * np.eye(k)
            step = np.linalg.solve(gram, target)
            vector = basis @ (step / (target @ step))
        yield int(pivot), vector


def _by_strength(sparse: np.ndarray, pivot: int) -> np.ndarray:
    """Return a sparse vector's terms, the strongest first; none if the pivot is not among them."""
    weight = np.abs(sparse)
    order = np.argsort(-weight)[:MAX_SUPPORT]
    order = order[weight[order] > 1e-3 * weight.max()]
    return order if pivot in order else order[:0]
