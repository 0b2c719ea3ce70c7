"""Models whose whole loss is added by layers."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_ndm


class SquaredError(keras.layers.Layer):
    def call(self, both):
        a, b = both
        self.add_loss(ops.mean(ops.square(a - b)))
        return b


class Code(keras.layers.Layer):
    """A code with noise, and its divergence from the normal law."""

    def __init__(self):
        super().__init__()
        self.random = keras.random.SeedGenerator(0)

    def call(self, both):
        mean, log = both
        self.add_loss(0.5 * ops.mean(ops.sum(mean**2 + ops.exp(log) - 1 - log, axis=-1)))
        noise = keras.random.normal(ops.shape(mean), seed=self.random)
        return mean + ops.exp(log / 2) * noise


class Distance(keras.layers.Layer):
    def call(self, both):
        a, b = both
        self.add_loss(ops.mean(ops.sum(ops.square(a - b), axis=-1)) / (2 * 0.05**2))
        return b


class Computed(keras.Model):
    """The squared error as a `compute_loss`."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.square(y_pred - y))


def net():
    x = keras.Input((2,))
    return x, keras.layers.Dense(2)(keras.layers.Dense(4, "tanh")(x))


def data():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(12, 2)).astype("float32") for _ in range(2)]


@pytest.mark.slow_on_jax
def test_a_step_is_that_of_the_compiled_loss():
    """The squared error, compiled, added, computed by the model: all have one Fisher matrix."""
    x, y = data()
    models = []
    for added in (False, True):
        keras.utils.set_random_seed(0)
        inputs, outputs = net()
        labels = keras.Input((2,))
        model = keras.Model(inputs, outputs)
        if added:
            model = keras.Model([inputs, labels], SquaredError()([labels, outputs]))
        model.compile(keras_ndm.NaturalGradient(solver="exact"), None if added else "mse")
        model.fit([x, y] if added else x, None if added else y, batch_size=12, verbose=0)
        models.append(model)
    keras.utils.set_random_seed(0)
    computing = Computed(*net())
    computing.compile(keras_ndm.NaturalGradient(solver="exact"))
    computing.fit(x, y, batch_size=12, verbose=0)
    for model in (models[1], computing):
        for a, b in zip(models[0].get_weights(), model.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, atol=2e-3)
    keras.utils.set_random_seed(0)
    start = keras.Model(*net()).get_weights()
    assert np.abs(models[0].get_weights()[0] - start[0]).max() > 0.05


def vae():
    keras.utils.set_random_seed(0)
    dense = keras.layers.Dense
    x = keras.Input((8,))
    h = dense(32, "tanh")(x)
    code = Code()([dense(2)(h), dense(2)(h)])
    return keras.Model(x, Distance()([x, dense(8)(dense(32, "tanh")(code))]))


@pytest.mark.slow
def test_a_variational_autoencoder_learns_as_under_adam():
    rng = np.random.default_rng(0)
    x = np.tanh(rng.normal(size=(512, 2)) @ rng.normal(size=(2, 8)))
    x = (x + 0.05 * rng.normal(size=x.shape)).astype("float32")
    lowest = []
    for optimizer, epochs in (
        (keras_ndm.NaturalGradient(), 30),
        (keras.optimizers.Adam(3e-3), 300),
    ):
        model = vae()
        model.compile(optimizer)
        lowest.append(model.fit(x, batch_size=256, epochs=epochs, verbose=0).history["loss"][-1])
    assert lowest[0] < lowest[1] < 100


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)

    def call(self, x):
        return self.dense(x)


class Adding(Own):
    def call(self, x):
        y = self.dense(x)
        self.add_loss(ops.mean(ops.square(y)))
        return y


class Calling(Own):
    """A loss that is no function of the outputs."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.square(self.dense(2.0 * x)))


class Stepping(Own):
    def train_step(self, *args):
        return super().train_step(*args)


class Updating(Own):
    """As Keras' guide to training steps of one's own does on JAX."""

    def compute_loss_and_updates(self, *args, **kwargs):
        return super().compute_loss_and_updates(*args, **kwargs)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Adding, "in a layer of its own that has no weights"),
        (Calling, "`compute_loss` of Calling calls 'dense.*not one of the outputs"),
        (Stepping, "overrides `train_step`.* to `compute_loss.* by `add_loss`"),
        (Updating, "overrides `compute_loss_and_updates`"),
    ],
)
def test_refused_with_a_reason(model, words):
    x, y = data()
    with pytest.raises(ValueError, match=words):
        model = model()
        model.compile(keras_ndm.NaturalGradient())
        model.fit(x, y, verbose=0)
