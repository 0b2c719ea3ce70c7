"""The region of the data: states that have one of the runs' next to them.

A level set may go on where there were no data, to infinity or in pieces apart, and a law is known
where there were data.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from discovery.criteria import MOTION

# So large a share of the states, in percent, have one of another run within a neighbour's distance.
_SHARE = 90
# States that are kept, and those that are looked at for one of another run.
_MOST, _NEIGHBOURS = 4000, 200


class Region:
    """States near those of runs.

    Parameters
    ----------
    y : (n, m) array
        The runs' states, in spreads of the coordinates.
    run : (n,) array of int
        Their run.
    turns : (m,) array
        The turn of angles in these units; nan for other coordinates.
    """

    def __init__(self, y: np.ndarray, run: np.ndarray, turns: np.ndarray) -> None:
        self._turns = turns
        some = np.unique(np.linspace(0, len(y) - 1, _MOST).astype(int))
        places, run = self.unrolled(y[some]), run[some]
        if run.min() == run.max():  # one run has halves
            run = np.arange(len(run)) * 2 // len(run)
        self._tree = cKDTree(places)
        distance, index = self._tree.query(places, min(_NEIGHBOURS, len(places)))
        other = run[index] != run[:, None]
        nearest = np.where(other, distance, np.inf).min(axis=1)
        # Where none of so many neighbours is another run's, it is farther than they.
        nearest = np.minimum(nearest, distance[:, -1])
        self.reach = MOTION.region * float(np.percentile(nearest, _SHARE))

    def unrolled(self, y: np.ndarray) -> np.ndarray:
        """Return points (..., m) with angles as points of circles: two numbers each."""
        turns = np.isfinite(self._turns)
        radii = self._turns[turns] / (2 * np.pi)
        angles = y[..., turns] / radii
        # A circle as wide as angles spread that go all around.
        circles = [np.cos(angles), np.sin(angles)]
        return np.concatenate([y[..., ~turns], *circles], axis=-1)

    def holds(self, y: np.ndarray) -> np.ndarray:
        """Tell which points (n, m) lie in the region, (n,) bool."""
        finite = np.isfinite(y).all(axis=1)
        out = np.zeros(len(y), dtype=bool)
        if finite.any():
            places = self.unrolled(y[finite])
            distance, _ = self._tree.query(places, distance_upper_bound=self.reach)
            out[finite] = np.isfinite(distance)
        return out
