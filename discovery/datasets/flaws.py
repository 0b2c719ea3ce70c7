"""Flaws of measurements: irregular times, missing samples, gross errors."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

# How far a gross error is off, in standard deviations of its coordinate.
_FAR = (5.0, 10.0)


@dataclass(frozen=True)
class Flaws:
    """How much is wrong with a measurement, in shares from 0 to below 1.

    Parameters
    ----------
    irregular : float
        Share of a step over which each time is spread, the same times in all runs.
    missing : float
        Share of the samples that are left out, at random in each run but for its ends.
    outliers : float
        Share of the values with a gross error: 5 to 10 standard deviations of their coordinate.

    Raises
    ------
    ValueError
        For a share outside 0 to 1.
    """

    irregular: float = 0.0
    missing: float = 0.0
    outliers: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 <= value < 1:
                raise ValueError(f"{field.name} is {value}. Expected a share from 0 to below 1.")


def uneven(times: np.ndarray, irregular: float, rng: np.random.Generator) -> np.ndarray:
    """Shift every time but the first by a random part of a step, either way.

    Parameters
    ----------
    times : (steps,)
    irregular : float
        Width of the uniform distribution of shifts, as a share of a step.
    rng : numpy Generator

    Returns
    -------
    (steps,)
    """
    shift = irregular * rng.uniform(-0.5, 0.5, len(times)) * (times[1] - times[0])
    shift[0] = 0.0
    return times + shift


def with_outliers(states: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Put gross errors on some of the values.

    Parameters
    ----------
    states : (n, steps, d)
    share : float
        Probability of an error, of each value on its own.
    rng : numpy Generator

    Returns
    -------
    (n, steps, d)
    """
    wrong = rng.random(states.shape) < share
    size = rng.uniform(*_FAR, states.shape) * rng.choice([-1.0, 1.0], states.shape)
    return states + wrong * size * states.std(axis=(0, 1))


def with_gaps(
    states: np.ndarray, times: np.ndarray, share: float, rng: np.random.Generator
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Leave out some of the samples, never the first or the last of a run.

    Parameters
    ----------
    states : (n, steps, d)
    times : (steps,)
    share : float
        Probability to be left out, of each sample on its own.
    rng : numpy Generator

    Returns
    -------
    runs : list of n (steps_i, d)
    times : list of n (steps_i,)
    """
    runs, at = [], []
    for run in states:
        kept = rng.random(len(run)) >= share
        kept[[0, -1]] = True
        runs.append(run[kept])
        at.append(times[kept])
    return runs, at
