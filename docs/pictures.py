"""The picture of README, docs/_static/what_comes_out.svg: noisy runs in, laws out."""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from discovery import ConservedQuantityFinder, datasets
from discovery.report.typesetting import label

FILE = Path(__file__).parent / "_static" / "what_comes_out.svg"
COLORS = ("#3b82c4", "#e07b39", "#3f9d5d", "#c94f4f", "#8b6fc9")
STYLE = {
    "axes.prop_cycle": matplotlib.cycler(color=COLORS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9,
    "svg.hashsalt": "keras-ndm",
}
# The orbits shown, one colour each; the engine sees all of them.
SHOWN = 5


def draw(runs, report):
    """Return the figure: orbits on the left, and the value of each law along them on the right."""
    figure = Figure(figsize=(9, 3.6), layout="constrained", facecolor="white")
    plane, *levels = figure.subplot_mosaic("ab;ac;ad", width_ratios=(1, 1.35)).values()
    chosen = spread_out(report.quantities[-1](runs.states).mean(axis=1))
    for run in chosen:
        plane.plot(*runs.states[run, ::2, :2].T, ".", markersize=3)
    plane.set(title=f"in: {runs.n_runs} orbits with noise", xlabel="x", ylabel="y", aspect="equal")
    for axes, law in zip(levels, report.quantities, strict=True):
        for run in chosen:
            axes.plot(runs.times[run, ::2], law(runs.states[run, ::2]), linewidth=0.9)
        axes.set_title(f"out: {label(law.expression)}", fontsize=9, loc="left")
        axes.set_title(law.statement, fontsize=8, loc="right", color="0.35")
        axes.set(ylabel="value", xticks=[] if axes is not levels[-1] else [0, 5, 10, 15, 20])
    levels[-1].set(xlabel="time: each law keeps its value along each orbit")
    return figure


def spread_out(values):
    """Return the runs whose values lie evenly between the least and the greatest."""
    return np.argsort(values)[np.linspace(5, len(values) - 6, SHOWN).round().astype(int)]


def main():
    """Find the laws of Kepler's orbits with 1 % noise and draw them."""
    runs = datasets.load("kepler", noise=0.01)
    report = ConservedQuantityFinder(random_state=0).fit(runs).report_
    with matplotlib.rc_context(STYLE):
        draw(runs, report).savefig(FILE, metadata={"Date": None})


if __name__ == "__main__":
    main()
