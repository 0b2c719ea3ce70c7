"""Smoothness: whether neighbouring samples are nearer to each other than samples in any order.

    η = Σ (x_{t+1} − x_t)² / 2 / Σ s²,     sums over runs, s² the variance within a run,

is 1 on average where the order of the samples in a run does not matter (iterates of a chaotic map,
unordered samples, samples far apart in time), and small along a smooth path. Without a smooth path
noise cannot be read from differences, and states cannot be smoothed along time.

Source: von Neumann, *Distribution of the ratio of the mean square successive difference to the
variance* (Ann. Math. Stat. 12, 1941).
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from discovery.criteria import NOISE
from discovery.data.trajectories import Trajectories


def neighbour_ratios(rows: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return η of each column.

    Parameters
    ----------
    rows : (n, d) array
    offsets : (runs + 1,) array of int
        Run r is ``rows[offsets[r]:offsets[r + 1]]``.

    Returns
    -------
    (d,) array
        nan for columns that are constant in each run.
    """
    starts, lengths = offsets[:-1], np.diff(offsets)
    steps = np.diff(rows, axis=0)
    inside = np.ones(len(steps), dtype=bool)
    inside[offsets[1:-1] - 1] = False
    means = np.add.reduceat(rows, starts) / lengths[:, None]
    squares = (rows - np.repeat(means, lengths, axis=0)) ** 2
    # Each run's variance, times its steps: then the mean of η is 1 exactly.
    expected = np.sum(np.add.reduceat(squares, starts), axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.sum(steps[inside] ** 2, axis=0) / 2 / expected


def roughness(runs: Trajectories) -> float:
    """Return the least η of the coordinates.

    One coordinate on a path is enough: the others are sampled as finely. A coordinate that is
    conserved moves by its noise alone, whose order does not matter.

    Parameters
    ----------
    runs : Trajectories
        An angle counts by its cosine and sine: it may turn by any amount between samples.
    """
    roles = runs.roles or (None,) * runs.dim
    angles = [i for i in range(runs.dim) if roles[i] == "angle"]
    straight = np.delete(runs.rows, angles, axis=1)
    turns = runs.rows[:, angles]
    seen = np.hstack([straight, np.cos(turns), np.sin(turns)])
    return float(np.nanmin(neighbour_ratios(seen, runs.offsets), initial=np.inf))


def have_a_path(runs: Trajectories) -> bool:
    """Tell whether samples follow each other on a smooth path.

    Parameters
    ----------
    runs : Trajectories
    """
    return roughness(runs) <= NOISE.neighbours


def noise_alone(runs: Trajectories) -> list[int]:
    """Return the columns that are white noise in and between runs, beside others on a path.

    They say nothing of the states: a thermometer beside an experiment.

    Parameters
    ----------
    runs : Trajectories
        Fewer than two have no differences between them, and no such columns.
    """
    if runs.n_runs < 2 or not have_a_path(runs):
        return []
    lengths, n = runs.lengths, len(runs.rows)
    ratios = neighbour_ratios(runs.rows, runs.offsets)
    means = np.add.reduceat(runs.rows, runs.offsets[:-1]) / lengths[:, None]
    within = np.sum((runs.rows - np.repeat(means, lengths, axis=0)) ** 2, axis=0) / (n - len(means))
    between = lengths @ (means - runs.rows.mean(axis=0)) ** 2 / (len(means) - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        # The ratio of white noise has mean one and variance 1/n.
        in_runs = stats.norm.sf(np.abs(1 - ratios) * np.sqrt(n)) * 2
        of_runs = stats.f.sf(between / within, len(means) - 1, n - len(means))
    return np.flatnonzero(np.minimum(in_runs, of_runs) >= NOISE.white).tolist()
