"""Half lines: where a function of a coordinate is defined, as log(5 − x) below 5."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class HalfLine:
    """The values x of a coordinate with ``limit + sign * x > 0``.

    Attributes
    ----------
    column : int
        Of the coordinate.
    limit : float
    sign : {1, -1}
    """

    column: int
    limit: float = 0.0
    sign: int = 1

    def inside(self, states: np.ndarray) -> np.ndarray:
        """Return how far inside of it states (n, d) are, (n,)."""
        return self.limit + self.sign * states[:, self.column]

    def of(self, column: int) -> Column:
        """Return the same of another column."""
        return HalfLine(column, self.limit, self.sign)


# A column that must be positive, or else.
Column = int | HalfLine


def half_lines(columns: Iterable[Column]) -> list[HalfLine]:
    """Return half lines, the positive one where a column is given by its number."""
    return [some if isinstance(some, HalfLine) else HalfLine(int(some)) for some in columns]
