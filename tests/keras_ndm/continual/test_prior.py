"""What ContinualPrior holds, logs, saves and refuses."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers, ops

import keras_ndm
from keras_ndm import ContinualPrior

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(12, 3)).astype("float32")
SOFT = keras.losses.CategoricalCrossentropy


def compiled(*parts, loss="mse", optimizer="sgd", shape=(3,), eager=True):
    """A model that was compiled, and the answers that it gives."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input(shape), *parts])
    model.compile(optimizer, loss, run_eagerly=eager)
    return model


def answers(model, x=X):
    return ops.convert_to_numpy(model(x))


def learned(model, x=X, y=None, **options):
    """A prior that has consolidated one task; without `y` the model's own answers are right."""
    prior = ContinualPrior(**options)
    prior.set_model(model)
    y = answers(model, x) if y is None else y
    prior.consolidate(x, None if y is False else y)
    return prior


def move(model, size=0.1):
    random = np.random.default_rng(1)
    for variable in model.trainable_variables:
        variable.assign(variable + size * random.normal(size=variable.shape))


@pytest.mark.slow_on_jax
@pytest.mark.parametrize(
    ("floor", "bias"), [pytest.param(0.0, False, marks=pytest.mark.slow), (0.4, True)]
)
def test_for_one_linear_layer_the_penalty_is_the_loss(floor, bias):
    model = compiled(layers.Dense(2, use_bias=bias))
    before = answers(model)
    prior = learned(model, floor=floor, strength=3.0)
    assert prior.penalty() == 0
    move(model)
    loss = np.mean((answers(model) - before) ** 2)
    assert prior.penalty() == pytest.approx(3.0 * loss * (1 + floor / 2), rel=1e-4)


@pytest.mark.slow
def test_other_layers_have_the_diagonal():
    model = compiled(layers.Conv1D(1, 2, use_bias=False), layers.Flatten(), shape=(4, 1))
    x = X[:, :, None].repeat(2, axis=1)[:, :4]
    before = answers(model, x)
    prior = learned(model, x, floor=0.0)
    (kernel,) = model.trainable_variables
    change = np.zeros(kernel.shape, "float32")
    change[1] = 0.3
    kernel.assign(kernel + change)
    assert prior.penalty() == pytest.approx(np.mean((answers(model, x) - before) ** 2), rel=1e-4)


def kullback_leibler(p, q):
    return np.sum(p * np.log(p / q), axis=-1)


