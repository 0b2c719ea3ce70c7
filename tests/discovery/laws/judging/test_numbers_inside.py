"""Numbers inside terms: which there are, how well they are known, and better ones."""

from types import SimpleNamespace

import numpy as np
import pytest
import sympy

from discovery import ConservedQuantityFinder, Trajectories, libraries
from discovery.criteria import LAWS
from discovery.datasets.integrate import integrate
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.formulas.simple_numbers import NUMBERS
from discovery.laws import trials
from discovery.laws.judging.law import Law
from discovery.laws.judging.numbers_inside import (
    numbers_inside,
    with_changes,
    with_errors,
    with_moved_numbers,
)
from discovery.libraries import compiled
from discovery.libraries.embedded import Embedded

K, RUNS, STEPS, NOISE = 1.37, 40, 80, 0.01


@pytest.fixture(scope="module")
def orbits():
    """In the potential 2 cosh(k x)."""
    rng = np.random.default_rng(0)
    starts, times = rng.uniform(-1, 1, (RUNS, 2)), 0.1 * np.arange(STEPS)

    def motion(states):
        x, u = states.T
        return np.stack([u, -2 * K * np.sinh(K * x)], axis=1)

    states = integrate(motion, starts, times).reshape(-1, 2)
    path = raw_path(states + NOISE * rng.standard_normal(states.shape), np.full(2, NOISE))
    return Orbits(path, path, STEPS * np.arange(RUNS + 1), states.std(axis=0))


def energy(k):
    terms = ["u**2", f"exp({k}*x)", f"exp(-{k}*x)"]
    library = libraries.custom(terms, ("x", "u"))
    return Law(library, np.array([0.5, 1.0, 1.0]), None, None, "exact", 3.0)


def test_which_numbers_are_inside():
    x, y = sympy.symbols("x y")
    terms = [sympy.exp(-0.618 * x) / x, sympy.sqrt(x**2 + sympy.Rational(137, 100)), 2.7 * x**2]
    assert sorted(map(float, numbers_inside(terms))) == [0.618, 1.37]
    assert not numbers_inside([x**7 * y, sympy.sqrt(x**2 + y**2), sympy.cos(2 * x)])


def test_an_exponent_is_a_number_inside():
    x, y = sympy.symbols("x y")
    r = sympy.sqrt(x**2 + y**2)
    terms = [x**2.53, x ** sympy.Rational(-2, 5), r**-1.3, x ** sympy.Rational(-7, 2), x**8]
    assert sorted(map(float, numbers_inside(terms))) == [0.4, 0.65, 2.53]


def test_the_user_s_origin_is_none():
    x = sympy.Symbol("x")
    origin = sympy.Rational(27, 25)
    assert not numbers_inside([(x + origin) ** 3, 1 / (x - origin), sympy.log(x + origin)])
    # A place that was fitted, and one in another function.
    assert numbers_inside([(x - 1.08) ** 2]) and numbers_inside([sympy.log(origin - x)])


def test_a_step_leads_to_the_number(orbits):
    """From 5 % off to within 2 %, and by a further step to within 1.2 %."""
    terms = with_moved_numbers(energy(1.3), orbits, NUMBERS)
    (number,) = {float(n) for n in numbers_inside(terms.expressions())}
    assert number == pytest.approx(K, rel=0.02)
    again = with_moved_numbers(energy(number), orbits, NUMBERS)
    if again is not None:
        assert float(numbers_inside(again.expressions())[0]) == pytest.approx(K, rel=0.012)


def test_a_step_beside_a_parameter(orbits):
    """A column that is constant in each run stands beside the coordinates."""
    states = orbits.smoothed.states
    rows = np.column_stack([states, np.ones(len(states))])
    whole = orbits.among(rows, [0, 1], [2])
    terms = ["u**2", "q*exp(1.3*x)", "q*exp(-1.3*x)"]
    library = libraries.custom(terms, ("x", "u", "q"))
    beside = Embedded(library, library.symbols, (0, 1))
    law = Law(beside, np.array([0.5, 1.0, 1.0]), None, None, "exact", 3.0)
    terms = with_moved_numbers(law, whole, NUMBERS)
    assert isinstance(terms, Embedded)
    (number,) = {float(n) for n in numbers_inside(terms.expressions())}
    assert number == pytest.approx(K, rel=0.02)
    assert with_errors(law, whole).inside is not None


@pytest.mark.parametrize("k", [1.2, K])
def test_the_error_holds_the_truth(orbits, k):
    """Also of a number that is off: what moves it counts as error."""
    law = with_errors(energy(k), orbits)
    assert abs(k / K - 1) < 2 * law.inside
    assert law.inside < (0.25 if k != K else 0.03)
    assert len(law.errors) == 3


