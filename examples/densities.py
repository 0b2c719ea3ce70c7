"""A density of two moons, and the charts that an atlas lays on a circle.

Left: points of two moons, the density that an atlas of four charts learned, and points drawn from
it. Right: a circle with noise, each point in the colours of the charts that share it.

    python examples/densities.py               # writes densities.png
"""

import argparse

import keras
import matplotlib
import numpy as np
from keras import ops
from sklearn.datasets import make_moons

import keras_ndm
from keras_ndm import charts

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def fitted(x, k, epochs):
    """Density of x by an atlas of k charts, each of two autoregressive maps."""
    chart = [charts.Autoregressive((24, 24)), charts.Permute(), charts.Autoregressive((24, 24))]
    density = keras_ndm.FlowDensity(charts.Atlas(k, chart))
    density.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(
        5e-3, epochs * len(x) // 256
    )))  # fmt: skip
    density.fit(x, batch_size=256, epochs=epochs, verbose=0)
    return density


def on_grid(function, box, n=128):
    """Values of a function of points (N, 2) on a grid over the box (left, right, low, high)."""
    axes = np.linspace(*box[:2], n), np.linspace(*box[2:], n)
    grid = np.stack(np.meshgrid(*axes), -1).reshape(-1, 2)
    return function(grid).reshape(n, n, -1)


def draw(moons, learned, ring, atlas, out):
    """Three pictures side by side."""
    figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
    box = (-1.6, 2.6, -1.1, 1.6)
    level = on_grid(lambda x: np.exp(learned.log_prob(x)), box)[..., 0]
    axes[0].imshow(level, extent=box, origin="lower", cmap="Blues")
    axes[0].plot(*moons[:400].T, ".", color="black", markersize=2)
    axes[0].set_title("density (blue), data (black)")
    axes[1].plot(*learned.sample(2000, seed=0).T, ".", color="tab:blue", markersize=2)
    axes[1].set(xlim=box[:2], ylim=box[2:], aspect="equal", title="2000 points drawn from it")
    shares = ops.convert_to_numpy(atlas.atlas.responsibilities(ops.convert_to_tensor(ring)))
    colours = shares @ plt.get_cmap("tab10").colors[: shares.shape[1]]
    axes[2].scatter(*ring.T, c=np.clip(colours, 0, 1), s=4)
    for k, place in enumerate((shares.T @ ring) / shares.sum(0)[:, None]):
        axes[2].annotate(f"chart {k + 1}", place * 0.72, ha="center", va="center")
    axes[2].set(aspect="equal", title=f"{shares.shape[1]} charts of a circle")
    figure.savefig(out, dpi=110)
    plt.close(figure)


def main():
    """Train both densities, print what they are worth, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--out", default="densities.png")
    options = parser.parse_args()
    keras.utils.set_random_seed(0)
    moons = make_moons(6000, noise=0.1, random_state=0)[0].astype("float32")
    learned = fitted(moons[:5000], 4, options.epochs)
    print(f"moons: mean log density of new points {learned.log_prob(moons[5000:]).mean():.3f}")
    rng = np.random.default_rng(0)
    turn = rng.uniform(0, 2 * np.pi, 5000)
    ring = np.stack([np.cos(turn), np.sin(turn)], 1) + 0.05 * rng.normal(size=(5000, 2))
    ring = ring.astype("float32")
    atlas = fitted(ring[:4000], 5, options.epochs)
    print(f"circle: mean log density of new points {atlas.log_prob(ring[4000:]).mean():.3f}")
    draw(moons, learned, ring, atlas, options.out)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
