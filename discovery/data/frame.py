"""Frame: the units and the origin in which runs are analysed, so that a user's do not matter.

    x = c + σ x′,   t = t₀ + τ t′

c is a round number near values that lie far from zero, and zero elsewhere; σ and τ are powers of
ten, so that exact coefficients stay exact, with σ negative where a coordinate is negative. Data of
ordinary size and place are analysed as they are. Coordinates of one role and one size share their
unit, or a circle would become an ellipse; those whose values lie close together share their origin,
or differences would change. An angle has an origin of its own and no unit but radians: of one with
a turn A in the user's unit, and of its rate, σ is 10^k A / 2π.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse.csgraph import connected_components

from discovery.criteria import DATA, LIBRARIES
from discovery.data.coordinates import (
    POSITIONS,
    are_fields,
    field_of,
    group_bodies,
    role_of_name,
)
from discovery.data.trajectories import Trajectories

# Decades from 1 within which a spread, or a duration, is of ordinary size.
_ORDINARY, _ORDINARY_TIME = 1.5, 4.0
# Percent of the values at either end that may be wrong.
_TAIL = 4
# Roles of coordinates that may be amounts.
_MIRRORED = ("amount", "other", None)


@dataclass(frozen=True)
class Frame:
    """An affine chart of each coordinate and of time.

    Attributes
    ----------
    centre : tuple of d Fraction
        c of each coordinate.
    exponent : tuple of d int
        Power of ten that is the size of σ.
    mirrored : tuple of d bool
        Where σ is negative.
    time_exponent : int
        Power of ten that is τ.
    from_start : bool
        Whether t₀ is each run's first time; else it is zero.
    turns : tuple of d Fraction or None, or empty
        The turn A of what is an angle, or its rate, in another unit than radians.
    """

    centre: tuple[Fraction, ...]
    exponent: tuple[int, ...]
    mirrored: tuple[bool, ...]
    time_exponent: int = 0
    from_start: bool = False
    turns: tuple[Fraction | None, ...] = ()

    @classmethod
    def of(
        cls,
        runs: Trajectories,
        moved: Sequence[int] | None = None,
        turns: tuple[Fraction | None, ...] = (),
    ) -> Frame:
        """Choose the frame of runs.

        Parameters
        ----------
        runs : Trajectories
        moved : sequence of int, optional
            The columns whose origin and sign may be others than the user's: all by default.
        turns : tuple of d Fraction or None, optional
            The turn of what is an angle, or its rate, in another unit than radians.
        """
        d = runs.dim
        rows = runs.rows / _radians(turns, d)
        roles = list(runs.roles or [None] * d)
        moved = range(d) if moved is None else moved
        moved = [i for i in moved if not (turns and turns[i])]
        if are_fields(roles):
            return cls.of_fields(runs, len(moved) > 0)
        centre, exponent, mirrored = [Fraction(0)] * d, [0] * d, [False] * d
        middle, spread = _middle_and_spread(rows)
        free = [i for i in range(d) if roles[i] not in ("angle", "field") and spread[i] > 0]
        sizes = _of_one_size(spread, roles, free)
        for group in sizes:
            for i in group:
                exponent[i] = _power_of_ten(spread[group])
        places = (
            _of_one_place(middle, spread, roles, [i for i in size if i in moved]) for size in sizes
        )
        for group in itertools.chain(*places):
            origin = _origin(rows[:, group])
            for i in group:
                centre[i] = origin
                # As many must be of one sign for a logarithm to be taken.
                negative = not origin and np.mean(rows[:, i] < 0) >= LIBRARIES.positive_share
                mirrored[i] = bool(negative and roles[i] in _MIRRORED)
        time = _time(runs)
        turns = turns if any(turns) else ()
        return cls(tuple(centre), tuple(exponent), tuple(mirrored), *time, turns)

    @classmethod
    def of_fields(cls, runs: Trajectories, scaled: bool = True) -> Frame:
        """Choose the frame of fields: a unit for all points of a field, and no other origin.

        So for the coordinates beside them, but what may be a place stays in the unit of the grid.

        Parameters
        ----------
        runs : Trajectories
        scaled : bool
            Whether the units may be others than the user's.
        """
        fields = [
            field_of(name) if role == "field" else name
            for name, role in zip(runs.names, runs.roles, strict=True)
        ]
        points = {f: [i for i, own in enumerate(fields) if own == f] for f in fields}
        spread = {f: _middle_and_spread(runs.rows[:, own].ravel())[1] for f, own in points.items()}
        exponent = {f: 0 for f in fields}
        kinds = {f: runs.roles[own[0]] or role_of_name(f) for f, own in points.items()}
        moving = [f for f in points if scaled and spread[f] > 0 and kinds[f] not in POSITIONS]
        for group in _of_one_size(spread, dict.fromkeys(fields), moving):
            for f in group:
                exponent[f] = _power_of_ten([spread[own] for own in group])
        d = runs.dim
        return cls(
            (Fraction(0),) * d, tuple(exponent[f] for f in fields), (False,) * d, *_time(runs)
        )

    @property
    def is_identity(self) -> bool:
        """Whether the coordinates are the user's own, whatever the time."""
        moved = any(self.centre) or any(self.exponent) or any(self.mirrored)
        return not (moved or any(self.turns))

    @property
    def unit(self) -> np.ndarray:
        """σ of each coordinate, (d,)."""
        size = np.array([float(f"1e{k}") for k in self.exponent])
        size = size * _radians(self.turns, len(size))
        return np.where(self.mirrored, -size, size)

    @property
    def origin(self) -> np.ndarray:
        """The origin c of each coordinate, (d,)."""
        return np.array([float(c) for c in self.centre])

    @property
    def zeros(self) -> tuple[Fraction, ...]:
        """Where the user's origin is in the frame, of columns that are no angles."""
        sizes = [
            Fraction(10) ** k * (-1) ** m for k, m in zip(self.exponent, self.mirrored, strict=True)
        ]
        return tuple(-c / size for c, size in zip(self.centre, sizes, strict=True))

    @property
    def time_unit(self) -> float:
        """The size of τ."""
        return float(f"1e{self.time_exponent}")

    def inside(self, states: np.ndarray) -> np.ndarray:
        """Return x′ of states x (..., d)."""
        return (states - self.origin) / self.unit

    def outside(self, states: np.ndarray) -> np.ndarray:
        """Return x of states x′ (..., d)."""
        return self.origin + self.unit * states

    @property
    def far(self) -> list[list[int]]:
        """Columns that have another origin than the user's, those of one origin together."""
        away = {c: [i for i, own in enumerate(self.centre) if own == c] for c in self.centre if c}
        return list(away.values())

    def near(
        self, states: np.ndarray, names: Sequence[str], roles: Sequence[str | None]
    ) -> list[list[int]]:
        """Return the columns of places and velocities about the user's origin.

        Of several bodies those whose values lie close are together, as in `of`.

        Parameters
        ----------
        states : (n, d) array
            In the frame.
        names : sequence of d str
        roles : sequence of d str or None
        """
        middle, spread = _middle_and_spread(states)
        kinds = ("position", "velocity", "momentum")
        turning = self.turns or (None,) * len(roles)
        columns = [
            i
            for i, role in enumerate(roles)
            if role in kinds and not self.centre[i] and not turning[i]
        ]
        places = [i for i in columns if roles[i] == "position"]
        if len(group_bodies([names[i] for i in places], places)) < 2:
            return [[i] for i in columns]
        return _of_one_place(middle, spread, roles, columns)

    def moved(
        self, shift: np.ndarray, tolerance: np.ndarray, columns: Sequence[int] | None = None
    ) -> Frame:
        """Return the frame with other origins of some columns.

        Parameters
        ----------
        shift : (d,) array
            From the origin, in the frame's units.
        tolerance : (d,) array
            How well it is known.
        columns : sequence of int, optional
            By default those of which the origin is not the user's.
        """
        centre = list(self.centre)
        for i in itertools.chain(*self.far) if columns is None else columns:
            size = abs(self.unit[i])
            place = float(self.centre[i]) + self.unit[i] * shift[i]
            centre[i] = _roundest(place, size * tolerance[i])
        return replace(self, centre=tuple(centre))

    def of_columns(self, columns: Sequence[int]) -> Frame:
        """Return the frame of some of the columns."""
        parts = (self.centre, self.exponent, self.mirrored)
        parts = (tuple(part[i] for i in columns) for part in parts)
        turns = tuple(self.turns[i] for i in columns) if self.turns else ()
        return Frame(*parts, self.time_exponent, self.from_start, turns)

    def among(self, part: Frame, columns: Sequence[int]) -> Frame:
        """Return this frame with the origins of some columns taken from their own frame.

        Parameters
        ----------
        part : Frame
            Of the d given columns.
        columns : sequence of d int
        """
        centre = dict(enumerate(self.centre)) | dict(zip(columns, part.centre, strict=True))
        return replace(self, centre=tuple(centre.values()))

    def runs(self, runs: Trajectories) -> Trajectories:
        """Return the same runs in this frame."""
        times = runs.row_times
        if self.from_start:
            times = times - np.repeat(times[runs.offsets[:-1]], runs.lengths)
        if self.time_exponent:
            times = times / self.time_unit
        if self.is_identity and times is runs.row_times:
            return runs
        rows = runs.rows if self.is_identity else self.inside(runs.rows)
        framed = with_rows(runs, rows, times)
        if runs.formed is not None:
            framed.formed = runs.formed.inside(self.origin, self.unit)
        return framed

    def runs_outside(self, runs: Trajectories) -> Trajectories:
        """Return runs of this frame in the user's units; times that count from a start stay so."""
        if self.is_identity and not self.time_exponent:
            return runs
        back = with_rows(runs, self.outside(runs.rows), runs.row_times * self.time_unit)
        if runs.formed is not None:
            back.formed = runs.formed.inside(-self.origin / self.unit, 1 / self.unit)
        return back


