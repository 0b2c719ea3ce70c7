"""The number of Killing fields by transport, in coordinates that no library is made for."""

from dataclasses import replace
from typing import NamedTuple

import keras
import numpy as np
import pytest
import sympy
from keras import ops

from discovery import SymmetryFinder
from discovery.symmetries.geometry import curvature, metric_at_points
from discovery.symmetries.geometry.curvature import christoffel
from discovery.symmetries.geometry.formula_metric import FormulaMetric
from discovery.symmetries.transport import edges, killing_space

DOUBLE = keras.backend.backend() != "jax"  # JAX computes in single precision here
CIRCLE = (-np.pi, np.pi)


def diagonal(*columns):
    return ops.stack(columns, -1)[:, :, None] * ops.eye(len(columns), dtype=columns[0].dtype)


def conformal(x, factor):
    return factor[:, None, None] * ops.eye(x.shape[-1], dtype=x.dtype)


def coframe(*forms):
    """Σ θ ⊗ θ over one-forms given by their components."""
    stacked = ops.stack([ops.stack(form, -1) for form in forms], 1)
    return ops.einsum("bai,baj->bij", stacked, stacked)


def radius(x):
    return ops.sum(x**2, -1)


def line(x):
    return (1 + 0.6 * ops.sin(3 * x[:, 0]) + x[:, 0] ** 2)[:, None, None]


def nil(x):
    one, zero = ops.ones_like(x[:, 0]), 0 * x[:, 0]
    return coframe((one, zero, zero), (zero, one, zero), (x[:, 1] / 2, -x[:, 0] / 2, one))


def spheroid_of_spin(squeeze, stretch):
    """Left-invariant on SU(2), in Euler angles: Berger's sphere where `squeeze` is one."""

    def metric(x):
        s, c, zero = ops.sin(x[:, 2]), ops.cos(x[:, 2]), 0 * x[:, 0]
        side = ops.sin(x[:, 0])
        return coframe(
            (c, s * side, zero),
            (-squeeze * s, squeeze * c * side, zero),
            (zero, stretch * ops.cos(x[:, 0]), stretch + zero),
        )

    return metric


def random_metric(n, size, seed):
    rng = np.random.default_rng(seed)
    waves, phases = rng.normal(size=(5, n)), rng.uniform(0, 6, 5)
    heights = size * rng.normal(size=(5, n, n))

    def metric(x):
        sines = [
            ops.sin(sum(w[i] * x[:, i] for i in range(n)) + p)
            for w, p in zip(waves, phases, strict=True)
        ]
        return coframe(
            *[
                tuple(
                    sum(h[i, j] * s for h, s in zip(heights, sines, strict=True)) + 1.5 * (i == j)
                    for j in range(n)
                )
                for i in range(n)
            ]
        )

    return metric


class Case(NamedTuple):
    metric: object
    box: list
    count: int
    roles: tuple | None = None
    potential: object = None


