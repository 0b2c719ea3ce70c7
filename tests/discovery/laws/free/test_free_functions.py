"""Free functions of position: closed forms of them, them as numbers, and where there are none."""

from types import SimpleNamespace

import numpy as np
import pytest
import sympy

import discovery
from discovery.estimation.preparation import prepare
from discovery.laws.free import stages
from discovery.laws.free.description import Flat, Halves, shortest
from discovery.laws.free.one_shape import one_shape_stages
from discovery.laws.free.stages import best_degree, free_stages
from discovery.laws.judging.verdict import Formula
from discovery.libraries.families import polynomial
from discovery.libraries.free_forms import S, free_forms
from discovery.libraries.numeric import Numeric

from .conftest import drift, found


def simulated(flow, starts, duration, columns, noise, seed=0, steps=20):
    """Return noisy runs by fourth-order steps."""
    times = np.linspace(0, duration, 90)
    states, path, h = starts, [starts], (times[1] - times[0]) / steps
    for _ in times[1:]:
        for _ in range(steps):
            k1 = flow(states)
            k2 = flow(states + h / 2 * k1)
            k3 = flow(states + h / 2 * k2)
            states = states + h / 6 * (k1 + 2 * k2 + 2 * k3 + flow(states + h * k3))
        path.append(states)
    rows = np.stack(path, axis=1)
    rng = np.random.default_rng(seed)
    noisy = rows + noise * rows.reshape(-1, rows.shape[2]).std(0) * rng.normal(size=rows.shape)
    return discovery.Trajectories(
        states=noisy, times=times, names=[*columns], roles=[*columns.values()]
    ), rows


def found_in(runs):
    return found(runs, free_stages, one_shape_stages)


def test_what_a_law_may_expand_is_looked_for_once(monkeypatch):
    asked = []
    monkeypatch.setattr(stages, "described", lambda form, *_: asked.append(form) or iter("ab"))
    monkeypatch.setattr(stages.Halves, "of", lambda fit: None)
    law = SimpleNamespace(evidence=SimpleNamespace(flatness=1.0, drift=0.01))
    few, many = (stages.FreeFunctions(SimpleNamespace(factors=((),) * n)) for n in (3, 4))
    assert next(few.imitated_by(law, None, None)) == "a"
    assert [*few.imitated_by(law, None, None)] == ["a", "b"]
    assert len(asked) == 1
    # Beside products of two momenta it takes long.
    assert not [*many.imitated_by(law, None, None)]


def test_a_power_of_the_distance_with_an_exponent_of_its_own():
    """v²/2 − r^(−0.7), of which three other functions of r would do as well."""
    rng = np.random.default_rng(2)
    r, angle = rng.uniform(0.8, 1.6, 40), rng.uniform(0, 2 * np.pi, 40)
    speed = np.sqrt(0.7 * r**-0.7) * rng.uniform(0.7, 1.2, 40)
    there = np.stack([np.cos(angle), np.sin(angle)])
    starts = np.concatenate([r * there, speed * np.stack([-there[1], there[0]])]).T

    def flow(s):
        distance = np.hypot(s[:, 0], s[:, 1])
        pull = -0.7 * distance ** (-2.7)
        return np.concatenate([s[:, 2:], pull[:, None] * s[:, :2]], axis=1)

    columns = dict.fromkeys("xy", "position") | dict.fromkeys(["u", "v"], "velocity")
    runs, _ = simulated(flow, starts, 9, columns, 0.01)
    laws = [law.expression for law in found(runs, free_stages)]
    (energy,) = [law for law in laws if law.atoms(sympy.Pow) and law.has(sympy.Float)]
    (power,) = [p for p in energy.atoms(sympy.Pow) if p.base.is_Add]
    assert float(2 * power.exp) == pytest.approx(-0.7, abs=0.05)


@pytest.mark.parametrize(
    ("walls", "pull"),
    [
        (sympy.sin, lambda x: 1.118 * np.cos(1.3 * x) / np.sin(1.3 * x) ** 3),
        (sympy.sinh, lambda x: 1.44 * np.cosh(0.9 * x) / np.sinh(0.9 * x) ** 3 - 0.5 * x),
    ],
    ids=["between two", "beside one"],
)
def test_potentials_of_walls(walls, pull):
    """.43/sin² 1.3 x (Pöschl and Teller) and .8/sinh² .9 x + x²/4."""
    rng = np.random.default_rng(0)
    starts = np.stack([rng.uniform(0.7, 1.7, 40), rng.normal(0, 0.7, 40)], axis=1)

    def flow(s):
        return np.stack([s[:, 1], pull(s[:, 0])], axis=1)

    runs, clean = simulated(flow, starts, 6, {"x": "position", "p": "momentum"}, 0.0)
    (law,) = (one for one in found(runs, free_stages) if not one.library.learned)
    assert law.expression.has(walls) and drift(law, clean) < 1e-6


