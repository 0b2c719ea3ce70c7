"""The hook by which `compile` tells an optimizer its model: when it is there, and when not."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

import keras_ndm
from keras_ndm.optimizers.natural_gradient import compile_hook

JAX = keras.backend.backend() == "jax"


def network():
    return keras.Sequential([keras.Input((2,)), layers.Dense(1)])


def attributes():
    """What stands on the classes that a model gets `compile` from."""
    return [dict(vars(c)) for c in keras.Model.__mro__]


@pytest.fixture
def hook_out():
    """Each test starts without the hook and leaves it as it found it."""
    before = compile_hook.installed()
    compile_hook.uninstall()
    yield
    (compile_hook.install if before else compile_hook.uninstall)()


def step(model, rng):
    """Whether one batch of a line, which a natural gradient fits in a step, is fitted."""
    x = rng.normal(size=(16, 2)).astype("float32")
    y = x @ np.array([[1.0], [-2.0]], "float32")
    model.train_on_batch(x, y)
    return float(model.evaluate(x, y, verbose=0)) < 1e-3


def compiled(optimizer):
    model = network()
    model.compile(optimizer, "mse", run_eagerly=not JAX)
    return model


IMPORT = """
import keras
classes = keras.Model.__mro__
before, compile = [dict(vars(c)) for c in classes], keras.Model.compile
import keras_ndm
from keras_ndm.optimizers.natural_gradient import compile_hook
assert keras.Model.compile is compile
assert [dict(vars(c)) for c in classes] == before
assert not compile_hook.installed()
keras_ndm.NaturalGradient()
assert compile_hook.installed()
assert keras.Model.compile is compile
"""


def test_import_leaves_keras_alone():
    done = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.usefixtures("hook_out")
def test_making_an_optimizer_installs_it_once():
    assert not compile_hook.installed()
    optimizer = keras_ndm.NaturalGradient(damping=1e-8)
    assert compile_hook.installed()
    once = attributes()
    keras_ndm.NaturalGradient()
    compile_hook.install()
    assert attributes() == once
    compile_hook.uninstall()
    keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert compile_hook.installed()


@pytest.mark.usefixtures("hook_out")
def test_uninstall_restores_keras(rng):
    before = attributes()
    model = compiled(keras_ndm.NaturalGradient(solver="exact", damping=1e-8))
    assert attributes() != before
    compile_hook.uninstall()
    compile_hook.uninstall()
    assert attributes() == before
    assert not compile_hook.installed()
    # What was compiled goes on; configurations that the hook has seen are where they were.
    assert step(model, rng)
    assert model.get_compile_config()["loss"] == "mse"


@pytest.mark.usefixtures("hook_out")
def test_a_new_optimizer_after_uninstall(rng):
    keras_ndm.NaturalGradient()
    compile_hook.uninstall()
    # Made in the call: Python has looked `compile` up by then.
    assert step(compiled(keras_ndm.NaturalGradient(solver="exact", damping=1e-8)), rng)


@pytest.mark.usefixtures("hook_out")
def test_an_optimizer_of_before_uninstall_says_what_is_missing(rng):
    optimizer = keras_ndm.NaturalGradient()
    compile_hook.uninstall()
    with pytest.raises((ValueError, RuntimeError), match=r"`model\.compile\(optimizer="):
        step(compiled(optimizer), rng)


@pytest.mark.usefixtures("hook_out")
def test_recompiling_without_the_hook_is_noticed(rng):
    model = compiled(keras_ndm.NaturalGradient(solver="exact"))
    compile_hook.uninstall()
    model.compile("sgd", "mse", run_eagerly=not JAX)
    with pytest.raises(RuntimeError, match="while the hook"):
        step(model, rng)


@pytest.mark.usefixtures("hook_out")
def test_models_without_a_configuration():
    """As in Keras: no configuration before `compile`, with other optimizers what they had."""
    plain = compiled("sgd").get_compile_config()
    keras_ndm.NaturalGradient()
    assert network().get_compile_config() == {}
    assert compiled("sgd").get_compile_config().keys() == plain.keys()