SQUARE = [(-1, 1), (-1, 1)]
EULER = [(0.5, 2.6), CIRCLE, CIRCLE]
CASES = {
    "plane, parabolic": Case(lambda x: conformal(x, radius(x)), [(0.5, 2), (-1, 1)], 3),
    "plane, elliptic": Case(
        lambda x: conformal(x, ops.sinh(x[:, 0]) ** 2 + ops.sin(x[:, 1]) ** 2),
        [(0.5, 1.5), (-1.5, 1.5)],
        3,
    ),
    "plane, both axes bent": Case(
        lambda x: diagonal((1 + 3 * x[:, 0] ** 2) ** 2, (1 + 0.5 * ops.cos(x[:, 1])) ** 2),
        SQUARE,
        3,
    ),
    "sphere, equal areas": Case(
        lambda x: diagonal(1 / (1 - x[:, 0] ** 2), 1 - x[:, 0] ** 2),
        [(-0.8, 0.8), CIRCLE],
        3,
        (None, "angle"),
    ),
    "cone cut open": Case(
        lambda x: diagonal(ops.ones_like(x[:, 0]), 0.49 * x[:, 0] ** 2), [(0.5, 2), (-1, 1)], 3
    ),
    "cone": Case(
        lambda x: diagonal(ops.ones_like(x[:, 0]), 0.49 * x[:, 0] ** 2),
        [(0.5, 2), CIRCLE],
        1,
        (None, "angle"),
    ),
    "cone from a power of the radius": Case(
        lambda x: conformal(x, radius(x) ** 0.7), [(0.4, 1.5), (0.3, 1.4)], 3
    ),
    "line": Case(line, [(-1, 1)], 1),
    "line with a potential": Case(line, [(-1, 1)], 0, None, lambda x: x[:, 0] ** 2),
    "circle": Case(lambda x: (2 + ops.cos(x[:, 0]))[:, None, None], [CIRCLE], 1, ("angle",)),
    "Enneper's surface": Case(lambda x: conformal(x, (1 + radius(x)) ** 2), SQUARE, 1),
    "monkey saddle": Case(
        lambda x: coframe(
            (ops.ones_like(x[:, 0]), 0 * x[:, 0]),
            (0 * x[:, 0], ops.ones_like(x[:, 0])),
            (3 * x[:, 0] ** 2 - 3 * x[:, 1] ** 2, -6 * x[:, 0] * x[:, 1]),
        ),
        SQUARE,
        0,
    ),
    "Heisenberg group": Case(nil, [(-1, 1)] * 3, 4),
    "Heisenberg group, round potential": Case(
        nil, [(-1, 1)] * 3, 2, None, lambda x: x[:, 0] ** 2 + x[:, 1] ** 2
    ),
    "Berger's sphere": Case(spheroid_of_spin(1.0, 0.6), EULER, 4, ("angle",) * 3),
    "left-invariant on SU(2)": Case(spheroid_of_spin(1.3, 1.7), EULER, 3),
    "S1 x S2": Case(
        lambda x: diagonal(*[ops.ones_like(x[:, 0])] * 2, ops.sin(x[:, 1]) ** 2),
        [CIRCLE, (0.5, 2.6), CIRCLE],
        4,
        ("angle",) * 3,
    ),
    "space round a black hole": Case(
        lambda x: conformal(x, (1 + 0.5 / ops.sqrt(radius(x))) ** 4),
        [(0.5, 2), (0.5, 2), (-1, 1)],
        3,
    ),
    **{
        f"random, {n} coordinates, {size}": Case(random_metric(n, size, n), [(-1, 1)] * n, 0)
        for n, size in ((2, 0.3), (2, 0.01), (3, 0.03))
    },
}


def points_of(case, n=300, seed=0):
    low, high = np.array(case.box, dtype=float).T
    return np.random.default_rng(seed).uniform(low, high, (n, len(case.box)))


@pytest.mark.parametrize("name", CASES)
def test_dimension_in_any_coordinates(name):
    case = CASES[name]
    finder = SymmetryFinder(
        metric=case.metric, roles=case.roles, potential=case.potential, random_state=0
    ).fit(points_of(case))
    if DOUBLE:
        assert finder.dimension_bound_ == finder.n_symmetries_ == case.count
        assert len(finder.symmetries_) == case.count
        assert not finder.undecided_
        assert finder.confidence_ == 1.0
    else:  # where a field has no formula, single precision finds no other form of it
        assert finder.n_symmetries_ == case.count or finder.undecided_


@pytest.mark.skipif(not DOUBLE, reason="expansions need double precision")
def test_fields_are_what_they_are_said_to_be():
    """Quotients come out as formulas; others as expansions with a residual that holds elsewhere."""
    parabolic = CASES["plane, parabolic"]
    finder = SymmetryFinder(metric=parabolic.metric, random_state=0).fit(points_of(parabolic))
    assert "-y ∂x + x ∂y" in [s.expression for s in finder.symmetries_]
    assert all(s.residual < 1e-14 for s in finder.symmetries_)
    one = CASES["line"]
    (along,) = SymmetryFinder(metric=one.metric, random_state=0).fit(points_of(one)).symmetries_
    x = points_of(one, seed=1)
    length = along(x)[:, 0] * np.sqrt(np.asarray(one.metric(ops.convert_to_tensor(x)))[:, 0, 0])
    np.testing.assert_allclose(length, length[0], rtol=1e-3)
    assert along.residual < 1e-3


@pytest.mark.skipif(not DOUBLE, reason="needs double precision")
def test_a_library_that_lacks_symmetries_says_so():
    case = CASES["Berger's sphere"]
    finder = SymmetryFinder(metric=case.metric, library="affine", random_state=0)
    finder.fit(points_of(case))
    assert (finder.n_symmetries_, finder.dimension_bound_) == (2, 4)
    assert finder.undecided_


def test_formulas_and_callables_give_the_same_transport():
    symbols = u, v = sympy.symbols("u v", real=True)
    matrix = sympy.Matrix([[2 + u * v, u], [u, 3 + v**2]])

    def same(x):
        first, second = x[:, 0], x[:, 1]
        rows = [[2 + first * second, first], [first, 3 + second**2]]
        return ops.stack([ops.stack(row, -1) for row in rows], 1)

    ends = np.random.default_rng(0).uniform(-1, 1, (2, 20, 2))
    one, _ = edges.transport(FormulaMetric(matrix, symbols), *ends, 1e-8)
    other, _ = edges.transport(same, *ends, 1e-8 if DOUBLE else 1e-4)
    np.testing.assert_allclose(one, other, atol=1e-12 if DOUBLE else 1e-4)


