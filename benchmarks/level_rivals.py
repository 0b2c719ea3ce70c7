"""Rivals of `levels.py`, trained for so many CPU seconds each.

`flow` is `keras_ndm.FlowDensity` of spline couplings, the density of states given the laws' values,
their means over each run. `encoder` makes 16 numbers of a piece of a run by two convolutions and
a mean over time; of two pieces of one run it says that they are alike, of pieces of different runs
that they are not (van den Oord, Li and Vinyals 2018).
"""

import time

import keras
import numpy as np
import tensorflow as tf

import keras_ndm
from keras_ndm import charts

BATCH, RATE = 256, 3e-3
CROP, WIDTH, FEATURES, WARMTH = 50, 64, 16, 0.1  # of the encoder


class Enough(keras.callbacks.Callback):
    """Ends training after so many CPU seconds."""

    def __init__(self, seconds):
        super().__init__()
        self.end = time.process_time() + seconds

    def on_train_batch_end(self, batch, logs=None):
        """Look at the clock."""
        if time.process_time() > self.end:
            self.model.stop_training = True


def flow(report, runs, values, n, seconds, seed):
    """Return states (n, d) with about these values of the laws.

    Parameters
    ----------
    report : discovery.DiscoveryReport
    runs : Trajectories
    values : dict from law's name to number
    n : int
    seconds : float
    seed : int
    """
    laws = [next(q for q in report.quantities if q.name == name) for name in values]
    given = np.array([[law(run).mean() for law in laws] for run in runs.states])
    context = np.repeat(given, runs.lengths, axis=0).astype("float32")
    keras.utils.set_random_seed(seed)
    density = keras_ndm.FlowDensity(charts.SplineCoupling(depth=4), condition=len(laws))
    density.compile(keras.optimizers.Adam(RATE))
    rows = runs.rows.astype("float32")
    density.fit(
        (rows, context), batch_size=BATCH, epochs=10_000, verbose=0, callbacks=[Enough(seconds)]
    )
    return density.sample(n, np.array(list(values.values())), seed=seed)


def encoder(pieces, size, seconds, seed):
    """Return a function from pieces (n, k, d) to features (n, 16).

    Parameters
    ----------
    pieces : (n, k, d) array
        One of each run.
    size : (d,) array
        Spread of the coordinates.
    seconds : float
    seed : int
    """
    keras.utils.set_random_seed(seed)
    network = keras.Sequential(
        [
            keras.Input((None, pieces.shape[2])),
            keras.layers.Conv1D(WIDTH, 7, strides=2, activation="gelu"),
            keras.layers.Conv1D(WIDTH, 5, strides=2, activation="gelu"),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(WIDTH, activation="gelu"),
            keras.layers.Dense(FEATURES),
            keras.layers.UnitNormalization(),
        ]
    )
    optimizer = keras.optimizers.Adam(RATE)
    optimizer.build(network.trainable_variables)
    rng = np.random.default_rng(seed)
    states = (pieces / size).astype("float32")
    own = tf.range(len(states))

    @tf.function
    def step(one, other):
        with tf.GradientTape() as tape:
            alike = network(one) @ tf.transpose(network(other)) / WARMTH
            loss = keras.losses.sparse_categorical_crossentropy(own, alike, from_logits=True)
            loss = tf.reduce_mean(loss)
        weights = network.trainable_variables
        optimizer.apply(tape.gradient(loss, weights), weights)

    end = time.process_time() + seconds
    while time.process_time() < end:
        begins = rng.integers(states.shape[1] - CROP + 1, size=(2, len(states)))
        step(
            *(np.stack([s[b : b + CROP] for s, b in zip(states, at, strict=True)]) for at in begins)
        )
    return lambda asked: np.asarray(network((np.asarray(asked) / size).astype("float32")))
