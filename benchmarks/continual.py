# ruff: noqa: D103
"""Tasks one after the other: accuracy on all of them at the end, beside what people use now.

    python benchmarks/continual.py --seeds 3              # permuted and split digits
    python benchmarks/continual.py --fields               # one vector field, sector by sector
    python benchmarks/continual.py --seed 100 --methods EWC --ewc 10

Digits are scikit-learn's, 8 × 8 pixels, 1347 to train and 450 to test. "permuted": eight tasks,
each with its own order of the pixels, one head of ten outputs. "split": five tasks, 0 or 1, 2 or 3
and so on, one head of two outputs, and nobody says which task a digit comes from
(domain-incremental). Two layers of 100 relu units, Adam, 20 epochs of batches of 32 a task; the
same start and data for all methods. λ = 1 and φ = .1 are the prior's defaults; seed 100, on which
they were tried, is none of the table's. λ of EWC and α of DER are common values, and options.
"""

import argparse
import time

import keras
import numpy as np
from keras import ops
from sklearn.datasets import load_digits

import keras_ndm
from keras_ndm.backend.training import vjp

STORED = 40


class Plain(keras.Model):
    """A network whose loss has room for what a method adds: `extra()`."""

    extra = None

    def __init__(self, sizes, activation):
        super().__init__()
        hidden = [keras.layers.Dense(n, activation=activation) for n in sizes[1:-1]]
        parts = [keras.Input((sizes[0],)), *hidden, keras.layers.Dense(sizes[-1])]
        self.body = keras.Sequential(parts)
        self.turn = self.add_weight(shape=(), initializer="zeros", dtype="int32", trainable=False)

    def call(self, x):  # noqa: D102
        return self.body(x)

    def compute_loss(  # noqa: D102
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        loss = super().compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)
        return loss + self.extra() if training and self.extra is not None else loss


def fine_tuning(model, options):
    del options
    return [], lambda x, y: None


def prior(**settings):
    def method(model, options):
        del model
        prior = keras_ndm.ContinualPrior(strength=options.strength, **settings)
        return [prior], prior.consolidate

    return method


def ewc(model, options):
    """½ λ Σ d Δ² a task, d the mean of the squared gradients of the labels' log-likelihood."""
    past = []

    def cost():
        total = 0.0
        for anchors, squares in past:
            for v, a, d in zip(model.trainable_variables, anchors, squares, strict=True):
                total = total + 0.5 * options.ewc * ops.sum(d * ops.square(v - a))
        return total

    def squared_gradients(x, y):
        """By layers: the square of an outer product is the product of the squares."""
        layers = model.body.layers
        a, inputs, slopes = x, [], []
        for layer in layers:
            inputs.append(np.concatenate([a, np.ones((len(a), 1))], 1))
            a = ops.convert_to_numpy(layer(a))
        _, pullback, _ = vjp(lambda f: [each(y, f[0])], [ops.convert_to_tensor(a)])
        delta = ops.convert_to_numpy(pullback([ops.ones(len(x))])[0])
        for i in reversed(range(len(layers))):
            slopes.insert(0, delta)
            if i:
                kernel = ops.convert_to_numpy(layers[i].kernel)
                h = inputs[i][:, :-1]
                slope = h > 0 if options.activation == "relu" else 1 - h * h
                delta = (delta @ kernel.T) * slope
        for a, delta in zip(inputs, slopes, strict=True):
            both = ((a**2).T @ delta**2 / len(x)).astype("float32")
            yield from (both[:-1], both[-1])

    each = options.each

    def consolidate(x, y):
        anchors = [ops.convert_to_numpy(v) for v in model.trainable_variables]
        past.append((anchors, list(squared_gradients(x, y))))
        model.extra = cost
        model.train_function = None

    return [], consolidate


def rehearsal(distance):
    """Stored samples in every step, as many as a task has stored: `distance(options, f, y, z)`."""

    def method(model, options):
        kept = []
        random = np.random.default_rng(0)

        def cost():
            x, y, z = (np.concatenate(column) for column in zip(*kept, strict=True))
            place = ops.convert_to_tensor(model.turn) * STORED + ops.arange(STORED, dtype="int32")
            chosen = place % len(kept) * STORED + place // len(kept) % STORED
            model.turn.assign_add(1)
            x, y, z = (ops.take(ops.convert_to_tensor(a), chosen, axis=0) for a in (x, y, z))
            return len(kept) * distance(options, model(x), y, z)

        def consolidate(x, y):
            rows = random.choice(len(x), STORED, replace=False)
            kept.append((x[rows], y[rows], model.predict(x[rows], verbose=0)))
            model.extra = cost
            model.train_function = None

        return [], consolidate

    return method


