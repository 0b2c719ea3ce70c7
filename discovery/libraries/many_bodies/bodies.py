"""Bodies: which columns are whose, along which axis."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from discovery.data.coordinates import MOMENTA, group_bodies

# Fewer columns are searched with a free coefficient for every body and pair.
FEWEST_COLUMNS = 16
# Axes of space.
MOST_AXES = 3


@dataclass(frozen=True)
class Bodies:
    """N bodies along D axes.

    Attributes
    ----------
    names : tuple of d str
        All columns.
    positions, momenta : (D, N) tuples of tuples of int
        Columns of each body's place and of its velocity, or momentum, axis by axis.
    of_momenta : bool
        Whether the latter are momenta.
    periods : tuple of d float, or empty
        Length of a periodic box along each column of a place; 0 where there is none.
    """

    names: tuple[str, ...]
    positions: tuple[tuple[int, ...], ...]
    momenta: tuple[tuple[int, ...], ...]
    of_momenta: bool
    periods: tuple[float, ...] = ()
    name = "many bodies"
    terms = ("many bodies",)

    def __len__(self) -> int:
        return self.number

    @property
    def number(self) -> int:
        """Number of bodies N."""
        return len(self.positions[0])

    @property
    def axes(self) -> int:
        """Number of axes D."""
        return len(self.positions)

    @property
    def box(self) -> tuple[float, ...]:
        """Lengths of the periodic box along each axis; empty where there is none."""
        lengths = tuple(self.periods[axis[0]] for axis in self.positions) if self.periods else ()
        return lengths if all(lengths) else ()

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """All pairs of bodies."""
        return list(itertools.combinations(range(self.number), 2))

    @classmethod
    def seen(
        cls,
        names: Sequence[str],
        roles: Sequence[str | None],
        rows: np.ndarray,
        rates: np.ndarray | None = None,
        *,
        fewest: int = FEWEST_COLUMNS,
        periods: tuple[float, ...] = (),
        groups: Sequence[Sequence[int]] = (),
    ) -> Bodies | None:
        """Return the bodies that roles and names tell, or None.

        Parameters
        ----------
        names, roles : sequences of length d
        rows : (n, d) array
        rates : (n, d) array, optional
            Time derivatives at the rows: they tell whose velocity is whose, else the order does.
        fewest : int
            Columns that there must be at least.
        periods : tuple of d float
            As in the attributes.
        groups : sequence of sequences of int
            Columns of each body's place, where names do not tell.
        """
        positions = [i for i, role in enumerate(roles) if role == "position"]
        momenta = [i for i, role in enumerate(roles) if role in MOMENTA]
        if len(names) < fewest or len(positions) != len(momenta):
            return None
        if 2 * len(positions) != len(names):
            return None
        own = _paired(positions, momenta, rows, rates)
        groups = groups or group_bodies([names[i] for i in positions], positions)
        size = len(groups[0])
        if size > MOST_AXES or any(len(group) != size for group in groups):
            return None
        axes = tuple(zip(*groups, strict=True))
        return cls(
            tuple(names),
            axes,
            tuple(tuple(own[i] for i in axis) for axis in axes),
            all(roles[i] == "momentum" for i in momenta),
            periods,
        )

    def along(self, axes: Sequence[Sequence[int]]) -> Bodies | None:
        """Return the same columns as bodies along the given axes, or None where they are not such.

        Parameters
        ----------
        axes : sequence of sequences of int
            Columns of momenta along each axis, all bodies in one order.
        """
        place = dict(zip(sum(self.momenta, ()), sum(self.positions, ()), strict=True))
        columns = sorted(itertools.chain(*axes))
        alike = len({len(axis) for axis in axes}) == 1 and 1 < len(axes) <= MOST_AXES
        if not alike or columns != sorted(place):
            return None
        return replace(
            self,
            positions=tuple(tuple(place[i] for i in axis) for axis in axes),
            momenta=tuple(tuple(axis) for axis in axes),
        )


def _paired(
    positions: Sequence[int],
    momenta: Sequence[int],
    rows: np.ndarray,
    rates: np.ndarray | None,
) -> dict[int, int]:
    """Return the velocity of each position: the one that its rate goes with, or the next."""
    if rates is not None:
        both = np.corrcoef(rates[:, positions], rows[:, momenta], rowvar=False)
        best = np.argmax(both[: len(positions), len(positions) :], axis=1)
        if len(set(best)) == len(momenta):
            return {i: momenta[j] for i, j in zip(positions, best, strict=True)}
    return dict(zip(positions, momenta, strict=True))
