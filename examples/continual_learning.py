"""Five tasks one after the other, with and without `ContinualPrior`: what is left of each.

Each task is to read scikit-learn's digits with the pixels in an order of its own. Plain training
forgets; the prior keeps the earlier tasks without storing any of their digits.

    python examples/continual_learning.py                # writes continual_learning.png
"""

import argparse

import keras
import matplotlib
import numpy as np
from sklearn.datasets import load_digits

import keras_ndm

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def tasks(count, rng):
    """Training and test sets, each with its own order of the 64 pixels."""
    digits = load_digits()
    x, y = (digits.data / 16).astype("float32"), digits.target
    test, train = np.split(rng.permutation(len(x)), [450])
    orders = [rng.permutation(64) for _ in range(count)]
    return [((x[train][:, o], y[train]), (x[test][:, o], y[test])) for o in orders]


def network():
    """Two layers of 100 units, with the same start every time."""
    keras.utils.set_random_seed(0)
    hidden = [keras.layers.Dense(100, activation="relu") for _ in range(2)]
    model = keras.Sequential([keras.Input((64,)), *hidden, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    return model


def learn(data, epochs, prior):
    """Accuracy [after task, on task]."""
    model, table = network(), []
    for (x, y), _ in data:
        model.fit(x, y, epochs=epochs, verbose=0, callbacks=[prior] if prior else [])
        if prior:
            prior.consolidate(x, y)
        table.append([model.evaluate(*test, batch_size=450, verbose=0)[1] for _, test in data])
        print("  ".join(f"{a:.2f}" for a in table[-1]))
    return np.array(table)


def main():
    """Train twice, print the accuracies, and draw them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--out", default="continual_learning.png")
    options = parser.parse_args()

    data = tasks(options.tasks, np.random.default_rng(0))
    figure, axes = plt.subplots(1, 2, figsize=(9.5, 4.0), sharey=True, layout="constrained")
    for ax, (title, prior) in zip(
        axes,
        {"plain training": None, "with ContinualPrior": keras_ndm.ContinualPrior()}.items(),
        strict=True,
    ):
        print(title)
        table = learn(data, options.epochs, prior)
        after = np.arange(1, options.tasks + 1)
        for k in range(options.tasks):
            ax.plot(after[k:], table[k:, k], "o-", ms=4, label=f"task {k + 1}")
        ax.plot(
            after,
            [table[k, : k + 1].mean() for k in range(options.tasks)],
            "k--",
            lw=1.2,
            label="mean so far",
        )
        ax.set(title=title, xlabel="tasks learned", xticks=after, ylim=(0, 1.02))
    axes[0].set_ylabel("accuracy on the task's test set")
    axes[1].legend(loc="lower left", frameon=False)
    figure.savefig(options.out, dpi=120)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
