"""What pictures share: colours that can be seen on light and on dark ground, and names of axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# A property of matplotlib's lines: a colour, a marker, a width.
LineProperty: TypeAlias = str | float | Sequence[float] | None

# Of runs, from the least to the greatest value of a law: one lightness, blue to orange.
COLORS = ("#3986e4", "#8771de", "#af62c1", "#ca5794", "#d5565d", "#cd632d")
FIRST, LAST = "blue", "orange"


def label_axes(ax: Axes, x: str, y: str) -> None:
    """Name the axes; a name from a user's file is no mathematics, whatever it holds.

    Parameters
    ----------
    ax : matplotlib Axes
    x, y : str
    """
    ax.set_xlabel(x, parse_math=False)
    ax.set_ylabel(y, parse_math=False)


def axes_of(ax: Axes | Sequence[Axes] | None, n: int | None = 1) -> list[Axes | None]:
    """Return axes to draw on; None for each where a new figure is wanted.

    Parameters
    ----------
    ax : matplotlib Axes, one or several, or None
    n : int, optional
        How many are wanted; by default as many as there are.

    Raises
    ------
    ValueError
        For what are no axes, and for another number of them.
    """
    given = list(np.ravel(np.array(ax, dtype=object)))
    if ax is None or (len(given) == (n or len(given)) and all(hasattr(a, "plot") for a in given)):
        return given
    count = "Axes of matplotlib" if n is None else f"{n} Axes of matplotlib"
    raise ValueError(f"ax is {ax!r}. Expected {count}, as of plt.subplots().")


def with_unit(name: str, unit: str) -> str:
    """Return the name of an axis: ``x (m)``."""
    return f"{name} ({unit})" if unit else name


def colors_of(n: int) -> list[str]:
    """Return the colours of so many runs, the first and the last as far apart as they go."""
    last = len(COLORS) - 1
    return [COLORS[round(k * last / max(n - 1, 1))] for k in range(n)]
