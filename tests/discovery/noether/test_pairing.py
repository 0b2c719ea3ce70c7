"""Symmetries of conserved quantities, momenta of symmetries, and the algebras of both."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from keras import ops
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder, SymmetryFinder, datasets
from discovery.data.frame import Frame
from discovery.noether import phase_space
from discovery.noether.pairing import Pairing, momentum, pair
from discovery.noether.words import describe
from discovery.statements import symmetries_outside

P, V, A, W, M = "position", "velocity", "angle", "angular_velocity", "momentum"
PLANE, PLANE_ROLES = ("x", "y", "u", "v"), (P, P, V, V)
SPACE, SPACE_ROLES = ("x", "y", "z", "px", "py", "pz"), (P, P, P, M, M, M)
R = "sqrt(x**2 + y**2 + z**2)"
L = ["y*pz - z*py", "z*px - x*pz", "x*py - y*px"]
LRL = [
    f"py*({L[2]}) - pz*({L[1]}) - x/{R}",
    f"pz*({L[0]}) - px*({L[2]}) - y/{R}",
    f"px*({L[1]}) - py*({L[0]}) - z/{R}",
]
ROTATIONS = ["rotation in (y, z)", "rotation in (x, z)", "rotation in (x, y)"]
HIDDEN = "hidden symmetry of Laplace–Runge–Lenz kind, quadratic in the momenta"
FRADKIN = "hidden symmetry of Fradkin's kind, quadratic in the momenta"
ALONE = "time translation of the motion in {} alone"
BODIES = ("x1", "y1", "x2", "y2", "u1", "v1", "u2", "v2")

# name: quantities, names, roles, sentences, algebra beside the energy
CASES = {
    "Kepler in the plane": (
        [
            "u**2/2 + v**2/2 - 1/sqrt(x**2 + y**2)",
            "x*v - y*u",
            "u*v*y - v**2*x + x/sqrt(x**2 + y**2)",
        ],
        PLANE,
        PLANE_ROLES,
        ["time translation", "rotation in (x, y)", HIDDEN],
        "so(3)",
    ),
    "Kepler in space": (
        [f"(px**2 + py**2 + pz**2)/2 - 1/{R}", *L, *LRL],
        SPACE,
        SPACE_ROLES,
        ["time translation", *ROTATIONS, *[HIDDEN] * 3],
        "so(4)",
    ),
    "Kepler in space, one vector component found": (
        [f"(px**2 + py**2 + pz**2)/2 - 1/{R}", *L, LRL[0]],
        SPACE,
        SPACE_ROLES,
        ["time translation", *ROTATIONS, HIDDEN],
        "so(4)",
    ),
    "oscillator in the plane": (
        ["x**2 + u**2", "y**2 + v**2", "x*v - y*u", "x*y + u*v"],
        PLANE,
        PLANE_ROLES,
        [ALONE.format("x"), ALONE.format("y"), "rotation in (x, y)", FRADKIN],
        "so(3)",
    ),
    "oscillator in space": (
        ["x**2 + px**2", "y**2 + py**2", "z**2 + pz**2", *L[:2]],
        SPACE,
        SPACE_ROLES,
        [*[ALONE.format(q) for q in "xyz"], *ROTATIONS[:2]],
        "su(3)",
    ),
    "free particle": (
        ["u**2 + v**2", "u", "v", "x*v - y*u"],
        PLANE,
        PLANE_ROLES,
        ["time translation", "translation along x", "translation along y", "rotation in (x, y)"],
        "e(2)",
    ),
    "two masses": (
        [
            "u1**2 + v1**2 + 2*u2**2 + 2*v2**2 + (x1 - x2)**4 + (y1 - y2)**4",
            "u1 + 2*u2",
            "v1 + 2*v2",
        ],
        BODIES,
        (P, P, P, P, V, V, V, V),
        ["time translation", *[f"translation of all bodies along {q}" for q in "xy"]],
        "R^2",
    ),
    # A law that a search may find: the energy less half the square of the total momentum.
    "two masses, relative energy": (
        [
            "u1*u2 - u2**2/4 + v1*v2 - v2**2/4 + 1/sqrt((x1 - x2)**2 + (y1 - y2)**2)",
            "u1 + u2/2",
            "v1 + v2/2",
            "x1*v1 - y1*u1 + (x2*v2 - y2*u2)/2",
        ],
        BODIES,
        (P, P, P, P, V, V, V, V),
        [
            "time translation",
            *[f"translation of all bodies along {q}" for q in "xy"],
            "rotation of all bodies in (x, y)",
        ],
        "e(2)",
    ),
    "particle on a sphere": (
        [
            "omega_theta**2 + sin(theta)**2*omega_phi**2",
            "sin(theta)**2*omega_phi",
            "-sin(phi)*omega_theta - sin(theta)*cos(theta)*cos(phi)*omega_phi",
        ],
        ("theta", "phi", "omega_theta", "omega_phi"),
        (A, A, W, W),
        [
            "time translation",
            "rotation about the axis of phi",
            "isometry -sin(phi) ∂theta - cos(phi)/tan(theta) ∂phi",
        ],
        "so(3)",
    ),
    "double pendulum": (
        ["w1**2 + w2**2/2 + cos(a1 - a2)*w1*w2 - 2*cos(a1) - cos(a2)"],
        ("a1", "a2", "w1", "w2"),
        (A, A, W, W),
        ["time translation"],
        None,
    ),
    "no roles": (["x*v - y*u"], PLANE, None, [None], None),
    "no energy": (["x*v - y*u"], PLANE, PLANE_ROLES, [None], None),
    # In a magnetic field velocities are not canonical: nothing may be said from roles alone.
    "magnetic field": (
        ["u**2 + v**2", "u - 2*y", "v + 2*x"],
        PLANE,
        PLANE_ROLES,
        [None] * 3,
        None,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_symmetry_behind_each_quantity(name):
    quantities, names, roles, sentences, algebra = CASES[name]
    found = pair(quantities, names, roles)
    assert found.symmetries == sentences
    assert found.algebra == algebra


def test_a_report_s_laws_go_in_as_they_are():
    runs = datasets.load("kepler", 20, 60, noise=0.01, seed=0)
    report = ConservedQuantityFinder(random_state=0).fit(runs).report_
    found = pair(report.quantities, report.names, runs.roles)
    formulas = [q.expression for q in report.quantities]
    assert found.symmetries == pair(formulas, report.names, runs.roles).symmetries
    assert "rotation in (x, y)" in found.symmetries


@pytest.mark.slow
def test_brackets_without_an_end_are_given_up():
    """One component of two bodies' Laplace–Runge–Lenz vector makes ever longer brackets."""
    quantities, names, roles, *_ = CASES["two masses, relative energy"]
    spin = "(x1 - x2)*(v1 - v2) - (y1 - y2)*(u1 - u2)"
    vector = f"(v1 - v2)*({spin}) - 3*(x1 - x2)/2/sqrt((x1 - x2)**2 + (y1 - y2)**2)"
    centre = "(x1 + x2/2)*(v1 + v2/2) - (y1 + y2/2)*(u1 + u2/2)"
    found = pair([*quantities, vector, centre], names, roles)
    assert found.symmetries[0] == "time translation"
    assert found.algebra == "unknown"


