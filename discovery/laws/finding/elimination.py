"""Formulas in libraries whose terms are nearly dependent, by leaving out terms of all of it.

Powers of a coordinate with a narrow range can stand for each other: a sparse vector of the null
space is then hidden in a long one, and its largest entries are not its own. So terms leave the
whole library while the flatness stays, the costly ones first where it makes no difference. What
leaving out a term costs follows from one eigenproblem (`pencil.leaving`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from discovery.criteria import FORMULAS
from discovery.formulas.pencil import leaving
from discovery.laws.finding.operators import Operators, spectrum

# Directions of the null space that are followed.
_DIRECTIONS = 6
# Share of the terms that may leave together.
_TOGETHER = 0.1
# Terms of a formula in which two are exchanged for one.
_EXCHANGED = 10
# What one unit of cost is worth in relative flatness.
_COST = 2e-3
# What μ a function gets that was found before.
_KNOWN = 1e4


def thinned(
    ops: Operators, directions: int, costs: np.ndarray, slack: float
) -> Iterator[tuple[np.ndarray, int]]:
    """Yield supports of few terms, each with its strongest term that is in none before.

    Each is of a function whose noise is independent of that of those before, or else nearly
    dependent terms would give the first again.

    Parameters
    ----------
    ops : Operators
    directions : int
        Of the null space.
    costs : (m,) array
        What each term costs.
    slack : float
        Factor by which leaving out terms may raise μ in one step.
    """
    size = np.sqrt(np.diag(ops.unit_dirichlet))
    terms = np.flatnonzero(size > 0)
    fresh = np.ones(len(size))
    for _ in range(min(directions, _DIRECTIONS)):
        support, c = _thinned(ops, terms, costs, slack)
        support, c = _exchanged(ops, support, c, terms, costs, slack)
        share = np.abs(c) * size[support] * fresh[support]
        if share.any():
            yield support, int(support[np.argmax(share)])
        fresh[support] = 0.0
        along = ops.dirichlet[:, support] @ c
        ops = replace(ops, within=ops.within + _KNOWN * np.outer(along, along))


def _thinned(
    ops: Operators, support: np.ndarray, costs: np.ndarray, slack: float
) -> tuple[np.ndarray, np.ndarray]:
    flat = spectrum(ops.restrict(support))
    together = 1.0
    while len(flat.values) > 1:
        limit = max(FORMULAS.flatness_floor, flat.values[0] * slack)
        after, _ = leaving(flat)
        order = np.argsort(after / limit - _COST * costs[support])
        order = order[after[order] <= limit]
        if not len(order):
            break
        count = max(1, int(together * _TOGETHER * len(support)))
        trial = np.delete(support, order[:count])
        rest = spectrum(ops.restrict(trial))
        if rest.values[0] <= limit:
            support, flat = trial, rest
        elif count > 1:
            together /= 2
        else:
            break
    return support, flat.vectors[:, 0]


def _exchanged(
    ops: Operators,
    support: np.ndarray,
    c: np.ndarray,
    terms: np.ndarray,
    costs: np.ndarray,
    slack: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Replace two terms by another one while the flatness stays.

    One term left the library too early, perhaps, and several stand for it.
    """
    while 2 < len(support) <= _EXCHANGED:
        limit = max(FORMULAS.flatness_floor, spectrum(ops.restrict(support)).values[0] * slack)
        others = np.setdiff1d(terms, support)
        kept = np.array(list(itertools.combinations(support, len(support) - 2)))
        trials = np.column_stack([np.repeat(kept, len(others), axis=0), np.tile(others, len(kept))])
        mu = ops.pencil.lowest(trials)
        if not np.any(mu <= limit):
            break
        best = np.argmin(
            np.where(mu <= limit, mu / limit + _COST * costs[trials].sum(axis=1), np.inf)
        )
        support = np.sort(trials[best])
        c = spectrum(ops.restrict(support)).vectors[:, 0]
    return support, c
