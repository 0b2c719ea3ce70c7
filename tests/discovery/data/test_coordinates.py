"""Coordinates: names and roles, and what they are taken for where nobody gives them."""

import numpy as np
import pytest

from discovery.data.coordinates import (
    are_fields,
    default_names,
    group_bodies,
    in_words,
    infer_roles,
)

PLANE = ("x", "y", "u", "v")
PLANE_ROLES = ("position", "position", "velocity", "velocity")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"dim": 2}, ("x0", "x1")),
        ({"dim": 2, "letters": "xyz"}, ("x", "y")),
        ({"dim": 4, "letters": "xyz"}, ("x0", "x1", "x2", "x3")),
    ],
)
def test_default_names(arguments, expected):
    assert default_names(**arguments) == expected


ROLES = {
    "given ones are kept": (PLANE, ("other", None, None, None), 1, ("other", None, None, None)),
    "positions and velocities": (PLANE, None, -1, PLANE_ROLES),
    "angle": (("theta", "p"), None, -1, ("angle", "velocity")),
    "momenta by their coordinates": (
        ("r", "theta", "p_r", "p_theta"),
        None,
        -1,
        ("position", "angle", "momentum", "momentum"),
    ),
    "rates by their coordinates": (
        ("r", "phi", "dr", "dphi"),
        None,
        -1,
        ("position", "angle", "velocity", "angular_velocity"),
    ),
    "names with their units": (
        ("x_m", "theta_deg", "v_m_s", "omega_deg_s"),
        None,
        -1,
        ("position", "angle", "velocity", "velocity"),
    ),
    "names with their units in brackets": (
        ("x1 (cm)", "x2 [cm]", "v1 (cm/s)", "v2 [cm s^-1]"),
        None,
        -1,
        PLANE_ROLES,
    ),
    "names with their units behind a stroke or a line": (
        ("x / cm", "phi / rad", "vx_m_per_s", "omega_rad_s"),
        None,
        -1,
        ("position", "angle", "velocity", "velocity"),
    ),
    "rates by the names of any coordinates": (
        ("rho", "phi (deg)", "rho_dot", "phi_dot (deg/s)"),
        None,
        -1,
        ("position", "angle", "velocity", "angular_velocity"),
    ),
    "quotients of differentials": (
        ("r_over_M", "phi", "dr_dtau", "dphi_dtau"),
        None,
        -1,
        ("position", "angle", "velocity", "angular_velocity"),
    ),
    "a rate by its column's name beside another by its own": (
        ("r_km", "longitude_deg", "r_rate", "omega_rad"),
        None,
        -1,
        ("position", "angle", "velocity", "velocity"),
    ),
    "a rate of one column of three": (("x", "y", "x_dot"), None, -1, (None, None, None)),
    "other names that begin so": (("x", "pressure"), None, -1, (None, None)),
    "amounts are positive": (("a", "b"), None, 1, ("amount", "amount")),
    "names that say nothing": (("a", "b"), None, -1, (None, None)),
    "half a guess is none": (("x", "y", "u"), None, -1, (None, None, None)),
}


@pytest.mark.parametrize(("names", "roles", "sign", "expected"), ROLES.values(), ids=ROLES)
def test_roles_from_names(names, roles, sign, expected):
    assert tuple(infer_roles(names, roles, sign * np.ones((3, len(names))))) == expected


def circle(noise):
    """Return rows (400, 2) of a = cos t, b = -sin t = a', and their rates, with noise."""
    t = np.linspace(0, 4 * np.pi, 400, endpoint=False)
    rows = np.column_stack([np.cos(t), -np.sin(t)])
    rates = np.column_stack([-np.sin(t), -np.cos(t)])
    return rows, rates + noise * np.random.default_rng(0).standard_normal(rates.shape)


def test_a_coordinate_that_is_the_rate_of_another_is_its_velocity():
    rows, rates = circle(noise=0.05)
    assert infer_roles(["a", "b"], None, rows, rates) == ["position", "velocity"]


def test_rates_that_are_no_coordinates():
    # The noise is as large as the rates: their correlation with the other coordinate is 0.7.
    rows, rates = circle(noise=0.7)
    assert infer_roles(["a", "b"], None, rows, rates) == [None, None]


