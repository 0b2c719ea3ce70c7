"""Everyday Keras moves: each works on each layer and model, or is refused with a reason.

One row a move, one column a layer or model.
"""

import copy
import pickle

import keras
import numpy as np
import pytest
import sympy
from keras import ops

import keras_ndm

D = 3


def points(n=8, seed=0):
    return np.random.default_rng(seed).normal(size=(n, D)).astype("float32")


def metric():
    return keras_ndm.MetricLayer(hidden=(4,))


def evolution(**options):
    return keras_ndm.EvolutionLayer(metric(), curvature_weight=1e-3, seed=0, **options)


LAYERS = {
    "coordinates": lambda: keras_ndm.CoordinateLayer("affine_coupling"),
    "metric": metric,
    "evolution": evolution,
    "evolution_passing": lambda: evolution(returns="input"),
}


def sequential(layer):
    return lambda: keras.Sequential([keras.Input((D,)), layer()])


def manifold():
    model = keras_ndm.NeuralDifferentialManifold(metric=metric(), hidden=(4,))
    model.adapt(points(), points(seed=1))
    return model


def graph():
    x = keras.Input((D,))
    z = keras_ndm.CoordinateLayer("affine_coupling")(x)
    # No sum of x and Dense(z): Keras' Add fails on a batch of none.
    return keras_ndm.ManifoldModel(x, keras.layers.Dense(D)(z), metric=metric()(z))


def density():
    model = keras_ndm.FlowDensity(keras_ndm.charts.AffineCoupling(hidden=(4,)))
    model.adapt(points())
    return model


def lagrangian():
    x = keras.Input((D,))
    mechanics = keras_ndm.LagrangianManifold(hidden=(4,))
    mechanics.adapt((points()[:, :1], points()[:, 1:2]), points(seed=1)[:, :1])
    return keras.Model(x, mechanics((x[:, :1], x[:, 1:2])))


def projection():
    x = keras.Input((D,))
    a, b, c = sympy.symbols("a b c")
    layer = keras_ndm.ConservedProjection([a**2 + 2 * b**2 + c**2], names=["a", "b", "c"])
    return keras.Model(x, layer([x, keras.layers.Dense(D)(x)]))


def regression():
    head = keras_ndm.MetricLayer(hidden=(4,), dimension=2)
    model = keras_ndm.GaussianRegression(targets=2, hidden=(4,), metric=head)
    model.adapt(points(), points(seed=1)[:, :2])
    return model


MODELS = {
    **{name: sequential(layer) for name, layer in LAYERS.items()},
    "manifold": manifold,
    "graph": graph,
    "density": density,
    "lagrangian": lagrangian,
    "projection": projection,
    "regression": regression,
}
# Of the models that hold nothing that others do not hold: a few quick tests, the rest slow ones.
SELDOM = ("lagrangian", "projection", "regression")


def same(model, other, x=None):
    x = points() if x is None else x
    a, b = (ops.convert_to_numpy(m(x)) for m in (model, other))
    np.testing.assert_allclose(a, b, atol=1e-5, rtol=1e-5)


# --- moves of any model, without training -------------------------------------------------------


def whole(model, tmp_path):
    model.save(tmp_path / "m.keras")
    same(model, keras.models.load_model(tmp_path / "m.keras"))


def weights(model, tmp_path):
    model.save_weights(tmp_path / "m.weights.h5")
    before = ops.convert_to_numpy(model(points()))
    for variable in model.trainable_variables:
        variable.assign(variable + 0.1)
    model.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_allclose(ops.convert_to_numpy(model(points())), before, atol=1e-6)


def cloned(model, _):
    twin = type(model).from_config(model.get_config())
    twin(points())
    twin.set_weights(model.get_weights())
    same(model, twin)


def cloned_by_keras(model, _):
    twin = keras.models.clone_model(model)
    twin(points())
    twin.set_weights(model.get_weights())
    same(model, twin)


def pickled(model, _):
    same(model, pickle.loads(pickle.dumps(model)))


def deep_copied(model, _):
    same(model, copy.deepcopy(model))


def nested(model, _):
    x = keras.Input((D,))
    same(model, keras.Model(x, model(x)))


def called_twice(model, _):
    a, b = keras.Input((D,)), keras.Input((D,))
    both = keras.Model([a, b], [model(a), model(b)])
    first, second = both([points(), points(seed=1)])
    same(lambda _: first, model)
    same(lambda _: second, model, points(seed=1))


def batch_of_one(model, _):
    one = ops.convert_to_numpy(model(points()[:1]))
    np.testing.assert_allclose(one, ops.convert_to_numpy(model(points()))[:1], atol=1e-5)


def batch_of_none(model, _):
    shape = ops.convert_to_numpy(model(points())).shape
    assert ops.convert_to_numpy(model(points()[:0])).shape == (0, *shape[1:])


