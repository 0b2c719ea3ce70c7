"""Killing fields of metrics whose symmetries are known."""

from typing import NamedTuple

import keras
import numpy as np
import pytest
import sympy
from keras import ops

from discovery import SymmetryFinder
from discovery.symmetries import lie_operators
from discovery.symmetries.candidates import vector_fields
from discovery.symmetries.geometry import metric_at_points


def diagonal(*columns):
    n = len(columns)
    zero = ops.zeros_like(columns[0])
    rows = [ops.stack([columns[i] if i == j else zero for j in range(n)], -1) for i in range(n)]
    return ops.stack(rows, -2)


def conformal(x, factor):
    return factor[:, None, None] * ops.eye(x.shape[-1], dtype=x.dtype)


def induced(*tangents):
    rows = [
        ops.stack([sum(a * b for a, b in zip(u, v, strict=True)) for v in tangents], -1)
        for u in tangents
    ]
    return ops.stack(rows, -2)


def sphere(x):
    """Stereographic; the unit sphere of any dimension."""
    return conformal(x, 4 / (1 + ops.sum(x**2, -1)) ** 2)


def ellipsoid(a, b, c):
    def metric(x):
        t, p = x[:, 0], x[:, 1]
        s, k, sp, cp = ops.sin(t), ops.cos(t), ops.sin(p), ops.cos(p)
        return induced((a * k * cp, b * k * sp, -c * s), (-a * s * sp, b * s * cp, 0 * s))

    return metric


def bumpy(x):
    u, v = x[:, 0], x[:, 1]
    one, zero = ops.ones_like(u), ops.zeros_like(u)
    hu = 0.5 * (1.3 * ops.cos(1.3 * u + 0.4) * ops.sin(0.9 * v) + 0.4 * u)
    hv = 0.5 * (0.9 * ops.sin(1.3 * u + 0.4) * ops.cos(0.9 * v) - 0.3 * v)
    return induced((one, zero, hu), (zero, one, hv))


def box(*sides):
    low, high = np.array(sides, dtype=float).T
    return lambda rng, n: rng.uniform(low, high, (n, len(sides)))


CIRCLE, ANGLES = (-np.pi, np.pi), ("angle", "angle")


class Case(NamedTuple):
    metric: object
    points: object
    count: int
    roles: tuple | None = None


