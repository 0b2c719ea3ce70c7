"""Noise of fields that differs from run to run."""

import numpy as np
import pytest

from discovery import Trajectories
from discovery.pde.grid import grid_of
from discovery.pde.noise import field_noise, noise_of_states


def unevenly_noisy(runs, seed=0):
    """Return runs with noise that is up to three times as large in some, and its size in each."""
    rng = np.random.default_rng(seed)
    size = 0.01 * 3.0 ** rng.uniform(-1, 1, runs.n_runs) * runs.rows.std()
    rows = runs.rows + np.repeat(size, runs.lengths)[:, None] * rng.standard_normal(runs.rows.shape)
    states = np.split(rows, runs.offsets[1:-1])
    noisy = Trajectories(states, runs.times, runs.names, runs.roles, grid_spacing=runs.grid_spacing)
    return noisy, size


def test_noise_of_each_run(linear):
    noisy, size = unevenly_noisy(linear("heat", points=16, n_runs=20, n_steps=60))
    grid = grid_of(noisy.names, noisy.grid_spacing)
    level, share = noise_of_states(noisy, grid, field_noise(noisy, grid))
    found = share[noisy.offsets[:-1], 0] * np.sqrt(np.mean(level**2))
    assert np.abs(np.log(found / size)).mean() < 0.15
    assert abs(np.log(found / size).mean()) < 0.05
    np.testing.assert_allclose(np.mean(share**2, axis=0), 1)


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_runs_that_are_alike(linear, noise):
    runs = linear("wave", n_runs=20, n_steps=60, noise=noise)
    grid = grid_of(runs.names, runs.grid_spacing)
    assert np.all(noise_of_states(runs, grid, field_noise(runs, grid))[1] == 1)


def test_laws_in_noise_of_each_run_are_found(travelling, find):
    noisy, _ = unevenly_noisy(travelling())
    report = find(noisy, ["u", "u**2", "u**3"]).report_
    assert report.n_conserved == 3


def test_runs_without_noise_among_noisy_ones(linear):
    """They are known to the resolution, and make the noise of the others no larger."""
    runs = linear("wave", n_runs=20, noise=0.0)
    rows, noisy = runs.rows.copy(), runs.groups % 4 > 0
    rows[noisy] += 1e-3 * np.random.default_rng(0).standard_normal(rows[noisy].shape)
    some = Trajectories.from_rows(rows, runs.groups, runs.row_times, runs.names, runs.roles)
    grid = grid_of(runs.names)
    level, share = noise_of_states(some, grid, field_noise(some, grid))
    of_states = level.mean(axis=1) * share
    np.testing.assert_allclose(of_states[noisy], 1e-3, rtol=0.6)
    assert of_states[~noisy].max() < 1e-4