def integers(model, _):
    whole_numbers = np.arange(6).reshape(2, D)
    a, b = (ops.convert_to_numpy(model(x)) for x in (whole_numbers, whole_numbers.astype("f4")))
    np.testing.assert_allclose(a, b, atol=1e-6)


def frozen(model, _):
    model.trainable = False
    assert not model.trainable_variables
    same(model, model)


def counted(model, _):
    assert model.count_params() == sum(w.size for w in model.get_weights())
    lines = []
    model.summary(print_fn=lines.append)
    assert lines


def numbers_in_order(model, _):
    """Rows are treated one by one: a permutation of them permutes the outputs."""
    order = np.arange(8)[::-1]
    a, b = (ops.convert_to_numpy(model(x)) for x in (points()[order], points()))
    np.testing.assert_allclose(a, b[order], atol=1e-5)


def quantized(model, tmp_path):
    before = ops.convert_to_numpy(model(points()))
    model.quantize("int8")
    after = ops.convert_to_numpy(model(points()))
    assert np.abs(after - before).max() < 0.1 * np.abs(before).max()
    try:
        model.save(tmp_path / "q.keras")
    except ValueError as refused:
        assert "is quantized" in str(refused)
    else:
        same(model, keras.models.load_model(tmp_path / "q.keras"))


def exported(model, tmp_path):
    """Served without Keras and without this package."""
    tf = pytest.importorskip("tensorflow", reason="a SavedModel is TensorFlow's")
    model.export(tmp_path / "served", verbose=False)
    artifact = tf.saved_model.load(tmp_path / "served")
    np.testing.assert_allclose(
        artifact.serve(points()), ops.convert_to_numpy(model(points())), atol=1e-5
    )


