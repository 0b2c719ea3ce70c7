"""Systematic motion is told from noise without a model of the noise."""

import itertools

import numpy as np
import pytest

from discovery import datasets, libraries
from discovery.criteria import LAWS
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.estimation.positions import missing_velocities, with_formed_velocities
from discovery.estimation.preparation import prepare
from discovery.laws.judging.drift import (
    DriftTest,
    drift_bands,
    even_weights,
    excess_weights,
    modes,
)

RUNS, STEPS = 300, 96
OFFSETS = STEPS * np.arange(RUNS + 1)
EVEN = np.ones(RUNS * STEPS)


def motion(period, seed=0):
    """A sine of unit variance along every run, at a random phase; its exact variance by run."""
    phase = np.random.default_rng(seed).uniform(0, 2 * np.pi, (RUNS, 1))
    values = np.sqrt(2) * np.cos(2 * np.pi * np.arange(STEPS) / period + phase)
    return values.ravel(), values.var(axis=1).mean()


def noise(level, seed=1, size=RUNS * STEPS):
    return level * np.random.default_rng(seed).standard_normal(size)


def bands_of(values, weights=EVEN, offsets=OFFSETS):
    return drift_bands(modes(values, weights, offsets), excess_weights(offsets), offsets)


@pytest.mark.parametrize("period", [12.0, 30.0, 300.0])
@pytest.mark.parametrize("level", [0.0, 0.3, 3.0])
def test_variance_of_the_motion_is_found(level, period):
    """Noise nine times the motion's variance, and none: the same answer."""
    clean, variance = motion(period)
    found = bands_of(clean + noise(level)).sum(axis=1)
    error = found.std() / np.sqrt(RUNS)
    # A cosine that does not fit the run leaks less than 2 % of its power above half the spectrum.
    assert found.mean() == pytest.approx(variance, abs=0.02 * variance + 3.3 * error)


def test_slow_motion_fills_the_lowest_band_and_fast_motion_a_higher_one():
    slow = bands_of(np.tile(np.linspace(-1, 1, STEPS), RUNS)).mean(axis=0)
    fast = bands_of(motion(9.0)[0]).mean(axis=0)
    assert np.argmax(slow) == 0
    # Nine samples a turn is mode 2·96/9 = 21 of 96, between one eighth and one quarter.
    assert np.argmax(fast) == 4


@pytest.mark.parametrize("steps", [3, 10, 60])
def test_noise_alone_has_no_motion(steps):
    """In every band, also in short runs, where the run's own mean is noise."""
    runs = 6000 // steps
    offsets = steps * np.arange(runs + 1)
    found = bands_of(noise(1.0, size=runs * steps), np.ones(runs * steps), offsets)
    error = found.std(axis=0) / np.sqrt(runs)
    # Eighteen bands in all: four standard errors.
    assert np.all(np.abs(found.mean(axis=0)) <= 4 * error)


def test_runs_are_not_joined():
    """Constants that differ from run to run have no motion."""
    values = np.repeat(noise(1.0, size=RUNS), STEPS)
    np.testing.assert_allclose(bands_of(values), 0.0, atol=1e-25)


def test_unequal_lengths_run_by_run():
    lengths = np.array([40, 64, 25])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = noise(1.0, size=offsets[-1])
    weights = np.random.default_rng(2).uniform(0.5, 2, offsets[-1])
    together = bands_of(values, weights, offsets)
    for r, (a, b) in enumerate(itertools.pairwise(offsets)):
        alone = bands_of(values[a:b], weights[a:b], np.array([0, b - a]))
        np.testing.assert_allclose(together[r], alone[0], rtol=1e-10)


def test_weights_even_out_the_noise():
    """A stretch a hundred times as noisy counts little, and no sample counts by its own noise."""
    level = np.where(np.arange(STEPS) < 12, 100.0, 1.0)
    weights = even_weights(np.tile(level, RUNS), OFFSETS).reshape(RUNS, STEPS)
    assert weights.mean() == pytest.approx(1.0)
    assert weights[:, :6].max() < 0.05 * weights[:, 40:].min()
    spike = np.ones(RUNS * STEPS)
    spike[50] = 1.5
    assert even_weights(spike, OFFSETS)[50] == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(("share", "real"), [(0.002, False), (0.006, True)])