CASES = {
    "sphere": Case(sphere, box((-1, 1), (-1, 1)), 3),
    "sphere in angles": Case(
        lambda x: diagonal(ops.ones_like(x[:, 0]), ops.sin(x[:, 0]) ** 2),
        box((0.5, 2.6), CIRCLE),
        3,
        ANGLES,
    ),
    "Poincaré disk": Case(
        lambda x: conformal(x, 4 / (1 - ops.sum(x**2, -1)) ** 2), box((-0.5, 0.5), (-0.5, 0.5)), 3
    ),
    "half plane": Case(lambda x: conformal(x, 1 / x[:, 1] ** 2), box((-1, 1), (0.5, 2)), 3),
    "plane": Case(lambda x: conformal(x, ops.ones_like(x[:, 0])), box((-1, 1), (-1, 1)), 3),
    "plane in polar coordinates": Case(
        lambda x: diagonal(ops.ones_like(x[:, 0]), x[:, 0] ** 2),
        box((0.5, 2), CIRCLE),
        3,
        ("position", "angle"),
    ),
    "flat torus": Case(
        lambda x: diagonal(ops.ones_like(x[:, 0]), 2 * ops.ones_like(x[:, 0])),
        box(CIRCLE, CIRCLE),
        2,
        ANGLES,
    ),
    "torus of revolution": Case(
        lambda x: diagonal(ops.ones_like(x[:, 0]), (2 + ops.cos(x[:, 0])) ** 2),
        box(CIRCLE, CIRCLE),
        1,
        ANGLES,
    ),
    "ellipsoid of revolution": Case(ellipsoid(1, 1, 1.5), box((0.5, 2.6), CIRCLE), 1, ANGLES),
    "almost a sphere": Case(ellipsoid(1, 1, 1.05), box((0.5, 2.6), CIRCLE), 1, ANGLES),
    "three-sphere": Case(sphere, box((-1, 1), (-1, 1), (-1, 1)), 6),
    "S2 x R": Case(
        lambda x: diagonal(
            *[4 / (1 + x[:, 0] ** 2 + x[:, 1] ** 2) ** 2] * 2, ops.ones_like(x[:, 0])
        ),
        box((-1, 1), (-1, 1), (-1, 1)),
        4,
    ),
}
# In coordinates that the finder is told nothing about: richer libraries find what is there.
UNTOLD = {
    "sphere": Case(
        lambda x: diagonal(ops.ones_like(x[:, 0]), ops.sin(x[:, 0]) ** 2),
        box((0.5, 2.6), CIRCLE),
        3,
    ),
    "hyperbolic plane, polar": Case(
        lambda x: diagonal(ops.ones_like(x[:, 0]), ops.sinh(x[:, 0]) ** 2),
        box((0.5, 2), CIRCLE),
        3,
    ),
    "hyperbolic plane, horocycles": Case(
        lambda x: diagonal(ops.ones_like(x[:, 0]), ops.exp(1.4 * x[:, 0])), box((-1, 1), (-1, 1)), 3
    ),
    "plane, twisted": Case(
        lambda x: induced(
            (ops.ones_like(x[:, 0]), ops.cos(x[:, 0])), (0 * x[:, 0], ops.ones_like(x[:, 0]))
        ),
        box((-1, 1), (-1, 1)),
        3,
    ),
    "three-sphere": Case(
        lambda x: diagonal(
            ops.ones_like(x[:, 0]),
            ops.sin(x[:, 0]) ** 2,
            (ops.sin(x[:, 0]) * ops.sin(x[:, 1])) ** 2,
        ),
        box((0.5, 2.6), (0.5, 2.6), CIRCLE),
        6,
    ),
    "three-sphere, Hopf": Case(
        lambda x: diagonal(ops.ones_like(x[:, 0]), ops.sin(x[:, 0]) ** 2, ops.cos(x[:, 0]) ** 2),
        box((0.3, 1.2), CIRCLE, CIRCLE),
        6,
    ),
    "Heisenberg group": Case(
        lambda x: induced(
            (ops.ones_like(x[:, 0]), 0 * x[:, 0], 0 * x[:, 0]),
            (0 * x[:, 0], ops.ones_like(x[:, 0]), -x[:, 0]),
            (0 * x[:, 0], 0 * x[:, 0], ops.ones_like(x[:, 0])),
        ),
        box((-1, 1), (-1, 1), (-1, 1)),
        4,
    ),
    "complex projective plane": Case(
        lambda x: (
            ops.eye(4, dtype=x.dtype) / (1 + ops.sum(x**2, -1))[:, None, None]
            - sum(
                u[:, :, None] * u[:, None, :]
                for u in (x, ops.stack([-x[:, 1], x[:, 0], -x[:, 3], x[:, 2]], -1))
            )
            / ((1 + ops.sum(x**2, -1)) ** 2)[:, None, None]
        ),
        box(*[(-1, 1)] * 4),
        8,
    ),
}


def ripples(size, seed):
    """A metric without symmetry, near the flat one."""
    rng = np.random.default_rng(seed)
    waves, phases, heights = rng.normal(size=(6, 2)), rng.uniform(0, 6, 6), rng.normal(size=(6, 3))

    def metric(x):
        f = [
            size
            / 2.5
            * sum(
                heights[k, c] * ops.sin(waves[k, 0] * x[:, 0] + waves[k, 1] * x[:, 1] + phases[k])
                for k in range(6)
            )
            for c in range(3)
        ]
        return induced((ops.exp(f[0]), 0 * f[0]), (f[1], ops.exp(f[2])))

    return metric


