"""Sparse vectors in a subspace: pivoted reweighting.

For every entry as pivot, reweighted least squares finds a sparse vector of the subspace in which
that entry is one.

Source: Daubechies, DeVore, Fornasier and Güntürk (2010) for the reweighting; Qu, Sun and Wright
(2014) for sparse vectors in a subspace.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from discovery.criteria import FORMULAS

# Entries that all vectors of the subspace have below this share of the largest are no pivots.
_WEAK = 0.05
# Widths of the penalty that the entries are weighted with, as shares of the largest one, in turn.
_WIDTHS = np.geomspace(0.5, 1e-3, 24)


def sparse_vectors(basis: np.ndarray, costs: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each pivot and the sparse vector (m,) of the span with one there.

    Parameters
    ----------
    basis : (m, k) array
        Orthonormal.
    costs : (m,) array
        What each entry costs.
    """
    strength = np.linalg.norm(basis, axis=1)
    prior = costs / costs.mean()
    for pivot in np.flatnonzero(strength > _WEAK * strength.max()):
        free = prior.copy()
        free[pivot] = 0.0
        yield int(pivot), _sparsest(basis, basis[pivot], free)


def sparse_beyond(basis: np.ndarray, target: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Return the sparse vector (m,) of a span on which a linear function is one.

    Parameters
    ----------
    basis : (m, k) array
        Orthonormal.
    target : (k,) array
        The function of the vector's coordinates in the basis: it is zero on those that are known.
    costs : (m,) array
        What each entry costs.
    """
    return _sparsest(basis, target, costs / costs.mean())


def _sparsest(basis: np.ndarray, target: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Return a vector of the span by reweighting; an entry of no cost may be as it is."""
    k = basis.shape[1]
    vector = basis @ (target / (target @ target))
    for width in _WIDTHS:
        level = width * np.abs(vector).max()
        weights = prior / (vector**2 + level**2)
        gram = basis.T @ (weights[:, None] * basis)
        gram += (1e-12 * np.trace(gram) + 1e-300) * np.eye(k)
        step = np.linalg.solve(gram, target)
        vector = basis @ (step / (target @ step))
    return vector


def strongest(vector: np.ndarray) -> np.ndarray:
    """Return the entries of a sparse vector that are not negligible, the largest first."""
    size = np.abs(vector)
    order = np.argsort(-size)
    return order[size[order] > FORMULAS.negligible_entry * size.max()]
