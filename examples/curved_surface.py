"""Recover the curvature of a sphere and of a torus from noisy distances.

The data are what a surveyor has: pairs of nearby points, their coordinates on the map, and the
distance between them with one percent of error. A `MetricLayer` learns the metric from the
distances; its Ricci scalar, by exact 2-jets, is then compared with the true one, which no one told
the model.

    python examples/curved_surface.py                 # writes curved_surface.png
"""

import argparse

import keras
import matplotlib
import numpy as np
from keras import ops

import keras_ndm

matplotlib.use("Agg")
import matplotlib.pyplot as plt

# name: (embedding of map coordinates, range of both coordinates, true Ricci scalar)
SURFACES = {
    "sphere": (
        lambda u: np.stack(
            [
                np.cos(u[:, 0]) * np.cos(u[:, 1]),
                np.cos(u[:, 0]) * np.sin(u[:, 1]),
                np.sin(u[:, 0]),
            ],
            axis=-1,
        ),
        1.2,
        lambda u: np.full(len(u), 2.0),
    ),
    "torus": (
        lambda u: np.stack(
            [
                (2 + np.cos(u[:, 0])) * np.cos(u[:, 1]),
                (2 + np.cos(u[:, 0])) * np.sin(u[:, 1]),
                np.sin(u[:, 0]),
            ],
            axis=-1,
        ),
        np.pi,
        lambda u: 2 * np.cos(u[:, 0]) / (2 + np.cos(u[:, 0])),
    ),
}


def survey(embed, reach, n_pairs, noise, rng):
    """Midpoints, differences of coordinates, and log squared distances with their error."""
    middle = rng.uniform(-reach, reach, (n_pairs, 2))
    angle = rng.uniform(0, 2 * np.pi, n_pairs)
    step = 0.05 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    distance = np.linalg.norm(embed(middle + step / 2) - embed(middle - step / 2), axis=1)
    distance *= 1 + noise * rng.normal(size=n_pairs)
    return middle, step, 2 * np.log(distance)


def learn_metric(middle, step, target, epochs, seed):
    """Fit g so that log gᵢⱼ Δⁱ Δʲ is the measured log squared distance."""
    keras.utils.set_random_seed(seed)
    metric = keras_ndm.MetricLayer(hidden=(32, 32), floor=1e-3)
    u, du = keras.Input((2,)), keras.Input((2,))
    squared = ops.einsum("bi,bij,bj->b", du, metric(u), du)
    model = keras.Model([u, du], ops.log(squared)[:, None])
    # Curvature is a second derivative: the metric has to be fitted to the last digit that the data
    # give, which takes Adam tens of thousands of steps.
    steps = epochs * (len(middle) // 1024)
    rate = keras.optimizers.schedules.CosineDecay(1.0, steps)
    model.compile(keras_ndm.NaturalGradient(rate), loss="mse", jit_compile=True)
    model.fit([middle, step], target[:, None], batch_size=1024, epochs=epochs, verbose=0)
    return metric


def main():
    """Print the errors and draw the curvatures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, default=8192)
    parser.add_argument("--noise", type=float, default=0.01)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", default="curved_surface.png")
    options = parser.parse_args()
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), constrained_layout=True)
    for axis, (name, (embed, reach, true)) in zip(axes, SURFACES.items(), strict=True):
        # Along the first coordinate, at several places of the second: the edge is left out.
        line = np.linspace(-0.85 * reach, 0.85 * reach, 81)
        found = []
        for seed in range(options.seeds):
            rng = np.random.default_rng(seed)
            data = survey(embed, reach, options.pairs, options.noise, rng)
            metric = learn_metric(*data, options.epochs, seed)
            rows = [
                np.stack([line, np.full_like(line, v)], axis=-1)
                for v in np.linspace(-0.6, 0.6, 5) * reach
            ]
            points = np.concatenate(rows).astype("float32")
            scalar = ops.convert_to_numpy(metric.scalar_curvature(ops.convert_to_tensor(points)))
            found.append(scalar)
        found, truth = np.array(found), true(points)
        error = np.sqrt(np.mean((found - truth) ** 2, axis=1))
        print(
            f"{name:>7}: true R from {truth.min():.2f} to {truth.max():.2f}; RMS error "
            f"{error.mean():.3f} (seeds: {', '.join(f'{e:.3f}' for e in error)})",
            flush=True,
        )
        lines = found.reshape(-1, len(line))
        low, high = np.percentile(lines, [5, 95], axis=0)
        axis.fill_between(
            line, low, high, alpha=0.25, label="learned, 5 to 95 % of lines and seeds"
        )
        axis.plot(line, np.median(lines, axis=0), label="learned, median")
        axis.plot(line, truth[: len(line)], "k--", label="true")
        axis.set(title=name, xlabel="first coordinate", ylabel="Ricci scalar R")
        axis.legend(frameon=False, fontsize=8)
    figure.savefig(options.out, dpi=120)
    print(f"Picture: {options.out}")


if __name__ == "__main__":
    main()
