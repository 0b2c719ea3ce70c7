"""Noise that rotates over the plane: how far from the truth a learned covariance is.

    KERAS_BACKEND=tensorflow python benchmarks/precision.py          # or KERAS_BACKEND=jax

Two targets of two inputs; the noise is an ellipse of axes 6 : 1 whose direction turns with the
input, and whose size grows. Printed is the negative log likelihood on 10 000 new samples above that
of the true mean and covariance (in nats a sample), for one covariance everywhere, for a variance a
target ("mean and variance") and for a covariance at each input, of the same networks, trained and
stopped alike; and χ² per degree of freedom on these samples as trained and rescaled. One fifth of
the samples is held out, for stopping and rescaling; with `--held-out` so many more are.
"""

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import keras_ndm

ROWS = {
    "one covariance": "constant",
    "mean and variance": "diagonal",
    "covariance": "cholesky",
}
NEW = 10_000


def mean(x):
    """Give the true mean (N, 2)."""
    return np.stack([np.sin(2 * x[:, 0]) + x[:, 1], np.cos(2 * x[:, 1]) * x[:, 0]], axis=1)


def covariance(x):
    """Give the true covariance (N, 2, 2)."""
    turn = np.pi / 2 * x.sum(axis=1)
    size = 0.3 * np.exp(0.5 * x[:, 0])
    axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    root = np.moveaxis(axes, 2, 0) * (size[:, None] * [1.0, 1.0 / 6.0])[:, None, :]
    return root @ np.swapaxes(root, 1, 2)


def draw(n, seed):
    """Draw inputs and targets (n, 2)."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.0, 1.0, (n, 2))
    noise = np.linalg.cholesky(covariance(x)) @ rng.normal(size=(n, 2, 1))
    return x.astype("float32"), (mean(x) + noise[:, :, 0]).astype("float32")


def surprise(y, center, spread):
    """Mean negative log likelihood, without ½ log 2π a target."""
    residual = y - center
    white = np.linalg.solve(spread, residual[:, :, None])[:, :, 0]
    return np.mean((residual * white).sum(axis=1) + np.linalg.slogdet(spread)[1]) / 2


def train(kind, samples, held_out, seed):
    """Train one model: its gap, and χ² as trained and rescaled."""
    x, y = draw(samples + held_out, seed)
    keras.utils.set_random_seed(seed)
    metric = keras_ndm.MetricLayer(kind, hidden=(16,), dimension=2)
    model = keras_ndm.GaussianRegression(targets=2, hidden=(32,), metric=metric)
    model.compile(keras_ndm.NaturalGradient())
    kept = held_out or samples // 5
    stop = keras.callbacks.EarlyStopping(patience=30, restore_best_weights=True)
    batch = min(len(x) - kept, 800)
    model.fit(
        x[kept:], y[kept:], validation_data=(x[:kept], y[:kept]), callbacks=[stop],
        batch_size=batch, epochs=150 if batch == len(x) - kept else 60, verbose=0,
    )  # fmt: skip
    new, targets = draw(NEW, 1_000_000)
    found = model.mean_and_covariance(new)
    gap = surprise(targets, *found) - surprise(targets, mean(new), covariance(new))
    chi = model.chi_square(new, targets)
    return gap, chi * float(keras.ops.convert_to_numpy(model.inflation)), chi


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--samples", type=int, nargs="+", default=[500, 3000])
    parser.add_argument("--held-out", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print("| samples | model | gap, by seed | χ² as trained | χ² rescaled | s |")
    print("|---|---|---|---|---|---|")
    for samples in options.samples:
        held_out = f" + {options.held_out}" if options.held_out else ""
        for name, kind in ROWS.items():
            start = time.perf_counter()
            found = [train(kind, samples, options.held_out, s) for s in range(options.seeds)]
            took = (time.perf_counter() - start) / options.seeds
            columns = [", ".join(f"{v:.2f}" for v in column) for column in zip(*found, strict=True)]
            print(
                f"| {samples}{held_out} | {name} | {' | '.join(columns)} | {took:.0f} |", flush=True
            )


if __name__ == "__main__":
    main()
