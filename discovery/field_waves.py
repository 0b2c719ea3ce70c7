"""Waves of measured fields: which stand out of the noise, and their amplitudes smoothed along time.

Noise is the same in every wave, a smooth field is in the long ones: leaving out waves that hold
nothing but noise takes most of it away before anything is squared or differentiated. The others
are smoothed along time, each frequency with windows of its own, since short waves swing faster.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from discovery.grid import Grid, ends_meet, pairs, waves
from discovery.integrals import Integrals
from discovery.noise import RESOLUTION, noise_scale
from discovery.orbits import Orbits
from discovery.smoothing import Path, raw_path, smooth_apart
from discovery.trajectories import Trajectories

# A wave is kept where its power is above the noise's by this fraction of it.
AUDIBLE = 0.2
# Power of the shortest waves, as an amplitude, that may still be noise alone.
BARELY_MORE = 1.15
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
    noise, spread : (F,) arrays
        Standard deviation of each field's noise, and of its values, at a point.
    kept : tuple of F int
        Waves kept of each field, K in all.
    measured, smoothed : (n, K) arrays
        Amplitudes.
    variance : (n, K) array
        Of the smoothed amplitudes.
    offsets : (runs + 1,) array of int
    """

    grid: Grid
    noise: np.ndarray
    spread: np.ndarray
    kept: tuple[int, ...]
    measured: np.ndarray
    smoothed: np.ndarray
    variance: np.ndarray
    offsets: np.ndarray

    @property
    def levels(self) -> np.ndarray:
        """Standard deviation of each amplitude's noise, (K,)."""
        return np.repeat(self.noise, self.kept)

    @property
    def blur(self) -> float:
        """Noise over the motion along runs, of the field where it is largest."""
        starts, lengths = self.offsets[:-1], np.diff(self.offsets)
        means = np.add.reduceat(self.smoothed, starts) / lengths[:, None]
        moved = np.mean((self.smoothed - np.repeat(means, lengths, axis=0)) ** 2, axis=0)
        cuts = np.cumsum([0, *self.kept[:-1]])
        motion = np.sqrt(np.add.reduceat(moved, cuts) / self.grid.n_points)
        return float(np.max(self.noise / np.maximum(motion, 1e-300)))

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
        noisy = np.broadcast_to(self.levels**2, self.measured.shape)
        measured = Path(*integrals.moments(self.measured, noisy))
        smoothed = Path(*integrals.moments(self.smoothed, self.variance))
        # How far an integral moves when the fields move by their spread. Its own spread would not
        # do: a mass that is the same in all runs would be lost in what varies beside it.
        some = self.smoothed[:: max(1, len(self.smoothed) // _SNAPSHOTS)]
        slopes = integrals.gradients(some) * np.repeat(self.spread, self.kept)
        scale = np.sqrt(np.mean(np.sum(slopes**2, axis=2), axis=0))
        # Integrals may depend on each other on the data, and their covariance must not be singular.
        least = np.diag((RESOLUTION * scale) ** 2 + 1e-300)
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
            columns += [(*away, np.full(len(points), level))]
        seen, moved, noise = map(np.hstack, zip(*columns, strict=True))
        clear = moved.std(axis=0) > CLEAR * noise
        plain = self.grid.columns[:, points].ravel()
        seen = np.hstack([rows[:, plain], seen[:, clear]])
        moved = np.hstack([path[:, plain], moved[:, clear]])
        raw = raw_path(seen, np.hstack([np.repeat(self.noise, len(points)), noise[clear]]))
        scale = np.maximum(moved.std(axis=0), 1e-300)
        return Orbits(raw, Path(moved, raw.covariance), self.offsets, scale)


def waves_of(runs: Trajectories, grid: Grid, noise: np.ndarray) -> FieldWaves:
    """Expand runs in waves, and smooth the amplitudes along time.

    Parameters
    ----------
    runs : Trajectories
    grid : Grid
        Whose ends are looked at here.
    noise : (F,) array
        Standard deviation of each field's noise.
    """
    values = [grid.values(runs.rows, f) for f in range(len(grid.fields))]
    walls = tuple(not ends_meet(v, s) for v, s in zip(values, noise, strict=True))
    measured, groups, kept = [], [], []
    for field, closed, level in zip(values, walls, noise, strict=True):
        amplitudes = field @ waves(grid.n_points, grid.spacing, closed, 0)[0]
        together = pairs(grid.n_points, closed)
        power = [np.mean(amplitudes[:, group] ** 2) for group in together]
        heard = np.flatnonzero(np.array(power) > (1 + AUDIBLE) * level**2)
        together = together[: max(FEWEST, heard.max(initial=0) + 1)]
        k = together[-1][-1] + 1
        groups += [group + sum(kept) for group in together]
        measured.append(amplitudes[:, :k])
        kept.append(int(k))
    levels = np.repeat(noise, kept)
    amplitudes = np.concatenate(measured, axis=1)
    smoothed, error = smooth_apart(
        amplitudes, runs.row_times, runs.offsets, levels, groups, CAUTION
    )
    return FieldWaves(
        grid=replace(grid, walls=walls),
        noise=noise,
        spread=np.array([field.std() for field in values]),
        kept=tuple(kept),
        measured=amplitudes,
        smoothed=smoothed,
        variance=error * levels**2,
        offsets=runs.offsets,
    )


def field_noise(runs: Trajectories, grid: Grid) -> np.ndarray:
    """Estimate the noise of each field, (F,).

    From its smoothness along time and along the grid: both are upper bounds, since what moves too
    fast for the one may be smooth for the other. Where the shortest waves hold about as much, they
    hold nothing else, and tell it best.
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
        bound = min(np.sqrt(np.mean(in_time**2)), along[0])
        shapes = waves(grid.n_points, grid.spacing, not ends_meet(values, bound), 0)[0]
        shortest = np.sqrt(np.mean((values @ shapes[:, -(grid.n_points // 4) :]) ** 2))
        levels.append(shortest if bound < shortest < BARELY_MORE * bound else bound)
    return np.array(levels)
