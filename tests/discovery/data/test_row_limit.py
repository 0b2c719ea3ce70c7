"""Large data: what is drawn, and that nothing else changes."""

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, Trajectories, datasets
from discovery.data.row_limit import checked_rows, drawn


def runs_of(n_runs, n_steps):
    values = np.arange(n_runs * n_steps * 2, dtype=float).reshape(n_runs, n_steps, 2)
    return Trajectories(states=values, names=["x", "u"], roles=["position", "velocity"])


def test_small_sets_are_left_alone():
    runs = runs_of(10, 20)
    assert drawn(runs, 200, np.random.default_rng(0)) is runs


def test_of_many_runs_whole_ones_are_drawn():
    runs = runs_of(1000, 20)
    some = drawn(runs, 10_000, np.random.default_rng(0))
    assert some.n_runs == 500
    assert set(some.lengths) == {20}
    assert some.roles == runs.roles
    kept = runs.states[np.searchsorted(runs.run_ids, some.run_ids)]
    np.testing.assert_array_equal(some.states, kept)


def test_of_few_runs_stretches_are_drawn():
    runs = runs_of(10, 2000)
    some = drawn(runs, 5000, np.random.default_rng(0))
    assert some.n_runs == 10
    assert set(some.lengths) == {500}
    np.testing.assert_allclose(np.diff(some.times, axis=1), 1.0)


def test_the_report_says_so():
    runs = datasets.load("harmonic_oscillator", 300, 100, noise=0.01)
    finder = ConservedQuantityFinder(max_rows=10_000, random_state=0)
    report = finder.fit(runs.rows, groups=runs.groups).report_
    assert report.n_conserved == 1
    assert "10000 of 30000 rows analysed" in report.title


@pytest.mark.parametrize("bad", [0, 10, 1e6, "all", None, True])
def test_bad_numbers_of_rows(bad):
    with pytest.raises(ValueError, match="max_rows"):
        checked_rows(bad)
