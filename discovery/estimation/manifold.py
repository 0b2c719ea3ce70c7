"""The default manifold: its training, and what the analysis needs of any manifold."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from discovery.data.frame import Frame
from discovery.data.trajectories import Trajectories
from discovery.estimation.model_rows import (
    continuous_rows,
    is_regular,
    model_inputs,
    row_intervals,
)

if TYPE_CHECKING:
    import keras

# Steps of the default manifold's training: enough for the noise to come out within a few percent.
STEPS = 600
_EPOCHS = 12
_BATCH = 256
_LEARNING_RATE = 4e-3


class Manifold(Protocol):
    """What the analysis needs of a fitted model; `keras_ndm.manifold_of` offers it.

    Attributes
    ----------
    dim : int
        Number of coordinates d.
    timed : bool
        Whether `step` needs the time to the next state.
    step : callable or None
        ``step(x, dt)`` gives next states (n, d) and Jacobians (n, d, d), ``[n, i, j] = ∂F_i/∂x_j``;
        None where the model predicts no next state.
    """

    dim: int
    timed: bool
    step: Callable[[np.ndarray, np.ndarray | None], tuple[np.ndarray, np.ndarray]] | None

    def noise_covariance(self, x: np.ndarray) -> np.ndarray:
        """Return the covariance (n, d, d) of the noise at states (n, d)."""


class FramedManifold:
    """A manifold of the user's coordinates as one of framed coordinates.

    Parameters
    ----------
    manifold : Manifold
    frame : Frame
    """

    def __init__(self, manifold: Manifold, frame: Frame) -> None:
        self._manifold, self._frame = manifold, frame
        self.dim, self.timed = manifold.dim, manifold.timed
        self.step = None if manifold.step is None else self._step

    def _step(
        self, states: np.ndarray, intervals: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        ahead, jacobian = self._manifold.step(self._frame.outside(states), intervals)
        unit = self._frame.unit
        return self._frame.inside(ahead), jacobian * (unit / unit[:, None])

    def noise_covariance(self, x: np.ndarray) -> np.ndarray:
        """Return the covariance (n, d, d) of the noise at framed states (n, d)."""
        unit = self._frame.unit
        return self._manifold.noise_covariance(self._frame.outside(x)) / np.outer(unit, unit)


def train_manifold(
    trajectories: Trajectories,
    *,
    seed: int | None = None,
    verbose: bool = True,
    steps: int = STEPS,
) -> keras.Model:
    """Train the default manifold to predict the next state of runs.

    Parameters
    ----------
    trajectories : Trajectories
    seed : int, optional
        Of all random numbers of Keras.
    verbose : bool
        Show a progress bar (on stderr).
    steps : int
        Steps of the optimizer, about; every sample is seen at least once.

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
    batch = min(_BATCH, len(now))
    # An epoch costs tens of milliseconds of its own, and a last batch of another size a second
    # compilation: the samples go round until they fill a number of whole batches.
    per_epoch = max(steps // _EPOCHS, math.ceil(len(now) / batch))
    now = np.resize(now, per_epoch * batch)
    state = model_inputs(trajectories, rows)[now]
    target = state + rows[now + 1] - rows[now]
    inputs = state if is_regular(trajectories) else (state, row_intervals(trajectories)[now])
    epochs = max(1, round(steps / per_epoch))
    total = epochs * per_epoch
    model = keras_ndm.NeuralDifferentialManifold()
    schedule = keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, total)
    # XLA takes seconds to compile what then takes milliseconds a step, and runs no faster; on JAX
    # there is nothing else.
    compiled = keras.backend.backend() == "jax"
    model.compile(keras.optimizers.Adam(schedule), jit_compile=compiled)
    with tqdm(total=total, desc="training the manifold", unit="step", disable=not verbose) as bar:
        progress = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: bar.update(per_epoch))
        model.fit(inputs, target, batch_size=batch, epochs=epochs, verbose=0, callbacks=[progress])
    return model


def checked_manifold(model: keras.Model, trajectories: Trajectories) -> Manifold:
    """Return the geometry of a user's model.

    Raises
    ------
    ValueError
        For a model without a metric, or of other coordinates than the trajectories'.
    """
    import keras_ndm

    manifold = keras_ndm.manifold_of(model)
    if manifold.dim != trajectories.dim:
        raise ValueError(
            f"the model is for {manifold.dim} coordinates, the trajectories have "
            f"{trajectories.dim} ({', '.join(trajectories.names)}). Give a model that was fitted "
            "on states of these trajectories."
        )
    return manifold
