"""Formulas that noise lets pass for a law: a simpler law, found later, takes their place."""

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
import sympy
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder, datasets, libraries
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.laws.judging.evidence import Evidence, Resamples
from discovery.laws.judging.law import Law
from discovery.laws.judging.selection import select, unexplained
from discovery.laws.judging.verdict import DRIFT_EXCLUDED, Check
from discovery.laws.learned.library import LearnedLibrary, Network


def fitted(flow, starts, length, names, roles, noise, steps=200):
    """Fit runs of a flow, with noise as a fraction of each coordinate's spread."""
    times = np.linspace(0, length, steps)
    runs = [
        solve_ivp(flow, (0, length), start, t_eval=times, rtol=1e-10, atol=1e-12).y.T
        for start in starts
    ]
    rows = np.concatenate(runs)
    rows = rows + noise * rows.std(axis=0) * np.random.default_rng(1).standard_normal(rows.shape)
    groups = np.repeat(np.arange(len(runs)), steps)
    finder = ConservedQuantityFinder(roles=roles, random_state=0)
    return finder.fit(pd.DataFrame(rows, columns=list(names)), groups=groups)


def formulas(finder):
    return {str(q.expression) for q in finder.quantities_[: finder.n_conserved_]}


def food_chain(noise):
    """Prey, its predator, and the predator's predator: x z and x + y + z − log y."""
    starts = np.random.default_rng(0).uniform(0.4, 2.0, (80, 3))

    def flow(_, s):
        x, y, z = s
        return [x * (1 - y), y * (x - z), z * (y - 1)]

    return fitted(flow, starts, 12.0, "xyz", ["amount"] * 3, noise)


@pytest.mark.parametrize("noise", [0.0, 0.01, pytest.param(0.05, marks=pytest.mark.slow)])
def test_short_laws_in_a_null_space_with_shorter_ones(noise):
    """Three flat directions: x z, log x + log z, and one of four terms."""
    found = food_chain(noise)
    assert formulas(found) == {"x*z", "x + y + z - log(y)"}


@pytest.mark.parametrize("noise", [0.01, 0.1])
def test_a_polynomial_gives_way_to_the_exponential(noise):
    """The Morse oscillator's energy, which a polynomial of fifth degree imitates."""
    rng = np.random.default_rng(0)
    starts = np.stack([rng.uniform(-0.3, 0.8, 80), rng.uniform(-0.6, 0.6, 80)], axis=1)

    def flow(_, s):
        e = np.exp(-s[0])
        return [s[1], -2 * (1 - e) * e]

    found = fitted(flow, starts, 20.0, "xp", ["position", "momentum"], noise)
    (law,) = found.quantities_
    assert law.expression.has(sympy.exp)
    assert len(law.coefficients) == 3


@pytest.mark.slow
def test_an_imitation_is_not_counted_beside_the_law():
    """Three particles in Toda's ring at loud noise: a chain's energy imitates the ring's."""
    starts = np.random.default_rng(0).uniform(-1, 1, (100, 6))

    def flow(_, s):
        q, p = s[:3], s[3:]
        a, b, c = np.exp(q[0] - q[1]), np.exp(q[1] - q[2]), np.exp(q[2] - q[0])
        return [*p, c - a, a - b, b - c]

    names = ["q1", "q2", "q3", "p1", "p2", "p3"]
    found = fitted(flow, starts, 10.0, names, ["position"] * 3 + ["momentum"] * 3, 0.1)
    assert found.n_conserved_ == 3


@pytest.mark.slow
def test_two_central_potentials_at_once():
    """Kepler's and an inverse square: the energy needs both, and there is no third law."""
    rng = np.random.default_rng(0)
    low, high = [0.7, -0.3, -0.2, 0.8], [1.3, 0.3, 0.2, 1.2]
    starts = rng.uniform(low, high, (60, 4))

    def flow(_, s):
        r = np.hypot(s[0], s[1])
        pull = -1 / r**3 - 0.15 / r**4
        return [s[2], s[3], pull * s[0], pull * s[1]]

    roles = ["position"] * 2 + ["velocity"] * 2
    assert len(formulas(fitted(flow, starts, 15.0, "xyuv", roles, 0.0))) == 2


