"""Waves of measured fields: which stand out of the noise, and their amplitudes smoothed along time.

Noise is the same in every wave, a smooth field is in the long ones: leaving out waves that hold
nothing but noise takes most of it away before anything is squared or differentiated. The others
are smoothed along time, each frequency with windows of its own, since short waves swing faster.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from discovery.criteria import NOISE
from discovery.data.trajectories import Trajectories
from discovery.estimation.local_polynomials import smooth_apart
from discovery.estimation.noise_level import noise_scale
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import Path, raw_path
from discovery.pde.grid import Grid, ends_meet, pairs, waves
from discovery.pde.integrals import Integrals

# A wave is kept where its power is above the noise's by this fraction of it.
AUDIBLE = 0.2
# Size of the shortest waves, over a bound of the noise, that may be noise alone. Where noise varies
# along the grid, a bound by medians is below its mean.
BARELY_LESS, BARELY_MORE = 0.8, 1.3
# What bias counts over variance in smoothing along time: at most a tenth of the noise's size. A
# wave that is cut short at every turn is so in its square too, and an energy is a sum of squares.
CAUTION = 100.0
# Frequencies that are always kept, the constant among them.
FEWEST = 3
# Grid points that speak for all where the runs as such are asked.
WITNESSES = 8
# Times the noise that a number must spread to speak of motion.
CLEAR = 5.0
# States on which the noise is estimated along the grid.
_SNAPSHOTS = 300


@dataclass(frozen=True)
class FieldWaves:
    """Runs of fields as waves.

    Attributes
    ----------
    grid : Grid
    noise : (F, N) array
        Standard deviation of each field's noise at each point.
    spread : (F,) array
        Standard deviation of each field's values.
    kept : tuple of F int
        Waves kept of each field, K in all.
    measured, smoothed : (n, K) arrays
        Amplitudes.
    error : (n, K) array
        Variance of the smoothed amplitudes over that of the measured ones.
    offsets : (runs + 1,) array of int
    """

    grid: Grid
    noise: np.ndarray
    spread: np.ndarray
    kept: tuple[int, ...]
    measured: np.ndarray
    smoothed: np.ndarray
    error: np.ndarray
    offsets: np.ndarray

    @property
    def blur(self) -> float:
        """Noise over the motion along runs, of the field where it is largest."""
        starts, lengths = self.offsets[:-1], np.diff(self.offsets)
        means = np.add.reduceat(self.smoothed, starts) / lengths[:, None]
        moved = np.mean((self.smoothed - np.repeat(means, lengths, axis=0)) ** 2, axis=0)
        cuts = np.cumsum([0, *self.kept[:-1]])
        motion = np.sqrt(np.add.reduceat(moved, cuts) / self.grid.n_points)
        return float(np.max(_rms(self.noise) / np.maximum(motion, 1e-300)))

    def states(self, amplitudes: np.ndarray) -> np.ndarray:
        """Return the states (n, d) of amplitudes (n, K)."""
        out = np.empty((len(amplitudes), self.grid.columns.size))
        start = 0
        for walls, columns, k in zip(self.grid.walls, self.grid.columns, self.kept, strict=True):
            shapes = waves(self.grid.n_points, self.grid.spacing, walls, 0)[0, :, :k]
            out[:, columns] = amplitudes[:, start : start + k] @ shapes.T
            start += k
        return out

    def orbits(self, integrals: Integrals) -> Orbits:
        """Return the runs as orbits of the integrals."""
        whole = np.broadcast_to(1.0, self.measured.shape)
        measured = Path(*integrals.moments(self.measured, whole, self.noise))
        smoothed = Path(*integrals.moments(self.smoothed, self.error, self.noise))
        # How far an integral moves when the fields move by their spread. Its own spread would not
        # do: a mass that is the same in all runs would be lost in what varies beside it.
        some = self.smoothed[:: max(1, len(self.smoothed) // _SNAPSHOTS)]
        slopes = integrals.gradients(some) * np.repeat(self.spread, self.kept)
        scale = np.sqrt(np.mean(np.sum(slopes**2, axis=2), axis=0))
        # Integrals may depend on each other on the data, and their covariance must not be singular.
        least = np.diag((NOISE.resolution * scale) ** 2 + 1e-300)
        for path in (measured, smoothed):
            path.covariance[...] += least
        return Orbits(measured, smoothed, self.offsets, scale)

    def witnesses(self, rows: np.ndarray, integrals: Orbits) -> Orbits:
        """Return the runs as orbits of a few numbers that show how much the fields move.

        The fields at a few grid points; and what the noise does not hide of how far they are from
        their mean over the grid there, and of the integrals: a spread between the runs' means must
        not make the motion look small.

        Parameters
        ----------
        rows : (n, d) array
            The states as they were measured.
        integrals : Orbits
            Of all densities.
        """
        points = np.unique(np.linspace(0, self.grid.n_points - 1, WITNESSES).astype(int))
        path = self.states(self.smoothed)
        spread = np.einsum("nii->ni", integrals.measured.covariance).mean(axis=0) ** 0.5
        columns = [(integrals.measured.states, integrals.smoothed.states, spread)]
        for f, level in enumerate(self.noise):
            fields = [self.grid.values(values, f) for values in (rows, path)]
            away = [v[:, points] - v.mean(axis=1, keepdims=True) for v in fields]
            columns += [(*away, level[points])]
        seen, moved, noise = map(np.hstack, zip(*columns, strict=True))
        clear = moved.std(axis=0) > CLEAR * noise
        plain = self.grid.columns[:, points].ravel()
        seen = np.hstack([rows[:, plain], seen[:, clear]])
        moved = np.hstack([path[:, plain], moved[:, clear]])
        raw = raw_path(seen, np.hstack([self.noise[:, points].ravel(), noise[clear]]))
        scale = np.maximum(moved.std(axis=0), 1e-300)
        return Orbits(raw, Path(moved, raw.covariance), self.offsets, scale)


def waves_of(runs: Trajectories, grid: Grid, noise: np.ndarray) -> FieldWaves:
    """Expand runs in waves, and smooth the amplitudes along time.

    Parameters
    ----------
    runs : Trajectories
    grid : Grid
        Whose ends are looked at here.
    noise : (F, N) array
        Standard deviation of each field's noise at each point.
    """
    values = [grid.values(runs.rows, f) for f in range(len(grid.fields))]
    walls = tuple(not ends_meet(v, s) for v, s in zip(values, _rms(noise), strict=True))
    measured, groups, levels = [], [], []
    for field, closed, sigma in zip(values, walls, noise, strict=True):
        shapes = waves(grid.n_points, grid.spacing, closed, 0)[0]
        amplitudes, variance = field @ shapes, sigma**2 @ shapes**2
        together = pairs(grid.n_points, closed)
        power = np.array([np.mean(amplitudes[:, group] ** 2) for group in together])
        silent = np.array([np.mean(variance[group]) for group in together])
        heard = np.flatnonzero(power > (1 + AUDIBLE) * silent)
        together = together[: max(FEWEST, heard.max(initial=0) + 1)]
        k = together[-1][-1] + 1
        groups += [group + sum(map(len, levels)) for group in together]
        measured.append(amplitudes[:, :k])
        levels.append(np.sqrt(variance[:k]))
    amplitudes = np.concatenate(measured, axis=1)
    smoothed, error = smooth_apart(
        amplitudes, runs.row_times, runs.offsets, np.concatenate(levels), groups, CAUTION
    )
    return FieldWaves(
        grid=replace(grid, walls=walls),
        noise=noise,
        spread=np.array([field.std() for field in values]),
        kept=tuple(map(len, levels)),
        measured=amplitudes,
        smoothed=smoothed,
        error=error,
        offsets=runs.offsets,
    )


def field_noise(runs: Trajectories, grid: Grid) -> np.ndarray:
    """Estimate the noise of each field at each point, (F, N).

    From its smoothness along time and along the grid: both are upper bounds, since what moves too
    fast for the one may be smooth for the other. Where the shortest waves hold about as much, they
    hold nothing else: they tell it best, and how it varies along the grid.
    """
    points = np.unique(np.linspace(0, grid.n_points - 1, WITNESSES).astype(int))
    rows = np.unique(np.linspace(0, len(runs.rows) - 1, _SNAPSHOTS).astype(int))
    place = np.tile(np.arange(float(grid.n_points)), len(rows))
    cuts = grid.n_points * np.arange(len(rows) + 1)
    levels = []
    for f in range(len(grid.fields)):
        values = grid.values(runs.rows, f)
        in_time = noise_scale(values[:, points], runs.row_times, runs.offsets)
        along = noise_scale(values[rows].reshape(-1, 1), place, cuts)
        bound = min(_rms(in_time), along[0])
        shapes = waves(grid.n_points, grid.spacing, not ends_meet(values, bound), 0)[0]
        shapes = shapes[:, -(grid.n_points // 4) :]
        hiss = np.mean((values @ shapes @ shapes.T) ** 2, axis=0)
        # The share of white noise that these waves hold at each point.
        level = np.sqrt(hiss / np.sum(shapes**2, axis=1))
        alone = BARELY_LESS * bound < _rms(level) < BARELY_MORE * bound
        levels.append(level if alone else np.full(grid.n_points, bound))
    return np.array(levels)


def _rms(values: np.ndarray) -> np.ndarray:
    return np.sqrt(np.mean(values**2, axis=-1))
