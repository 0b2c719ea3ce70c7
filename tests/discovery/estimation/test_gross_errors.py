"""Gross errors are left out, fast motion is not one of them."""

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, Trajectories, datasets
from discovery.estimation.preparation import Levels, without_gross_errors


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
    assert (out & bad).sum() >= 0.95 * bad.sum()
    assert (out & ~bad).sum() <= 0.001 * len(rows)


def test_small_errors_are_found_where_they_are_many():
    """Values off by a few percent of the spread, within the runs: an end may only start fast."""
    runs = datasets.load("harmonic_oscillator", 60, 100, noise=0.001, seed=0)
    rng = np.random.default_rng(1)
    bad = rng.random(runs.rows.shape) < 0.015
    bad.reshape(60, 100, -1)[:, [0, 1, -2, -1]] = False
    size = rng.uniform(0.05, 0.3, bad.shape) * rng.choice([-1, 1], bad.shape)
    rows = runs.rows + np.where(bad, size * runs.rows.std(axis=0), 0.0)
    out = dropped(Trajectories.from_rows(rows, runs.groups, runs.row_times))
    wrong = bad.any(axis=1)
    assert (out & wrong).sum() >= 0.95 * wrong.sum()
    assert (out & ~wrong).sum() <= 0.005 * len(rows)


def test_errors_are_found_where_motion_is_fast():
    """Two values in a hundred of a chaotic flow: fast motion does not hide them."""
    runs = datasets.load("lorenz", 28, 100, noise=0.01, seed=0)
    wrong = np.random.default_rng(1).random(runs.rows.shape) < 0.02
    rows = runs.rows + 6 * runs.rows.std(axis=0) * wrong
    out = dropped(Trajectories.from_rows(rows, runs.groups, runs.row_times))
    assert (out & wrong.any(axis=1)).sum() >= 0.9 * wrong.any(axis=1).sum()
    assert not (out & ~wrong.any(axis=1)).any()


def test_errors_that_do_no_harm_are_kept():
    """A value off by half a percent of the spread, in data without noise."""
    t = np.linspace(0, 6, 200)
    swings = np.linspace(1, 2, 10)[:, None] * np.cos(t)
    swings[:, 50] += 0.005 * swings.std()
    assert not dropped(Trajectories(states=swings[:, :, None], times=t)).any()


def test_short_runs_are_kept():
    """Runs of fewer than thirteen samples tell nothing of single ones."""
    runs = datasets.load("kepler", 20, 12, seed=0)
    rows = runs.rows.copy()
    rows[::12] += 9.0
    assert not dropped(Trajectories.from_rows(rows, runs.groups, runs.row_times)).any()


def test_what_is_frequent_is_no_gross_error():
    """A pulse in one sample of twenty is the nature of the data."""
    runs = datasets.load("harmonic_oscillator", 30, 100, noise=0.01, seed=0)
    rows = runs.rows.copy()
    rows[::20, 0] += 5.0
    pulses = Trajectories.from_rows(rows, runs.groups, runs.row_times)
    assert not dropped(pulses).any()


@pytest.mark.parametrize(
    "name", [pytest.param("henon_heiles", marks=pytest.mark.slow), "lotka_volterra", "pendulum"]
)
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
    "name",
    ["kepler", "three_body", "van_der_pol", "enzyme", "double_pendulum"],
)
def test_fast_motion_is_no_gross_error(name):
    """Simulations without noise hold no errors at all."""
    assert without_gross_errors(datasets.load(name, 40, 100, seed=0)).rows.shape[0] == 4000


def test_close_encounters_are_no_gross_errors():
    """Eccentric orbits whose turn at the centre takes one sample: single samples stand out."""
    rng, t = np.random.default_rng(0), np.linspace(0, 30, 200)
    states = []
    for eccentricity, start in zip(rng.uniform(0.85, 0.96, 40), rng.uniform(0, 6, 40), strict=True):
        anomaly = t + start
        for _ in range(200):  # Kepler's equation
            anomaly = t + start + eccentricity * np.sin(anomaly)
        across = np.sqrt(1 - eccentricity**2)
        rate = 1 / (1 - eccentricity * np.cos(anomaly))
        x, y = np.cos(anomaly) - eccentricity, across * np.sin(anomaly)
        u, v = -rate * np.sin(anomaly), rate * across * np.cos(anomaly)
        states.append(np.stack([x, y, u, v], axis=1))
    runs = Trajectories(states=np.array(states), times=t)
    assert not dropped(runs).any()


@pytest.mark.parametrize(("name", "noise"), [("kepler", 0.01), ("pendulum", 0.0), ("lorenz", 0.05)])
def test_the_quick_look_finds_the_same(name, noise):
    """With the noise known from other runs most samples are passed over, and no error is."""
    runs = datasets.load(name, 30, 80, noise=noise, seed=0)
    rng = np.random.default_rng(2)
    rows, at = runs.rows.copy(), rng.choice(len(runs.rows), 30, replace=False)
    rows[at, rng.integers(runs.dim, size=30)] += 3 * rows.std() * rng.choice([-1, 1], 30)
    cuts = runs.offsets[1:-1]
    bad = Trajectories(np.split(rows, cuts), runs.times, runs.names, runs.roles)
    expected = without_gross_errors(bad)
    found = without_gross_errors(bad, Levels.of(without_gross_errors(runs)))
    assert len(expected.rows) < len(rows) - 20
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_array_equal(found.run_ids, runs.run_ids)
