"""Rivals of `forecasts.py`: networks that learn the rates, trained for so many CPU seconds each.

Both have two hidden layers of 64 tanh units and are fitted to the next state, a Runge–Kutta step
ahead, in units of the noise; Adam, batches of 256. A neural ODE (Chen et al., NeurIPS 2018) gives
the rates themselves; a Hamiltonian network (Greydanus, Dzamba and Yosinski, NeurIPS 2019) a
function H of positions and velocities, with q' = ∂H/∂w and w' = −∂H/∂q.
"""

import time

import numpy as np
import tensorflow as tf

WIDTH, BATCH, RATE = 64, 256, 2e-3


class Network:
    """Rates of standardized states by a network of two hidden layers."""

    def __init__(self, mean, size, hamiltonian):
        """Draw the weights."""
        d, self.hamiltonian = len(mean), hamiltonian
        self.mean, self.size = (np.asarray(part, "float32") for part in (mean, size))
        shapes = [(d, WIDTH), (WIDTH, WIDTH), (WIDTH, 1 if hamiltonian else d)]
        self.weights = []
        for i, shape in enumerate(shapes):
            drawn = tf.random.stateless_normal(shape, (i, 7)) / np.sqrt(shape[0])
            self.weights += [tf.Variable(drawn), tf.Variable(tf.zeros(shape[1]))]

    def __call__(self, states):
        """Return the rates (n, d) at states (n, d), tensors."""
        if not self.hamiltonian:
            return self._value(states) * self.size
        with tf.GradientTape() as tape:
            tape.watch(states)
            energy = self._value(states)
        by_q, by_w = tf.split(tape.gradient(energy, states), 2, axis=1)
        return tf.concat([by_w, -by_q], axis=1)

    def _value(self, states):
        w1, b1, w2, b2, w3, b3 = self.weights
        hidden = tf.tanh((states - self.mean) / self.size @ w1 + b1)
        return tf.tanh(hidden @ w2 + b2) @ w3 + b3

    def plain(self):
        """Return the rates as a function of one state (d,), without tensors."""
        w1, b1, w2, b2, w3, b3 = (w.numpy().astype(float) for w in self.weights)
        half = len(self.mean) // 2

        def rate(state):
            first = np.tanh((state - self.mean) / self.size @ w1 + b1)
            second = np.tanh(first @ w2 + b2)
            if not self.hamiltonian:
                return (second @ w3 + b3) * self.size
            back = (w3[:, 0] * (1 - second**2)) @ w2.T * (1 - first**2)
            slope = back @ w1.T / self.size
            return np.concatenate([slope[half:], -slope[:half]])

        return rate


def trained(runs, noise, seconds, hamiltonian=False):
    """Return learned rates, a function of one state (d,).

    Parameters
    ----------
    runs : Trajectories
        At equal steps.
    noise : (d,) array
    seconds : float
        Of the processor.
    hamiltonian : bool
        For positions with velocities in two halves.
    """
    states = runs.states.astype("float32")
    dt = float(np.median(np.diff(runs.row_times)))
    pairs = [part.reshape(-1, states.shape[2]) for part in (states[:, :-1], states[:, 1:])]
    network = Network(runs.rows.mean(axis=0), runs.rows.std(axis=0), hamiltonian)
    optimizer = tf.keras.optimizers.Adam(RATE)
    optimizer.build(network.weights)
    level = noise.astype("float32")

    @tf.function
    def step(now, then):
        with tf.GradientTape() as tape:
            a = network(now)
            b = network(now + dt / 2 * a)
            c = network(now + dt / 2 * b)
            moved = now + dt / 6 * (a + 2 * b + 2 * c + network(now + dt * c))
            loss = tf.reduce_mean(((moved - then) / level) ** 2)
        optimizer.apply(tape.gradient(loss, network.weights), network.weights)

    rng, end = np.random.default_rng(0), time.process_time() + seconds
    while time.process_time() < end:
        some = rng.integers(len(pairs[0]), size=BATCH)
        step(*(tf.constant(part[some]) for part in pairs))
    return network.plain()