CONTROLS = {
    "patch of an ellipsoid": Case(ellipsoid(1, 1.3, 1.7), box((1.2, 1.8), (0.2, 0.9)), 0),
    **{f"ripples {size}": Case(ripples(size, 1), box((-1, 1), (-1, 1)), 0) for size in (0.02, 0.1)},
    "Liouville": Case(
        lambda x: conformal(x, ops.sin(x[:, 0]) + x[:, 1] ** 2 + 2), box((-1, 1), (-1, 1)), 0
    ),
    "triaxial ellipsoid": Case(ellipsoid(1, 1.3, 1.7), box((0.5, 2.6), CIRCLE), 0, ANGLES),
    "almost of revolution": Case(ellipsoid(1, 1.05, 1.5), box((0.5, 2.6), CIRCLE), 0, ANGLES),
    "bumpy": Case(bumpy, box((-1, 1), (-1, 1)), 0),
}


def fitted(case, seed=0, n=300, **options):
    points = case.points(np.random.default_rng(seed), n)
    return SymmetryFinder(metric=case.metric, roles=case.roles, random_state=seed, **options).fit(
        points
    )


@pytest.mark.parametrize("name", CASES)
def test_dimension_of_the_symmetry_space(name):
    case = CASES[name]
    finder = fitted(case)
    assert finder.n_symmetries_ == case.count
    assert len(finder.symmetries_) == case.count
    assert finder.confidence_ == 1.0
    # Rounding in single precision, in which some backends compute, is the worst there is.
    assert all(s.residual < 1e-4 and s.kind == "isometry" for s in finder.symmetries_)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX computes in single precision")
@pytest.mark.parametrize("name", UNTOLD)
def test_dimension_where_no_role_tells_what_the_coordinates_are(name):
    case = UNTOLD[name]
    finder = fitted(case)
    assert finder.n_symmetries_ == case.count
    assert len(finder.symmetries_) == case.count
    assert all(s.residual < 1e-4 for s in finder.symmetries_)
    # Their values are independent fields.
    points = case.points(np.random.default_rng(1), 50)
    values = np.stack([s(points).ravel() for s in finder.symmetries_], axis=1)
    lengths = np.linalg.svd(values / np.linalg.norm(values, axis=0), compute_uv=False)
    assert lengths[-1] > 1e-3


@pytest.mark.parametrize("name", CONTROLS)
@pytest.mark.parametrize("seed", range(10))
def test_no_symmetry_is_reported_where_there_is_none(name, seed):
    finder = fitted(CONTROLS[name], seed)
    assert finder.n_symmetries_ == 0
    assert finder.symmetries_ == []


def test_formulas_are_the_known_ones():
    expressions = [s.expression for s in fitted(CASES["plane"]).symmetries_]
    assert sorted(expressions) == ["-y ∂x + x ∂y", "∂x", "∂y"]
    expressions = [s.expression for s in fitted(CASES["sphere"]).symmetries_]
    assert "-y ∂x + x ∂y" in expressions
    assert "(x**2 - y**2 + 1) ∂x + 2*x*y ∂y" in expressions


def test_scalings_are_told_apart_from_isometries():
    plane = fitted(CASES["plane"], degree=1)
    assert [s.expression for s in plane.homotheties_] == ["x ∂x + y ∂y"]
    assert plane.conformal_ == []
    # The conformal group of the three-sphere is SO(4, 1): ten fields, six of them isometries.
    three_sphere = fitted(CASES["three-sphere"])
    assert three_sphere.homotheties_ == []
    assert len(three_sphere.conformal_) == 4


def test_a_potential_leaves_the_symmetries_that_keep_it():
    def central(x):
        return ops.sum(x**2, -1) ** 2

    def along_x(x):
        return x[:, 1] ** 3

    def skew(x):
        return x[:, 0] ** 3 + 2 * x[:, 1] ** 2

    found = {
        v: [s.expression for s in fitted(CASES["plane"], potential=v).symmetries_]
        for v in (central, along_x, skew)
    }
    assert found[central] == ["-y ∂x + x ∂y"]
    assert found[along_x] == ["∂x"]
    assert found[skew] == []


def test_a_slight_break_is_listed_as_nearly_but_not_counted():
    def metric(x):
        return diagonal(
            ops.ones_like(x[:, 0]), (2 + ops.cos(x[:, 0])) ** 2 + 0.03 * ops.sin(x[:, 1])
        )

    finder = fitted(CASES["torus of revolution"]._replace(metric=metric))
    assert finder.n_symmetries_ == 0
    assert [s.kind for s in finder.nearly_] == ["nearly"]
    assert 1e-3 < finder.nearly_[0].residual < 0.03


