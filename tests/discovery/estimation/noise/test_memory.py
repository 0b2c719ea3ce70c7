"""Noise that is correlated from sample to sample: seen, thinned, and told; no other noise is."""

import numpy as np
import pytest
from scipy.signal import lfilter

from discovery import ConservedQuantityFinder, Trajectories, datasets
from discovery.estimation.noise.memory import memory, taken_apart

WHITE = {
    "normal": lambda rng, clean: rng.standard_normal(clean.shape),
    "heavy tails": lambda rng, clean: rng.standard_t(3, clean.shape),
    "of the value": lambda rng, clean: 2 * clean * rng.standard_normal(clean.shape),
    "rounded": lambda rng, clean: (
        50 * (np.round(clean / 0.5 + rng.uniform(size=clean.shape)) - 0.5) - 100 * clean
    ),
    "an offset a run": lambda rng, clean: (
        rng.standard_normal(clean.shape) + 3 * rng.standard_normal((len(clean), 1, clean.shape[2]))
    ),
}


def oscillators(noise, n_runs=40, steps=400, seed=0, step=0.05, even=True):
    """Runs of two columns with 1 % of noise(generator, clean states) on them."""
    rng = np.random.default_rng(seed)
    t = step * (np.arange(steps) + (0.0 if even else 0.3 * rng.uniform(-1, 1, steps)))
    phase, amplitude = rng.uniform(0, 6.3, (n_runs, 1)), rng.uniform(0.5, 2, (n_runs, 1))
    clean = amplitude[..., None] * np.stack([np.cos(t + phase), -np.sin(t + phase)], axis=2)
    return Trajectories(clean + 0.01 * noise(rng, clean), times=t, names=["x", "v"])


def correlated(phi):
    """Autoregressive noise of unit variance."""

    def noise(rng, clean):
        white = rng.standard_normal(clean.shape)
        return lfilter([np.sqrt(1 - phi**2)], [1, -phi], white, axis=1)

    return noise


@pytest.mark.parametrize("even", [True, False])
@pytest.mark.parametrize("phi", [0.3, 0.5, 0.9])
def test_noise_that_is_correlated_is_seen(phi, even):
    ratio, chance = memory(oscillators(correlated(phi), even=even))
    assert abs(ratio - (1 + phi) / np.sqrt(1 + phi**2)) < 0.06 and chance < 1e-4


@pytest.mark.parametrize("even", [True, False])
@pytest.mark.parametrize("noise", WHITE.values(), ids=WHITE)
def test_independent_noise_has_no_memory(noise, even):
    for seed in range(3):
        assert not taken_apart(oscillators(noise, seed=seed, even=even)).remarks


@pytest.mark.parametrize("level", [0.0, 1e-4, 0.01])
@pytest.mark.parametrize("name", ["double_pendulum", "central_space/7001", "central/7000"])
def test_fast_paths_are_no_memory(name, level):
    assert not taken_apart(datasets.load(name, 60, 100, noise=level, seed=0)).remarks


def test_close_encounters_are_no_memory():
    runs = datasets.load("central_space/7001", 120, 100, noise=0.0, seed=7001)
    white = np.random.default_rng(0).standard_normal(runs.rows.shape)
    runs.rows = runs.rows + 0.05 * runs.rows.std(axis=0) * white
    assert memory(runs)[1] < 1e-3 and not taken_apart(runs).remarks


def test_a_few_samples_tell_no_memory():
    few = [oscillators(correlated(0.2), n_runs=5, steps=60, seed=seed) for seed in range(8)]
    assert any(memory(runs)[0] > 1.1 for runs in few)
    assert not any(taken_apart(runs).remarks for runs in few)


def test_two_runs_tell_no_memory():
    runs = oscillators(correlated(0.5), n_runs=2, steps=4000)
    assert np.isnan(memory(runs)[0]) and not taken_apart(runs).remarks


def test_samples_are_taken_apart_until_they_err_independently():
    apart = taken_apart(oscillators(correlated(0.5)))
    assert apart.every in (3, 4, 5) and not apart.lasting
    assert memory(apart.runs)[1] > 0.01
    assert len(apart.runs.rows) == 40 * -(-400 // apart.every)
    assert apart.remarks == [
        f"noise is correlated over about {apart.every} samples: one in {apart.every} is used"
    ]


def test_short_runs_are_not_thinned():
    runs = oscillators(correlated(0.7), n_runs=200, steps=70)
    apart = taken_apart(runs)
    assert apart.lasting and apart.runs is runs and "more than" in apart.remarks[0]


def test_a_law_in_correlated_noise_is_found():
    report = ConservedQuantityFinder(random_state=0).fit(oscillators(correlated(0.5))).report_
    assert report.n_conserved == 1 and "is used" in report.title


def test_noise_that_looks_like_motion_is_undecided():
    runs = oscillators(correlated(0.95), steps=150, step=0.2)
    report = ConservedQuantityFinder(random_state=0).fit(runs).report_
    assert report.verdict == "undecided" and "correlated" in str(report)
