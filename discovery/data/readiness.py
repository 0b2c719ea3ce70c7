"""Readiness: whether runs, valid as data, can be searched for conserved quantities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from discovery.criteria import DATA
from discovery.data.coordinates import are_fields
from discovery.data.flaws.missing import counted
from discovery.data.parameters import parted

if TYPE_CHECKING:
    from discovery.data.trajectories import Trajectories

# Values that are so many times as large as usual ones do not tell columns apart.
_FAR = 1e6
# Of numbers up to here, and down to one over them, a double holds squares and cubes.
_LARGEST = 1e100


def check_for_analysis(trajectories: Trajectories) -> None:
    """Refuse runs that are valid data but that no conserved quantity can be read from.

    Raises
    ------
    ValueError
        For fields on fewer than ``DATA.fewest_runs`` runs, runs shorter than
        ``DATA.fewest_samples``, a constant coordinate, one that repeats another, or one in a unit
        in which it is 1e100 or 1e-100; for a parameter that changes within a run, or parameters
        alone.
    """
    min_runs, min_samples = DATA.fewest_runs, DATA.fewest_samples
    fields = are_fields(trajectories.roles)
    if fields and trajectories.n_runs < min_runs:
        count = trajectories.n_runs
        raise ValueError(
            f"there {'is a single run' if count == 1 else f'are {count} runs'} of fields. Expected "
            f"at least {min_runs}, from different initial states, so that some can be held out."
        )
    short = np.flatnonzero(trajectories.lengths < min_samples)
    if short.size:
        raise ValueError(
            f"run {trajectories.run_ids[short[0]]} has "
            f"{counted(int(trajectories.lengths[short[0]]), 'sample')} ({short.size} such runs in "
            f"all). Expected at least {min_samples}: runs[runs.lengths >= {min_samples}] leaves "
            "them out."
        )
    if fields:
        return  # a field may be held at a point, and is looked at as a whole
    spread = np.ptp(trajectories.rows, axis=0)
    rounding = DATA.constant * np.abs(trajectories.rows).max(axis=0)
    constant = [
        name for name, flat in zip(trajectories.names, spread <= rounding, strict=True) if flat
    ]
    if constant:
        named = ", ".join(map(repr, constant))
        what = f"coordinate {named} is" if len(constant) == 1 else f"coordinates {named} are"
        raise ValueError(
            f"{what} constant over all runs. What does not vary carries no information: leave it "
            "out, or vary it between runs."
        )
    _check_sizes(trajectories)
    parted(trajectories)
    _check_repeated(trajectories)


def _check_sizes(trajectories: Trajectories) -> None:
    """Refuse units in which formulas are no numbers that a double holds: they have powers."""
    sizes = np.median(np.abs(trajectories.rows - np.median(trajectories.rows, axis=0)), axis=0)
    for name, size in zip(trajectories.names, sizes, strict=True):
        if size and not 1 / _LARGEST < size < _LARGEST:
            raise ValueError(
                f"coordinate {name!r} varies by some {size:.0e}, of which powers are no numbers. "
                f"Expected {1 / _LARGEST:.0e} to {_LARGEST:.0e}: give it in another unit."
            )


def _check_repeated(trajectories: Trajectories) -> None:
    """Refuse a column that is another one in other units: their noise is the same noise."""
    rows = trajectories.rows
    usual = np.median(np.abs(rows), axis=0)
    # A code for missing values, the same in all columns, makes no two of them alike.
    most = np.where(usual > 0, _FAR * usual, np.inf)
    rows = np.clip(rows, -most, most)
    norm = np.linalg.norm(rows, axis=0)
    unit = rows / np.where(norm > 0, norm, 1.0)
    cosine = np.abs(unit.T @ unit)
    for i, j in zip(*np.nonzero(np.triu(cosine > 1 - 1e-12, 1)), strict=True):
        sign = np.sign(unit[:, i] @ unit[:, j])
        if np.allclose(unit[:, i], sign * unit[:, j], rtol=1e-12, atol=1e-15):
            raise ValueError(
                f"coordinates {trajectories.names[i]!r} and {trajectories.names[j]!r} are the same "
                "in every row, up to a factor. Their noise is not independent, as the analysis "
                "takes it to be: leave one of them out."
            )
