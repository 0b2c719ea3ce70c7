"""The gallery's pictures of measured data sets, where one is drawn by hand."""

import numpy as np

from discovery import datasets

PLANETS = ("Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune", "Pluto")
SUN = 39.477  # GM in AU³/yr², as it is found in these orbits


def draw_planets(left, right):
    """Draw the orbits with their distances as logarithms, and the energy of each planet."""
    for states, name in zip(datasets.load("planets").states, PLANETS, strict=True):
        place, speed = np.split(states, 2, axis=1)
        r = np.linalg.norm(place, axis=1)
        # The inner planets would be a point.
        stretch = np.log10(r / 0.2) / r
        left.plot(states[:, 0] * stretch, states[:, 1] * stretch)
        energy = (speed**2).sum(axis=1) / 2 - SUN / r
        right.semilogy(np.linspace(0, 1, len(r)), -energy)
        right.annotate(name, (1.02, -energy[-1]), fontsize=6, va="center", annotation_clip=False)
    distances = np.array([0.3, 1, 3, 10, 30])
    left.set_xticks(np.log10(distances / 0.2), [f"{r:g}" for r in distances])
    left.set(
        aspect="equal", yticks=[], xlabel="distance from the Sun, AU", title="orbits, log scale"
    )
    right.set(xlabel="share of the run", ylabel="−energy, AU²/yr²", title="energy: level lines")


def draw_hare_and_lynx(left, right):
    """Draw lynx over hares, and both over the years."""
    runs = datasets.load("hare_and_lynx")
    left.loglog(*runs.rows.T, "o-", markersize=3)
    for axis in (left.xaxis, left.yaxis):
        axis.set_ticks([5, 10, 20, 50], ["5", "10", "20", "50"])
        axis.set_ticks([], minor=True)
    left.set(xlabel="hare, thousand pelts", ylabel="lynx, thousand pelts", title="one run")
    for name, values in zip(runs.names, runs.rows.T, strict=True):
        right.plot(runs.row_times, values, "o-", markersize=3, label=name)
    right.set(xlabel="year", ylabel="thousand pelts", title="21 samples")
    right.set_xticks(range(1900, 1921, 5))
    right.legend(frameon=False)


# What each picture shows, for those who do not see it, and what draws it.
PICTURES = {
    "planets": (
        "planets: nine orbits, and the energy along them: one level line a planet",
        draw_planets,
    ),
    "hare_and_lynx": (
        "hare_and_lynx: pelts of lynx over pelts of hares, and both over the years",
        draw_hare_and_lynx,
    ),
}


def caption(name):
    """Return what the picture of a measured data set shows."""
    if name in PICTURES:
        return PICTURES[name][0]
    first, second = datasets.info(name).names[:2]
    return f"{name}: {second} over {first}, and {first} over time"


def draw(name, left, right):
    """Draw a measured data set: its own picture, or the first two coordinates of its runs."""
    if name in PICTURES:
        PICTURES[name][1](left, right)
        return
    record, runs = datasets.info(name), datasets.load(name)
    first, second = (f"{n}, {u}" for n, u in zip(record.names[:2], record.units[:2], strict=True))
    for states, times in zip(runs.states, runs.times, strict=True):
        left.plot(states[:, 0], states[:, 1])
        right.plot(times, states[:, 0])
    left.set(xlabel=first, ylabel=second, title="runs")
    right.set(xlabel=f"time, {record.time}", ylabel=first, title=record.names[0])