def test_transport_carries_a_known_field():
    """Rotations of the sphere about a level axis, in spherical angles."""
    theta, phi = symbols = sympy.symbols("theta phi", real=True)
    metric = FormulaMetric(sympy.diag(1, sympy.sin(theta) ** 2), symbols)
    xi = (-sympy.sin(phi), -sympy.cot(theta) * sympy.cos(phi))
    rng = np.random.default_rng(0)
    ends = np.stack([rng.uniform([0.6, -1], [2.4, 1], (30, 2)) for _ in range(2)])

    def state(points):
        """ξ_k and ω_12 by differences."""
        value = sympy.lambdify(symbols, xi)
        h = 1e-5
        at = lambda p: np.stack(np.broadcast_arrays(*value(*p.T)), 1)  # noqa: E731
        slopes = np.stack([(at(points + e) - at(points - e)) / (2 * h) for e in h * np.eye(2)], 1)
        g, dg = metric.at(points)[:2]
        rise = slopes + np.einsum("bkil,bl->bik", christoffel(g, dg), at(points))
        omega = np.einsum("bik,bjk->bij", rise, g)
        lower = np.einsum("bkl,bl->bk", g, at(points))
        return np.concatenate([lower, omega[:, :1, 1]], axis=1)

    carried, error = edges.transport(metric, *ends, 1e-8)
    assert error.max() < 1e-8
    expected = state(ends[1])
    found = np.einsum("bij,bj->bi", carried, state(ends[0]))
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_riemann_of_the_sphere():
    theta, _ = symbols = sympy.symbols("theta phi", real=True)
    metric = FormulaMetric(sympy.diag(1, sympy.sin(theta) ** 2), symbols)
    points = np.random.default_rng(0).uniform(0.5, 2.5, (20, 2))
    g, dg, ddg = metric.second_jet(points)
    tensor = curvature.riemann(g, christoffel(g, dg), ddg)
    one = np.einsum("bji,bkd->bjkid", g, g)
    np.testing.assert_allclose(tensor, one - np.swapaxes(one, 3, 4), atol=1e-12)


def space_of(metric, points, double, roles=(None, None)):
    """What transport tells where the metric is said to be known to one precision or the other."""
    geometry = replace(metric_at_points.evaluate(metric, points), double=double)
    return killing_space.killing_space(metric, points, geometry, roles)


@pytest.mark.skipif(not DOUBLE, reason="changes below single precision")
@pytest.mark.parametrize("double", [True, False])
def test_what_loops_change(double):
    """The less a metric differs from a flat one, the less do they; at last nobody can say."""
    points = points_of(Case(None, SQUARE, 0), 60)
    flat, unsure, bent = (1e-9, 1e-7, 1e-4) if double else (1e-5, 1e-3, 0.3)
    found = [space_of(random_metric(2, size, 2), points, double) for size in (flat, unsure, bent)]
    assert [space.dimension for space in found] == [3, 0, 0]
    assert [space.doubtful for space in found] == [0, 3, 0]


@pytest.mark.skipif(not DOUBLE, reason="needs double precision")
@pytest.mark.parametrize("double", [True, False])
def test_a_loop_through_a_pole_is_none(double):
    """A horn of revolution, too steep at π to be carried through: its rotation is still counted."""
    points = points_of(Case(None, [(0.5, 2.3), CIRCLE], 0), 100)

    def horn(x):
        return diagonal(ops.ones_like(x[:, 0]), 1 / (1.00001 + ops.cos(x[:, 0])) ** 2)

    assert space_of(horn, points, double, ("angle", "angle")).dimension == 1


def test_where_points_cannot_be_joined_nothing_is_said():
    """Two clouds with a wall between them that no edge crosses."""
    (u,) = symbols = sympy.symbols("u,", real=True)
    metric = FormulaMetric(sympy.Matrix([[1 + sympy.exp(1 / u)]]), symbols)
    points = np.concatenate([np.linspace(-1, -0.5, 30), np.linspace(0.5, 1, 30)])[:, None]
    geometry = metric_at_points.evaluate(metric, points)
    assert killing_space.killing_space(metric, points, geometry, (None,)) is None
    finder = SymmetryFinder(metric=metric, random_state=0).fit(points)
    assert finder.dimension_bound_ is None
