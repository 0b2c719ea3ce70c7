"""Noise that differs from run to run: its size in each, and none found where runs are alike."""

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, Trajectories, datasets
from discovery.estimation.noise.by_run import noise_by_run
from discovery.estimation.preparation import prepare


def oscillators(seed=0, ratio=3.0, n_runs=30):
    """Runs with some 1 % of noise, and its standard deviation in each run."""
    rng = np.random.default_rng(seed)
    t = 0.15 * np.arange(80)
    phase, amplitude = rng.uniform(0, 6.3, (n_runs, 1)), rng.uniform(0.5, 2, (n_runs, 1))
    clean = amplitude[..., None] * np.stack([np.cos(t + phase), -np.sin(t + phase)], axis=2)
    noise = 0.01 * ratio ** rng.uniform(-1, 1, n_runs)
    noisy = clean + noise[:, None, None] * rng.standard_normal(clean.shape)
    return Trajectories(noisy, times=t, names=["x", "v"]), noise


@pytest.mark.parametrize("seed", range(3))
def test_noise_of_each_run(seed):
    runs, noise = oscillators(seed)
    found = np.sqrt(prepare(runs).measured.variances[runs.offsets[:-1]])
    assert np.abs(np.log(found / noise[:, None])).mean() < 0.2
    assert abs(np.log(found / noise[:, None]).mean()) < 0.1


def test_what_chance_makes_of_runs_is_no_difference():
    alike = 0
    for seed in range(200):
        rows = np.random.default_rng(seed).standard_normal((1200, 1))
        offsets, times = np.arange(0, 1201, 60), np.tile(np.arange(60.0), 20)
        alike += np.all(noise_by_run(rows, times, offsets, np.ones_like(rows)) == 1)
    assert alike >= 198


@pytest.mark.parametrize("system", ["central_space/902", "central/7002"])
def test_close_encounters_are_no_noise(system):
    runs = datasets.load(system, 30, 80, noise=0.001, seed=902)
    found = prepare(runs).measured.variances
    assert np.ptp(found, axis=0).max() <= 1e-12 * found.max()


def test_short_runs_tell_nothing():
    rows = np.random.default_rng(0).standard_normal((80, 1)) * np.repeat([1.0, 9.0], 40)[:, None]
    offsets, times = np.arange(0, 81, 8), np.tile(np.arange(8.0), 10)
    assert np.all(noise_by_run(rows, times, offsets, np.ones_like(rows)) == 1)


def test_a_law_in_noise_of_each_run_is_found():
    report = ConservedQuantityFinder(random_state=0).fit(oscillators(ratio=5.0)[0]).report_
    assert report.n_conserved == 1
