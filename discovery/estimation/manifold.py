"""The default manifold and its training."""

from __future__ import annotations

import math

import numpy as np

from discovery.data.trajectories import Trajectories
from discovery.estimation.model_rows import (
    continuous_rows,
    is_regular,
    model_inputs,
    row_intervals,
)

# The default manifold's training: enough for the noise to come out within a few percent.
STEPS = 600
EPOCHS = 12
BATCH = 256
LEARNING_RATE = 4e-3


def train_manifold(
    trajectories: Trajectories, *, seed: int | None = None, verbose: bool = True
) -> object:
    """Train the default manifold on runs.

    Returns
    -------
    keras_ndm.NeuralDifferentialManifold
    """
    import keras
    from tqdm.auto import tqdm

    import keras_ndm

    if seed is not None:
        keras.utils.set_random_seed(seed)
    rows = continuous_rows(trajectories)
    now = np.delete(np.arange(len(rows)), trajectories.offsets[1:] - 1)
    batch = min(BATCH, len(now))
    # An epoch costs tens of milliseconds of its own, and a last batch of another size a second
    # compilation: the samples go round until they fill a number of whole batches.
    steps = max(STEPS // EPOCHS, math.ceil(len(now) / batch))
    now = np.resize(now, steps * batch)
    state = model_inputs(trajectories, rows)[now]
    target = state + rows[now + 1] - rows[now]
    inputs = state if is_regular(trajectories) else (state, row_intervals(trajectories)[now])
    epochs = max(1, round(STEPS / steps))
    model = keras_ndm.NeuralDifferentialManifold()
    schedule = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, epochs * steps)
    # XLA takes seconds to compile what then takes milliseconds a step, and runs no faster; on JAX
    # there is nothing else.
    compiled = keras.backend.backend() == "jax"
    model.compile(keras.optimizers.Adam(schedule), jit_compile=compiled)
    with tqdm(
        total=epochs * steps, desc="training the manifold", unit="step", disable=not verbose
    ) as bar:
        progress = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: bar.update(steps))
        model.fit(inputs, target, batch_size=batch, epochs=epochs, verbose=0, callbacks=[progress])
    return model


def manifold_for(model: object, trajectories: Trajectories) -> object:
    """Return the model's geometry, or say what it lacks."""
    import keras_ndm

    manifold = keras_ndm.manifold_of(model)
    if manifold.dim != trajectories.dim:
        raise ValueError(
            f"the model is for {manifold.dim} coordinates, the trajectories have "
            f"{trajectories.dim} ({', '.join(trajectories.names)}). Give a model that was fitted "
            "on states of these trajectories."
        )
    return manifold
