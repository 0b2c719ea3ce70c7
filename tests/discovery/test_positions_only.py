"""Positions alone, from both doors: velocities are formed, the report says so, no law is false."""

import numpy as np
import pytest

import discovery
from discovery import ConservedQuantityFinder, datasets, pipeline
from discovery.estimation.positions import Missing
from discovery.received import Received


def positions(name, n_runs=40, n_steps=100, noise=0.002):
    runs = datasets.load(name, n_runs, n_steps, noise, 3)
    return runs.of_columns(range(runs.dim // 2))


@pytest.fixture(scope="module")
def oscillator():
    runs = positions("harmonic_oscillator")
    return runs, ConservedQuantityFinder(random_state=0).fit(runs)


def test_the_energy_is_found_and_the_report_says_how(oscillator):
    _, finder = oscillator
    assert [str(q.expression) for q in finder.quantities_] == ["q**2/2 + qdot**2/2"]
    assert "velocities qdot were formed from positions" in finder.report_.title


def test_laws_have_values_where_there_are_velocities(oscillator):
    runs, finder = oscillator
    states = runs.with_velocities()
    np.testing.assert_allclose(
        finder.transform(states)[:, 0], (states.rows**2).sum(axis=1) / 2, rtol=1e-12
    )
    with pytest.raises(ValueError, match="with_velocities"):
        finder.transform(runs)


def test_states_that_a_user_formed_are_analysed_alike(oscillator):
    runs, finder = oscillator
    again = ConservedQuantityFinder(random_state=0).fit(runs.with_velocities())
    assert [q.drift for q in again.quantities_] == [q.drift for q in finder.quantities_]


def test_discover_needs_no_manifold():
    report = discovery.discover(positions("kepler", 40, 120, 0.0), random_state=0, verbose=False)
    assert report.n_conserved == 3


def test_units_do_not_matter(oscillator):
    runs, finder = oscillator
    scaled = discovery.Trajectories(
        states=1e7 * np.asarray(runs.states),
        times=1e-6 * np.asarray(runs.times),
        names=["q"],
        roles=["position"],
    )
    again = ConservedQuantityFinder(random_state=0).fit(scaled)
    assert again.n_conserved_ == 1
    assert again.quantities_[0].drift == pytest.approx(finder.quantities_[0].drift, rel=1e-3)


@pytest.mark.parametrize("name", ["damped_oscillator", "van_der_pol"])
def test_there_is_no_false_law(name):
    runs = positions(name)
    assert ConservedQuantityFinder("polynomial", random_state=0).fit(runs).n_conserved_ == 0


@pytest.mark.parametrize("seed", range(2))
def test_a_random_walk_has_no_law(seed):
    walk = np.random.default_rng(seed).normal(size=(30, 100, 1)).cumsum(axis=1)
    runs = discovery.Trajectories(states=walk, roles=["position"])
    assert ConservedQuantityFinder("polynomial", random_state=0).fit(runs).n_conserved_ == 0


def test_noise_that_is_told_is_that_of_the_positions(oscillator):
    runs, _ = oscillator
    finder = ConservedQuantityFinder(noise=0.002 * runs.rows.std(), random_state=0).fit(runs)
    assert finder.n_conserved_ == 1


@pytest.mark.parametrize("wrapped", [False, True])
def test_angles_in_degrees(wrapped):
    runs = positions("pendulum", 20, 80, 0.0)
    angle = np.degrees(runs.rows)
    given = discovery.Trajectories.from_rows(
        angle % 360 if wrapped else angle, runs.groups, runs.row_times, ["theta"], ["angle"]
    )
    finder = ConservedQuantityFinder(degrees=() if wrapped else "theta", random_state=0).fit(given)
    assert "velocities thetadot were formed" in finder.report_.title
    assert finder.n_conserved_ == 1


def test_runs_too_short_for_states_of_their_own():
    t = 0.15 * np.arange(10)
    rng = np.random.default_rng(0)
    paths = np.cos(t + rng.uniform(0, 6, (8, 1))) + 0.003 * rng.standard_normal((8, 10))
    runs = discovery.Trajectories(paths[..., None], t, ["x"], ["position"])
    with pytest.raises(ValueError, match=r"1 states a run .* measure longer runs"):
        ConservedQuantityFinder(random_state=0).fit(runs)


def test_short_runs_whose_columns_nobody_called_places_are_no_error():
    """What remembers its past has few samples apart: as places they have no velocities."""
    t, rng = np.linspace(0, 3, 10), np.random.default_rng(0)
    paths = np.cos(t + rng.uniform(0, 6, (8, 1))) + 0.003 * rng.standard_normal((8, 10))
    few = discovery.Trajectories(paths[..., None], t, ["x"])
    received, missing = Received.read(few, None, (), None), Missing((0,))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "missing_velocities", lambda runs: missing)
        complete = pipeline._complete(received, False, False, 10**6, rng)
    assert complete is received


def test_velocities_that_are_noise_are_not_searched():
    """Half of what is measured of a slow swing is noise, and most of its rate."""
    t, rng = np.linspace(0, 7, 60), np.random.default_rng(0)
    swing = np.cos(t + rng.uniform(0, 6, (30, 1))) * rng.uniform(0.5, 1.5, (30, 1))
    swing += 0.5 * swing.std() * rng.standard_normal(swing.shape)
    runs = discovery.Trajectories(swing[..., None], t, ["x"], ["position"])
    report = ConservedQuantityFinder(random_state=0).fit(runs).report_
    assert report.verdict == "undecided" and "noise is" in report.reason
    assert not report.quantities and not report.searched


def test_columns_with_a_memory_are_not_searched():
    """Columns with a memory of a few steps have a path, and no velocity but noise."""
    pushes = np.random.default_rng(4).standard_normal((30, 80, 3))
    states = np.empty_like(pushes)
    states[:, 0] = pushes[:, 0]
    for i in range(1, 80):
        states[:, i] = [0.95, 0.8, 0.5] * states[:, i - 1] + pushes[:, i]
    report = ConservedQuantityFinder(random_state=0).fit(discovery.Trajectories(states)).report_
    assert report.verdict == "undecided"
    assert "noise is" in report.reason
    assert not report.quantities
    assert not report.searched
