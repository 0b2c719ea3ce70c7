"""The natural origin of coordinates that were measured from far away."""

import numpy as np
import pytest

from discovery import datasets
from discovery.estimation.model_rows import rates
from discovery.estimation.origin import natural_origin, origin_aside
from discovery.estimation.preparation import prepare

SHIFT = 1.5


def origin_of(name, shift=SHIFT, groups=None, noise=0.01):
    runs = datasets.load(name, 20, 80, noise=noise, seed=1)
    states = prepare(runs).smoothed.states
    groups = [[i] for i in range(runs.dim)] if groups is None else groups
    return natural_origin(states + shift, rates(runs, states), runs.roles, groups)


@pytest.mark.parametrize(
    "name", ["harmonic_oscillator", "kepler", "kepler_3d", "henon_heiles", "central_force"]
)
def test_the_centre_of_the_motion(name):
    np.testing.assert_allclose(origin_of(name), SHIFT, atol=0.03)


def test_an_amount_of_nothing():
    np.testing.assert_allclose(origin_of("lotka_volterra"), SHIFT, atol=0.03)


def test_velocities_in_another_order_and_of_another_sign():
    runs = datasets.load("kepler", 20, 80, noise=0.01, seed=1)
    states = prepare(runs).smoothed.states
    speeds = rates(runs, states)
    columns, sign = [0, 1, 3, 2], np.array([1, -1, 5, 1])
    found = natural_origin(
        (sign * (states + SHIFT))[:, columns], (sign * speeds)[:, columns], ROLES, [[0], [1]]
    )
    np.testing.assert_allclose(found[:2], [SHIFT, -SHIFT], atol=0.03)


def test_only_what_is_asked_for_moves():
    found = origin_of("kepler", groups=[[0], [3]])
    assert found[1] == found[2] == 0
    np.testing.assert_allclose(found[[0, 3]], SHIFT, atol=0.03)


def test_coordinates_of_one_origin_move_together():
    shift = np.array([1.0, 2.0, 1.0, 1.0])
    found = origin_of("henon_heiles", shift, [[0, 1], [2], [3]])
    np.testing.assert_allclose(found[:2], 1.5, atol=0.03)


def places_and_pull(turn):
    """A plane with forces that miss the origin by an angle."""
    x = np.random.default_rng(0).normal(size=(500, 2))
    a = -x @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    v = np.random.default_rng(1).normal(size=(500, 2))
    return np.hstack([x + 5, v]), np.hstack([v, a / np.linalg.norm(x, axis=1)[:, None] ** 3])


ROLES = ("position", "position", "velocity", "velocity")


def test_beside_an_angle_an_equilibrium_moves_no_place():
    """A swing of a stiff spring: its length counts from the axis, wherever it rests."""
    rng = np.random.default_rng(0)
    states = rng.normal(size=(800, 4)) * [0.05, 0.3, 0.4, 0.3] + [1, 0, 0, 0]
    r, theta, v, omega = states.T
    force = r * omega**2 - 60 * (r - 1.02)
    speeds = np.stack([v, omega, force, -(np.sin(theta) + 2 * v * omega) / r], axis=1)
    shifts = [
        origin_aside(states, speeds, ["position", role, "velocity", "velocity"], [[0]])
        for role in ("position", "angle")
    ]
    assert shifts[0][0] == pytest.approx(1.02, abs=0.01) and not shifts[1].any()


def test_forces_that_are_not_central_have_no_centre():
    straight, askew = (
        natural_origin(*places_and_pull(turn), ROLES, [[0], [1]]) for turn in (0.0, 0.5)
    )
    np.testing.assert_allclose(straight[:2], 5, atol=1e-6)
    np.testing.assert_array_equal(askew, 0)


def test_rates_that_no_polynomial_explains_have_no_equilibrium():
    x = np.random.default_rng(0).uniform(-2, 2, (500, 2))
    smooth, jumping = -x[:, ::-1], np.sign(np.sin(9 * x[:, ::-1]))
    roles = (None, None)
    np.testing.assert_allclose(natural_origin(x + 5, smooth, roles, [[0], [1]]), 5, atol=1e-6)
    np.testing.assert_array_equal(natural_origin(x + 5, jumping, roles, [[0], [1]]), 0)
