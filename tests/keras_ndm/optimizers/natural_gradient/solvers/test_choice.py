"""Which solver "auto" takes, and what it says of it."""

import logging

import keras
import numpy as np
import pytest
from keras import layers, ops

import keras_ndm
from keras_ndm.optimizers.natural_gradient.fisher.jacobian import parts_of
from keras_ndm.optimizers.natural_gradient.fisher.layer_blocks import Part
from keras_ndm.optimizers.natural_gradient.objective import Objective
from keras_ndm.optimizers.natural_gradient.solvers.choice import choose

JAX = keras.backend.backend() == "jax"


def compiled(model):
    """Compile with "auto"; eager on TensorFlow, where tracing is most of a short test."""
    model.compile(keras_ndm.NaturalGradient(), "mse", run_eagerly=not JAX)
    return model


def two_layers(width):
    return [Part(2 * width, 1, 2, width), Part(width * width, 1, width, width), Part(width)]


def test_choice():
    assert choose(two_layers(64), 1, 1024, 8)[0] == "exact"
    assert choose(two_layers(8), 10, 32, 4)[0] == "exact"
    solver, reason = choose(two_layers(64), 10, 512, 8)
    assert solver == "kronecker"
    assert "5120 rows" in reason
    assert "6 times" in reason
    assert "unknown size" in choose(two_layers(8), 1, None, 4)[1]


def test_choice_by_memory():
    """Beside a large table of vectors, whose rows are held, even a short batch is too long."""
    table = [*two_layers(8), Part(10**6)]
    assert choose(table, 1, 16, 8)[0] == "exact"
    solver, reason = choose(table, 4, 64, 8)
    assert solver == "kronecker"
    assert "limit of memory is 1024 MiB. Both take more" in reason
    assert "Both" not in choose(table, 10, 64, 8)[1]  # Kronecker's probe needs one row a sample
    # The kernel alone: rows · rows numbers.
    assert "limit of memory" in choose(two_layers(8), 1, 12_000, 8)[1]
    assert "limit of memory" not in choose(two_layers(8), 1, 11_000, 8)[1]


@pytest.mark.slow_on_jax
@pytest.mark.parametrize("n", [64, 4096])
def test_choice_is_said_once(n, rng, caplog):
    x = rng.normal(size=(n, 2)).astype("float32")
    y = np.sin(x[:, :1]) + 0.5 * x[:, 1:]
    hidden = layers.Dense(8, "tanh")
    model = compiled(keras.Sequential([keras.Input((2,)), hidden, layers.Dense(1)]))
    with caplog.at_level(logging.INFO, logger="keras_ndm"):
        model.train_on_batch(x, y)
        model.train_on_batch(x[:50], y[:50])
    chosen = "exact" if n == 64 else "kronecker"
    assert model.optimizer.chosen_solver == chosen
    assert [r.getMessage() for r in caplog.records if r.name == "keras_ndm"] == [
        f"NaturalGradient: solver {model.optimizer.reason}"
    ]
    assert model.optimizer.reason.startswith(f"{chosen}, since {n} samples with 1 number each")


@pytest.mark.slow_on_jax
def test_choice_knows_the_layers(rng):
    """What is estimated is what the Jacobian holds: positions of Dense layers, rows of others."""
    shared = layers.Dense(3)
    first, second = keras.Input((5, 3)), keras.Input((5, 3))
    features = layers.Concatenate()([shared(first), shared(second)])
    found = layers.Dense(1)(layers.Flatten()(layers.Conv1D(4, 2)(features)))
    model = compiled(keras.Model([first, second], found))
    x = [rng.normal(size=(8, 5, 3)).astype(keras.config.floatx()) for _ in range(2)]
    model.train_on_batch(x, x[0][:, 0, :1])
    objective = Objective(model, [ops.convert_to_tensor(a) for a in x])
    parts = parts_of(objective, model.optimizer.taps, objective.values)
    assert parts == [Part(9, 10, 3, 3), Part(4 * 2 * 6 + 4), Part(16, 1, 16, 1)]
