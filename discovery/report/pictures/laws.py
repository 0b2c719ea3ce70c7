"""The values of laws along runs, in scikit-learn's manner: what is conserved draws level lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import sympy

from discovery.formulas.decimals import in_decimals
from discovery.report.pictures.sample import finite_mean
from discovery.report.pictures.style import LineProperty, colors_of, label_axes, with_unit
from discovery.report.typesetting import label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from discovery.data.trajectories import Trajectories
    from discovery.report.quantity import Quantity
    from discovery.report.summary import Summary

# Half the width of a band, in standard deviations of one value: 95 % of values are within.
BAND = 2.0


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
    errors : list of (steps_i,) arrays, optional
        Standard deviation that noise gives each value: drawn as a band about the run's mean.
    labels : (str, str), optional
        Of the axes: the time with its unit, and what the law is called.

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
        errors: list[np.ndarray] | None = None,
        labels: tuple[str, str] = ("time", "value"),
    ) -> None:
        self.times = times
        self.values = values
        self.run_ids = run_ids
        self.spread = spread
        self.expression = expression
        self.errors = errors
        self.labels = labels

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
            expression=quantity.written,
            labels=_labels(quantity, runs.units.get("time", "")),
        )
        return display.plot(ax=ax, **kwargs)

    @classmethod
    def all_of(cls, report: Summary) -> list[InvariantDisplay]:
        """Return one display a law, of the runs that a report keeps; none is drawn.

        Parameters
        ----------
        report : Summary
        """
        sample = report.shown
        if sample is None:
            return []
        kept = dict(zip(sample.formulas, range(len(sample.formulas)), strict=True))
        return [
            cls(
                times=sample.by_run(sample.times),
                values=sample.by_run(sample.values[kept[q.formula]]),
                errors=sample.by_run(sample.errors[kept[q.formula]]),
                run_ids=list(sample.run_ids),
                spread=q.spread,
                expression=q.written,
                labels=_labels(q, sample.time_unit),
            )
            for q in report.quantities
            if q.formula in kept
        ]

    def bands(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return what noise explains about the mean of each run: the lower and the upper bound."""
        means = [finite_mean(values) for values in self.values]
        return [
            (mean - BAND * error, mean + BAND * error)
            for mean, error in zip(means, self.errors or [], strict=False)
        ]

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
        colors = colors_of(len(self.values))
        for time, (low, high), color in zip(self.times, self.bands(), colors, strict=False):
            ax.fill_between(time, low, high, color=color, alpha=0.25, linewidth=0)
        # With a band values are points: a line would hide it.
        style = {"linewidth": 1} if self.errors is None else {"marker": ".", "linestyle": ""}
        for time, value, color in zip(self.times, self.values, colors, strict=True):
            ax.plot(time, value, **{"color": color, "markersize": 3, **style, **kwargs})
        label_axes(ax, *self.labels)
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


def _labels(law: Quantity, time_unit: str) -> tuple[str, str]:
    """Return the names of the axes of a law's values over time."""
    return with_unit("time", time_unit), law.name or "value"


class LawsDisplay:
    """The values of a report's laws along some runs, one picture a law.

    Parameters
    ----------
    laws : list of InvariantDisplay

    Attributes
    ----------
    axes_ : array of matplotlib Axes
    figure_ : matplotlib Figure
    """

    def __init__(self, *, laws: list[InvariantDisplay]) -> None:
        self.laws = laws

    @classmethod
    def from_report(
        cls, report: Summary, *, axes: Sequence[Axes] | None = None, **kwargs: LineProperty
    ) -> LawsDisplay:
        """Draw the laws of a report on the runs that it keeps.

        Parameters
        ----------
        report : Summary
            A `DiscoveryReport`, or its plain values.
        axes : sequence of matplotlib Axes, optional
            One a law; a new figure by default.
        **kwargs
            For matplotlib's ``plot`` of each run.

        Raises
        ------
        ValueError
            For a report that has no law, or keeps no runs, and for another number of axes.
        """
        return cls(laws=InvariantDisplay.all_of(report)).plot(axes, **kwargs)

    def plot(self, axes: Sequence[Axes] | None = None, **kwargs: LineProperty) -> LawsDisplay:
        """Draw one picture a law, below each other.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, optional
            One a law; a new figure by default.
        **kwargs
            For matplotlib's ``plot`` of each run.

        Raises
        ------
        ValueError
            Where there is no law, and for another number of axes.
        """
        import matplotlib.pyplot as plt

        n = len(self.laws)
        if n == 0:
            raise ValueError(
                "the report has no law whose values could be drawn. Draw its spectrum instead: "
                'plot("spectrum").'
            )
        if axes is None:
            size = (7, 0.6 + 2.2 * n)
            _, axes = plt.subplots(n, figsize=size, layout="constrained", squeeze=False)
        axes = np.ravel(axes)
        if len(axes) != n:
            raise ValueError(f"axes: received {len(axes)}. Expected {n}, one for each law.")
        for law, ax in zip(self.laws, axes, strict=True):
            law.plot(ax, **kwargs)
        self.axes_, self.figure_ = axes, axes[0].figure
        return self

    def frame(self) -> pd.DataFrame:
        """Return what the pictures show: law, run, time, value."""
        import pandas as pd

        tables = [law.frame() for law in self.laws]
        for law, table in zip(self.laws, tables, strict=True):
            table.insert(0, "law", str(in_decimals(law.expression)))
        return pd.concat(tables, ignore_index=True)
