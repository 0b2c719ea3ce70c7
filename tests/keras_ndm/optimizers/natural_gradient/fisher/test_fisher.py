"""The structured Fisher matrix against a dense one, for layers and losses."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import keras_ndm
from keras_ndm import backend
from keras_ndm.optimizers.natural_gradient.fisher.jacobian import linearize
from keras_ndm.optimizers.natural_gradient.fisher.layer_taps import Taps
from keras_ndm.optimizers.natural_gradient.fisher.output_fisher import output_fisher, probe
from keras_ndm.optimizers.natural_gradient.fisher.tap_check import checked_taps, snapshot
from keras_ndm.optimizers.natural_gradient.objective import Objective, read

# On JAX every model compiles for ten seconds and more: all rows but these wait for the slow tests.
CORE = ("dense", "shared", "frozen", "subclassed")


def rows(names, core):
    """Return the rows of a table, those outside of `core` marked slow on JAX."""
    slow = keras.backend.backend() == "jax"
    return [
        pytest.param(name, marks=pytest.mark.slow) if slow and name not in core else name
        for name in names
    ]


pytestmark = pytest.mark.usefixtures("float64")
N = 5
# On JAX Keras takes means and variances in float32 whatever their argument, and these layers live
# by them; it does so with tanh, too, so the models here have `keras_ndm.backend.tanh`.
FLOAT32 = {"layer_norm", "rms_norm", "group_norm", "sequence"}


def dense(units, activation=backend.tanh, **kwargs):
    return layers.Dense(units, activation, bias_initializer="random_normal", **kwargs)


def sequential(*parts, shape=(3,), dtype=None):
    return keras.Sequential([keras.Input(shape, dtype=dtype), *parts])


def shared():
    x = keras.Input((4,))
    layer = dense(4)
    return keras.Model(x, layers.Dense(2)(layer(layer(x))))


def two_branches():
    x = keras.Input((3,))
    h = dense(4)(x)
    return keras.Model(x, layers.Concatenate()([layers.Dense(1)(h), layers.Multiply()([h, h])]))


def frozen():
    model = sequential(dense(4), dense(3), layers.Dense(2))
    model.layers[1].trainable = False
    return model


def manifold_layers():
    x = keras.Input((2,))
    z = keras_ndm.CoordinateLayer(keras_ndm.charts.AffineCoupling(hidden=(2,)))(x)
    return keras.Model(x, keras_ndm.MetricLayer(hidden=(4,))(dense(2)(z)))


class Subclassed(keras.Model):
    """Dense layers, a weight of its own, and a kernel that is used outside its layer's call."""

    def __init__(self):
        super().__init__()
        self.first, self.second = dense(3), layers.Dense(2)

    def build(self, shape):
        self.scale = self.add_weight(shape=(3,), initializer="ones")
        self.first.build(shape)
        self.second.build((None, 3))

    def call(self, x):
        h = self.scale * self.first(x)
        return self.second(h) + ops.matmul(h, ops.transpose(self.first.kernel))[:, :2]


MODELS = {
    "dense": lambda: sequential(dense(4), dense(3, use_bias=False), layers.Dense(2)),
    "shared": shared,
    "branches": two_branches,
    "frozen": frozen,
    "layer_norm": lambda: sequential(dense(4), layers.LayerNormalization(), layers.Dense(2)),
    "rms_norm": lambda: sequential(dense(4), layers.RMSNormalization(), layers.Dense(2)),
    "group_norm": lambda: sequential(dense(4), layers.GroupNormalization(2), layers.Dense(2)),
    "prelu": lambda: sequential(dense(4, None), layers.PReLU(), layers.Dense(2)),
    "activations": lambda: sequential(
        dense(4, "gelu"), layers.Activation("silu"), dense(2, "exponential")
    ),
    "residual": lambda: keras.Model(
        x := keras.Input((3,)), layers.Add()([x, dense(3)(dense(3)(x))])
    ),
    "sequence": lambda: sequential(dense(4), layers.GlobalAveragePooling1D(), shape=(6, 2)),
    "sequence_out": lambda: sequential(dense(2), shape=(3, 2)),
    "conv": lambda: sequential(
        layers.Conv1D(2, 2, activation=backend.tanh), layers.Flatten(), shape=(4, 2)
    ),
    "embedding": lambda: sequential(
        layers.Embedding(7, 3), layers.Flatten(), layers.Dense(2), shape=(2,), dtype="int32"
    ),
    "einsum": lambda: sequential(layers.EinsumDense("ab,bc->ac", 3), layers.Dense(2)),
    "rnn": lambda: sequential(layers.SimpleRNN(2, activation=backend.tanh), shape=(2, 2)),
    "subclassed": Subclassed,
    "manifold": manifold_layers,
}


