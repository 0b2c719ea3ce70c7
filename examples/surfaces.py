"""Curvature and Euler characteristic of surfaces, measured and learned.

Left: points of a double torus with noise, in the colours of the Gaussian curvature that local
charts find; by Gauss and Bonnet it integrates to −2 · 2π. Right: an atlas learns the density of
points of a sphere with noise; of points drawn from it the densest nine tenths show a sphere again.

    python examples/surfaces.py               # writes surfaces.png
"""

import argparse

import keras
import matplotlib
import numpy as np

import keras_ndm
from keras_ndm import charts, geometry

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def two_rings(p):
    """Function of points (N, 3) that vanishes on a double torus, and its gradient (N, 3)."""
    parts = []
    for side in (0.82, -0.82):  # squared distance to a circle of radius .75
        x, y, z = p[:, 0] - side, p[:, 1], p[:, 2]
        rho = np.hypot(x, y)
        gradient = 2 * np.stack([(rho - 0.75) * x / rho, (rho - 0.75) * y / rho, z], axis=1)
        parts.append(((rho - 0.75) ** 2 + z**2, gradient))
    (f, df), (g, dg) = parts
    slope = (df * g[:, None] ** 2 + dg * f[:, None] ** 2) / (f + g)[:, None] ** 2
    return f * g / (f + g) - 0.09, slope


def double_torus(n, noise, rng):
    """Points (n, 3), evenly over the surface, with noise."""
    p = rng.uniform([-2.2, -1.4, -0.7], [2.2, 1.4, 0.7], (60 * n, 3))
    value, slope = two_rings(p)
    p = p[np.abs(value) < 0.02 * np.linalg.norm(slope, axis=1)]
    for _ in range(6):
        value, slope = two_rings(p)
        p = p - (value / np.sum(slope**2, axis=1))[:, None] * slope
    return p[:n] + noise * rng.normal(size=(n, 3))


def learned_sphere(epochs, rng):
    """Draw points from the density that an atlas learned of a sphere with noise of .05."""
    x = rng.normal(size=(10_000, 3))
    x = x / np.linalg.norm(x, axis=1)[:, None] + 0.05 * rng.normal(size=x.shape)
    x = x.astype("float32")
    chart = [charts.Autoregressive((24, 24)), charts.Permute(), charts.Autoregressive((24, 24))]
    density = keras_ndm.FlowDensity(charts.Atlas(8, chart))
    schedule = keras.optimizers.schedules.CosineDecay(5e-3, epochs * 40)
    density.compile(keras.optimizers.Adam(schedule))
    density.fit(x, batch_size=250, epochs=epochs, verbose=0)
    drawn = np.asarray(density.sample(2500, seed=1))
    dense = density.log_prob(drawn)
    return drawn[dense > np.quantile(dense, 0.1)]


def draw(surfaces, out):
    """Feet of the points, coloured by K, farther ones first."""
    figure = plt.figure(figsize=(11, 4.6), layout="constrained")
    for place, (title, surface) in enumerate(surfaces.items()):
        axes = figure.add_subplot(1, 2, place + 1, projection="3d", computed_zorder=False)
        limit = np.quantile(np.abs(surface.curvature), 0.9)
        x, y, z = surface.points.T
        dots = axes.scatter(
            x, y, z, c=surface.curvature, s=6, cmap="coolwarm", vmin=-limit, vmax=limit
        )
        axes.set(title=title, aspect="equal")
        axes.view_init(45, -70)
        axes.set_axis_off()
        figure.colorbar(dots, ax=axes, label="Gaussian curvature K", shrink=0.7)
    figure.savefig(out, dpi=110)
    plt.close(figure)


def main():
    """Fit both surfaces, print what they are, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--out", default="surfaces.png")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    clouds = {
        "double torus, noise .02": double_torus(2500, 0.02, rng),
        "sphere, drawn from a learned density": learned_sphere(options.epochs, rng),
    }
    shown = {}
    for name, points in clouds.items():
        surface = geometry.fit_surface(points)
        chi = geometry.euler_characteristic(points, surface.neighbours)
        print(
            f"{name}: area {surface.areas.sum():.2f}, noise {surface.noise:.3f}, charts of "
            f"{surface.neighbours} points, Euler characteristic {chi}"
        )
        shown[f"{name}: χ = {chi}"] = surface
    draw(shown, options.out)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