def epidemic(noise):
    """Susceptible, infected, recovered; susceptibles fall below the noise at the end."""
    rng = np.random.default_rng(0)
    starts = np.stack([rng.uniform(a, b, 80) for a, b in ((0.5, 1.5), (0.05, 0.4), (0.0, 0.3))], 1)

    def flow(_, s):
        return [-1.2 * s[0] * s[1], 1.2 * s[0] * s[1] - 0.4 * s[1], 0.4 * s[1]]

    return fitted(flow, starts, 15.0, "SIR", ["amount"] * 3, noise)


def test_logarithms_of_what_vanishes_in_noise():
    found = formulas(epidemic(0.01))
    assert "I + R + S" in found
    assert any("log(S)" in law for law in found)


def test_runs_that_come_to_rest_are_complete():
    """A + B ⇌ C: little motion, but all of it was seen."""
    starts = np.random.default_rng(0).uniform(0.2, 2, (60, 3))

    def flow(_, s):
        rate = 0.7 * s[0] * s[1] - 0.3 * s[2]
        return [-rate, -rate, rate]

    found = fitted(flow, starts, 6.0, "ABC", ["amount"] * 3, 0.01)
    assert found.report_.verdict == "laws"
    assert found.n_conserved_ == 2


@pytest.mark.slow
def test_noise_alone_is_no_identity():
    """An angle that noise turns by half a radian: its sine is zero on average, and no law."""
    rng = np.random.default_rng(0)
    time = np.linspace(0, 30, 150)
    speed = rng.uniform(0.5, 2, (60, 1))
    angle = speed * time + rng.uniform(0, 6.3, (60, 1))
    states = np.stack([angle, speed + 0.3 * np.sin(angle)], axis=-1)
    states += np.array([0.6, 0.3]) * rng.standard_normal(states.shape)
    finder = ConservedQuantityFinder(roles=["angle", "angular_velocity"], random_state=0)
    report = finder.fit(states.reshape(-1, 2), groups=np.repeat(np.arange(60), 150)).report_
    assert not report.identities
    assert report.n_conserved == 0


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [("point_vortices", 4), ("enzyme", 2)])
def test_a_formula_that_others_explain_is_not_counted(name, count):
    """At 10 % noise sums of any function of the distances seem conserved, or long polynomials."""
    runs = datasets.load(name, noise=0.1)
    finder = ConservedQuantityFinder(roles=runs.roles, random_state=0)
    frame = pd.DataFrame(runs.rows, columns=runs.names)
    found = finder.fit(frame, groups=runs.groups, times=runs.row_times)
    assert found.n_conserved_ == count


XYZ = ("x", "y", "z")
POINTS = np.random.default_rng(0).uniform(0.5, 2.0, (60, 3))
SURE = Evidence(
    flatness=1.0,
    flatness_interval=(0.9, 1.1),
    smoothed_flatness=1.0,
    smoothed_flatness_interval=(0.9, 1.1),
    signal=50.0,
    drift=0.0,
    drift_interval=(0.0, 1e-4),
    noise=0.1,
    spread=1.0,
    drift_excluded=1e-4,
    drift_chance=0.5,
    moving=0.5,
    slope=1.0,
    cancelled=1.0,
    terms=1.0,
    resamples=Resamples(*(np.ones(1) for _ in fields(Resamples))),
)


def law(*terms, coefficients=None, **evidence):
    coefficients = np.ones(len(terms)) if coefficients is None else np.array(coefficients)
    return Law(
        libraries.custom(terms, XYZ),
        coefficients,
        None,
        replace(SURE, **evidence),
        "exact",
        float(len(terms)),
    )


def orbits_at(constants):
    """Ten samples of each orbit, on which nothing moves."""
    states = np.repeat(constants, 10, axis=0)
    path = raw_path(states, np.full(3, 1e-3))
    return Orbits(path, path, np.arange(0, len(states) + 1, 10), states.std(axis=0))


def chosen(laws, orbits=None):
    kept = select(laws, POINTS, np.ones(3), orbits).laws
    return [laws.index(one) for one in kept]


def test_a_law_known_badly_must_differ_more():
    """Gradients at six degrees: two laws where they are known well, else one."""
    for bound, kept in [(1e-3, [0, 1]), (0.05, [0])]:
        other = law("x", "y", coefficients=[1, 0.1], drift_interval=(0.0, bound))
        assert chosen([law("x"), other]) == kept


