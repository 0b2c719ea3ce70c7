"""Angles as instruments give them: in degrees, in counts of an encoder, from 0 to a whole turn.

Two ways lead to them besides the user's word: a column wraps (`discovery.data.flaws.wrapping`), or
the rates have the period of an angle in degrees (`discovery.data.flaws.degrees`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from discovery.criteria import ANGLES, DATA
from discovery.data.coordinates import infer_roles
from discovery.data.flaws.degrees import Period, period_of
from discovery.data.flaws.samples import Samples
from discovery.data.flaws.wrapping import RADIANS, UNITS_OF_TURNS, turn_of

DEGREES = 360.0
_UNITS = {RADIANS: " in radians", DEGREES: " in degrees"}
# Turns in a unit of time, in what they are counted: hertz, and revolutions a minute beside seconds.
_COUNTED = {1.0: "in turns", 60.0: "in sixtieths of a turn"}
# Roles of what may turn out to be an angle, and a rate.
_MAY_TURN = (None, "angle", "position", "other")
# Of what has no period after all, as the twist of a spring.
_STRAIGHT = {"angle": "position", "angular_velocity": "velocity"}
_MAY_BE_RATES = (None, "velocity", "angular_velocity")


@dataclass(frozen=True)
class Angles:
    """What is an angle, and in which unit.

    Attributes
    ----------
    roles : tuple of d str or None, or None
        With those of the angles that were seen, and of their rates.
    turns : tuple of d Fraction or None
        The size of a turn in the user's unit; None for radians, and for what does not turn.
    remarks : list of str
        How they were seen.
    """

    roles: tuple[str | None, ...] | None
    turns: tuple[Fraction | None, ...]
    remarks: list[str]


def as_columns(columns: str | Sequence[str], names: Sequence[str], what: str) -> list[int]:
    """Return the numbers of named columns.

    Parameters
    ----------
    columns : str or sequence of str
    names : sequence of d str
    what : str
        Who names them, for the message.

    Raises
    ------
    ValueError
        For a name that is no column.
    """
    if not isinstance(columns, (str, Iterable)):
        raise ValueError(f"{what}: received {columns!r}; expected names of columns.")
    wanted = [columns] if isinstance(columns, str) else list(columns)
    strangers = [name for name in wanted if name not in names]
    if strangers:
        raise ValueError(f"{what}: there is no column {strangers}; there are {list(names)}.")
    return [list(names).index(name) for name in wanted]


def turning_roles(
    samples: Samples,
    roles: Sequence[str | None] | None,
    columns: Sequence[int],
    turn: float = RADIANS,
    turning: Sequence[int] = (),
) -> tuple[str | None, ...]:
    """Return roles with those of columns that are angles, or rates of angles.

    Parameters
    ----------
    samples : Samples
    roles : sequence of d str or None, or None
        Those that are given are kept.
    columns : sequence of int
        A column is an angular velocity if it is the rate of another of them, else an angle; one
        that is constant in each run is neither.
    turn : float
        The size of their turn.
    turning : sequence of int
        Columns that are rates, whatever the others are.

    Returns
    -------
    tuple of d str or None
    """
    out = list(roles or [None] * samples.dim)
    smooth = samples.unwrapped(dict.fromkeys(columns, turn)).averaged(columns)
    slopes = smooth.rates()
    rates = {j for i in columns for j in _rates_of(slopes[:, i], smooth.rows, columns)}
    rates |= set(turning)
    for i in samples.moving(columns):
        if out[i] is None:
            out[i] = "angular_velocity" if i in rates else "angle"
    return tuple(out)


def angles_in(
    samples: Samples,
    names: Sequence[str],
    roles: Sequence[str | None] | None,
    degrees: Sequence[int] = (),
    turning: Sequence[int] = (),
    radians: Sequence[int] = (),
) -> Angles:
    """Tell which columns are angles in another unit than radians, or angles that nobody named.

    Parameters
    ----------
    samples : Samples
    names : sequence of d str
    roles : sequence of d str or None, or None
    degrees : sequence of int
        Columns that are in degrees, as the user says.
    turning : sequence of int
        Those of them that are rates, as their units say.
    radians : sequence of int
        Columns whose unit says that they are angles, where nobody gives roles.
    """
    given = list(roles or [None] * samples.dim)
    turns = dict.fromkeys(degrees, DEGREES)
    remarks = [f"{', '.join(names[i] for i in degrees)} in degrees"] if degrees else []
    for i in range(samples.dim):
        if i in turns or given[i] not in _MAY_TURN:
            continue
        turn = turn_of(Samples(samples.rows[:, [i]], samples.times, samples.offsets))
        # What is told to be an angle turns by a unit that people use.
        if turn is not None and (given[i] != "angle" or turn in UNITS_OF_TURNS):
            turns[i] = turn
            unit = _UNITS.get(turn, "")
            remarks.append(f"{names[i]} jumps by {turn:.6g}: read as an angle{unit}, unwrapped")
    if not any(given):
        turns |= {i: RADIANS for i in radians if i not in turns}
    seen = infer_roles(names, roles, samples.rows)
    told = [i for i in range(samples.dim) if seen[i] == "angle" and i not in turns]
    if told and not any(given):
        # Names alone say so, and the motion may refute them.
        jumping = {i: turn for i, turn in turns.items() if i not in turning}
        means = samples.unwrapped(jumping).averaged(told)
        seen = infer_roles(names, None, means.rows, means.rates())
        told = [i for i in told if seen[i] == "angle"]
    period = period_of(samples, told) if told and not degrees else Period.RADIANS
    if degrees and len(turns) == len(degrees):
        seen = list(turning_roles(samples, seen, degrees, DEGREES, turning))
        told = [i for i in degrees if seen[i] == "angle"]
        straight = told and period_of(samples, told, in_degrees=True) is Period.NONE
        period = Period.NONE if straight else Period.RADIANS
    words = ", ".join(names[i] for i in told)
    if period is Period.NONE:
        return Angles(
            tuple(_STRAIGHT.get(role, role) for role in seen),
            (None,) * samples.dim,
            [f"{words} read as places: the rates are linear in them, and have no period"],
        )
    if period is Period.DEGREES:
        turns |= dict.fromkeys(told, DEGREES)
        remarks.append(f"{words} read in degrees: the rates have their period, not that of radians")
    if not turns:
        return Angles(None if roles is None else tuple(roles), (None,) * samples.dim, [])
    known = turning_roles(samples, roles, degrees, DEGREES, turning)
    angles = {i: turn for i, turn in turns.items() if i not in degrees or known[i] == "angle"}
    smooth = samples.unwrapped(angles)
    found = _with_the_rest(smooth, names, known, roles is None or not any(roles), angles)
    for j, unit in _units_of_rates(smooth, found, angles, list(turns)).items():
        turns[j] = unit
        remarks.append(f"{names[j]} is a rate {_COUNTED.get(unit, 'in the same unit')}")
    exact = [turns.get(i, RADIANS) for i in range(samples.dim)]
    return Angles(
        tuple(found), tuple(None if t == RADIANS else Fraction(str(t)) for t in exact), remarks
    )


def _with_the_rest(
    smooth: Samples,
    names: Sequence[str],
    known: Sequence[str | None],
    guess: bool,
    angles: Sequence[int],
) -> list[str | None]:
    """Return the roles of all columns.

    Parameters
    ----------
    smooth : Samples
        Without wraps.
    names : sequence of d str
    known : sequence of d str or None
        What is known of them.
    guess : bool
        Whether nobody gave roles.
    angles : sequence of int
    """
    smooth = smooth.averaged(list(angles))
    rates = smooth.rates()
    roles = list(known)
    if guess:
        # Angles may all be positive, and are no amounts.
        guesses = infer_roles(names, None, smooth.rows, rates)
        guesses = [None if role == "amount" else role for role in guesses]
        roles = [told or seen for told, seen in zip(known, guesses, strict=True)]
    for i in angles:
        roles[i] = "angle"
    may_be = [j for j in range(smooth.dim) if roles[j] in _MAY_BE_RATES]
    for i in angles:
        for j in _rates_of(rates[:, i], smooth.rows, may_be):
            roles[j] = "angular_velocity"
    return roles


def _units_of_rates(
    smooth: Samples,
    roles: Sequence[str | None],
    angles: dict[int, float],
    known: Sequence[int],
) -> dict[int, float]:
    """Return the turns of angular velocities that are in the unit of their angle, or in turns.

    An angle may be in degrees, and its rate in radians, or in any unit: then nothing is known.

    Parameters
    ----------
    smooth : Samples
        Without wraps.
    roles : sequence of d str or None
    angles : dict from column to the size of its turn
    known : sequence of int
        Columns whose unit is known.
    """
    out = {}
    smooth = smooth.averaged(list(angles))
    rates = smooth.rates()
    some = [j for j in range(smooth.dim) if roles[j] == "angular_velocity" and j not in known]
    for i in (i for i, turn in angles.items() if turn != RADIANS):
        for j, slope in _rates_of(rates[:, i], smooth.rows, some).items():
            units = {angles[i] / unit: unit for unit in (RADIANS, angles[i], *_COUNTED)}
            expected = min(units, key=lambda own: abs(math.log(slope / own)))
            if units[expected] != RADIANS and abs(slope / expected - 1) <= ANGLES.same_unit:
                out[j] = units[expected]
    return out


def _rates_of(rates: np.ndarray, rows: np.ndarray, among: Sequence[int]) -> dict[int, float]:
    """Return which columns are rates, and the slope of the rates against their values.

    Parameters
    ----------
    rates : (n,)
        The rate of one column.
    rows : (n, d)
    among : sequence of int
    """
    rates = rates - rates.mean()
    out = {}
    for j in among:
        values = rows[:, j] - rows[:, j].mean()
        size = math.sqrt((values @ values) * (rates @ rates))
        if size > 0 and values @ rates > DATA.rate_correlation * size:
            out[j] = float(values @ rates / (values @ values))
    return out
