"""Grids: columns that are fields at the points of a line, of a rectangle, or of a box."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from discovery.criteria import FIELDS
from discovery.data.coordinates import POSITIONS, role_of_name
from discovery.data.gridded import FEWEST_POINTS
from discovery.pde.basis import Basis, Ends

# Letters of the axes, the last of a grid's shape first.
MAX_AXES = 3


@dataclass(frozen=True)
class Grid:
    """Fields on the same points, and the coordinates beside them.

    Attributes
    ----------
    fields : tuple of F str
    columns : (F, N) array of int
        The column of each field at each point, the points in C order (the last axis fastest).
    shape : tuple of D int
        Points along each axis, (…, ny, nx).
    spacings : tuple of D float
        Between neighbouring points along each axis.
    walls : tuple of F tuples of D Ends
        What holds at the ends of each axis, for each field.
    beside : tuple of Z int
        The columns that are no fields.
    places : tuple of int
        Which of these are places on the line, from its first point on.
    """

    fields: tuple[str, ...]
    columns: np.ndarray
    shape: tuple[int, ...]
    spacings: tuple[float, ...]
    walls: tuple[tuple[Ends, ...], ...]
    beside: tuple[int, ...] = ()
    places: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        shapes = (self.columns.shape, len(self.spacings), {len(own) for own in self.walls})
        if shapes != ((len(self.fields), math.prod(self.shape)), self.n_axes, {self.n_axes}):
            raise ValueError(
                f"a grid of shape {self.shape} has columns of shape {self.columns.shape}, "
                f"{len(self.spacings)} spacings and {self.walls} for walls. Expected (fields, "
                "points), and a spacing and a wall for each axis."
            )

    @property
    def n_points(self) -> int:
        """Number of points N."""
        return self.columns.shape[1]

    @property
    def n_axes(self) -> int:
        """Number of axes D."""
        return len(self.shape)

    @property
    def dim(self) -> int:
        """Number of columns d."""
        return self.columns.size + len(self.beside)

    @property
    def cell(self) -> float:
        """What a point stands for: the product of the spacings."""
        return math.prod(self.spacings)

    @property
    def weights(self) -> np.ndarray | float:
        """What each point counts in an integral over cells, (N,); 1 if all count alike.

        Walls are where a field that is fixed shows them to be.
        """
        fixed = [max(own) for own in zip(*self.walls, strict=True)]
        if all(ends.beyond == 0.5 or ends == Ends.RING for ends in map(Ends, fixed)):
            return 1.0
        along = [Ends(e).weights(n) for e, n in zip(fixed, self.shape, strict=True)]
        return functools.reduce(np.multiply.outer, along).ravel()

    @property
    def longest(self) -> float:
        """Length of the longest side."""
        return max(n * h for n, h in zip(self.shape, self.spacings, strict=True))

    def values(self, rows: np.ndarray, field: int) -> np.ndarray:
        """Return a field (n, N) from states (n, d)."""
        return rows[:, self.columns[field]]

    def lines(self, fields: Sequence[int] | None = None) -> Iterator[np.ndarray]:
        """Yield the columns (nx,) of each line along the last axis.

        Parameters
        ----------
        fields : sequence of int, optional
            All of them by default.
        """
        chosen = self.columns if fields is None else self.columns[list(fields)]
        yield from chosen.reshape(-1, self.shape[-1])

    def bases(self) -> tuple[Basis, ...]:
        """Return all the waves of each field."""
        return tuple(Basis(self.shape, self.spacings, walls) for walls in self.walls)

    def scaled(self, length: float) -> Grid:
        """Return the grid in another unit of length.

        Parameters
        ----------
        length : float
        """
        return replace(self, spacings=tuple(h / length for h in self.spacings))

    def walls_of(self, values: np.ndarray, noise: float) -> tuple[Ends, ...]:
        """Tell what holds at the ends of each axis.

        Parameters
        ----------
        values : (n, N) array
        noise : float
            Its standard deviation.
        """
        values = values.reshape(-1, *self.shape)
        lines = (
            np.moveaxis(values, axis + 1, -1).reshape(-1, n) for axis, n in enumerate(self.shape)
        )
        return tuple(ends_of(line, noise) for line in lines)


def grid_of(
    names: Sequence[str],
    spacing: float | tuple[float, ...] | None = None,
    roles: Sequence[str | None] | None = None,
) -> Grid:
    """Read the grid from the columns' names.

    u1, u2, … is the field u at the points 1, 2, … of a line; u3_12 is it at the twelfth point of
    the third line of a rectangle, and u2_3_12 in the second layer of a box.

    Parameters
    ----------
    names : sequence of d str
        In any order.
    spacing : float or tuple of float, optional
        The same along all axes, or one for each in the order of the numbers in the names. Default:
        1.
    roles : sequence of d str or None, optional
        Those that are no fields are coordinates beside them; on a line a position, or an angle, is
        a place on it. By default all are fields.

    Raises
    ------
    ValueError
        For names without a number, missing points, fields on different points, too few points,
        spacings that are not as many as the axes.
    """
    roles = ["field"] * len(names) if roles is None else roles
    beside = tuple(i for i, role in enumerate(roles) if role != "field")
    if beside:
        own = [i for i, role in enumerate(roles) if role == "field"]
        grid = grid_of([names[i] for i in own], spacing)
        kinds = [roles[i] or role_of_name(names[i]) for i in beside]
        places = [k for k, kind in enumerate(kinds) if kind in POSITIONS and grid.n_axes == 1]
        columns = np.array(own)[grid.columns]
        return replace(grid, columns=columns, beside=beside, places=tuple(places))
    points = _points(names, len(spacing) if isinstance(spacing, tuple) else None)
    first_field, first = next(iter(points.items()))
    shape = ()
    for field, places in points.items():
        if set(places) != set(first):
            raise ValueError(
                f"field {field!r} has {len(places)} points, {first_field!r} has "
                f"{len(first)}. Expected all fields on the same grid."
            )
        order = sorted(places)
        low, high = np.min(order, axis=0), np.max(order, axis=0)
        shape = tuple((high - low + 1).tolist())
        if math.prod(shape) != len(order):
            raise ValueError(
                f"field {field!r} has no value at some points between {_written(low)} and "
                f"{_written(high)}. Expected every grid point once, equally spaced."
            )
    if min(shape) < FEWEST_POINTS:
        along = "" if len(shape) == 1 else " along an axis"
        raise ValueError(
            f"field {first_field!r} has {min(shape)} points{along}. Expected at least "
            f"{FEWEST_POINTS}; give columns that are no field on a grid another role."
        )
    spacings = spacing if isinstance(spacing, tuple) else (spacing or 1.0,) * len(shape)
    columns = np.array([[places[p] for p in sorted(places)] for places in points.values()])
    walls = ((Ends.RING,) * len(shape),) * len(points)
    return Grid(tuple(points), columns, shape, spacings, walls)


def _points(names: Sequence[str], n_axes: int | None) -> dict[str, dict[tuple[int, ...], int]]:
    """Return the column of each field at each point.

    Of a name with several numbers they may all be of the point, or the first may belong to the
    field's name: u1_7 is the field u in a plane, or u1 on a line. Where nothing tells the number of
    axes, it is the largest for which the points fill a grid of some size.
    """
    if n_axes is not None:
        return _read(names, n_axes)
    for axes in range(MAX_AXES, 1, -1):
        if all(_pattern(axes).fullmatch(name) for name in names):
            read = _read(names, axes)
            if all(_fills(list(places)) for places in read.values()):
                return read
    return _read(names, 1)


def _fills(points: list[tuple[int, ...]]) -> bool:
    """Tell whether points fill a grid that shows derivatives along every axis."""
    shape = np.ptp(points, axis=0) + 1
    return bool(shape.min() >= FEWEST_POINTS and np.prod(shape) == len(points))


def _read(names: Sequence[str], n_axes: int) -> dict[str, dict[tuple[int, ...], int]]:
    points: dict[str, dict[tuple[int, ...], int]] = {}
    for column, name in enumerate(names):
        match = _pattern(n_axes).fullmatch(name)
        if match is None:
            expected = "u1, u2, … and v1, v2, … for two fields"
            if n_axes > 1:
                expected = f"u{_written([3] * (n_axes - 1) + [12])}, … for {n_axes} axes"
            raise ValueError(
                f"column {name!r} has the role field but no grid point. Name columns by field and "
                f"point: {expected}."
            )
        field, *place = match.groups()
        points.setdefault(field, {})[tuple(map(int, place))] = column
    return points


def _pattern(n_axes: int) -> re.Pattern:
    return re.compile(r"([^\W\d]\w*?)_?(\d+)" + r"_(\d+)" * (n_axes - 1))


def _written(point: Sequence[int]) -> str:
    return "_".join(map(str, point))


def ends_of(values: np.ndarray, noise: float) -> Ends:
    """Tell what holds at the ends of a line.

    Parameters
    ----------
    values : (n, N) array
    noise : float
        Standard deviation.
    """
    for ends in (Ends.FIXED_ON, Ends.FIXED_HALF, Ends.FIXED_BEYOND):
        if _is_fixed(values, noise, ends) and _is_fixed(values[:, ::-1], noise, ends):
            return ends
    return Ends.RING if ends_meet(values, noise) else Ends.WALLS


def _is_fixed(values: np.ndarray, noise: float, ends: Ends) -> bool:
    """Tell whether the first value is that of an odd cubic about the wall, through the next two."""
    at = ends.beyond + np.arange(3)
    weights = np.linalg.solve([at[1:], at[1:] ** 3], [at[0], at[0] ** 3])
    first, second, third = values[:, :3].T
    misfit = first - weights[0] * second - weights[1] * third
    noise_share, error = noise**2, np.sqrt(2 / len(values))
    bound = np.mean(misfit**2) - noise_share * (1 + weights @ weights) * (1 - 2 * error)
    step = np.mean((second - first) ** 2) - 2 * noise_share * (1 + 2 * error)
    return bool(step > 0 and bound <= FIELDS.fixed_end**2 * step)


def ends_meet(values: np.ndarray, noise: float) -> bool:
    """Tell whether a field (n, N) is on a ring: its last point is a neighbour of its first."""
    steps = np.mean(np.diff(values, axis=1, append=values[:, :1]) ** 2, axis=0)
    largest = max(float(steps[:-1].max()) - 2 * noise**2, 0.0) + noise**2
    return float(steps[-1]) - 2 * noise**2 <= FIELDS.end_step**2 * largest
