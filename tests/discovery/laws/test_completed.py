"""What follows from laws: other components of a vector, and brackets, judged as any formula is."""

from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder, Trajectories, datasets
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.laws.completed import brackets, with_completed
from discovery.laws.search import analyse
from discovery.laws.stages import Closed
from discovery.libraries import custom

NAMES = ("x", "y", "z", "u", "v", "w")
ROLES = ("position",) * 3 + ("velocity",) * 3
x, y, z, u, v, w = symbols = sympy.symbols(NAMES, real=True)
PAIRS = [(x, u), (y, v), (z, w)]
r = sympy.sqrt(x**2 + y**2)


def in_space(upward, n=12, steps=40):
    """Runs in the potential r⁴/4, and another pull along z."""

    def rates(_, s):
        q = s[:3]
        pull = -(q @ q) * q - upward * np.array([0.0, 0.0, q[2]])
        return np.concatenate([s[3:], pull])

    rng = np.random.default_rng(0)
    t = np.linspace(0, 6, steps)
    states = [
        solve_ivp(rates, (0, 6), s, t_eval=t, rtol=1e-9, atol=1e-9).y.T
        for s in rng.uniform(-1, 1, (n, 6))
    ]
    states += 0.005 * np.std(states, axis=(0, 1)) * rng.normal(size=np.shape(states))
    return Trajectories(states=states, times=t, names=NAMES, roles=ROLES)


def found_in(runs, *terms):
    rng = np.random.default_rng(0)
    stages = with_completed([Closed(custom(list(terms), NAMES))], NAMES, ROLES)
    found = analyse(stages, Split.draw(prepare(runs), rng), rng)
    assert len(found.stages) > 1
    return [law for law in found.laws if law.verdict == "exact"]


def test_one_component_of_angular_momentum_brings_the_others():
    laws = found_in(in_space(0.0), "x*v", "y*u")
    assert {frozenset(law.library.expressions()) for law in laws} == {
        frozenset([x * v, y * u]),
        frozenset([y * w, z * v]),
        frozenset([z * u, x * w]),
    }


def test_components_that_move_are_no_laws():
    """About an axis only one is conserved; the others were tried."""
    (law,) = found_in(in_space(2.0), "x*v", "y*u")
    assert set(law.library.expressions()) == {x * v, y * u}


def test_brackets_give_the_third_component():
    (third,) = brackets(y * w - z * v, z * u - x * w, PAIRS)
    assert third in (x * v - y * u, y * u - x * v)
    assert brackets(x * v - y * u, u**2 + v**2 + r**2, PAIRS) == []


def test_the_energy_is_a_factor_of_a_bracket():
    """Of two components of the Runge–Lenz vector in the plane: −2 E L."""
    one = x * v**2 - y * u * v - 3 * x / r
    other = y * u**2 - x * u * v - 3 * y / r
    found = sympy.Matrix(brackets(one, other, PAIRS[:2]))
    known = sympy.Matrix([u**2 + v**2 - 6 / r, x * v - y * u])
    places = [{x: 1.0, y: 0.5, u: a, v: 0.7} for a in (0.3, 0.8)]
    here, there = (
        np.outer(1 / np.array(known.subs(p), dtype=float), np.array(found.subs(p), dtype=float))
        for p in places
    )
    assert np.isclose(here, there).any(axis=1).all()


def test_brackets_of_laws_are_tried():
    """Two components of the Runge–Lenz vector bring the terms of an energy: no axes turn to it."""
    texts = ["x*v**2 - y*u*v - x/sqrt(x**2 + y**2)", "y*u**2 - x*u*v - y/sqrt(x**2 + y**2)"]
    laws = [
        SimpleNamespace(verdict="exact", library=library, expression=sum(library.expressions()))
        for library in (custom([text], NAMES) for text in texts)
    ]
    (_, completed) = with_completed([Closed(laws[0].library)], NAMES, ROLES)
    tried = completed.libraries(None, SimpleNamespace(laws=laws))
    assert any(set(library.expressions()) == {u**2, v**2, 1 / r} for library in tried)


@pytest.mark.parametrize(
    "roles",
    [(None,) * 6, ("angle",) * 3 + ("velocity",) * 3, ("position",) * 4 + ("velocity",) * 2],
)
def test_nothing_turns_where_there_are_no_axes(roles):
    stages = [Closed(custom(["x"], NAMES))]
    assert with_completed(stages, NAMES, roles) == stages


R = sympy.sqrt(x**2 + y**2 + z**2)
POLE = [v * z - w * y + x / R, w * x - u * z + y / R, u * y - v * x + z / R]
SECOND = [w**2 * x, u * w * z, u * v * y, v**2 * x, w * y / R, v * z / R, x / R]


def following(laws):
    """Return the terms of each library that follows from laws, given as formulas."""
    known = [
        SimpleNamespace(verdict="exact", library=custom(law.args, NAMES), expression=law)
        for law in laws
    ]
    (_, completed) = with_completed([Closed(known[0].library)], NAMES, ROLES)
    tried = completed.libraries(None, SimpleNamespace(laws=known)) or []
    return [frozenset(library.expressions()) for library in tried]


def test_a_vector_linear_in_the_velocity_brings_a_second_one():
    assert frozenset(SECOND) in following(POLE)
    assert frozenset(SECOND) not in following(POLE[1:])


def test_the_second_vector_brings_the_only_energy_beside_it():
    energy = frozenset([u**2, v**2, w**2, 1 / R, 1 / R**2])
    assert energy not in following(POLE)
    assert energy in following([*POLE, sympy.Add(*SECOND)])


def test_all_laws_about_a_monopole_are_found_and_named():
    """A charge about a magnetic pole that attracts it (Zwanziger 1968)."""
    runs = datasets.load("magnetic_monopole", 40, 100, 0.002, seed=3)
    laws = ConservedQuantityFinder(random_state=0).fit(runs).report_.quantities
    assert [str(law.verdict) for law in laws] == ["exact"] * 5
    names = sorted(law.name.split(" about")[0].split(" along")[0] for law in laws)
    assert names == ["Runge–Lenz vector", *["canonical angular momentum"] * 3, "energy"]
    clean = datasets.load("magnetic_monopole", 40, 100, 0.0, seed=4).rows
    for law in laws:
        values = law(clean).reshape(40, 100)
        assert values.std(axis=1).max() < 2e-3 * values.std()