def test_learned_features_nearly_alike_count_once():
    """Gradients at eleven degrees: those of networks are not known so well."""
    for mix, kept in [(0.2, [0]), (0.5, [0, 1])]:
        network = Network(
            np.zeros(3), np.ones(3), (), ((np.array([[1, 1], [0, mix], [0, 0]]), np.zeros(2)),)
        )
        features = LearnedLibrary(XYZ, network)
        laws = [
            Law(features.restrict([j]), np.ones(1), None, SURE, "exact", 100.0 + j) for j in (0, 1)
        ]
        assert chosen(laws) == kept


def test_a_doubtful_law_that_others_explain_goes():
    """y is the same on all orbits: what x y tells of an orbit, x tells."""
    orbits = orbits_at(np.column_stack([POINTS[:, 0], np.ones((60, 2))]))
    sure, imitation = law("x"), law("x*y", "x", drift_interval=(0.0, 0.01), moving=0.01)
    assert imitation.doubtful
    assert chosen([sure, imitation], orbits) == [0]
    assert chosen([sure, law("x*y", "x")], orbits) == [0, 1]
    assert chosen([sure, imitation], orbits_at(POINTS)) == [0, 1]


def test_what_a_law_and_the_parameter_explain_is_none():
    """On all orbits y = z³ − z x, z a parameter: an identity, less z times the law x."""
    x, z = POINTS[:, 0], 1 + POINTS[:, 2] ** 2
    orbits = replace(orbits_at(np.column_stack([x, z**3 - z * x, z])), parameters=(2,))
    short, long = law("x"), replace(law("y"), cost=6.0)
    assert not long.doubtful
    assert chosen([short, long], orbits) == [0]
    assert chosen([short, long], replace(orbits, parameters=())) == [0, 1]
    free = replace(orbits_at(POINTS), parameters=(2,))
    assert chosen([short, long], free) == [0, 1]


def test_what_is_nearly_conserved_and_a_parameter_says_nothing():
    """z x/√(x² + y²) of a thin disc is nearly z, a parameter."""
    x, y, z = POINTS.T
    orbits = replace(orbits_at(np.column_stack([x, y / 100, z])), parameters=(2,))
    near = replace(law("z*x/sqrt(x**2 + y**2)", drift_interval=(0.0, 0.01)), verdict="approximate")
    assert chosen([near], orbits) == []
    assert chosen([near], replace(orbits, parameters=())) == [0]
    assert chosen([replace(near, verdict="exact")], orbits) == [0]


def test_what_is_nearly_conserved_and_laws_tell_says_nothing():
    """x² + y²/100 is nearly the square of the law x, and what it moves by may be all of y²."""
    orbits, bound = orbits_at(POINTS), {"drift_interval": (0.0, 1e-3)}
    near = law("x**2", "y**2", coefficients=[1, 0.01], **bound)
    near = replace(near, verdict="approximate", cost=3.0)
    assert chosen([law("x"), near], orbits) == [0]
    assert chosen([near], orbits) == [0]
    assert chosen([law("z"), near], orbits) == [0, 1]
    assert chosen([law("x"), law("z"), near], orbits) == [0, 1]


@pytest.mark.parametrize(
    ("change", "vague"),
    [({}, True), ({"error": 0.01}, False), ({"verdict": "exact"}, False)],
)
def test_a_near_law_of_numbers_hardly_known_is_none(change, vague):
    near = replace(law("x", "y", "z", "x*y", "y*z"), verdict="approximate", error=0.3)
    assert replace(near, **change).vague is vague
    assert not replace(law("x", "y"), verdict="approximate", error=0.3).vague


def test_a_law_beside_a_law_must_be_known_in_what_is_new():
    """In 30 x + y + 0.1 z drift that is small beside x may be all of y."""
    orbits = orbits_at(POINTS)
    excluded = Check(DRIFT_EXCLUDED, 0.012, 0.2, True)
    little = {"moving": 0.01, "drift_interval": (0.0, 0.012)}
    mixed = law("x", "y", "z", coefficients=[20, 1, 0.1], **little)
    mixed = replace(mixed, checks=(excluded,))
    assert mixed.doubtful
    assert chosen([law("x"), mixed], orbits) == [0]
    assert chosen([law("x"), replace(mixed, checks=())], orbits) == [0, 1]
    assert chosen([law("z"), mixed], orbits) == [0, 1]
    # Where the drift of what is new is known by itself, it decides.
    known = replace(mixed, evidence=replace(mixed.evidence, beside=(1e-4, 1e-3)))
    assert chosen([law("x"), known], orbits) == [0, 1]