@pytest.mark.slow
@pytest.mark.parametrize("probabilities", [False, True])
def test_softmax_has_its_divergence(probabilities):
    """Samples that are all the same have one pair of factors exactly."""
    ends = [layers.Softmax()] if probabilities else []
    model = compiled(layers.Dense(3), *ends, loss=SOFT(from_logits=not probabilities))
    logits = keras.Model(model.inputs[0], model.layers[0].output)
    x, y = X[:1].repeat(4, axis=0), np.eye(3, dtype="float32")[[0, 1, 2, 0]]
    prior = learned(model, x, y, floor=0.0)
    before = answers(logits, x)
    move(model, 0.02)
    after = answers(logits, x)
    p, q = (np.exp(z) / np.exp(z).sum(-1, keepdims=True) for z in (before, after))
    assert prior.penalty() == pytest.approx(kullback_leibler(p, q).mean(), rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("probabilities", [False, True])
def test_the_floor_holds_confident_answers(probabilities):
    """F is nothing there; φ holds the logits, also where the outputs are probabilities."""
    ends = [layers.Softmax()] if probabilities else []
    model = compiled(layers.Dense(2), *ends, loss=SOFT(from_logits=not probabilities))
    dense = model.layers[0]
    dense.set_weights([np.zeros((3, 2), "float32"), np.float32([4.5, -4.5])])
    y = np.eye(2, dtype="float32")[[0] * 12]
    held, free = (learned(fresh(model), y=y, floor=floor) for floor in (0.5, 0.0))
    for prior in (held, free):
        prior.model.layers[0].bias.assign([4.6, -4.6])
    change = 2 * 0.1**2
    if probabilities:  # log-probabilities stand for logits, up to a constant
        p = np.exp([4.5, -4.5]) / np.exp([4.5, -4.5]).sum()
        change = np.sum((0.2 * np.array([p[1], -p[0]])) ** 2)
    assert held.penalty() - free.penalty() == pytest.approx(0.5 * 0.5 * change, rel=0.02)
    assert free.penalty() < 0.02 * held.penalty()


def fresh(model):
    """A copy with its weights."""
    twin = type(model).from_config(model.get_config())
    twin.set_weights(model.get_weights())
    twin.compile("sgd", model.loss, run_eagerly=True)
    return twin


@pytest.mark.slow_on_jax
def test_loss_is_that_of_the_task_and_the_logged_penalty():
    model = compiled(layers.Dense(4, activation="tanh"), layers.Dense(2), optimizer="sgd")
    model.optimizer.learning_rate = 0.0
    prior = learned(model, memory=5)
    move(model)
    y = np.ones((12, 2), "float32")
    plain = model.evaluate(X, y, verbose=0)
    logs = model.fit(X, y, validation_data=(X, y), callbacks=[prior], verbose=0).history
    penalty, memory = logs["continual_penalty"][0], logs["continual_memory"][0]
    assert penalty == pytest.approx(prior.penalty(), rel=1e-4) != 0
    assert memory > 0
    assert logs["loss"][0] == pytest.approx(plain + penalty + memory, rel=1e-4)
    assert logs["val_loss"][0] == pytest.approx(plain, rel=1e-5)
    assert model.fit(X, y, verbose=0).history["loss"][0] == pytest.approx(plain, rel=1e-5)


@pytest.mark.slow
def test_memory_is_the_divergence_on_what_was_stored():
    model = compiled(layers.Dense(4, activation="tanh"), layers.Dense(2))
    model.optimizer.learning_rate = 0.0
    before = answers(model)
    prior = learned(model, memory=12, floor=0.4)
    move(model)
    logs = model.fit(X, before, callbacks=[prior], verbose=0).history
    assert logs["continual_memory"][0] == pytest.approx(
        np.mean((answers(model) - before) ** 2) * 1.2, rel=1e-4
    )


@pytest.mark.slow
def test_the_memory_sees_all_tasks_in_turn():
    model = compiled(layers.Dense(2, use_bias=False))
    model.optimizer.learning_rate = 0.0
    prior = ContinualPrior(memory=2, strength=1.0, floor=0.0)
    prior.set_model(model)
    seen = np.zeros((2, 3), "float32")
    for scale in (1.0, 3.0):
        prior.consolidate(seen + scale * np.eye(3, dtype="float32")[:2], np.zeros((2, 2)))
    model.layers[0].kernel.assign_add(np.ones((3, 2), "float32"))
    # Of each task one sample; the mean of 1² and 3², for each of two tasks.
    logs = model.fit(X, answers(model), batch_size=12, callbacks=[prior], verbose=0).history
    assert logs["continual_memory"][0] == pytest.approx(2 * (1 + 9) / 2, rel=1e-4)


@pytest.mark.slow
def test_pairs_one_or_for_each_task():
    """Two tasks at the same weights: the mean pair taken twice, or both pairs."""
    found = {}
    for pairs in ("one", "task"):
        model = compiled(layers.Dense(2))
        prior = learned(model, X, pairs=pairs)
        prior.consolidate(X + 1)
        move(model)
        found[pairs] = prior.penalty()
        assert prior.tasks == 2
        # For squared errors all G are the same, so both are the sum.
    assert found["one"] == pytest.approx(found["task"], rel=1e-4)


@pytest.mark.slow_on_jax
def test_what_was_learned_is_held():
    """The new task asks for a sum of two weights, of which the old one has fixed the first."""
    model = compiled(layers.Dense(1, use_bias=False), optimizer="adam", eager=False)
    old, new = X * np.float32([1, 1, 0]), X[:, 1:2] * np.float32([0, 1, 1])
    before, target = answers(model, old), answers(model, new) + 2 * X[:, 1:2]
    prior = learned(model, old)
    model.optimizer.learning_rate = 0.05
    many = np.tile(new, (40, 1)), np.tile(target, (40, 1))
    model.fit(*many, batch_size=12, epochs=5, verbose=0, callbacks=[prior])
    # Without the prior both weights take half, and the answers move by up to 1.9.
    assert np.abs(answers(model, old) - before).max() < 0.3
    assert np.abs(answers(model, new) - target).max() < 0.3


@pytest.mark.slow_on_jax
def test_saved_with_the_model(tmp_path):
    model = compiled(layers.Dense(4, activation="tanh"), layers.Dense(2), optimizer="adam")
    prior = learned(model, memory=4, strength=2.0, pairs="task")
    prior.consolidate(X + 1)
    model.fit(X, np.ones((12, 2)), verbose=0, shuffle=False, callbacks=[prior])
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert type(again.optimizer) is keras.optimizers.Adam
    other = ContinualPrior.of(again)
    assert other.get_config() == prior.get_config()
    assert other.tasks == 2
    assert other.penalty() == pytest.approx(prior.penalty(), rel=1e-6) != 0
    logs = [
        m.fit(X + 1, np.zeros((12, 2)), verbose=0, shuffle=False, callbacks=[p], epochs=2).history
        for m, p in ((model, prior), (again, other))
    ]
    for name, values in logs[0].items():
        assert logs[1][name] == pytest.approx(values, rel=1e-5)
    with pytest.raises(ValueError, match="or forget them"):
        again.fit(X, np.ones((12, 2)), verbose=0, callbacks=[ContinualPrior(memory=5)])


_NEXT_PROCESS = """
import keras, numpy as np, keras_ndm
model = keras.models.load_model("m.keras")
x, y = np.zeros((12, 3), "float32"), np.arange(12) % 2
prior = keras_ndm.ContinualPrior.of(model)
model.fit(x, y, callbacks=[prior], verbose=0)
prior.consolidate(x, y)
print(prior.tasks)
"""


def test_a_new_process_goes_on(tmp_path):
    soft = layers.Dense(2, "softmax")
    # Loading gives the weights other paths.
    model = compiled(soft, loss="sparse_categorical_crossentropy", eager=False)
    prior = ContinualPrior()
    model.fit(X, np.arange(12) % 2, verbose=0, callbacks=[prior])
    prior.consolidate(X, np.arange(12) % 2)
    model.save(tmp_path / "m.keras")
    root = str(Path(keras_ndm.__file__).parents[1])
    run = subprocess.run(
        [sys.executable, "-c", _NEXT_PROCESS],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.strip() == "2", run.stderr[-800:]


@pytest.mark.slow
def test_compiled_again_it_holds_and_is_saved(tmp_path):
    model = compiled(layers.Dense(2))
    prior = learned(model)
    model.compile("adam", "mse", run_eagerly=True)
    move(model)
    logs = model.fit(X, np.ones((12, 2)), verbose=0, callbacks=[prior]).history
    assert logs["continual_penalty"][0] > 0
    model.save(tmp_path / "m.keras")
    assert ContinualPrior.of(keras.models.load_model(tmp_path / "m.keras")).tasks == 1


@pytest.mark.slow
def test_forgotten_nothing_is_left(tmp_path):
    model = compiled(layers.Dense(2))
    names = set(vars(model))
    prior = learned(model)
    prior.forget()
    assert set(vars(model)) == names
    assert prior.tasks == 0
    assert [m.name for m in model.metrics] == ["loss"]


class Batches(keras.utils.PyDataset):
    """Two batches of X and ones."""

    def __len__(self):
        return 2

    def __getitem__(self, i):
        return X[6 * i : 6 * i + 6], np.ones((6, 2), "float32")


@pytest.mark.slow
def test_a_data_set_of_batches():
    model = compiled(layers.Dense(2))
    prior, other = learned(model), learned(fresh(model), Batches(), y=False)
    move(model)
    move(other.model)
    assert other.penalty() == pytest.approx(prior.penalty(), rel=1e-5)


@pytest.mark.slow
def test_sparse_labels_need_not_be_given():
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model = compiled(layers.Dense(3), loss=loss)
    prior = ContinualPrior(memory=3)
    model.fit(X, np.zeros(12), verbose=0, callbacks=[prior])
    prior.consolidate(X)
    other = learned(fresh(model), y=np.zeros(12))
    move(model)
    move(other.model)
    assert other.penalty() == pytest.approx(prior.penalty(), rel=1e-5)


# --- refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"strength": -1}, "strength"),
        ({"strength": float("nan")}, "strength"),
        ({"floor": -0.1}, "floor"),
        ({"memory": 1.5}, "number of samples"),
        ({"pairs": "two"}, "pairs"),
    ],
)
def test_arguments_out_of_range(options, words):
    with pytest.raises(ValueError, match=words):
        ContinualPrior(**options)


