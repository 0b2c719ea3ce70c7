"""Other forms of no more numbers: what a formula imitates takes its place."""

from dataclasses import replace

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

from discovery import ConservedQuantityFinder, Trajectories, libraries
from discovery.estimation.preparation import prepare
from discovery.estimation.split import Split
from discovery.formulas.simple_numbers import NUMBERS
from discovery.laws.judging.verdict import Verdict
from discovery.laws.rivals import also_of, rivals
from discovery.laws.search import analyse
from discovery.laws.stages import Closed, stages_of
from discovery.libraries.embedded import Embedded
from discovery.libraries.library import Library
from discovery.libraries.unknown_scale import SCALE


def simulated(rate, starts, end, samples, noise, seed):
    """Return noisy runs (runs, samples, d) of a flow."""
    rng = np.random.default_rng(seed)
    times = np.linspace(0, end, samples)
    accurate = {"rtol": 1e-10, "atol": 1e-12}
    runs = [
        solve_ivp(lambda _, s: rate(s), (0, end), start, t_eval=times, **accurate).y.T
        for start in starts(rng)
    ]
    spread = np.concatenate(runs).std(axis=0)
    return np.array(runs) + noise * spread * rng.standard_normal(np.shape(runs))


def engine():
    """Return runs of a reversible engine between two bodies: hot, cold, and work that it did."""

    def rate(s):
        hot, cold, _ = s
        flow = (hot - cold) / 300
        return [-flow * hot / 2.0, flow * cold / 3.1, flow * (hot - cold)]

    def starts(rng):
        return rng.uniform([300, 250, 0], [600, 450, 200], (40, 3))

    return simulated(rate, starts, 4.0, 120, 0.01, 3)


def found(runs, library="auto"):
    runs = Trajectories(runs, times=np.linspace(0, 4, 120), names=["hot", "cold", "work"])
    return ConservedQuantityFinder(library=library, random_state=0).fit(runs)


def test_a_quadratic_form_that_imitates_logarithms_gives_way():
    """2 log hot + 3.1 log cold has one number, and what is quadratic and moves as little two."""
    laws = [law.expression for law in found(engine()).quantities_]
    hot, cold = sympy.symbols("hot cold")
    (entropy,) = [law for law in laws if law.has(sympy.log)]
    ratio = entropy.coeff(sympy.log(cold)) / entropy.coeff(sympy.log(hot))
    assert len(laws) == 2
    assert float(ratio) == pytest.approx(1.55, rel=0.01)


def test_a_library_that_was_asked_for_is_not_left():
    laws = found(engine(), libraries.polynomial(["hot", "cold", "work"], 2)).quantities_
    assert laws
    assert not any(law.expression.has(sympy.log) for law in laws)


X, Y, U, V = SYMBOLS = sympy.symbols("x y u v")
POWERS = [U**2, V**2, X**2, Y**2, X * Y**2, X**2 * Y**2, X**3 * Y**2, X**4 * Y**2]
EXPANSION = Library(SYMBOLS, POWERS, np.eye(len(POWERS), dtype=int), "expansion")


@pytest.fixture(scope="module")
def split():
    """Runs in the potential x²/2 + y²/2 + 0.3 y² exp(−x), for search and judge."""

    def rate(s):
        x, y, u, v = s
        fade = 0.3 * np.exp(-x)
        return [u, v, -x + fade * y**2, -y - 2 * fade * y]

    def starts(rng):
        return rng.normal(0, 0.8, (40, 4))

    runs = Trajectories(simulated(rate, starts, 15.0, 240, 0.01, 0), times=np.linspace(0, 15, 240))
    return Split.draw(prepare(runs), np.random.default_rng(0))


@pytest.mark.parametrize("known", [False, True])
def test_powers_that_imitate_an_exponential_beside_a_factor_give_way(split, known):
    others = rivals if known else None
    laws = analyse(stages_of([EXPANSION]), split, np.random.default_rng(0), rivals=others).laws
    assert len(laws) == 1
    assert laws[0].expression.has(sympy.exp) == known


