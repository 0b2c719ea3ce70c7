# ruff: noqa: D102, D103
"""Optimizers at equal wall time on the same model and data: test loss against time.

    python benchmarks/optimizers.py --seconds 60                      # everything, float64
    python benchmarks/optimizers.py --problems regression_2d --dtype float32
    python benchmarks/optimizers.py --out benchmarks/results          # also JSON and a picture

Compilation (the first step) and the evaluations of the test loss do not count. Schedules are given
the number of steps that fit into the time, measured beforehand. One process, one method
after the other: what
else runs on the machine disturbs all of them.
"""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np
import scipy.optimize
from keras import layers, ops

import keras_ndm
from keras_ndm.geometry import jets


def mlp(inputs, outputs, width=68, depth=3, activation=None):
    hidden = [layers.Dense(width, activation="tanh") for _ in range(depth)]
    return keras.Sequential([keras.Input((inputs,)), *hidden, layers.Dense(outputs, activation)])


class Problem:
    """A model, its data, and what is measured on the test data."""

    loss, batch, exact_batch, unit = "mse", 1024, 1024, "test MSE"

    def __init__(self, x, y, test):
        self.x, self.y, self.test = x, y, test

    def measure(self, model):
        x, y = self.test
        return float(np.mean((model.predict_on_batch(x) - y) ** 2))


class Smooth(Problem):
    """Regression of a smooth function without noise."""

    def __init__(self, d):
        rng = np.random.default_rng(0)

        def f(x):
            y = np.sin(np.pi * x[:, 0]) * np.cos(np.pi * x[:, 1])
            if d > 2:
                y = y + np.exp(-(x[:, 2] ** 2)) * x[:, 3] + 0.5 * x[:, 4] ** 2
            return y[:, None]

        x, t = rng.uniform(-1, 1, (65536, d)), rng.uniform(-1, 1, (4096, d))
        super().__init__(x, f(x), (t, f(t)))
        self.d = d

    def model(self):
        return mlp(self.d, 1)


class PoissonModel(keras.Model):
    """−Δu of u = Π x_i (1 − x_i) · network(x), which vanishes on the boundary; Δ by 2-jets."""

    def __init__(self, d):
        super().__init__()
        self.d = d
        self.net = [*[layers.Dense(68, "tanh") for _ in range(3)], layers.Dense(1)]

    def build(self, shape):
        width = self.d
        for layer in self.net:
            layer.build((None, width))
            width = layer.units

    def _envelope(self, x):
        b = 4.0 * x * (1.0 - x)
        others = ops.prod(b, -1, keepdims=True) / b
        return ops.prod(b, -1, keepdims=True), 4.0 * (1.0 - 2.0 * x) * others, -8.0 * others

    def call(self, x):
        pairs = tuple((i, i) for i in range(self.d))
        n = jets.network(jets.seed(x, pairs=pairs), self.net)
        b, slope, bend = self._envelope(x)
        mixed = ops.sum(slope[..., None] * n.first, 1)
        laplacian = n.value * ops.sum(bend, -1, keepdims=True) + 2 * mixed
        return -(laplacian + b * ops.sum(n.second, 1))

    def solution(self, x):
        return self._envelope(x)[0] * jets.network(jets.Jet(x), self.net).value


class Poisson(Problem):
    """−Δu = 5 π² Π sin π x_i on the unit cube in 5 dimensions; measured is u."""

    unit = "test MSE of u"

    def __init__(self):
        rng = np.random.default_rng(0)
        x, t = rng.uniform(0.02, 0.98, (65536, 5)), rng.uniform(0.02, 0.98, (4096, 5))

        def u(x):
            return np.prod(np.sin(np.pi * x), -1, keepdims=True)

        super().__init__(x, 5 * np.pi**2 * u(x), (t, u(t)))

    def model(self):
        model = PoissonModel(5)
        model(ops.ones((1, 5)) / 2)
        return model

    def measure(self, model):
        x, y = self.test
        found = ops.convert_to_numpy(model.solution(ops.convert_to_tensor(x, model.compute_dtype)))
        return float(np.mean((found - y) ** 2))


class Field(Problem):
    """The vector field of a mechanical system, standardized."""

    exact_batch = 512

    def __init__(self, sample, field):
        rng = np.random.default_rng(0)
        x, t = sample(rng, 65536), sample(rng, 4096)
        y, z = field(x), field(t)
        mean, scale = y.mean(0), y.std(0)
        super().__init__(x, (y - mean) / scale, (t, (z - mean) / scale))

    def model(self):
        return mlp(self.x.shape[1], self.y.shape[1])


def kepler_sample(rng, n):
    r, a = rng.uniform(0.6, 1.6, n), rng.uniform(0, 2 * np.pi, n)
    return np.stack([r * np.cos(a), r * np.sin(a), *rng.uniform(-1.2, 1.2, (2, n))], 1)


