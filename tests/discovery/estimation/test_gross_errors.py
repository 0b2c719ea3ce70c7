"""Gross errors are left out, fast motion is not one of them."""

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, Trajectories, datasets
from discovery.estimation.preparation import without_gross_errors


def dropped(runs):
    """Mask of the rows that are left out; run and time name a row."""
    sound = without_gross_errors(runs)
    kept = set(zip(sound.groups, sound.row_times, strict=True))
    return np.array([key not in kept for key in zip(runs.groups, runs.row_times, strict=True)])


@pytest.mark.parametrize("name", ["harmonic_oscillator", "kepler", "lorenz"])
@pytest.mark.parametrize("noise", [0.001, 0.02])
def test_planted_errors_are_found(name, noise):
    """One sample in a hundred moved by two to four standard deviations of the data."""
    runs = datasets.load(name, 30, 100, noise=noise, seed=0)
    rng = np.random.default_rng(1)
    bad = rng.random(len(runs.rows)) < 0.01
    rows = runs.rows.copy()
    size = rng.uniform(2, 4, (bad.sum(), runs.dim)) * rng.choice([-1, 1], (bad.sum(), runs.dim))
    rows[bad] += size * rows.std(axis=0)
    out = dropped(Trajectories.from_rows(rows, runs.groups, runs.row_times))
    # One that is missed costs more than some sound samples: where errors are many, what is
    # doubtful goes too.
    assert (out & bad).sum() >= 0.95 * bad.sum()
    assert (out & ~bad).sum() <= 0.02 * len(rows)


def test_small_errors_are_found_where_they_are_many():
    """Values off by a few percent of the spread; sound ones at the ends of runs stay."""
    runs = datasets.load("harmonic_oscillator", 60, 100, noise=0.001, seed=0)
    rng = np.random.default_rng(1)
    bad = rng.random(runs.rows.shape) < 0.015
    size = rng.uniform(0.05, 0.3, bad.shape) * rng.choice([-1, 1], bad.shape)
    rows = runs.rows + np.where(bad, size * runs.rows.std(axis=0), 0.0)
    out = dropped(Trajectories.from_rows(rows, runs.groups, runs.row_times))
    wrong = bad.any(axis=1)
    assert (out & wrong).sum() >= 0.95 * wrong.sum()
    assert (out & ~wrong).sum() <= 0.005 * len(rows)


def test_what_is_frequent_is_no_gross_error():
    """A pulse in one sample of twenty is the nature of the data."""
    runs = datasets.load("harmonic_oscillator", 30, 100, noise=0.01, seed=0)
    rows = runs.rows.copy()
    rows[::20, 0] += 5.0
    pulses = Trajectories.from_rows(rows, runs.groups, runs.row_times)
    assert not dropped(pulses).any()


@pytest.mark.parametrize("name", ["henon_heiles", "lotka_volterra", "pendulum"])
def test_laws_survive_gross_errors(name):
    """One value in a hundred is off by 5 to 10 standard deviations."""
    runs = datasets.load(name, noise=0.01, seed=3, outliers=0.01)
    finder = ConservedQuantityFinder(roles=runs.roles, random_state=0)
    finder.fit(runs.rows, groups=runs.groups, times=runs.row_times)
    assert finder.n_conserved_ == datasets.info(name).count


@pytest.mark.parametrize("name", ["kepler", "lotka_volterra", "three_body", "lorenz", "pendulum"])
def test_noise_is_no_gross_error(name):
    runs = datasets.load(name, 40, 100, noise=0.01, seed=0)
    assert without_gross_errors(runs) is runs


@pytest.mark.parametrize(
    "name", ["kepler", "lotka_volterra", "three_body", "van_der_pol", "enzyme"]
)
def test_fast_motion_is_no_gross_error(name):
    """Simulations without noise hold no errors at all."""
    assert without_gross_errors(datasets.load(name, 40, 100, seed=0)).rows.shape[0] == 4000
