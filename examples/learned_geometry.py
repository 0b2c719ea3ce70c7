"""Does a learned geometry help a classifier? Two moons and scikit-learn's digits.

Three classifiers of about one size are trained on few samples, over several seeds: a plain network;
a chart, with distances to class centres measured in a learned metric; and that with penalties on
curvature and volume whose weights are balanced automatically. Reported as they come out: accuracy,
expected calibration error, and the accuracy of five nearest neighbours when "near" is measured in
the inputs' own coordinates, after the plain network, and in the learned metric.

    python examples/learned_geometry.py               # writes learned_geometry.png
"""

import argparse

import keras
import matplotlib
import numpy as np
from keras import ops
from sklearn.datasets import load_digits, make_moons
from sklearn.model_selection import train_test_split

import keras_ndm
from keras_ndm.evolution import Balance

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.patches import Ellipse


class Centres(keras.layers.Layer):
    """Logits −½ (z − c)ᵀ g(z) (z − c) of classes with centres c: distance in the metric at z."""

    def __init__(self, classes, **kwargs):
        super().__init__(**kwargs)
        self.classes = classes

    def build(self, shapes):
        """Make the centres."""
        d = shapes[0][-1]
        self.centres = self.add_weight(shape=(self.classes, d), initializer="glorot_normal")

    def call(self, inputs):
        """Give the logits (batch, classes)."""
        z, g = inputs
        away = z[:, None, :] - ops.convert_to_tensor(self.centres)
        return -0.5 * ops.einsum("bki,bij,bkj->bk", away, g, away)


def plain_model(d, classes):
    """Two hidden layers."""
    x = keras.Input((d,))
    hidden = keras.layers.Dense(64, activation="tanh")(x)
    hidden = keras.layers.Dense(64, activation="tanh")(hidden)
    return keras.Model(x, keras.layers.Dense(classes)(hidden))


def geometric_model(d, classes, penalties):
    """Chart, metric, and distances to centres."""
    x = keras.Input((d,))
    z = keras_ndm.CoordinateLayer(keras_ndm.charts.AffineCoupling(depth=2, hidden=(32,)))(x)
    kind = "cholesky" if d <= 4 else keras_ndm.metric_heads.LowRank(rank=4)
    metric = keras_ndm.MetricLayer(kind, hidden=(32,), floor=1e-2, max_condition=1e3)
    if penalties:
        metric = keras_ndm.EvolutionLayer(metric, Balance(0.05), Balance(0.05), share=0.25)
    return keras.Model(x, Centres(classes)([z, metric(z)]))


