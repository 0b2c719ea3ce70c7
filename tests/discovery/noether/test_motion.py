"""Integrals of measured motion over windows of runs."""

import itertools

import numpy as np
import pytest
from scipy.integrate import quad

from discovery import Trajectories
from discovery.estimation.preparation import prepare
from discovery.noether.motion import MeasuredMotion


@pytest.mark.parametrize("every", [1, 3])
def test_windows_of_runs_of_many_lengths(every):
    lengths = [40, 61, 2, 40, 57]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    steps = np.random.default_rng(0).uniform(0.02, 0.03, offsets[-1])
    times = np.concatenate([np.cumsum(part) for part in np.split(steps, offsets[1:-1])])
    run = np.repeat(np.arange(len(lengths)), lengths)
    values = np.column_stack([np.sin(2 * times + run), run * times])
    motion = MeasuredMotion(values, times, offsets, ("x", "y"), (None, None), False, np.zeros(2))
    bounds = [
        (r, times[a], times[b])
        for r, edges in zip([0, 1, 3, 4], motion.windows, strict=True)
        for a, b in itertools.pairwise(edges)
    ]
    wave = [quad(lambda t, r=r: np.sin(2 * t + r), a, b)[0] for r, a, b in bounds]
    ramp = [r * (b**2 - a**2) / 2 for r, a, b in bounds]
    expected = np.column_stack([wave, ramp])
    np.testing.assert_allclose(motion.integral(values, every), expected, rtol=2e-5, atol=2e-5)


def test_what_is_of_no_kind_pairs_with_nothing():
    """A thermometer beside an oscillator leaves place and velocity a pair."""
    rng, t = np.random.default_rng(0), np.linspace(0, 12, 120)
    phase, size = rng.uniform(0, 6.3, (20, 1)), rng.uniform(0.5, 2, (20, 1))
    apart = np.cumsum(rng.normal(size=(20, 120)), axis=1)
    states = np.stack([apart, size * np.cos(t + phase), -size * np.sin(t + phase)], axis=-1)
    runs = Trajectories(states=states, times=t, names=["temperature", "pos", "vel"])
    motion = MeasuredMotion.of(prepare(runs), runs, runs, range(3))
    assert motion.pairs == ((1, 2),) and motion.roles[0] is None
