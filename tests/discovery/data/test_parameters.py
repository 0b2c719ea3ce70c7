"""Columns that are constant in each run, and those that only number the runs."""

import numpy as np
import pytest

from discovery import Trajectories
from discovery.data.parameters import Parts, parted, remarks
from discovery.data.readiness import check_for_analysis

RUNS, STEPS = 6, 5


def runs_with(*columns, roles=None):
    """Runs of a random walk, with one value a run in each further column."""
    walk = np.random.default_rng(0).normal(size=(RUNS, STEPS, 1)).cumsum(axis=1)
    still = [np.repeat(np.asarray(c, dtype=float)[:, None], STEPS, axis=1) for c in columns]
    return Trajectories(states=np.dstack([walk, *still]), roles=roles)


MASSES = [1.0, 1.5, 1.0, 2.0, 0.5, 3.0]
NUMBERS = {
    "from 0": range(RUNS),
    "from 1": range(1, RUNS + 1),
    "in any order": [3, 5, 4, 8, 6, 7],
}


def test_what_is_constant_in_each_run_is_a_parameter():
    runs = runs_with(MASSES, np.pi * np.arange(RUNS))
    parts = parted(runs)
    assert parts == Parts(coordinates=(0,), parameters=(1, 2))
    assert not parts.all_coordinates
    assert remarks(runs, parts) == ["parameters x1, x2"]
    assert parted(runs.of_columns([0])).all_coordinates


@pytest.mark.parametrize("numbers", NUMBERS.values(), ids=NUMBERS)
def test_a_column_that_numbers_the_runs(numbers):
    runs = runs_with(numbers)
    parts = parted(runs)
    assert parts == Parts(coordinates=(0,), numbering=(1,))
    assert remarks(runs, parts) == ["column x1 numbers the runs and is left out"]
    # Springs of one, two, three ... may be told to be what they are.
    assert parted(runs_with(numbers, roles=[None, "parameter"])).parameters == (1,)


@pytest.mark.parametrize("values", [[0, 1, 2, 3, 4, 6], [0, 1, 1, 2, 3, 4], np.arange(6) + 0.5])
def test_other_values_number_nothing(values):
    assert parted(runs_with(values)).parameters == (1,)


def test_a_coordinate_that_was_told_may_be_conserved():
    assert parted(runs_with(MASSES, roles=[None, "momentum"])).all_coordinates


def test_a_parameter_that_changes_is_refused():
    with pytest.raises(ValueError, match="'x0' has the role parameter and changes within a run"):
        check_for_analysis(runs_with(MASSES, roles=["parameter", None]))


def test_parameters_alone_are_refused():
    runs = runs_with(MASSES, range(RUNS)).of_columns([1, 2])
    with pytest.raises(ValueError, match="Expected at least one coordinate that changes"):
        check_for_analysis(runs)


def test_what_no_run_changes_is_still_refused():
    with pytest.raises(ValueError, match="'x1' is constant over all runs"):
        check_for_analysis(runs_with([2.0] * RUNS))
    jitter = 2.0 + 1e-15 * np.arange(RUNS)
    with pytest.raises(ValueError, match="'x1' is constant over all runs"):
        check_for_analysis(runs_with(jitter))


def test_runs_of_some_columns():
    runs = runs_with(MASSES, range(RUNS), roles=["position", None, "other"])
    some = runs.of_columns([2, 0])
    assert some.names == ("x2", "x0") and some.roles == ("other", "position")
    np.testing.assert_array_equal(some.rows, runs.rows[:, [2, 0]])
    np.testing.assert_array_equal(some.row_times, runs.row_times)
    assert runs.of_columns([1]).roles is None


def runs_with_clock(clock, roles=None, times=None):
    """Runs of a random walk beside a clock (steps,)."""
    walk = np.random.default_rng(0).normal(size=(RUNS, STEPS, 1)).cumsum(axis=1)
    column = np.broadcast_to(np.asarray(clock, dtype=float), (RUNS, STEPS))[..., None]
    return Trajectories(states=np.dstack([walk, column]), times=times, roles=roles)


def test_the_clock_is_told_or_equal_to_the_times():
    times = 0.3 * np.arange(STEPS)
    told = runs_with_clock(60 * times + 7, [None, "time"], times)
    assert parted(told) == Parts(coordinates=(0,), clock=(1,))
    assert remarks(told, parted(told)) == ["clock x1"]
    assert parted(runs_with_clock(times, times=times)).clock == (1,)
    assert parted(runs_with_clock(2 * times, times=times)).all_coordinates
    assert parted(runs_with_clock(times, [None, "position"], times)).all_coordinates


@pytest.mark.parametrize("clock", [np.arange(STEPS) ** 2, np.full(STEPS, 3.0)])
def test_a_clock_that_does_not_go_evenly_is_refused(clock):
    with pytest.raises(ValueError, match="'x1' has the role time and does not grow evenly"):
        parted(runs_with_clock(clock, [None, "time"]))


def test_two_clocks_are_refused():
    steps = np.arange(STEPS, dtype=float)
    both = np.broadcast_to(np.stack([steps, 2 * steps], axis=-1), (RUNS, STEPS, 2))
    with pytest.raises(ValueError, match="Expected one clock"):
        parted(Trajectories(states=both, roles=["time", "time"]))