@pytest.mark.slow
def test_a_length_is_tried_where_a_potential_takes_three_powers():
    """.43/sin² x + .7/cos² x at 1 % noise, of which four powers of x do as well."""
    rng = np.random.default_rng(0)
    starts = np.stack([rng.uniform(0.4, 1.1, 60), rng.normal(0, 1, 60)], axis=1)

    def flow(s):
        sin, cos = np.sin(s[:, 0]), np.cos(s[:, 0])
        return np.stack([s[:, 1], 0.86 * cos / sin**3 - 1.4 * sin / cos**3], axis=1)

    columns = {"x": "position", "p": "momentum"}
    runs, _ = simulated(flow, starts, 6, columns, 0.01)
    (law,) = discovery.ConservedQuantityFinder(random_state=0).fit(runs).quantities_
    assert law.expression.has(sympy.sin, sympy.cos)


@pytest.mark.slow
def test_the_terms_of_an_energy_in_curved_coordinates():
    """E² of orbits with f = 1 − 2/r: a product of powers of r with p² and L²."""
    rng = np.random.default_rng(1)

    def flow(s):
        r, _, p, spin = s.T
        f = 1 - 2 / r
        square = f * (1 + f * p**2 + spin**2 / r**2)
        pull = -(p**2) / r**2 + spin**2 / r**3 - square / r**2 / f
        return np.stack([f * p, spin / r**2, pull, 0 * r], axis=1)

    r = rng.uniform(9, 14, 50)
    spin = np.sqrt(r**2 / (r - 3)) * rng.uniform(0.97, 1.06, 50)
    starts = np.stack([r, rng.uniform(-3, 3, 50), rng.uniform(-0.03, 0.03, 50), spin], axis=1)
    columns = {"r": "position", "phi": "angle", "p": "momentum", "L": "momentum"}
    runs, clean = simulated(flow, starts, 400, columns, 0.003)
    laws = found_in(runs)
    assert len(laws) == 2 and all(drift(law, clean) < 0.01 for law in laws)
    assert not any(law.library.learned for law in laws)


def well(pull, friction=0.0, seed=0):
    rng = np.random.default_rng(seed)
    starts = rng.uniform(-1.2, 1.2, (40, 2)) * [1.0, 0.5]

    def flow(s):
        return np.stack([s[:, 1], pull(s[:, 0]) - friction * s[:, 1]], axis=1)

    return simulated(flow, starts, 20.0, {"x": "position", "v": "velocity"}, 0.01, seed)


def test_a_power_that_no_library_of_squares_holds():
    runs, clean = well(lambda x: -(x**5))
    (law,) = found_in(runs)
    x, v = sympy.symbols("x v", real=True)
    assert set(sympy.Poly(law.expression, x, v).monoms()) == {(6, 0), (0, 2)}
    assert drift(law, clean) < 0.01


@pytest.mark.slow
def test_a_length_is_searched_where_no_powers_describe_a_potential():
    runs, clean = well(lambda x: -3 * x / (1 + 3 * x**2) ** 1.5)
    (law,) = found_in(runs)
    assert drift(law, clean) < 0.02
    x = sympy.Symbol("x", real=True)
    assert not law.expression.is_polynomial(x) and not law.library.learned


PAIR = {
    name: role
    for role, names in (("position", "x1 y1 x2 y2"), ("velocity", "u1 v1 u2 v2"))
    for name in names.split()
}


def test_two_bodies_have_one_distance():
    """A function of it beside a mass each: few unknowns, in space too."""
    rows = np.random.default_rng(0).normal(size=(60, 12))
    solid = [f"{a}{k}" for k in (1, 2) for a in "xyz"], [f"v{a}{k}" for k in (1, 2) for a in "xyz"]
    for names, roles, states in (
        ([*PAIR], [*PAIR.values()], rows[:, :8]),
        ([*solid[0], *solid[1]], ["position"] * 6 + ["velocity"] * 6, rows),
    ):
        forms = free_forms(names, roles, states, np.full(len(names), 1e-3))
        (form,) = (f for f in forms if f.name == "the distances of bodies")
        assert (len(form.shapes), len(form.plain)) == (1, 2)
        # Places of both bodies make no distance from the origin.
        assert not any("1, " in f.name and "2" in f.name for f in forms)


