"""Which columns are whose."""

import numpy as np

from discovery.libraries.escalation import escalation
from discovery.libraries.library import Library
from discovery.libraries.many_bodies.bodies import Bodies
from discovery.libraries.omitted import Omitted
from discovery.libraries.unknown_scale import Scaled

NAMES = [f"{a}{i}" for i in range(1, 5) for a in "xyuv"]
ROLES = ["position", "position", "velocity", "velocity"] * 4
ROWS = np.random.default_rng(0).normal(size=(50, 16))


def test_names_tell_the_bodies_whatever_the_order():
    seen = Bodies.seen(NAMES, ROLES, ROWS)
    assert [[NAMES[i] for i in axis] for axis in seen.positions] == [
        ["x1", "x2", "x3", "x4"],
        ["y1", "y2", "y3", "y4"],
    ]
    assert [NAMES[i] for i in seen.momenta[1]] == ["v1", "v2", "v3", "v4"]


def test_rates_tell_whose_velocity_is_whose():
    names = [f"x{i}" for i in range(8)] + [f"x{i}" for i in range(8, 16)]
    roles = ["position"] * 8 + ["velocity"] * 8
    order = np.random.default_rng(1).permutation(8)
    rates = np.zeros_like(ROWS)
    rates[:, :8] = ROWS[:, 8 + order]
    rates[:, 8:] = np.random.default_rng(2).normal(size=(50, 8))
    seen = Bodies.seen(names, roles, ROWS, rates)
    assert seen.axes == 1
    assert seen.momenta == (tuple(8 + order),)


def test_axes_that_laws_tell_make_bodies_of_a_line_ones_in_a_plane():
    names, roles = [f"x{i}" for i in range(16)], ["position"] * 8 + ["velocity"] * 8
    line = Bodies.seen(names, roles, ROWS)
    plane = line.along([[8, 9, 10, 11], [12, 13, 14, 15]])
    assert plane.positions == ((0, 1, 2, 3), (4, 5, 6, 7))
    assert line.along([[8, 9, 10], [12, 13, 14, 15]]) is None
    assert line.along([list(range(8, 16))]) is None


def test_few_columns_are_no_case_of_many_bodies():
    assert Bodies.seen(NAMES[:12], ROLES[:12], ROWS[:, :12]) is None
    assert Bodies.seen(NAMES, [*ROLES[:-1], "other"], ROWS) is None


def test_sums_over_bodies_come_early_and_long_searches_are_named():
    tried = escalation(NAMES, ROLES, ROWS)
    assert [stage.name for stage in tried[:2]] == ["polynomial(1)", "many bodies"]
    assert not any(isinstance(stage, Scaled) for stage in tried)
    assert any(isinstance(stage, Omitted) and stage.reason for stage in tried)


def test_of_many_columns_what_has_too_many_products_is_not_built():
    names = [f"{a}{i}" for a in "qp" for i in range(1, 33)]
    roles = ["position"] * 32 + ["momentum"] * 32
    tried = escalation(names, roles, np.random.default_rng(0).normal(size=(100, 64)))
    # Functions of each body alone are few.
    assert [type(stage).__name__ for stage in tried[:2]] == ["Library", "Bodies"]
    assert all(isinstance(stage, Library) and len(stage) <= 4 * 64 for stage in tried[2:-1])
    assert isinstance(tried[-1], Omitted)
    assert len(tried[-1]) == 2144