def test_unbound_orbits_have_another_algebra():
    quantities, names, roles, *_ = CASES["Kepler in space"]
    fast = np.random.default_rng(0).normal(size=(400, 6)) * [1, 1, 1, 3, 3, 3]
    assert pair(quantities, names, roles, states=fast).algebra == "so(3,1)"


def test_rounded_coefficients_as_a_report_gives_them():
    quantities = ["u**2/2 + v**2/2 - 0.998/sqrt(x**2 + y**2)", "0.999*x*v - y*u"]
    found = pair(quantities, PLANE, PLANE_ROLES)
    assert found.symmetries == ["time translation", "rotation in (x, y)"]


def test_an_algebra_of_rounded_quantities():
    """Kepler's in the plane: {A_x, A_y} is the energy times L, which closes if that is central."""
    r = "sqrt(x**2 + y**2)"
    quantities = [f"u**2/2 + v**2/2 - 0.998/{r}", "x*v - y*u", f"u*v*y - v**2*x + x/{r}"]
    assert pair(quantities, PLANE, PLANE_ROLES).algebra == "so(3)"


def test_momentum_of_a_killing_field_is_conserved_along_geodesics():
    def sphere(x):
        zero = ops.zeros_like(x[:, 0])
        rows = ([ops.ones_like(zero), zero], [zero, ops.sin(x[:, 0]) ** 2])
        return ops.stack([ops.stack(row, -1) for row in rows], -2)

    runs = datasets.load("particle_on_sphere", n_trajectories=12, n_steps=60, seed=0)
    q, velocity = runs.rows[:, :2], runs.rows[:, 2:]
    finder = SymmetryFinder(
        metric=sphere, names=("theta", "phi"), roles=(A, A), random_state=0
    ).fit(q)
    assert finder.n_symmetries_ == 3
    for symmetry in finder.symmetries_:
        p = momentum(symmetry, sphere, q, velocity).reshape(12, 60)
        assert np.max(np.std(p, axis=1)) < 1e-4 * np.std(p)
    # And the reverse: what is no symmetry has a momentum that moves.
    p = np.einsum("bi,bi->b", velocity, np.ones_like(q)).reshape(12, 60)
    assert np.max(np.std(p, axis=1)) > 0.1 * np.std(p)


