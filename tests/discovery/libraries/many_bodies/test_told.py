"""Bodies and boxes that are told: what is refused, and places that go on beyond the box."""

import numpy as np
import pytest

from discovery.libraries.many_bodies.told import told_bodies

NAMES = ["x1", "y1", "x2", "y2", "vx1", "vy1", "vx2", "vy2"]
ROLES = ["position"] * 4 + ["velocity"] * 4
PLAIN = ["a", "b", "c", "d", "e", "f", "g", "h"]


def test_nothing_told_is_nothing():
    assert told_bodies(None, None, NAMES, ROLES) is None


@pytest.mark.parametrize(
    ("number", "box", "names", "roles", "said"),
    [
        (3, None, NAMES, ROLES, "4 columns of places"),
        (0, None, NAMES, ROLES, "bodies: received 0"),
        (1, None, NAMES, ROLES, "1 to 3 of them"),
        (2.0, None, NAMES, ROLES, "bodies: received 2.0"),
        (None, 0.0, NAMES, ROLES, "positive"),
        (None, [1.0, -2.0], NAMES, ROLES, "positive"),
        (None, np.inf, NAMES, ROLES, "positive"),
        (None, "wide", NAMES, ROLES, "positive"),
        (None, [1.0, 2.0, 3.0], NAMES, ROLES, "2 axes"),
        (None, 5.0, PLAIN, ROLES, "do not tell"),
        (None, 5.0, PLAIN, None, "roles="),
        (2, None, NAMES, ["position"] * 4 + ["velocity"] * 3 + ["other"], "roles="),
    ],
)
def test_what_cannot_be_is_refused(number, box, names, roles, said):
    with pytest.raises(ValueError, match=said):
        told_bodies(number, box, names, roles)


@pytest.mark.parametrize(("box", "lengths"), [(5.0, (5, 5)), ([5.0, 4.0], (5, 4))])
def test_the_box_has_a_length_for_each_axis(box, lengths):
    told = told_bodies(None, box, NAMES, ROLES)
    assert told.periods == (*lengths, *lengths, 0, 0, 0, 0)
    rows = np.random.default_rng(0).normal(size=(20, 8))
    bodies = told.bodies(NAMES, ROLES, np.full(8, 10.0), rows, None)
    np.testing.assert_allclose(bodies.box, np.array(lengths) / 10)
    assert bodies.positions == ((0, 2), (1, 3))


def test_columns_follow_each_other_body_by_body_where_names_do_not_tell():
    rows = np.random.default_rng(0).normal(size=(20, 8))
    bodies = told_bodies(2, None, PLAIN, ROLES).bodies(PLAIN, ROLES, np.ones(8), rows, None)
    assert bodies.positions == ((0, 2), (1, 3))
    assert not bodies.box


def test_places_go_on_beyond_the_box_and_velocities_stay():
    told = told_bodies(None, 2.0, NAMES, ROLES)
    path = np.linspace(0, 7, 40)[:, None] * np.ones(8)
    inside = path.copy()
    inside[:, :4] %= 2.0
    rolled = told.unrolled(np.vstack([inside, inside[20:]]), np.array([0, 40, 60]))
    np.testing.assert_allclose(rolled[:40], path)
    again = rolled[40:, :4] - path[20:, :4]
    np.testing.assert_allclose(again, np.broadcast_to(again[0], again.shape), atol=1e-12)
    np.testing.assert_array_equal(rolled[40:, 4:], path[20:, 4:])
