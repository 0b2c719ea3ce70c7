"""Gross errors on a grid are interpolated; what is too much of it is left alone."""

import numpy as np
import pytest

from discovery import Trajectories
from discovery.pde.grid import grid_of
from discovery.pde.mending import correct_gross_errors, interpolate_gross_errors


def with_errors(linear, share, places):
    """Return runs of waves, the same with gross errors in a share of the states, and those states.

    The errors of a state are at the given places along the grid, with alternating signs.
    """
    runs = linear("wave", points=64, n_runs=20, n_steps=50, noise=0.01)
    wrong = np.flatnonzero(np.random.default_rng(1).random(len(runs.rows)) < share)
    rows = runs.rows.copy()
    for k, place in enumerate(places):
        rows[wrong, place] += 5 * (-1) ** k
    spoiled = Trajectories.from_rows(rows, runs.groups, runs.row_times, runs.names, runs.roles)
    return runs, spoiled, wrong


def corrected(runs):
    grid = grid_of(runs.names)
    return correct_gross_errors(runs, grid, np.full(grid.columns.shape, 0.01))


def test_errors_are_interpolated(linear):
    runs, spoiled, wrong = with_errors(linear, 0.1, places=[20])
    found, n_errors = corrected(spoiled)
    assert n_errors == len(wrong) and found.rows.shape == runs.rows.shape
    np.testing.assert_allclose(found.rows, runs.rows, atol=0.15)


def test_states_with_errors_side_by_side_are_left_out(linear):
    runs, spoiled, wrong = with_errors(linear, 0.1, places=[20, 22])
    found, n_errors = corrected(spoiled)
    assert n_errors == 2 * len(wrong)
    np.testing.assert_array_equal(found.rows, np.delete(runs.rows, wrong, axis=0))


def test_errors_in_too_many_states_stay(linear):
    """What spoils every third state is in the data's nature."""
    _, spoiled, _ = with_errors(linear, 0.33, places=[20, 22])
    found, n_errors = corrected(spoiled)
    assert found is spoiled and n_errors == 0


@pytest.mark.parametrize("fronts", [1, 30])
def test_a_front_is_no_error(fronts):
    """A single value that is there in one sample is an error, in many it belongs to the field."""
    lines = 0.01 * np.random.default_rng(0).standard_normal((64, 30))
    lines[20, :fronts] += 1.0
    found = interpolate_gross_errors(lines, np.array([0, 30]), 0.01)
    assert np.array_equal(found, lines) == (fronts > 1)


def test_a_peak_that_swings():
    """One point that swings, as at a source, is the field's; what jumps there once is not."""
    lines = 0.01 * np.random.default_rng(0).standard_normal((64, 40))
    lines[20] += np.cos(np.pi / 2 * np.arange(40))
    found = interpolate_gross_errors(lines, np.array([0, 40]), 0.01)
    np.testing.assert_array_equal(found, lines)
    lines[40, 17] += 1.0
    assert interpolate_gross_errors(lines, np.array([0, 40]), 0.01)[40, 17] < 0.1


@pytest.mark.parametrize("speed", [0.3, 1.7, 5.3, 7.8])
def test_a_shock_that_passes(speed):
    """A jump over two points, however fast, is the field's; a value that jumps beside it is not."""
    place = np.arange(64)[:, None] - 20 - speed * np.arange(30)
    lines = np.where(place % 64 < 32, 1.0, 0.0)
    lines[(place % 64 >= 31.5) & (place % 64 < 32.5)] = 0.4
    lines += 0.001 * np.random.default_rng(0).standard_normal(lines.shape)
    found = interpolate_gross_errors(lines, np.array([0, 30]), 0.001)
    np.testing.assert_array_equal(found, lines)
    spoiled = lines.copy()
    calm = (20 + round(speed * 15) + 16) % 64
    spoiled[calm, 15] += 0.7
    assert abs(interpolate_gross_errors(spoiled, np.array([0, 30]), 0.001) - lines).max() < 0.1


def test_what_is_smaller_than_a_front_nearby_is_no_error():
    """Burgers' shocks in finite volumes: their tops are rounded, beside much larger misfits."""
    rng, points, step = np.random.default_rng(0), 64, 2 * np.pi / 64
    spectrum = np.zeros((30, points // 2 + 1), dtype=complex)
    spectrum[:, 1:3] = rng.normal(size=(30, 2)) + 1j * rng.normal(size=(30, 2))
    shape = np.fft.irfft(spectrum, points)
    u = rng.uniform(-1, 1, (30, 1)) + rng.uniform(0.5, 1, (30, 1)) * shape / shape.std(
        axis=1, keepdims=True
    )

    def rate(u):
        below, above = u - np.roll(u, 1, axis=1), np.roll(u, -1, axis=1) - u
        slope = np.where(below * above > 0, np.sign(above), 0.0)
        slope *= np.minimum(np.abs(below), np.abs(above)) / 2
        left, right = u + slope, np.roll(u - slope, -1, axis=1)
        speed = np.maximum(np.abs(left), np.abs(right))
        flux = (left**2 + right**2) / 4 - speed * (right - left) / 2
        return (np.roll(flux, 1, axis=1) - flux) / step

    samples, dt = [], 0.2 / 24
    for k in range(24 * 30):
        samples += [u] if k % 24 == 0 else []
        half = u + dt * rate(u)
        u = (u + half + dt * rate(half)) / 2
    lines = np.stack(samples, axis=1).reshape(-1, points).T
    found = interpolate_gross_errors(lines, 30 * np.arange(31), 1e-6)
    np.testing.assert_array_equal(found, lines)
