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


@pytest.mark.skipif(not JAX, reason="keras.distribution works on JAX")
def test_distribution_over_devices():
    """Two devices that share a batch take the steps that one device takes."""
    code = """
import numpy as np, keras, keras_ndm
from keras import layers
devices = keras.distribution.list_devices()
assert len(devices) == 2
x = np.random.default_rng(0).normal(size=(256, 2)).astype("float32")  # two panels
for distribution in (None, keras.distribution.DataParallel(devices=devices)):
    keras.distribution.set_distribution(distribution)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2,)), layers.Dense(6, "tanh"), layers.Dense(1)])
    model.compile(keras_ndm.NaturalGradient(), "mse")
    model.fit(x, np.sin(x[:, :1]), batch_size=256, epochs=3, verbose=0, shuffle=False)
    print(*np.concatenate([np.ravel(w) for w in model.get_weights()]))
assert "batch" in str(model.weights[0].value.sharding.mesh.axis_names)
"""
    environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    one, two = (np.array(line.split(), float) for line in done.stdout.splitlines())
    np.testing.assert_allclose(one, two, atol=1e-3)


@pytest.mark.skipif(not JAX, reason="TensorFlow does not tell what a program will take")
@pytest.mark.parametrize("solver", ["exact", "kronecker"])
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
