"""The pictures of the gallery: some runs of a data set, and the values of its first law.

Colours are readable on light and on dark pages, and the background is transparent.
"""

import matplotlib
import numpy as np

from discovery import datasets

N_RUNS, NOISE = 8, 0.01
INK = "#7a828e"
COLORS = ("#3b82c4", "#e07b39", "#3f9d5d", "#c94f4f", "#8b6fc9", "#a1785c", "#d069a9", "#2a9d9d")
STYLE = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.prop_cycle": matplotlib.cycler(color=COLORS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "font.size": 9,
    "lines.linewidth": 1,
    "savefig.transparent": True,
    "svg.hashsalt": "keras-ndm",  # the same picture is the same file
    "xtick.color": INK,
    "ytick.color": INK,
}


def caption(name):
    """Return what the picture of a data set shows, for those who do not see it."""
    system = datasets.info(name)
    if system.grid_spacing is not None:
        return f"{name}: the field over place and time, and its laws' values over time"
    first, second = shown(system)
    law = next(iter(system.laws), None)
    beside = f"{law} along the runs" if law else f"{system.names[0]} over time"
    return f"{name}: {N_RUNS} runs in {first} and {second}, and {beside}"


def shown(system):
    """Return the names of the two coordinates that the picture shows."""
    return system.names[0], system.names[1]


def draw(name, path):
    """Draw the runs of a data set, and beside them the values of its first law."""
    # Not pyplot: a build has no windows, and figures of users' sessions are left alone.
    from matplotlib.figure import Figure

    system = datasets.info(name)
    runs = datasets.load(name, N_RUNS, 200, noise=NOISE)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7, 2.7), layout="constrained")
        left, right = figure.subplots(1, 2)
        if system.grid_spacing is not None:
            draw_field(left, system, runs)
        else:
            draw_orbits(left, system, runs)
        draw_values(right, system, runs)
        figure.savefig(path, metadata={"Date": None})


def draw_field(axes, system, runs):
    """Draw the first field of one run over place and time."""
    points = sum(name[0] == system.names[0][0] for name in system.names)
    place = np.arange(points) * system.grid_spacing
    field = runs.states[0][:, :points]
    style = {"cmap": "RdYlBu_r", "shading": "auto", "rasterized": True}
    mesh = axes.pcolormesh(place, runs.times[0], field, **style)
    name = system.names[0][0]
    axes.figure.colorbar(mesh, ax=axes, label=name)
    axes.set(xlabel="place x", ylabel="time", title=f"{name} of one run")


def draw_orbits(axes, system, runs):
    """Draw some runs in two coordinates; angles are wrapped to one turn."""
    first, second = (system.names.index(name) for name in shown(system))
    for states in runs.states:
        x, y = (wrapped(states[:, i], system.roles[i]) for i in (first, second))
        axes.plot(x, y, alpha=0.85)
    axes.set(xlabel=system.names[first], ylabel=system.names[second], title="runs")


def wrapped(values, role):
    """Return an angle between -π and π, with a gap where it jumps; others as they are."""
    if role != "angle":
        return values
    turned = (values + np.pi) % (2 * np.pi) - np.pi
    return np.where(np.abs(np.diff(turned, prepend=turned[0])) > np.pi, np.nan, turned)


def draw_values(axes, system, runs):
    """Draw the first law along the runs, or without a law the first coordinate."""
    law = next(iter(system.laws), None)
    for states, times in zip(runs.states, runs.times, strict=True):
        axes.plot(times, runs.truth[law](states) if law else states[:, 0])
    title = f"{law}: one level line a run" if law else "no law: nothing stays level"
    axes.set(xlabel="time", ylabel=law or system.names[0], title=title)
