"""Noise of measured fields: at each point of the grid, and in each run."""

from __future__ import annotations

import numpy as np

from discovery.criteria import FIELDS, NOISE
from discovery.data.frame import with_rows
from discovery.data.noise_level import noise_scale
from discovery.data.trajectories import Trajectories
from discovery.estimation.noise.by_run import noise_by_run
from discovery.pde.basis import Basis
from discovery.pde.grid import Grid

# Grid points that stand for all where it is asked how much the runs move.
SAMPLED_POINTS = 8
# States on which the noise is estimated along the grid.
_SNAPSHOTS = 300


def noise_of_states(
    runs: Trajectories, grid: Grid, noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the noise at each point (F, N), and that of each state over it, (n, F).

    Where each run was measured in a range of its own, so is its noise. It is seen where the field
    is least: in differences along time of the shortest waves.

    Parameters
    ----------
    runs : Trajectories
    grid : Grid
    noise : (F, N) array
        What it is if all runs are alike.
    """
    share, evened = np.ones((len(runs.rows), len(noise))), runs.rows.copy()
    for f, level in enumerate(noise):
        values, typical = grid.values(runs.rows, f), float(_rms(level))
        if typical <= 1.001 * NOISE.resolution * values.std():
            continue
        basis = Basis(grid.shape, grid.spacings, grid.walls_of(values, typical))
        short = _shortest(basis)
        amplitudes = short.amplitudes(values)
        size = np.broadcast_to(np.sqrt(short.power(level[None] ** 2)), amplitudes.shape)
        by_run = noise_by_run(amplitudes, runs.row_times, runs.offsets, size, len(noise))
        if by_run is None:
            return noise, np.ones_like(share)
        # A run without any is known no better than to the resolution.
        by_run = np.maximum(by_run, NOISE.resolution * values.std() / typical)
        share[:, f] = np.repeat(by_run, runs.lengths)
        evened[:, grid.columns[f]] /= share[:, [f]]
    if np.all(share == 1):
        return noise, share
    typical = np.sqrt(np.mean(share**2, axis=0))
    levels = field_noise(with_rows(runs, evened, runs.row_times), grid)
    return levels * typical[:, None], share / typical


def field_noise(runs: Trajectories, grid: Grid) -> np.ndarray:
    """Estimate the noise of each field at each point, (F, N).

    What is not smooth along time, and what is not smooth along the grid, are upper bounds of it:
    the field adds to either. Where the shortest waves hold about as much as the lower bound, they
    hold nothing but noise: they tell it best, and how it varies along the grid.

    Parameters
    ----------
    runs : Trajectories
    grid : Grid
    """
    points = np.unique(np.linspace(0, grid.n_points - 1, SAMPLED_POINTS).astype(int))
    rows = np.unique(np.linspace(0, len(runs.rows) - 1, _SNAPSHOTS).astype(int))
    length = grid.shape[-1]
    place = np.tile(np.arange(float(length)), len(rows))
    cuts = length * np.arange(len(rows) + 1)
    levels = []
    for f in range(len(grid.fields)):
        values = grid.values(runs.rows, f)
        in_time = noise_scale(values[:, points], runs.row_times, runs.offsets)
        # A line along the last axis of each snapshot, now here, now there.
        lines = values.reshape(len(values), -1, length)
        some = lines[rows, np.arange(len(rows)) % lines.shape[1]]
        along = noise_scale(some.reshape(-1, 1), place, cuts)
        bound = min(_rms(in_time), along[0])
        basis = Basis(grid.shape, grid.spacings, grid.walls_of(values, bound))
        level = _in_shortest_waves(values, basis)
        least, most = FIELDS.short_waves_least * bound, FIELDS.short_waves_most * bound
        noise_alone = least < _rms(level) < most
        levels.append(level if noise_alone else np.full(grid.n_points, bound))
    return np.array(levels)


def _in_shortest_waves(values: np.ndarray, basis: Basis) -> np.ndarray:
    """Return the noise at each point (N,), if the shortest quarter of the waves hold it alone."""
    short = _shortest(basis)
    power = np.mean(short.field(short.amplitudes(values)) ** 2, axis=0)
    # Divided by the share of white noise that these waves hold at each point.
    return np.sqrt(power / short.local(np.ones((1, len(short))), (), ())[0])


def _shortest(basis: Basis) -> Basis:
    """Return the shortest quarter of the waves."""
    return basis.among(np.arange(len(basis))[-(len(basis) // 4) :])


def _rms(values: np.ndarray) -> np.ndarray:
    return np.sqrt(np.mean(values**2, axis=-1))
