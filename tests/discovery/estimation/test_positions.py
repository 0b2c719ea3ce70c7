"""Whether velocities are missing."""

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, datasets
from discovery.data.trajectories import Trajectories
from discovery.datasets.integrate import integrate
from discovery.estimation.positions import Missing, along_lines, driven, missing_velocities

T = np.linspace(0, 15, 100)


def without_roles(name, columns, noise=0.01, n_runs=40):
    runs = datasets.load(name, n_runs, 100, noise, 1).of_columns(columns)
    return Trajectories(states=runs.states, times=runs.times, names=list("abcd")[: len(columns)])


@pytest.mark.parametrize(
    ("name", "columns"),
    [("harmonic_oscillator", [0]), ("kepler", [0, 1]), ("henon_heiles", [0, 1]), ("lorenz", [0])],
)
def test_different_futures_tell_that_velocities_are_missing(name, columns):
    assert missing_velocities(without_roles(name, columns)) is not None


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.05])
@pytest.mark.parametrize(
    "name",
    ["harmonic_oscillator", "pendulum", "kepler", "lotka_volterra", "rigid_body", "van_der_pol"],
)
def test_complete_states_do_not_miss_any(name, noise):
    runs = datasets.load(name, 40, 100, noise, 1)
    assert missing_velocities(without_roles(name, range(runs.dim), noise)) is None
    assert missing_velocities(runs) is None


def test_heights_are_places_though_all_are_positive():
    """A mass on a spring that hangs 44 above the floor."""
    rng, t = np.random.default_rng(0), np.linspace(0, 5, 150)
    size, phase = rng.uniform(1, 6, (30, 1)), rng.uniform(0, 6, (30, 1))
    height = 43.7 + size * np.cos(6.3 * t + phase)
    runs = Trajectories(states=height[:, :, None], times=t, names=["height"])
    assert missing_velocities(runs).kept == (0,)


def test_states_far_from_each_other_tell_nothing():
    # Short runs of many oscillators, one of them fast: no state is near one of another run.
    rng = np.random.default_rng(0)
    phase, speed = rng.uniform(0, 6, (16, 1, 8)), np.array([1.5] + [0.1] * 7)
    angle = phase + T[:7, None] * speed
    states = np.concatenate([np.cos(angle), -np.sin(angle)], axis=-1)
    mixed = states @ np.linalg.qr(rng.normal(size=(16, 16)))[0]
    assert missing_velocities(Trajectories(states=mixed, times=T[:7])) is None


def test_roles_tell_that_velocities_are_missing():
    runs = datasets.load("kepler", 20, 60, 0.0, 0)
    missing = missing_velocities(runs.of_columns([0, 1]))
    assert missing.kept == (0, 1) and missing.computed == ()


def test_differences_are_left_out():
    runs = datasets.load("kepler", 20, 100, 0.01, 0)
    q = np.asarray(runs.states)[:, :, :2]
    v = np.gradient(q, runs.times[0], axis=1)
    states = np.concatenate([q, v], axis=-1)
    for roles in (runs.roles, None):
        given = Trajectories(states=states, times=runs.times[0], names=runs.names, roles=roles)
        missing = missing_velocities(given)
        assert missing.kept == (0, 1) and missing.computed == (2, 3)


def test_no_path_and_no_velocities():
    cloud = np.random.default_rng(0).normal(size=(20, 50, 2))
    assert missing_velocities(Trajectories(states=cloud, roles=["position"] * 2)) is None


@pytest.mark.parametrize("name", ["point_vortices", "abc_flow"])
def test_positions_that_are_all_of_the_state_have_no_velocities_missing(name):
    """Vortices move as the positions say, and so does what a stream carries."""
    runs = datasets.load(name, 40, 100, noise=0.01, seed=1)
    assert set(runs.roles) <= {"position", "angle"}
    assert missing_velocities(runs) is None


@pytest.mark.parametrize(("span", "seed"), [(1.2, 0), (2.0, 1)])
def test_short_arcs_from_rest_miss_their_velocities(span, seed):
    """All have just been let go, and near states move nearly alike."""
    rng = np.random.default_rng(seed)
    size, times = rng.uniform(0.3, 1.5, (12, 1, 2)), np.linspace(0, span, 18)
    states = size * np.cos(times[None, :, None] * [1.0, 1.6])
    states += 0.002 * rng.standard_normal(states.shape)
    runs = Trajectories(states, times, names=["x", "y"], roles=["position"] * 2)
    assert missing_velocities(runs) is not None


def test_planets_on_like_orbits_miss_their_velocities():
    """All in one direction: where they are nearer to each other, they move no more alike."""
    rng = np.random.default_rng(0)
    at, size, share = rng.uniform((0, 0.8, 0.75), (6.28, 1.6, 1.1), (40, 3)).T
    speed = share / np.sqrt(size)
    starts = np.stack([size * np.cos(at), size * np.sin(at), -np.sin(at), np.cos(at)], axis=1)
    starts[:, 2:] *= speed[:, None]
    times = np.linspace(0, 15, 100)
    states = integrate(
        lambda s: np.hstack([s[:, 2:], -s[:, :2] / np.hypot(*s[:, :2].T)[:, None] ** 3]),
        starts,
        times,
    )
    runs = Trajectories(states[..., :2], times, names=["x", "y"], roles=["position"] * 2)
    assert missing_velocities(runs) is not None


