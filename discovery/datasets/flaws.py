"""Flaws of measurements: irregular times, missing samples, gross errors."""

from __future__ import annotations

import numpy as np

# How far a gross error is off, in standard deviations of its coordinate.
_FAR = (5.0, 10.0)


def check_flaws(irregular: float, missing: float, outliers: float) -> None:
    """Raise ValueError for shares that are none."""
    for name, value in (("irregular", irregular), ("missing", missing), ("outliers", outliers)):
        if not 0 <= value < 1:
            raise ValueError(f"{name} is {value}. Expected a share from 0 to below 1.")


def uneven(times: np.ndarray, irregular: float, rng: np.random.Generator) -> np.ndarray:
    """Shift every time (steps,) but the first by up to half that share of a step either way."""
    shift = irregular * rng.uniform(-0.5, 0.5, len(times)) * (times[1] - times[0])
    shift[0] = 0.0
    return times + shift


def with_outliers(states: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Put gross errors on a share of the values of states (n, steps, d)."""
    wrong = rng.random(states.shape) < share
    size = rng.uniform(*_FAR, states.shape) * rng.choice([-1.0, 1.0], states.shape)
    return states + wrong * size * states.std(axis=(0, 1))


def with_gaps(
    states: np.ndarray, times: np.ndarray, share: float, rng: np.random.Generator
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Leave out a share of the samples of states (n, steps, d); each run keeps two at least."""
    runs, at = [], []
    for run in states:
        kept = rng.random(len(run)) >= share
        kept[[0, -1]] = True
        runs.append(run[kept])
        at.append(times[kept])
    return runs, at