def kepler(s):
    q, v = s[:, :2], s[:, 2:]
    return np.concatenate([v, -q / np.sum(q * q, 1, keepdims=True) ** 1.5], 1)


def pendulum_sample(rng, n):
    return rng.uniform(-2, 2, (n, 4))


def pendulum(s):
    """Double pendulum of unit masses and lengths, g = 9.81; s = (θ₁, θ₂, ω₁, ω₂)."""
    a, b, u, v = s.T
    d, g = a - b, 9.81
    den = 3.0 - np.cos(2 * d)
    first = -3 * g * np.sin(a) - g * np.sin(a - 2 * b)
    first = first - 2 * np.sin(d) * (v**2 + u**2 * np.cos(d))
    second = 2 * np.sin(d) * (2 * u**2 + 2 * g * np.cos(a) + v**2 * np.cos(d))
    return np.stack([u, v, first / den, second / den], 1)


class Digits(Problem):
    """scikit-learn's digits, 1437 to train on, with noise enough to overfit."""

    loss, batch, exact_batch, unit = "sparse_categorical_crossentropy", 256, 128, "test NLL"
    decay = True

    def __init__(self):
        from sklearn.datasets import load_digits

        data = load_digits()
        order = np.random.default_rng(0).permutation(len(data.data))
        x, y = data.data[order] / 16.0, data.target[order]
        super().__init__(x[:1437], y[:1437], (x[1437:], y[1437:]))

    def model(self):
        return mlp(64, 10, width=64, depth=2, activation="softmax")

    def measure(self, model):
        x, y = self.test
        p = model.predict_on_batch(x)[np.arange(len(y)), y]
        return float(-np.mean(np.log(np.maximum(p, 1e-12))))


class Manifold(Problem):
    """The default manifold of `discover` on Kepler runs with 5 % noise."""

    loss, batch, exact_batch, unit = None, 512, 128, "test NLL"
    decay = True

    def __init__(self):
        import discovery

        def rows(seed, n):
            runs = discovery.datasets.load(
                "kepler", n_trajectories=n, n_steps=200, noise=0.05, seed=seed
            )
            states = np.asarray(runs.states, "float32")
            return [s.reshape(-1, 4) for s in (states[:, :-1], states[:, 1:])]

        super().__init__(*rows(0, 100), rows(1, 30))

    def model(self):
        model = keras_ndm.NeuralDifferentialManifold()
        model.adapt(self.x, self.y)
        return model

    def measure(self, model):
        return float(model.evaluate(*self.test, batch_size=2048, verbose=0))


PROBLEMS = {
    "regression_2d": lambda: Smooth(2),
    "regression_5d": lambda: Smooth(5),
    "poisson_5d": Poisson,
    "kepler_field": lambda: Field(kepler_sample, kepler),
    "pendulum_field": lambda: Field(pendulum_sample, pendulum),
    "digits": Digits,
    "manifold": Manifold,
}


def schedule(rate, steps):
    return keras.optimizers.schedules.CosineDecay(rate, max(steps, 2))


def natural(solver):
    def make(problem, steps):
        rate = schedule(1.0, steps) if hasattr(problem, "decay") else 1.0
        return keras_ndm.NaturalGradient(rate, solver=solver)

    return make


METHODS = {
    "natural exact": natural("exact"),
    "natural kronecker": natural("kronecker"),
    "Adam": lambda _, steps: keras.optimizers.Adam(schedule(3e-3, steps)),
    "AdamW": lambda _, steps: keras.optimizers.AdamW(schedule(3e-3, steps), weight_decay=1e-4),
    "Muon": lambda _, steps: keras.optimizers.Muon(schedule(1e-2, steps)),
    "L-BFGS": None,
}


class Clock:
    """Training time without evaluations, and the curve of the test loss."""

    def __init__(self, problem, model, seconds):
        self.problem, self.model, self.seconds = problem, model, seconds
        self.curve, self.used, self.due = [], 0.0, seconds / 20
        self.last = time.perf_counter()

    def tick(self):
        """Whether time is left."""
        self.used += time.perf_counter() - self.last
        if self.used >= self.due or self.used >= self.seconds:
            self.curve.append((self.used, self.problem.measure(self.model)))
            self.due = self.used + self.seconds / 20
        self.last = time.perf_counter()
        return self.used < self.seconds


def batches(problem, size):
    rng = np.random.default_rng(1)
    while True:
        order = rng.permutation(len(problem.x))
        for start in range(0, len(order) - size + 1, size):
            rows = order[start : start + size]
            yield problem.x[rows], problem.y[rows]


