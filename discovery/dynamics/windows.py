"""Windows: short pieces of runs, along which a motion is compared with what was measured."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from discovery.data.parameters import parted
from discovery.data.trajectories import Trajectories
from discovery.data.velocities import unwrapped
from discovery.estimation.local_polynomials import smooth

# Samples of a window, about.
LENGTH = 40
# Noise of a coordinate, in its spreads, below which nothing is asked of a motion.
_LEAST = 1e-5
# The range of angles in radians that may jump.
_TURN = 2.1 * np.pi
# Every so manieth window or run is held out.
_EVERY = 4


@dataclass(frozen=True)
class Windows:
    """Pieces of runs, padded to one length.

    Attributes
    ----------
    times : (n, k) array
        The last is repeated where there are fewer samples.
    states : (n, k, d) array
    whiten : (n, k, d, d) array
        ``whiten @ error`` has the covariance 1; zero where there is no sample, and for parameters
        and the clock, which are known.
    starts : (n, d) array
        Estimates of the first states.
    run : (n,) array of int
    place : (n,) array of int
        The number of each in its run.
    size : (n,) array of int
        Samples of each.
    """

    times: np.ndarray
    states: np.ndarray
    whiten: np.ndarray
    starts: np.ndarray
    run: np.ndarray
    place: np.ndarray
    size: np.ndarray

    def __len__(self) -> int:
        return len(self.run)

    def __getitem__(self, which: np.ndarray) -> Windows:
        return Windows(*(getattr(self, f.name)[which] for f in fields(self)))

    def joined(self) -> Windows:
        """Return longer windows: neighbours of a run, two and two, become one."""
        pairs = np.stack([self.run, self.place // 2])
        heads = np.flatnonzero(np.any(np.diff(pairs, prepend=-1), axis=0))
        width = self.times.shape[1]
        at = [i * width + np.arange(size) for i, size in enumerate(self.size)]
        index, there = _padded(
            [np.concatenate(at[a:b]) for a, b in itertools.pairwise([*heads, len(self)])]
        )
        flat = (part.reshape(-1, *part.shape[2:]) for part in (self.times, self.states))
        times, states = (part[index] for part in flat)
        whiten = self.whiten.reshape(-1, *self.whiten.shape[2:])[index] * there[..., None, None]
        run, place = pairs[:, heads]
        return Windows(times, states, whiten, self.starts[heads], run, place, there.sum(axis=1))

    @property
    def count(self) -> int:
        """Number of measured values."""
        return int(np.any(self.whiten, axis=3).sum())

    @property
    def unknown(self) -> int:
        """Number of unknown values of the first states."""
        return int(np.any(self.whiten, axis=(1, 2)).sum())

    @property
    def held_out(self) -> np.ndarray:
        """Which windows take no part in a fit, (n,) bool: every fourth run, or window of few."""
        runs = np.unique(self.run)
        if len(runs) < _EVERY:
            return np.arange(len(self)) % _EVERY == _EVERY - 1
        return np.isin(self.run, runs[_EVERY - 1 :: _EVERY])


@dataclass(frozen=True)
class Measured:
    """Runs as motion takes them.

    Attributes
    ----------
    rows : (n, d) array
        Angles without jumps.
    path : (n, d) array
        The same, smoothed.
    runs : Trajectories
    noise : (d,) array
        Standard deviation of the noise.
    """

    rows: np.ndarray
    path: np.ndarray
    runs: Trajectories
    noise: np.ndarray

    @classmethod
    def of(cls, runs: Trajectories, noise: np.ndarray, spread: np.ndarray) -> Measured:
        """Smooth runs.

        Parameters
        ----------
        runs : Trajectories
        noise : (d,) array
            Standard deviation of each coordinate's noise.
        spread : (d,) array
            Standard deviation of each coordinate: noise far below it asks for more than rounded
            numbers give.
        """
        # What spans more than a turn of radians has no jumps, or is in degrees.
        angles = [
            i
            for i, role in enumerate(runs.roles or ())
            if role == "angle" and np.ptp(runs.rows[:, i]) <= _TURN
        ]
        rows = unwrapped(runs.rows, runs.offsets, angles)
        noise = np.maximum(noise, _LEAST * np.where(spread > 0, spread, 1.0))
        if runs.formed is not None:
            path = runs.formed.path
        else:
            path = smooth(rows, runs.row_times, runs.offsets, noise).states
        return cls(rows, path, runs, noise)

    def windows(self, length: int = LENGTH) -> Windows:
        """Cut the runs into windows of about so many samples."""
        d = self.rows.shape[1]
        pieces, run, place = [], [], []
        for r, (a, b) in enumerate(itertools.pairwise(self.runs.offsets)):
            parts = np.array_split(np.arange(a, b), max(1, round((b - a) / length)))
            for number, piece in enumerate(parts):
                if len(piece) > 2:
                    pieces.append(piece)
                    run.append(r)
                    place.append(number)
        index, there = _padded(pieces)
        whiten = self._whiten()[index] * there[..., None, None]
        return Windows(
            times=self.runs.row_times[index],
            states=self.rows[index],
            whiten=whiten,
            starts=self.path[index[:, 0]] if len(pieces) else np.empty((0, d)),
            run=np.array(run, dtype=int),
            place=np.array(place, dtype=int),
            size=there.sum(axis=1),
        )

    def _whiten(self) -> np.ndarray:
        """Return inverse Cholesky factors of each row's covariance, (n, d, d)."""
        least = np.diag((1e-3 * self.noise) ** 2)
        parts = parted(self.runs)
        known = [*parts.parameters, *parts.numbering, *parts.clock]
        if self.runs.formed is None:
            whiten = np.tile(np.diag(1 / self.noise), (len(self.rows), 1, 1))
        else:
            whiten = np.linalg.inv(np.linalg.cholesky(self.runs.formed.covariance + least))
        whiten[:, known], whiten[:, :, known] = 0.0, 0.0
        return whiten


def _padded(pieces: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return row numbers of pieces as (n, k), the last repeated, and which are no repetition."""
    longest = max(map(len, pieces), default=0)
    index = np.array([np.pad(p, (0, longest - len(p)), mode="edge") for p in pieces], dtype=int)
    there = np.arange(longest) < np.array([len(p) for p in pieces]).reshape(-1, 1)
    return index.reshape(len(pieces), longest), there
