"""Sparse generators: a basis of a symmetry space in which each field is a short formula.

The span of the null vectors has many bases. For every candidate field as pivot, reweighted least
squares finds a sparse vector of the span; terms that the defect does not need are removed one by
one; the simplest independent ones are kept and their coefficients rounded, each step re-tested on
the operators.

Source: sparse vectors in a subspace, after Qu, Sun and Wright (2014).
"""

from __future__ import annotations

import numpy as np

from discovery.formulas.pencil import Gram
from discovery.formulas.simple_numbers import _signed, _simple

# A coefficient's share of the field below this fraction of the largest is not in the formula.
_NEGLIGIBLE = 1e-3


_TOLERANCES = (0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 3e-4, 1e-4, 1e-5, 1e-6, 1e-8)
# What squares in double precision resolve: defects below it are equal to zero.
_ROUNDING = 3e-7
# A new generator must not be a combination of the others up to this share.
_INDEPENDENT = 0.1


def sparse_basis(
    gram: Gram, null: np.ndarray, costs: np.ndarray, allowed: float, known: np.ndarray | None = None
) -> np.ndarray:
    """Return a basis of the span of `null` with few terms in each vector, coefficients rounded.

    Parameters
    ----------
    gram : Gram
    null : (m, d) array
        Independent combinations whose defect is (almost) zero.
    costs : (m,) array
        What each field costs in a formula.
    allowed : float
        Defect up to which a formula may stand for a field of the span.
    known : (m, k) array, optional
        Fields of the span that need no formula: those returned are independent of them.

    Returns
    -------
    (m, d − k) array
        Columns; where no sparse vector is found, a dense one of the span stands in.
    """
    allowed = max(allowed, _ROUNDING)
    size = np.sqrt(np.diag(gram.bottom))
    span, _ = np.linalg.qr(null * size[:, None])
    found: dict[tuple[int, ...], np.ndarray] = {}
    for sparse, pivot in _pivoted(span, costs):
        weight = np.abs(sparse)
        support = _eliminate(
            gram, np.flatnonzero(weight > _NEGLIGIBLE * weight.max()), pivot, costs, size, allowed
        )
        if support is None or tuple(support) in found:
            continue
        c = gram.smallest(support)[1]
        share = np.abs(c) * size[support]
        # A pivot that is only carried along is not part of the formula.
        if share[support == pivot] > _NEGLIGIBLE * share.max():
            found[tuple(support)] = c
    order = sorted(found, key=lambda s: (costs[list(s)].sum() + len(s), s))
    trials = []
    for support in order:
        vector = np.zeros(len(costs))
        vector[list(support)] = found[support]
        trials.append(vector)
    trials += list(null.T)
    known = null[:, :0] if known is None else known
    chosen = _independent(gram.bottom, trials, known, null.shape[1] - known.shape[1])
    if not chosen:
        return null[:, :0]
    return np.stack([_rounded(gram, trials[k], size, allowed) for k in chosen], axis=1)


def _pivoted(span: np.ndarray, costs: np.ndarray):
    """Yield (sparse vector of the span, its pivot)."""
    k = span.shape[1]
    strength = np.linalg.norm(span, axis=1)
    prior = costs / costs.mean()
    for pivot in np.flatnonzero(strength > 0.05 * strength.max()):
        target = span[pivot]
        vector = span @ (target / (target @ target))
        for width in np.geomspace(0.5, 1e-3, 24):
            level = width * np.abs(vector).max()
            weights = prior / (vector**2 + level**2)
            weights[pivot] = 0.0
            matrix = span.T @ (weights[:, None] * span)
            matrix += (1e-12 * np.trace(matrix) + 1e-300) * np.eye(k)
            step = np.linalg.solve(matrix, target)
            vector = span @ (step / (target @ step))
        yield vector, int(pivot)


def _eliminate(
    gram: Gram,
    support: np.ndarray,
    pivot: int,
    costs: np.ndarray,
    size: np.ndarray,
    allowed: float,
) -> np.ndarray | None:
    """Remove terms while the defect stays allowed; None where it is not to begin with."""
    value, c = gram.smallest(support)
    if value > allowed:
        return None
    while len(support) > 1:
        share = np.abs(c) * size[support] / costs[support]
        for drop in np.argsort(share):
            if support[drop] == pivot:
                continue
            trial = np.delete(support, drop)
            value, trial_c = gram.smallest(trial)
            if value <= allowed:
                support, c = trial, trial_c
                break
        else:
            return support
    return support


def _independent(
    bottom: np.ndarray, trials: list[np.ndarray], known: np.ndarray, count: int
) -> list[int]:
    """Choose the first `count` vectors that are not combinations of those known or before."""
    basis, kept = [], []
    for k, vector in enumerate([*known.T, *trials], start=-known.shape[1]):
        if len(kept) == count:
            break
        rest = vector / np.sqrt(vector @ bottom @ vector)
        for b in basis:
            rest = rest - b * (b @ bottom @ rest)
        length = np.sqrt(max(rest @ bottom @ rest, 0.0))
        if length > _INDEPENDENT:
            basis.append(rest / length)
            if k >= 0:
                kept.append(k)
    return kept


def _rounded(gram: Gram, vector: np.ndarray, size: np.ndarray, allowed: float) -> np.ndarray:
    """Return the simplest coefficients that keep the defect, most of them positive."""
    support = np.flatnonzero(vector)
    allowed = max(allowed, 1.05 * gram.defect(vector))
    share = np.abs(vector) * size
    pivots = support[share[support] > 0.05 * share.max()]
    for tolerance in _TOLERANCES:
        trials = []
        for pivot in pivots:
            simple = [_simple(r, tolerance) for r in vector[support] / vector[pivot]]
            if all(np.isfinite(cost) for _, cost in simple):
                trials.append((sum(cost for _, cost in simple), [value for value, _ in simple]))
        for _, values in sorted(trials):
            candidate = np.zeros_like(vector)
            candidate[support] = values
            if gram.defect(candidate) <= allowed:
                return _signed(candidate)
    ratios = vector / vector[pivots[np.argmax(share[pivots])]]
    for digits in range(2, 13):
        candidate = np.array([float(f"{r:.{digits - 1}e}") for r in ratios])
        if gram.defect(candidate) <= allowed:
            return _signed(candidate)
    return _signed(ratios)
