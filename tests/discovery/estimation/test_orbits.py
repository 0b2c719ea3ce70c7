"""Orbits: which rows and runs are left where coordinates must be positive."""

import numpy as np

from discovery.estimation.half_lines import HalfLine
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path


def test_rows_in_which_a_coordinate_is_clear_of_its_noise():
    states = np.linspace(1.0, -0.2, 40)[:, None] * np.ones((1, 2))
    states[:20] += 1.0
    path = raw_path(states, np.array([0.02, 0.38]))
    orbits = Orbits(path, path, np.array([0, 20, 40]), np.ones(2))
    assert orbits.clear([]).all()
    some = orbits.where(orbits.clear([0]))
    assert list(some.offsets) == [0, 20, 20 + int(np.sum(states[20:, 0] > 0.1))]
    assert some.measured.states[:, 0].min() > 0.1
    # The second coordinate is above five times its noise in four rows of the first run: it goes.
    assert np.sum(states[:, 1] > 5 * 0.38) == 4
    assert not orbits.clear([1]).any()


def test_rows_on_a_half_line():
    states = np.linspace(0.0, 3.0, 40)[:, None]
    path = raw_path(states, np.array([0.01]))
    orbits = Orbits(path, path, np.array([0, 40]), np.ones(1))
    below = orbits.clear([HalfLine(0, 2.0, -1)])
    np.testing.assert_array_equal(below, states[:, 0] < 2 - 5 * 0.01)
    above = orbits.clear([HalfLine(0, -1.0)])
    np.testing.assert_array_equal(above, states[:, 0] > 1 + 5 * 0.01)


def test_taken_runs_keep_their_rows():
    rng = np.random.default_rng(0)
    path = raw_path(rng.normal(size=(9, 2)), np.ones(2))
    orbits = Orbits(path, path, np.array([0, 2, 5, 9]), np.ones(2))
    some = orbits.take(np.array([2, 0]))
    assert some.n_runs == 2 and list(some.offsets) == [0, 4, 6]
    expected = np.concatenate([path.states[5:], path.states[:2]])
    np.testing.assert_array_equal(some.smoothed.states, expected)


def test_coordinates_among_columns_without_noise():
    rng = np.random.default_rng(0)
    path = raw_path(rng.normal(size=(6, 2)), np.array([0.1, 0.2]))
    orbits = Orbits(path, path, np.array([0, 3, 6]), np.array([1.0, 2.0]))
    rows = np.column_stack([np.zeros((6, 1)), np.repeat([1.0, 3.0], 3), np.zeros((6, 1))])
    whole = orbits.among(rows, (2, 0))
    np.testing.assert_array_equal(whole.smoothed.states[:, [2, 0]], path.states)
    np.testing.assert_array_equal(whole.smoothed.states[:, 1], rows[:, 1])
    np.testing.assert_allclose(whole.scale, [2.0, 1.0, 1.0])
    np.testing.assert_allclose(whole.noise, [0.2, 0.0, 0.1], atol=1e-100)
    assert np.isfinite(whole.measured.half).all()
    again = whole.of_columns((2, 0))
    np.testing.assert_array_equal(again.measured.covariance, path.covariance)
    np.testing.assert_array_equal(again.scale, orbits.scale)
    assert orbits.among(path.states, (0, 1)) is orbits


def test_a_coordinate_of_either_sign_is_measured_on_one_side():
    """Orbits either way round: what differs between the two ways is no spread of either."""
    rng = np.random.default_rng(0)
    way = np.repeat([1.0, -1.0, 1.0, -1.0], 50)
    rows = np.column_stack([way * (4 + 0.2 * rng.normal(size=200)), rng.normal(size=200)])
    path = raw_path(rows, np.full(2, 0.01))
    orbits = Orbits(path, path, 50 * np.arange(5), rows.std(axis=0))
    assert orbits.scale[0] > 3.9
    assert 0.15 < orbits.unit[0] < 0.25
    assert orbits.unit[1] == orbits.scale[1]
    # A run that comes from one side to the other ties them.
    tied = Orbits(path, path, np.array([0, 100, 150, 200]), rows.std(axis=0))
    assert tied.unit[0] == tied.scale[0]
