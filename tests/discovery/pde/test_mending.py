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
