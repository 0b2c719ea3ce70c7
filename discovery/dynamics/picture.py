"""The picture of a forecast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from discovery.data.trajectories import Trajectories

_MEASURED, _AHEAD = "#3986e4", "#cd632d"


class ForecastDisplay:
    """A window of a run, and how it goes on, with a band of two standard errors.

    Parameters
    ----------
    names : sequence of d str
    units : sequence of d str
    measured : (times (k,), states (k, d))
    ahead : (times (m,), states (m, d), standard errors (m, d))

    Attributes
    ----------
    axes_ : list of d matplotlib Axes
    figure_ : matplotlib Figure
    """

    def __init__(
        self,
        *,
        names: Sequence[str],
        units: Sequence[str],
        measured: tuple[np.ndarray, np.ndarray],
        ahead: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> None:
        self.names = tuple(names)
        self.units = tuple(units)
        self.measured = measured
        self.ahead = ahead

    @classmethod
    def of(
        cls,
        runs: Trajectories,
        measured: tuple[ArrayLike, ArrayLike],
        ahead: tuple[ArrayLike, np.ndarray, np.ndarray],
    ) -> ForecastDisplay:
        """Return the display of a forecast, not drawn.

        Parameters
        ----------
        runs : Trajectories
            Their names and units.
        measured : (times (k,), states (k, d))
        ahead : (times (m,), states (m, d), standard errors (m, d))
        """
        times, window = (np.asarray(each, dtype=float) for each in measured)
        return cls(
            names=runs.names,
            units=[runs.units.get(name, "") for name in runs.names],
            measured=(times, window),
            ahead=(np.asarray(ahead[0], dtype=float), *ahead[1:]),
        )

    def plot(self, ax: Sequence[Axes] | None = None) -> ForecastDisplay:
        """Draw it.

        Parameters
        ----------
        ax : sequence of d matplotlib Axes, optional
            A new figure by default.

        Raises
        ------
        ValueError
            For another number of axes.
        """
        import matplotlib.pyplot as plt

        d = len(self.names)
        if ax is None:
            _, ax = plt.subplots(d, sharex=True, figsize=(7, 1 + 1.3 * d), layout="constrained")
        axes = list(np.atleast_1d(ax))
        if len(axes) != d:
            raise ValueError(f"received {len(axes)} axes; expected {d}, one for each coordinate.")
        (times, window), (t, states, errors) = self.measured, self.ahead
        for i, panel in enumerate(axes):
            low, high = states[:, i] - 2 * errors[:, i], states[:, i] + 2 * errors[:, i]
            panel.fill_between(t, low, high, color=_AHEAD, alpha=0.25, lw=0, label="± 2 errors")
            panel.plot(t, states[:, i], color=_AHEAD, lw=1.3, label="forecast")
            panel.plot(times, window[:, i], ".", color=_MEASURED, ms=4, label="measured")
            unit = f" ({self.units[i]})" if self.units[i] else ""
            panel.set_ylabel(f"{self.names[i]}{unit}", parse_math=False)
            panel.spines[["top", "right"]].set_visible(False)
        axes[-1].set_xlabel("time")
        axes[0].legend(
            loc="lower right", bbox_to_anchor=(1, 1), ncols=3, fontsize="small", frameon=False
        )
        axes[0].figure.align_ylabels(axes)
        self.axes_, self.figure_ = axes, axes[0].figure
        return self

    def frame(self) -> pd.DataFrame:
        """Return what the picture shows: a row for each time ahead, states and their errors."""
        import pandas as pd

        t, states, errors = self.ahead
        columns = {"time": t}
        for i, name in enumerate(self.names):
            columns[name], columns[f"{name} error"] = states[:, i], errors[:, i]
        return pd.DataFrame(columns)