def with_rows(runs: Trajectories, rows: np.ndarray, times: np.ndarray) -> Trajectories:
    """Return runs with other states at other times.

    Parameters
    ----------
    runs : Trajectories
    rows : (n, d) array
    times : (n,) array
    """
    cuts = runs.offsets[1:-1]
    changed = Trajectories(
        states=np.split(rows, cuts),
        times=np.split(times, cuts),
        names=runs.names,
        roles=runs.roles,
        run_ids=runs.run_ids,
        grid_spacing=runs.grid_spacing,
    )
    changed.name, changed.equations = runs.name, runs.equations
    return changed


def _radians(turns: Sequence[Fraction | None], dim: int) -> np.ndarray:
    """Return the size of a radian in each column's unit, (d,); 1 for what does not turn."""
    if not turns:
        return np.ones(dim)
    return np.array([1.0 if turn is None else float(turn) / (2 * math.pi) for turn in turns])


def _middle_and_spread(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the middle and the size of columns, as nearly all values tell: a few may be wrong."""
    low, high = np.percentile(rows, (_TAIL, 100 - _TAIL), axis=0)
    spread = (high - low) / 3
    return (low + high) / 2, np.where(spread > 0, spread, rows.std(axis=0))


def _power_of_ten(spreads: ArrayLike) -> int:
    """Return the exponent of the unit of coordinates with the given spreads."""
    size = float(np.mean(np.log10(spreads)))
    return round(size) if abs(size) > _ORDINARY else 0


def _of_one_size(
    spread: Mapping[Hashable, float] | np.ndarray,
    roles: Mapping[Hashable, str | None] | Sequence[str | None],
    columns: Sequence[Hashable],
) -> list[list]:
    """Return the columns that share a unit: chains of spreads of one size."""

    def alike(i: Hashable, j: Hashable) -> bool:
        decades = abs(math.log10(spread[i]) - math.log10(spread[j]))
        return decades <= (DATA.one_size if roles[i] == roles[j] else DATA.near_size)

    return _chains(columns, alike)


def _of_one_place(
    middle: np.ndarray, spread: np.ndarray, roles: Sequence[str | None], columns: Sequence[int]
) -> list[list[int]]:
    """Return the columns that share an origin: those of one role whose values lie close.

    Of columns of one size only: a difference of others is one of them.
    """

    def alike(i: int, j: int) -> bool:
        close = abs(middle[i] - middle[j]) <= DATA.far * max(spread[i], spread[j])
        return roles[i] == roles[j] and bool(close)

    return _chains(columns, alike)


def _chains(columns: Sequence[Hashable], alike: Callable[[Hashable, Hashable], bool]) -> list[list]:
    """Return the columns in groups: those that are alike, directly or through others."""
    links = np.array([[alike(i, j) for j in columns] for i in columns], dtype=bool)
    _, label = connected_components(links.reshape(len(columns), len(columns)), directed=False)
    return [
        [i for i, own in zip(columns, label, strict=True) if own == k] for k in np.unique(label)
    ]


def _origin(values: np.ndarray) -> Fraction:
    """Return the roundest number within a spread of the middle of values far from zero; else 0."""
    middle, spread = map(float, _middle_and_spread(values.ravel()))
    return _roundest(middle, spread) if abs(middle) > DATA.far * spread else Fraction(0)


def _roundest(value: float, tolerance: float) -> Fraction:
    """Return the decimal number of fewest digits within a tolerance of a value."""
    power = math.ceil(math.log10(max(abs(value), tolerance)))
    while True:
        step = Fraction(10) ** power
        nearest = round(Fraction(value) / step) * step
        if abs(float(nearest - Fraction(value))) <= tolerance:
            return nearest
        power -= 1


def _time(runs: Trajectories) -> tuple[int, bool]:
    """Return the exponent of time's unit, and whether it starts anew with each run."""
    starts, ends = runs.row_times[runs.offsets[:-1]], runs.row_times[runs.offsets[1:] - 1]
    duration = float(np.median(ends - starts))
    if duration <= 0:
        return 0, False
    size = math.log10(duration)
    exponent = round(size) if abs(size) > _ORDINARY_TIME else 0
    return exponent, bool(np.abs(starts).max() > DATA.far * duration)
