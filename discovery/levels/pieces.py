"""Means of laws over pieces of runs, with the covariance that noise gives them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from discovery.data.states import States, coordinates
from discovery.data.tables import is_frame
from discovery.data.trajectories import Trajectories
from discovery.levels.conserved import Laws


class Mean(NamedTuple):
    """What a piece of a run says of the laws.

    Attributes
    ----------
    values : (k,) array
        Their means, without what noise adds to a bent function.
    covariance : (k, k) array
        Of their error by noise.
    """

    values: np.ndarray
    covariance: np.ndarray


def mean_of(laws: Laws, states: np.ndarray, noise: np.ndarray) -> Mean:
    """Return the mean of laws over states of one run.

    Parameters
    ----------
    laws : Laws
    states : (n, d) array
    noise : (d,) array
        Standard deviations of the coordinates' noise.

    Raises
    ------
    ValueError
        Where the laws have no value at any of them.
    """
    values, (_, slopes) = laws.values(states), laws.jets(states)
    bends = laws.bends(states, np.diag(noise**2))
    sound = np.isfinite(values).all(axis=1) & np.isfinite(bends).all(axis=1)
    sound &= np.isfinite(slopes).all(axis=(1, 2))
    n = int(sound.sum())
    if not n:
        raise ValueError(f"the laws have no value at any of {len(states)} states.")
    errors = slopes[sound] * noise
    covariance = np.einsum("nij,nkj->ik", errors, errors) / n**2
    return Mean((values - bends)[sound].mean(axis=0), covariance)


def unsteadiness(laws: Laws, runs: Trajectories, noise: np.ndarray) -> np.ndarray:
    """Return the covariance, of one piece, by which halves of one run differ beyond noise, (k, k).

    It is what laws move by themselves, as their coefficients are not exact; so it counts as an
    error of each piece.

    Parameters
    ----------
    laws : Laws
    runs : Trajectories
    noise : (d,) array
    """
    differences, expected = [], []
    for a, b in zip(runs.offsets[:-1], runs.offsets[1:], strict=True):
        middle = (a + b) // 2
        if middle - a < 2:
            continue
        try:
            halves = [
                mean_of(laws, runs.rows[part], noise)
                for part in (slice(a, middle), slice(middle, b))
            ]
        except ValueError:
            continue
        differences.append(halves[0].values - halves[1].values)
        expected.append(halves[0].covariance + halves[1].covariance)
    k = len(laws)
    if not differences:
        return np.zeros((k, k))
    gone = np.array(differences)
    # In units of what noise explains: there what is more than it is plain.
    units = np.sqrt(np.maximum(np.diag(np.mean(expected, axis=0)), 1e-300))
    rest = (gone.T @ gone / len(gone) - np.mean(expected, axis=0)) / np.outer(units, units)
    levels, axes = np.linalg.eigh(rest)
    # Chance leaves this much of noise alone.
    levels = np.where(levels > 2 * np.sqrt(2 / len(gone)), levels, 0.0)
    return (axes * levels) @ axes.T * np.outer(units, units) / 2


def pieces(runs: States | Sequence[States], names: Sequence[str]) -> list[np.ndarray]:
    """Return the states (n, d) of each run of a set of runs.

    Parameters
    ----------
    runs : Trajectories, sequence of runs, or (runs, steps, d) array
        Runs are (n, d) arrays, tables, or Trajectories of one run.
    names : sequence of d str

    Raises
    ------
    ValueError
        For anything else.
    """
    if isinstance(runs, Trajectories):
        return np.split(coordinates(runs, names), runs.offsets[1:-1])
    if is_frame(runs) or (isinstance(runs, np.ndarray) and runs.ndim < 3 and runs.dtype != object):
        raise ValueError(
            "received one table of states. Expected runs: Trajectories, a list of (n, d) arrays, "
            "or a (runs, steps, d) array."
        )
    if isinstance(runs, str) or not isinstance(runs, Iterable):
        raise ValueError(
            f"received {runs!r}. Expected runs: Trajectories, a list of (n, d) arrays, or a "
            "(runs, steps, d) array."
        )
    return [piece(run, names) for run in runs]


def piece(run: States, names: Sequence[str]) -> np.ndarray:
    """Return the states (n, d) of one run.

    Parameters
    ----------
    run : (n, d) array, pandas.DataFrame, or Trajectories of one run
    names : sequence of d str

    Raises
    ------
    ValueError
        For several runs, other coordinates, and states that are not finite.
    """
    if isinstance(run, Trajectories) and run.n_runs != 1:
        raise ValueError(
            f"received {run.n_runs} runs where one was expected: pass runs[0], or all of them to "
            "embed."
        )
    states = np.atleast_2d(coordinates(run, names))
    if states.ndim != 2 or not len(states) or not np.isfinite(states).all():
        raise ValueError(
            f"a run has states of shape {states.shape}. Expected finite (n, {len(names)}) values "
            f"of {', '.join(names)}."
        )
    return states
