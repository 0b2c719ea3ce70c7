"""Waves of measured fields: the noise, what is above it, and smoothing along time."""

import numpy as np

from discovery import Trajectories, datasets
from discovery.pde.densities import Jets
from discovery.pde.grid import grid_of
from discovery.pde.integrals import Integrals
from discovery.pde.noise import field_noise
from discovery.pde.waves import waves_of

POINTS, RUNS, STEPS = 16, 30, 100
GRID = grid_of([f"u{p}" for p in range(POINTS)])


def travelling_wave(frequency, noise, speed=0.3):
    """Return runs of one wave of size one on a ring, with noise, and without, (runs, steps, N)."""
    rng = np.random.default_rng(0)
    phase = frequency * 2 * np.pi * np.arange(POINTS) / POINTS - speed * np.arange(STEPS)[:, None]
    clean = np.cos(phase + rng.uniform(0, 6, (RUNS, 1, 1)))
    names = [f"u{p}" for p in range(POINTS)]
    noisy = clean + noise * rng.standard_normal(clean.shape)
    return Trajectories(noisy, names=names, roles=["field"] * POINTS), clean


def expanded(runs, noise):
    return waves_of(runs, GRID, np.full((1, POINTS), noise))


def test_noise_along_the_grid(linear):
    """The noise of each point, where it varies, from what no smooth field could hold."""

    runs = linear("wave between walls")
    level = 0.02 * (1 + 0.5 * np.cos(np.pi * np.arange(24) / 24))
    rows = runs.rows + np.tile(level, 2) * np.random.default_rng(0).normal(size=runs.rows.shape)
    noisy = Trajectories.from_rows(rows, runs.groups, runs.row_times, runs.names, runs.roles)
    found = field_noise(noisy, grid_of(runs.names))
    # At the very ends a little of the neighbours' noise comes in.
    off = np.abs(found / level - 1)
    assert np.median(off) < 0.1 and off.max() < 0.4


def test_short_waves_that_hold_less_than_the_noise():
    """Without noise they hold rounding; that data have few digits is known from elsewhere."""
    runs, _ = travelling_wave(1, noise=0.0)
    assert field_noise(runs, GRID).min() > 1e-7 * runs.rows.std()


def test_short_waves_that_move():
    """A field may live in the shortest waves: smooth in time, it is no noise."""
    runs, _ = travelling_wave(7, noise=0.01, speed=0.05)
    np.testing.assert_allclose(field_noise(runs, GRID), 0.01, rtol=0.2)


def shared(values, width):
    """Return white noise (…, N) that is spread over neighbours on a ring, its size unchanged."""
    place = np.arange(values.shape[-1])
    near = np.exp(-0.5 * (np.minimum(place, len(place) - place) / width) ** 2)
    spread = np.fft.irfft(np.fft.rfft(values) * np.fft.rfft(near), len(place))
    return spread / np.linalg.norm(near)


def test_noise_that_is_correlated_along_the_grid(kdv, find):
    """Long waves hold more of it than short ones: laws are found as with white noise."""
    clean, rng = datasets.load("kdv", 40, 80, seed=0), np.random.default_rng(1)
    size = 0.02 * clean.rows.std()
    rows = clean.rows + size * shared(rng.standard_normal(clean.rows.shape), 1.5)
    runs = Trajectories.from_rows(
        rows, clean.groups, clean.row_times, clean.names, clean.roles, clean.grid_spacing
    )
    report = find(runs, ["u", "u**2", "u_x**2", "u**3"]).report_
    assert report.n_conserved == 3 and "neighbours on the grid share noise" in report.title
    assert all(0.8 < q.flatness < 1.3 for q in report.quantities)
    np.testing.assert_allclose(report.noise["u"], size, rtol=0.15)
    plain = find(kdv, ["u", "u**2", "u_x**2", "u**3"]).report_
    assert "share noise" not in plain.title


def test_few_samples_do_not_tell_shared_noise():
    """The noise of one wave in few samples is known to half of itself: by chance it is larger."""
    some, _ = travelling_wave(2, noise=0.2)
    for seed in range(12):
        rng = np.random.default_rng(seed)
        rows = 0.2 * rng.standard_normal((8 * 20, POINTS))
        rows += np.concatenate([run[:20] for run in some.states[:8]])
        few = Trajectories.from_rows(rows, np.repeat(np.arange(8), 20), names=some.names)
        assert not expanded(few, 0.2 * np.sqrt(2)).is_correlated


def test_fast_waves_are_no_noise():
    """A wave of four samples a period moves in time as no smooth path does; it is a wave still."""
    runs, _ = travelling_wave(2, noise=0.01, speed=1.6)
    assert not expanded(runs, 0.01).is_correlated


def test_waves_of_noise_alone_are_left_out():
    runs, _ = travelling_wave(3, noise=0.1)
    # The constant, and cosine and sine of three frequencies.
    assert expanded(runs, 0.1).kept == (7,)


def test_smoothing_keeps_the_power_of_a_wave():
    runs, clean = travelling_wave(2, noise=0.2)
    waves = expanded(runs, 0.2)
    power = np.sum(waves.smoothed**2 - 0.2**2 * waves.error, axis=1).mean()
    np.testing.assert_allclose(power, np.sum(clean**2, axis=2).mean(), rtol=0.01)


def test_integrals_that_noise_hides_show_no_motion():
    """∫u is zero in all runs, so its noise beside its motion says nothing of the runs."""
    runs, _ = travelling_wave(2, noise=0.1)
    waves = expanded(runs, 0.1)
    jets = Jets(GRID.fields)
    mass = waves.orbits(Integrals([jets.symbol(0)], jets, waves.grid, waves.bases))
    shown = waves.sampled(runs.rows, mass)
    assert np.all(shown.mean_noise < 0.2 * shown.scale)


def test_an_integrator_s_error_is_alike_at_all_points():
    """Without noise the sum of N values is known no better than N times one of them."""
    runs, _ = travelling_wave(2, noise=0.0)
    waves, jets = expanded(runs, 1e-12), Jets(GRID.fields)
    mass = waves.orbits(Integrals([jets.symbol(0)], jets, waves.grid, waves.bases))
    error = mass.measured.errors[:, 0, 0] ** 0.5
    np.testing.assert_allclose(error, 1e-6 * POINTS * runs.rows.std(), rtol=1e-3)
