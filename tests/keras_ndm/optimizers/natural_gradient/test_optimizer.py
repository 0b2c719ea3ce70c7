"""What a user of `NaturalGradient` relies on: the step, fit, saving, and honest failures."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers, ops

import keras_ndm

JAX = keras.backend.backend() == "jax"


def regression(rng, n=64):
    x = rng.normal(size=(n, 2)).astype(keras.config.floatx())
    return x, np.sin(x[:, :1]) + 0.5 * x[:, 1:]


def network(*extra):
    return keras.Sequential([keras.Input((2,)), layers.Dense(8, "tanh"), *extra, layers.Dense(1)])


def started(model, rng):
    """The same weights on every backend, whose random numbers differ."""
    model.set_weights([0.5 * rng.normal(size=w.shape) for w in model.get_weights()])
    return model


def compiled(model, loss="mse", jit_compile=None, **kwargs):
    """Compile with the exact solver; eager on TensorFlow, where tracing is most of a short test."""
    kwargs.setdefault("solver", "exact")
    how = {"jit_compile": jit_compile} if jit_compile is not None else {"run_eagerly": not JAX}
    model.compile(keras_ndm.NaturalGradient(**kwargs), loss, **how)
    return model


def flat(model):
    return np.concatenate([np.ravel(w) for w in model.get_weights()])


def linear(rng, outputs=1, n=20, d=3):
    model = keras.Sequential([keras.Input((d,)), layers.Dense(outputs)])
    return model, rng.normal(size=(n, d)), rng.normal(size=(n, outputs))


def augmented(x):
    return np.concatenate([x, np.ones((len(x), 1))], 1)


@pytest.mark.usefixtures("float64")
def test_one_step_by_hand(rng):
    """θ − (F + λ)⁻¹ ∇L for linear least squares, F = 2 AᵀA / N and λ = C mean(z²)."""
    model, x, y = linear(rng)
    start = np.concatenate([np.ravel(w) for w in model.get_weights()])
    compiled(model, damping=0.5, momentum=0.0).train_on_batch(x, y)
    a, n = augmented(x), len(x)
    residual = a @ start - y[:, 0]
    damping = 0.5 * np.mean(2 / n * residual**2)
    step = np.linalg.solve(2 / n * a.T @ a + damping * np.eye(4), 2 / n * a.T @ residual)
    np.testing.assert_allclose(flat(model), start - step, atol=1e-10)


@pytest.mark.usefixtures("float64")
def test_momentum_by_hand(rng):
    """The second step solves (F + λ) d = ∇L + λ μ d₋."""
    model, x, y = linear(rng)
    compiled(model, damping=0.5, momentum=0.8)
    points, a, n = [flat(model)], augmented(x), len(x)
    for _ in range(2):
        model.train_on_batch(x, y)
        points.append(flat(model))
    first, residual = a @ points[0] - y[:, 0], a @ points[1] - y[:, 0]
    misfit, start = np.mean(residual**2), np.mean(first**2)
    damping = 0.5 * 2 / n * misfit * np.sqrt(misfit / start)
    right = 2 / n * a.T @ residual + damping * 0.8 * (points[0] - points[1])
    step = np.linalg.solve(2 / n * a.T @ a + damping * np.eye(4), right)
    np.testing.assert_allclose(points[2], points[1] - step, atol=1e-9)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("solver", ["exact", "kronecker"])
def test_least_squares_in_one_step(solver, rng):
    """One layer and squared error: both solvers are Newton's method up to the damping."""
    model, x, y = linear(rng, outputs=1 if solver == "kronecker" else 2)
    compiled(model, damping=1e-9, solver=solver).train_on_batch(x, y)
    best = np.linalg.lstsq(augmented(x), y, rcond=None)[0]
    found = np.concatenate([model.get_weights()[0], model.get_weights()[1][None]])
    # Kronecker damping is split between the factors by its square root, √1e-9.
    np.testing.assert_allclose(found, best, atol=1e-6 if solver == "exact" else 1e-3)