def test_consolidate_comes_after_fit():
    with pytest.raises(ValueError, match="comes after a task"):
        ContinualPrior().consolidate(X)


@pytest.mark.slow_on_jax
def test_memory_needs_data():
    model = compiled(layers.Dense(2))
    with pytest.raises(ValueError, match="keeps 20 samples of a task; received 12"):
        learned(model, memory=20)
    with pytest.raises(ValueError, match="no samples"):
        learned(model, X[:0])
    with pytest.raises(ValueError, match="as many samples"):
        learned(model, X, np.ones((5, 2)))


def test_labels_are_those_of_classes():
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=-1)
    model = compiled(layers.Dense(2, "softmax"), loss=loss)
    model.train_on_batch(X, np.zeros(12))
    for label in (2, 50, -2):
        with pytest.raises(ValueError, match=f"0 to 1; received {label}"):
            learned(model, X, np.full(12, label))
    assert learned(model, X, np.full(12, -1)).tasks == 1


@pytest.mark.slow_on_jax
def test_another_model():
    prior = learned(compiled(layers.Dense(2)))
    with pytest.raises(ValueError, match="holds none of"):
        prior.set_model(compiled(layers.Dense(2)))
    with pytest.raises(ValueError, match="has no ContinualPrior"):
        ContinualPrior.of(compiled(layers.Dense(2)))
    with pytest.raises(ValueError, match="received int"):
        ContinualPrior.of(3)