METHODS = {
    "fine-tuning": fine_tuning,
    "EWC": ewc,
    "prior, one pair": prior(),
    "prior, a pair a task": prior(pairs="task"),
    "replay, 40 stored": rehearsal(lambda o, f, y, z: ops.mean(o.each(y, f))),
    "DER, 40 stored": rehearsal(lambda o, f, y, z: o.alpha * ops.mean(ops.square(f - z))),
    "prior, 40 stored": prior(memory=STORED),
    "joint": None,
}


def permuted(rng):
    x, y = digits()
    test, train = np.split(rng.permutation(len(x)), [450])
    orders = [rng.permutation(64) for _ in range(8)]
    return [((x[train][:, o], y[train]), (x[test][:, o], y[test])) for o in orders], 10


def split(rng):
    x, y = digits()
    parts = np.split(rng.permutation(len(x)), [450])[::-1]
    tasks = []
    for pair in range(5):
        rows = [part[y[part] // 2 == pair] for part in parts]
        tasks.append([(x[r], y[r] % 2) for r in rows])
    return tasks, 2


def digits():
    data = load_digits()
    return (data.data / 16).astype("float32"), data.target


def sectors(rng):
    """Kepler's field −q/|q|³ in four sectors of the ring .7 < |q| < 1.5."""
    tasks = []
    for k in range(4):
        pair = []
        for n in (1000, 500):
            angle = rng.uniform(k, k + 1, n) * np.pi / 2
            r = rng.uniform(0.7, 1.5, n)
            q = np.stack([r * np.cos(angle), r * np.sin(angle)], 1)
            pair.append((q.astype("float32"), (-q / r[:, None] ** 3).astype("float32")))
        tasks.append(pair)
    return tasks, 2


def train(name, tasks, outputs, options, seed):
    """Score on the test sets of all tasks after the last, and seconds."""
    keras.utils.set_random_seed(seed)
    started = time.perf_counter()
    model = Plain([tasks[0][0][0].shape[1], *options.hidden, outputs], options.activation)
    model.compile(keras.optimizers.Adam(1e-3), options.loss)
    model(tasks[0][0][0][:1])
    if METHODS[name] is None:
        x, y = (np.concatenate([t[0][i] for t in tasks]) for i in (0, 1))
        model.fit(x, y, batch_size=32, epochs=options.epochs, verbose=0)
    else:
        callbacks, consolidate = METHODS[name](model, options)
        for (x, y), _ in tasks:
            model.fit(x, y, batch_size=32, epochs=options.epochs, verbose=0, callbacks=callbacks)
            consolidate(x, y)
    x, y = (np.concatenate([t[1][i] for t in tasks]) for i in (0, 1))
    score = options.score(y, model.predict(x, batch_size=1024, verbose=0))
    return score, time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="0, 1, …")
    parser.add_argument("--seed", type=int, help="this one instead")
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=METHODS)
    parser.add_argument("--problems", nargs="*", default=["permuted", "split"])
    parser.add_argument("--fields", action="store_true", help="sectors of a vector field instead")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--strength", type=float, default=1.0, help="λ of ContinualPrior")
    parser.add_argument("--ewc", type=float, default=10.0, help="λ of EWC")
    parser.add_argument("--alpha", type=float, default=0.5, help="α of DER")
    options = parser.parse_args()
    options.hidden, options.activation = (100, 100), "relu"
    options.each = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)
    options.loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    options.score = lambda y, f: np.mean(f.argmax(1) == y)
    problems = {"permuted": permuted, "split": split}
    if options.fields:
        options.problems, problems = ["sectors"], {"sectors": sectors}
        options.activation, options.loss = "tanh", keras.losses.MeanSquaredError()
        options.each = keras.losses.MeanSquaredError(reduction=None)
        options.score = lambda y, f: np.linalg.norm(f - y) / np.linalg.norm(y)
    seeds = range(options.seeds) if options.seed is None else [options.seed]
    for problem in options.problems:
        what = "relative error" if options.fields else "accuracy"
        print(f"\n| {problem} | {what} | each seed | s a seed |\n|---|---|---|---|", flush=True)
        for name in options.methods:
            runs = []
            for seed in seeds:
                tasks, outputs = problems[problem](np.random.default_rng(seed))
                runs.append(train(name, tasks, outputs, options, seed))
            scores, seconds = np.transpose(runs)
            each = ", ".join(f"{s:.3f}" for s in scores)
            print(f"| {name} | {scores.mean():.3f} | {each} | {seconds.mean():.0f} |", flush=True)


if __name__ == "__main__":
    main()
