"""The spectrum of a report, in scikit-learn's manner.

A display holds what it shows; ``plot`` draws it, and ``frame`` gives it as a table. Matplotlib is
imported when something is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from discovery.criteria import LAWS
from discovery.report.pictures.style import LineProperty
from discovery.report.words import FLATTEST

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from discovery.report.summary import Summary


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
