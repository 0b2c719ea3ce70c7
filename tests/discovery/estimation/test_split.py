"""The split: each run finds or judges, and there are enough of both."""

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, datasets
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split


@pytest.mark.parametrize("n_runs", [4, 5, 12, 100])
def test_each_run_is_in_one_part(n_runs):
    fit, held = Split.choose(n_runs, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(np.concatenate([fit, held])), np.arange(n_runs))
    assert min(len(fit), len(held)) >= 2


def test_enough_runs_are_left_to_judge():
    """Of twelve runs two could not tell the energy from its square."""
    runs = datasets.load("harmonic_oscillator", 12, 80, noise=0.02, seed=0)
    for seed in range(4):
        finder = ConservedQuantityFinder("polynomial", roles=runs.roles, random_state=seed)
        finder.fit(runs.rows, groups=runs.groups)
        assert [str(q.expression) for q in finder.quantities_] == ["x0**2/2 + x1**2/2"]


def test_probes_are_where_columns_are_positive():
    orbits = prepare(datasets.load("harmonic_oscillator", 10, 50, noise=0.01, seed=0))
    split = Split.draw(orbits, np.random.default_rng(0))
    assert (split.probes[:, 0] < 0).any()
    assert (split.probing([0]).probes[:, 0] > 0).all()
    assert split.probing([]) is split