def test_poisson_tensor_with_velocities_against_momenta():
    """The double pendulum's brackets in (q, w) are those in (q, p) after p = M w."""
    a1, a2, w1, w2 = symbols = sympy.symbols("a1 a2 w1 w2", real=True)
    mass = sympy.Matrix([[2, sympy.cos(a1 - a2)], [sympy.cos(a1 - a2), 1]])
    space = phase_space.PhaseSpace(symbols, [(0, 2), (1, 3)], mass, sympy.Integer(0), None)
    tensor = space.tensor()
    p = mass * sympy.Matrix([w1, w2])
    coordinates = sympy.Matrix([a1, a2, p[0], p[1]])
    jacobian = coordinates.jacobian(symbols)
    state = {a1: 0.3, a2: 1.1, w1: -0.7, w2: 0.4}
    brackets = np.array((jacobian * tensor * jacobian.T).subs(state), dtype=float)
    expected = np.block([[np.zeros((2, 2)), np.eye(2)], [-np.eye(2), np.zeros((2, 2))]])
    np.testing.assert_allclose(brackets, expected, atol=1e-12)


def test_momenta_need_a_mechanical_model():
    import keras

    import keras_ndm

    q = np.random.default_rng(0).normal(size=(50, 2))

    def plane(x):
        return ops.eye(2, dtype=x.dtype) + 0 * x[:, :1, None]

    symmetry = SymmetryFinder(metric=plane, degree=1).fit(q).symmetries_[0]
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras_ndm.MetricLayer(hidden=(4,))(inputs))
    with pytest.raises(ValueError, match="not mechanical"):
        momentum(symmetry, model, q, q)
    with pytest.raises(ValueError, match="one shape"):
        momentum(symmetry, plane, q, q[:5])
    with pytest.raises(ValueError, match="finite"):
        momentum(symmetry, plane, q, q * np.nan)


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        (None, "need a role"),
        ((P, P, V, "other"), "need a role"),
        ((P, P, P, V), "do not pair"),
        ((P, P, V, M), "mixed"),
    ],
)
def test_roles_that_do_not_pair(roles, message):
    with pytest.raises(ValueError, match=message):
        phase_space.canonical_pairs(PLANE, roles)
    assert pair(["x*v - y*u"], PLANE, roles).symmetries == [None]


def test_angles_pair_with_their_rates_in_any_order():
    names, roles = ("r", "phi", "omega", "v"), (P, A, W, V)
    assert phase_space.canonical_pairs(names, roles) == [(0, 3), (1, 2)]


