"""Train a Keras model with the natural gradient: three lines, and Adam beside it.

python examples/natural_gradient.py
"""

import time

import keras
import numpy as np

import keras_ndm

rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, (16384, 2)).astype("float32")
y = (np.sin(np.pi * x[:, 0]) * np.cos(np.pi * x[:, 1]))[:, None]


def network():
    """Three tanh layers with the same start for both optimizers."""
    keras.utils.set_random_seed(0)
    hidden = [keras.layers.Dense(68, activation="tanh") for _ in range(3)]
    return keras.Sequential([keras.Input((2,)), *hidden, keras.layers.Dense(1)])


for optimizer in (keras_ndm.NaturalGradient(solver="kronecker"), keras.optimizers.Adam(3e-3)):
    model = network()
    model.compile(optimizer=optimizer, loss="mse")
    started = time.perf_counter()
    model.fit(x, y, batch_size=1024, epochs=10, verbose=0)
    seconds = time.perf_counter() - started
    loss = model.evaluate(x, y, batch_size=4096, verbose=0)
    print(f"{type(optimizer).__name__:16s} {seconds:5.1f} s for 160 steps, MSE {loss:.1e}")
