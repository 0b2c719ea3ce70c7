"""Charts: the pictures of a page as shapes that its template writes as SVG.

Points are paths of strokes without length, whose round caps show: a tenth of the size of circles.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from discovery.report.pictures.laws import InvariantDisplay
from discovery.report.pictures.portrait import PortraitDisplay, ProfilesDisplay
from discovery.report.pictures.sample import finite_mean
from discovery.report.pictures.scale import Scale
from discovery.report.pictures.style import COLORS, FIRST, LAST, colors_of

# Frames: left, right, top; and where the bottom is of a wide and of a high picture.
_LEFT, _RIGHT, _TOP = 58, 352, 8
_WIDE, _HIGH = 158, 262
# Longer names do not fit beside a picture.
_NAME = 24


@dataclass(frozen=True)
class Shape:
    """A path of a picture.

    Attributes
    ----------
    kind : {"points", "band", "line"}
    color : str
    path : str
        In SVG's commands.
    """

    kind: str
    color: str
    path: str


@dataclass(frozen=True)
class Chart:
    """A picture with its axes.

    Attributes
    ----------
    x, y : Scale
    x_label, y_label : str
    shapes : list of Shape
        From back to front.
    text : str
        What the picture shows, for those who do not see it.
    """

    x: Scale
    y: Scale
    x_label: str
    y_label: str
    shapes: list[Shape]
    text: str

    @property
    def height(self) -> float:
        """Of the picture, with the names of its axes."""
        return max(self.y.start, self.y.end) + 40


def law_chart(law: InvariantDisplay, number: int) -> Chart:
    """Return the values of a law along runs, each with the band that noise explains.

    Parameters
    ----------
    law : InvariantDisplay
    number : int
        Of the law, from 1.
    """
    bands, values = law.bands(), np.concatenate(law.values)
    x = Scale.over(np.concatenate(law.times), _LEFT, _RIGHT)
    y = Scale.over(_core(values, bands), _WIDE, _TOP, most=4)
    colors = colors_of(len(law.values))
    shapes = [
        Shape("band", color, _band(x(time), y(low), y(high)))
        for time, (low, high), color in zip(law.times, bands, colors, strict=False)
    ]
    shapes += [
        Shape("points", color, _points(x(time), y(value)))
        for time, value, color in zip(law.times, law.values, colors, strict=True)
    ]
    means = [mean for own in law.values if np.isfinite(mean := finite_mean(own))]
    text = (
        f"Formula {number}{_called(law.labels[1])}: its values over time along "
        f"{_runs(len(law.values))}, each in the band that noise explains."
    )
    if means:
        text += f" Means: from {_number(min(means))} to {_number(max(means))}."
    time, name = law.labels
    return Chart(x, y, time, name if len(name) <= _NAME else "value", shapes, text)


def portrait_chart(portrait: PortraitDisplay) -> Chart:
    """Return runs in the plane of two coordinates.

    Parameters
    ----------
    portrait : PortraitDisplay
    """
    rows = np.concatenate(portrait.states)
    x = Scale.over(rows[:, 0], _LEFT, _RIGHT)
    y = Scale.over(rows[:, 1], _HIGH, _TOP)
    if portrait.is_plane:
        same = min(x.per_unit, y.per_unit)
        x, y = x.zoomed(same), y.zoomed(same)
    colors = colors_of(len(portrait.states))
    shapes = [
        Shape("points", color, _points(x(own[:, 0]), y(own[:, 1])))
        for own, color in zip(portrait.states, colors, strict=True)
    ]
    n, (first, second) = len(portrait.states), portrait.names
    text = f"{_runs(n).capitalize()} in {first} and {second}."
    if portrait.values is not None and n > 1 and np.isfinite(portrait.values).all():
        low, high = portrait.values[0], portrait.values[-1]
        called = _called((portrait.law and portrait.law.name) or "value")
        text = (
            f"{text[:-1]}, coloured by formula 1{called}, from {_number(low)} "
            f"({FIRST}) to {_number(high)} ({LAST})."
        )
    return Chart(x, y, *portrait.labels, shapes, text)


def profiles_chart(display: ProfilesDisplay) -> Chart:
    """Return the profiles of a field above each other.

    Parameters
    ----------
    display : ProfilesDisplay
    """
    lines = display.lifted()
    x = Scale.over(display.places, _LEFT, _RIGHT)
    y = Scale.over(lines, _HIGH, _TOP)
    shapes = [Shape("line", COLORS[0], _line(x(display.places), y(line))) for line in lines]
    text = (
        f"The field {display.name} of one run over place x, at {len(lines)} times: each profile "
        "stands at its time."
    )
    return Chart(x, y, "x", f"time, and {display.name} about it", shapes, text)


def _runs(n: int) -> str:
    return "one run" if n == 1 else f"{n} runs"


def _called(name: str) -> str:
    """Return the name of a law in brackets; nothing where it has none."""
    return "" if name == "value" else f" ({name})"


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def _core(values: np.ndarray, bands: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Return values and bands without the few that lie far from all others."""
    every = np.concatenate([values, *itertools.chain(*bands)])
    every = every[np.isfinite(every)]
    low, high = np.percentile(every, (1, 99)) if len(every) else (0.0, 1.0)
    room = 0.25 * (high - low)
    return every[(every >= low - room) & (every <= high + room)]


def _points(x: np.ndarray, y: np.ndarray) -> str:
    """Return a stroke without length at each point."""
    shown = np.isfinite(x) & np.isfinite(y)
    return "".join(f"M{a:.1f},{b:.1f}h0" for a, b in zip(x[shown], y[shown], strict=True))


def _line(x: np.ndarray, y: np.ndarray) -> str:
    """Return a line through the points."""
    shown = np.isfinite(x) & np.isfinite(y)
    return "M" + " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x[shown], y[shown], strict=True))


def _band(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> str:
    """Return what lies between two lines; every other place is enough."""
    some = np.unique([*range(0, len(x), 2), len(x) - 1])
    return f"{_line(np.r_[x[some], x[some][::-1]], np.r_[low[some], high[some][::-1]])}Z"
