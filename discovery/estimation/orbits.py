"""Orbits: runs as the analysis takes them, measured and smoothed, with the covariance of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from discovery.criteria import NOISE
from discovery.estimation.errors import among, of_columns, plus_variances
from discovery.estimation.half_lines import Column, half_lines
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
    on_a_path : bool
        Whether samples follow each other on a smooth path; else their order says nothing, and
        noise is no motion that is faster than the rest.
    noise_known : bool
        Whether the noise is known otherwise than by the smoothness of a path: it was told, or the
        next state follows from the state.
    are_functions : bool
        Whether the columns are functions of the states of a flow (integrals of fields) instead of
        its coordinates: any number of them may be constant along it.
    parameters : tuple of int
        Columns that are constant in each run, and may stand in formulas.
    of_run : (runs,) array of int or None
        Where these orbits are windows of fewer, longer runs: the run that each is a part of.
    noise_lasts : bool
        Whether the noise is correlated over many samples, and looks like motion.
    """

    measured: Path
    smoothed: Path
    offsets: np.ndarray
    scale: np.ndarray
    on_a_path: bool = True
    noise_known: bool = False
    are_functions: bool = False
    parameters: tuple[int, ...] = ()
    of_run: np.ndarray | None = None
    noise_lasts: bool = False

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        return len(self.offsets) - 1

    def most_laws(self, dim: int) -> int:
        """Return how many independent functions of `dim` coordinates may be constant: one less."""
        return dim - (not self.are_functions)

    @property
    def noise(self) -> np.ndarray:
        """Typical standard deviation of each coordinate's noise, (d,)."""
        return np.sqrt(np.median(self.measured.variances, axis=0))

    @property
    def mean_noise(self) -> np.ndarray:
        """Root mean square over all samples of each coordinate's noise, (d,)."""
        return np.sqrt(np.mean(self.measured.variances, axis=0))

    def clear(self, columns: Sequence[Column]) -> np.ndarray:
        """Tell in which rows the given coordinates are positive beyond their noise, (n,) bool.

        Or are on a half line.

        In no row of a run that would be left with too few.
        """
        clear = np.ones(len(self.smoothed.states), dtype=bool)
        for line in half_lines(columns):
            noise = np.sqrt(self.measured.variances[:, line.column])
            clear &= line.inside(self.smoothed.states) > NOISE.clear_of_zero * noise
            clear &= line.inside(self.measured.states) > 0
        return self.in_long_runs(clear)

    @cached_property
    def unit(self) -> np.ndarray:
        """What gradients are compared in, (d,): the spread of each coordinate.

        That on either side of zero where no run crosses: orbits that go round either way have two
        clouds of angular momenta, whose distance says nothing of how far one may change.
        """
        states, starts = self.smoothed.states, self.offsets[:-1]
        low, high = (of.reduceat(states, starts, axis=0) for of in (np.minimum, np.maximum))
        apart = np.all((low > 0) | (high < 0), axis=0)
        return np.where(apart, np.minimum(np.abs(states).std(axis=0), self.scale), self.scale)

    def with_still_parameters(self) -> Orbits:
        """Return the orbits with no unit for parameters: along these no function has a slope."""
        scale = self.scale.copy()
        scale[list(self.parameters)] = 0.0
        return replace(self, scale=scale)

    def in_long_runs(self, rows: np.ndarray) -> np.ndarray:
        """Return `rows` (n,) without those of runs that would be left with too few, (n,) bool."""
        long = np.add.reduceat(rows, self.offsets[:-1], dtype=int) >= NOISE.fewest_rows
        return rows & (np.repeat(long, np.diff(self.offsets)) | rows.all())

    def where(self, rows: np.ndarray) -> Orbits:
        """Return the rows for which `rows` (n,) is true; runs that have none go."""
        if rows.all():
            return self
        lengths = np.add.reduceat(rows, self.offsets[:-1], dtype=int)
        offsets = np.concatenate([[0], np.cumsum(lengths[lengths > 0])])
        some = self._with(_rows(self.measured, rows), _rows(self.smoothed, rows), offsets)
        return some if self.of_run is None else replace(some, of_run=self.of_run[lengths > 0])

    def thinned(self, n_rows: int) -> Orbits:
        """Return every so many rows of each run, `n_rows` in all or somewhat more."""
        lengths = np.diff(self.offsets)
        step = max(1, len(self.smoothed.states) // n_rows)
        step = min(step, max(1, int(lengths.min()) // NOISE.fewest_rows))
        place = np.arange(self.offsets[-1]) - np.repeat(self.offsets[:-1], lengths)
        return self.where(place % step == 0)

    def of_columns(self, columns: Sequence[int]) -> Orbits:
        """Return the orbits in some of their coordinates."""
        columns = list(columns)
        paths = (
            Path(path.states[:, columns], of_columns(path.errors, columns))
            for path in (self.measured, self.smoothed)
        )
        some = self._with(*paths, self.offsets)
        return replace(some, scale=self.scale[columns], parameters=())

    def among(
        self, rows: np.ndarray, columns: Sequence[int], parameters: Sequence[int] = ()
    ) -> Orbits:
        """Return orbits of which these are some columns, and the others have no noise.

        Parameters
        ----------
        rows : (n, D) array
            All columns.
        columns : sequence of d int
            Where these orbits' coordinates go.
        parameters : sequence of int
            Which of the others are parameters.
        """
        size = rows.shape[1]
        if size == len(columns):
            return self
        columns = list(columns)
        paths = []
        for path in (self.measured, self.smoothed):
            states = rows.copy()
            states[:, columns] = path.states
            paths.append(Path(states, among(path.errors, size, columns)))
        scale = rows.std(axis=0)
        scale[columns] = self.scale
        whole = self._with(*paths, self.offsets)
        return replace(whole, scale=scale, parameters=tuple(parameters))

    def moved(self, shift: np.ndarray) -> Orbits:
        """Return the orbits as seen from another origin, `shift` (d,) from this one."""
        paths = (Path(path.states - shift, path.errors) for path in (self.measured, self.smoothed))
        return self._with(*paths, self.offsets)

    def blurred(self, share: float) -> Orbits:
        """Return the orbits with states known no better than to a share of their spread."""
        least = (share * self.scale) ** 2
        paths = (
            Path(path.states, plus_variances(path.errors, least))
            for path in (self.measured, self.smoothed)
        )
        some = self._with(*paths, self.offsets)
        return some if self.of_run is None else replace(some, of_run=self.of_run)

    def take(self, runs: np.ndarray) -> Orbits:
        """Return the given runs."""
        spans = [np.arange(self.offsets[r], self.offsets[r + 1]) for r in runs]
        rows = np.concatenate(spans)
        offsets = np.concatenate([[0], np.cumsum([len(s) for s in spans])])
        some = self._with(_rows(self.measured, rows), _rows(self.smoothed, rows), offsets)
        return some if self.of_run is None else replace(some, of_run=self.of_run[runs])

    def in_windows(self, number: int) -> Orbits:
        """Return the runs cut into consecutive windows, which share their run's constants.

        Parameters
        ----------
        number : int
            Windows of a run, as long as each has `NOISE.fewest_rows` rows.
        """
        lengths = np.diff(self.offsets)
        counts = np.clip(lengths // NOISE.fewest_rows, 1, number)
        edges = [
            start + length * np.arange(count) // count
            for start, length, count in zip(self.offsets, lengths, counts, strict=False)
        ]
        offsets = np.append(np.concatenate(edges), self.offsets[-1])
        return replace(self, offsets=offsets, of_run=np.repeat(np.arange(self.n_runs), counts))

    def along_runs(self, values: np.ndarray) -> np.ndarray:
        """Return values without the mean of the run that their window is of.

        Parameters
        ----------
        values : (..., n) array
            One a row; as they are where these orbits are no windows.
        """
        if self.of_run is None:
            return values
        runs = np.repeat(self.of_run, np.diff(self.offsets))
        return without_means(values, runs)

    def _with(self, measured: Path, smoothed: Path, offsets: np.ndarray) -> Orbits:
        return replace(self, measured=measured, smoothed=smoothed, offsets=offsets)


def without_means(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return values (..., n) without the mean of their group, of which n ids tell."""
    _, group = np.unique(groups, return_inverse=True)
    member = group == np.arange(group.max() + 1)[:, None]
    return values - (values @ member.T / member.sum(axis=1))[..., group]


def _rows(path: Path, rows: np.ndarray) -> Path:
    return Path(path.states[rows], path.errors[rows])