@pytest.mark.slow_on_jax
@pytest.mark.usefixtures("float64")
def test_kronecker_is_exact_for_one_layer(rng):
    """F = E[a aᵀ] ⊗ 1: with little damping the two solvers take the same step."""
    weights = []
    for solver in ("exact", "kronecker"):
        model, x, y = linear(np.random.default_rng(0))
        model.set_weights([np.ones((3, 1)), np.zeros(1)])
        compiled(model, damping=1e-8, momentum=0.0, solver=solver).train_on_batch(x, y)
        weights.append(flat(model))
    np.testing.assert_allclose(weights[0], weights[1], atol=1e-3)


@pytest.mark.slow_on_jax
@pytest.mark.usefixtures("float64")
def test_invariant_under_linear_reparametrization(rng):
    """Inputs x T with the first kernel T⁻¹ W: the same function before must be the same after."""
    x, y = regression(rng, 200)
    change = np.array([[2.0, 0.7], [-0.4, 0.9]])
    models = [
        keras.Sequential([keras.Input((2,)), layers.Dense(3, "tanh"), layers.Dense(1)])
        for _ in "ab"
    ]
    weights = models[0].get_weights()
    models[1].set_weights([np.linalg.solve(change, weights[0]), *weights[1:]])
    for model, inputs in zip(models, (x, x @ change), strict=True):
        compiled(model, damping=1e-10, momentum=0.0).train_on_batch(inputs, y)
    first, second = models[0].predict(x, verbose=0), models[1].predict(x @ change, verbose=0)
    moved = np.abs(first - np.tanh(x @ weights[0]) @ weights[2]).max()
    # More samples than parameters: the step is unique. Damping is not invariant: what is
    # left of 1e-10 after dividing by small eigenvalues of K.
    assert np.abs(first - second).max() < 0.02 * moved


@pytest.mark.parametrize(
    ("solver", "jit_compile"),
    [
        pytest.param("exact", False, marks=pytest.mark.slow_on_jax),
        ("exact", True),
        pytest.param("kronecker", False, marks=pytest.mark.slow_on_jax),
        ("kronecker", True),
    ],
)
def test_fit(solver, jit_compile, rng):
    x, y = regression(rng)
    model = compiled(started(network(), rng), solver=solver, jit_compile=jit_compile)
    first = model.evaluate(x, y, verbose=0)
    history = model.fit(x, y, batch_size=32, epochs=15, verbose=0, validation_data=(x, y))
    assert history.history["val_loss"][-1] < 1e-2 * first
    assert set(history.history) == {"loss", "val_loss"}


# Losses of the first six steps of the next test, as TensorFlow gave them in float64.
TRAJECTORIES = {
    "exact": [4.032, 3.846e-2, 3.360e-2, 1.883e-2, 5.887e-3, 2.910e-3],
    "kronecker": [4.032, 2.123e-1, 4.359e-3, 4.177e-3, 2.041e-3, 3.772e-3],
}


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("solver", TRAJECTORIES)
def test_golden_trajectory(solver, rng):
    """From the same start every backend takes the same steps."""
    x, y = regression(rng)
    model = compiled(started(network(), np.random.default_rng(1)), solver=solver)
    rows = [slice(0, 32), slice(32, 64)] * 3
    losses = [float(model.train_on_batch(x[r], y[r])) for r in rows]
    np.testing.assert_allclose(losses, TRAJECTORIES[solver], rtol=2e-3)