def values_of(model):
    return [read(v) for v in model.trainable_variables]


def dense_jacobian(model, x):
    """J (N, outputs, P): plain reverse mode, one output at a time."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape(persistent=True) as tape:
            y = tf.reshape(model(x, training=True), (len(x), -1))
        parts = tape.jacobian(
            y, [v.value for v in model.trainable_variables], experimental_use_pfor=False
        )
    else:
        import jax

        rest = [v.value for v in model.non_trainable_variables]

        mode = {"training": True} if model._call_has_training_arg else {}

        def outputs(values):
            return model.stateless_call(values, rest, x, **mode)[0].reshape(len(x), -1)

        parts = jax.jacrev(outputs)(values_of(model))
    return np.concatenate([np.reshape(p, (len(x), p.shape[1], -1)) for p in parts], axis=-1)


def flat(tensors):
    return np.concatenate([np.ravel(ops.convert_to_numpy(t)) for t in tensors])


def setup(name, rng, randomize, loss="mse", y=None, weights=None):
    model = MODELS[name]() if isinstance(name, str) else name()
    integer = isinstance(name, str) and name == "embedding"
    shape = (N, *model.input_shape[1:]) if name != "subclassed" else (N, 3)
    x = rng.integers(0, 7, shape) if integer else rng.normal(size=shape)
    out = ops.convert_to_numpy(model(x))
    randomize(model)
    y = rng.normal(size=out.shape) if y is None else y
    model.compile("sgd", loss)
    tensors = [None if t is None else ops.convert_to_tensor(t) for t in (x, y, weights)]
    objective = Objective(model, *tensors)
    model.evaluate(x, y, sample_weight=weights, verbose=0)
    return model, x, objective


def structured(model, objective, taps=None):
    """F and the gradient J̃ᵀ z from the blocks, whose three products must agree with their rows."""
    values = values_of(model)
    _, y_pred, _, _ = objective.evaluate(values)
    seeds, z = output_fisher(objective, values, y_pred)
    jacobian = linearize(objective, taps or Taps(model), values, seeds)
    size = z.shape[0] * z.shape[1]
    place = {id(v): i for i, v in enumerate(model.trainable_variables)}
    parts = [np.zeros((size, int(np.prod(v.shape)))) for v in model.trainable_variables]
    for block in jacobian.blocks:
        for v, rows in zip(block.variables, block.rows(), strict=True):
            parts[place[id(v)]] += ops.convert_to_numpy(rows).reshape(size, -1)
    rows = np.concatenate(parts, axis=1)
    kernel = ops.convert_to_numpy(jacobian.kernel().panel(0, N)).reshape(size, size)
    np.testing.assert_allclose(kernel, rows @ rows.T, atol=1e-11 * np.abs(kernel).max())
    direction = [
        ops.convert_to_tensor(np.random.default_rng(1).normal(size=v.shape)) for v in values
    ]
    np.testing.assert_allclose(
        np.ravel(jacobian.apply(direction)), rows @ flat(direction), atol=1e-10
    )
    gradient = flat(jacobian.transpose(z))
    np.testing.assert_allclose(gradient, rows.T @ np.ravel(z), atol=1e-10)
    return rows.T @ rows, gradient


@pytest.mark.parametrize("name", rows(MODELS, CORE))
def test_layers(name, rng, randomize):
    model, x, objective = setup(name, rng, randomize)
    taps = checked_taps(model, objective.x, snapshot(model))
    fisher, gradient = structured(model, objective, taps)
    jacobian = dense_jacobian(model, x)
    m = model.output_shape[-1] if name != "subclassed" else 2
    size = jacobian.shape[1]
    # Mean over the batch and all outputs; squared error has the curvature 2.
    expected = 2.0 / (N * size) * np.einsum("nap,naq->pq", jacobian, jacobian)
    assert m <= size
    # Both sides are float64; the reference sums in another order.
    rounding = 3e-7 if keras.backend.backend() == "jax" and name in FLOAT32 else 1e-10
    np.testing.assert_allclose(fisher, expected, atol=10 * rounding * np.abs(expected).max())
    whole = flat(objective.gradient(values_of(model)))
    np.testing.assert_allclose(gradient, whole, atol=10 * rounding * np.abs(whole).max())


def softmax(f):
    p = np.exp(f - f.max(-1, keepdims=True))
    return p / p.sum(-1, keepdims=True)


def sigmoid(f):
    return 1.0 / (1.0 + np.exp(-f))


def diagonal(h):
    return h[:, :, None] * np.eye(h.shape[1])


def categorical(p):
    return diagonal(p) - p[:, :, None] * p[:, None, :]


# Name: loss, output activation, labels, Fisher matrix (N, m, m) of one sample at the
# pre-activations.
LOSSES = {
    "mse": ("mse", None, "real", lambda f: diagonal(np.full_like(f, 2 / 3))),
    "logits": (
        lambda: keras.losses.CategoricalCrossentropy(from_logits=True),
        None,
        "one_hot",
        lambda f: categorical(softmax(f)),
    ),
    "probabilities": (
        "categorical_crossentropy",
        "softmax",
        "one_hot",
        lambda f: categorical(softmax(f)),
    ),
    "smoothed": (
        lambda: keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
        "softmax",
        "one_hot",
        lambda f: categorical(softmax(f)),
    ),
    "sparse": (
        "sparse_categorical_crossentropy",
        "softmax",
        "index",
        lambda f: categorical(softmax(f)),
    ),
    "binary": (
        "binary_crossentropy",
        "sigmoid",
        "bits",
        lambda f: diagonal(sigmoid(f) * (1 - sigmoid(f)) / 3),
    ),
    "binary_logits": (
        lambda: keras.losses.BinaryCrossentropy(from_logits=True),
        None,
        "bits",
        lambda f: diagonal(sigmoid(f) * (1 - sigmoid(f)) / 3),
    ),
    "poisson": ("poisson", "exponential", "counts", lambda f: diagonal(np.exp(f) / 3)),
}


def labels(kind, rng):
    return {
        "real": rng.normal(size=(N, 3)),
        "one_hot": np.eye(3)[rng.integers(0, 3, N)],
        "index": rng.integers(0, 3, (N, 1)),
        "bits": rng.integers(0, 2, (N, 3)).astype(float),
        "counts": rng.poisson(2.0, (N, 3)).astype(float),
    }[kind]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", rows(LOSSES, list(LOSSES)[:3]))
def test_losses(name, weighted, rng, randomize):
    loss, activation, kind, fisher_of = LOSSES[name]
    loss = loss if isinstance(loss, str) else loss()
    weights = rng.uniform(0.5, 2.0, N) if weighted else None

    def make():
        return sequential(
            dense(4), layers.Dense(3, name="pre"), layers.Activation(activation or "linear")
        )

    model, x, objective = setup(make, rng, randomize, loss, labels(kind, rng), weights)
    fisher, gradient = structured(model, objective)
    before = keras.Model(model.inputs, model.get_layer("pre").output)
    jacobian = dense_jacobian(before, x)
    at = fisher_of(ops.convert_to_numpy(before(x)))
    at = at * ((1.0 if weights is None else weights[:, None, None]) / N)
    expected = np.einsum("nap,nab,nbq->pq", jacobian, at, jacobian)
    # Keras clips probabilities by 1e-7, which shows in the last digits.
    np.testing.assert_allclose(fisher, expected, atol=1e-6 * np.abs(expected).max())
    np.testing.assert_allclose(gradient, flat(objective.gradient(values_of(model))), atol=1e-9)


def test_several_outputs_and_loss_weights(rng, randomize):
    x = keras.Input((3,))
    h = dense(4)(x)
    a, b = layers.Dense(2, name="a")(h), layers.Dense(1, name="b")(h)
    model = keras.Model(x, {"a": a, "b": b})
    inputs = rng.normal(size=(N, 3))
    model(inputs)
    randomize(model)
    model.compile("sgd", {"a": "mse", "b": "mse"}, loss_weights={"a": 1.0, "b": 0.3})
    y = {"a": rng.normal(size=(N, 2)), "b": rng.normal(size=(N, 1))}
    model.evaluate(inputs, y, verbose=0)
    objective = Objective(
        model, ops.convert_to_tensor(inputs), {k: ops.convert_to_tensor(v) for k, v in y.items()}
    )
    fisher, gradient = structured(model, objective)
    joint = keras.Model(x, layers.Concatenate()([a, b]))
    jacobian = dense_jacobian(joint, inputs)
    assert [v.path for v in model.trainable_variables] == [
        v.path for v in joint.trainable_variables
    ]
    weight = np.array([1.0, 1.0, 0.6]) / N
    expected = np.einsum("nap,a,naq->pq", jacobian, weight, jacobian)
    np.testing.assert_allclose(fisher, expected, atol=1e-10)
    np.testing.assert_allclose(gradient, flat(objective.gradient(values_of(model))), atol=1e-10)


@pytest.mark.slow_on_jax
@pytest.mark.parametrize("chart", ["standardize", pytest.param("coupling", marks=pytest.mark.slow)])
def test_gaussian_with_learned_metric(chart, rng, randomize):
    """F = ∂mᵀ C⁻¹ ∂m + ½ tr(C⁻¹ ∂C C⁻¹ ∂C), with ∂m and ∂C by finite differences."""
    weighted = chart == "standardize"
    model = keras_ndm.NeuralDifferentialManifold(
        chart=chart if weighted else keras_ndm.charts.AffineCoupling(hidden=(2,)),
        hidden=(3,),
        metric=keras_ndm.MetricLayer(hidden=(2,)),
    )
    x, y = rng.normal(size=(2, N, 2))
    weights = rng.uniform(0.5, 2.0, N) if weighted else None
    model.compile("sgd")
    model.adapt(x, y)
    model(x)
    randomize(model, scale=0.3)
    arguments = [None if t is None else ops.convert_to_tensor(t) for t in (x, y, weights)]
    objective = Objective(model, *arguments)
    taps = checked_taps(model, objective.x, snapshot(model))
    fisher, gradient = structured(model, objective, taps)
    values = [ops.convert_to_numpy(v) for v in values_of(model)]

    def moments(point):
        start, parts = 0, []
        for v in values:
            parts.append(ops.convert_to_tensor(point[start : start + v.size].reshape(v.shape)))
            start += v.size
        with objective.scope(parts):
            return [ops.convert_to_numpy(t) for t in model.moments(ops.convert_to_tensor(x))]

    origin, h = flat(values), 1e-5
    _, covariance = moments(origin)
    inverse = np.linalg.inv(covariance)
    means, covariances = [], []
    for i in range(len(origin)):
        step = h * np.eye(len(origin))[i]
        ends = [moments(origin + step), moments(origin - step)]
        means.append((ends[0][0] - ends[1][0]) / (2 * h))
        covariances.append((ends[0][1] - ends[1][1]) / (2 * h))
    # The model looks the noise of the next state up at a mean that it holds fixed
    # (`stop_gradient`); finite
    # differences see that dependence, so only the metric's own parameters are compared in ∂C.
    scale = (np.ones(N) if weights is None else weights) / N
    own = np.concatenate(
        [
            np.full(v.size, "metric" in var.path)
            for v, var in zip(values, model.trainable_variables, strict=True)
        ]
    )
    dm, dc = np.array(means), np.array(covariances)
    expected = np.einsum("pna,nab,qnb,n->pq", dm, inverse, dm, scale)
    expected += 0.5 * np.einsum("nab,pnbc,ncd,qnda,n->pq", inverse, dc, inverse, dc, scale)
    assert own.any()
    block = np.ix_(own, own)
    np.testing.assert_allclose(fisher[block], expected[block], atol=1e-6 * np.abs(expected).max())
    np.testing.assert_allclose(gradient, flat(objective.gradient(values_of(model))), atol=1e-9)


def test_random_probe_is_unbiased(rng):
    """The mean over all sign patterns of the outer products is the Fisher matrix at the outputs."""
    seeds = [ops.convert_to_tensor(rng.normal(size=(3, 1, 2)))]
    total = np.zeros((2, 2))
    for bits in range(8):
        signs = np.array([[1.0 - 2.0 * (bits >> a & 1)] for a in range(3)])
        (mixed,) = probe(seeds, ops.convert_to_tensor(signs))
        column = ops.convert_to_numpy(mixed)[0, 0]
        total += np.outer(column, column) / 8
    columns = ops.convert_to_numpy(seeds[0])[:, 0]
    np.testing.assert_allclose(total, columns.T @ columns, atol=1e-12)


def test_own_output_fisher(rng, randomize):
    """A loss may bring its Fisher matrix along."""

    @keras.saving.register_keras_serializable("test")
    class Quadratic(keras.losses.Loss):
        matrix = np.array([[2.0, 0.5], [0.5, 1.0]])

        def call(self, y_true, y_pred):
            r = y_pred - y_true
            return 0.5 * ops.sum(r * ops.matmul(r, ops.convert_to_tensor(self.matrix)), -1)

        def output_fisher(self, y_true, y_pred):
            return ops.ones((ops.shape(y_pred)[0], 1, 1)) * ops.convert_to_tensor(self.matrix)

    model, x, objective = setup("dense", rng, randomize, Quadratic())
    fisher, gradient = structured(model, objective)
    jacobian = dense_jacobian(model, x)
    expected = np.einsum("nap,ab,nbq->pq", jacobian, Quadratic.matrix / N, jacobian)
    np.testing.assert_allclose(fisher, expected, atol=1e-10)
    np.testing.assert_allclose(gradient, flat(objective.gradient(values_of(model))), atol=1e-10)