@pytest.mark.slow
def test_a_force_between_two_bodies_that_no_library_holds():
    """V = 2 r^(3/2), masses 1 and 1.7: energy, momenta, angular momentum, that about the centre."""
    rng = np.random.default_rng(5)

    def flow(s):
        apart = s[:, :2] - s[:, 2:4]
        pull = -3 * apart / np.sqrt(np.linalg.norm(apart, axis=1, keepdims=True))
        return np.hstack([s[:, 4:], pull, -pull / 1.7])

    starts = rng.normal(size=(40, 8)) * np.repeat([1.0, 0.7], 4)
    runs, clean = simulated(flow, starts, 8, PAIR, 0.01)
    laws = found_in(runs)
    assert len(laws) == 5
    assert max(drift(law, clean) for law in laws) < 0.01
    assert any("3/4" in str(law.expression) for law in laws), [str(law.expression) for law in laws]


def dipole(drag, seed=0):
    """A charge about a magnetic dipole (Størmer): L + μ ρ²/r³, a function of two shapes."""
    rng = np.random.default_rng(seed)

    def flow(s):
        q, v = s[:, :3], s[:, 3:]
        square = np.sum(q**2, axis=1, keepdims=True)
        field = (3 * q[:, 2:] * q - square * [0, 0, 1]) / square**2.5
        return np.hstack([v, np.cross(v, field) - drag * v])

    angle, far = rng.uniform(0, 2 * np.pi, 50), rng.uniform(0.35, 0.6, 50)
    speed = rng.normal(size=(50, 3))
    speed *= rng.uniform(0.15, 0.6, (50, 1)) / np.linalg.norm(speed, axis=1, keepdims=True)
    height = rng.uniform(-0.1, 0.1, 50)
    starts = np.column_stack([far * np.cos(angle), far * np.sin(angle), height, speed])
    columns = dict.fromkeys("xyz", "position") | dict.fromkeys("uvw", "velocity")
    # Near the dipole it turns fast: of longer steps the data show that the energy is not kept.
    return simulated(flow, starts, 2.7, columns, 0.01, seed, steps=400)


@pytest.mark.slow
def test_a_momentum_with_a_function_of_two_shapes():
    runs, clean = dipole(0.0)
    laws = found_in(runs)
    assert len(laws) == 2 and all(drift(law, clean) < 0.01 for law in laws)
    x, y, z, u, v, _ = sympy.symbols("x y z u v w", real=True)
    flux = (x**2 + y**2) / (x**2 + y**2 + z**2) ** sympy.Rational(3, 2)
    momentum = laws[1].expression
    assert {momentum.coeff(x * v), -momentum.coeff(u * y)} != {0}
    assert sympy.simplify(momentum / momentum.coeff(x * v) - (x * v - y * u + flux)) == 0


@pytest.mark.slow
def test_friction_leaves_no_momentum():
    assert found(dipole(0.1)[0]) == []


@pytest.mark.slow
def test_functions_of_two_shapes_are_expanded_as_far_as_other_runs_bear_out():
    runs, _ = dipole(0.0)
    orbits = prepare(runs)
    forms = free_forms(runs.names, runs.roles, orbits.smoothed.states, orbits.noise)
    (form,) = (f for f in forms if f.name == "the distance of (x, y) and z")
    assert len(form.free()) == len(form.plain) + form.count(form.degree)
    assert best_degree(form, Halves.of(orbits)) < form.degree


@pytest.mark.parametrize(("drag", "count"), [(0.0, 2), (0.003, 0)])
def test_without_noise_functions_as_numbers_are_known_to_their_error(drag, count):
    """Hénon's isochrone, −1/(b + √(b² + r²)): no closed form is tried, and ten powers leave a rest.

    What is told of the energy holds all the same; friction is no such rest.
    """
    rng = np.random.default_rng(0)

    def flow(s):
        root = np.sqrt(0.4 + np.sum(s[:, :2] ** 2, axis=1, keepdims=True))
        pull = -4.3 * s[:, :2] / (root * (np.sqrt(0.4) + root) ** 2)
        return np.hstack([s[:, 2:], pull - drag * s[:, 2:]])

    starts = rng.normal(size=(24, 4)) * [1, 1, 0.8, 0.8]
    names = dict.fromkeys("xy", "position") | dict.fromkeys("uv", "velocity")
    runs, clean = simulated(flow, starts, 10, names, 0.0)
    laws = found_in(runs)
    assert len(laws) == count
    for law in laws:
        assert drift(law, clean) <= law.evidence.drift_interval[1] < 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_friction_leaves_no_law(seed):
    runs, _ = well(lambda x: -2 * x / (1 + x**2) ** 2, friction=0.1, seed=seed)
    assert found_in(runs) == []


def two_wells(loss, noise=0.003):
    """The part of atoms in one of two wells, and their phase (Smerzi et al. 1997)."""
    rng = np.random.default_rng(0)
    starts = np.stack([rng.uniform(-0.7, 0.7, 40), rng.uniform(-2.5, 2.5, 40)], axis=1)

    def flow(s):
        z, phi = s.T
        root = np.sqrt(1 - z**2)
        along = -root * np.sin(phi) - loss * z
        return np.stack([along, 2.7 * z + z / root * np.cos(phi)], axis=1)

    return simulated(flow, starts, 8, {"z": None, "phi": "angle"}, noise)


