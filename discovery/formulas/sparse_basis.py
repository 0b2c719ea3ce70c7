"""A basis of a space of vectors in which each is a short formula, for symmetries of a metric.

The span of null vectors has many bases. For every entry as pivot there is a sparse vector of the
span; terms that the ratio of the forms (the defect squared) does not need are removed one by one;
the simplest independent vectors are kept and their coefficients rounded, each step tested on the
forms again.
"""

from __future__ import annotations

import numpy as np

from discovery.criteria import FORMULAS
from discovery.formulas.pencil import Pencil
from discovery.formulas.simple_numbers import FRACTIONS
from discovery.formulas.sparse_vectors import sparse_vectors, strongest

# How far a coefficient may be off, as a fraction of itself, in turn.
_TOLERANCES = (0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 3e-4, 1e-4, 1e-5, 1e-6, 1e-8)
# Terms with less than this share of the largest are not scaled to one.
_STRONG = 0.05
# What squares in double precision resolve: defects below it are equal to zero.
_ROUNDING = 3e-7
# Factor by which rounding may raise a defect.
_RAISED = 1.05


def sparse_basis(
    forms: Pencil,
    null: np.ndarray,
    costs: np.ndarray,
    allowed: float,
    known: np.ndarray | None = None,
) -> np.ndarray:
    """Return a basis of the span of `null` with few terms in each vector, coefficients rounded.

    Parameters
    ----------
    forms : Pencil
        The root of their ratio is the defect.
    null : (m, d) array
        Independent combinations whose defect is (almost) zero.
    costs : (m,) array
        What each term costs in a formula.
    allowed : float
        Defect up to which a formula may stand for a vector of the span.
    known : (m, k) array, optional
        Vectors of the span that need no formula: those returned are independent of them.

    Returns
    -------
    (m, d − k) array
        Columns; where no sparse vector is found, a dense one of the span stands in.
    """
    allowed = max(allowed, _ROUNDING) ** 2
    size = np.sqrt(np.diag(forms.bottom))
    span, _ = np.linalg.qr(null * size[:, None])
    found: dict[tuple[int, ...], np.ndarray] = {}
    for pivot, sparse in sparse_vectors(span, costs):
        support = _eliminate(forms, np.sort(strongest(sparse)), pivot, size / costs, allowed)
        if support is None or tuple(support) in found:
            continue
        c = forms.smallest(support)[1]
        # A pivot that is only carried along is not part of the formula.
        if pivot in support[strongest(c * size[support])]:
            found[tuple(support)] = c
    order = sorted(found, key=lambda s: (costs[list(s)].sum() + len(s), s))
    trials = []
    for support in order:
        vector = np.zeros(len(costs))
        vector[list(support)] = found[support]
        trials.append(vector)
    trials += list(null.T)
    known = null[:, :0] if known is None else known
    chosen = _independent(forms.bottom, trials, known, null.shape[1] - known.shape[1])
    if not chosen:
        return null[:, :0]
    return np.stack([_rounded(forms, trials[k], size, allowed) for k in chosen], axis=1)


def _eliminate(
    forms: Pencil, support: np.ndarray, pivot: int, worth: np.ndarray, allowed: float
) -> np.ndarray | None:
    """Remove terms while the ratio stays allowed; None where it is not to begin with.

    Terms leave in the order of their coefficient times their `worth` (m,): size over cost.
    """
    value, c = forms.smallest(support)
    if value > allowed:
        return None
    while len(support) > 1:
        for drop in np.argsort(np.abs(c) * worth[support]):
            if support[drop] == pivot:
                continue
            trial = np.delete(support, drop)
            value, trial_c = forms.smallest(trial)
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
        if length > FORMULAS.independent_share:
            basis.append(rest / length)
            if k >= 0:
                kept.append(k)
    return kept


def _rounded(forms: Pencil, vector: np.ndarray, size: np.ndarray, allowed: float) -> np.ndarray:
    """Return the simplest coefficients that keep the ratio, most of them positive."""
    support = np.flatnonzero(vector)
    local, exact = forms.restrict(support), vector[support]
    limit = max(allowed, _RAISED**2 * local.ratio(exact))
    share = np.abs(exact) * size[support]

    def keeps(trial: np.ndarray) -> bool:
        return local.ratio(trial) <= limit

    known = np.ones(len(exact))
    pivots = dict.fromkeys(np.flatnonzero(share > _STRONG * share.max()), known)
    values = FRACTIONS.simplest(exact, pivots, _TOLERANCES, keeps)
    if values is None:
        values = FRACTIONS.shortest(exact / exact[np.argmax(share)], 0 * known, keeps)
    out = np.zeros_like(vector)
    out[support] = values
    return out
