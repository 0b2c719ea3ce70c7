"""Portraits of runs, in scikit-learn's manner: two coordinates, or a field over place and time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from discovery.data.coordinates import POSITIONS, field_of
from discovery.report.pictures.sample import finite_mean
from discovery.report.pictures.style import LineProperty, colors_of, label_axes, with_unit
from discovery.report.typesetting import label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from discovery.report.quantity import Quantity
    from discovery.report.summary import Summary


# Points of a grid a side, and what it leaves around the runs, as a share of their extent.
_GRID, _AROUND = 150, 0.08
# Values in a plane that differ by less than this share of the law's spread are one.
_FLAT = 1e-6
_LINES = "#9aa4ad"


@dataclass(frozen=True)
class Section:
    """A law in the plane of two coordinates, the others at values of a run's, or at their medians.

    Attributes
    ----------
    x : (n,) array
    y : (m,) array
    values : (m, n) array
        Not finite where the law has no value.
    fixed : dict from name to number
        The others that the law is of; empty where it is of these two. Medians are short numbers.
    of_run : bool
        Whether a run on its level set lies on a line of this section, since the others do not
        change along it.
    """

    x: np.ndarray
    y: np.ndarray
    values: np.ndarray
    fixed: dict[str, float]
    of_run: bool

    @classmethod
    def of(
        cls,
        law: Quantity,
        names: Sequence[str],
        states: np.ndarray,
        fixed: dict[str, float],
        of_run: bool,
    ) -> Section | None:
        """Return the section around states (n, 2); None where a law says nothing there.

        Parameters
        ----------
        law : Quantity
        names : sequence of 2 str
        states : (n, 2) array
        fixed : dict from name to number
        of_run : bool
        """
        own = [symbol.name for symbol in law.library.symbols]
        low, high = np.nanmin(states, axis=0), np.nanmax(states, axis=0)
        wide = _AROUND * (high - low)
        x, y = np.linspace(low - wide, high + wide, _GRID).T
        grid = dict(zip(names, np.meshgrid(x, y), strict=True))
        columns = [grid.get(name, np.full((_GRID, _GRID), fixed.get(name, 0.0))) for name in own]
        with np.errstate(all="ignore"):
            values = law(np.stack(columns, axis=-1).reshape(-1, len(own))).reshape(_GRID, _GRID)
        finite = values[np.isfinite(values)]
        if not finite.size or np.ptp(finite) <= _FLAT * law.spread:
            return None
        return cls(x, y, np.where(np.isfinite(values), values, np.nan), fixed, of_run)

    def __str__(self) -> str:
        where = ""
        if self.fixed:
            cut = (f"{name} = {value:.2g}" for name, value in self.fixed.items())
            own = f", with each run's own {', '.join(self.fixed)}"
            where = own if self.of_run else f", where {', '.join(cut)}"
        return f"lines: its level sets{where}"


def sections_of(
    law: Quantity, report: Summary, names: Sequence[str], states: np.ndarray, ids: Sequence[str]
) -> list[Section] | None:
    """Return the section in which each run lies; None where a law says nothing in this plane.

    Parameters
    ----------
    law : Quantity
    report : Summary
        Its runs have the other coordinates.
    names : sequence of 2 str
    states : (n, 2) array
    ids : sequence of str
        Of the runs.
    """
    own = {symbol.name for symbol in law.expression.free_symbols}
    others = [symbol.name for symbol in law.library.symbols if symbol.name in own - {*names}]
    if not set(names) <= own or (others and report.runs is None):
        return None
    fixed, of_run = [{}] * len(ids), True
    if others:
        runs = report.runs
        rows = runs.rows[:, [runs.names.index(name) for name in others]]
        by_run = np.split(rows, runs.offsets[1:-1])
        of_run = not any(np.ptp(part, axis=0).any() for part in by_run)
        known = [str(run) for run in runs.run_ids]
        values = [by_run[known.index(run)][0] for run in ids] if of_run else [_middle(rows)]
        fixed = [dict(zip(others, map(float, each), strict=True)) for each in values]
    made = [Section.of(law, names, states, each, of_run) for each in fixed]
    return None if None in made else made * (len(ids) // len(made))


def _middle(rows: np.ndarray) -> list[float]:
    """Return medians of rows (n, k), to the place of the first digit of their spreads."""
    digits = [-int(np.floor(np.log10(spread))) if spread else 15 for spread in rows.std(axis=0)]
    # A zero has no sign.
    return [round(float(m), k) + 0.0 for m, k in zip(np.median(rows, axis=0), digits, strict=True)]


class PortraitDisplay:
    """Some runs in the plane of two coordinates, coloured by the value of a law.

    Below them are its level sets with the runs' values: where the law is of these two coordinates
    and of what is constant in each run, each run lies on its own.

    Parameters
    ----------
    states : list of (steps_i, 2) arrays
        Of each run shown; angles are turned into one turn.
    names : sequence of 2 str
    run_ids : list of str or int
    roles : sequence of 2 str, optional
        Two positions are drawn on equal scales.
    units : sequence of 2 str, optional
    values : list of float, optional
        The law's mean along each run.
    law : Quantity, optional

    Attributes
    ----------
    sections : list of Section, or None
        The law in this plane, one for each run, where `of` found it.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    """

    def __init__(
        self,
        *,
        states: list[np.ndarray],
        names: Sequence[str],
        run_ids: list[str | int],
        roles: Sequence[str] = ("", ""),
        units: Sequence[str] = ("", ""),
        values: list[float] | None = None,
        law: Quantity | None = None,
    ) -> None:
        self.states = states
        self.names = tuple(names)
        self.run_ids = run_ids
        self.roles = tuple(roles)
        self.units = tuple(units)
        self.values = values
        self.law = law
        self.sections: list[Section] | None = None

    @classmethod
    def of(cls, report: Summary) -> PortraitDisplay | None:
        """Return the display of the runs that a report keeps, not drawn; None where it has none.

        Parameters
        ----------
        report : Summary
        """
        sample = report.shown
        if sample is None or sample.of_fields:
            return None
        states, names, roles, units = sample.states, sample.names, sample.roles, sample.units
        turns = np.where(sample.turns > 0, sample.turns, np.inf)
        with np.errstate(invalid="ignore"):
            turned = (states + turns / 2) % turns - turns / 2
        states = np.where(np.isfinite(turns), turned, states)
        if len(names) == 1:
            names, roles = ("time", *names), ("time", *roles)
            units = (sample.time_unit, *units)
            states = np.column_stack([sample.times, states])
        law = next((q for q in report.quantities if q.formula in sample.formulas), None)
        values, sections = None, None
        if law is not None:
            sections = sections_of(law, report, names, states, sample.run_ids)
            along = sample.values[sample.formulas.index(law.formula)]
            values = [finite_mean(own) for own in sample.by_run(along)]
        display = cls(
            states=sample.by_run(states),
            names=names,
            run_ids=list(sample.run_ids),
            roles=roles,
            units=units,
            values=values,
            law=law,
        )
        display.sections = sections
        return display

    @property
    def labels(self) -> list[str]:
        """The names of the axes, with their units."""
        return [with_unit(*pair) for pair in zip(self.names, self.units, strict=True)]

    @property
    def is_plane(self) -> bool:
        """Whether both coordinates are positions, so that shapes can be seen."""
        alike = len(set(self.roles)) == len(set(self.units)) == 1
        return alike and self.roles[0] == POSITIONS[0]

    def plot(self, ax: Axes | None = None, **kwargs: LineProperty) -> PortraitDisplay:
        """Draw the samples as points, one colour a run.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.
        **kwargs
            For matplotlib's ``plot`` of each run.
        """
        import matplotlib.pyplot as plt

        beside = {}
        if ax is None:
            # In a figure of its own there is room for a legend that hides no sample.
            beside = {"loc": "upper left", "bbox_to_anchor": (1, 1), "frameon": False}
            _, ax = plt.subplots(figsize=(5.8, 4.2), layout="constrained")
        for k, (states, color) in enumerate(
            zip(self.states, colors_of(len(self.states)), strict=True)
        ):
            style = {"linestyle": "", "marker": ".", "markersize": 3, "color": color, **kwargs}
            named = None if self.values is None else f"{self.values[k]:.3g}".replace("-", "−")
            ax.plot(*states.T, label=named, **style)
        for run in range(len(self.states)) if self.sections else ():
            self._draw_level(ax, run)
        label_axes(ax, *self.labels)
        if self.is_plane:
            ax.set_aspect("equal", adjustable="datalim")
        if self.law is not None:
            title = f"coloured by {label(self.law.written)}"
            below = f"\n{self.sections[0]}".replace("$", r"\$") if self.sections else ""
            ax.set_title(title + below, fontsize="medium")
            ax.legend(fontsize="small", markerscale=2, title=self.law.name or "value", **beside)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _draw_level(self, ax: Axes, run: int) -> None:
        """Draw the level set of a run's value, in its colour where it lies on it."""
        section, level = self.sections[run], self.values[run]
        if not np.nanmin(section.values) < level < np.nanmax(section.values):
            return
        color = colors_of(len(self.states))[run] if section.of_run else _LINES
        style = {"colors": [color], "linewidths": 0.8, "linestyles": "solid", "zorder": 0}
        ax.contour(section.x, section.y, section.values, [level], **style)

    def frame(self) -> pd.DataFrame:
        """Return what the picture shows: run, then the two coordinates."""
        import pandas as pd

        return pd.concat(
            [
                pd.DataFrame({"run": run, self.names[0]: x, self.names[1]: y})
                for run, (x, y) in zip(self.run_ids, (s.T for s in self.states), strict=True)
            ],
            ignore_index=True,
        )


