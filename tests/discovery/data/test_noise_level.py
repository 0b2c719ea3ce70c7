"""The noise read from data: right where the path is smooth, never far too small, scale-free."""

import numpy as np
import pytest

from discovery import datasets
from discovery.data.noise_level import (
    difference_scales,
    differences,
    known_noise,
    noise_scale,
    rounding_noise,
)
from discovery.estimation.preparation import prepare_with

RUNS, STEPS = 30, 120


def sample(regular=True, lengths=None, speed=1.0, seed=0):
    """Clean rows, times and offsets of a circle run through at 0.1 radians a sample."""
    rng = np.random.default_rng(seed)
    lengths = [STEPS] * RUNS if lengths is None else lengths
    gaps = [np.ones(n) if regular else rng.uniform(0.5, 1.5, n) for n in lengths]
    times = [0.1 * np.cumsum(g) for g in gaps]
    phases = [speed * t + rng.uniform(0, 6.3) for t in times]
    rows = np.concatenate([np.c_[np.cos(p), 5 * np.sin(p)] for p in phases])
    return rows, np.concatenate(times), np.concatenate([[0], np.cumsum(lengths)])


CASES = {
    "regular": {},
    "irregular": {"regular": False},
    "unequal lengths": {"lengths": [5, 200, 60, 17, 400] * 3},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("level", [1e-4, 0.01, 0.2])
def test_level_is_found(case, level):
    rows, times, offsets = sample(**case)
    noise = level * np.array([1.0, 3.0])
    noisy = rows + noise * np.random.default_rng(1).standard_normal(rows.shape)
    # Thousands of correlated differences know a median to a few percent; the smallest of twelve
    # orders lies on the low side.
    np.testing.assert_allclose(noise_scale(noisy, times, offsets), noise, rtol=0.1)


def test_fast_motion_is_an_upper_bound():
    """Three samples a turn: the path cannot be told from noise, which must not be understated."""
    rows, times, offsets = sample(speed=20.0)
    noise = np.array([0.05, 0.05])
    noisy = rows + noise * np.random.default_rng(1).standard_normal(rows.shape)
    found = noise_scale(noisy, times, offsets)
    assert np.all(found >= 0.9 * noise)
    assert np.all(found <= noisy.std(axis=0))


def test_clean_data_have_the_resolution_as_noise():
    rows, times, offsets = sample()
    np.testing.assert_allclose(noise_scale(rows, times, offsets), 1e-6 * rows.std(axis=0))


def test_units_do_not_matter():
    rows, times, offsets = sample()
    noisy = rows + 0.01 * np.random.default_rng(1).standard_normal(rows.shape)
    units = np.array([1e6, 1e-9])
    np.testing.assert_allclose(
        noise_scale(units * noisy + 3.0 * units, 1e3 * times - 7.0, offsets),
        units * noise_scale(noisy, times, offsets),
        rtol=1e-6,
    )


def test_runs_are_not_joined():
    """A jump from the end of one run to the start of the next is no noise."""
    rows, times, offsets = sample()
    shifted = rows + 100.0 * np.repeat(np.arange(RUNS), STEPS)[:, None]
    # Against the larger spread, the resolution rises; the jumps themselves leave no trace.
    assert np.all(noise_scale(shifted, times, offsets) <= 1.01 * 1e-6 * shifted.std(axis=0))


def test_a_few_wild_samples_do_not_count():
    rows, times, offsets = sample()
    rng = np.random.default_rng(1)
    noisy = rows + 0.01 * rng.standard_normal(rows.shape)
    noisy[rng.choice(len(rows), 10, replace=False)] += 5.0
    np.testing.assert_allclose(noise_scale(noisy, times, offsets), 0.01, rtol=0.1)


def test_too_few_differences_fall_back_on_the_spread():
    rows, times, offsets = sample(lengths=[3, 3])
    found = noise_scale(rows, times, offsets)
    assert np.all((found > 0) & (found <= rows.std(axis=0)))


def test_few_differences_do_not_understate_the_noise():
    """Two runs of three samples, a thousand times: noise alone, never found far too small."""
    rng = np.random.default_rng(0)
    times, offsets = np.tile(np.arange(3.0), 2), np.array([0, 3, 6])
    found = [noise_scale(rng.standard_normal((6, 1)), times, offsets)[0] for _ in range(1000)]
    # The standard deviation of six values falls below a fifth of the true one in 1 of 1000 draws.
    assert np.quantile(found, 0.01) > 0.2


def test_a_given_level():
    assert known_noise(None, ["x", "u"]) is None
    np.testing.assert_array_equal(known_noise(0.5, ["x", "u"]), [0.5, 0.5])
    np.testing.assert_array_equal(known_noise([1, 2.0], ["x", "u"]), [1.0, 2.0])


@pytest.mark.parametrize("noise", ["0.1", {}, [0.1, 0.1, 0.1], [[0.1]], -1.0, float("nan")])
def test_what_is_no_level(noise):
    with pytest.raises(ValueError, match="noise: "):
        known_noise(noise, ["x", "u"])


def test_what_a_model_misses_has_no_say_in_how_noise_is_correlated():
    """A poor model of two bodies errs in opposite directions: their sum is no quieter for it."""
    runs = datasets.load("isotropic_oscillator", 20, 100, noise=0.02)
    noise = 0.02 * runs.rows.std(axis=0)

    class Misfit:
        dim, timed, step = 4, False, None

        def noise_covariance(self, states):
            correlated = np.eye(4)
            correlated[2, 3] = correlated[3, 2] = -0.9
            return np.broadcast_to(25 * correlated * np.outer(noise, noise), (len(states), 4, 4))

    covariance = prepare_with(runs, Misfit()).measured.covariance
    np.testing.assert_allclose(np.einsum("nii->ni", covariance) / noise**2, 1.0, atol=0.2)
    assert np.abs(covariance[:, 2, 3]).max() < 0.1 * noise[2] * noise[3]


@pytest.mark.parametrize("step", [0.02, 0.05, 1 / 512])
def test_rounding_is_noise(step):
    """A slow path in coarse steps: neighbours are equal, and differences show no noise."""
    t = np.linspace(0, 6, 600)
    rows = np.concatenate([a * np.cos(t) for a in np.linspace(1, 2, 10)])[:, None]
    rounded = np.round(rows / step) * step
    np.testing.assert_allclose(rounding_noise(rounded + 100), step / 12**0.5, rtol=1e-3)
    np.testing.assert_array_equal(rounding_noise(rows), 0)


def test_a_lost_sample_changes_the_weights_of_its_own_windows_alone():
    """Differences of third order leave nothing of parabolas, at even steps and across a gap."""
    times = np.delete(0.1 * np.arange(40.0), [7, 22])
    rows, offsets = np.c_[times**2 - times, 3 * times], np.array([0, 20, 38])
    starts, left = differences(rows, times, offsets, 3)
    np.testing.assert_array_equal(starts, [*range(17), *range(20, 35)])
    np.testing.assert_allclose(left, 0.0, atol=1e-13)
    _, spikes = differences(np.eye(38), times, offsets, 3)
    np.testing.assert_allclose(np.linalg.norm(spikes, axis=1), 1.0)


def test_sizes_of_all_orders_are_those_of_each():
    """Steps are uneven in the second run; what is kept of a column is its own, as it is."""
    rng = np.random.default_rng(0)
    times = np.concatenate([np.arange(200.0), np.cumsum(rng.uniform(0.5, 1.5, 200))])
    offsets = np.array([0, 200, 400])
    rows = np.sin(np.outer(times, [0.1, 0.3])) + 0.01 * rng.standard_normal((400, 2))
    for _ in range(2):
        rows[:, 1] *= 2
        sizes = difference_scales(rows, times, offsets, (2, 3, 7))
        each = [
            np.median(np.abs(differences(rows, times, offsets, order)[1]), axis=0)
            for order in (2, 3, 7)
        ]
        np.testing.assert_allclose(np.array(sizes) * 0.67449, each, rtol=1e-4)
        np.testing.assert_array_equal(
            difference_scales(rows[:, ::-1], times, offsets)[0][::-1],
            difference_scales(rows, times, offsets)[0],
        )
