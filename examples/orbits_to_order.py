"""Orbits with energy −0.5 and angular momentum 0.8, from noisy runs that have other values.

The laws are found in noisy Kepler orbits. `report.sample` draws states at which they have the
values asked for, and `motion.rollout` follows them once around: ellipses of one size and one
eccentricity, .6, turned every way.

    python examples/orbits_to_order.py                # writes orbits_to_order.png
"""

import argparse

import matplotlib
import numpy as np

from discovery import ConservedQuantityFinder, datasets

matplotlib.use("Agg")
import matplotlib.pyplot as plt

ENERGY, MOMENTUM = -0.5, 0.8


def main():
    """Draw states with these laws, follow them, and print how well they keep to order."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orbits", type=int, default=8)
    parser.add_argument("--noise", type=float, default=0.01)
    parser.add_argument("--out", default="orbits_to_order.png")
    options = parser.parse_args()

    runs = datasets.load("kepler", n_trajectories=40, n_steps=100, noise=options.noise, seed=0)
    report = ConservedQuantityFinder(random_state=0).fit(runs).report_
    print(report)
    asked = {"energy": ENERGY, "angular momentum": MOMENTUM}
    sample = report.sample(options.orbits, values=asked, random_state=0)
    print(f"\n{sample}")

    motion = report.motion().refit()
    print(f"\n{motion}")
    times = np.linspace(0, 2 * np.pi, 400)  # a turn: a = 1/(2 |E|) = 1
    orbits = motion.rollout(sample, times)
    x, y, u, v = np.moveaxis(orbits, -1, 0)
    r = np.hypot(x, y)
    energy, momentum = (u**2 + v**2) / 2 - 1 / r, x * v - y * u
    near, far = r.min(axis=1), r.max(axis=1)
    print("\nalong the orbits, by the true formulas:")
    print(f"  energy {energy.mean():.4f} ± {energy.std():.4f}")
    print(f"  angular momentum {momentum.mean():.4f} ± {momentum.std():.4f}")
    eccentric = (far - near) / (far + near)
    print(f"  eccentricity {eccentric.mean():.4f} ± {eccentric.std():.4f} (true .6)")

    figure, axes = plt.subplots(1, 2, figsize=(9.5, 4.6), layout="constrained")
    for states in runs.states:
        axes[0].plot(states[:, 0], states[:, 1], ".", ms=2, color="#9aa4ad")
    axes[0].set_title("what was measured", fontsize="medium")
    colors = plt.get_cmap("viridis")(np.linspace(0.05, 0.9, len(orbits)))
    for orbit, start, color in zip(orbits, sample, colors, strict=True):
        axes[1].plot(orbit[:, 0], orbit[:, 1], color=color, lw=1.3)
        axes[1].plot(*start[:2], "o", color=color, ms=5)
    axes[1].set_title(f"to order: E = −{-ENERGY}, L = {MOMENTUM}; dots: drawn", fontsize="medium")
    size = 1.05 * np.abs(runs.states[..., :2]).max()
    for ax in axes:
        ax.plot(0, 0, "+", color="black", ms=9)
        ax.set(xlabel="x", ylabel="y", aspect="equal", xlim=(-size, size), ylim=(-size, size))
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(options.out, dpi=120)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
