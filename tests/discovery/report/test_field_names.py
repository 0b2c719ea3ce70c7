"""Names of laws of fields: by what they answer to a small change, whatever density they have."""

import pytest
import sympy

from discovery.report.field_names import names_of_integrals

x, y, z = sympy.symbols("x y z")
u, v, h = (sympy.Function(name)(x, y) for name in "uvh")
a, b, c = (sympy.Function(name)(x, y, z) for name in "abc")
PLANE, SPACE = (x, y), (x, y, z)

LAWS = {
    "total of h + u": (h + u, PLANE),
    "enstrophy": (2 * u.diff(y) ** 2 + 2 * v.diff(x) ** 2 - 4 * u.diff(x) * v.diff(y), PLANE),
    "potential enstrophy": (
        (u.diff(y) ** 2 - 2 * u.diff(y) * v.diff(x) + v.diff(x) ** 2) / h,
        PLANE,
    ),
    "momentum along y": (v * u.diff(y), PLANE),
    "helicity": (a * c.diff(y) - a * b.diff(z) - b * c.diff(x), SPACE),
}


@pytest.mark.parametrize("name", LAWS)
def test_names(name):
    density, space = LAWS[name]
    assert names_of_integrals([sympy.Integral(density, *space)]) == [name]


def test_wave_action_beside_a_momentum():
    """∫ u² + v² of velocities is an energy; only of a canonical pair does it generate turns."""
    square = sympy.Integral(3 * u**2 + 3 * v**2, *PLANE)
    assert names_of_integrals([square]) == [None]
    momentum = sympy.Integral(u * v.diff(x), *PLANE)
    assert names_of_integrals([square, momentum]) == ["wave action", "momentum along x"]
    uneven = sympy.Integral(3 * u**2 + 2 * v**2, *PLANE)
    assert names_of_integrals([uneven, momentum]) == [None, "momentum along x"]


def test_of_a_vorticity():
    """Its square's integral is the enstrophy; of another field's that is not known."""
    laws = [sympy.Integral(d, *PLANE) for d in (u, 2 * u**2, u**3)]
    assert names_of_integrals(laws, True) == ["circulation", "enstrophy", "Casimir function"]
    assert names_of_integrals(laws) == ["total of u", None, None]


def test_of_a_field_that_a_density_does_not_hold():
    """∫ v + g u of a damped wave on a line: momentum and energy have other slopes."""
    line = sympy.Symbol("x")
    p, q = (sympy.Function(name)(line) for name in "pq")
    laws = [sympy.Integral(p + 0.3 * q, line), sympy.Integral(q**2, line)]
    assert names_of_integrals(laws) == [None, None]


OTHERS = {
    "unequal parts": (u.diff(y) ** 2 + 2 * v.diff(x) ** 2 - 2 * u.diff(x) * v.diff(y), PLANE),
    "another sign": (a * c.diff(y) + a * b.diff(z) - b * c.diff(x), SPACE),
    "an energy": (u.diff(x) ** 2 + u.diff(y) ** 2 + v**2, PLANE),
}


@pytest.mark.parametrize("name", OTHERS)
def test_laws_without_a_name(name):
    density, space = OTHERS[name]
    assert names_of_integrals([sympy.Integral(density, *space)]) == [None]
    assert names_of_integrals([sympy.S.Zero]) == [None]
