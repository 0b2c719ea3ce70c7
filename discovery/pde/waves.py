"""Waves of measured fields: which are above the noise, and their amplitudes smoothed along time.

White noise has the same power in every wave, a smooth field has most of it in the long ones:
leaving out waves that hold nothing but noise takes most of it away before anything is squared or
differentiated. The others are smoothed along time, each frequency with windows of its own, since
short waves swing faster.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from discovery.criteria import FIELDS, NOISE
from discovery.data.noise_level import difference_scales
from discovery.data.trajectories import Trajectories
from discovery.estimation.local_polynomials import smooth_apart
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import Path, raw_path
from discovery.pde.basis import Basis
from discovery.pde.grid import Grid
from discovery.pde.integrals import Integrals
from discovery.pde.noise import SAMPLED_POINTS

# Frequencies that are always kept, the constant among them.
FEWEST = 3
# States that tell how far integrals move.
_SNAPSHOTS = 300
# Runs, and orders of differences, that tell whether neighbours share noise.
_RUNS, _ORDERS = 30, (8, 12)
# Squares of overlapping differences of twelfth order depend on each other, Σ ρ² = 4.4, and their
# median tells the size with 2.7 times the variance of their mean.
_DIFFERENCES_FOR_ONE = 12.0


@dataclass(frozen=True)
class FieldWaves:
    """Runs of fields as waves.

    Attributes
    ----------
    grid : Grid
    noise : (F, N) array
        Standard deviation of each field's noise at each point.
    noise_beside : (Z,) array
        That of the coordinates beside them.
    share : (n, F) array
        The noise of each state over that.
    spread : (F + Z,) array
        Standard deviation of each field's values, and of each coordinate's.
    bases : tuple of F Basis
        Waves kept of each field, K in all.
    measured, smoothed : (n, K + Z) arrays
        Amplitudes, and the coordinates beside the fields.
    error : (n, K + Z) array
        Variance of the smoothed ones over that of the measured ones.
    excess : (K + Z,) array
        Variance of each amplitude's noise over what noise of that level gives it if it is white
        along the grid: 1, or more in long waves where neighbours share their noise.
    offsets : (runs + 1,) array of int
    """

    grid: Grid
    noise: np.ndarray
    noise_beside: np.ndarray
    share: np.ndarray
    spread: np.ndarray
    bases: tuple[Basis, ...]
    measured: np.ndarray
    smoothed: np.ndarray
    error: np.ndarray
    excess: np.ndarray
    offsets: np.ndarray

    @property
    def kept(self) -> tuple[int, ...]:
        """Number of waves kept of each field."""
        return tuple(map(len, self.bases))

    @property
    def _counts(self) -> tuple[int, ...]:
        """Number of amplitudes of each field, and of each coordinate."""
        return *self.kept, *(1 for _ in self.grid.beside)

    @property
    def _together(self) -> np.ndarray:
        """How far amplitudes move where all values move by one: √N of a field's."""
        n_fields, n_beside = len(self.kept), len(self.grid.beside)
        return np.repeat([np.sqrt(self.grid.n_points), 1.0], [n_fields, n_beside])

    @property
    def is_correlated(self) -> bool:
        """Whether neighbours on the grid share noise."""
        return bool(np.any(self.excess != 1))

    @property
    def point_noise(self) -> np.ndarray:
        """Standard deviation of each field's noise at each point, (F, N), of all waves together."""
        cuts = np.cumsum([0, *self.kept])
        more = [
            1 + (self.excess[a:b] - 1).sum() / self.grid.n_points
            for a, b in itertools.pairwise(cuts)
        ]
        return self.noise * np.sqrt(np.maximum(more, 0.0))[:, None]

    @property
    def noise_over_motion(self) -> float:
        """Noise over the motion along runs, of the field where it is largest."""
        starts, lengths = self.offsets[:-1], np.diff(self.offsets)
        waves = self.smoothed[:, : sum(self.kept)]
        means = np.add.reduceat(waves, starts) / lengths[:, None]
        moved = np.mean((waves - np.repeat(means, lengths, axis=0)) ** 2, axis=0)
        cuts = np.cumsum([0, *self.kept[:-1]])
        motion = np.sqrt(np.add.reduceat(moved, cuts) / self.grid.n_points)
        return float(np.max(_rms(self.point_noise) / np.maximum(motion, 1e-300)))

    def states(self, amplitudes: np.ndarray) -> np.ndarray:
        """Return the states (n, d) of amplitudes (n, K + Z)."""
        out = np.empty((len(amplitudes), self.grid.dim))
        start = 0
        for columns, basis in zip(self.grid.columns, self.bases, strict=True):
            out[:, columns] = basis.field(amplitudes[:, start : start + len(basis)])
            start += len(basis)
        out[:, list(self.grid.beside)] = amplitudes[:, start:]
        return out

    def seen_from(self, origins: Sequence[float], length: float) -> FieldWaves:
        """Return the same waves of fields less an origin, (F,), and x in another unit of length."""
        measured, smoothed = self.measured.copy(), self.smoothed.copy()
        constants = np.cumsum([0, *self.kept[:-1]])
        unit = np.ones(len(self.grid.beside))
        unit[list(self.grid.places)] = length
        for amplitudes in (measured, smoothed):
            amplitudes[:, constants] -= np.sqrt(self.grid.n_points) * np.array(origins)
            amplitudes[:, sum(self.kept) :] /= unit
        return replace(
            self,
            grid=self.grid.scaled(length),
            noise_beside=self.noise_beside / unit,
            spread=self.spread / np.append(np.ones(len(self.kept)), unit),
            bases=tuple(basis.scaled(length) for basis in self.bases),
            measured=measured,
            smoothed=smoothed,
        )

    def taken(self, runs: np.ndarray) -> FieldWaves:
        """Return the given runs."""
        spans = [np.arange(self.offsets[r], self.offsets[r + 1]) for r in runs]
        return self._of_rows(np.concatenate(spans), np.cumsum([0, *map(len, spans)]))

    def thinned(self, n_rows: int) -> FieldWaves:
        """Return every so many rows of each run, `n_rows` in all or somewhat more."""
        step = max(1, len(self.smoothed) // n_rows)
        spans = [np.arange(a, b, step) for a, b in itertools.pairwise(self.offsets)]
        return self._of_rows(np.concatenate(spans), np.cumsum([0, *map(len, spans)]))

    def _of_rows(self, rows: np.ndarray, offsets: np.ndarray) -> FieldWaves:
        own = {key: getattr(self, key)[rows] for key in ("share", "measured", "smoothed", "error")}
        return replace(self, **own, offsets=offsets)

    def on_grid(self, rows: np.ndarray) -> Orbits:
        """Return the runs as orbits of the states on the grid, (n, d).

        Parameters
        ----------
        rows : (n, d) array
            The states as they were measured.
        """
        noise, scale = np.empty(rows.shape), np.empty(rows.shape[1])
        for columns, level, share in zip(
            self.grid.columns, self.point_noise, self.share.T, strict=True
        ):
            noise[:, columns] = np.outer(share, level)
        beside, n_fields = list(self.grid.beside), len(self.kept)
        noise[:, beside], scale[beside] = self.noise_beside, self.spread[n_fields:]
        scale[self.grid.columns] = self.spread[:n_fields, None]
        raw = raw_path(rows, noise)
        return Orbits(raw, Path(self.states(self.smoothed), raw.errors), self.offsets, scale)

    def orbits(self, integrals: Integrals) -> Orbits:
        """Return the runs as orbits of the integrals."""
        share = np.hstack([self.share, np.ones((len(self.share), len(self.noise_beside)))])
        whole = np.repeat(share**2, self._counts, axis=1) * self.excess
        levels = self.noise, self.noise_beside
        measured = Path(*integrals.moments(self.measured, whole, *levels))
        smoothed = Path(*integrals.moments(self.smoothed, self.error * whole, *levels))
        # How far an integral moves when the fields move by their spread. Its own spread would not
        # do: a mass that is the same in all runs would be lost in what varies beside it.
        some = self.smoothed[:: max(1, len(self.smoothed) // _SNAPSHOTS)]
        slopes = integrals.gradients(some) * np.repeat(self.spread, self._counts)
        scale = np.sqrt(np.mean(np.sum(slopes**2, axis=2), axis=0))
        # An integrator's error is no noise that the points of a grid average out: all may move by
        # it together. Integrals may depend on each other, too, and no covariance must be singular.
        together = slopes * np.repeat(self._together, self._counts)
        moved = np.sqrt(np.mean(np.sum(together**2, axis=2), axis=0))
        least = np.diag((NOISE.resolution * moved) ** 2 + 1e-300)
        for path in (measured, smoothed):
            path.errors[...] += least
        return Orbits(measured, smoothed, self.offsets, scale)

    def sampled(self, rows: np.ndarray, integrals: Orbits) -> Orbits:
        """Return the runs as orbits of a few numbers that show how much the fields move.

        These are the fields at a few grid points; the same minus the fields' means over the grid,
        since means that differ from run to run would make the motion look small; and the
        integrals. Of the latter two, those that spread far more than their noise.

        Parameters
        ----------
        rows : (n, d) array
            The states as they were measured.
        integrals : Orbits
            Of all densities.
        """
        points = np.unique(np.linspace(0, self.grid.n_points - 1, SAMPLED_POINTS).astype(int))
        path = self.states(self.smoothed)
        spread = integrals.measured.variances.mean(axis=0) ** 0.5
        some = integrals.measured.states
        columns = [(some, integrals.smoothed.states, np.broadcast_to(spread, some.shape))]
        for f, level in enumerate(self.point_noise):
            fields = [self.grid.values(values, f) for values in (rows, path)]
            away = [v[:, points] - v.mean(axis=1, keepdims=True) for v in fields]
            columns += [(*away, np.outer(self.share[:, f], level[points]))]
        at_points = np.hstack([noise for *_, noise in columns[1:]])
        seen, moved, noise = map(np.hstack, zip(*columns, strict=True))
        sure = moved.std(axis=0) > FIELDS.moving_spread * _rms(noise.T)
        plain = self.grid.columns[:, points].ravel()
        seen = np.hstack([rows[:, plain], seen[:, sure]])
        moved = np.hstack([path[:, plain], moved[:, sure]])
        raw = raw_path(seen, np.hstack([at_points, noise[:, sure]]))
        scale = np.maximum(moved.std(axis=0), 1e-300)
        return Orbits(raw, Path(moved, raw.errors), self.offsets, scale)


def waves_of(
    runs: Trajectories,
    grid: Grid,
    noise: np.ndarray,
    share: np.ndarray | None = None,
    noise_beside: Sequence[float] = (),
) -> FieldWaves:
    """Expand runs in waves, and smooth the amplitudes along time; so the coordinates beside them.

    Parameters
    ----------
    runs : Trajectories
    grid : Grid
        Which of its fields are between walls is found out here.
    noise : (F, N) array
        Standard deviation of each field's noise at each point.
    share : (n, F) array, optional
        The noise of each state over that, one by default.
    noise_beside : sequence of Z float
        Standard deviation of the noise of the coordinates.
    """
    if share is None:
        share = np.ones((len(runs.rows), len(grid.fields)))
    values = [grid.values(runs.rows, f) for f in range(len(grid.fields))]
    walls = tuple(grid.walls_of(v, s) for v, s in zip(values, _rms(noise), strict=True))
    grid = replace(grid, walls=walls)
    bases, measured, groups, levels, excess = [], [], [], [], []
    for field, sigma, of_rows, basis in zip(values, noise, share.T, grid.bases(), strict=True):
        amplitudes, variance = basis.amplitudes(field), basis.power(sigma[None] ** 2)[0]
        evened = amplitudes / of_rows[:, None]
        more = _excess(evened, variance, basis, runs)
        kept = _above_noise(evened, variance * more, basis)
        bases.append(basis.among(kept))
        groups += [group + sum(map(len, levels)) for group in bases[-1].groups]
        measured.append(amplitudes[:, kept])
        excess.append(more[kept])
        levels.append(np.sqrt(variance[kept] * more[kept]))
    beside = runs.rows[:, list(grid.beside)]
    sizes = np.concatenate(levels) * np.repeat(share, [len(basis) for basis in bases], axis=1)
    groups += [np.array([sizes.shape[1] + k]) for k in range(len(grid.beside))]
    sizes = np.hstack([sizes, np.broadcast_to(noise_beside, beside.shape)])
    amplitudes = np.hstack([*measured, beside])
    smoothed, error = smooth_apart(
        amplitudes, runs.row_times, runs.offsets, sizes, groups, FIELDS.bias_weight
    )
    return FieldWaves(
        grid=grid,
        noise=noise,
        noise_beside=np.array(noise_beside, dtype=float),
        share=share,
        spread=np.array([*(field.std() for field in values), *beside.std(axis=0)]),
        bases=tuple(bases),
        measured=amplitudes,
        smoothed=smoothed,
        error=error,
        excess=np.concatenate([*excess, np.ones(len(grid.beside))]),
        offsets=runs.offsets,
    )


def _above_noise(amplitudes: np.ndarray, variance: np.ndarray, basis: Basis) -> np.ndarray:
    """Return the waves up to the highest frequencies whose power is above that of the noise.

    The highest along each axis, and the highest wave number.
    """
    power = np.mean(amplitudes**2, axis=0)
    kept = np.ones(len(basis), dtype=bool)
    for numbers in (*basis.frequencies.T, basis.shells):
        waves_of_each = np.bincount(numbers)
        mean_power, noise_power = (np.bincount(numbers, v) for v in (power, variance))
        above = mean_power > (1 + FIELDS.wave_power) * noise_power
        last = np.flatnonzero(above & (waves_of_each > 0)).max(initial=0)
        kept &= numbers <= max(FEWEST - 1, last)
    return np.flatnonzero(kept)


def _excess(
    amplitudes: np.ndarray, variance: np.ndarray, basis: Basis, runs: Trajectories
) -> np.ndarray:
    """Return the variance of each amplitude's noise over that of white noise along the grid, (N,).

    Noise that neighbours share is more in long waves than in short ones. What noise a wave number
    has is seen in time, where it is white: differences of every high order are then of one size.
    """
    few = runs[np.unique(np.linspace(0, runs.n_runs - 1, _RUNS).astype(int))]
    rows = np.isin(runs.groups, np.flatnonzero(np.isin(runs.run_ids, few.run_ids)))
    found, groups = np.ones(len(variance)), basis.groups
    freedom = np.maximum(np.diff(few.offsets) - _ORDERS[-1], 0).sum() / _DIFFERENCES_FOR_ONE
    shared = False
    for group in groups:
        scales = difference_scales(amplitudes[rows][:, group], few.row_times, few.offsets, _ORDERS)
        if len(scales) < len(_ORDERS):
            return found
        lower, higher = (np.mean(scale**2) for scale in scales)
        if lower <= FIELDS.white_in_time**2 * higher:
            ratio, degrees = higher / np.mean(variance[group]), freedom * len(group)
            by_chance = stats.chi2.sf(ratio * degrees, degrees) * len(groups)
            shared |= ratio > FIELDS.correlated**2 and by_chance <= FIELDS.shared_noise
            found[group] = ratio
    return found if shared else np.ones(len(variance))


def _rms(values: np.ndarray) -> np.ndarray:
    return np.sqrt(np.mean(values**2, axis=-1))