def train(model, x, y, epochs):
    """Fit by cross-entropy."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(3e-3), loss=loss)
    model.fit(x, y, batch_size=50, epochs=epochs, verbose=0)
    return model


def calibration_error(probability, y, bins=10):
    """Mean gap between confidence and accuracy, over bins of confidence."""
    confidence, right = probability.max(1), probability.argmax(1) == y
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        np.sum(index == b) * abs(confidence[index == b].mean() - right[index == b].mean())
        for b in range(bins)
        if np.any(index == b)
    ]
    return float(np.sum(gaps) / len(y))


def neighbours(squared, y_train, y_test, k=5):
    """Accuracy of k nearest neighbours from squared distances (test, train)."""
    near = y_train[np.argsort(squared, axis=1)[:, :k]]
    vote = np.array([np.bincount(row).argmax() for row in near])
    return float(np.mean(vote == y_test))


def flat_distances(a, b):
    """Squared Euclidean distances."""
    return np.sum(a**2, 1)[:, None] + np.sum(b**2, 1) - 2 * a @ b.T


def metric_distances(manifold, a, b):
    """Squared distances in the metric at each test point."""
    tensor = manifold.metric_tensor(a)
    return np.stack(
        [np.einsum("ni,ij,nj->n", b - p, g, b - p) for p, g in zip(a, tensor, strict=True)]
    )


def data(name, seed):
    """Few training samples, standardized, and the rest."""
    if name == "moons":
        x, y = make_moons(1200, noise=0.25, random_state=seed)
        train_size = 100
    else:
        x, y = load_digits(return_X_y=True)
        train_size = 300
    parts = train_test_split(x, y, train_size=train_size, random_state=seed, stratify=y)
    x, x_test, y, y_test = parts
    mean, scale = x.mean(0), np.where(x.std(0) > 0, x.std(0), 1.0)
    return (x - mean) / scale, (x_test - mean) / scale, y, y_test


def one_seed(name, seed, epochs):
    """Train and judge the three models."""
    keras.utils.set_random_seed(seed)
    x, x_test, y, y_test = data(name, seed)
    d, classes = x.shape[1], len(np.unique(y))
    models = {
        "plain": plain_model(d, classes),
        "geometry": geometric_model(d, classes, penalties=False),
        "geometry + penalties": geometric_model(d, classes, penalties=True),
    }
    rows = {}
    for label, model in models.items():
        train(model, x, y, epochs)
        probability = ops.convert_to_numpy(ops.softmax(model.predict(x_test, verbose=0)))
        if label == "plain":
            inner = keras.Model(model.inputs, model.layers[-2].output)
            features = [inner.predict(p, verbose=0) for p in (x_test, x)]
            squared = flat_distances(*features)
        else:
            squared = metric_distances(keras_ndm.manifold_of(model), x_test, x)
        accuracy = np.mean(probability.argmax(1) == y_test)
        rows[label] = [
            accuracy,
            calibration_error(probability, y_test),
            neighbours(squared, y, y_test),
        ]
    rows["inputs' own distance"] = [
        np.nan,
        np.nan,
        neighbours(flat_distances(x_test, x), y, y_test),
    ]
    return rows, models, (x, y)


def draw(models, x, y, out):
    """Probability and unit circles of the metric over the moons."""
    figure, axes = plt.subplots(1, 3, figsize=(13, 4), constrained_layout=True)
    side = np.linspace(-3, 3, 121)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2).astype("float32")
    for axis, (label, model) in zip(axes, models.items(), strict=True):
        probability = ops.convert_to_numpy(ops.softmax(model.predict(grid, verbose=0)))[:, 1]
        field = probability.reshape(121, 121)
        image = axis.contourf(side, side, field, np.linspace(0, 1, 11), cmap="RdBu", alpha=0.7)
        axis.scatter(*x.T, c=y, cmap="RdBu", edgecolor="k", s=14, linewidth=0.5)
        if label != "plain":
            places = np.stack(np.meshgrid(*[np.linspace(-2.4, 2.4, 7)] * 2), axis=-1).reshape(-1, 2)
            for p, cov in zip(
                places, keras_ndm.manifold_of(model).noise_covariance(places), strict=True
            ):
                values, vectors = np.linalg.eigh(cov)
                width = 0.5 * np.minimum(np.sqrt(values), 1.4)
                turn = np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1]))
                circle = Ellipse(p, 2 * width[1] * 0.5, 2 * width[0] * 0.5, angle=turn, fill=False)
                axis.add_patch(circle)
        axis.set(title=label, xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
        axis.set(xlabel="first feature", ylabel="second feature")
    figure.colorbar(image, ax=axes, label="probability of the second moon")
    figure.savefig(out, dpi=120)
    print(f"Picture: {out}")


def main():
    """Print the table and draw the moons."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--out", default="learned_geometry.png")
    options = parser.parse_args()
    for name in ("moons", "digits"):
        runs = [one_seed(name, seed, options.epochs) for seed in range(options.seeds)]
        print(f"\n{name}, {options.seeds} seeds: mean ± standard deviation")
        print(f"{'':24}{'accuracy':>16}{'calibration error':>20}{'5 neighbours':>16}")
        for label in runs[0][0]:
            table = np.array([rows[label] for rows, _, _ in runs])
            cells = [
                f"{m:.3f} ± {s:.3f}" if np.isfinite(m) else "–"
                for m, s in zip(table.mean(0), table.std(0), strict=True)
            ]
            print(f"{label:24}{cells[0]:>16}{cells[1]:>20}{cells[2]:>16}", flush=True)
        if name == "moons":
            _, models, (x, y) = runs[0]
            draw(models, x, y, options.out)


if __name__ == "__main__":
    main()
