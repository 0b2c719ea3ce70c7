"""What `gpu.py` measures: pure functions with their arguments, made anew on each device."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import keras
import numpy as np
from keras import layers, ops

import keras_ndm
from keras_ndm import backend, geometry


@dataclass(frozen=True)
class Case:
    """One row of the table.

    `make()` gives a function that JAX can compile and the tuple of its arguments. It is called
    once for each device, with the same random seed, and with `dtype` as Keras' number type.
    """

    what: str
    size: str
    make: Callable[[], tuple[Callable, tuple]]
    dtype: str = "float32"


def cases(quick: bool) -> list[Case]:
    """All rows, or with `quick` a small one of every kind."""
    curvature = [(4, 256)] if quick else [(n, batch) for n in (4, 6, 8) for batch in (256, 4096)]
    manifolds = [(2, 256)] if quick else [(4, 4096), (6, 4096)]
    natural = [(16, 64)] if quick else [(68, 1024), (400, 1024)]
    count, steps = (50, 4) if quick else (2000, 32)
    rows = [
        Case("E[R²] and its gradient", f"n = {n}, batch {batch}", curvature_loss(n, batch))
        for n, batch in curvature
    ]
    rows += [
        Case("manifold, training step", f"d = {d}, batch {batch}", manifold_step(d, batch))
        for d, batch in manifolds
    ]
    for dtype in ("float32", "float64"):
        for width, samples in natural:
            size = f"P = {parameters(width)}, N = {samples}, {dtype}"
            rows.append(Case("natural gradient, step", size, natural_step(width, samples), dtype))
    size = f"{count} of {steps} steps"
    rows.append(Case("geodesics, sphere", f"n = 2, {size}", sphere_geodesics(count, steps)))
    rows.append(
        Case("geodesics, MetricLayer", f"n = 4, {size}", learned_geodesics(4, count, steps))
    )
    return rows


def normal(*shape: int) -> np.ndarray:
    """Standard normal numbers of Keras' number type, the same at every call."""
    return np.random.default_rng(0).normal(size=shape).astype(keras.config.floatx())


def curvature_loss(n: int, batch: int) -> Callable:
    """Mean of the squared Ricci scalar of a 3 × 64 metric by 2-jets, and its gradient."""

    def make():
        layer = keras_ndm.MetricLayer(hidden=(64, 64, 64), floor=0.1)
        layer.build((None, n))
        variables = layer.trainable_variables

        def loss(values, z):
            with keras.StatelessScope(state_mapping=zip(variables, values, strict=True)):
                return ops.mean(layer.scalar_curvature(z) ** 2)

        return jax.value_and_grad(loss), ([v.value for v in variables], normal(batch, n))

    return make


def manifold_step(d: int, batch: int) -> Callable:
    """Adam's step of `NeuralDifferentialManifold` with a curvature penalty."""

    def make():
        metric = keras_ndm.MetricLayer(hidden=(64, 64))
        model = keras_ndm.NeuralDifferentialManifold(metric=metric, curvature_weight=1e-3)
        x = normal(batch, d)
        y = x + 0.1 * np.sin(np.roll(x, 1, axis=1)) + 0.01 * normal(batch, d)[::-1]
        model.adapt(x, y)
        model.compile(keras.optimizers.Adam(1e-3))
        return training_step(model, x, y)

    return make


def network(width: int) -> keras.Model:
    """Two inputs, three hidden layers of `width`, one output."""
    # Keras' own tanh works in single precision on JAX.
    hidden = [layers.Dense(width, activation=backend.tanh) for _ in range(3)]
    return keras.Sequential([keras.Input((2,)), *hidden, layers.Dense(1)])


def parameters(width: int) -> int:
    """Count the weights of `network(width)`."""
    return 3 * width + 2 * width * (width + 1) + width + 1


def natural_step(width: int, samples: int) -> Callable:
    """Step of `NaturalGradient` with its exact solver, on a regression."""

    def make():
        model = network(width)
        model.compile(keras_ndm.NaturalGradient(solver="exact"), "mse")
        x = normal(samples, 2)
        return training_step(model, x, np.sin(3.0 * x[:, :1]))

    return make


def training_step(model: keras.Model, x: np.ndarray, y: np.ndarray) -> tuple[Callable, tuple]:
    """The step that `fit` compiles, as a function of the model's state and one batch.

    It returns the logs and the new trainable values less the old ones.
    """
    model.optimizer.build(model.trainable_variables)
    groups = (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )
    state = tuple([v.value for v in group] for group in groups)

    def step(state, batch):
        logs, new = model.train_step(state, batch)
        return logs, [a - b for a, b in zip(new[0], state[0], strict=True)]

    return step, (state, (x, y))


def sphere(x: jax.Array) -> jax.Array:
    """Metric of the unit sphere in stereographic coordinates: 4 δ_ij / (1 + |x|²)²."""
    scale = 4.0 / (1.0 + ops.sum(x * x, axis=-1)) ** 2
    return scale[:, None, None] * ops.eye(x.shape[-1], dtype=x.dtype)


def sphere_geodesics(count: int, steps: int) -> Callable:
    """Geodesics of length 1 of the unit sphere, derivatives by automatic differentiation.

    They start on the cap |x| ≤ 1/2 and so stay away from the pole that the chart leaves out.
    """

    def make():
        x, v = normal(2, count, 2)
        x = x / np.maximum(1.0, 2.0 * np.linalg.norm(x, axis=1, keepdims=True))
        speed = 2.0 * np.linalg.norm(v, axis=1) / (1.0 + np.sum(x * x, axis=1))
        return lambda x, v: geometry.geodesic(sphere, x, v, steps=steps), (x, v / speed[:, None])

    return make


def learned_geodesics(n: int, count: int, steps: int) -> Callable:
    """Geodesics of a 2 × 64 metric that is far from flat, derivatives by 1-jets."""

    def make():
        layer = keras_ndm.MetricLayer(hidden=(64, 64), floor=0.1)
        layer.build((None, n))
        kernel = layer.network[-1].kernel
        kernel.assign(30.0 * kernel)  # a new layer's metric is almost constant
        x, v = normal(2, count, n)
        return lambda x, v: geometry.geodesic(layer, x, 0.3 * v, steps=steps), (x, v)

    return make
