"""Displays: pictures of a report and of a law, in scikit-learn's manner.

A display holds what it shows; ``plot`` draws it, and ``frame`` gives it as a table. Matplotlib is
imported when something is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import sympy

from discovery.criteria import LAWS
from discovery.report.typesetting import label
from discovery.report.words import FLATTEST

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from discovery.data.trajectories import Trajectories
    from discovery.report.quantity import Quantity
    from discovery.report.summary import Summary

# A property of matplotlib's lines: a colour, a marker, a width.
LineProperty: TypeAlias = str | float | Sequence[float] | None


class SpectrumDisplay:
    """The flatness of each library's directions: laws stand apart from the rest.

    Parameters
    ----------
    libraries : list of str
        In the order in which they were tried.
    values : list of arrays
        Flatness μ of each library's directions, ascending.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from discovery.displays import SpectrumDisplay
    >>> SpectrumDisplay(libraries=["polynomial"], values=[np.array([0.9, 70.0])]).frame().shape
    (2, 3)
    """

    def __init__(self, *, libraries: list[str], values: list[np.ndarray]) -> None:
        self.libraries = libraries
        self.values = values

    @classmethod
    def from_report(
        cls, report: Summary, *, ax: Axes | None = None, **kwargs: LineProperty
    ) -> SpectrumDisplay:
        """Make the display of a report and draw it.

        Parameters
        ----------
        report : Summary
            A `DiscoveryReport`, or its plain values.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.
        **kwargs
            For matplotlib's ``plot`` of the points.
        """
        display = cls(libraries=list(report.spectrum), values=list(report.spectrum.values()))
        return display.plot(ax=ax, **kwargs)

    def plot(self, ax: Axes | None = None, **kwargs: LineProperty) -> SpectrumDisplay:
        """Draw one line of points a library.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.
        **kwargs
            For matplotlib's ``plot`` of the points.
        """
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(
                figsize=(7, 1.4 + 0.4 * max(1, len(self.libraries))), layout="constrained"
            )
        style = {"linestyle": "", "marker": "o", "markersize": 5, **kwargs}
        for row, values in enumerate(self.values):
            shown = np.maximum(values, FLATTEST)
            flat = shown <= LAWS.flatness_ceiling
            ax.plot(shown[~flat], np.full(sum(~flat), row), **{**style, "color": "0.6"})
            ax.plot(shown[flat], np.full(sum(flat), row), **{"color": "C0", **style})
        ax.axvline(LAWS.flatness_ceiling, color="C3", linewidth=1, linestyle="--")
        ax.text(
            LAWS.flatness_ceiling,
            1.02,
            "no more than noise ",
            transform=ax.get_xaxis_transform(),
            ha="right",
            fontsize="small",
        )
        lowest = min((float(v.min()) for v in self.values if len(v)), default=1.0)
        ax.set(
            xscale="log",
            xlim=(max(FLATTEST, min(0.1, lowest)) / 2, None),
            xlabel=f"flatness μ: motion along orbits over what noise explains (≥ {FLATTEST:g})",
            yticks=range(len(self.libraries)),
            yticklabels=self.libraries,
            ylim=(max(1, len(self.libraries)) - 0.5, -0.5),
        )
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def frame(self) -> pd.DataFrame:
        """Return what the picture shows: library, direction, flatness."""
        import pandas as pd

        rows = [
            (library, k, float(mu))
            for library, values in zip(self.libraries, self.values, strict=True)
            for k, mu in enumerate(values)
        ]
        return pd.DataFrame(rows, columns=["library", "direction", "flatness"])


class InvariantDisplay:
    """The value of a law along some runs: one level line a run.

    Parameters
    ----------
    times, values : lists of (steps_i,) arrays
        Of each run shown.
    run_ids : list of str or int
    spread : float
        Standard deviation of the value over all samples of all runs.
    expression : sympy.Expr
        The law's formula, the title of the picture.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    """

    def __init__(
        self,
        *,
        times: list[np.ndarray],
        values: list[np.ndarray],
        run_ids: list[str | int],
        spread: float,
        expression: sympy.Expr,
    ) -> None:
        self.times = times
        self.values = values
        self.run_ids = run_ids
        self.spread = spread
        self.expression = expression

    @classmethod
    def from_quantity(
        cls,
        quantity: Quantity,
        runs: Trajectories,
        *,
        n_runs: int = 8,
        ax: Axes | None = None,
        **kwargs: LineProperty,
    ) -> InvariantDisplay:
        """Evaluate a quantity along runs and draw it.

        Parameters
        ----------
        quantity : Quantity
        runs : Trajectories
        n_runs : int
            Runs shown: those whose values lie evenly from the least to the greatest.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.
        **kwargs
            For matplotlib's ``plot`` of each run.

        Raises
        ------
        ValueError
            For fewer than one run to show, or runs of other coordinates.
        """
        if n_runs < 1:
            raise ValueError(f"n_runs is {n_runs}. Expected at least one run to show.")
        cuts = runs.offsets[1:-1]
        rows = quantity(runs.rows)
        values, times = np.split(rows, cuts), np.split(runs.row_times, cuts)
        order = np.argsort([np.median(v) for v in values])
        shown = order[np.unique(np.linspace(0, len(order) - 1, n_runs).round().astype(int))]
        display = cls(
            times=[times[r] for r in shown],
            values=[values[r] for r in shown],
            run_ids=[runs.run_ids[r] for r in shown],
            spread=float(rows.std()),
            expression=quantity.expression,
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, ax: Axes | None = None, **kwargs: LineProperty) -> InvariantDisplay:
        """Draw the values over time, one line a run.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.
        **kwargs
            For matplotlib's ``plot`` of each run.
        """
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
        colors = plt.get_cmap("viridis")(np.linspace(0, 0.9, len(self.values)))
        for time, value, color in zip(self.times, self.values, colors, strict=True):
            ax.plot(time, value, **{"color": color, "linewidth": 1, **kwargs})
        ax.set(xlabel="time", ylabel="value")
        ax.set_title(label(self.expression), fontsize="medium")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def frame(self) -> pd.DataFrame:
        """Return what the picture shows: run, time, value."""
        import pandas as pd

        return pd.concat(
            [
                pd.DataFrame({"run": run, "time": time, "value": value})
                for run, time, value in zip(self.run_ids, self.times, self.values, strict=True)
            ],
            ignore_index=True,
        )