class Unbuilt(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden, self.out = layers.Dense(8, "tanh"), layers.Dense(1)

    def call(self, x):
        return self.out(self.hidden(x))


def test_subclassed_and_metrics(rng):
    x, y = regression(rng)
    model = Unbuilt()
    model.compile(keras_ndm.NaturalGradient(), "mse", metrics=["mae"])
    logs = model.fit(x, y, batch_size=64, epochs=12, verbose=0).history
    assert logs["mae"][-1] < 0.2 * logs["mae"][0]
    assert model.optimizer.chosen_solver == "exact"


@pytest.mark.slow_on_jax
def test_manifold(rng):
    """The likelihood model trains with its own Fisher matrix, and the loss falls."""
    x = rng.normal(size=(256, 2)).astype("float32")
    y = x + 0.1 * x[:, ::-1] + 0.01 * rng.normal(size=x.shape).astype("float32")
    model = keras_ndm.NeuralDifferentialManifold(
        hidden=(8,), metric=keras_ndm.MetricLayer(hidden=(4,))
    )
    model.compile(keras_ndm.NaturalGradient(solver="kronecker"), jit_compile=JAX)
    loss = model.fit(x, y, batch_size=128, epochs=10, verbose=0).history["loss"]
    assert loss[-1] < loss[0] - 2.0


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("rest", [3, pytest.param(40, marks=pytest.mark.slow)])
def test_last_batch_of_another_size(rest, rng):
    """`fit`, whose program may not know the size of a batch, takes the steps batch by batch."""
    x, y = regression(rng, 60 + rest)
    weights = []
    for by_fit in (True, False):
        model = started(network(), np.random.default_rng(1))
        model.compile(keras_ndm.NaturalGradient(solver="exact"), "mse")
        if by_fit:
            model.fit(x, y, batch_size=60, epochs=2, verbose=0, shuffle=False)
        else:
            for rows in [slice(0, 60), slice(60, None)] * 2:
                model.train_on_batch(x[rows], y[rows])
        weights.append(flat(model))
    np.testing.assert_allclose(weights[0], weights[1], atol=1e-8)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("solver", ["exact", "kronecker"])
def test_weighted_least_squares_in_one_step(solver, rng):
    """Sample weights enter gradient and Fisher matrix alike, so the step is still Newton's."""
    model, x, y = linear(rng)
    weights = rng.uniform(0.2, 3.0, len(x))
    compiled(model, damping=1e-9, solver=solver).train_on_batch(x, y, sample_weight=weights)
    root = np.sqrt(weights)[:, None]
    best = np.linalg.lstsq(root * augmented(x), root * y, rcond=None)[0]
    error = np.abs(flat(model) - best[:, 0]).max()
    # The Kronecker product of means is no mean of products; conjugate gradients mend the rest.
    assert error < (1e-6 if solver == "exact" else 1e-2)


@pytest.mark.usefixtures("float64")
def test_shared_layer_in_one_step(rng):
    """One Dense layer on two inputs, outputs added: least squares in the sum of its inputs."""
    a, b = keras.Input((3,)), keras.Input((3,))
    layer = layers.Dense(1)
    model = keras.Model([a, b], layers.Add()([layer(a), layer(b)]))
    x, y = rng.normal(size=(2, 20, 3)), rng.normal(size=(20, 1))
    # Rounding is amplified by 1 / damping: 1e-9 was seen to leave 1.6e-6.
    compiled(model, damping=1e-8).train_on_batch(list(x), y)
    rows = np.concatenate([x.sum(0), np.full((20, 1), 2.0)], 1)
    np.testing.assert_allclose(flat(model), np.linalg.lstsq(rows, y)[0][:, 0], atol=1e-6)


def test_sample_weights_leave_samples_out(rng):
    x, y = regression(rng, 32)
    weights = np.concatenate([np.ones(16), np.zeros(16)])
    wrong = np.concatenate([y[:16], y[16:] + 100.0])
    model = compiled(network(), jit_compile=False)
    for _ in range(15):
        model.train_on_batch(x, wrong, sample_weight=weights)
    assert model.evaluate(x[:16], y[:16], verbose=0) < 1e-3


@keras.saving.register_keras_serializable("test")
class Penalized(layers.Dense):
    """The penalty of `kernel_regularizer=L2(0.3)` by `add_loss`."""

    def call(self, x):
        self.add_loss(0.3 * ops.sum(ops.square(self.kernel)))
        return super().call(x)


PENALIZED = {
    "regularizer": lambda: layers.Dense(
        1, use_bias=False, kernel_regularizer=keras.regularizers.L2(0.3)
    ),
    "add_loss": lambda: Penalized(1, use_bias=False),
}


@pytest.mark.parametrize(
    ("kind", "solver"),
    [
        ("regularizer", "exact"),
        pytest.param("regularizer", "kronecker", marks=pytest.mark.slow_on_jax),
        pytest.param("add_loss", "exact", marks=pytest.mark.slow_on_jax),
        ("add_loss", "kronecker"),
    ],
)
def test_add_loss_and_regularizers_count(kind, solver, rng):
    """With a penalty the minimum moves to that of ridge regression."""
    x, y = rng.normal(size=(40, 3)).astype("float32"), rng.normal(size=(40, 1)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), PENALIZED[kind]()])
    compiled(model, solver=solver, damping=0.1, jit_compile=False)
    model.fit(x, y, batch_size=40, epochs=40, verbose=0)
    best = np.linalg.solve(x.T @ x / 40 + 0.3 * np.eye(3), x.T @ y / 40)
    np.testing.assert_allclose(model.get_weights()[0], best, atol=1e-3)


