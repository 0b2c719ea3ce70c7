"""Grids: columns that are fields at the points of a line, and waves to expand them in.

A field on N points is a sum of waves, u_p = Σ_k a_k B_pk, with orthonormal columns B: white noise
on the points is white noise on the amplitudes, and the derivatives of u are those of the waves. On
a ring the waves are 1, cos and sin; between walls, where the ends of the line do not meet, they are
cosines of half periods, which have no slope at either end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from discovery.criteria import FIELDS

# A field on fewer points shows no derivatives.
MIN_POINTS = 8


@dataclass(frozen=True)
class Grid:
    """Fields on the same points.

    Attributes
    ----------
    fields : tuple of F str
    columns : (F, N) array of int
        The column of each field at each point, in the points' order.
    spacing : float
        Between neighbouring points.
    walls : tuple of F bool
        Fields whose ends do not meet.
    """

    fields: tuple[str, ...]
    columns: np.ndarray
    spacing: float = 1.0
    walls: tuple[bool, ...] = ()

    @property
    def n_points(self) -> int:
        """Number of points N."""
        return self.columns.shape[1]

    def values(self, rows: np.ndarray, field: int) -> np.ndarray:
        """Return a field (n, N) from states (n, d)."""
        return rows[:, self.columns[field]]


def grid_of(names: Sequence[str], spacing: float | None = None) -> Grid:
    """Read the grid from the columns' names: u1, u2, … is the field u at the points 1, 2, ….

    Parameters
    ----------
    names : sequence of d str
        In any order.
    spacing : float, optional
        Default: 1.

    Raises
    ------
    ValueError
        For names without a number, missing points, fields on different points, too few points.
    """
    points: dict[str, dict[int, int]] = {}
    for column, name in enumerate(names):
        match = re.fullmatch(r"([^\W\d]\w*?)_?(\d+)", name)
        if match is None:
            raise ValueError(
                f"column {name!r} has the role field but no grid point. Name columns by field and "
                "point: u1, u2, … and v1, v2, … for two fields."
            )
        points.setdefault(match[1], {})[int(match[2])] = column
    first = next(iter(points.values()))
    for field, places in points.items():
        order = sorted(places)
        if order != list(range(order[0], order[0] + len(order))):
            raise ValueError(
                f"field {field!r} has no value at some points between {order[0]} and {order[-1]}. "
                "Expected every grid point once, equally spaced."
            )
        if set(places) != set(first):
            raise ValueError(
                f"field {field!r} has {len(places)} points, {next(iter(points))!r} has "
                f"{len(first)}. Expected all fields on the same grid."
            )
    if len(first) < MIN_POINTS:
        raise ValueError(
            f"field {next(iter(points))!r} has {len(first)} points. Expected at least "
            f"{MIN_POINTS}; give columns that are no field on a grid another role."
        )
    columns = np.array([[places[p] for p in sorted(places)] for places in points.values()])
    return Grid(tuple(points), columns, 1.0 if spacing is None else spacing, (False,) * len(points))


def ends_meet(values: np.ndarray, noise: float) -> bool:
    """Tell whether a field (n, N) is on a ring: its last point is a neighbour of its first."""
    steps = np.mean(np.diff(values, axis=1, append=values[:, :1]) ** 2, axis=0)
    largest = max(float(steps[:-1].max()) - 2 * noise**2, 0.0) + noise**2
    return float(steps[-1]) - 2 * noise**2 <= FIELDS.end_step**2 * largest


def waves(n_points: int, spacing: float, walls: bool, orders: int) -> np.ndarray:
    """Return orthonormal waves and their derivatives on the grid.

    Parameters
    ----------
    n_points : int
    spacing : float
    walls : bool
        Cosines of half periods instead of waves on a ring.
    orders : int
        Derivatives 0, …, orders.

    Returns
    -------
    (orders + 1, N, N) array
        ``[k, p, i]``: the k-th derivative of wave i at point p; wave 0 is constant, frequencies
        ascend.
    """
    i = np.arange(n_points)
    if walls:
        x = spacing * (np.arange(n_points) + 0.5)
        wave_number, phase = np.pi * i / (n_points * spacing), np.zeros(n_points)
    else:
        x = spacing * np.arange(n_points)
        wave_number = 2 * np.pi * ((i + 1) // 2) / (n_points * spacing)
        phase = np.where(i % 2 == 0, -np.pi / 2, 0.0) * (i > 0)
    size = np.where(i > 0, np.sqrt(2 / n_points), np.sqrt(1 / n_points))
    angle = np.outer(x, wave_number) + phase
    out = np.array(
        [
            size * wave_number**order * np.cos(angle + order * np.pi / 2)
            for order in range(orders + 1)
        ]
    )
    if not walls and n_points % 2 == 0:
        # The wave that changes sign from point to point has no slope that the points could show.
        out[0, :, -1] /= np.sqrt(2)
        out[1:, :, -1] = 0.0
    return out


def frequencies(n_waves: int, walls: bool) -> list[np.ndarray]:
    """Return the waves of each frequency: on a ring its cosine and its sine."""
    if walls:
        return [np.array([i]) for i in range(n_waves)]
    return [np.array([0])] + [np.arange(i, min(i + 2, n_waves)) for i in range(1, n_waves, 2)]
