"""Samples: rows of runs with their times, before anything is known of their coordinates."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from discovery.data.noise_level import noise_scale

# Noise of a rate beside its spread that hides nothing.
_DOUBT = 0.1


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

    def averaged(self, columns: Sequence[int]) -> Samples:
        """Return running means of the samples, over windows in which noise hides no rate.

        What is the rate of a column is so beside its means as well.

        Parameters
        ----------
        columns : sequence of int
            Whose rates are asked for.
        """
        noise = noise_scale(self.rows, self.times, self.offsets)[list(columns)]
        fewest = int(np.diff(self.offsets).min())
        means, width = self, 1
        while columns and 4 * (width + 2) <= fewest:
            inner = means.inside(1)
            steps = self.times[inner + 1] - self.times[inner - 1]
            # The ends of the difference share no sample but where the window is one.
            doubt = noise / width * math.sqrt(2 * min(width, 2)) / np.median(steps)
            if np.all(doubt <= _DOUBT * means.rates()[inner][:, list(columns)].std(axis=0)):
                break
            width += 2
            means = self._means(width)
        return means

    def _means(self, width: int) -> Samples:
        """Return means over so many samples, an odd number, without those at the ends of runs."""
        inner = self.inside(width // 2)
        both = uniform_filter1d(np.column_stack([self.times, self.rows]), width, axis=0)[inner]
        lengths = np.diff(self.offsets) - width + 1
        return Samples(both[:, 1:], both[:, 0], np.concatenate([[0], np.cumsum(lengths)]))

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
