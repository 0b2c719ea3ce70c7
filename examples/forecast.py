"""A double pendulum, forecast from a noisy second of its motion.

The energy is found in noisy runs, the motion follows from it, and its numbers are fitted to all
runs. Then a run that took no part is shown to it for its first 40 samples: the start is fitted to
them, and followed to the end of the run. The points that were not shown lie in the band.

    python examples/forecast.py                 # writes forecast.png
"""

import argparse

import matplotlib
import numpy as np

import discovery

matplotlib.use("Agg")

SHOWN = 40


def main():
    """Print the equations and how far the forecast is off, and draw it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--out", default="forecast.png")
    options = parser.parse_args()

    n = options.runs
    runs = discovery.datasets.load("double_pendulum", n + 1, 200, noise=0.01, seed=0)
    report = discovery.ConservedQuantityFinder(random_state=0).fit(runs[:n]).report_
    print(report.quantities[0].formula)
    motion = report.motion().refit()
    print(motion)
    for term, number in motion.coefficients.items():
        print(f"  {term}: {number:.5f} ± {motion.standard_errors[term]:.5f}")

    states, times = runs[n].states[0], runs[n].times[0]
    ahead = times[SHOWN:]
    found = motion.forecast(states[:SHOWN], times[:SHOWN], ahead)
    noise = np.array([report.noise[name] for name in runs.names])
    off = (states[SHOWN:] - found.states) / np.hypot(found.error, noise)
    print(f"χ² of the window: {found.chi_square:.2f}")
    print(f"within two standard errors, of what was not shown: {np.mean(np.abs(off) < 2):.0%}")

    display = motion.plot_forecast(states[:SHOWN], times[:SHOWN], ahead)
    for panel, values in zip(display.axes_, states[SHOWN:].T, strict=True):
        panel.plot(ahead, values, "o", mfc="none", color="#777777", ms=3, zorder=0)
    display.figure_.savefig(options.out, dpi=120)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
