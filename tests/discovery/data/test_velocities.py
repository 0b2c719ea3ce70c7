"""Velocities from positions: how well they are known, and what is said of it."""

import numpy as np
import pytest

from discovery.data.trajectories import Trajectories
from discovery.data.velocities import form, velocity_names

N_RUNS, N_STEPS, STEP = 40, 160, 0.1
TIMES = np.tile(STEP * np.arange(N_STEPS), N_RUNS)
OFFSETS = N_STEPS * np.arange(N_RUNS + 1)


def motion(seed=0, times=TIMES):
    """Two coordinates with a fast and a slow oscillation, and their velocities: (n, 2), (n, 2)."""
    rng = np.random.default_rng(seed)
    run = np.repeat(np.arange(N_RUNS), N_STEPS)
    size, phase = rng.uniform(0.5, 1.5, (2, N_RUNS, 2))[:, run]
    slow, fast = times[:, None] * [1.0, 0.8] + 6 * phase, times[:, None] * [2.3, 2.0] + 3 * phase
    q = size * np.cos(slow) + 0.3 * np.sin(fast)
    return q, -size * [1.0, 0.8] * np.sin(slow) + 0.3 * np.array([2.3, 2.0]) * np.cos(fast)


def formed(level, seed=0):
    """Return what is formed with noise of a level, and the errors of states and path, (n, 4)."""
    q, v = motion(seed)
    noise = np.full(2, max(level, 1e-6 * q.std()))
    noisy = q + level * np.random.default_rng(seed + 1).standard_normal(q.shape)
    found = form(noisy, TIMES, OFFSETS, noise)
    truth = np.hstack([q, v])[found.rows]
    return found, found.states - truth, found.formed.path - truth


def chi_squared(error, covariance):
    """Return the mean square of each column's error over what is stated, (4,)."""
    return np.mean(error**2 / np.einsum("nii->ni", covariance), axis=0)


def lag_one(error, offsets):
    """Return the correlation of errors with those of the next state, (4,)."""
    inside = np.setdiff1d(np.arange(offsets[-1] - 1), offsets[1:-1] - 1)
    return np.array([np.corrcoef(e[inside], e[inside + 1])[0, 1] for e in error.T])


@pytest.mark.parametrize("level", [0.001, 0.02])
def test_errors_of_states_are_known_and_independent(level):
    found, error, _ = formed(level)
    ratio = chi_squared(error, found.formed.covariance)
    assert np.all((ratio > 0.6) & (ratio < 1.2))
    # What polynomials miss moves along a run; the noise of 600 states correlates by 0.04.
    assert np.abs(lag_one(error, found.offsets)).max() < 0.12


@pytest.mark.parametrize("level", [0.001, 0.02])
def test_errors_of_the_path_are_known(level):
    found, error, path = formed(level)
    ratio = chi_squared(path, found.formed.path_covariance)
    assert np.all((ratio > 0.5) & (ratio < 1.4))
    # Wide windows know velocities better than narrow ones.
    assert np.all(path[:, 2:].std(axis=0) < 0.7 * error[:, 2:].std(axis=0))


def test_positions_and_velocities_err_together():
    q, _ = motion()
    uneven = np.sort(np.random.default_rng(3).uniform(0, 16, (N_RUNS, N_STEPS)), axis=1).ravel()
    uneven += 1e-3 * np.tile(np.arange(N_STEPS), N_RUNS)
    q, v = motion(times=uneven)
    level = 0.05
    noisy = q + level * np.random.default_rng(5).standard_normal(q.shape)
    found = form(noisy, uneven, OFFSETS, np.full(2, level))
    error = found.states - np.hstack([q, v])[found.rows]
    stated = found.formed.covariance
    white = np.linalg.solve(np.linalg.cholesky(stated), error[..., None])[..., 0]
    unit = np.corrcoef(white, rowvar=False)
    assert np.abs(unit - np.eye(4)).max() < 0.15
    # Uneven windows correlate a position with its own velocity alone.
    assert np.abs(stated[:, 0, 2]).max() > 0 and not stated[:, 0, [1, 3]].any()