def test_what_noise_leaves_in_a_band_is_tolerated(share, real):
    """Systematic motion is nothing while it is a few thousandths of the noise's variance."""
    values = np.sqrt(share) * motion(12.0)[0]
    path = raw_path(values[:, None], np.ones(1))  # noise of variance one, or so it is said
    orbits = Orbits(path, path, OFFSETS, np.ones(1))
    x = libraries.custom(["x"], ("x",))
    assert (DriftTest(x, np.ones(1), orbits).chance(np.ones(1)) < 1e-3) == real


def chances(slopes, spread=1.0, draws=400):
    """Chance of motion in noise with a line beside it, one slope a run, in many draws."""
    rng = np.random.default_rng(5)
    line = np.linspace(-1, 1, 40)
    offsets = 40 * np.arange(len(slopes) + 1)
    library = libraries.custom(["x"], ("x", "y"))
    out = []
    for _ in range(draws):
        values = np.multiply.outer(slopes, line) + spread * rng.standard_normal((len(slopes), 40))
        states = np.stack([values.ravel(), np.zeros(values.size)], axis=1)
        path = raw_path(states, np.array([spread, 1e-9]))
        orbits = Orbits(path, path, offsets, np.ones(2))
        out.append(DriftTest(library, np.ones(1), orbits).chance(np.ones(1)))
    return np.array(out)


def test_a_trend_that_all_runs_share_is_motion():
    """Three tenths of the noise at the ends of each run: in no band, and plain over twenty runs."""
    assert np.median(chances(np.full(20, 0.3), draws=40)) < 0.001
    to_and_fro = chances(np.resize([0.3, -0.3], 20), draws=40)
    assert np.median(to_and_fro) > 0.05
    # Noise alone: Bonferroni's inequality makes the levels cautious.
    assert (chances(np.zeros(20)) < 0.05).mean() < 0.08


def test_the_drift_of_an_integrator_is_no_trend():
    """Clean data, and a fall of a twentieth of their resolution."""
    slopes = np.full(20, 5e-8)
    line, offsets = np.linspace(-1, 1, 40), 40 * np.arange(21)
    values = np.arange(20)[:, None] + np.multiply.outer(slopes, line)
    states = np.stack([values.ravel(), np.zeros(values.size)], axis=1)
    for resolution, real in ((1e-6, False), (1e-8, True)):
        path = raw_path(states, np.array([resolution, 1e-9]))
        orbits = Orbits(path, path, offsets, np.ones(2))
        chance = DriftTest(libraries.custom(["x"], ("x", "y")), np.ones(1), orbits).chance(
            np.ones(1)
        )
        assert (chance < 0.001) == real


@pytest.mark.parametrize("n_runs", [6, 20])
def test_two_standard_errors_of_a_coefficient_hold_the_truth(n_runs):
    """Whatever the number of runs: x² + v² of oscillators of various sizes, 2 % noise."""
    inside, seeds = 0, 150
    energy = libraries.custom(["x**2", "v**2"], ("x", "v"))
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        angle = np.linspace(0, 10, 60) + rng.uniform(0, 6.3, (n_runs, 1))
        size = rng.uniform(0.3, 2, (n_runs, 1, 1))
        states = (size * np.stack([np.cos(angle), np.sin(angle)], axis=-1)).reshape(-1, 2)
        path = raw_path(states + 0.02 * rng.standard_normal(states.shape), np.full(2, 0.02))
        orbits = Orbits(path, path, 60 * np.arange(n_runs + 1), np.ones(2))
        test = DriftTest(energy, np.ones(2), orbits)
        found, errors = test.refined(), test.standard_errors(np.ones(2))
        main = int(np.argmin(errors))
        inside += abs(found[1 - main] / found[main] - 1) <= 2 * errors[1 - main]
    assert 0.9 <= inside / seeds <= 0.985


