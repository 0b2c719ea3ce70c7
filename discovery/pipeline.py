"""discover: runs in, trained manifold, report of conserved quantities out."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from discovery.analysis import analyse_orbits, title_of
from discovery.feature_training import train_features
from discovery.fields import analyse_fields, are_fields
from discovery.finder import known_noise
from discovery.libraries import resolve
from discovery.numbers import Numbers
from discovery.preparation import (
    continuous_rows,
    is_regular,
    model_inputs,
    prepare_with,
    rates,
    row_intervals,
    without_gross_errors,
)
from discovery.readiness import check_for_analysis
from discovery.report import DiscoveryReport
from discovery.sampling import MAX_ROWS, checked_rows, drawn
from discovery.split import Split
from discovery.trajectories import Trajectories

# The default manifold's training: enough for the noise to come out within a few percent.
STEPS = 600
EPOCHS = 12
BATCH = 256
LEARNING_RATE = 4e-3


def discover(
    trajectories: Trajectories,
    model: object = None,
    *,
    library: object = "auto",
    noise: object = None,
    constants: Mapping[str, float] | None = None,
    max_rows: int = MAX_ROWS,
    random_state: int | None = None,
    verbose: bool = True,
) -> DiscoveryReport:
    """Find what is conserved in runs of one system.

    A neural differential manifold is trained to predict the next state; its metric is the
    precision of the measurement noise in each place. Runs are smoothed through its flow, and
    functions that move along an orbit only as noise moves them are reported, judged on runs that
    took no part in finding them or in training. Where no closed form in reach is conserved
    (``library="auto"``), features are learned that tell the orbits apart.

    Parameters
    ----------
    trajectories : Trajectories
    model : keras.Model, optional
        A fitted model with a metric (a `NeuralDifferentialManifold`, or any functional model with
        a `MetricLayer`), to be used instead of the default one.
    library : str, list or Library, default="auto"
        Candidate functions, as for `ConservedQuantityFinder`.
    noise : float or array-like of shape (d,), optional
        Standard deviation of the measurement noise where it is known.
    constants : mapping from name to positive number, optional
        Physical constants, ``{"g": 9.81}``: coefficients that are simple multiples of their powers
        are written with them.
    max_rows : int, default=200000
        Of larger data sets so many rows are analysed: runs drawn at random, or stretches of them.
        Fields have a limit of their own, 100000 states.
    random_state : int, optional
        Seed of the split, the training and the bootstrap.
    verbose : bool, default=True
        Show a progress bar (on stderr) while training.

    Returns
    -------
    DiscoveryReport

    Raises
    ------
    ValueError
        For one run or fewer than needed for a split, runs too short to analyse, constant
        coordinates, an unknown library, a model of other dimension or without a metric, constants
        that are no positive numbers or bear a coordinate's name, a bad `max_rows`.
    """
    if not isinstance(trajectories, Trajectories):
        raise ValueError(
            f"expected Trajectories, received {type(trajectories).__name__}. Make them with "
            "Trajectories(states=...), Trajectories.from_frame or Trajectories.from_file."
        )
    check_for_analysis(trajectories)
    rng = np.random.default_rng(random_state)
    names, roles = trajectories.names, trajectories.roles
    most = checked_rows(max_rows)
    Numbers.of(constants, names)  # like a bad library, refused before training
    if are_fields(roles):
        return _discover_fields(trajectories, model, library, noise, rng, constants)
    resolve(library, names, roles, trajectories.rows)
    levels = known_noise(noise, trajectories.dim)
    some = drawn(trajectories, most, rng)
    sound = without_gross_errors(some)
    fit_runs, held_runs = Split.choose(sound.n_runs, rng)
    if model is None:
        model = train_manifold(sound[fit_runs], seed=int(rng.integers(2**31)), verbose=verbose)
    orbits = prepare_with(sound, _manifold(model, trajectories), levels)
    path = orbits.smoothed.states
    stages = resolve(library, names, roles, path, rates(sound, path), orbits.noise)
    if isinstance(library, str) and library == "auto":
        stages.append(lambda fit: train_features(fit, names, roles, rng, verbose=verbose))
    return analyse_orbits(
        orbits,
        stages,
        Split.of(orbits, fit_runs, held_runs, rng),
        rng,
        names=names,
        roles=roles,
        title=title_of(trajectories, some, sound),
        times=sound.row_times,
        constants=constants,
    )


def _discover_fields(
    trajectories: Trajectories,
    model: object,
    library: object,
    noise: object,
    rng: np.random.Generator,
    constants: Mapping[str, float] | None,
) -> DiscoveryReport:
    """Fields need no manifold: neighbouring points tell the noise, and waves filter it."""
    if model is not None:
        raise ValueError(
            "a model was given, and the coordinates are fields, for which none is used. Leave it "
            "out, or give the coordinates other roles."
        )
    levels = known_noise(noise, trajectories.dim)
    return analyse_fields(trajectories, library, levels, rng, constants)


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


def _manifold(model: object, trajectories: Trajectories) -> object:
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
