"""Libraries beyond the first, where nothing tells how many symmetries there are."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import ops

from discovery import SymmetryFinder
from discovery.symmetries import problem, search
from discovery.symmetries.candidates import vector_fields
from discovery.symmetries.transport.killing_space import killing_space

pytestmark = pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="richer libraries need double precision"
)


def walled(metric):
    """Without values between two clouds of points, so that no edge joins them."""

    def torn(x):
        return ops.where(ops.abs(x[:, :1, None]) < 0.2, np.nan, metric(x))

    return torn


def clouds(low, high, n=250):
    """Points on both sides of the wall; the second coordinate from low to high."""
    rng = np.random.default_rng(0)
    first = rng.uniform(0.5, 1, n) * rng.choice([-1, 1], n)
    return np.stack([first, rng.uniform(low, high, n)], axis=1)


def diagonal(*columns):
    return ops.stack(columns, -1)[:, :, None] * ops.eye(len(columns), dtype=columns[0].dtype)


def horocycles(x):
    """The hyperbolic plane, whose fields are exponentials of x."""
    return diagonal(ops.ones_like(x[:, 0]), ops.exp(2 * x[:, 0]))


def polar(x):
    """The hyperbolic plane in polar coordinates."""
    return diagonal(ops.ones_like(x[:, 0]), ops.sinh(x[:, 0]) ** 2)


def bent(x):
    """The plane with both axes bent: none of its fields is in any library."""
    return diagonal((1 + x[:, 0] ** 2 / 20) ** 2, (1 + 0.05 * ops.cos(x[:, 1])) ** 2)


def rippled(metric, size):
    """Without any symmetry, but for so much."""

    def near(x):
        ripple = ops.sin(2 * x[:, 0] + 3 * x[:, 1]) + ops.cos(3 * x[:, 0] - 2 * x[:, 1] + 1)
        return metric(x) * (1 + size * ripple)[:, None, None]

    return near


def fitted(metric, points):
    finder = SymmetryFinder(metric=walled(metric), random_state=0).fit(points)
    assert finder.dimension_bound_ is None
    return finder


def test_smooth_fields_promise_symmetries_that_richer_libraries_have():
    finder = fitted(horocycles, clouds(-1, 1))
    assert finder.n_symmetries_ == 3
    assert "exp(-2*x)" in " ".join(s.expression for s in finder.symmetries_)


def test_a_coordinate_that_goes_far_may_be_an_angle():
    """So few points are no match for polynomials over two turns, but for sines and cosines."""
    assert fitted(polar, clouds(0, 12, 100)).n_symmetries_ == 3


def test_near_symmetries_in_rich_libraries_are_none():
    assert fitted(rippled(horocycles, 3e-5), clouds(-1, 1)).n_symmetries_ == 0


def test_defects_that_come_to_a_halt_are_no_symmetries():
    assert fitted(bent, clouds(-1, 1)).n_symmetries_ == 3
    assert fitted(rippled(bent, 3e-9), clouds(-1, 1)).n_symmetries_ == 0


def test_rich_libraries_in_single_precision():
    """Transport says three; the first library that is tried has none of them."""
    points = np.random.default_rng(0).uniform(-1, 1, (400, 2))
    finder = SymmetryFinder(metric=horocycles, random_state=0)
    ready = problem.prepare(finder, points)
    ready = replace(ready, geometry=replace(ready.geometry, double=False), limit=1e-3)
    constants = vector_fields.library("affine", ready.names, ready.roles, points, 1)
    first = search.solve(constants, ready)
    space = killing_space(horocycles, points, ready.geometry, ready.roles)
    found = search.explore(first, ready, 2, horocycles, space)
    assert found.known == 3
    assert found.best.spectrum[2] < 1e-4