@pytest.mark.parametrize(
    ("field", "names", "words"),
    [
        (["1", "0"], "x y", "translation along x"),
        (["1", "2"], "x y", "translation along the direction x + 2*y"),
        (["1 - y", "x - 2"], "x y", "rotation in (x, y) about (2, 1)"),
        (["-y", "x", "0"], "x y z", "rotation in (x, y)"),
        (["-y", "x - z", "y"], "x y z", "rotation about the axis (1, 0, 1)"),
        (["x", "y"], "x y", "dilation"),
        (["-y1", "x1", "-y2", "x2"], "x1 y1 x2 y2", "rotation of all bodies in (x, y)"),
        (["-y1", "x1", "0", "0"], "x1 y1 x2 y2", "isometry -y1 ∂x1 + x1 ∂y1"),
        (["x", "-y"], "x y", "isometry x ∂x - y ∂y"),
        (["x**2", "0"], "x y", "isometry x**2 ∂x"),
    ],
)
def test_words_for_fields(field, names, words):
    symbols = sympy.symbols(names, real=True)
    local = {str(s): s for s in symbols}
    components = [sympy.sympify(c, locals=local) for c in field]
    assert describe(components, symbols, [P] * len(symbols)) == words


def test_a_beam_does_not_hide_the_algebra():
    """Of a beam along x the Runge–Lenz vector's component along x is the same number for all."""

    def repelled(_, state):
        x, y, u, v = state
        force = 1.5 / np.hypot(x, y) ** 3
        return [u, v, force * x, force * y]

    speeds, aims = np.linspace(0.8, 1.6, 5), np.linspace(-2, 2, 8)
    states = np.concatenate(
        [
            solve_ivp(repelled, (0, 12), [-8, aim, speed, 0], max_step=0.2).y.T
            for speed in speeds
            for aim in aims
        ]
    )
    laws = [
        "x*v - y*u",
        "u**2/2 + v**2/2 + 3/(2*sqrt(x**2 + y**2))",
        "x*u*v - y*u**2 - 3*y/(2*sqrt(x**2 + y**2))",
    ]
    roles = ["position"] * 2 + ["velocity"] * 2
    assert pair(laws, ["x", "y", "u", "v"], roles, states).algebra == "sl(2)"


def test_what_errors_leave_of_a_field_is_none():
    """Numbers of the law and of the masses are known to half a part in a thousand."""
    names, roles = ["a", "x", "w", "v"], [A, P, W, V]
    _, x, w, v = sympy.symbols(names, real=True)
    energy = w**2 / 2 + sympy.Rational(3, 10) * w * v * sympy.cos(x) + v**2 / 2
    law = w + 0.3001 * v * sympy.cos(x)
    states = np.random.default_rng(0).normal(size=(300, 4))
    errors = [{v * sympy.cos(x): 5e-4}, {w * v * sympy.cos(x): 5e-4}]
    found = pair([law, energy], names, roles, states, errors)
    assert found.symmetries == ["rotation about the axis of a", "time translation"]
    known = [{term: error / 100 for term, error in own.items()} for own in errors]
    assert "∂x" in pair([law, energy], names, roles, states, known).symmetries[0]


def test_energies_that_do_not_touch_have_masses_of_one():
    """A bowl, its two energies in any multiples: the rotation is one."""
    laws = ["u**2/2 + x**2/2", "0.35*v**2 + 0.35*y**2", "x*v - y*u"]
    assert pair(laws, PLANE, PLANE_ROLES).symmetries[2] == "rotation in (x, y)"


def test_fields_are_told_in_the_units_of_the_user():
    """Angles in degrees, and places about a centre."""
    a, b = sympy.symbols("a b", real=True)
    degrees = Frame((0, 0), (0, 0), (False, False), 0, False, (Fraction(360), Fraction(360)))
    field = [sympy.sin(b), sympy.Integer(0)]
    found = Pairing(["isometry sin(b) ∂a"], None, [], [], "", [field], (a, b), (A, A))
    assert symmetries_outside(found, ("a", "b"), degrees) == ["isometry sin(pi*b/180) ∂a"]
    moved = Frame((Fraction(473, 10), Fraction(17, 2)), (0, 0), (False, False), 0)
    found = Pairing(["rotation in (a, b)", None], None, [], [], "", [[-b, a], None], (a, b), (P, P))
    about = "rotation in (a, b) about (47.3, 8.5)"
    assert symmetries_outside(found, ("a", "b"), moved) == [about, None]
