"""How samples follow each other, told or seen."""

import numpy as np
import pytest

from discovery import Trajectories, datasets
from discovery.estimation.iterates.sampling import (
    Sampling,
    seen_sampling,
    told_sampling,
    without_order,
)

RUNS, STEPS = 30, 60


def twist(per_period):
    """Rotations faster on larger circles, so many samples a turn."""
    rng = np.random.default_rng(0)
    size = rng.uniform(0.5, 2, (RUNS, 1))
    phase = rng.uniform(0, 6.3, (RUNS, 1)) + 2 * np.pi / per_period * size * np.arange(STEPS)
    return Trajectories(states=np.stack([size * np.cos(phase), size * np.sin(phase)], axis=-1))


def test_iterates_that_nearly_make_a_path():
    """Without noise; of a path through so few samples a turn much would be taken for noise."""
    assert seen_sampling(twist(12)) == Sampling.MAP


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("name", ["pendulum", "henon_heiles", "lorenz"])
def test_flows_are_flows(name, noise):
    assert seen_sampling(datasets.load(name, 20, 60, noise, 0)) == Sampling.FLOW


def test_samples_far_apart_are_iterates():
    assert seen_sampling(twist(2.5)) == Sampling.MAP


def test_what_a_user_says():
    assert told_sampling(None, True, False) == Sampling.AUTO
    assert told_sampling("map", True, False) == Sampling.MAP
    assert told_sampling(None, False, True) == Sampling.CLOUD


WRONG = {
    "kind": (("maps", True, False), "received 'maps'; expected one of 'auto', 'flow', 'map'"),
    "order": ((None, "no", True), "ordered: received 'no'"),
    "both": (("map", False, True), "Leave one of them out"),
    "no noise": ((None, False, False), "noise=0 where there is none"),
}


@pytest.mark.parametrize(("said", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_said(said, message):
    with pytest.raises(ValueError, match=message):
        told_sampling(*said)


def test_a_cloud_is_the_same_in_any_order():
    rows = np.random.default_rng(0).normal(size=(60, 3))
    groups = np.repeat(["b", "a", "c"], 20)
    order = np.concatenate([np.random.default_rng(1).permutation(20) + 20 * g for g in range(3)])
    one = without_order(Trajectories.from_rows(rows, groups))
    other = without_order(Trajectories.from_rows(rows[order], groups[order]))
    np.testing.assert_array_equal(one.rows, other.rows)
    assert list(one.run_ids) == ["b", "a", "c"]
    np.testing.assert_array_equal(np.sort(one.rows[:20], axis=0), np.sort(rows[:20], axis=0))
