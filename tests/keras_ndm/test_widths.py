"""What has another width than a model or layer was built for is refused, and harms nothing."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_ndm

X, Y = np.random.default_rng(0).normal(size=(2, 16, 2)).astype("float32")
DT = np.ones((16, 1), "float32")


def density():
    model = keras_ndm.FlowDensity("linear")
    model.adapt(X)
    return model, X, None


def conditional():
    model = keras_ndm.FlowDensity(keras_ndm.charts.AffineCoupling(hidden=(4,)), condition=1)
    model.adapt(X, Y[:, :1])
    return model, (X, Y[:, :1]), None


def regression():
    metric = keras_ndm.MetricLayer(hidden=(4,), dimension=2)
    model = keras_ndm.GaussianRegression(2, hidden=(4,), metric=metric)
    model.adapt(X, Y)
    return model, X, Y


def manifold():
    model = keras_ndm.NeuralDifferentialManifold(metric=metric(), hidden=(4,))
    model.adapt(X, Y)
    return model, X, Y


def timed():
    model = keras_ndm.NeuralDifferentialManifold(metric=metric(), hidden=(4,))
    model.adapt((X, DT), Y)
    return model, (X, DT), Y


def graph():
    x = keras.Input((2,))
    model = keras_ndm.ManifoldModel(x, keras.layers.Dense(2)(x), metric=metric()(x))
    model.adapted.assign(1.0)
    model(X)
    return model, X, Y


def lagrangian():
    model = keras_ndm.LagrangianManifold(hidden=(4,))
    model.adapt((X, Y), X + Y)
    return model, (X, Y), X + Y


def metric():
    return keras_ndm.MetricLayer(hidden=(4,))


MODELS = (density, conditional, regression, manifold, timed, graph, lagrangian)


class Batches(keras.utils.PyDataset):
    """A data set of two batches."""

    def __init__(self, x, y):
        super().__init__()
        self.parts = x, y

    def __len__(self):
        return 2

    def __getitem__(self, i):
        half = slice(8 * i, 8 * i + 8)
        given = self.parts if self.parts[1] is not None else self.parts[:1]
        return keras.tree.map_structure(lambda a: a[half], given)


def batches(*pair):
    while True:
        yield pair


def wider(x):
    """Inputs with another column, in the first of several."""
    if isinstance(x, tuple):
        return (wider(x[0]), *x[1:])
    return np.concatenate([x, x[:, :1]], axis=1)


def narrower(x):
    return (x[0][:, :1], *x[1:]) if isinstance(x, tuple) else x[:, :1]


def predicted(model, x):
    return ops.convert_to_numpy(model(x))


@pytest.mark.parametrize("make", MODELS)
def test_models_refuse_other_widths_before_a_step(make):
    keras.utils.set_random_seed(0)
    model, x, y = make()
    model.compile("sgd")
    before = predicted(model, x)
    for other in (wider(x), narrower(x)):
        for act in (
            lambda x: model.predict(x, verbose=0),
            lambda x: model.evaluate(x, y, verbose=0),
            lambda x: model.fit(x, y, verbose=0),
            lambda x: model.evaluate(Batches(x, y), verbose=0),
            model,
        ):
            with pytest.raises(ValueError, match=r"Expected|expected|\(batch, |one shape"):
                act(other)
    # On JAX a step that fails would have taken the weights.
    np.testing.assert_array_equal(predicted(model, x), before)


@pytest.mark.parametrize("make", MODELS[2:])
def test_models_refuse_targets_and_weights_that_would_broadcast(make):
    keras.utils.set_random_seed(0)
    model, x, y = make()
    model.compile("sgd")
    before = predicted(model, x)
    options = {"verbose": 0}
    for other in (y[:, :1], wider(y), y[:, 0]):
        for act in (
            lambda y: model.fit(x, y, **options),
            lambda y: model.evaluate(x, y, **options),
            lambda y: model.evaluate(Batches(x, y), **options),
            lambda y: model.fit(x, Y, validation_data=(x, y), **options),
            lambda y: model.fit(batches(x, y), steps_per_epoch=2, **options),
            lambda y: model.compute_loss(x, ops.convert_to_tensor(y)),
        ):
            with pytest.raises(ValueError, match=r"targets of shape|y must hold"):
                act(other)
    one = (pair for pair in [(x, y)])
    model.evaluate(one, steps=1, **options)
    with pytest.raises(ValueError, match="sample weights of shape"):
        model.evaluate(x, y, sample_weight=np.ones((16, 2)), **options)
    with pytest.raises(ValueError, match="a row for each sample"):
        model.evaluate(*keras.tree.map_structure(lambda a: a[:0], (x, y)), **options)
    with pytest.raises(ValueError, match=r"missing|arrays before"):
        type(model).from_config(model.get_config()).fit(x)
    np.testing.assert_array_equal(predicted(model, x), before)


@pytest.mark.parametrize("chart", ["standardize", "actnorm", "linear"])
def test_a_chart_has_the_width_that_it_was_built_for(chart):
    layer = keras_ndm.CoordinateLayer(chart)
    layer.adapt(X)
    for other in (X[:, :1], wider(X), X[0]):
        for act in (layer, layer.inverse, layer.jacobian, layer.log_det_jacobian):
            with pytest.raises(ValueError, match=r"expected|takes points"):
                act(other)
    with pytest.raises(ValueError, match="expected"):
        layer(keras.Input((1,)))
    with pytest.raises(ValueError, match="2 coordinates"):
        layer.adapt(wider(X))
    assert layer(np.stack([X, Y], axis=1)).shape == (16, 2, 2)


@pytest.mark.parametrize("kind", ["cholesky", "constant"])
def test_a_metric_has_the_width_that_it_was_built_for(kind):
    layer = keras_ndm.MetricLayer(kind, hidden=(4,))
    layer(X)
    for other in (X[:, :1], wider(X), X[0]):
        with pytest.raises(ValueError, match="expected"):
            layer(other)


def test_masks_are_carried():
    steps = keras.Input((None, 3))
    z = keras_ndm.CoordinateLayer("actnorm")(keras.layers.Masking()(steps))
    assert getattr(metric()(z), "_keras_mask", None) is not None
    model = keras.Model(steps, keras.layers.SimpleRNN(2)(z))
    x = np.random.default_rng(0).normal(size=(3, 6, 3)).astype("float32")
    x[:, 4:] = 0
    np.testing.assert_allclose(model(x), model(x[:, :4]), atol=1e-6)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (lambda: keras_ndm.MetricLayer(hidden=8), "sequence of widths"),
        (lambda: keras_ndm.MetricLayer(floor="a"), "received 'a'"),
        (lambda: keras_ndm.MetricLayer(max_condition="a"), "received 'a'"),
        (lambda: keras_ndm.NeuralDifferentialManifold(hidden=8), "sequence of widths"),
        (lambda: keras_ndm.LagrangianManifold(hidden=(0,)), "sequence of widths"),
        (lambda: keras_ndm.LagrangianManifold(substeps="a"), "received 'a'"),
        (lambda: keras_ndm.charts.AffineCoupling(hidden="a"), "sequence of widths"),
        (lambda: keras_ndm.charts.Autoregressive(hidden=4), "sequence of widths"),
        (lambda: keras_ndm.charts.Permute([0, 0]), "permutation"),
        (lambda: keras_ndm.NaturalGradient(momentum="a"), "received 'a'"),
        (lambda: keras_ndm.NaturalGradient(damping="a"), "received 'a'"),
    ],
)
def test_arguments_of_another_kind(action, words):
    with pytest.raises(ValueError, match=words):
        action()
