"""Two targets whose noise points another way at each place: learned, drawn and checked.

The data: 1000 places in a square, with two measured numbers at each. Their error is an ellipse that
turns from place to place. `GaussianRegression` learns the mean and the ellipse, and is rescaled on
the samples that were held out; beside it a network for a mean and a variance a target, which has
only upright ellipses to offer. Both are checked on new samples: what share of them lies in the
ellipses that shall hold 50 and 90 percent.

    python examples/calibrated_regression.py          # writes calibrated_regression.png
"""

import argparse

import keras
import matplotlib
import numpy as np

import keras_ndm

matplotlib.use("Agg")
import matplotlib.pyplot as plt

KINDS = {"mean and variance": "diagonal", "covariance": "cholesky"}


def mean(x):
    """Give the true mean (N, 2)."""
    return np.stack([np.sin(2 * x[:, 0]) + x[:, 1], np.cos(2 * x[:, 1]) * x[:, 0]], axis=1)


def root(x):
    """Give A (N, 2, 2) of the true covariance A Aᵀ: axes 6 : 1, turned by 90° x₁ + 90° x₂."""
    turn, size = np.pi / 2 * x.sum(axis=1), 0.3 * np.exp(0.5 * x[:, 0])
    axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.moveaxis(axes, 2, 0) * (size[:, None] * [1.0, 1.0 / 6.0])[:, None, :]


def draw(n, rng):
    """Draw places and measurements (n, 2)."""
    x = rng.uniform(-1.0, 1.0, (n, 2))
    y = mean(x) + (root(x) @ rng.normal(size=(n, 2, 1)))[:, :, 0]
    return x.astype("float32"), y.astype("float32")


def fitted(kind, x, y):
    """Train on four fifths; the rest stops the training and rescales the covariance."""
    keras.utils.set_random_seed(0)
    metric = keras_ndm.MetricLayer(kind, hidden=(16,), dimension=2)
    model = keras_ndm.GaussianRegression(targets=2, hidden=(32,), metric=metric)
    model.compile(keras_ndm.NaturalGradient())
    stop = keras.callbacks.EarlyStopping(patience=20, restore_best_weights=True)
    model.fit(x, y, batch_size=800, epochs=100, validation_split=0.2, callbacks=[stop], verbose=0)
    return model


def ellipses(axis, x, roots, **style):
    """Draw the ellipses {x + A u, |u| = ¼} of roots A at places x."""
    turn = np.linspace(0, 2 * np.pi, 60)
    circle = 0.25 * np.stack([np.cos(turn), np.sin(turn)])
    for place, a in zip(x, roots, strict=True):
        axis.plot(*(place[:, None] + a @ circle), **style)


def main():
    """Train both, print the shares, draw the ellipses."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--out", default="calibrated_regression.png")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    x, y = draw(1000, rng)
    new, measured = draw(10_000, rng)
    side = np.linspace(-0.9, 0.9, 8)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)

    figure, axes = plt.subplots(1, 2, figsize=(11, 6.2), sharex=True, sharey=True)
    print(f"{'':20}{'χ²':>6}{'in 50 %':>9}{'in 90 %':>9}")
    for axis, (name, kind) in zip(axes, KINDS.items(), strict=True):
        model = fitted(kind, x, y)
        center, covariance = model.mean_and_covariance(new)
        residual = measured - center
        white = np.linalg.solve(covariance, residual[:, :, None])[:, :, 0]
        squares = np.sum(residual * white, axis=1)
        # Of two normal numbers the sum of squares is below −2 ln(1 − p) with probability p.
        shares = [np.mean(squares < -2 * np.log(1 - p)) for p in (0.5, 0.9)]
        print(f"{name:20}{squares.mean() / 2:6.2f}{shares[0]:9.2f}{shares[1]:9.2f}")
        ellipses(axis, grid, root(grid), color="0.72", lw=4)
        learned = np.linalg.cholesky(model.mean_and_covariance(grid)[1])
        ellipses(axis, grid, learned, color="C0", lw=1.3)
        axis.set(title=name, aspect="equal", xlabel="$x_1$")
    axes[0].set_ylabel("$x_2$")
    figure.suptitle("The noise at each place (a quarter of one σ): grey true, blue learned")
    figure.tight_layout()
    figure.savefig(options.out, dpi=110)
    print(f"The ellipses are in {options.out}.")


if __name__ == "__main__":
    main()
