"""Reading: what instruments wrote becomes samples of coordinates, and each change is said."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from fractions import Fraction

import numpy as np

from discovery.criteria import DATA
from discovery.data.cells import is_per_time, is_radians
from discovery.data.coordinates import are_fields
from discovery.data.flaws.angles import angles_in, as_columns
from discovery.data.flaws.held_values import held_values
from discovery.data.flaws.missing import counted
from discovery.data.flaws.rounded_times import without_rounding
from discovery.data.flaws.samples import Samples
from discovery.data.readiness import check_for_analysis
from discovery.data.trajectories import Trajectories


def read(
    runs: Trajectories, degrees: str | Sequence[str] = ()
) -> tuple[Trajectories, tuple[Fraction | None, ...]]:
    """Leave out held values, and find angles and their units; undo the rounding of equal steps.

    Parameters
    ----------
    runs : Trajectories
        Fields are returned as they are.
    degrees : str or sequence of str
        Columns in degrees, as the user says.

    Returns
    -------
    runs : Trajectories
        With the roles that were seen, in the user's units; what was done is among its `remarks`.
    turns : tuple of d Fraction or None
        The turn of what is an angle, or its rate, in another unit than radians.

    Raises
    ------
    ValueError
        For a name that is no column, and where too little is left.
    """
    told = as_columns(degrees, runs.names, "degrees")
    given = runs.roles or (None,) * runs.dim
    # A parameter in degrees is a number like another.
    moving = _samples(runs).moving(range(runs.dim))
    told = [i for i in told if i in moving or given[i] not in (None, "parameter")]
    even = without_rounding(runs.row_times, runs.offsets)
    if even is not runs.row_times:
        runs = copy(runs)
        runs.row_times = even
    if are_fields(runs.roles):
        return runs, (None,) * runs.dim
    held, remarks = held_values(_samples(runs), runs.names)
    if runs.formed is not None:
        held, remarks = np.zeros_like(held), []  # states are formed, and no instrument wrote them
    if held.any():
        runs, gone = _without(runs, held)
        remarks += [f"{counted(gone, 'run')} too short and left out"] if gone else []
    units = [runs.units.get(name, "") for name in runs.names]
    turning = [i for i in told if is_per_time(runs.names[i], units[i])]
    radians = [i for i in moving if is_radians(runs.names[i], units[i])]
    angles = angles_in(_samples(runs), runs.names, runs.roles, told, turning, radians)
    remarks += angles.remarks
    if not (remarks or told or radians):
        return runs, angles.turns
    seen = _with_roles(runs, angles.roles)
    seen.remarks = (*runs.remarks, *remarks)
    if held.any():
        check_for_analysis(seen)
    return seen, angles.turns


def without_held(runs: Trajectories) -> Trajectories:
    """Return runs without held values; what is left of a run may be too little, and goes.

    Parameters
    ----------
    runs : Trajectories
    """
    held, _ = held_values(_samples(runs), runs.names)
    return _without(runs, held)[0] if held.any() else runs


def radians_in(turns: Sequence[Fraction | None]) -> np.ndarray:
    """Return the radians in one unit of each column, (d,); 1 for what does not turn."""
    return np.array([1.0 if turn is None else 2 * np.pi / float(turn) for turn in turns])


def in_radians(runs: Trajectories, turns: Sequence[Fraction | None]) -> Trajectories:
    """Return runs with all that turns in radians.

    Parameters
    ----------
    runs : Trajectories
    turns : sequence of d Fraction or None
        From `read`.
    """
    cuts, radians = runs.offsets[1:-1], radians_in(turns)
    out = Trajectories(
        states=np.split(runs.rows * radians, cuts),
        times=np.split(runs.row_times, cuts),
        names=runs.names,
        roles=runs.roles,
        run_ids=runs.run_ids,
    )
    out.name, out.equations, out.in_degrees = runs.name, runs.equations, ()
    if runs.formed is not None:
        out.formed = runs.formed.inside(np.zeros(runs.dim), 1 / radians)
    words = ", ".join(n for n, turn in zip(runs.names, turns, strict=True) if turn is not None)
    others = tuple(remark for remark in runs.remarks if remark != f"{words} in degrees")
    unit = ", in degrees," if len(others) < len(runs.remarks) else ""
    out.remarks = (*others, f"{words}{unit} turned into radians")
    return out


def _samples(runs: Trajectories) -> Samples:
    return Samples(runs.rows, runs.row_times, runs.offsets)


def _without(runs: Trajectories, held: np.ndarray) -> tuple[Trajectories, int]:
    """Return the runs without some rows, and how many runs are too short then."""
    keep = ~held
    lengths = np.add.reduceat(keep, runs.offsets[:-1], dtype=int)
    short = lengths < DATA.fewest_samples
    keep &= ~np.repeat(short, runs.lengths)
    if not keep.any():
        raise ValueError(
            "every run holds values that are no samples (the same number again and again, out of "
            "line with the others), and nothing is left. Expected samples of a path."
        )
    left = Trajectories.from_rows(
        runs.rows[keep],
        runs.run_ids[runs.groups[keep]],
        runs.row_times[keep],
        names=runs.names,
        roles=runs.roles,
    )
    left.name, left.equations, left.remarks = runs.name, runs.equations, runs.remarks
    return left, int(short.sum())


def _with_roles(runs: Trajectories, roles: Sequence[str | None] | None) -> Trajectories:
    out = runs.of_columns(range(runs.dim))
    out.roles = tuple(roles) if roles and any(roles) else None
    return out