MOVES = (
    whole, weights, cloned, cloned_by_keras, pickled, deep_copied, nested, called_twice,
    batch_of_one, batch_of_none, integers, frozen, counted, numbers_in_order, quantized, exported,
)  # fmt: skip


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize`")
@pytest.mark.parametrize(
    ("move", "name"),
    [
        pytest.param(
            move,
            name,
            marks=pytest.mark.slow
            if move is exported or (name in SELDOM and move not in (whole, cloned))
            else (),
            id=f"{move.__name__}-{name}",
        )
        for move in MOVES
        for name in MODELS
    ],
)
def test_move(move, name, tmp_path):
    keras.utils.set_random_seed(0)
    model = MODELS[name]()
    model(points())
    move(model, tmp_path)


# --- moves of a layer ---------------------------------------------------------------------------


def windows(layer):
    x = np.random.default_rng(0).normal(size=(2, 4, D)).astype("float32")
    together = ops.convert_to_numpy(layer(x))
    one_by_one = ops.convert_to_numpy(layer(x.reshape(-1, D)))
    np.testing.assert_allclose(together.reshape(one_by_one.shape), one_by_one, atol=1e-5)


def time_distributed(layer):
    x = np.random.default_rng(0).normal(size=(2, 4, D)).astype("float32")
    wrapped = ops.convert_to_numpy(keras.layers.TimeDistributed(layer)(x))
    np.testing.assert_allclose(wrapped, ops.convert_to_numpy(layer(x)), atol=1e-5)


def open_batch(layer):
    model = keras.Sequential([keras.Input((None, D)), layer])
    assert model.output_shape[:2] == (None, None)
    assert np.isfinite(ops.convert_to_numpy(model(np.zeros((2, 5, D), "float32")))).all()


def rebuilt(layer):
    layer(points())
    config = keras.saving.serialize_keras_object(layer)
    twin = keras.saving.deserialize_keras_object(config)
    assert twin.get_config() == layer.get_config()


def double(layer):
    twin = type(layer).from_config({**layer.get_config(), "dtype": "float32", "name": "twin"})
    assert twin(points().astype("float64")).dtype == layer(points()).dtype


def no_coordinates(layer):
    with pytest.raises(ValueError, match="of shape \\(batch, d\\)"):
        layer(np.zeros(4, "float32"))


LAYER_MOVES = (windows, time_distributed, open_batch, rebuilt, double, no_coordinates)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("move", LAYER_MOVES, ids=lambda move: move.__name__)
def test_layer_move(move, name):
    keras.utils.set_random_seed(0)
    move(LAYERS[name]())


# --- moves of training --------------------------------------------------------------------------


def task(model):
    """Inputs and targets of the shape of the outputs, none for a density."""
    if isinstance(model, keras_ndm.FlowDensity):
        return points(), None
    shape = ops.convert_to_numpy(model(points())).shape
    return points(), np.random.default_rng(2).normal(size=shape).astype("float32")


def own_likelihood(model):
    own = (keras_ndm.ManifoldModel, keras_ndm.NeuralDifferentialManifold)
    return isinstance(model, (*own, keras_ndm.GaussianRegression, keras_ndm.FlowDensity))


def compiled(model, optimizer="sgd", **options):
    loss = {} if own_likelihood(model) else {"loss": "mse"}
    model.compile(optimizer, **loss, **options)
    return model


def fits(model, **options):
    x, y = task(model)
    history = model.fit(x, y, batch_size=4, verbose=0, **options).history
    assert np.isfinite(history["loss"]).all()
    return history


def plainly(model, _):
    before = [np.copy(w) for w in model.get_weights()]
    fits(compiled(model))
    assert any(not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def sample_weights(model, _):
    weights = np.linspace(0, 1, 8).astype("float32")
    if np.ndim(task(model)[1]) == 3:  # Keras wants the rank of the loss's values, (batch, d)
        weights = weights[:, None]
    fits(compiled(model), sample_weight=weights)


def several_steps_an_execution(model, _):
    fits(compiled(model, steps_per_execution=2))


def averaged_weights(model, _):
    fits(compiled(model, keras.optimizers.SGD(1e-3, use_ema=True)))


def accumulated_gradients(model, _):
    fits(compiled(model, keras.optimizers.SGD(1e-3, gradient_accumulation_steps=2)))


def checkpoints(model, tmp_path):
    path = tmp_path / "at.weights.h5"
    saver = keras.callbacks.ModelCheckpoint(path, save_weights_only=True)
    fits(compiled(model), callbacks=[saver])
    before = ops.convert_to_numpy(model(points()))
    model.load_weights(path)
    np.testing.assert_allclose(ops.convert_to_numpy(model(points())), before, atol=1e-6)


def saved_between_epochs(model, tmp_path):
    compiled(model, "adam")
    fits(model)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert int(ops.convert_to_numpy(again.optimizer.iterations)) == 2
    fits(again)


def one_batch(model, _):
    x, y = task(model)
    compiled(model)
    assert np.isfinite(model.train_on_batch(x, y, return_dict=True)["loss"])
    assert np.isfinite(model.test_on_batch(x, y, return_dict=True)["loss"])
    assert np.isfinite(model.predict_on_batch(x)).all()


def naturally(model, _):
    if isinstance(model, keras_ndm.FlowDensity):
        with pytest.raises(ValueError, match="linear in the output"):
            compiled(model, "natural_gradient")
        return
    fits(compiled(model, "natural_gradient"))


def refrozen(model, _):
    compiled(model, keras_ndm.NaturalGradient())
    fits(model)
    model.trainable = False
    kept = [np.copy(w) for w in model.get_weights()]
    compiled(model, model.optimizer)
    fits(model)
    for a, b, variable in zip(kept, model.get_weights(), model.weights, strict=True):
        if "last_" not in variable.path and "seed" not in variable.path:
            np.testing.assert_array_equal(a, b)


def class_weights(model, _):
    outputs = task(model)[1]
    if own_likelihood(model) or outputs.ndim != 2 or outputs.shape[1] < 2:
        pytest.skip("no classes at the outputs")
    kinds = np.arange(8) % outputs.shape[1]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    losses = []
    for weights in (dict.fromkeys(range(D), 1.0), dict.fromkeys(range(D), 0.0)):
        model.compile(keras.optimizers.SGD(0.0), loss)
        history = model.fit(points(), kinds, class_weight=weights, verbose=0).history
        losses.append(history["loss"][-1])
    assert losses[0] > losses[1]


def distributed(model, _):
    """All the batch on the one device that is there."""
    if keras.config.backend() != "jax":
        pytest.skip("keras.distribution works on JAX alone")
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=["cpu:0"]))
    try:
        fits(compiled(model))
    finally:
        keras.distribution.set_distribution(before)


TRAINING = (
    plainly, sample_weights, several_steps_an_execution, averaged_weights, accumulated_gradients,
    checkpoints, saved_between_epochs, one_batch, naturally, refrozen, class_weights, distributed,
)  # fmt: skip
# The cells of every day; a training step takes seconds to compile, so the others are slow tests.
DAILY = {
    ("plainly", "evolution"), ("one_batch", "manifold"), ("naturally", "coordinates"),
    ("naturally", "density"),
}  # fmt: skip


CELLS = [
    pytest.param(
        move,
        name,
        marks=() if (move.__name__, name) in DAILY else pytest.mark.slow,
        id=f"{move.__name__}-{name}",
    )
    for move in TRAINING
    for name in MODELS
    if (move is plainly or name != "evolution_passing")
    and (move is not refrozen or name != "density")  # it takes no NaturalGradient
]


@pytest.mark.filterwarnings("ignore:NaturalGradient approximates")
@pytest.mark.parametrize(("move", "name"), CELLS)
def test_training(move, name, tmp_path):
    keras.utils.set_random_seed(0)
    model = MODELS[name]()
    move(model, tmp_path)
