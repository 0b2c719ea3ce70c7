# ruff: noqa: D102, D103
"""The problems of `natural_gradient.py`: a model, its data, and what the test data measure."""

import keras
import numpy as np
from keras import layers, ops

import keras_ndm
from discovery import datasets
from keras_ndm.geometry import jets


def mlp(inputs, outputs, width=68, depth=3, activation=None):
    hidden = [layers.Dense(width, activation="tanh") for _ in range(depth)]
    return keras.Sequential([keras.Input((inputs,)), *hidden, layers.Dense(outputs, activation)])


class Problem:
    """A model, its data, and what is measured on the test data."""

    loss, batch, exact_batch, unit = "mse", 1024, 1024, "test MSE"
    # Whether learning rates of the natural gradient decay too; Adam's always do.
    decay = False

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
        def rows(seed, n):
            runs = datasets.load("kepler", n_trajectories=n, n_steps=200, noise=0.05, seed=seed)
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
