"""Networks among the rivals of `forecasts.py`, trained for so many CPU seconds each.

Two have two hidden layers of 64 tanh units and are fitted to the next state, a Runge–Kutta step
ahead, in units of the noise; Adam, batches of 256. A neural ODE (Chen et al., NeurIPS 2018) gives
the rates themselves; a Hamiltonian network (Greydanus, Dzamba and Yosinski, NeurIPS 2019) a
function H of positions and velocities, with q' = ∂H/∂w and w' = −∂H/∂q. The third is
`keras_ndm.LagrangianManifold` with hidden layers of 16, by its `polish`, for the next state too.
"""

import time

import keras
import numpy as np
import tensorflow as tf

import keras_ndm

WIDTH, BATCH, RATE = 64, 256, 2e-3
NARROW, PAIRS, ITERATIONS = (16, 16), 2048, 5  # of a Lagrangian manifold
FINER = 4  # steps of its rollout between two times


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


def lagrangian(runs, seconds):
    """Return a function that follows starts by a Lagrangian manifold.

    Parameters
    ----------
    runs : Trajectories
        Of positions (or angles) with their velocities, in two halves, at equal steps.
    seconds : float
        Of the processor.
    """
    half = runs.states.shape[2] // 2
    angles = [i for i in range(half) if runs.roles[i] == "angle"]
    now, after = (part.reshape(-1, 2 * half) for part in (runs.states[:, :-1], runs.states[:, 1:]))
    some = np.random.default_rng(0).permutation(len(now))[:PAIRS]
    steps = np.full((len(some), 1), np.median(np.diff(runs.row_times)))
    keras.utils.set_random_seed(0)
    model = keras_ndm.LagrangianManifold(angles=angles, hidden=NARROW)
    end = time.process_time() + seconds
    while time.process_time() < end:
        model.polish((now[some, :half], now[some, half:], steps), after[some], ITERATIONS)

    def follow(starts, times):
        fine = np.interp(np.arange(FINER * (len(times) - 1) + 1) / FINER, range(len(times)), times)
        try:
            return model.rollout(starts[:, :half], starts[:, half:], fine)[:, ::FINER]
        except ValueError:  # a step too long where the learned force is too strong
            return np.full((len(starts), len(times), 2 * half), np.inf)

    return follow
