"""Times that a file rounds: equal steps are equal again, and no others are touched."""

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, Trajectories
from discovery.data.flaws.rounded_times import without_rounding

OFFSETS = np.array([0, 60, 120])
EVEN = np.concatenate([np.linspace(0, 10, 60), 3 + np.linspace(0, 10, 60)])


@pytest.mark.parametrize("decimals", [2, 3, 5, 8])
def test_equal_steps_are_equal_again(decimals):
    found = without_rounding(EVEN.round(decimals), OFFSETS)
    for run in np.split(found, [60]):
        np.testing.assert_allclose(np.diff(run), 10 / 59, rtol=0.3 * 10.0**-decimals)
    np.testing.assert_allclose(found, EVEN, atol=10.0**-decimals)


def test_samples_may_be_missing():
    rng = np.random.default_rng(0)
    kept = np.sort(rng.choice(200, 60, replace=False)) * np.pi / 50
    found = without_rounding(kept.round(3), OFFSETS[:2])
    steps = (found - found[0]) * 50 / np.pi
    np.testing.assert_allclose(steps, np.round(steps), atol=0.02)


@pytest.mark.parametrize(
    "times",
    [
        EVEN,
        np.sort(np.random.default_rng(0).uniform(0, 10, 120)).round(4),
        np.cumsum(np.tile([1.0, 2.0, 1.5], 40)),
        np.cumsum(1 + 0.3 * np.random.default_rng(1).uniform(size=120)).round(2),
        np.arange(120.0) ** 2,
        10.0 * np.arange(120) + np.random.default_rng(2).integers(-1, 2, 120),
    ],
    ids=["even", "random", "in turn", "jitter", "faster and faster", "a second early or late"],
)
def test_other_times_stay(times):
    assert without_rounding(times, np.array([0, 60, 120])) is times or np.array_equal(
        without_rounding(times, np.array([0, 60, 120])), times
    )


def test_a_file_with_five_decimals_tells_the_law():
    t, sizes = np.linspace(0, 10, 60), np.linspace(0.5, 2, 20)
    states = np.array([(a * np.cos(t + a))[:, None] for a in sizes])
    runs = Trajectories(states.round(5), t.round(5), ["x"], ["position"])
    (law,) = ConservedQuantityFinder(random_state=0).fit(runs).quantities_
    assert law.verdict == "exact" and len(law.coefficients) == 2