def test_what_is_too_simple_for_chance_imitates_nothing(split):
    (law,) = analyse(stages_of([EXPANSION]), split, np.random.default_rng(0)).laws
    assert law.may_imitate
    assert not replace(law, by_chance=law.criteria.simple_by_chance).may_imitate
    assert not replace(law, verdict=Verdict.IDENTITY).may_imitate


def test_a_law_beside_parameters_may_imitate_as_any(split):
    (law,) = analyse(stages_of([EXPANSION]), split, np.random.default_rng(0)).laws
    beside = replace(law, library=Embedded(law.library, SYMBOLS, (0, 2, 3)))
    assert beside.may_imitate
    others = list(rivals(beside, split.fit, NUMBERS))
    assert others
    assert all(isinstance(some, Embedded) and some.coordinates == (0, 2, 3) for some in others)


def test_stages_are_asked_after_other_forms(split):
    (law,) = analyse(stages_of([EXPANSION]), split, np.random.default_rng(0)).laws
    last = Library(SYMBOLS, [X], [(1,)], "last")

    class OfOthers(Closed):
        def imitated_by(self, law, fit, beside):
            return [self.library]

    stages = [*stages_of([EXPANSION]), OfOthers(last)]
    *others, other = also_of(stages)(law, split.fit, NUMBERS)
    assert other is last
    assert EXPANSION not in others


def test_an_expansion_about_a_rest_gives_way_to_powers_of_what_was_given():
    """A bubble's R³U²/2 + 0.31 R³ + 1.43/R rests at R = 1.11, about which it was expanded."""

    def rate(s):
        r, u = s
        return [u, (1.43 * r**-4 - 0.93 - 1.5 * u**2) / r]

    def starts(rng):
        return rng.uniform([0.8, -0.4], [1.6, 0.4], (30, 2))

    runs = simulated(rate, starts, 8.0, 100, 0.01, 1)
    names = {"names": ["R", "U"], "roles": ["position", "velocity"]}
    runs = Trajectories(runs, times=np.linspace(0, 8, 100), **names)
    (law,) = ConservedQuantityFinder(random_state=0).fit(runs).quantities_
    r, u = sympy.symbols("R U")
    energy = sympy.expand(law.expression)
    kinetic = energy.coeff(u, 2)
    assert sympy.simplify(kinetic / r**3).is_Number
    rest = sympy.expand((energy - kinetic * u**2) / kinetic * r**3)
    assert {*rest.as_coefficients_dict()} == {r**3, 1 / r}
    assert float(rest.coeff(r, -1)) == pytest.approx(2.86, rel=0.02)


def test_functions_that_do_not_describe_a_law_are_not_tried(split, monkeypatch):
    """An exponential of x beside y² describes its expansion; a Gaussian does not."""
    (law,) = analyse(stages_of([EXPANSION]), split, np.random.default_rng(0)).laws
    tried = []
    monkeypatch.setattr(
        "discovery.laws.rivals.tuned", lambda scaled, *_: tried.append(scaled) or []
    )
    assert not list(rivals(law, split.fit, NUMBERS))
    functions = [some.library.expressions()[-1] for some in tried]
    assert Y**2 * sympy.exp(-SCALE * X) in functions
    assert Y**2 * sympy.exp(-((SCALE * X) ** 2)) not in functions


def test_forms_are_compared_where_a_law_has_a_value(split, monkeypatch):
    """Of a logarithm some states have none."""
    terms = [U**2, V**2, sympy.log(X + 1), X**2]
    library = Library(SYMBOLS, terms, np.eye(4, dtype=int), "logarithm")
    (law,) = analyse(stages_of([EXPANSION]), split, np.random.default_rng(0)).laws
    evidence = replace(law.evidence, drift_interval=(0.0, 1.0))
    parts = {"library": library, "coefficients": np.array([1.0, 1.37, 2.11, 0.73])}
    law = replace(law, evidence=evidence, **parts)
    assert not np.isfinite(law.values(split.fit.smoothed.states)).all()
    tried = []
    monkeypatch.setattr(
        "discovery.laws.rivals.tuned", lambda scaled, *_: tried.append(scaled) or []
    )
    assert not list(rivals(law, split.fit, NUMBERS))
    assert tried
