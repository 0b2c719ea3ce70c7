"""Place: where fields are seen from, and formulas from there in the user's own units."""

import numpy as np
import pytest
import sympy

from discovery import Trajectories
from discovery.pde.grid import grid_of
from discovery.pde.place import Place

x = sympy.Symbol("x")
u = sympy.Function("u")(x)


def places(mean, spacing=0.4):
    """Return the origins and units of length for a field of spread one."""
    rows = np.random.default_rng(0).normal(mean, 1.0, (50, 16))
    found = Place.choices(rows, grid_of([f"u{p}" for p in range(16)], spacing))
    return [(*place.origins, place.length) for place in found]


def test_a_field_about_zero():
    assert places(0.7) == [(0, 1)]


def test_a_field_off_zero():
    """It is expanded about zero and about a round number near it."""
    assert places(-7.03) == [(0, 1), (-7, 1)]


def test_a_field_far_from_zero():
    """Powers of it, about zero, are all alike."""
    assert places(1299.6) == [(1300, 1)]


def test_a_length_of_no_ordinary_size():
    assert places(0.0, spacing=4e-9) == [(0, sympy.Rational(1, 10**8))]
    assert places(0.0, spacing=4e7) == [(0, 10**8)]


@pytest.mark.parametrize(("shift", "unit"), [(-2e5, 1e-6), (4.0, 1e6)])
def test_formulas_go_back(kdv, find, shift, unit):
    """From another origin and in another unit of length: the same laws of the same values."""
    runs = Trajectories(
        kdv.states + shift,
        times=kdv.times[0],
        names=kdv.names,
        roles=kdv.roles,
        grid_spacing=kdv.grid_spacing * unit,
    )
    mass, momentum, energy = find(runs).quantities_
    assert mass.expression == sympy.Integral(u, x)
    w, slope = u - sympy.Integer(int(shift)), u.diff(x)
    density = energy.expression.function
    ratio = density.coeff(w**3) / density.coeff(slope**2)
    assert float(ratio) == pytest.approx(-2 / unit**2, rel=0.01)
    for quantity in (mass, momentum, energy):
        # What is reported of it is in the same units.
        assert quantity(runs.states).std() == pytest.approx(quantity.spread, rel=0.15)
        values = quantity(runs.states)
        assert values.std(axis=1).mean() < 0.2 * values.std()
