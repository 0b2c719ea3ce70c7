"""The planets: what is conserved on nine measured orbits, without being told of gravity.

Heliocentric places and velocities of the ephemeris DE421, in AU and years, a run each planet.
Found are the three components of the angular momentum and the energy, with GM of the Sun in it;
none holds exactly, for the planets pull each other. The picture shows the orbits, and how far each
quantity moves along a run.

    python examples/planets.py --out planets.png
"""

import argparse

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import discovery

INNER, OUTER = ("Mercury", "Venus", "Earth", "Mars"), ("Jupiter", "Saturn", "Uranus", "Neptune")
PLANETS = (*INNER, *OUTER, "Pluto")


def gravity(report):
    """Return GM from the energy: half the coefficient of −1/r, where u² has the coefficient 1."""
    for law in report.quantities:
        terms = {str(term): float(value) for term, value in law.coefficients.items()}
        of_radius = [value for term, value in terms.items() if "sqrt" in term]
        if of_radius and "u**2" in terms:
            return -of_radius[0] / terms["u**2"] / 2
    return None


def draw(runs, report, target):
    """Draw the orbits, and the motion of each quantity along a run over its spread."""
    figure, (orbits, motion) = plt.subplots(1, 2, figsize=(12, 5), constrained_layout=True)
    colours = plt.cm.viridis(np.linspace(0, 0.95, runs.n_runs))
    for name, colour, states in zip(PLANETS, colours, runs.states, strict=True):
        r = np.linalg.norm(states[:, :3], axis=1)
        # Distances as logarithms, or the inner planets would be a point.
        stretch = np.log10(r / 0.2) / r
        orbits.plot(states[:, 0] * stretch, states[:, 1] * stretch, color=colour, label=name)
    ticks = np.array([0.3, 1, 3, 10, 30])
    orbits.plot(0, 0, "o", color="orange", markersize=8)
    orbits.set(aspect="equal", title="Orbits; distances as logarithms", yticks=[])
    orbits.set(xlabel="x: distance from the Sun, AU", ylabel="y, on the same scale")
    orbits.set_xticks(np.log10(ticks / 0.2), [f"{tick:g}" for tick in ticks])
    orbits.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    for law in report.quantities:
        values = np.asarray(law(runs.rows)).reshape(runs.n_runs, -1)
        moved = values.std(axis=1) / values.std()
        formula = str(law.expression).replace("sqrt(x**2 + y**2 + z**2)", "r")
        motion.semilogy(PLANETS, moved, "o-", label=formula)
    motion.set(
        title="Motion of each law along a run", ylim=(1e-7, 1e-1), ylabel="rms motion over spread"
    )
    motion.set_xlabel("planet")
    motion.tick_params(axis="x", rotation=45)
    motion.grid(alpha=0.3)
    motion.legend(fontsize=8, loc="lower right")
    figure.savefig(target, dpi=110)


def main():
    """Load, find, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", default="planets.png")
    options = parser.parse_args()
    print(discovery.datasets.info("planets"), "\n")
    runs = discovery.datasets.load("planets")
    report = discovery.ConservedQuantityFinder(random_state=0).fit(runs).report_
    print(report)
    print(f"\nGM of the Sun: {gravity(report):.3f} AU³/yr² (4π² = {4 * np.pi**2:.3f})")
    draw(runs, report, options.out)
    print("picture:", options.out)


if __name__ == "__main__":
    main()
