import contextlib

import keras
import numpy as np
import pytest
from keras import ops


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Take tests marked `slow_on_jax` for slow ones there."""
    if keras.config.backend() == "jax":
        for item in items:
            if item.get_closest_marker("slow_on_jax"):
                item.add_marker(pytest.mark.slow)


@contextlib.contextmanager
def _float64():
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        if keras.config.backend() == "jax":
            import jax

            with jax.enable_x64(True):
                yield
        else:
            yield
    finally:
        keras.config.set_floatx(before)
        keras.config.set_dtype_policy(before)


@pytest.fixture
def float64():
    """Layers, variables and numbers in double precision."""
    with _float64():
        yield


@pytest.fixture
def rng():
    keras.utils.set_random_seed(0)
    return np.random.default_rng(0)


def _randomize(layer, scale=0.5, seed=1):
    """Move a layer's trainable weights away from where they start."""
    rng = np.random.default_rng(seed)
    for variable in layer.trainable_variables:
        variable.assign(variable + ops.convert_to_tensor(scale * rng.normal(size=variable.shape)))


@pytest.fixture
def randomize():
    return _randomize


def max_error(a, b):
    return float(np.max(np.abs(ops.convert_to_numpy(a) - ops.convert_to_numpy(b))))


@pytest.fixture(name="max_error")
def max_error_fixture():
    return max_error
