"""Orbits: runs as the analysis takes them, measured and smoothed, with the covariance of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from discovery.criteria import NOISE
from discovery.estimation.path import Path


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
        Run r is the rows from ``offsets[r]`` to ``offsets[r + 1]``.
    scale : (d,) array
        Standard deviation of each coordinate over all runs.
    are_functions : bool
        Whether the columns are functions of the states of a flow (integrals of fields) instead of
        its coordinates: any number of them may be constant along it.
    """

    measured: Path
    smoothed: Path
    offsets: np.ndarray
    scale: np.ndarray
    are_functions: bool = False

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        return len(self.offsets) - 1

    @property
    def most_laws(self) -> int:
        """How many independent functions may be constant: of d coordinates, one less than d."""
        return self.measured.states.shape[1] - (not self.are_functions)

    @property
    def noise(self) -> np.ndarray:
        """Typical standard deviation of each coordinate's noise, (d,)."""
        return np.sqrt(np.median(np.einsum("nii->ni", self.measured.covariance), axis=0))

    @property
    def mean_noise(self) -> np.ndarray:
        """Root mean square over all samples of each coordinate's noise, (d,)."""
        return np.sqrt(np.mean(np.einsum("nii->ni", self.measured.covariance), axis=0))

    def clear(self, columns: Sequence[int]) -> np.ndarray:
        """Tell in which rows the given coordinates are positive beyond their noise, (n,) bool.

        In no row of a run that would be left with too few.
        """
        clear = np.ones(len(self.smoothed.states), dtype=bool)
        for i in columns:
            noise = np.sqrt(self.measured.covariance[:, i, i])
            clear &= self.smoothed.states[:, i] > NOISE.clear_of_zero * noise
            clear &= self.measured.states[:, i] > 0
        long = np.add.reduceat(clear, self.offsets[:-1], dtype=int) >= NOISE.fewest_rows
        return clear & (np.repeat(long, np.diff(self.offsets)) | clear.all())

    def where(self, rows: np.ndarray) -> Orbits:
        """Return the rows for which `rows` (n,) is true; runs that have none go."""
        if rows.all():
            return self
        lengths = np.add.reduceat(rows, self.offsets[:-1], dtype=int)
        offsets = np.concatenate([[0], np.cumsum(lengths[lengths > 0])])
        return self._with(rows, offsets)

    def take(self, runs: np.ndarray) -> Orbits:
        """Return the given runs."""
        spans = [np.arange(self.offsets[r], self.offsets[r + 1]) for r in runs]
        rows = np.concatenate(spans)
        offsets = np.concatenate([[0], np.cumsum([len(s) for s in spans])])
        return self._with(rows, offsets)

    def _with(self, rows: np.ndarray, offsets: np.ndarray) -> Orbits:
        paths = _rows(self.measured, rows), _rows(self.smoothed, rows)
        return Orbits(*paths, offsets, self.scale, self.are_functions)


def _rows(path: Path, rows: np.ndarray) -> Path:
    return Path(path.states[rows], path.covariance[rows])
