"""The energy that two components of the Runge–Lenz vector hold between them."""

import numpy as np
import pytest
import sympy

from discovery import datasets
from discovery.noether.completion import missing_energy
from discovery.noether.motion import MeasuredMotion

TURN, ALONG = "x*v - y*u", "Runge–Lenz vector along "


@pytest.fixture(scope="module")
def motion():
    runs = datasets.load("kepler", 12, 100, noise=0.0, seed=0)
    parts = (np.asarray(part) for part in (runs.rows, runs.row_times, runs.offsets))
    return MeasuredMotion(*parts, runs.names, runs.roles, True, np.zeros(4), ((0, 2), (1, 3)))


def vector(k):
    """Both components, where the sun pulls by k/r²."""
    along_x = f"x*v**2 - y*u*v - {k}*x/sqrt(x**2 + y**2)"
    along_y = f"y*u**2 - x*u*v - {k}*y/sqrt(x**2 + y**2)"
    return [sympy.sympify(formula) for formula in (TURN, along_x, along_y)]


NAMES = ["angular momentum", f"{ALONG}x", f"{ALONG}y"]


def test_the_energy_follows_from_two_components(motion):
    (energy,) = missing_energy(vector(1), NAMES, motion).values()
    x, y, u, v = sympy.symbols("x y u v")
    rest = energy - (u**2 / 2 + v**2 / 2 - 1 / sympy.sqrt(x**2 + y**2))
    assert abs(float(rest.subs({x: 0.7, y: 0.2, u: 0.3, v: 1.1}))) < 1e-3


def test_what_moves_the_body_otherwise_is_no_energy(motion):
    """The sun pulls as 1/r², and not as 2/r²."""
    assert missing_energy(vector(2), NAMES, motion) == {}


def test_where_the_energy_is_known_nothing_is_missing(motion):
    assert missing_energy(vector(1), ["energy", *NAMES[1:]], motion) == {}
