"""Training of features that carry information about which orbit a sample is on.

With W, D and B as in `laws.finding.operators`, of the features of a small network, the information
that they carry about the run is, for Gaussian features,

    I = ½ log det(1 + (W + D)⁻¹ B),

and the Dirichlet energy D keeps it smooth: without it a network minimises W by tiny fast ripples.
Conserved quantities are the only features whose information does not end with their noise.

Features flatten by a power of the number of steps, about. Training ends early where the power seen
so far would leave all of them far from flat: most data without a law need a fifth of the steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from discovery.criteria import LAWS
from discovery.estimation.orbits import Orbits
from discovery.laws.finding.operators import Operators, operators, spectrum
from discovery.laws.learned.library import LearnedLibrary, Network

if TYPE_CHECKING:
    import keras

# The network's hidden layers, and its training.
HIDDEN = (64, 64)
STEPS = 1500
LEARNING_RATE = 5e-3
# Steps after which it is asked whether more could help, and how far from flat the flattest feature
# may then be expected to end: three times what was expected is common, ten times is not.
LOOKS, FAR = (150, 300, 600), 10.0
# Runs and samples of each that a step sees.
RUNS, SAMPLES = 60, 24
# The least distance, in standard deviations of a coordinate, over which features must be smooth.
SMOOTH = 0.01
# W and D are never thought to be smaller than this share of B.
FLOOR = 1e-6


def train_features(
    orbits: Orbits,
    names: Sequence[str],
    roles: Sequence[str | None] | None,
    rng: np.random.Generator,
    *,
    verbose: bool = False,
) -> LearnedLibrary:
    """Train features on orbits and return them as a library, the flattest first.

    Parameters
    ----------
    orbits : Orbits
        Runs to find features on.
    names : sequence of d str
    roles : sequence of length d, optional
        Of the coordinates: an angle is seen by its cosine and sine.
    rng : numpy.random.Generator
    verbose : bool
        Show a progress bar (on stderr).
    """
    import keras
    from tqdm.auto import tqdm

    d = len(names)
    angles = tuple(i for i, role in enumerate(roles or ()) if role == "angle")
    states = orbits.smoothed.states
    blank = Network(states.mean(axis=0), orbits.scale, angles, ())
    size = int(np.clip(2 * (d - 1), 4, 12))
    keras.utils.set_random_seed(int(rng.integers(2**31)))
    dense = keras.layers.Dense
    network = keras.Sequential(
        [
            keras.Input((None, 2, d + len(angles))),
            *(dense(width, activation="tanh") for width in HIDDEN),
            dense(size),
        ]
    )
    schedule = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, STEPS)
    # XLA takes seconds, and megabytes that TensorFlow never frees; on JAX there is nothing else.
    compiled = keras.backend.backend() == "jax"
    network.compile(keras.optimizers.Adam(schedule), loss=_lost_information, jit_compile=compiled)
    # As `keras_ndm.keras_internals.build_optimizer`, whose import takes a second.
    network.optimizer.build(network.trainable_variables)
    network.optimizer._all_reduce_sum_gradients = list
    batches = _batches(orbits, blank, rng)

    def read(model: keras.Model) -> tuple[LearnedLibrary, Operators]:
        kernels = [np.asarray(w, dtype=float) for w in model.get_weights()]
        layers = tuple(zip(kernels[::2], kernels[1::2], strict=True))
        library = LearnedLibrary(names, Network(blank.centre, blank.scale, angles, layers))
        return library, operators(library, orbits.smoothed, orbits.offsets, orbits.scale)

    left: list[float] = []
    with tqdm(total=STEPS, desc="learning features", unit="step", disable=not verbose) as bar:

        def after(batch: int, **_: object) -> None:
            bar.update()
            if batch + 1 in LOOKS:
                # Asked through the callback, weights are those of now on JAX too.
                left.append(_far_from_flat(read(progress.model)[1]))
                network.stop_training = gives_up(left)

        progress = keras.callbacks.LambdaCallback(on_train_batch_end=after)
        network.fit(batches, epochs=1, verbose=0, callbacks=[progress], shuffle=False)
    library, ops = read(network)
    return library.rotated(spectrum(ops))


def gives_up(left: Sequence[float]) -> bool:
    """Tell whether features that end as they began would be far from any law.

    Parameters
    ----------
    left : sequence of float
        How far the flattest was from flat at the first of `LOOKS`: 1 is near enough.
    """
    if len(left) < 2:
        return False
    before, now = LOOKS[len(left) - 2 : len(left)]
    power = np.log(left[-1] / left[-2]) / np.log(now / before)
    return bool(left[-1] * (STEPS / now) ** min(power, 0.0) > FAR)


def _far_from_flat(ops: Operators) -> float:
    """Return how much more the flattest feature moves than noise, or than a law that drifts."""
    flat = spectrum(ops)
    if not len(flat.values):
        return np.inf
    between = np.einsum("jk,ij,ik->k", flat.vectors, ops.between, flat.vectors)
    within = np.einsum("jk,ij,ik->k", flat.vectors, ops.within, flat.vectors)
    noise = within / flat.values
    allowed = np.maximum(LAWS.flatness_ceiling * noise, LAWS.small_drift**2 * between)
    return float(np.min(within / allowed))


def _lost_information(_: keras.KerasTensor, features: keras.KerasTensor) -> keras.KerasTensor:
    """Return −I of features (runs, samples, 2, k): at the samples, and beside them."""
    from keras import ops

    k = features.shape[-1]
    here, beside = features[:, :, 0], features[:, :, 1]
    mean = ops.mean(here, axis=1, keepdims=True)
    inner = ops.reshape(here - mean, (-1, k))
    moved = ops.reshape(beside - here, (-1, k))
    outer = ops.reshape(mean - ops.mean(mean, axis=0, keepdims=True), (-1, k))
    rows = ops.cast(ops.shape(inner)[0], features.dtype)
    runs = ops.cast(ops.shape(outer)[0], features.dtype)
    between = ops.matmul(ops.transpose(outer), outer) / runs
    # Features of any size: the information does not depend on it, the arithmetic does.
    size = ops.sqrt(ops.diagonal(between) + 1e-12)
    unit = size[:, None] * size[None, :]
    between = between / unit
    within = (ops.matmul(ops.transpose(inner), inner) + ops.matmul(ops.transpose(moved), moved)) / (
        rows * unit
    )
    within = within + FLOOR * ops.eye(k, dtype=features.dtype)
    logdet = lambda m: 2 * ops.sum(ops.log(ops.diagonal(ops.cholesky(m))))  # noqa: E731
    return 0.5 * (logdet(within) - logdet(within + between))


def _batches(orbits: Orbits, blank: Network, rng: np.random.Generator) -> keras.utils.PyDataset:
    """Return a data set of random samples of random runs, each with a neighbour."""
    import keras

    starts, lengths = orbits.offsets[:-1], np.diff(orbits.offsets)
    states = orbits.smoothed.states
    noise = np.sqrt(orbits.smoothed.variances)
    reach = np.maximum(noise, SMOOTH * orbits.scale)
    n_runs = min(RUNS, len(lengths))

    class Batches(keras.utils.PyDataset):
        def __len__(self) -> int:
            return STEPS

        def __getitem__(self, _: int) -> tuple:
            runs = rng.choice(len(lengths), n_runs, replace=False)
            rows = starts[runs, None] + (
                rng.random((n_runs, SAMPLES)) * lengths[runs, None]
            ).astype(int)
            rows = rows.ravel()
            near = states[rows] + reach[rows] * rng.standard_normal((len(rows), states.shape[1]))
            pair = np.stack([blank.embed(states[rows]), blank.embed(near)], axis=1)
            pair = pair.reshape(n_runs, SAMPLES, 2, -1).astype("float32")
            return pair, np.zeros((n_runs, 1), "float32")

    return Batches(workers=1)
