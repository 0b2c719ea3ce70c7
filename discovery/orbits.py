"""Orbits: what the analysis sees of the runs, measured and smoothed, with the noise of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from discovery.drift import excess_weights
from discovery.smoothing import Path


@dataclass(frozen=True)
class Orbits:
    """Runs as flat rows.

    Attributes
    ----------
    measured : Path
        The states as they came, with the covariance of their noise.
    smoothed : Path
        The path without most of its noise, with its posterior covariance g⁻¹.
    offsets : (runs + 1,) array of int
    scale : (d,) array
        Standard deviation of each coordinate over all runs.
    """

    measured: Path
    smoothed: Path
    offsets: np.ndarray
    scale: np.ndarray

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        return len(self.offsets) - 1

    @cached_property
    def excess_weights(self) -> np.ndarray:
        """What each mode of a function counts in each band of its drift, (bands, n)."""
        return excess_weights(self.offsets)

    def take(self, runs: np.ndarray) -> Orbits:
        """Return the given runs."""
        spans = [np.arange(self.offsets[r], self.offsets[r + 1]) for r in runs]
        rows = np.concatenate(spans)
        offsets = np.concatenate([[0], np.cumsum([len(s) for s in spans])])
        return Orbits(_rows(self.measured, rows), _rows(self.smoothed, rows), offsets, self.scale)


def _rows(path: Path, rows: np.ndarray) -> Path:
    return Path(path.states[rows], path.covariance[rows])
