"""Noise that depends on the value: its size at each value, and none found where there is none."""

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, Trajectories, datasets
from discovery.estimation.preparation import prepare

SIZES = {
    "a share": lambda x: 2 * abs(x),
    "a share and a floor": lambda x: np.hypot(1.0, 3 * x),
    "a root": lambda x: np.sqrt(abs(x)),
}


def oscillators(size, seed=0):
    """Runs with 1 % of noise of the given size, and the standard deviation of each value."""
    rng = np.random.default_rng(seed)
    t = 0.15 * np.arange(150)
    phase, amplitude = rng.uniform(0, 6.3, (60, 1)), rng.uniform(0.5, 2, (60, 1))
    clean = amplitude[..., None] * np.stack([np.cos(t + phase), -np.sin(t + phase)], axis=2)
    noise = 0.01 * size(clean)
    runs = Trajectories(clean + noise * rng.standard_normal(clean.shape), times=t)
    return runs, noise.reshape(-1, 2)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_noise_of_the_value(size):
    runs, noise = oscillators(size)
    found = np.sqrt(prepare(runs).measured.variances)
    known = noise > np.quantile(noise, 0.2)  # what is nearly without noise is told too large
    assert np.abs(np.log(found / noise)[known]).mean() < 0.1
    assert abs(np.mean(found**2) / np.mean(noise**2) - 1) < 0.1


@pytest.mark.parametrize("noise", [0.01, 0.05])
@pytest.mark.parametrize("name", ["kepler", "henon_heiles", "double_pendulum", "lotka_volterra"])
def test_noise_that_does_not_depend_on_it(name, noise):
    for seed in range(3):
        orbits = prepare(datasets.load(name, 40, 150, noise=noise, seed=seed))
        found = orbits.measured.variances
        assert np.ptp(found, axis=0).max() <= 1e-12 * found.max()


@pytest.mark.parametrize("noise", [0.01, 0.05])
def test_close_encounters_are_no_noise(noise):
    orbits = prepare(datasets.load("central/7002", 60, 100, noise=noise, seed=7002))
    found = orbits.measured.variances
    assert np.ptp(found, axis=0).max() <= 1e-12 * found.max()


def test_a_law_in_noise_of_the_value_is_found():
    runs, _ = oscillators(lambda x: 2 * abs(x))
    report = ConservedQuantityFinder(random_state=0).fit(runs).report_
    assert report.n_conserved == 1