def train(problem, name, seconds, steps):
    """Train for some seconds (or 12 steps, to measure one); curve, compilation time, steps."""
    keras.utils.set_random_seed(0)
    model = problem.model()
    timing = steps is None
    optimizer = METHODS[name](problem, steps or 1000)
    arguments = {} if problem.loss is None else {"loss": problem.loss}
    model.compile(optimizer, **arguments)
    size = problem.exact_batch if name == "natural exact" else problem.batch
    stream = batches(problem, size)
    begun = time.perf_counter()
    model.train_on_batch(*next(stream))
    compilation = time.perf_counter() - begun
    problem.measure(model)
    clock, count = Clock(problem, model, seconds), 0
    while count < 12 if timing else clock.tick():
        model.train_on_batch(*next(stream))
        count += 1
    if timing:
        return (time.perf_counter() - clock.last) / 12
    return {"curve": clock.curve, "compilation": compilation, "steps": count, "batch": size}


def lbfgs(problem, seconds):
    """SciPy's L-BFGS on the full batch, float64 outside, the model's type inside."""
    from keras_ndm.optimizers.objective import Objective

    keras.utils.set_random_seed(0)
    model = problem.model()
    arguments = {} if problem.loss is None else {"loss": problem.loss}
    model.compile("sgd", **arguments)
    most = 16384
    x, y = problem.x[:most], problem.y[:most]
    model.evaluate(x[:64], y[:64], verbose=0)
    variables = model.trainable_variables
    import tensorflow as tf

    data = [
        ops.convert_to_tensor(a, model.compute_dtype if a.dtype.kind == "f" else None)
        for a in (x, y)
    ]

    @tf.function
    def both():
        objective = Objective(model, *data)
        values = objective.values
        return objective(values), objective.gradient(values)

    def assign(point):
        start = 0
        for v in variables:
            size = int(np.prod(v.shape))
            v.assign(point[start : start + size].reshape(v.shape))
            start += size

    def function(point):
        assign(point)
        loss, gradient = both()
        flat = [np.ravel(ops.convert_to_numpy(g)) for g in gradient]
        return float(loss), np.concatenate(flat).astype("float64")

    start = np.concatenate([np.ravel(ops.convert_to_numpy(v)) for v in variables]).astype("float64")
    begun = time.perf_counter()
    function(start)
    compilation = time.perf_counter() - begun
    clock = Clock(problem, model, seconds)
    count = [0]

    def after(point):
        count[0] += 1
        assign(point)
        if not clock.tick():
            raise StopIteration

    scipy.optimize.minimize(
        function,
        start,
        jac=True,
        method="L-BFGS-B",
        callback=after,
        options={"maxiter": 10**6, "maxfun": 10**6, "ftol": 0.0, "gtol": 0.0, "maxcor": 30},
    )
    clock.curve.append((clock.used, problem.measure(model)))
    return {"curve": clock.curve, "compilation": compilation, "steps": count[0], "batch": len(x)}


def run(problem, name, seconds):
    if name == "L-BFGS":
        return lbfgs(problem, seconds)
    per_step = train(problem, name, seconds, None)
    return train(problem, name, seconds, int(seconds / per_step))


def picture(results, path):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(results), figsize=(3.6 * len(results), 3.2), squeeze=False)
    for axis, (title, methods) in zip(axes[0], results.items(), strict=True):
        for name, result in methods.items():
            axis.plot(*zip(*result["curve"], strict=True), label=name)
        axis.set(title=title, xlabel="seconds")
        if all(value > 0 for r in methods.values() for _, value in r["curve"]):
            axis.set_yscale("log")
    axes[0][0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--problems", nargs="+", default=list(PROBLEMS), choices=PROBLEMS)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--dtype", default="float64", choices=["float32", "float64"])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    keras.config.set_floatx(options.dtype)
    keras.config.set_dtype_policy(options.dtype)
    results = {}
    for problem_name in options.problems:
        problem = PROBLEMS[problem_name]()
        results[problem_name] = {}
        print(f"\n{problem_name}, {options.dtype}, {options.seconds:g} s, {problem.unit}")
        for name in options.methods:
            try:
                result = run(problem, name, options.seconds)
            except Exception as error:  # one method that fails must not hide the others
                print(f"  {name:18s} failed: {type(error).__name__}: {str(error)[:90]}", flush=True)
                continue
            results[problem_name][name] = result
            best = min(value for _, value in result["curve"])
            print(
                f"  {name:18s} last {result['curve'][-1][1]:11.3e}  best {best:11.3e}  "
                f"{result['steps']:6d} × {result['batch']}, compiled {result['compilation']:.1f} s",
                flush=True,
            )
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
            stem = options.out / f"optimizers-{options.dtype}"
            stem.with_suffix(".json").write_text(json.dumps(results))
            picture(results, stem.with_suffix(".png"))


if __name__ == "__main__":
    main()