@pytest.mark.parametrize("solver", ["exact", "kronecker"])
def test_frozen_layer_stays(solver, rng):
    x, y = regression(rng)
    model = network()
    model.layers[0].trainable = False
    before = model.layers[0].get_weights()
    compiled(model, solver=solver).fit(x, y, epochs=1, verbose=0)
    np.testing.assert_array_equal(before[0], model.layers[0].get_weights()[0])
    assert model.evaluate(x, y, verbose=0) < 0.1


def test_learning_rate_schedule_and_clipping(rng):
    x, y = regression(rng)
    stop = keras.optimizers.schedules.PiecewiseConstantDecay([0], [1.0, 0.0])
    model = compiled(network(), learning_rate=stop)
    model.train_on_batch(x, y)
    after_first = flat(model)
    model.train_on_batch(x, y)
    model.train_on_batch(x, y)
    last = flat(model)
    model.train_on_batch(x, y)
    np.testing.assert_array_equal(last, flat(model))
    assert np.isfinite(after_first).all()


@pytest.mark.parametrize(
    ("how", "size"),
    [
        ("global_clipnorm", lambda parts: np.linalg.norm(np.concatenate(parts))),
        ("clipnorm", lambda parts: max(np.linalg.norm(p) for p in parts)),
        ("clipvalue", lambda parts: max(np.abs(p).max() for p in parts)),
    ],
)
def test_clipping(how, size, rng):
    """The natural gradient is clipped, so the step is at most the bound long."""
    x, y = regression(rng)
    model = compiled(network(), **{how: 1e-3})
    before = model.get_weights()
    model.train_on_batch(x, y)
    step = size([np.ravel(a - b) for a, b in zip(model.get_weights(), before, strict=True)])
    assert 0 < step <= 1e-3 * (1 + 1e-4)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("solver", ["auto", "kronecker"])
def test_saving_continues_identically(solver, rng, tmp_path):
    x, y = regression(rng)
    model = compiled(network(), solver=solver)
    model.fit(x, y, batch_size=64, epochs=3, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.optimizer, keras_ndm.NaturalGradient)
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    for m in (model, loaded):
        m.fit(x, y, batch_size=64, epochs=3, verbose=0, shuffle=False)
    # The same arithmetic; on TensorFlow two threads may add in another order.
    np.testing.assert_allclose(flat(loaded), flat(model), atol=1e-9)


@pytest.mark.slow_on_jax
@pytest.mark.usefixtures("float64")
def test_backup_and_restore(rng, tmp_path):
    x, y = regression(rng)

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise RuntimeError("interrupted")

    def start():
        keras.utils.set_random_seed(1)
        return compiled(network(), solver="kronecker")

    options = {"batch_size": 64, "epochs": 4, "verbose": 0, "shuffle": False}
    whole = start()
    whole.fit(x, y, **options)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(RuntimeError, match="interrupted"):
        start().fit(x, y, callbacks=[backup, Interrupt()], **options)
    resumed = start()
    resumed.fit(x, y, callbacks=[backup], **options)
    np.testing.assert_allclose(flat(resumed), flat(whole), atol=1e-9)