def test_errors_are_of_the_law_where_noise_makes_another_combination_flatter():
    """A pendulum of which angles alone are measured: without some runs cos θ alone drifts less."""
    whole = datasets.load("pendulum", 60, 200, 0.01, 3).of_columns([0])
    runs = with_formed_velocities(whole, missing_velocities(whole), None)
    theta, speed = runs.names
    energy = libraries.custom([f"{speed}**2/2", f"cos({theta})"], runs.names)
    test = DriftTest(energy, np.array([1.0, -1.0]), prepare(runs).take(np.arange(36)))
    errors = test.standard_errors(np.array([1.0, -1.0]))
    assert errors.max() < 0.1


@pytest.mark.parametrize("amplitude", [0.0, 0.5])
def test_motion_without_a_path_is_seen_against_the_noise_that_is_known(amplitude):
    """Off a path motion is as white as noise, and its spectrum has no floor of noise alone."""
    values = amplitude * noise(1.0, seed=3) + noise(0.2)
    path = raw_path(values[:, None], np.array([0.2]))
    orbits = Orbits(path, path, OFFSETS, values.std(keepdims=True), on_a_path=False)
    test = DriftTest(libraries.polynomial(["x"], 1), np.ones(1), orbits)
    seen = test.bands(np.ones(1)).sum(axis=1)
    error = seen.std() / np.sqrt(RUNS)
    assert abs(seen.mean() - amplitude**2) < 4 * error + 1e-3
    motion = test.motion(np.ones(1))
    assert motion.power.sum() / motion.explained()[0].sum() == pytest.approx(
        1 + amplitude**2 / 0.04, rel=0.03
    )


def test_noise_that_is_stated_may_be_somewhat_too_small():
    """Off a path: a law whose noise is 5 % larger than it is said to be is a law."""
    values = noise(1.05)
    path = raw_path(values[:, None], np.ones(1))
    orbits = Orbits(path, path, OFFSETS, np.ones(1), on_a_path=False)
    x = libraries.custom(["x"], ("x",))
    test = DriftTest(x, np.ones(1), orbits)
    assert test.chance(np.ones(1)) > 0.01
    assert test.motion(np.ones(1)).unsure(LAWS) > 0
    louder = raw_path(1.3 * values[:, None], np.ones(1))
    moved = Orbits(louder, louder, OFFSETS, np.ones(1), on_a_path=False)
    assert DriftTest(x, np.ones(1), moved).chance(np.ones(1)) < 1e-3


def oscillators(library, n_runs=30):
    """Return the drift test of an oscillator's energy in terms of x and v, at 2 % noise."""
    rng = np.random.default_rng(5)
    angle = np.linspace(0, 10, 60) + rng.uniform(0, 6.3, (n_runs, 1))
    size = rng.uniform(0.5, 2, (n_runs, 1, 1))
    states = (size * np.stack([np.cos(angle), np.sin(angle)], axis=-1)).reshape(-1, 2)
    path = raw_path(states + 0.02 * rng.standard_normal(states.shape), np.full(2, 0.02))
    orbits = Orbits(path, path, 60 * np.arange(n_runs + 1), np.ones(2))
    return DriftTest(library, np.ones(len(library)), orbits)


def test_rounded_coefficients_stay_in_the_joint_confidence_region():
    test = oscillators(libraries.custom(["x**2", "v**2"], ("x", "v")))
    fitted = test.refined()
    errors = test.standard_errors(fitted)
    assert test.allows(np.ones(2), fitted)
    assert test.allows(fitted + errors, fitted)
    assert not test.allows(fitted + 5 * errors, fitted)
    # Where most ratios are fitted, the others have their own room alone.
    assert test.allows(fitted + 3.5 * errors, fitted, ratios=9)
    assert not test.allows(fitted + 3.5 * errors, fitted, ratios=1)
    # Refused as rarely as a true law is: the level is that of motion.
    assert test.allows(fitted + 3 * errors, fitted, ratios=1)


def test_what_is_not_fixed_is_fitted_beside_what_is():
    """x² is fixed at two: v² follows, and terms of one size stay so."""
    test = oscillators(libraries.custom(["x**2", "v**2", "x*v"], ("x", "v")))
    found = test.refitted(np.array([2.0, 1.3, 0.4]), np.array([True, False, False]))
    np.testing.assert_allclose(found, [2.0, 2.0, 0.0], atol=0.02)
    even = test.refitted(np.array([1.3, 1.3, 0.1]), np.array([False, False, True]))
    assert even[0] == even[1]