def test_without_noise_every_sample_has_a_state():
    found, error, _ = formed(0.0)
    # But for the ends of runs, where no error can be stated.
    assert np.diff(found.offsets).min() >= N_STEPS - 20 and np.diff(found.rows).max() <= 20
    assert np.abs(error[:, 2:]).max() < 1e-4
    assert chi_squared(error, found.formed.covariance).max() < 1.0


def test_a_run_has_enough_states():
    # A parabola is followed by windows of any width.
    q = np.outer(TIMES**2, [1.0, -1.0])
    noisy = q + np.random.default_rng(0).standard_normal(q.shape)
    found = form(noisy, TIMES, OFFSETS, np.ones(2))
    assert np.diff(found.offsets).min() >= 16


def test_few_long_runs_have_states_enough_for_windows():
    """One run of slow motion and much noise: sixteen windows of states are wanted all the same."""
    times = 0.02 * np.arange(900)
    q = np.cos(times)[:, None] + 0.02 * np.random.default_rng(0).standard_normal((900, 1))
    found = form(q, times, np.array([0, 900]), np.array([0.02]))
    assert len(found.rows) >= 80


def test_short_runs_have_states():
    q, _ = motion()
    offsets = 40 * np.arange(len(q) // 40 + 1)
    noisy = q + 0.02 * np.random.default_rng(1).standard_normal(q.shape)
    found = form(noisy, TIMES, offsets, np.full(2, 0.02))
    assert np.diff(found.offsets).min() >= 4


def test_what_a_user_gets():
    q, v = motion()
    runs = Trajectories.from_rows(
        np.column_stack([q, np.repeat(np.arange(N_RUNS), N_STEPS) * 0.37]),
        np.repeat(np.arange(N_RUNS), N_STEPS),
        TIMES,
        names=["x", "theta", "m"],
        roles=["position", "angle", "parameter"],
    )
    got = runs.with_velocities()
    assert got.names == ("x", "theta", "m", "vx", "thetadot")
    assert got.roles == ("position", "angle", "parameter", "velocity", "angular_velocity")
    at = np.searchsorted(TIMES[:N_STEPS], got.row_times) + N_STEPS * got.groups
    assert np.abs(got.rows[:, 3:] - v[at]).max() < 1e-4
    np.testing.assert_array_equal(got.rows[:, 2], runs.rows[at, 2])
    part = got[[3, 5]].of_columns([0, 3])
    assert part.formed.covariance.shape == (len(part.rows), 2, 2)


def test_an_angle_that_jumps_has_a_velocity_that_does_not():
    turn = np.linspace(0, 20, 100)
    runs = Trajectories(
        states=[(turn[:, None] + i) % (2 * np.pi) for i in range(3)], times=turn, roles=["angle"]
    )
    assert np.abs(runs.with_velocities().rows[:, 1] - 1).max() < 1e-6


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        (["position", "velocity"], "velocities or momenta already: x1"),
        (["amount", "other"], "none of the coordinates"),
        (["field", "field"], "none of the coordinates"),
    ],
)
def test_what_has_no_velocities_to_form(roles, said):
    q, _ = motion()
    runs = Trajectories(states=q.reshape(N_RUNS, N_STEPS, 2), roles=roles)
    with pytest.raises(ValueError, match=said):
        runs.with_velocities()


def test_runs_too_short():
    with pytest.raises(ValueError, match="at least 7"):
        Trajectories(states=np.random.default_rng(0).normal(size=(4, 6, 1))).with_velocities()


def test_names_of_velocities_leave_units_out():
    names = ["x (cm)", "y_cm", "theta1 / rad", "s"]
    assert velocity_names(names, names) == ["vx", "vy", "theta1dot", "sdot"]
