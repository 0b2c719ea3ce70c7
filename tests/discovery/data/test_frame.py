"""Frames: units and origins in which runs are analysed."""

from fractions import Fraction

import numpy as np
import pytest

from discovery import Trajectories, datasets
from discovery.data.frame import Frame

PLANE = ("position", "position", "velocity", "velocity")


def runs(scale=1.0, shift=0.0, roles=PLANE, times=None):
    rows = np.random.default_rng(0).normal(size=(6, 40, 4))
    return Trajectories(states=rows * scale + shift, roles=roles, times=times)


@pytest.mark.parametrize("name", datasets.names())
def test_ordinary_data_are_analysed_as_they_are(name):
    some = datasets.load(name, 40, 30, noise=0.05)
    frame = Frame.of(some)
    assert frame.is_identity
    assert frame.runs(some) is some


@pytest.mark.parametrize("power", [-12, -5, 2, 3, 12])
def test_units_are_powers_of_ten(power):
    frame = Frame.of(runs(3.0 * 10.0**power))
    assert all(k in (power, power + 1) for k in frame.exponent)
    assert 0.25 < frame.runs(runs(3.0 * 10.0**power)).rows.std() < 5


@pytest.mark.parametrize("size", [2.9e11, 3.1e11, 3.2e11, 3.4e11])
def test_coordinates_of_one_size_share_a_unit(size):
    """Also where a power of ten lies between them, or a circle would become an ellipse."""
    frame = Frame.of(runs([size, 3.16e11, 3e4, 2.5e4]))
    assert frame.exponent[0] == frame.exponent[1]
    assert frame.exponent[2] == frame.exponent[3] == 4


def test_coordinates_of_different_size_do_not():
    frame = Frame.of(runs([1e6, 1e-6, 1e9, 1.0]))
    assert frame.exponent == (6, -6, 9, 0)


def test_planets_near_and_far_share_a_unit():
    frame = Frame.of(runs([1e11, 2e12, 1e3, 1e3]))
    assert frame.exponent[0] == frame.exponent[1]


@pytest.mark.parametrize("shift", [1e3, -1e3, 1e5, 1e6])
def test_far_values_get_a_round_origin(shift):
    frame = Frame.of(runs(1.0, [shift, 0, 0, 0]))
    assert frame.centre == (Fraction(shift), 0, 0, 0)


def test_close_coordinates_share_an_origin():
    """Differences of them are in formulas: two masses on a spring, far away."""
    frame = Frame.of(runs(1.0, [1000.0, 1002.0, 500, 0]))
    assert frame.centre[0] == frame.centre[1] != 0
    assert frame.centre[2] == 500


def test_a_chain_of_masses_is_not_taken_apart():
    assert Frame.of(runs(1.0, [0.0, 20.0, 40.0, 60.0], roles=None)).is_identity


def test_a_few_wrong_values_move_nothing():
    some = runs()
    some.rows[::40] = 1e9
    assert Frame.of(some).is_identity


def test_negative_amounts_are_mirrored():
    rows = np.random.default_rng(0).uniform(-3, -1, (6, 40, 2))
    frame = Frame.of(Trajectories(states=rows, roles=["amount", "position"]))
    assert frame.mirrored == (True, False)
    assert frame.inside(rows).min(axis=(0, 1))[0] > 0


def test_angles_stay_as_they_are():
    roles = ("angle", "angle", "angular_velocity", "angular_velocity")
    frame = Frame.of(runs([1e3, 1e-4, 1e3, 1e3], [1e6, 0, 0, 0], roles))
    assert frame.exponent == (0, 0, 3, 3)
    assert frame.centre == (0, 0, 0, 0)


def test_the_origin_of_a_user_s_own_functions_stays():
    frame = Frame.of(runs(1e3, 1e6), moved=())
    assert frame.exponent == (3,) * 4
    assert not frame.far


def test_time():
    t = np.linspace(0, 10, 40)
    assert Frame.of(runs(times=t)).time_unit == 1.0
    assert Frame.of(runs(times=1e12 * t)).time_unit == 1e13
    late = runs(times=t + 1e7)
    np.testing.assert_allclose(Frame.of(late).runs(late).times[0], t, atol=1e-8)


def test_in_and_out():
    some = runs(3e7, [1e12, 0, 0, 0])
    frame = Frame.of(some)
    np.testing.assert_allclose(frame.outside(frame.inside(some.rows)), some.rows, rtol=1e-15)
    np.testing.assert_allclose(frame.runs(some).rows, frame.inside(some.rows))


def test_a_field_has_one_unit():
    names = [f"{f}{i}" for f in "uv" for i in range(8)]
    rows = np.random.default_rng(0).normal(size=(5, 20, 16)) * np.repeat([1e-9, 1e6], 8)
    frame = Frame.of(Trajectories(states=rows, names=names, roles={"*": "field"}))
    assert frame.exponent == (-9,) * 8 + (6,) * 8


def test_moved_origins_have_few_digits():
    frame = Frame.of(runs(1.0, [475.36, 0, 0, 0]))
    shift = np.array([475.3619 - float(frame.centre[0]), 9.0, 9.0, 9.0])
    moved = frame.moved(shift, np.full(4, 0.005))
    assert moved.centre == (Fraction(47536, 100), 0, 0, 0)


def test_where_the_users_origin_is():
    given = runs(3e5, [4e6, 0, 0, 0])
    frame = Frame.of(given)
    assert frame.zeros[0] == -frame.centre[0] / 10 ** frame.exponent[0]
    assert frame.zeros[1:] == (0, 0, 0)
    np.testing.assert_allclose(frame.inside(np.zeros(4)), [float(z) for z in frame.zeros])


@pytest.mark.parametrize("shift", [0.0, 5e6])
def test_runs_of_a_frame_go_back_to_the_users_units(shift):
    given = runs(1e6, shift, times=1e4 * np.arange(40))
    frame = Frame.of(given)
    back = frame.runs_outside(frame.runs(given))
    np.testing.assert_allclose(back.rows, given.rows, rtol=1e-12)
    np.testing.assert_allclose(back.row_times, given.row_times, rtol=1e-12)
    assert (back.names, back.roles) == (given.names, given.roles)