@pytest.mark.parametrize("sense", [1, -1])
def test_two_that_are_each_the_others_rate_are_no_place_and_velocity(sense):
    """Lanchester's armies: either may be called the place."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 2))
    assert infer_roles(["red", "blue"], None, rows, sense * rows[:, ::-1]) == [None, None]


def on_paths(motion, starts, noise):
    """Return noisy states and rates along 300 steps of Heun from each start."""
    state, step, rows = np.array(starts, float), 0.05, []
    for _ in range(300):
        middle = motion(state)
        state = state + step / 2 * (middle + motion(state + step * middle))
        rows.append(state)
    rows = np.vstack(rows)
    rng = np.random.default_rng(1)
    return tuple(x + noise * x.std(axis=0) * rng.normal(size=x.shape) for x in (rows, motion(rows)))


def species(s):
    x, y = s.T
    return np.column_stack([x * (1 - y), 0.8 * y * (x - 1)])


@pytest.mark.parametrize("names", [("x", "v"), ("r", "p"), ("theta", "omega")])
@pytest.mark.parametrize("noise", [0.01, 0.05, 0.1])
def test_prey_and_hunters_are_no_place_and_velocity(names, noise):
    starts = np.exp(np.random.default_rng(0).normal(0, 1, (30, 2)))
    rows, rates = on_paths(species, starts, noise)
    assert rows.min() < 0
    assert all(infer_roles(names, None, rows))
    assert infer_roles(names, None, rows, rates) == [None, None]
    told = ["position", "velocity"]
    assert infer_roles(names, told, rows, rates) == told


def in_field(s):
    """A spring in a magnetic field, with canonical momenta."""
    x, y, p, q = s.T
    return np.column_stack([p + 2 * y, q - 2 * x, 2 * (q - 2 * x) - x, -2 * (p + 2 * y) - x - y])


def in_turning_frame(s):
    x, y, p, q = s.T
    return np.column_stack([p + y, q - x, q - 2 * x, -p - 2 * y])


def relativistic(s):
    x, p = s.T
    return np.column_stack([p / np.sqrt(1 + p**2), -x])


def polar(s):
    r, _, p, spin = s.T
    return np.column_stack([p, spin / r**2, spin**2 / r**3 - r, 0 * r])


def against(s):
    """A spring whose velocity is counted the other way."""
    return np.column_stack([-s[:, 1], s[:, 0]])


MECHANICS = {
    "magnetic field": (in_field, ("x", "y", "px", "py")),
    "turning frame": (in_turning_frame, ("x", "y", "px", "py")),
    "relativistic": (relativistic, ("x", "p")),
    "polar coordinates": (polar, ("r", "phi", "pr", "pphi")),
    "other sense": (against, ("x", "v")),
}


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize(("motion", "names"), MECHANICS.values(), ids=MECHANICS)
def test_momenta_stay_what_their_names_say(motion, names, noise):
    starts = np.random.default_rng(0).normal(size=(20, len(names)))
    if "r" in names:
        starts[:, 0] = 1 + 0.2 * starts[:, 0]
        starts[:, 3] = 1 + 0.2 * starts[:, 3]
    rows, rates = on_paths(motion, starts, noise)
    assert infer_roles(names, None, rows, rates) == infer_roles(names, None, rows)


def test_places_far_apart_refute_no_momenta():
    """Short arcs of a Trojan asteroid in a turning frame: its momenta follow its places."""
    names, t = ["x", "y", "px", "py"], 0.3 * np.linspace(0, 3, 40)
    for phase in np.linspace(0, 2 * np.pi, 12, endpoint=False):
        x, y = np.cos(t + phase), -2 * np.sin(t + phase)
        u, v = 0.15 * y, -0.6 * x
        rates = np.column_stack([u, v, 0 * x, 0 * y])
        seen = infer_roles(names, None, np.column_stack([x, y, u - y, v + x]), rates)
        assert seen == ["position"] * 2 + ["velocity"] * 2


def test_direction_cosines_are_no_angles():
    """The vertical in a top's own axes, as books name it, and three Euler angles."""
    rng = np.random.default_rng(0)
    names = [*(f"omega{i}" for i in (1, 2, 3)), *(f"gamma{i}" for i in (1, 2, 3))]
    rows = rng.normal(size=(500, 6))
    assert infer_roles(names, None, rows) == ["velocity"] * 3 + ["angle"] * 3
    rows[:, 3:] /= np.linalg.norm(rows[:, 3:], axis=1)[:, None]
    for noise in (0.0, 0.01, 0.05):
        noisy = rows + noise * rng.normal(size=rows.shape)
        assert infer_roles(names, None, noisy) == [None] * 6


@pytest.mark.parametrize(
    ("names", "bodies"),
    [
        (["x", "y"], [[0, 1]]),
        (["x1", "y1", "x2", "y2"], [[0, 1], [2, 3]]),
        (["x1 (cm)", "y1 (cm)", "x2_cm", "y2_cm"], [[0, 1], [2, 3]]),
        (["x_m1", "y_m1", "x_m2", "y_m2"], [[0, 1], [2, 3]]),
        (["q1", "q2", "q3"], [[0, 1, 2]]),
        (["q1", "q2", "q3", "q4"], [[0], [1], [2], [3]]),
        ([], []),
    ],
)
def test_bodies(names, bodies):
    assert group_bodies(names, range(len(names))) == bodies


def test_fields_are_named_once():
    names, roles = ["u1", "u2", "v1", "v2"], ["field"] * 4
    assert are_fields(roles)
    assert in_words(names, roles) == "fields u, v on 2 grid points"
    assert in_words(names[:2], None) == "coordinates u1, u2"


def test_fields_beside_other_coordinates():
    names, roles = ["u1", "u2", "x", "v"], ["field", "field", "position", None]
    assert are_fields(roles) and not are_fields(roles[2:])
    assert in_words(names, roles) == "field u on 2 grid points beside x, v"
