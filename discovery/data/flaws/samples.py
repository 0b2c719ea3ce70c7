"""Samples: rows of runs with their times, before anything is known of their coordinates."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Samples:
    """Rows of runs, one run after the other.

    Attributes
    ----------
    rows : (n, d)
    times : (n,)
    offsets : (runs + 1,) int
        Run r is ``rows[offsets[r]:offsets[r + 1]]``.
    """

    rows: np.ndarray
    times: np.ndarray
    offsets: np.ndarray

    @property
    def dim(self) -> int:
        """Number of columns d."""
        return self.rows.shape[1]

    def moving(self, columns: Sequence[int]) -> list[int]:
        """Return those of some columns that change along a run."""
        starts = self.offsets[:-1]
        ranges = np.maximum.reduceat(self.rows, starts) - np.minimum.reduceat(self.rows, starts)
        return [i for i in columns if (ranges[:, i] > 0).any()]

    def inside(self, steps: int) -> np.ndarray:
        """Return the rows that have so many rows of their run before them and after them."""
        spans = (np.arange(a + steps, b - steps) for a, b in itertools.pairwise(self.offsets))
        return np.concatenate([*spans, np.zeros(0, dtype=int)]).astype(int)

    def steps(self, beside: int) -> np.ndarray:
        """Return the steps, i from row i to the next, that have so many steps on either side."""
        spans = (np.arange(a + beside, b - 1 - beside) for a, b in itertools.pairwise(self.offsets))
        return np.concatenate([*spans, np.zeros(0, dtype=int)]).astype(int)

    def rates(self) -> np.ndarray:
        """Return time derivatives along runs, (n, d); zero for runs of one sample."""
        out = np.zeros_like(self.rows)
        for a, b in itertools.pairwise(self.offsets):
            if b - a > 1:
                out[a:b] = np.gradient(self.rows[a:b], self.times[a:b], axis=0)
        return out

    def unwrapped(self, turns: dict[int, float]) -> Samples:
        """Return the samples with some columns free of jumps by a turn.

        Parameters
        ----------
        turns : dict from column to the size of its turn
        """
        rows = self.rows.copy()
        for (i, turn), (a, b) in itertools.product(turns.items(), itertools.pairwise(self.offsets)):
            rows[a:b, i] = np.unwrap(rows[a:b, i], period=turn)
        return Samples(rows, self.times, self.offsets)
