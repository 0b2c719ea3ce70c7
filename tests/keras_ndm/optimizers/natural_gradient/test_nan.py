"""NaN in a batch: the step is rejected and reported, and no weight changes."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import keras_ndm

JAX = keras.backend.backend() == "jax"


def manifold(metric="cholesky"):
    model = keras_ndm.NeuralDifferentialManifold(
        hidden=(4,), metric=keras_ndm.MetricLayer(metric, hidden=(3,)), volume_weight=1e-3
    )
    return model, None


def graph():
    x = keras.Input((2,))
    h = layers.Dense(4, "tanh")(x)
    mean = layers.Add()([x, layers.Dense(2)(h)])
    metric = keras_ndm.MetricLayer(hidden=(3,))(layers.Dense(2)(x))
    return keras_ndm.ManifoldModel(x, mean, metric=metric), None


def regularized():
    """A metric layer's log determinant as the output of a model with a loss of its own."""
    x = keras.Input((2,))
    g = keras_ndm.EvolutionLayer(keras_ndm.MetricLayer(hidden=(3,)), volume_weight=1e-3)(x)
    return keras.Model(x, layers.Dense(2)(layers.Flatten()(g))), "mse"


MODELS = {
    "manifold": manifold,
    "low_rank": lambda: manifold("low_rank"),
    "graph": graph,
    "evolution": regularized,
}


# On TensorFlow mostly eager, since tracing takes most of the time; JAX traces in any case.
@pytest.mark.parametrize(
    ("name", "solver", "run_eagerly"),
    [
        pytest.param("manifold", "exact", not JAX, marks=pytest.mark.slow_on_jax),
        pytest.param("low_rank", "kronecker", not JAX, marks=pytest.mark.slow_on_jax),
        pytest.param("graph", "exact", not JAX, marks=pytest.mark.slow_on_jax),
        pytest.param("evolution", "exact", not JAX, marks=pytest.mark.slow_on_jax),
        ("evolution", "kronecker", False),
    ],
)
def test_metrics_survive_a_bad_batch(name, solver, run_eagerly, rng):
    model, loss = MODELS[name]()
    x = rng.normal(size=(6, 2)).astype("float32")
    y = x + 0.1 * rng.normal(size=x.shape).astype("float32")
    if hasattr(model, "adapt"):
        model.adapt(x, y)
    # Plain graphs on TensorFlow: XLA drops the checks at which `keras.ops.cholesky` stops.
    how = {"run_eagerly": True} if run_eagerly else {"jit_compile": JAX}
    arguments = {} if loss is None else {"loss": loss}
    model.compile(keras_ndm.NaturalGradient(solver=solver), **arguments, **how)
    model.train_on_batch(x, y)
    before = [np.array(w) for w in model.get_weights()]
    bad = x.copy()
    bad[3, 1] = np.nan
    model.train_on_batch(bad, y)
    assert model.optimizer.rejected_batches == 1
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    model.train_on_batch(x, y)
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert model.optimizer.rejected_batches == 1


def test_weight_decay_and_averages_wait_too(rng):
    """Nothing of what Keras does beside the gradient happens in a rejected step."""
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    optimizer = keras_ndm.NaturalGradient(weight_decay=0.1, use_ema=True)
    model.compile(optimizer, "mse", run_eagerly=not JAX)
    x = rng.normal(size=(8, 2)).astype("float32")
    model.train_on_batch(x, x[:, :1])
    values = [*model.get_weights(), *[ops.convert_to_numpy(v) for v in optimizer.variables[1:]]]
    model.train_on_batch(np.full_like(x, np.nan), x[:, :1])
    assert optimizer.rejected_batches == 1
    for old, new in zip(values[:2], model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert all(np.isfinite(ops.convert_to_numpy(v)).all() for v in optimizer.variables)
