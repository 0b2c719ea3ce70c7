"""Which sums of laws move the data: changes over short windows beside integrals along the path.

Noise hardly enters integrals, and no rate has to be measured.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.integrate import cumulative_simpson

from discovery.dynamics.windows import Measured

# Samples of a window at least, and windows of a run at most.
_FEWEST, _WINDOWS = 6, 12


@dataclass(frozen=True)
class Weak:
    """Smoothed runs with their windows.

    Attributes
    ----------
    path : (n, d) array
    times : (n,) array
    edges : list of arrays of int
        Rows where windows of a run begin and end.
    """

    path: np.ndarray
    times: np.ndarray
    edges: list[np.ndarray]

    @classmethod
    def of(cls, measured: Measured) -> Weak:
        """Lay windows over the runs that are long enough."""
        rows = [
            np.arange(a, b, max(_FEWEST, (b - a) // _WINDOWS))
            for a, b in itertools.pairwise(measured.runs.offsets)
        ]
        edges = [e for e in rows if len(e) > 1]
        return cls(measured.path, measured.runs.row_times, edges)

    def change(self, values: np.ndarray) -> np.ndarray:
        """Return how values (n, k) change over each window, (windows, k)."""
        return np.concatenate([np.diff(values[e], axis=0) for e in self.edges])

    def begin(self, values: np.ndarray) -> np.ndarray:
        """Return the values (n, k) where each window begins, (windows, k)."""
        return np.concatenate([values[e[:-1]] for e in self.edges])

    def integral(self, values: np.ndarray) -> np.ndarray:
        """Return the integrals of values (n, k) over each window, (windows, k)."""
        out = []
        for e in self.edges:
            rows = slice(e[0], e[-1] + 1)
            whole = cumulative_simpson(values[rows], x=self.times[rows], axis=0, initial=0.0)
            out.append(np.diff(whole[e - e[0]], axis=0))
        return np.concatenate(out)


def chosen(
    columns: Sequence[np.ndarray], target: np.ndarray, most: int, gain: float
) -> tuple[list[int], np.ndarray, float]:
    """Choose few columns of which a sum is the target, one at a time, the best first.

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
    fine = [k for k, c in enumerate(columns) if np.isfinite(c).all() and np.any(c)]
    which: list[int] = []
    weights, left = np.empty(0), 1.0
    whole = float(target @ target)
    while len(which) < most and whole > 0:
        trials = []
        for k in fine:
            if k not in which:
                matrix = np.stack([columns[j] for j in [*which, k]], axis=1)
                size = np.linalg.norm(matrix, axis=0)
                found = np.linalg.lstsq(matrix / size, target, rcond=None)[0] / size
                rest = target - matrix @ found
                trials.append((float(rest @ rest) / whole, k, found))
        if not trials:
            break
        least, k, found = min(trials, key=lambda trial: trial[0])
        if least * gain > left:
            break
        which, weights, left = [*which, k], found, least
    return which, weights, left