class ProfilesDisplay:
    """A field over place, at some times of one run: profiles above each other, the latest on top.

    Parameters
    ----------
    places : (points,) array
    times : (profiles,) array
    profiles : (profiles, points) array
    name : str
        Of the field.
    of_a_line : bool
        Whether the field is in a plane or in space, and the places a line in its middle.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    """

    def __init__(
        self,
        *,
        places: np.ndarray,
        times: np.ndarray,
        profiles: np.ndarray,
        name: str,
        of_a_line: bool = False,
    ) -> None:
        self.places = places
        self.times = times
        self.profiles = profiles
        self.name = name
        self.of_a_line = of_a_line

    @classmethod
    def of(cls, report: Summary) -> ProfilesDisplay | None:
        """Return the display of the run that a report keeps, not drawn; None where it has none.

        Parameters
        ----------
        report : Summary
        """
        sample = report.shown
        if sample is None or not sample.of_fields:
            return None
        return cls(
            places=np.arange(len(sample.names)) * sample.grid_spacing,
            times=sample.profile_times,
            profiles=sample.states,
            name=field_of(sample.names[0]),
            of_a_line=re.search(r"_\d+_\d+$", sample.names[0]) is not None,
        )

    def lifted(self) -> np.ndarray:
        """Return each profile as a line about its time: two steps of time for all its values."""
        step = float(np.median(np.diff(self.times))) if len(self.times) > 1 else 1.0
        middle = np.median(self.profiles)
        extent = float(np.ptp(self.profiles)) or 1.0
        return self.times[:, None] + 2 * step * (self.profiles - middle) / extent

    def plot(self, ax: Axes | None = None, **kwargs: LineProperty) -> ProfilesDisplay:
        """Draw the profiles.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.
        **kwargs
            For matplotlib's ``plot`` of each profile.
        """
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(figsize=(5, 4.2), layout="constrained")
        for line in self.lifted():
            ax.plot(self.places, line, **{"color": "C0", "linewidth": 1, **kwargs})
        label_axes(ax, "x", f"time, and {self.name} about it")
        where = ", along x in the middle" if self.of_a_line else ""
        ax.set_title(f"{self.name} of one run{where}", fontsize="medium", parse_math=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def frame(self) -> pd.DataFrame:
        """Return what the picture shows: time, place, and the field."""
        import pandas as pd

        time, place = (grid.ravel() for grid in np.meshgrid(self.times, self.places, indexing="ij"))
        return pd.DataFrame({"time": time, "x": place, self.name: self.profiles.ravel()})