def test_phases_that_turn_are_all_of_the_state():
    """Oscillators that are coupled by cosines of differences, measured between −π and π."""
    rng = np.random.default_rng(0)

    def rates(s):
        return 0.3 + 1.5 * np.cos(s[:, None, :] - s[:, :, None]).mean(axis=2)

    times = np.linspace(0, 10, 130)
    states = integrate(rates, rng.uniform(-np.pi, np.pi, (50, 4)), times)
    states = (states + 0.01 * rng.normal(size=states.shape) + np.pi) % (2 * np.pi) - np.pi
    runs = Trajectories(states, times, names=["p1", "p2", "p3", "p4"], roles=["angle"] * 4)
    assert missing_velocities(runs) is None


def traded(n_runs=20, n_steps=100):
    """Two stores whose product stays the same in each run while chance trades them, 1 % noise."""
    rng = np.random.default_rng(0)
    here = rng.uniform(50, 200, (n_runs, 1)) * np.exp(
        0.05 * rng.standard_normal((n_runs, n_steps)).cumsum(axis=1)
    )
    there = rng.uniform(2500, 40000, (n_runs, 1)) / here
    states = np.stack([here, there], axis=-1)
    states += 0.01 * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)
    return Trajectories(states=states, names=["here", "there"])


def test_what_chance_drives_is_complete_as_it_is():
    assert driven(traded())
    for name, columns in [
        ("harmonic_oscillator", [0]),
        ("kepler", [0, 1]),
        ("double_pendulum", [0, 1]),
    ]:
        assert not driven(without_roles(name, columns, n_runs=20))
    report = ConservedQuantityFinder(random_state=0).fit(traded()).report_
    assert [str(law.expression) for law in report.quantities] == ["here*there"]
    assert report.names == ("here", "there")


def on_a_bench(n_runs=30):
    """An object moved to and fro by hand and its image, one lens a run, 1 % noise."""
    rng = np.random.default_rng(0)
    length, middle, size, phase, speed = rng.uniform(
        (8, 40, 5, 0, 4), (15, 60, 20, 6, 9), (n_runs, 5)
    ).T[..., None]
    far = middle + size * np.sin(speed * np.linspace(0, 1, 120) + phase)
    states = np.stack([far, 1 / (1 / length - 1 / far)], axis=-1)
    states += 0.01 * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)
    return Trajectories(states, times=np.linspace(0, 1, 120), names=["here", "there"])


@pytest.mark.slow
def test_what_a_hand_moves_is_complete_as_it_is():
    bench = on_a_bench()
    assert missing_velocities(bench) is not None and along_lines(bench)
    for name, columns in [("kepler", [0, 1]), ("henon_heiles", [0, 1]), ("toda", [0, 1, 2])]:
        assert not along_lines(without_roles(name, columns, n_runs=20))
    report = ConservedQuantityFinder(random_state=0).fit(bench).report_
    assert [str(law.expression) for law in report.quantities] == ["1/there + 1/here"]
    assert report.names == ("here", "there")


@pytest.mark.slow
def test_what_is_on_one_curve_lacks_its_velocity():
    """A pendulum in a picture: its places obey one equation, and keep nothing."""
    swing = datasets.load("pendulum", 30, 150, 0.005, 3)
    angle = swing.rows[:, 0]
    places = np.stack([np.sin(angle), -np.cos(angle)], axis=1).reshape(30, 150, 2)
    times = swing.row_times.reshape(30, 150)
    bob = Trajectories(places, times=times, names=["right", "up"])
    report = ConservedQuantityFinder(random_state=0).fit(bob).report_
    assert "were formed from positions" in report.title and report.n_conserved == 1


@pytest.mark.parametrize("seed", [50100, 50101, 50102])
def test_what_noise_adds_to_motion_is_no_different_future(seed):
    """Where reactions are at rest, noise alone moves, and near states do it in different ways."""
    runs = datasets.load(f"reactions/{seed}", 40, 100, 0.1, seed)
    alone = Trajectories(runs.states, times=runs.times, names=list("abcdefgh")[: runs.dim])
    assert missing_velocities(alone) is None


@pytest.mark.parametrize("noise", [0.01, 0.05, 0.1])
def test_positions_of_pendulums_that_turn_over(noise):
    """A few that turn fast have most of the velocities' variance."""
    runs = datasets.load("pendulum", 60, 100, noise, 3)
    alone = Trajectories(runs.states[..., :1], times=runs.times, names=["a"])
    assert missing_velocities(alone) == Missing((0,))


def test_few_extreme_velocities_do_not_decide():
    """Close to a black hole all is fast, and none of it is alike."""
    runs = datasets.load("reissner_nordstrom", 40, 80, 0.01, 1)
    alone = Trajectories(runs.states, times=runs.times, names=list("abcd"))
    assert missing_velocities(alone) is None
