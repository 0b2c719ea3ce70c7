"""Whether velocities rise with momenta, as in every mechanical system: the motion judges names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial import KDTree

# Of so many states, each is compared with one of so many nearest others. More cost time only.
_MOST_STATES, _NEIGHBOURS = 2000, 16


def rise(
    rows: np.ndarray,
    rates: np.ndarray,
    places: Sequence[int],
    momenta: Sequence[int],
    angles: Sequence[int] = (),
) -> float:
    """Return the correlation of momenta with velocities between states at one place, from −1 to 1.

    A kinetic energy T(q, p) is convex in p, and q̇ = ∂T/∂p + a(q): of two states with the same
    place, (p₁ − p₂)·(q̇₁ − q̇₂) ≥ 0. So it is for velocities, relativistic momenta, momenta in
    magnetic fields, in turning frames and in curved coordinates. The states compared are neighbours
    in place whose momenta are far apart; what is linear in the rest of their distance is taken off.
    Which momentum belongs to which place is chosen for the largest mean correlation.

    Parameters
    ----------
    rows, rates : (n, d) arrays
        States on smooth paths and their time derivatives.
    places, momenta : sequences of k int
        Columns.
    angles : sequence of int, optional
        Those of the places that have a period.
    """
    some = np.linspace(0, len(rows) - 1, min(_MOST_STATES, len(rows))).astype(int)
    rows, rates = rows[some], rates[some]
    where = np.hstack(
        [_on_circle(rows[:, i]) if i in angles else _scaled(rows[:, [i]]) for i in places]
    )
    momentum = _scaled(rows[:, momenta])
    _, near = KDTree(where).query(where, k=min(_NEIGHBOURS, len(rows)))
    apart = np.sum((momentum[near] - momentum[:, None]) ** 2, axis=2)
    other = near[np.arange(len(rows)), apart.argmax(axis=1)]
    distance = where[other] - where
    changes = np.hstack([momentum[other] - momentum, (rates[other] - rates)[:, places]])
    changes -= distance @ np.linalg.lstsq(distance, changes, rcond=None)[0]
    changes = _unit(changes)
    correlation = changes[:, : len(momenta)].T @ changes[:, len(momenta) :]
    return float(correlation[linear_sum_assignment(-correlation)].mean())


def _on_circle(angle: np.ndarray) -> np.ndarray:
    return np.column_stack([np.cos(angle), np.sin(angle)])


def _scaled(columns: np.ndarray) -> np.ndarray:
    spread = columns.std(axis=0)
    return columns / np.where(spread > 0, spread, 1)


def _unit(columns: np.ndarray) -> np.ndarray:
    size = np.linalg.norm(columns, axis=0)
    return columns / np.where(size > 0, size, 1)
