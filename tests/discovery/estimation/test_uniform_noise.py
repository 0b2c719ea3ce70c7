"""Noise that is the same everywhere: told from noise that differs by place, and from misfit."""

import numpy as np
import pytest

from discovery import Trajectories, datasets
from discovery.estimation.uniform_noise import is_uniform, needs_manifold

RUNS, STEPS = 60, 120


def oscillators(noise, n_runs=RUNS, seed=0, even=True):
    """Runs of two columns with noise(states, standard normal numbers) on them."""
    rng = np.random.default_rng(seed)
    t = 0.15 * np.arange(STEPS) + (0.0 if even else 0.05 * rng.uniform(-1, 1, STEPS))
    phase, amplitude = rng.uniform(0, 6.3, (n_runs, 1)), rng.uniform(0.5, 2, (n_runs, 1))
    clean = amplitude[..., None] * np.stack([np.cos(t + phase), -np.sin(t + phase)], axis=2)
    return Trajectories(clean + noise(clean, rng.standard_normal(clean.shape)), times=t)


NOISE = {
    "uniform": lambda x, z: 0.01 * z,
    "of two sizes": lambda x, z: z * [0.01, 0.003],
    "heavy tails": lambda x, z: 0.01 * z / np.maximum(abs(z[..., ::-1]), 0.3),
}
DIFFERS = {
    "grows outwards": lambda x, z: 0.01 * (0.6 + 0.4 * abs(x)) * z,
    "on one side": lambda x, z: 0.01 * np.where(x[..., :1] > 0, 1.5, 1.0) * z,
    "in another column": lambda x, z: 0.01 * np.where(x[..., ::-1] > 0, 1.5, 1.0) * z,
    "shared": lambda x, z: 0.01 * (z + 0.4 * z[..., ::-1]),
}


@pytest.mark.parametrize("even", [True, False])
@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE)
def test_noise_that_is_the_same_everywhere(noise, even):
    told = [not needs_manifold(oscillators(noise, seed=k, even=even)) for k in range(6)]
    assert sum(told) >= 5


@pytest.mark.parametrize("noise", DIFFERS.values(), ids=DIFFERS)
def test_noise_that_differs_is_seen(noise):
    assert all(needs_manifold(oscillators(noise, seed=k)) for k in range(4))


def test_few_samples_tell_nothing():
    assert needs_manifold(oscillators(NOISE["uniform"], n_runs=10))


def test_large_noise_is_smoothed_by_a_flow():
    runs = oscillators(lambda x, z: 0.05 * z)
    assert is_uniform(runs.rows, runs.row_times, runs.offsets) and needs_manifold(runs)


@pytest.mark.parametrize("name", ["kepler", "lorenz"])
def test_no_noise_is_to_be_learned(name):
    runs = datasets.load(name, 20, 150, noise=0.0, seed=0)
    assert not is_uniform(runs.rows, runs.row_times, runs.offsets)  # what is left of the path
    assert not needs_manifold(runs)
    # A level that is known counts.
    assert needs_manifold(runs, 0.01 * runs.rows.std(axis=0))
