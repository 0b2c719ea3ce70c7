"""How samples follow each other, told or seen."""

import numpy as np
import pytest

from discovery import Trajectories, datasets
from discovery.data.differences import differenced
from discovery.estimation.iterates.sampling import (
    Sampling,
    seen_sampling,
    told_sampling,
    without_order,
)
from discovery.estimation.positions import missing_velocities

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


def chirikov(strength=0.5, n_runs=30, n_steps=100):
    """Iterates of the standard map about its centre, states only: x' = x + K sin θ, θ' = θ + x'."""
    rng = np.random.default_rng(0)
    x, theta = rng.uniform(-0.4, 0.4, n_runs), rng.uniform(0, 2 * np.pi, n_runs)
    states = []
    for _ in range(n_steps):
        states.append(np.column_stack([x, theta]))
        x = x + strength * np.sin(theta)
        theta = theta + x
    return Trajectories(np.stack(states, axis=1), names=["x", "theta"])


def test_what_a_map_adds_is_no_velocity():
    """A column is the difference of the other, exactly, and both are states of a map."""
    runs = chirikov()
    assert differenced(runs.rows, runs.row_times, runs.offsets, np.full(2, 1e-9)) == {0: 1}
    assert seen_sampling(runs) == "map"
    assert missing_velocities(runs) is None


def test_differences_along_a_path_are_no_map():
    t = 0.1 * np.arange(120)
    sizes = np.linspace(0.5, 2, 20)[:, None]
    path = sizes * np.cos(t + 3 * sizes)
    back = np.diff(path, axis=1) / 0.1
    runs = Trajectories(np.stack([path[:, 1:], back], axis=2), t[1:], ["x", "v"])
    assert seen_sampling(runs) == "flow"
    assert missing_velocities(runs).computed == (1,)
