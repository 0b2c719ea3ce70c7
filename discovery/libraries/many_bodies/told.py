"""What a user says of the bodies: how many there are, and the periodic box that they are in."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral

import numpy as np

from discovery.data.coordinates import MOMENTA, group_bodies, infer_roles
from discovery.libraries.many_bodies.bodies import MOST_AXES, Bodies

# What users may pass as ``box=``: a length for all axes, or one for each.
BoxLike = float | Sequence[float] | np.ndarray | None


@dataclass(frozen=True)
class Told:
    """Bodies that were told.

    Attributes
    ----------
    groups : tuple of tuples of int
        Columns of each body's place, in their order; empty where names tell.
    periods : tuple of d float
        Length of the box along each column of a place; 0 for others, and where there is none.
    """

    groups: tuple[tuple[int, ...], ...]
    periods: tuple[float, ...]

    @property
    def in_box(self) -> bool:
        """Whether the bodies are in a periodic box."""
        return any(self.periods)

    def unrolled(self, rows: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """Return rows (n, d) in which places go on where a body leaves the box.

        Parameters
        ----------
        rows : (n, d) array
            Places inside the box, or already unrolled.
        offsets : (runs + 1,) array of int
        """
        rows = rows.copy()
        for column in np.flatnonzero(self.periods):
            for a, b in itertools.pairwise(offsets):
                rows[a:b, column] = np.unwrap(rows[a:b, column], period=self.periods[column])
        return rows

    def bodies(
        self,
        names: Sequence[str],
        roles: Sequence[str | None],
        unit: np.ndarray,
        rows: np.ndarray,
        rates: np.ndarray | None,
    ) -> Bodies | None:
        """Return the bodies in these columns; None where roles tell none.

        Parameters
        ----------
        names, roles : sequences of length d
        unit : (d,) array
            Unit of each column in which the rows are.
        rows : (n, d) array
        rates : (n, d) array or None
        """
        periods = tuple(p / abs(u) for p, u in zip(self.periods, unit, strict=True))
        roles = infer_roles(names, roles, rows, rates)
        return Bodies.seen(names, roles, rows, rates, fewest=2, periods=periods, groups=self.groups)


def told_bodies(
    number: int | None,
    box: BoxLike,
    names: Sequence[str],
    roles: Sequence[str | None] | None,
) -> Told | None:
    """Return what was told of bodies, or None.

    Parameters
    ----------
    number : int or None
        How many bodies there are.
    box : float, sequence of float or None
        The length of a periodic box, or one for each axis.
    names, roles : sequences of length d, or None

    Raises
    ------
    ValueError
        For numbers of bodies that do not divide the columns of places, lengths that are not
        positive or not one an axis, and columns of which none is known to be a place.
    """
    if number is None and box is None:
        return None
    roles = infer_roles(names, roles, -np.ones((1, len(names))))
    places = [i for i, role in enumerate(roles) if role == "position"]
    momenta = [i for i, role in enumerate(roles) if role in MOMENTA]
    if not places or (momenta and len(momenta) != len(places)):
        raise ValueError(
            f"bodies= and box= need the columns of places and as many velocities or momenta; "
            f"known are {len(places)} places and {len(momenta)} velocities. Pass roles= with "
            "'position' and 'velocity' (or 'momentum')."
        )
    groups, named = _grouped(number, [names[i] for i in places])
    axes = dict(sorted((i, axis) for group in groups for axis, i in enumerate(group)))
    periods = _periods(box, places, list(axes.values()), len(names))
    return Told(() if named else tuple(tuple(places[i] for i in g) for g in groups), periods)


def _grouped(number: int | None, names: Sequence[str]) -> tuple[list[list[int]], bool]:
    """Return the places of each body, and whether names tell whose they are."""
    groups = group_bodies(names, list(range(len(names))))
    size = len(groups[0])
    alike = all(len(group) == size for group in groups)
    if number is not None:
        if isinstance(number, bool) or not isinstance(number, Integral) or number < 1:
            raise ValueError(f"bodies: received {number!r}. Expected how many there are.")
        share, rest = divmod(len(names), number)
        if rest or not 1 <= share <= MOST_AXES:
            raise ValueError(
                f"bodies: received {number}, and there are {len(names)} columns of places. "
                f"Expected a number of bodies that each have 1 to {MOST_AXES} of them."
            )
        if not (alike and size == share):
            # Of numbered columns of one letter the motion tells the axes.
            groups = [list(range(k, k + share)) for k in range(0, len(names), share)]
            return groups, alike and size == 1
    if not alike or size > MOST_AXES:
        raise ValueError(
            f"box: the names {', '.join(names)} do not tell which columns are whose. Name them "
            "x1, y1, x2, y2 ..., or pass bodies= with how many there are."
        )
    return groups, True


def _periods(
    box: BoxLike, places: Sequence[int], axes: Sequence[int], dim: int
) -> tuple[float, ...]:
    out = [0.0] * dim
    if box is None:
        return tuple(out)
    try:
        lengths = np.asarray(np.nan if isinstance(box, (bool, str)) else box, dtype=float)
    except (TypeError, ValueError):
        lengths = np.array([np.nan])
    if lengths.ndim > 1 or not lengths.size or not np.all(np.isfinite(lengths) & (lengths > 0)):
        raise ValueError(
            f"box: received {box!r}. Expected a positive length, or one for each axis."
        )
    count = max(axes) + 1
    if lengths.ndim == 1 and len(lengths) != count:
        raise ValueError(
            f"box: received {len(lengths)} lengths, and places have {count} axes. Expected one "
            "length, or one for each axis."
        )
    lengths = np.broadcast_to(lengths, count)
    for place, axis in zip(places, axes, strict=True):
        out[place] = float(lengths[axis])
    return tuple(out)