@pytest.mark.slow
def test_functions_of_what_stands_beside_an_angle():
    runs, clean = two_wells(0.0)
    (law,) = found_in(runs)
    z, phi = sympy.symbols("z phi", real=True)
    assert {*law.library.expressions()} == {z**2, sympy.sqrt(1 - z**2) * sympy.cos(phi)}
    assert drift(law, clean) < 2e-3
    assert found_in(two_wells(0.05)[0]) == []


def test_other_than_mechanical_data_have_no_forms():
    rows = np.random.default_rng(0).uniform(1, 2, (50, 3))
    assert free_forms(["a", "b", "c"], ["amount"] * 3, rows, np.zeros(3)) == []
    assert free_forms(["a", "b", "c"], ["position", None, "velocity"], rows, np.zeros(3)) == []


def test_a_distance_that_stays_away_from_zero_is_divided_by():
    rng = np.random.default_rng(0)
    names, roles = ["x", "y", "u", "v"], ["position"] * 2 + ["velocity"] * 2
    angle = rng.uniform(0, 6, 200)
    rows = np.stack([np.cos(angle), np.sin(angle), angle, -angle], axis=1)
    rows[:, :2] *= rng.uniform(1, 2, (200, 1))
    (form,) = (f for f in free_forms(names, roles, rows, np.zeros(4)) if "distance" in f.name)
    assert (1 / S,) in form.groups() and (S**2,) not in form.groups()
    x, y = form.symbols[:2]
    assert 1 / sympy.sqrt(x**2 + y**2) in form.described([1 / S]).expressions()


def test_numeric_functions_are_their_terms_and_pay_for_them():
    inner = polynomial(["x", "v"], 3)
    vectors = np.random.default_rng(0).normal(size=(len(inner), 2))
    functions = Numeric(inner, vectors, inner).restrict([1])
    points = np.random.default_rng(1).normal(size=(7, 2))
    covariance = np.broadcast_to(np.eye(2), (7, 2, 2))
    for own, terms in zip(
        functions.jets(points, covariance, 2), inner.jets(points, covariance, 2), strict=True
    ):
        expected = np.einsum("m,...mn->...n", vectors[:, 1], terms)[..., None, :]
        np.testing.assert_allclose(own, expected)
    assert [str(f) for f in functions.expressions()] == ["f2(x, v)"]
    assert Formula(functions, np.ones(1)).free_numbers == len(inner)


@pytest.mark.slow
def test_products_of_momenta_with_functions_of_one_place():
    """E² = f (1 + f p² + L²/r²) about a charged mass, f = 1 − 2/r + 1/(2 r²); some plunge."""
    rng, starts = np.random.default_rng(1), []
    for _ in range(80):
        r, phi, p = rng.uniform(9, 14), rng.uniform(-3, 3), rng.uniform(-0.03, 0.03)
        starts.append([r, phi, p, r / np.sqrt(r - 3) * rng.uniform(0.97, 1.06)])

    def flow(states):
        r, _, p, spin = states.T
        f, slope = 1 - 2 / r + 0.5 / r**2, 2 / r**2 - 1 / r**3
        energy = f * (1 + f * p**2 + spin**2 / r**2)
        push = spin**2 / r**3 - slope * (p**2 + energy / f**2) / 2
        return np.stack([f * p, spin / r**2, push, 0 * r], axis=1)

    columns = {"r": "position", "phi": "angle", "p": "momentum", "L": "momentum"}
    runs, clean = simulated(flow, np.array(starts), 400, columns, 0.003)
    laws = found(runs, free_stages)
    (energy,) = (law for law in laws if law.library.learned or len(law.coefficients) > 1)
    values = energy.values(clean.reshape(-1, 4)).reshape(clean.shape[:2])
    assert np.sqrt(values.var(axis=1).mean()) < 0.01 * values.std()


def test_what_may_be_a_law():
    """What drifts by little; or what noise moves, where it differs more between runs than along."""
    assert Flat(flatness=50.0, drift=0.01).promising
    assert Flat(flatness=1.0, drift=0.5).promising and not Flat(flatness=1.0, drift=0.8).promising
    assert not Flat(flatness=50.0, drift=0.5).promising


def test_the_fewest_functions_that_are_as_flat():
    flatness = {(0,): 9.0, (1,): 1.1, (2,): 1.05, (0, 1): 1.0}
    assert shortest(flatness) == [(1,), (2,)]
    assert shortest(flatness | {(0, 1): 0.9}) == [(0, 1)]
    assert shortest({(0,): 9.0}) == []