@pytest.mark.slow_on_jax
def test_another_architecture():
    model = compiled(layers.Dense(2))
    prior = learned(model)
    model.pop()
    model.add(layers.Dense(3))
    with pytest.raises(ValueError, match="architecture"):
        prior.set_model(model)


@pytest.mark.slow
def test_layers_frozen_since():
    model = compiled(layers.Dense(4), layers.Dense(2))
    prior = learned(model)
    model.layers[0].trainable = False
    model.compile("sgd", "mse", run_eagerly=True)
    logs = model.fit(X, np.ones((12, 2)), verbose=0, callbacks=[prior], epochs=2).history
    assert logs["continual_penalty"][-1] > 0
    with pytest.raises(ValueError, match="trained weights are not those"):
        prior.consolidate(X, np.ones((12, 2)))


@pytest.mark.slow
def test_a_clone_has_no_numbers():
    model = compiled(layers.Dense(2))
    prior = learned(model)
    twin = type(model).from_config(model.get_config())
    twin.compile_from_config(model.get_compile_config())
    with pytest.raises(ValueError, match="without their numbers"):
        twin.fit(X, np.ones((12, 2)), verbose=0, callbacks=[ContinualPrior.of(twin)])
    ContinualPrior.of(twin).forget()
    assert prior.tasks == 1


def test_the_natural_gradient():
    model = compiled(layers.Dense(2), optimizer="natural_gradient")
    with pytest.raises(ValueError, match="Compile the model with another optimizer"):
        model.fit(X, np.ones((12, 2)), verbose=0, callbacks=[ContinualPrior()])


class Mixing(layers.Layer):
    """Adds the mean of the batch."""

    def __init__(self, **options):
        super().__init__(**options)
        self.dense = layers.Dense(2)

    def call(self, x):
        return self.dense(x) + ops.mean(x)


@pytest.mark.slow
def test_samples_that_mix():
    with pytest.raises(ValueError, match="influence each other"):
        learned(compiled(layers.Dense(3), Mixing()))


@pytest.mark.slow
def test_a_training_step_without_the_loss():
    class Own(keras.Sequential):
        def train_step(self, *args):
            return {"loss": 0.0} if len(args) == 1 else ({"loss": 0.0}, args[0])

    model = Own([keras.Input((3,)), layers.Dense(2)])
    model.compile("sgd", "mse", run_eagerly=True)
    prior = learned(model)
    with pytest.raises(ValueError, match="does not call"):
        model.fit(X, np.ones((12, 2)), verbose=0, callbacks=[prior])


@pytest.mark.slow
def test_a_loss_that_is_not_known_needs_targets():
    model = compiled(layers.Dense(2), loss="huber")
    prior = ContinualPrior()
    model.fit(X, np.ones((12, 2)), verbose=0, callbacks=[prior])
    with pytest.raises(ValueError, match="pass `y`"):
        prior.consolidate(X)


@pytest.mark.slow
class Computed(keras.Model):
    """The squared error as a `compute_loss`."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.square(y_pred - y))


class Squared(layers.Layer):
    def call(self, y):
        self.add_loss(ops.mean(ops.square(y)))
        return y


@pytest.mark.slow_on_jax
@pytest.mark.parametrize("added", [False, True], ids=["compute_loss", "add_loss"])
def test_losses_that_are_not_compiled(added):
    """Their penalty is that of the squared error, without a floor."""
    keras.utils.set_random_seed(0)
    x = keras.Input((3,))
    y = layers.Dense(2)(x)
    model = keras.Model(x, Squared()(y)) if added else Computed(x, y)
    model.compile("sgd", run_eagerly=True)
    before = answers(model)
    if not added:
        with pytest.raises(ValueError, match="own `compute_loss` depends on targets: pass `y`"):
            learned(model, y=False)
    prior = learned(model, y=False if added else None)
    move(model)
    loss = np.mean((answers(model) - before) ** 2)
    assert prior.penalty() == pytest.approx(loss, rel=1e-4)
    model.fit(X, None if added else before, epochs=1, verbose=0, callbacks=[prior])
    assert prior.penalty() < loss


def test_likelihood_models_have_no_memory_of_answers():
    model = keras_ndm.NeuralDifferentialManifold(hidden=(4,))
    model.adapt(X, X)
    model.compile("sgd")
    with pytest.raises(ValueError, match="memory=0"):
        learned(model, memory=3)
