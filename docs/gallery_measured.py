"""The gallery's pictures of measured data sets, one function each."""

import numpy as np

from discovery import datasets

PLANETS = ("Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune", "Pluto")
SUN = 39.477  # GM in AU³/yr², as it is found in these orbits
CAPTIONS = {
    "planets": "planets: nine orbits, and the energy along them: one level line a planet",
    "hare_and_lynx": "hare_and_lynx: pelts of both in each year, and over the years",
}


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


DRAW = {"planets": draw_planets, "hare_and_lynx": draw_hare_and_lynx}
