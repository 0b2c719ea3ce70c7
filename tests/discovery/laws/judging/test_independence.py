"""How many laws are not functions of the others: the rank of their gradients."""

import numpy as np
import pytest
import sympy

from discovery import libraries
from discovery.laws.judging.independence import independent, on_surface, span_of, untold
from discovery.laws.judging.law import Law
from discovery.laws.judging.verdict import Verdict

NAMES = ("x", "y", "z", "u", "v", "w")
SYMBOLS = sympy.symbols(NAMES, real=True)
POINTS = np.random.default_rng(0).normal(size=(300, 6))
ENERGY = "(u**2 + v**2 + w**2)/2 - 1/sqrt(x**2 + y**2 + z**2)"
LX, LY, LZ = "y*w - z*v", "z*u - x*w", "x*v - y*u"
LRL = [
    f"v*({LZ}) - w*({LY}) - x/sqrt(x**2 + y**2 + z**2)",
    f"w*({LX}) - u*({LZ}) - y/sqrt(x**2 + y**2 + z**2)",
    f"u*({LY}) - v*({LX}) - z/sqrt(x**2 + y**2 + z**2)",
]


def gradients(expressions, points=POINTS):
    parsed = [sympy.sympify(e, locals=dict(zip(NAMES, SYMBOLS, strict=True))) for e in expressions]
    out = []
    for e in parsed:
        slopes = [sympy.lambdify(SYMBOLS, e.diff(s))(*points.T) for s in SYMBOLS]
        out.append(np.stack(np.broadcast_arrays(*slopes, points[:, 0])[:-1], axis=1).astype(float))
    return out


CHOICES = {
    "H and H² count once": ([ENERGY, f"({ENERGY})**2"], [0]),
    "in the order given": ([f"({ENERGY})**2", ENERGY], [0]),
    "a product of two": ([ENERGY, LZ, f"({ENERGY})*({LZ})"], [0, 1]),
    "Kepler in space has five": ([ENERGY, LX, LY, LZ, *LRL], [0, 1, 2, 3, 4]),
    "angular momentum and its square": (
        [LX, LY, LZ, f"({LX})**2 + ({LY})**2 + ({LZ})**2"],
        [0, 1, 2],
    ),
    "coordinates": (["x", "y", "x + y", "u"], [0, 1, 3]),
    "scale does not matter": (["x", "1e-9*y", "1e9*z"], [0, 1, 2]),
}


@pytest.mark.parametrize(("expressions", "chosen"), CHOICES.values(), ids=CHOICES)
def test_choice(expressions, chosen):
    assert independent(gradients(expressions)) == chosen


@pytest.mark.parametrize(("expressions", "chosen"), CHOICES.values(), ids=CHOICES)
def test_count_is_the_rank(expressions, chosen):
    """The same count by singular values, at every point, with unit rows."""
    matrix = np.stack(gradients(expressions), axis=1)
    matrix /= np.linalg.norm(matrix, axis=2, keepdims=True)
    singular = np.linalg.svd(matrix, compute_uv=False)
    assert np.all((singular > 1e-6).sum(axis=1) == len(chosen))


def test_almost_dependent_is_dependent():
    """Coefficients are known to the noise only: a gradient at 1° to another says nothing new."""
    assert independent(gradients(["x", "x + 0.02*y"])) == [0]


def test_no_functions():
    assert independent([]) == []


def test_identities_do_not_count():
    """On the sphere x² + y² + z² = const., that function is no law, nor is one that adds to it."""
    sphere = gradients(["x**2 + y**2 + z**2"])
    laws = gradients(["(x**2 + y**2 + z**2)**2", LZ, f"{LZ} + x**2 + y**2 + z**2"])
    assert independent(laws, within=sphere) == [1]


def test_points_without_gradient_do_no_harm():
    """At an equilibrium a gradient is zero: no division by it, and the other points decide."""
    points = POINTS.copy()
    points[:100] = 0.0
    squares = gradients(["x**2", "y**2", "x**2 + y**2"], points)
    assert independent(squares) == [0, 1]


def test_a_function_that_never_changes_is_dependent():
    assert independent([np.zeros((50, 3)), np.ones((50, 3))]) == [1]


def identity(expression, names="xyz"):
    (term,) = libraries.custom([expression], names).expressions()
    library = libraries.custom([term], names)
    return Law(library, np.ones(1), term, None, Verdict.IDENTITY, 1.0)


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.15])
def test_multiples_of_an_identity_are_known_on_its_surface(noise):
    """x z beside z = 0, and y (x² + y² − 1) beside x² + y² = 1: at noisy points they look new."""
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 400)
    points = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(400)])
    points += noise * rng.normal(size=points.shape)
    scale = np.array([1.0, 1.0, 0.5])
    known = [identity("z"), identity("x**2 + y**2")]
    near = on_surface(points, scale, known)
    assert np.ptp(near[:, 2]) < 1e-9 and np.ptp(np.hypot(near[:, 0], near[:, 1])) < 1e-6
    within = [law.gradient(near, scale) for law in known]
    others = ["x*z", "z**2*y + z", "y*(x**2 + y**2) - y", "x*y"]
    assert independent([identity(e).gradient(near, scale) for e in others], within) == [3]
    measured = [law.gradient(points, scale) for law in known]
    seen = independent([identity(e).gradient(points, scale) for e in others], measured)
    assert seen == ([3] if noise == 0 else [0])


def test_points_that_no_step_brings_nearer_stay():
    """x² + y² has no gradient at the origin."""
    points = np.zeros((5, 3))
    np.testing.assert_array_equal(on_surface(points, np.ones(3), [identity("x**2 + y**2")]), points)
    assert on_surface(points, np.ones(3), []) is points


def test_a_direction_counts_where_there_is_a_gradient():
    """Of what all obey, times a switch: where that is off only rounding has a direction."""
    one, other = gradients(["x - y", "z*(1.0001*x - y)"], on_the_plane := POINTS.copy())
    assert independent([other], [one]) == [0]
    on_the_plane[:, 1] = on_the_plane[:, 0]
    on_the_plane[:200, 2] = 0.0
    one, other = gradients(["x - y", "z*(1.0001*x - y)"], on_the_plane)
    assert independent([other], [one]) == []


def test_sums_that_known_laws_tell_are_zero():
    """Beside L_z: of L_z, its square and the energy only sums with the energy in them are new."""
    own = gradients([LZ, f"({LZ})**2", ENERGY])
    (target,) = untold(span_of(own[:1]), own)
    size = np.abs(target).max()
    assert abs(target[2]) == size
    np.testing.assert_allclose(target[:2] / size, 0, atol=1e-6)
    assert len(untold(span_of(own), own)) == 0
