"""Several devices, and the memory of one."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

import keras_ndm
from keras_ndm.backend import training

JAX = keras.backend.backend() == "jax"


def on_one_and_on_two(code, *arguments, **environment):
    """Weights that a script prints, trained on one device and on two."""
    environment["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
    command = [sys.executable, "-c", SEVERAL + code, *arguments]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return (np.array(line.split(), float) for line in done.stdout.splitlines())


SEVERAL = """
import sys, numpy as np, keras, keras_ndm
from keras import layers
from keras_ndm import charts, evolution
devices = keras.distribution.list_devices()
assert len(devices) == 2

def distributions():
    for distribution in (None, keras.distribution.DataParallel(devices=devices)):
        keras.distribution.set_distribution(distribution)
        keras.utils.set_random_seed(0)
        yield distribution

def tell(model):
    distributed = keras.distribution.distribution() is not None
    assert ("batch" in str(model.weights[0].value.sharding)) == distributed
    print(*np.concatenate([np.ravel(w) for w in model.get_weights()]))
"""


@pytest.mark.skipif(not JAX, reason="keras.distribution works on JAX")
def test_distribution_over_devices():
    """Two devices that share a batch take the steps that one device takes."""
    code = """
x = np.random.default_rng(0).normal(size=(256, 2)).astype("float32")  # two panels
for _ in distributions():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(6, "tanh"), layers.Dense(1)])
    model.compile(keras_ndm.NaturalGradient(), "mse")
    model.fit(x, np.sin(x[:, :1]), batch_size=256, epochs=3, verbose=0, shuffle=False)
    tell(model)
"""
    one, two = on_one_and_on_two(code)
    np.testing.assert_allclose(one, two, atol=1e-3)


@pytest.mark.slow
@pytest.mark.skipif(not JAX, reason="keras.distribution works on JAX")
@pytest.mark.parametrize(
    ("model", "optimizer"),
    [
        ("manifold", "Adam"),
        ("manifold", "NaturalGradient"),
        ("mechanics", "Adam"),
        ("mechanics", "NaturalGradient"),
        ("density", "Adam"),
    ],
)
def test_models_over_devices(model, optimizer):
    """The weights agree to rounding, penalties and shuffling included."""
    code = """
rng = np.random.default_rng(0)
x = rng.normal(size=(64, 2))
y = x + 0.1 * x[:, ::-1] * [1, -1] + 0.01 * rng.normal(size=(64, 2))
q, v = x[:, :1], x[:, 1:]

def made():
    if sys.argv[1] == "manifold":
        metric = keras_ndm.MetricLayer(hidden=(6,))
        weight = evolution.Budget(0.01) if sys.argv[2] == "Adam" else 1e-3
        model = keras_ndm.NeuralDifferentialManifold(
            metric=metric, hidden=(6,), curvature_weight=weight
        )
        return model, (x, y)
    if sys.argv[1] == "mechanics":
        return keras_ndm.LagrangianManifold(hidden=(6,)), ((q, v), -q - 0.1 * q**3)
    return keras_ndm.FlowDensity(charts.SplineCoupling(depth=2, hidden=(6,))), (x,)

for _ in distributions():
    model, data = made()
    optimizers = keras.optimizers if sys.argv[2] == "Adam" else keras_ndm
    model.compile(getattr(optimizers, sys.argv[2])())
    model.fit(*data, batch_size=32, epochs=2, verbose=0)
    tell(model)
"""
    double = {"KERAS_FLOATX": "float64", "JAX_ENABLE_X64": "1"}
    one, two = on_one_and_on_two(code, model, optimizer, **double)
    # The solver's inverse enlarges rounding, part of it of single precision: rows of a batch in
    # another order change the manifold's weights by 5e-4.
    np.testing.assert_allclose(one, two, atol=1e-3 if optimizer == "NaturalGradient" else 1e-9)


@pytest.mark.skipif(not JAX, reason="TensorFlow does not tell what a program will take")
@pytest.mark.parametrize(
    "solver", ["exact", pytest.param("kronecker", marks=pytest.mark.slow_on_jax)]
)
def test_memory(solver, rng):
    """No N × P Jacobian is made: a fraction of its size is all that a step takes."""
    import jax

    hidden = [layers.Dense(256, "tanh") for _ in range(3)]
    model = keras.Sequential([keras.Input((2,)), *hidden, layers.Dense(1)])
    model.compile(keras_ndm.NaturalGradient(solver=solver), "mse")
    x = rng.normal(size=(256, 2)).astype("float32")
    y = np.sin(x[:, :1]) + 0.5 * x[:, 1:]
    model.train_on_batch(x, y)
    parts = ("trainable", "non_trainable", "optimizer", "metrics")
    state = model._get_jax_state(**{f"{part}_variables": True for part in parts})
    program = jax.jit(model.train_step).lower(state, (x, y)).compile()
    jacobian = x.itemsize * len(x) * model.count_params()
    assert program.memory_analysis().temp_size_in_bytes < 0.2 * jacobian


@pytest.mark.skipif(JAX, reason="tf.distribute belongs to TensorFlow")
def test_several_replicas_are_refused(monkeypatch):
    import tensorflow as tf

    class Two:
        num_replicas_in_sync = 2

    monkeypatch.setattr(tf.distribute, "get_strategy", Two)
    with pytest.raises(ValueError, match="2 replicas"):
        training.check_devices()
