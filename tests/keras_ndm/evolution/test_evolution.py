"""Penalties: their values, their weights, their names in the logs, on both backends."""

import warnings

import keras
import numpy as np
import pytest
from keras import ops

import keras_ndm
from keras_ndm import EvolutionLayer, MetricLayer, backend, metric_heads
from keras_ndm.evolution import Balance, Budget
from keras_ndm.geometry.stochastic import scalar_estimate

N = 3
RNG = np.random.default_rng(0)
Z = RNG.normal(size=(64, N)).astype("float32")
# A metric that no flat space has, as the task to be learned.
TARGET = (np.eye(N) * (1 + Z[:, :1, None] ** 2)).astype("float32")
# Many steps in one epoch: an epoch of `fit` costs more than its steps here.
LONG = np.tile(Z, (20, 1)), np.tile(TARGET, (20, 1, 1))


def model_with(compiled=False, head="cholesky", **options):
    keras.utils.set_random_seed(1)
    z = keras.Input((N,))
    metric = MetricLayer(head, hidden=(12,), floor=0.1)
    model = keras.Model(z, EvolutionLayer(metric, **options)(z))
    model.compile(keras.optimizers.Adam(1e-2), loss="mse", jit_compile=compiled)
    return model


def test_penalties_have_the_values_of_their_definitions(float64, randomize):
    metric = MetricLayer(hidden=(6,), floor=0.1)
    layer = EvolutionLayer(metric, curvature_weight=0.5, volume_weight=2.0)
    z = ops.convert_to_tensor(Z.astype("float64"))
    layer(z)
    randomize(metric)
    g = ops.convert_to_numpy(layer(z))
    curvature, volume = (float(ops.convert_to_numpy(loss)) for loss in layer.losses)
    scalar = ops.convert_to_numpy(keras_ndm.geometry.scalar_curvature(lambda t: metric(t), z))
    assert curvature == pytest.approx(0.5 * np.mean(scalar**2), rel=1e-9)
    assert volume == pytest.approx(2.0 * np.var(0.5 * np.linalg.slogdet(g)[1]), rel=1e-9)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param("cholesky", marks=pytest.mark.slow_on_jax),
        pytest.param("diagonal", marks=pytest.mark.slow_on_jax),
        "pullback",
    ],
)
def test_the_last_batch_may_be_smaller(head):
    model = model_with(head=head, curvature_weight=0.1)
    losses = model.fit(Z[:5], TARGET[:5], batch_size=3, verbose=0).history["loss"]
    assert np.isfinite(losses).all()


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX compiles its steps")
def test_balance_run_eagerly():
    losses = []
    for eagerly in (False, True):
        model = model_with(volume_weight=Balance(0.3, rate=1.0))
        model.compile(keras.optimizers.Adam(1e-2), loss="mse", run_eagerly=eagerly)
        losses.append(model.fit(Z, TARGET, batch_size=64, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-5)


@pytest.mark.slow_on_jax
def test_names_and_values_in_history(max_error):
    """In any model: the epoch's log has the penalties of the last batch, and λ."""
    model = model_with(compiled=True, curvature_weight=1e-3, volume_weight=1e-2)
    history = model.fit(Z, TARGET, epochs=3, batch_size=32, verbose=0).history
    for name in ("curvature", "volume", "curvature_weight", "volume_weight", "loss"):
        assert len(history[name]) == 3 and np.all(np.isfinite(history[name]))
    assert history["curvature"][-1] > 0
    np.testing.assert_allclose(history["volume_weight"], 1e-2, rtol=1e-6)
    metrics = model.evaluate(Z, TARGET, batch_size=64, verbose=0, return_dict=True)
    g = ops.convert_to_numpy(model(Z))
    spread = np.var(0.5 * np.linalg.slogdet(g)[1])
    assert metrics["volume"] == pytest.approx(spread, rel=1e-3)
    total = np.mean((g - TARGET) ** 2) + 1e-3 * metrics["curvature"] + 1e-2 * spread
    assert metrics["loss"] == pytest.approx(total, rel=1e-3)


@pytest.mark.slow_on_jax
def test_penalty_lowers_what_it_penalizes():
    plain = model_with(volume_weight=1e-9, curvature_weight=1e-12)
    heavy = model_with(volume_weight=10.0, curvature_weight=1e-12)
    spread = [m.fit(*LONG, epochs=2, verbose=0).history["volume"][-1] for m in (plain, heavy)]
    assert spread[1] < 0.2 * spread[0]


@pytest.mark.slow_on_jax
def test_budget_is_met():
    free = model_with(curvature_weight=1e-12).fit(*LONG, epochs=2, verbose=0).history
    target = 0.1 * free["curvature"][-1]
    held = model_with(curvature_weight=Budget(target, rate=0.1))
    history = held.fit(*LONG, epochs=4, verbose=0).history
    measured = held.evaluate(Z, TARGET, batch_size=64, verbose=0, return_dict=True)["curvature"]
    assert measured < 3 * target
    assert history["curvature_weight"][-1] > history["curvature_weight"][0]


def test_balance_keeps_the_share():
    """The norms that λ is made of are those of independent gradients."""
    model = model_with(compiled=True, volume_weight=Balance(0.3, rate=1.0))
    # One whole batch and no learning: λ settles on the balance at these weights.
    model.optimizer.learning_rate = 0.0
    model.fit(Z, TARGET, epochs=4, batch_size=64, verbose=0)
    layer = model.layers[-1]
    kernel = layer.metric.network[-1].kernel
    start = ops.convert_to_numpy(kernel).copy()

    def numeric(loss):
        gradient = np.zeros_like(start)
        for index in np.ndindex(start.shape):
            values = []
            for sign in (1, -1):
                moved = start.copy()
                moved[index] += sign * 1e-2
                kernel.assign(moved)
                values.append(loss(ops.convert_to_numpy(layer.metric(Z)).astype("float64")))
            gradient[index] = (values[0] - values[1]) / 2e-2
        kernel.assign(start)
        return np.linalg.norm(gradient)

    task = numeric(lambda g: np.mean((g - TARGET) ** 2))
    penalty = numeric(lambda g: np.var(0.5 * np.linalg.slogdet(g)[1]))
    lam = float(ops.convert_to_numpy(layer.volume_lambda))
    assert lam == pytest.approx(0.3 * task / penalty, rel=0.02)  # single precision differences


@pytest.mark.slow_on_jax
def test_schedule_is_followed():
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([4], [1.0, 0.25])
    model = model_with(volume_weight=schedule)
    history = model.fit(Z, TARGET, epochs=4, batch_size=32, verbose=0).history
    np.testing.assert_allclose(history["volume_weight"], [1.0, 1.0, 0.25, 0.25])


HEADS = {
    "cholesky": "cholesky",
    "diagonal": "diagonal",
    "low_rank": metric_heads.LowRank(2),
    "conformal": "conformal",
}


@pytest.mark.parametrize("name", HEADS)
def test_estimator_is_unbiased(name, randomize):
    layer = MetricLayer(HEADS[name], hidden=(6,), floor=0.3)
    z = Z[:1]
    layer(z)
    randomize(layer, 0.4)
    count = 20_000
    normals = RNG.normal(size=(3, count, layer.head.noise_size(N))).astype("float32")
    estimate = backend.compiled(lambda z, e: scalar_estimate(layer, z, e), layer.variables)
    many = ops.convert_to_numpy(
        estimate(ops.convert_to_tensor(np.repeat(z, count, 0)), ops.convert_to_tensor(normals))
    ).astype("float64")
    exact = float(ops.convert_to_numpy(layer.scalar_curvature(ops.convert_to_tensor(z)))[0])
    error = many.std() / np.sqrt(count)
    assert abs(exact) > 10 * error or name == "conformal"
    assert abs(many.mean() - exact) < 4 * error


@pytest.mark.slow_on_jax
def test_random_planes_go_on_where_weights_were_stored(tmp_path):
    """A training that is taken up again draws what one without a break draws."""

    def made():
        inputs = keras.Input((2,))
        layer = EvolutionLayer(
            MetricLayer(hidden=(4,)), curvature_weight=1.0, estimator="stochastic", seed=0
        )
        return keras.Model(inputs, layer(inputs))

    z = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")
    first, second = made(), made()
    first(z, training=True)
    path = tmp_path / "a.weights.h5"
    first.save_weights(path)
    second.load_weights(path)

    def penalty(model):
        model(z, training=True)
        return float(sum(model.losses))

    after = penalty(first)
    assert penalty(second) == pytest.approx(after, rel=1e-6)
    assert penalty(first) != pytest.approx(after)


@pytest.mark.slow
def test_stochastic_training_and_share():
    model = model_with(
        compiled=True, curvature_weight=1e-2, estimator="stochastic", share=0.5, seed=0
    )
    history = model.fit(Z, TARGET, epochs=10, verbose=0).history
    assert history["loss"][-1] < history["loss"][0] and np.all(np.isfinite(history["curvature"]))
    assert len(set(history["curvature"])) == 10  # new planes at every step


def test_returns_its_input_for_structured_heads():
    z = keras.Input((N,))
    layer = EvolutionLayer(MetricLayer("diagonal"), volume_weight=1.0, returns="input")
    model = keras.Model(z, keras.layers.Dense(1)(layer(z)))
    model.compile("adam", loss="mse", jit_compile=True)
    history = model.fit(Z, Z[:, :1], epochs=2, verbose=0).history
    assert layer.output.shape == (None, N) and len(history["volume"]) == 2


@pytest.mark.parametrize(
    "weight", [0.5, Budget(0.1), Balance(0.2), keras.optimizers.schedules.CosineDecay(1.0, 10)]
)
def test_saves_and_loads(weight, tmp_path, max_error):
    model = model_with(volume_weight=weight)
    model.fit(Z, TARGET, epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert max_error(again(Z), model(Z)) == 0
    losses = [
        m.fit(Z, TARGET, epochs=1, shuffle=False, verbose=0).history["loss"][0]
        for m in (model, again)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


METRIC = MetricLayer()
BAD = {
    "no metric": (lambda: EvolutionLayer("cholesky"), "wraps a MetricLayer"),
    "negative": (lambda: EvolutionLayer(METRIC, -1.0), "curvature_weight.*received -1.0"),
    "estimator": (lambda: EvolutionLayer(METRIC, estimator="guess"), "'stochastic'"),
    "share": (lambda: EvolutionLayer(METRIC, share=0.0), r"\(0, 1\]"),
    "returns": (lambda: EvolutionLayer(METRIC, returns="both"), "'metric', 'input'"),
    "relu": (lambda: EvolutionLayer(MetricLayer(activation="relu"), 1.0), "relu.*look flat"),
    "budget": (lambda: Budget(0.0), "positive target"),
    "balance": (lambda: Balance(0.1, rate=2.0), "rate ≤ 1"),
    "pullback": (
        lambda: EvolutionLayer(MetricLayer("pullback"), 1.0, estimator="stochastic")(Z),
        'estimator="exact"',
    ),
    "constant": (lambda: EvolutionLayer(MetricLayer("constant"), 0, Balance())(Z), "network"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments_are_explained(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call()


def test_relu_metric_may_have_a_volume_penalty():
    layer = EvolutionLayer(MetricLayer(activation="relu"), volume_weight=1.0)
    assert np.all(np.isfinite(ops.convert_to_numpy(layer(Z))))


def _two():
    inputs = keras.Input((2,))
    layers = [
        EvolutionLayer(MetricLayer(hidden=(4,)), curvature_weight=1e-3, name=name)
        for name in ("first", "second")
    ]
    return keras.Model(inputs, [layer(inputs) for layer in layers]), layers


@pytest.mark.slow_on_jax
def test_two_layers_log_under_their_names():
    model, layers = _two()
    x = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")
    target = np.tile(np.eye(2, dtype="float32"), (8, 1, 1))
    model.compile("sgd", loss=["mse", "mse"])
    history = model.fit(x, [target, target], verbose=0).history
    for layer in layers:
        logged = history[f"{layer.name}_curvature"][-1]
        assert logged == pytest.approx(layer.penalties()["curvature"])
    assert "curvature" not in history


@pytest.mark.parametrize("target", [1e-12, 1e12])
def test_a_budget_that_is_not_kept_is_told(target):
    layer = EvolutionLayer(MetricLayer(hidden=(4,)), volume_weight=Budget(target))
    z = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")
    layer(z)
    layer.metric.network[-1].kernel.assign(layer.metric.network[-1].kernel + 0.5)
    layer(z, training=True)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        layer.warn_of_rising()
    assert sum("still rising" in str(w.message) for w in told) == (target < 1)


def test_a_layer_called_twice_logs_the_mean_of_its_calls_on_one_batch():
    """Also where the model is not of this package, and its step is `train_on_batch`."""
    keras.utils.set_random_seed(0)
    layer = keras_ndm.EvolutionLayer(keras_ndm.MetricLayer(hidden=(4,)), volume_weight=0.5)
    a, b = keras.Input((2,)), keras.Input((2,))
    model = keras.Model([a, b], [layer(a), layer(b)])
    kernel = layer.metric.network[-1].kernel
    kernel.assign(np.random.default_rng(1).normal(size=kernel.shape))
    x = np.random.default_rng(0).normal(size=(2, 8, 2)).astype("float32")
    x[1] *= 0.1
    spreads = [np.var(0.5 * ops.convert_to_numpy(layer.metric.logdet(part))) for part in x]
    assert spreads[0] > 4 * spreads[1]
    model.compile("sgd", loss=["mse", "mse"])
    logs = model.train_on_batch(list(x), [np.zeros((8, 2, 2))] * 2, return_dict=True)
    assert logs["volume"] == pytest.approx(np.mean(spreads), rel=1e-4)
    assert logs["volume_weight"] == 0.5