@pytest.mark.parametrize(
    "solver", ["exact", pytest.param("kronecker", marks=pytest.mark.slow_on_jax)]
)
def test_nan_batch_is_rejected_and_reported(solver, rng):
    x, y = regression(rng)
    model = compiled(
        network(layers.BatchNormalization()) if solver == "exact" else network(), solver=solver
    )
    bad = x.copy()
    bad[3, 0] = np.nan
    if solver == "exact":
        with pytest.warns(UserWarning, match="moments of BatchNormalization"):
            model.train_on_batch(x, y)
    model.train_on_batch(x, y)
    before = flat(model)
    with pytest.warns(UserWarning, match="rejected 1 batches"):
        model.fit(bad, y, batch_size=64, epochs=1, verbose=0)
    np.testing.assert_array_equal(before, flat(model))
    assert model.optimizer.rejected_batches == 1
    model.fit(x, y, batch_size=64, epochs=3, verbose=0)
    assert np.isfinite(flat(model)).all()


def warnings_of(model, x, y):
    """What a model warns of in steps on batches of two sizes, and in `fit`."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for n in (len(x), len(x), len(x) // 2):
            loss = model.train_on_batch(x[:n], y[:n])
        model.fit(x, y, batch_size=len(x) // 2, epochs=2, verbose=0)
    assert np.isfinite(loss)
    return [text for w in caught if (text := str(w.message)).startswith("NaturalGradient")]


@pytest.mark.slow_on_jax
def test_coupled_samples_are_reported_once(rng):
    class Centre(layers.Layer):
        def call(self, x):
            return x - ops.mean(x, axis=0, keepdims=True)

    model = compiled(network(Centre()))
    (text,) = warnings_of(model, *regression(rng))
    assert "samples influence each other" in text


@pytest.mark.slow_on_jax
def test_unknown_loss_is_reported_once(rng):
    x, y = regression(rng)
    model = compiled(network(), loss="log_cosh")
    first = model.evaluate(x, y, verbose=0)
    (text,) = warnings_of(model, x, y)
    assert "knows no Fisher matrix for the loss" in text
    for _ in range(6):
        last = model.train_on_batch(x, y)
    assert last < 0.05 * first


class OwnStep(keras.Model):
    def train_step(self, *args):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"solver": "newton"}, "must be one of"),
        ({"damping": 0.0}, "above 0"),
        ({"momentum": 1.0}, r"in \[0, 1\)"),
        ({"gradient_accumulation_steps": 2}, "refused"),
    ],
)
def test_bad_arguments(arguments, match):
    with pytest.raises(ValueError, match=match):
        keras_ndm.NaturalGradient(**arguments)


def test_refusals(rng):
    x, y = regression(rng)
    with pytest.raises(ValueError, match="overrides `train_step`"):
        OwnStep().compile(keras_ndm.NaturalGradient(), "mse")
    model = compiled(network())
    model.train_on_batch(x, y)
    with pytest.raises(RuntimeError, match="gradients alone"):
        model.optimizer.apply_gradients([(v.value * 0, v) for v in model.trainable_variables])
    with pytest.raises(ValueError, match="another model"):
        network().compile(model.optimizer, "mse")
    with pytest.raises(ValueError, match=r"works through `model\.compile"):
        keras_ndm.NaturalGradient().build(model.trainable_variables)
    x_only = keras.Input((2,))
    penalty = keras.Model(x_only, layers.Dense(1, activity_regularizer="l2")(x_only))
    with pytest.raises(ValueError, match="no layer without weights adds one"):
        compiled(penalty, loss=None).train_on_batch(x, y)


@pytest.mark.parametrize("labels", [(8, 1), (8, 3)])
def test_outputs_that_a_loss_squeezes_are_refused(rng, labels):
    """Keras drops their last axis; which outputs a loss is of is not told then."""
    x = keras.Input((2,))
    model = keras.Model(x, layers.Reshape((3, 1))(layers.Dense(3)(x)))
    with pytest.raises(ValueError, match=r"3, 1\) are compared with labels of shape"):
        compiled(model).train_on_batch(rng.normal(size=(8, 2)), rng.normal(size=labels))


def test_other_optimizers_are_left_alone(rng):
    x, y = regression(rng)
    model = compiled(network())
    model.train_on_batch(x, y)
    model.compile("sgd", "mse")
    assert "train_step" not in vars(model)
    model.fit(x, y, epochs=1, verbose=0)


@pytest.mark.parametrize("solver", ["auto", "exact", "kronecker"])
def test_names_of_variables_are_unique(solver):
    model = compiled(network(layers.Dense(8), layers.LayerNormalization()), solver=solver)
    model.optimizer.build(model.trainable_variables)
    paths = [v.path for v in model.optimizer.variables]
    assert len(set(paths)) == len(paths)


def test_by_name():
    assert isinstance(keras.optimizers.get("natural_gradient"), keras_ndm.NaturalGradient)


@pytest.mark.parametrize(
    "solver", ["exact", pytest.param("kronecker", marks=pytest.mark.slow_on_jax)]
)
def test_freeze_and_unfreeze_with_one_optimizer(solver, rng):
    x, y = regression(rng)
    model = compiled(network(), solver=solver)
    model.train_on_batch(x, y)
    for frozen in (True, False):
        model.layers[0].trainable = not frozen
        model.compile(model.optimizer, "mse", run_eagerly=not JAX)
        before = model.layers[0].get_weights()
        for _ in range(3):  # the line search may refuse a step
            assert np.isfinite(model.train_on_batch(x, y))
        same = all(map(np.array_equal, before, model.layers[0].get_weights()))
        assert same == frozen
    assert int(ops.convert_to_numpy(model.optimizer.iterations)) == 7


def test_nothing_to_train(rng):
    x, y = regression(rng)
    model = network()
    model.trainable = False
    before = flat(model)
    assert np.isfinite(compiled(model).train_on_batch(x, y))
    np.testing.assert_array_equal(flat(model), before)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision(policy, rng):
    x, y = regression(rng)
    layers_ = [layers.Dense(8, "tanh", dtype=policy), layers.Dense(1, dtype=policy)]
    model = started(keras.Sequential([keras.Input((2,)), *layers_]), rng)
    compiled(model)
    losses = [float(model.train_on_batch(x, y)) for _ in range(6)]
    assert losses[-1] < 0.1 * losses[0]


@pytest.mark.slow_on_jax
def test_meters_of_a_balance(rng):
    """λ follows the gradients' norms, which reach the layer as they do under other optimizers."""
    x = rng.normal(size=(32, 2)).astype("float32")
    y = np.tile(np.eye(2, dtype="float32"), (32, 1, 1)) * (1 + x[:, :1, None] ** 2)
    balance = keras_ndm.evolution.Balance(share=0.1, rate=1.0)
    layer = keras_ndm.EvolutionLayer(keras_ndm.MetricLayer(hidden=(4,)), volume_weight=balance)
    model = compiled(keras.Sequential([keras.Input((2,)), layer]))
    for _ in range(3):
        model.train_on_batch(x, y)
    task, penalty = layer.volume_task_norm, layer.volume_penalty_norm
    assert min(float(ops.convert_to_numpy(norm.value)) for norm in (task, penalty)) > 0
    assert layer.penalties()["volume_weight"] > 0


@pytest.mark.parametrize("from_logits", [True, False])
def test_focal_loss_falls(from_logits, rng):
    """A loss of coupled outputs whose curvature is not known, on a whole data set."""
    x = rng.normal(size=(60, 2)).astype("float32")
    y = np.eye(3, dtype="float32")[(x[:, 0] > 0).astype(int) + (x[:, 1] > 0)]
    last = layers.Dense(3, None if from_logits else "softmax")
    model = started(keras.Sequential([keras.Input((2,)), layers.Dense(8, "tanh"), last]), rng)
    loss = keras.losses.CategoricalFocalCrossentropy(from_logits=from_logits)
    with pytest.warns(UserWarning, match="knows no Fisher matrix"):
        losses = [float(compiled(model, loss).train_on_batch(x, y))]
    losses += [float(model.train_on_batch(x, y)) for _ in range(14)]
    assert losses[-1] < 0.2 * losses[0]