def test_an_imitation_leaves_that_was_found_first():
    """x y with an error of its own stood before y did: x and it explain each other."""
    orbits = orbits_at(POINTS)
    x, y, imitation = law("x"), law("y", moving=0.01), law("x*y", "x**2*y", coefficients=[1, 1e-3])
    imitation, y = replace(imitation, cost=3.0), replace(y, cost=2.0)
    assert chosen([x, imitation, y], orbits) == [0, 2]


def test_what_is_beyond_doubt_imitates_nothing_longer():
    """On the orbits y = x²: y is known badly, and y + x/5 explains most of it."""
    x = np.linspace(-1, 1, 40)
    orbits = orbits_at(np.column_stack([x, x**2, x]))
    short = law("y", drift_interval=(0.0, 0.2), slope=10.0)
    other = law("y", "x", coefficients=[1, 0.2])
    assert not short.doubtful
    assert chosen([short, other], orbits) == [0, 1]
    assert chosen([replace(short, cost=3.0), other], orbits) == [1]


def test_a_law_comes_back_when_what_it_left_for_has_left():
    """It is nearly a function of x and of what is hardly more than x, which leaves as well."""
    known_badly = {"drift_interval": (0.0, 0.08), "slope": 10.0}
    near = law("x", "y", coefficients=[1, 0.2], **known_badly)
    other = law("y", "z", coefficients=[1, 0.1], drift_interval=(0.0, 0.04), slope=10.0)
    laws = [law("x"), near, replace(other, cost=3.0)]
    assert chosen(laws, orbits_at(POINTS)) == [0, 2]
    assert chosen(laws[:2], orbits_at(POINTS)) == [0]


def test_no_more_laws_than_a_flow_can_have():
    """Three functions of three coordinates are constant together where nothing moves."""
    laws = [law("x"), law("y"), law("z", "x")]
    assert chosen(laws) == [0, 1]
    # Three integrals may be constant, since the fields' coordinates are many more.
    assert chosen(laws, replace(orbits_at(POINTS), are_functions=True)) == [0, 1, 2]


def test_what_others_do_not_explain_of_a_law():
    orbits = orbits_at(POINTS)
    assert unexplained(law("x", "x**2"), [law("x")], orbits) < 1e-6
    assert unexplained(law("y"), [law("x")], orbits) > 0.9
    assert unexplained(law("x*y"), [law("x"), law("y**2")], orbits) < 0.1


def test_two_of_many_laws_explain_what_few_runs_tell():
    """Of three laws 25 runs tell a plane only, of two of them a parabola."""
    orbits, square = orbits_at(POINTS[:25]), law("x*y + y**2")
    assert unexplained(square, [law("x"), law("y")], orbits) < 1e-6
    assert unexplained(square, [law("x"), law("y"), law("z")], orbits) < 1e-6


def test_few_runs_explain_nothing():
    """A polynomial with as many coefficients as there are runs fits any values."""
    assert unexplained(law("y"), [law("x")], orbits_at(POINTS[:3])) == 1.0


def test_price_and_sine_may_be_told():
    """Fields on a grid know their own."""
    laws = [law("x", "y"), law("x")]
    assert chosen(laws) == [1, 0]
    kept = select(laws, POINTS, np.ones(3), price=lambda one: -one.cost).laws
    assert [laws.index(one) for one in kept] == [0, 1]
    kept = select(laws, POINTS, np.ones(3), sine=lambda one: 0.9).laws
    assert [laws.index(one) for one in kept] == [1]
    close = [law("x"), law("x", "y", coefficients=[1, 0.02])]
    assert len(select(close, POINTS, np.ones(3), sine=lambda one: 0.01).laws) == 2


def test_gradients_are_taken_once(monkeypatch):
    """However often the choice is made anew: they may be of a thousand columns."""
    asked, gradient = [], Law.gradient

    def counted(one, points, scale):
        asked.append(one)
        return gradient(one, points, scale)

    monkeypatch.setattr(Law, "gradient", counted)
    orbits = orbits_at(np.column_stack([POINTS[:, 0], np.ones((60, 2))]))
    laws = [law("x"), law("x*y", "x", drift_interval=(0.0, 0.01), moving=0.01)]
    assert chosen(laws, orbits) == [0] and len(asked) == 2
