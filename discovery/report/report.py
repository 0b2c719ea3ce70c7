"""The report: how many conserved quantities, which, how sure."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from discovery.report import html
from discovery.report.displays import SpectrumDisplay
from discovery.report.quantity import Quantity

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


# Longer formulas get a line of their own.
_FORMULA_WIDTH = 60


@dataclass(frozen=True)
class DiscoveryReport:
    """What `discover` found.

    Attributes
    ----------
    quantities : list of Quantity
        The exact laws first, simple before complex, then the approximate ones; all independent.
    n_conserved : int
        Number of exact laws.
    verdict : str
        ``"laws"``, ``"none"`` or ``"undecided"``.
    reason : str
        Why, and for ``"undecided"`` what to measure next.
    confidence : float
        Share of bootstrap samples of held-out runs in which the count comes out the same.
    identities : list of Quantity
        What all runs obey alike; never counted.
    symmetries : list of str
        The symmetries behind the laws, where they are known.
    spectrum : dict of str to array
        Flatness μ of each library's directions, ascending, on the runs they were found on.
    resolution : float
        The smallest drift, as a fraction of a law's spread, that would have been seen.
    noise : dict of str to float
        Standard deviation of each coordinate's noise.
    names : tuple of str
        Coordinates.
    title : str
        The data set and its size.
    searched : list of str
        One line for each library tried.
    """

    quantities: list[Quantity]
    verdict: str
    reason: str
    confidence: float
    identities: list[Quantity]
    spectrum: dict[str, np.ndarray]
    resolution: float
    noise: dict[str, float]
    names: tuple[str, ...]
    title: str
    searched: list[str]
    symmetries: list[str] = field(default_factory=list)

    @property
    def n_conserved(self) -> int:
        """Number of exact laws."""
        return sum(q.verdict == "exact" for q in self.quantities)

    def __str__(self) -> str:
        count = self.n_conserved
        heading = {"laws": f"conserved quantities: {count}", "none": "conserved quantities: none"}
        lines = [
            self.title,
            "",
            f"{heading.get(self.verdict, 'undecided')} (confidence {self.confidence:.2f}): "
            f"{self.reason}",
        ]
        if self.quantities:
            lines += ["", *self._table(self.quantities)]
        if self.identities:
            lines += ["", "obeyed by all runs alike, not counted:"]
            lines += [f"    {q.expression} = constant" for q in self.identities]
        if self.symmetries:
            lines += ["", "symmetries: " + "; ".join(self.symmetries)]
        noise = ", ".join(f"{name} {value:.2g}" for name, value in self.noise.items())
        lines += [
            "",
            f"resolution: a drift of {self.resolution:.1%} of a law's spread would have been seen"
            if np.isfinite(self.resolution)
            else "resolution: no law to give one",
            f"noise (standard deviation): {noise}",
            "searched: " + "; ".join(self.searched),
        ]
        return "\n".join(lines)

    @staticmethod
    def _table(quantities: list[Quantity]) -> list[str]:
        rows = [("formula", "flatness", "[95 %]", "drift", "verdict")]
        for q in quantities:
            low, high = map(_short, q.flatness_interval)
            drift = f"≤ {q.drift_interval[1]:.1e}"
            rows.append((q.formula, _short(q.flatness), f"[{low}, {high}]", drift, q.verdict))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        widths[0] = min(widths[0], _FORMULA_WIDTH)
        lines = []
        for row, q in zip(rows, [None, *quantities], strict=True):
            formula, mu, *cells = row
            if len(formula) > widths[0]:
                lines.append(f"    {formula}")
                formula = ""
            cells = [f"{cell:<{w}}" for cell, w in zip(cells, widths[2:], strict=True)]
            line = "  ".join([f"{formula:<{widths[0]}}", f"{mu:>{widths[1]}}", *cells])
            lines.append(f"    {line.rstrip()}")
            if q and q.symmetry:
                lines.append(f"      ↔ {q.symmetry}")
            if q and q.drift_rate is not None:
                lines.append(f"      {q.fate}")
        return lines

    def to_dict(self) -> dict[str, object]:
        """Return plain values, ready for JSON."""
        return {
            "title": self.title,
            "verdict": self.verdict,
            "reason": self.reason,
            "n_conserved": self.n_conserved,
            "confidence": self.confidence,
            "quantities": [q.to_dict() for q in self.quantities],
            "identities": [q.to_dict() for q in self.identities],
            "symmetries": list(self.symmetries),
            "spectrum": {name: values.tolist() for name, values in self.spectrum.items()},
            "resolution": self.resolution if np.isfinite(self.resolution) else None,
            "noise": dict(self.noise),
            "names": list(self.names),
            "searched": list(self.searched),
        }

    def to_html(self, path: str | os.PathLike | None = None) -> str:
        """Return the report as a page, and write it where a path is given.

        One file without scripts, with nothing to load; formulas are MathML.

        Parameters
        ----------
        path : path to the file, optional
        """
        text = html.page(self)
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return html.fragment(self)

    def plot(self, ax: Axes | None = None) -> SpectrumDisplay:
        """Draw the spectrum: the flatness of each library's directions.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        discovery.displays.SpectrumDisplay
        """
        return SpectrumDisplay.from_report(self, ax=ax)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a quantity."""
        import pandas as pd

        columns = [
            "expression",
            "verdict",
            "flatness",
            "flatness_low",
            "flatness_high",
            "drift",
            "drift_high",
            "signal",
            "symmetry",
        ]
        rows = [
            (
                str(q.expression),
                q.verdict,
                q.flatness,
                *q.flatness_interval,
                q.drift,
                q.drift_interval[1],
                q.signal,
                q.symmetry,
            )
            for q in self.quantities
        ]
        return pd.DataFrame(rows, columns=columns)


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 1000 else f"{value:.1e}"
