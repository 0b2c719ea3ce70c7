"""Training of features that carry information about which orbit a sample is on.

With W, D and B as in `laws.finding.operators`, of the features of a small network, the information
that they carry about the run is, for Gaussian features,

    I = ½ log det(1 + (W + D)⁻¹ B),

and the Dirichlet energy D keeps it smooth: without it a network minimises W by tiny fast ripples.
Conserved quantities are the only features whose information does not end with their noise.

Some samples of some runs at a time, each with a neighbour that tells D, are given to L-BFGS. A
network so small is trained in NumPy before a framework has started.

Features flatten by a power of the number of rounds, about. Training ends early where the power seen
so far would leave all of them far from flat: most data without a law need a quarter of the rounds.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from scipy.optimize import minimize

from discovery.criteria import LAWS
from discovery.estimation.orbits import Orbits
from discovery.laws.finding.operators import Operators, operators, spectrum
from discovery.laws.learned.library import LearnedLibrary, Network

# The network's hidden layers, and its training: rounds on new samples, and steps of each.
HIDDEN = (64, 64)
ROUNDS, STEPS = 16, 25
# Steps that L-BFGS remembers.
MEMORY = 20
# Rounds after which it is asked whether more could help.
LOOKS = (2, 4, 8)
# Runs and samples of each that a round sees.
RUNS, SAMPLES = 60, 48
# The least distance, in standard deviations of a coordinate, over which features must be smooth.
SMOOTH = 0.01
# W and D are never thought to be smaller than this share of B.
FLOOR = 1e-6

Layers: TypeAlias = list[tuple[np.ndarray, np.ndarray]]


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
    from tqdm.auto import tqdm

    d = len(names)
    angles = tuple(i for i, role in enumerate(roles or ()) if role == "angle")
    blank = Network(orbits.smoothed.states.mean(axis=0), orbits.scale, angles, ())
    widths = (d + len(angles), *HIDDEN, int(np.clip(2 * (d - 1), 4, 12)))
    weights = _first_weights(widths, rng)
    left: list[float] = []
    with tqdm(total=ROUNDS, desc="learning features", unit="round", disable=not verbose) as bar:
        for done in range(1, ROUNDS + 1):
            given = widths, _samples(orbits, blank, rng)
            options = {"maxiter": STEPS, "maxcor": MEMORY}
            weights = minimize(_objective, weights, given, "L-BFGS-B", True, options=options).x
            bar.update()
            if done in (*LOOKS, ROUNDS):
                layers = tuple(_layers(weights, widths))
                library = LearnedLibrary(names, Network(blank.centre, blank.scale, angles, layers))
                ops = operators(library, orbits.smoothed, orbits.offsets, orbits.scale)
                left.append(_far_from_flat(ops))
                if done < ROUNDS and gives_up(left):
                    break
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
    return bool(left[-1] * (ROUNDS / now) ** min(power, 0.0) > LAWS.hopeless_feature)


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


def _first_weights(widths: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    """Return random kernels as Glorot and Bengio (2010) draw them, and no biases, as one vector."""
    parts = []
    for ahead, behind in itertools.pairwise(widths):
        most = np.sqrt(6 / (ahead + behind))
        parts += [rng.uniform(-most, most, ahead * behind), np.zeros(behind)]
    return np.concatenate(parts)


def _layers(weights: np.ndarray, widths: Sequence[int]) -> Layers:
    """Return the kernels and biases in one vector."""
    shapes = list(itertools.pairwise(widths))
    sizes = [size for a, b in shapes for size in (a * b, b)]
    parts = np.split(weights, np.cumsum(sizes)[:-1])
    return [(parts[2 * k].reshape(s), parts[2 * k + 1]) for k, s in enumerate(shapes)]


def _objective(
    weights: np.ndarray, widths: Sequence[int], samples: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return −I of samples (runs, samples, 2, inputs), and its gradient by the weights."""
    layers = _layers(weights.astype(samples.dtype), widths)
    values = [samples.reshape(-1, widths[0])]
    for kernel, bias in layers[:-1]:
        values.append(np.tanh(values[-1] @ kernel + bias))
    features = values[-1] @ layers[-1][0] + layers[-1][1]
    loss, slope = lost_information(features.reshape(*samples.shape[:3], -1).astype(float))
    slope = slope.reshape(features.shape).astype(samples.dtype)
    parts: list[np.ndarray] = []
    for depth, (kernel, _) in reversed(list(enumerate(layers))):
        parts = [(values[depth].T @ slope).ravel(), slope.sum(axis=0), *parts]
        if depth:
            slope = (slope @ kernel.T) * (1 - values[depth] ** 2)
    return loss, np.concatenate(parts).astype(float)


def lost_information(features: np.ndarray) -> tuple[float, np.ndarray]:
    """Return −I, and its gradient.

    Parameters
    ----------
    features : (runs, samples, 2, k) array
        At the samples, and beside them.
    """
    runs, count, _, k = features.shape
    here, beside = features[:, :, 0], features[:, :, 1]
    mean = here.mean(axis=1, keepdims=True)
    inner, moved = here - mean, beside - here
    outer = (mean - mean.mean(axis=0))[:, 0]
    flat = np.concatenate([inner, moved]).reshape(-1, k)
    between = outer.T @ outer / runs
    within = flat.T @ flat / (runs * count) + FLOOR * np.diag(np.diag(between))
    loss = 0.5 * (np.linalg.slogdet(within)[1] - np.linalg.slogdet(within + between)[1])
    # By W + D and by B, and then by what they are sums of.
    by_between = -np.linalg.inv(within + between)
    by_within = np.linalg.inv(within) + by_between
    by_between += FLOOR * np.diag(np.diag(by_within))
    slope = np.empty_like(features)
    slope[:, :, 1] = moved @ by_within / (runs * count)
    slope[:, :, 0] = inner @ by_within / (runs * count) - slope[:, :, 1]
    slope[:, :, 0] += (outer @ by_between / (runs * count))[:, None]
    return float(loss), slope


def _samples(orbits: Orbits, blank: Network, rng: np.random.Generator) -> np.ndarray:
    """Return random samples of random runs, each with a neighbour, as the network sees them."""
    starts, lengths = orbits.offsets[:-1], np.diff(orbits.offsets)
    states = orbits.smoothed.states
    reach = np.maximum(np.sqrt(orbits.smoothed.variances), SMOOTH * orbits.scale)
    runs = rng.choice(len(lengths), min(RUNS, len(lengths)), replace=False)[:, None]
    rows = starts[runs] + (rng.random((len(runs), SAMPLES)) * lengths[runs]).astype(int)
    rows = rows.ravel()
    near = states[rows] + reach[rows] * rng.standard_normal((len(rows), states.shape[1]))
    pairs = np.stack([blank.embed(states[rows]), blank.embed(near)], axis=1)
    return pairs.reshape(len(runs), SAMPLES, 2, -1).astype("float32")
