"""Whether samples follow each other on a path from which noise can be read."""

import itertools

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, Trajectories, datasets
from discovery.estimation.preparation import prepare
from discovery.estimation.smoothness import have_a_path, neighbour_ratios, noise_alone

RUNS, STEPS = 30, 40


def turning(per_period, noise=0.1, steps=STEPS):
    rng = np.random.default_rng(0)
    phase = 2 * np.pi * np.arange(steps) / per_period + rng.uniform(0, 2 * np.pi, (RUNS, 1))
    clean = np.stack([np.cos(phase), np.sin(phase)], axis=-1)
    return Trajectories(states=clean + noise * clean.std() * rng.normal(size=clean.shape))


def standard_map():
    """Chirikov's map at K = 3: chaos."""
    rng = np.random.default_rng(0)
    q, p = rng.uniform(-np.pi, np.pi, (2, RUNS))
    out = []
    for _ in range(STEPS):
        p = (p + 3 * np.sin(q) + np.pi) % (2 * np.pi) - np.pi
        q = (q + p + np.pi) % (2 * np.pi) - np.pi
        out.append(np.stack([q, p], axis=-1))
    return np.stack(out, axis=1)


def lyness_map():
    """x, y → y, (2 + y)/x: every orbit lies on a curve, some five steps round."""
    rng = np.random.default_rng(0)
    out = [rng.uniform(0.5, 4.0, (RUNS, 2))]
    for _ in range(STEPS - 1):
        x, y = out[-1].T
        out.append(np.stack([y, (2 + y) / x], axis=-1))
    return np.stack(out, axis=1)


def cloud():
    return np.random.default_rng(0).uniform(-1, 1, (RUNS, STEPS, 2))


def test_the_ratio_is_one_on_average_in_any_order():
    """Of fixed values, each run's shuffled: exactly 1, whatever they are and however few."""
    rng = np.random.default_rng(1)
    rows, offsets = rng.exponential(size=(40, 2)) ** 2, np.array([0, 3, 10, 40])
    seen = []
    for _ in range(3000):
        for a, b in itertools.pairwise(offsets):
            rows[a:b] = rng.permuted(rows[a:b], axis=0)
        seen.append(neighbour_ratios(rows, offsets))
    error = np.std(seen, axis=0) / np.sqrt(len(seen))
    np.testing.assert_array_less(np.abs(np.mean(seen, axis=0) - 1), 4 * error)


@pytest.mark.parametrize("per_period", [3, 8, 20, 200])
def test_the_ratio_of_a_sine(per_period):
    """1 − cos of the step in phase."""
    phase = 2 * np.pi * np.arange(6000) / per_period
    (ratio,) = neighbour_ratios(np.sin(phase)[:, None], np.array([0, 6000]))
    assert ratio == pytest.approx(1 - np.cos(2 * np.pi / per_period), rel=1e-2, abs=1e-3)


NO_PATH = {"standard map": standard_map, "Lyness' map": lyness_map, "cloud": cloud}


@pytest.mark.parametrize("states", NO_PATH.values(), ids=NO_PATH)
def test_iterates_and_clouds_have_no_path(states):
    assert not have_a_path(Trajectories(states=states()))


@pytest.mark.parametrize("per_period", [8, 20, 100])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_few_samples_a_period_are_a_path(per_period, noise):
    assert have_a_path(turning(per_period, noise))
    assert have_a_path(turning(per_period, noise, steps=8))
    assert not have_a_path(turning(4, noise))


@pytest.mark.parametrize("name", ["pendulum", "rigid_body", "enzyme", "three_body", "lorenz"])
def test_noisy_runs_of_flows_are_paths(name):
    assert have_a_path(datasets.load(name, 20, 50, 0.1, 0))


def test_a_fast_angle_is_no_path_though_it_can_be_unwound():
    rng = np.random.default_rng(0)
    runs = Trajectories(states=rng.uniform(-np.pi, np.pi, (RUNS, STEPS, 1)), roles=["angle"])
    assert not have_a_path(runs)
    np.testing.assert_array_equal(prepare(runs).measured.states, runs.rows)


def test_one_coordinate_on_a_path_is_enough():
    """A momentum that is conserved shows its noise alone."""
    runs = turning(30)
    still = np.random.default_rng(1).normal(size=(RUNS, 1, 1)) + 0.1 * cloud()[:, :, :1]
    assert have_a_path(Trajectories(states=np.dstack([runs.states, still])))


def test_states_without_a_path_are_not_smoothed():
    runs = Trajectories(states=lyness_map())
    told = prepare(runs, np.full(2, 0.01))
    assert told.smoothed is told.measured and told.noise_known and not told.on_a_path
    seen = prepare(runs)  # by one step of the map
    assert seen.smoothed is seen.measured and seen.noise_known and not seen.on_a_path
    some = told.take(np.array([3, 1])).where(np.arange(2 * STEPS) % 2 == 0)
    assert not some.on_a_path and some.noise_known
    on_path = prepare(turning(30))
    assert on_path.on_a_path and on_path.smoothed is not on_path.measured


def with_thermometer(name, offset=0.0, noise=0.01):
    """Runs with a column of noise, that may be at another level in each run."""
    runs = datasets.load(name, RUNS, 80, noise=noise, seed=0)
    rng = np.random.default_rng(1)
    warm = 21 + offset * rng.normal(size=(RUNS, 1, 1)) + rng.normal(size=(RUNS, 80, 1))
    roles = [*(runs.roles or [None] * runs.dim), None]
    states = np.concatenate([runs.states, warm], axis=2)
    return Trajectories(states, runs.times, [*runs.names, "T"], roles)


@pytest.mark.parametrize("name", ["duffing", "rigid_body", "kepler"])
def test_a_column_of_noise_alone(name):
    runs = with_thermometer(name)
    assert noise_alone(runs) == [runs.dim - 1]
    report = ConservedQuantityFinder(random_state=0).fit(runs).report_
    assert report.n_conserved == datasets.info(name).count
    assert "T" not in report.names and "T left out: noise alone" in report.title


def test_what_noise_alone_may_hide():
    report = ConservedQuantityFinder(random_state=0).fit(with_thermometer("van_der_pol")).report_
    assert report.verdict == "undecided" and "T shows noise alone" in report.reason


def test_what_differs_from_run_to_run_is_no_noise():
    assert noise_alone(with_thermometer("duffing", offset=1.0)) == []
    # All columns of noise: there is no path beside them.
    rng = np.random.default_rng(0)
    assert noise_alone(Trajectories(rng.normal(size=(20, 40, 3)))) == []


@pytest.mark.parametrize("name", ["lorenz", "three_body", "double_pendulum", "point_vortices"])
def test_no_coordinate_of_a_system_is_noise_alone(name):
    assert noise_alone(datasets.load(name, RUNS, 80, noise=0.05, seed=0)) == []
