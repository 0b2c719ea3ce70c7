"""The noise that one step of a map tells."""

import numpy as np
import pytest

from discovery import Trajectories
from discovery.estimation.iterates.one_step import one_step
from discovery.estimation.preparation import prepare

RUNS, STEPS = 30, 80


def iterated(step, start):
    out = [start]
    for _ in range(STEPS - 1):
        out.append(step(out[-1]))
    return np.stack(out, axis=1)


def mcmillan():
    start = np.random.default_rng(0).uniform(-2, 2, (RUNS, 2))
    return iterated(lambda s: np.c_[s[:, 1], -s[:, 0] + 1.6 * s[:, 1] / (1 + s[:, 1] ** 2)], start)


def cat():
    """Arnold's map of the unit square, cut at its edges: chaos."""
    start = np.random.default_rng(0).uniform(0, 1, (RUNS, 2))
    return iterated(lambda s: (s @ np.array([[1, 1], [1, 2]])) % 1, start)


def turning():
    """Elliptic in a frame that is far from a circle's."""
    frame = np.array([[1.0, 2.0], [0.3, -1.0]])
    turn = np.array([[np.cos(1.9), -np.sin(1.9)], [np.sin(1.9), np.cos(1.9)]])
    step = frame @ turn @ np.linalg.inv(frame)
    return iterated(lambda s: s @ step.T, np.random.default_rng(0).uniform(-1, 1, (RUNS, 2)))


MAPS = {"McMillan": mcmillan, "cat": cat, "linear": turning}


def noisy(clean, share, seed=1):
    noise = np.broadcast_to(share, 2) * clean.reshape(-1, 2).std(axis=0)
    draws = np.random.default_rng(seed).standard_normal(clean.shape)
    return Trajectories(states=clean + noise * draws), noise


@pytest.mark.parametrize("states", MAPS.values(), ids=MAPS)
@pytest.mark.parametrize("share", [0.01, 0.03])
def test_noise_of_iterates(states, share):
    runs, noise = noisy(states(), share)
    found = one_step(runs)
    assert found.is_map
    np.testing.assert_allclose(np.log(found.noise / noise), 0, atol=0.2)


def test_which_coordinate_is_the_noisy_one():
    runs, noise = noisy(turning(), [0.01, 0.04])
    ratio = one_step(runs).noise / noise
    assert 0.9 < ratio[1] < 1.1
    assert 0.5 < ratio[0] < 2


@pytest.mark.parametrize("states", MAPS.values(), ids=MAPS)
def test_clean_iterates_have_hardly_any(states):
    runs, noise = noisy(states(), 1e-9)
    assert np.all(one_step(runs).noise < 1e-4 * noise / 1e-9)


def test_an_angle_that_turns():
    """The step depends on a momentum that is conserved; angles beyond a turn are the same."""
    rng = np.random.default_rng(0)
    p = rng.uniform(0.5, 2.5, (RUNS, 1))
    angle = rng.uniform(-3, 3, (RUNS, 1)) + p * np.arange(STEPS)
    states = np.stack([angle, np.repeat(p, STEPS, axis=1)], axis=-1)
    states += 0.02 * rng.standard_normal(states.shape)
    found = one_step(Trajectories(states=states, roles=["angle", "momentum"]))
    assert found.is_map
    np.testing.assert_allclose(found.noise, 0.02, rtol=0.25)


@pytest.mark.parametrize("kind", ["white", "uniform", "autoregressive", "shuffled"])
def test_what_follows_from_nothing_is_no_map(kind):
    rng = np.random.default_rng(3)
    states = rng.standard_normal((RUNS, STEPS, 2))
    if kind == "uniform":
        states = rng.uniform(-1, 1, states.shape)
    if kind == "autoregressive":
        for k in range(1, STEPS):
            states[:, k] = 0.7 * states[:, k - 1] + 0.71 * states[:, k]
    if kind == "shuffled":
        states = np.array([rng.permutation(run) for run in mcmillan()])
    runs = Trajectories(states=states)
    assert not one_step(runs).is_map
    assert not prepare(runs, sampling="map").noise_known


def test_unequal_steps_are_of_no_map():
    times = np.cumsum(np.random.default_rng(0).uniform(0.5, 2, STEPS))
    assert one_step(Trajectories(states=mcmillan(), times=times)) is None
    gaps = np.arange(STEPS) + 3.0 * (np.arange(STEPS) > 40)  # one missing stretch
    assert one_step(Trajectories(states=mcmillan(), times=gaps)).is_map
