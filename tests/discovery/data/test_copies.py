"""Runs that are copies of others count once."""

import numpy as np

from discovery import ConservedQuantityFinder, Trajectories
from discovery.data.flaws.copies import without_copies


def runs(repeats, different=2, steps=30):
    rng = np.random.default_rng(0)
    t = np.linspace(0, 7, steps)
    a, b = rng.uniform(0.5, 2, (different, 1)), rng.uniform(0, 6.3, (different, 1))
    states = np.stack([a * np.cos(t + b), -a * np.sin(t + b)], axis=-1)
    return np.tile(states, (repeats, 1, 1)), t


def test_a_run_counts_once_whenever_it_was_written():
    states, t = runs(2, different=3)
    times = [t + 100 * k for k in range(len(states))]
    found = without_copies(Trajectories(states=list(states), times=times, names=["x", "v"]))
    assert found.n_runs == 3
    assert found.remarks == ("3 runs, copies of others, left out",)
    np.testing.assert_array_equal(found.rows, states[:3].reshape(-1, 2))


def test_runs_that_differ_in_a_digit_or_their_length_are_no_copies():
    states, t = runs(1, different=1)
    other = states[0].copy()
    other[-1, 0] += 1e-15
    parts = [states[0], other, states[0][:-1]]
    told = Trajectories(states=parts, times=[t, t, t[:-1]], names=["x", "v"])
    assert without_copies(told) is told


def test_copies_are_no_evidence():
    """Two runs, seven times each, tell no more than two runs do."""
    states, t = runs(7)
    finder = ConservedQuantityFinder(random_state=0)
    report = finder.fit(Trajectories(states=states, times=t, names=["x", "v"])).report_
    assert report.verdict != "laws"
    assert report.n_conserved == 0
    assert "12 runs, copies of others, left out" in report.title