def test_no_number_inside_has_no_error(orbits):
    library = libraries.custom(["u**2", "x**2"], ("x", "u"))
    law = Law(library, np.ones(2), None, None, "exact", 2.0)
    assert with_errors(law, orbits).inside is None
    assert with_moved_numbers(law, orbits, NUMBERS) is None


def test_the_error_holds_what_rounding_costs(orbits):
    """u² is printed with .58, all runs say .5, and the error is no less than what lies between."""
    library = libraries.custom(["u**2", f"cosh({K}*x)"], ("x", "u"))
    fitted, off = (
        with_errors(Law(library, np.array([c, 2.0]), None, None, "exact", 2.0), orbits).errors
        for c in (0.5, 0.58)
    )
    # The cosh sets the scale, so that the half is what has an error.
    assert max(off[1], fitted[1]) < 1e-12
    assert fitted[0] < 0.04 and off[0] > 0.06


def test_the_report_tells_the_number_and_its_error():
    """A Morse oscillator with a length that is no simple number."""
    rng, k = np.random.default_rng(0), 0.731
    starts = np.stack([rng.uniform(-0.4, 1.0, 60), rng.uniform(-0.5, 0.5, 60)], axis=1)
    times = 0.2 * np.arange(100)

    def motion(states):
        e = np.exp(-k * states[:, 0])
        return np.stack([states[:, 1], -2 * k * (1 - e) * e], axis=1)

    states = integrate(motion, starts, times)
    states = states + 0.01 * states.std(axis=(0, 1)) * rng.standard_normal(states.shape)
    runs = Trajectories(states=states, times=times, names=["x", "p"])
    report = ConservedQuantityFinder(roles=["position", "momentum"], random_state=0).fit(runs)
    (law,) = report.report_.quantities
    assert law.expression.has(sympy.exp)
    numbers = {abs(float(n)) for n in law.expression.atoms(sympy.Number)}
    (found,) = (n for n in numbers if 0.7 < n < 0.8)
    assert abs(found / k - 1) < 3 * law.inside_error
    assert law.to_dict()["inside_error"] == law.inside_error
    assert "number inside a term ±" in " ".join(str(report.report_).split())


def test_of_many_numbers_inside_none_is_moved(monkeypatch):
    """A quotient of two long polynomials: slopes by its numbers take minutes to compile."""
    asked = []
    monkeypatch.setattr(trials, "with_moved_numbers", lambda *_: asked.append(1))
    judge = SimpleNamespace(split=SimpleNamespace(fit=None), numbers=None, criteria=None)
    for fitted in (8, 9):
        library = SimpleNamespace(learned=False, fitted=fitted)
        law = SimpleNamespace(library=library, verdict="", criteria=LAWS)
        assert trials.Trials._with_better_numbers(SimpleNamespace(judge=judge), law) is law
    assert len(asked) == 1


def test_numbers_with_which_a_logarithm_has_no_value_are_not_taken(orbits, monkeypatch):
    def at(k):
        return libraries.custom(["u**2", f"log(cos({k}*x))"], ("x", "u"))

    monkeypatch.setattr(trials, "with_moved_numbers", lambda *_: at(4.1))
    judge = SimpleNamespace(split=SimpleNamespace(fit=orbits), numbers=NUMBERS, criteria=LAWS)
    law = Law(at(0.3), np.ones(2), None, None, "exact", 3.0)
    with np.errstate(invalid="ignore"):
        assert trials.Trials._with_better_numbers(SimpleNamespace(judge=judge), law) is law


def test_what_numbers_change_is_compiled_once_for_all_formulas():
    """Of many candidates with the same terms only the coefficients differ."""
    library = libraries.custom(["u**2", "exp(1.234*x)"], ("x", "u"))
    states, before = np.random.default_rng(0).uniform(1, 2, (4, 2)), []
    for c in (np.array([1.0, 2.0]), np.array([0.3, -1.0])):
        numbers, terms, whole = with_changes(library, c)
        values, slopes, _ = terms.jets(states)
        change = 1.234 * c[1] * states[:, 0] * np.exp(1.234 * states[:, 0])
        np.testing.assert_allclose(values[2], change)
        np.testing.assert_allclose(slopes[0, 2], change * (1 / states[:, 0] + 1.234))
        np.testing.assert_array_equal(values[:2], library.values(states))
        np.testing.assert_array_equal(whole, [*c, 0.0])
        assert list(map(float, numbers)) == [1.234]
        before.append(compiled._compiled_once.cache_info().misses)
    assert before[0] == before[1]
