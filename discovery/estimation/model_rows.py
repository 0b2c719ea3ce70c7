"""Rows of runs as a model takes them: angles, time steps, rates."""

from __future__ import annotations

import itertools

import numpy as np

from discovery.data.trajectories import Trajectories
from discovery.data.velocities import unwrapped

# Times are rounded: steps that differ by less than this share of the typical one are equal.
_EQUAL_STEPS = 1e-3


def continuous_rows(runs: Trajectories) -> np.ndarray:
    """Return the rows with every angle unwrapped along its run, so that it has no jumps."""
    angles = [i for i, role in enumerate(runs.roles or ()) if role == "angle"]
    return unwrapped(runs.rows, runs.offsets, angles)


def rates(runs: Trajectories, states: np.ndarray) -> np.ndarray:
    """Return time derivatives of states along runs by central differences, shape (n, d).

    A run of one sample has none: zero.
    """
    out = np.zeros_like(states)
    for a, b in itertools.pairwise(runs.offsets):
        if b - a > 1:
            out[a:b] = np.gradient(states[a:b], runs.row_times[a:b], axis=0)
    return out


def model_inputs(runs: Trajectories, rows: np.ndarray) -> np.ndarray:
    """Return rows (n, d) with every angle on the circle, from −π to π."""
    rows = rows.copy()
    for column, role in enumerate(runs.roles or ()):
        if role == "angle":
            rows[:, column] = (rows[:, column] + np.pi) % (2 * np.pi) - np.pi
    return rows


def row_intervals(runs: Trajectories) -> np.ndarray:
    """Return the time from each row to the next in units of the typical step, shape (n, 1).

    The last row of a run has the typical step.
    """
    steps = np.diff(runs.row_times, append=runs.row_times[-1:])
    last = runs.offsets[1:] - 1
    inner = np.delete(steps, last)
    steps[last] = np.median(inner)
    return (steps / np.median(inner))[:, None]


def equal_steps(runs: Trajectories) -> np.ndarray:
    """Tell which rows are followed, in their run, by another after the typical step, (n,) bool."""
    equal = np.abs(row_intervals(runs)[:, 0] - 1) < _EQUAL_STEPS
    equal[runs.offsets[1:] - 1] = False
    return equal


def is_regular(runs: Trajectories) -> bool:
    """Tell whether all samples are equally far apart in time."""
    steps = row_intervals(runs)
    return bool(np.ptp(steps) < _EQUAL_STEPS)
