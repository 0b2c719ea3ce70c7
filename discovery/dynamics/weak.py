"""Which sums of laws move the data: changes over short windows beside integrals along the path.

Noise hardly enters integrals, and no rate has to be measured. Where samples are too far apart for
an integral, as at a close encounter, Simpson's rule and the trapezoids part: such a window counts
little.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.integrate import cumulative_simpson, cumulative_trapezoid

from discovery.dynamics.windows import Measured

# Samples of a window at least, and windows of a run at most.
_FEWEST, _WINDOWS = 6, 12
# Share of a square below which errors of Simpson's rule may be what is left.
_INTEGRALS = 1e-8


@dataclass(frozen=True)
class Weak:
    """Smoothed runs with their windows.

    Attributes
    ----------
    path : (n, d) array
    times : (n,) array
    edges : list of arrays of int
        Rows where windows of a run begin and end.
    weights : (windows,) array or float
        What each window counts: all that follows is in these units.
    """

    path: np.ndarray
    times: np.ndarray
    edges: list[np.ndarray]
    weights: np.ndarray | float = 1.0

    @classmethod
    def of(cls, measured: Measured) -> Weak:
        """Lay windows over the runs that are long enough."""
        rows = [
            np.arange(a, b, max(_FEWEST, (b - a) // _WINDOWS))
            for a, b in itertools.pairwise(measured.runs.offsets)
        ]
        edges = [e for e in rows if len(e) > 1]
        return cls(measured.path, measured.runs.row_times, edges)

    def trusting(self, integrands: Sequence[np.ndarray]) -> Weak:
        """Return the same windows, each the less worth the worse samples tell its integrals.

        Parameters
        ----------
        integrands : sequence of (n, k) arrays
            Each in one unit. An error as large as that of half of the windows halves the weight.
        """
        weights = np.ones(sum(len(e) - 1 for e in self.edges))
        for values in integrands:
            said = self._integral(values, cumulative_simpson)
            error = np.linalg.norm(said - self._integral(values, cumulative_trapezoid), axis=1)
            usual = np.median(error)
            if usual > 0:
                weights = np.minimum(weights, 1 / (1 + error / usual))
        return replace(self, weights=weights)

    def change(self, values: np.ndarray) -> np.ndarray:
        """Return how values (n, k) change over each window, (windows, k)."""
        return self._weighted(np.concatenate([np.diff(values[e], axis=0) for e in self.edges]))

    def begin(self, values: np.ndarray) -> np.ndarray:
        """Return the values (n, k) where each window begins, (windows, k)."""
        return self._weighted(np.concatenate([values[e[:-1]] for e in self.edges]))

    def integral(self, values: np.ndarray) -> np.ndarray:
        """Return the integrals of values (n, k) over each window, (windows, k)."""
        return self._weighted(self._integral(values, cumulative_simpson))

    def _weighted(self, values: np.ndarray) -> np.ndarray:
        return values * np.reshape(self.weights, (-1, 1))

    def _integral(self, values: np.ndarray, rule: Callable[..., np.ndarray]) -> np.ndarray:
        out = []
        for e in self.edges:
            rows = slice(e[0], e[-1] + 1)
            whole = rule(values[rows], x=self.times[rows], axis=0, initial=0.0)
            out.append(np.diff(whole[e - e[0]], axis=0))
        return np.concatenate(out)


def chosen(
    columns: Sequence[np.ndarray], target: np.ndarray, most: int, gain: float
) -> tuple[list[int], np.ndarray, float]:
    """Choose few of many columns of which a sum is the target, one at a time, the best first.

    Parameters
    ----------
    columns : sequence of (n,) arrays
    target : (n,) array
    most : int
        Columns at most.
    gain : float
        What is left over must fall by this factor for one more column.

    Returns
    -------
    which : list of int
    weights : (len(which),) array
    left : float
        The share of the target's square that is left over.
    """
    fine, best = _fine(columns), _Sum([], np.empty(0), 1.0)
    while len(best.which) < min(most, len(fine)) and target.any():
        others = (k for k in fine if k not in best.which)
        trials = (_sum(columns, [*best.which, k], target) for k in others)
        least = min(trials, key=lambda trial: trial.left)
        if least.left * gain > best.left:
            break
        best = least
    return best


def needed(
    columns: Sequence[np.ndarray], target: np.ndarray, gain: float
) -> tuple[list[int], np.ndarray, float]:
    """Take columns out of all of which a sum is the target, while what is left over hardly rises.

    What several do together none may do alone.

    Parameters
    ----------
    columns : sequence of (n,) arrays
    target : (n,) array
    gain : float
        What is left over must rise by this factor where a column is taken out.

    Returns
    -------
    which, weights, left
        As of `chosen`.
    """
    best = _sum(columns, _fine(columns), target) if target.any() else _Sum([], np.empty(0), 1.0)
    while best.which:
        others = itertools.combinations(best.which, len(best.which) - 1)
        trials = (_sum(columns, list(some), target) for some in others)
        least = min(trials, key=lambda trial: trial.left)
        if least.left > gain * best.left + _INTEGRALS:
            break
        best = least
    return best


class _Sum(NamedTuple):
    which: list[int]
    weights: np.ndarray
    left: float


def _fine(columns: Sequence[np.ndarray]) -> list[int]:
    return [k for k, c in enumerate(columns) if np.isfinite(c).all() and np.any(c)]


def _sum(columns: Sequence[np.ndarray], which: list[int], target: np.ndarray) -> _Sum:
    """Fit a sum of some of the columns to the target."""
    if not which:
        return _Sum([], np.empty(0), 1.0)
    matrix = np.stack([columns[k] for k in which], axis=1)
    size = np.linalg.norm(matrix, axis=0)
    found = np.linalg.lstsq(matrix / size, target, rcond=None)[0] / size
    rest = target - matrix @ found
    return _Sum(which, found, float(rest @ rest) / float(target @ target))