def test_defects_do_not_depend_on_units():
    case = CONTROLS["bumpy"]
    rng = np.random.default_rng(0)
    points = case.points(rng, 300)
    defects = SymmetryFinder(metric=case.metric, random_state=0).fit(points).spectrum_
    stretched = SymmetryFinder(metric=lambda x: 9.0 * bumpy(x / 100.0), random_state=0).fit(
        100.0 * points
    )
    np.testing.assert_allclose(stretched.spectrum_, defects, rtol=1e-3)


def test_a_library_of_the_users_own():
    points = CASES["half plane"].points(np.random.default_rng(0), 200)
    metric = CASES["half plane"].metric
    scalars = SymmetryFinder(metric=metric, library=["1", "x"]).fit(points)
    assert [s.expression for s in scalars.symmetries_] == ["∂x"]
    x, y = sympy.symbols("x y")
    fields = SymmetryFinder(metric=metric, library=[(x, y), (y, x), (1, 0)]).fit(points)
    assert {s.expression for s in fields.symmetries_} == {"∂x", "x ∂x + y ∂y"}


def test_a_symmetry_is_callable():
    rotation = next(s for s in fitted(CASES["plane"]).symmetries_ if s.expression == "-y ∂x + x ∂y")
    np.testing.assert_allclose(rotation(np.array([[3.0, 4.0]])), [[-4.0, 3.0]])
    values, slopes = rotation.jets(np.array([[3.0, 4.0]]))
    np.testing.assert_allclose(values, [[-4.0, 3.0]])
    np.testing.assert_allclose(slopes, [[[0.0, 1.0], [-1.0, 0.0]]])
    with pytest.raises(ValueError, match=r"shape \(N, 2\)"):
        rotation(np.zeros((5, 3)))


def test_lie_derivative_against_symbolic_differentiation():
    """On a metric and fields without any symmetry, so that every term counts."""
    x, y = symbols = sympy.symbols("x y", real=True)
    g = sympy.Matrix([[2 + x * y, x], [x, 3 + y**2]])
    xi = sympy.Matrix([x**2 * y, sympy.sin(x) + y])
    lie = sympy.Matrix(
        2,
        2,
        lambda i, j: sum(
            xi[k] * g[i, j].diff(symbols[k])
            + g[k, j] * xi[k].diff(symbols[i])
            + g[i, k] * xi[k].diff(symbols[j])
            for k in range(2)
        ),
    )
    inverse = g.inv()
    square = sympy.lambdify(symbols, (inverse * lie * inverse * lie).trace())

    def metric(p):
        u, v = p[:, 0], p[:, 1]
        return ops.stack([ops.stack([2 + u * v, u], -1), ops.stack([u, 3 + v**2], -1)], -2)

    points = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    operators = lie_operators.lie_operators(
        vector_fields.VectorFields(symbols, [tuple(xi)]),
        points,
        metric_at_points.evaluate(metric, points),
    )
    np.testing.assert_allclose(
        np.sum(operators.lie[:, :, 0] ** 2, axis=1), square(*points.T), rtol=1e-4
    )


def test_covariant_derivative_of_a_rotation_of_the_plane_in_two_charts():
    """‖∇ξ‖² of a rotation is 2 everywhere, and ‖ξ‖² = r², in any coordinates."""
    rng = np.random.default_rng(0)
    points = CASES["plane in polar coordinates"].points(rng, 100)
    r, phi = sympy.symbols("r phi", real=True)
    operators = lie_operators.lie_operators(
        vector_fields.VectorFields((r, phi), [(0, 1)]),
        points,
        metric_at_points.evaluate(CASES["plane in polar coordinates"].metric, points),
    )
    np.testing.assert_allclose(np.sum(operators.size[:, :4, 0] ** 2, axis=1), 2.0, rtol=1e-4)
    ratio = np.sum(operators.size[:, 4:, 0] ** 2, axis=1) / points[:, 0] ** 2
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)
