"""Coefficients: simple numbers, the user's constants, standard errors and units."""

import numpy as np
import pytest
import sympy

from discovery import ConservedQuantityFinder, datasets
from discovery.formulas.simple_numbers import Numbers, as_numbers, signed
from discovery.report.units import coefficient_units


@pytest.mark.parametrize(
    ("value", "tolerance", "expected"),
    [
        (0.501, 0.01, sympy.Rational(1, 2)),
        (2 / 3, 1e-6, sympy.Rational(2, 3)),
        (np.sqrt(2) / 2, 1e-4, sympy.sqrt(2) / 2),
        (np.pi, 1e-4, sympy.pi),
        (0.58334, 1e-4, sympy.Rational(7, 12)),
        (-0.4, 0.05, -sympy.Rational(2, 5)),
        # Too coarsely known for √3.
        (1.75, 0.02, sympy.Rational(7, 4)),
    ],
)
def test_simplest_number(value, tolerance, expected):
    numbers = Numbers()
    assert numbers.symbolic(numbers.simple(value, tolerance)[0]) == expected


def test_a_decimal_is_cheaper_than_a_multiple_of_a_root():
    """3√3/4 = 1.29904 is nearer to what was measured than 13/10, and odder."""
    numbers = Numbers()
    value, _ = numbers.simple(1.2991, 2e-3, 2e-3)
    assert numbers.symbolic(value) == sympy.Rational(13, 10)
    assert numbers.price(1.3) < numbers.price(3 * np.sqrt(3) / 4) - 4


def test_what_a_number_costs():
    """Two bits for one, as 1/1; half and twice cost the same; digits cost 3.3 bits each."""
    price = Numbers().price
    assert price(1.0) == 2.0
    assert price(2.0) == price(0.5) == pytest.approx(1 + np.log2(3))
    assert price(0.25) == pytest.approx(1 + np.log2(5))
    assert price(1.3) < 7 < price(13 / 12)
    assert price(0.7712) == pytest.approx(np.log2(7713) + 1 + np.log2(5))
    assert price(Numbers.of({"g": 9.81}).constants[0][1]) > Numbers.of({"g": 9.81}).price(9.81)


def test_decimals_of_two_digits_are_simple_numbers_and_written_so():
    numbers = Numbers()
    assert [str(numbers.symbolic(v)) for v in (0.37, 45.0, 1.6)] == ["0.370000", "45", "8/5"]
    assert numbers.simple(0.3702, 2e-3, 2e-3)[0] == pytest.approx(0.37)
    assert Numbers(fractions_alone=True).simple(0.3702, 2e-3)[0] != pytest.approx(0.37)


def test_each_coefficient_is_a_simple_number_or_has_the_digits_it_is_known_to():
    widths = {0: np.array([0.0005, 0.004, 0.004]), 1: np.full(3, 0.004)}
    vector = np.array([1.0, 1.3012, 0.77123])
    out = Numbers().simplest(vector, widths, [1.0], lambda trial: True, measured=True)
    np.testing.assert_allclose(out, [1.0, 1.3, 0.77123])
    assert Numbers().simplest(vector, widths, [0.3], lambda trial: True) is None


def test_what_is_not_simple_is_fitted_beside_what_is():
    """The refit is told what is fixed, and has the last word on the rest."""
    widths = {0: np.array([0.0005, 0.004, 0.004])}

    def refit(values, fixed):
        np.testing.assert_array_equal(fixed, [True, True, False])
        return np.where(fixed, values, 0.77234)

    vector = np.array([1.0, 1.3012, 0.77123])
    out = Numbers().simplest(vector, widths, [1.0], lambda trial: True, True, refit)
    np.testing.assert_allclose(out, [1.0, 1.3, 0.77234])


def test_a_number_that_is_not_simple_stays():
    assert Numbers().simple(0.8123, 1e-4) == (0.8123, np.inf)
    assert str(Numbers().symbolic(0.8123456789)) == "0.812346"


def test_constants_of_the_user():
    numbers = Numbers.of({"g": 9.81, "l": 1.3})
    g, length = sympy.symbols("g l", positive=True)
    assert numbers.symbolic(numbers.simple(2 * 9.81 / 1.3, 1e-4)[0]) == 2 * g / length
    assert numbers.symbolic(numbers.simple(np.sqrt(9.81) / 2, 1e-4)[0]) == sympy.sqrt(g) / 2
    assert numbers.numeric(2 * g) == 2 * 9.81


def test_one_is_simpler_than_a_constant_near_one():
    assert Numbers.of({"a": 0.995}).simple(1.0, 0.01)[0] == 1.0


def test_a_constant_of_the_user_comes_before_pi():
    assert Numbers.of({"a": 3.138}).simple(np.pi, 3e-3)[0] == 3.138


def test_a_constant_of_the_user_is_cheap():
    numbers = Numbers.of({"a": 2.75})
    assert numbers.simple(2.74, 0.01, 0.01)[0] == 2.75
    assert numbers.price(2.75) == pytest.approx(3.0)
    assert Numbers().price(2.75) > 5


@pytest.mark.parametrize(
    ("vector", "expected"),
    [
        ([-1.0, 2.0, 3.0], [-1.0, 2.0, 3.0]),
        ([-1.0, 0.0, 1.0], [1.0, 0.0, -1.0]),
        ([0.0, -1.0, -2.0, 1.0], [0.0, 1.0, 2.0, -1.0]),
    ],
)
def test_most_terms_are_positive_and_of_equals_the_first(vector, expected):
    np.testing.assert_array_equal(signed(np.array(vector)), expected)


def test_exact_coefficients_are_fractions_whatever_their_size():
    assert as_numbers(np.array([45.0, 0.0, -1 / 7])) == [45, 0, -sympy.Rational(1, 7)]
    assert str(as_numbers(np.array([0.123456789]))[0]) == "0.123457"


@pytest.mark.parametrize(
    "bad",
    [
        ["g"],
        {"g": "9"},
        {"g": -1.0},
        {"2g": 1.0},
        {"g": np.nan},
        {"g": 10**400},
        {"g": 1e-300},
        {"g": True},
        {"pi": 3.0},
        {"cos": 1.0},
    ],
)
def test_bad_constants(bad):
    with pytest.raises(ValueError, match="constants"):
        Numbers.of(bad)


def test_a_constant_must_not_be_called_like_a_coordinate():
    with pytest.raises(ValueError, match="x0 is the name of a coordinate"):
        Numbers.of({"x0": 2.0}, ["x0", "x1"])


@pytest.fixture(scope="module")
def oscillators():
    """x'' = −k x with k = 9.81/1.3: the law is u² + (g/l) x²."""
    rng = np.random.default_rng(0)
    omega, t = np.sqrt(9.81 / 1.3), 0.05 * np.arange(120)
    amplitude, phase = rng.uniform(0.5, 2, (40, 1)), rng.uniform(0, 6.3, (40, 1))
    x, u = np.cos(omega * t + phase), -omega * np.sin(omega * t + phase)
    states = np.stack([amplitude * x, amplitude * u], axis=-1).reshape(-1, 2)
    return states + 0.01 * states.std(axis=0) * rng.standard_normal(states.shape)


def found(states, **options):
    groups = np.repeat(np.arange(40), 120)
    return ConservedQuantityFinder(random_state=0, **options).fit(states, groups=groups)


def test_constants_appear_in_formulas(oscillators):
    (law,) = found(oscillators, constants={"g": 9.81, "l": 1.3}).quantities_
    assert {s.name for s in law.expression.free_symbols} == {"x0", "x1", "g", "l"}


def test_standard_errors_cover_the_truth(oscillators):
    (law,) = found(oscillators).quantities_
    (x2, u2) = (sympy.Symbol(n) ** 2 for n in ("x0", "x1"))
    errors = law.standard_errors
    assert min(errors.values()) == 0.0
    ratio, error = law.coefficients[x2] / law.coefficients[u2], max(errors.values())
    relative = error / abs(law.coefficients[x2] if errors[x2] else law.coefficients[u2])
    assert 1e-5 < relative < 1e-2
    assert abs(ratio / (9.81 / 1.3) - 1) < 5 * relative + 0.005
    assert r"\pm" in law.to_latex(errors=True)
    assert set(law.to_dict()["standard_errors"]) == {"x0**2", "x1**2"}


@pytest.mark.slow
def test_standard_errors_grow_with_the_noise():
    sizes = []
    for noise in (0.01, 0.05):
        runs = datasets.load("henon_heiles", 60, 120, noise=noise)
        finder = ConservedQuantityFinder(roles=runs.roles, random_state=0)
        (law,) = finder.fit(runs.rows, groups=runs.groups).quantities_[:1]
        sizes.append(max(law.standard_errors.values()))
    assert sizes[1] > 2 * sizes[0]


def test_units_of_coefficients():
    x, u = sympy.symbols("x u", real=True)
    units = coefficient_units([u**2, x**2, sympy.cos(x / x)], {"x": "m", "u": "m/s"})
    assert str(units[u**2]) == "1"
    assert str(units[x**2]) == "second**(-2)"


@pytest.mark.parametrize(
    ("units", "match"),
    [
        ({"x": "m"}, "u have none"),
        ({"x": "m", "u": "furlongs"}, "furlongs"),
        ({"x": "m", "u": "m/"}, "no unit"),
    ],
)
def test_bad_units(units, match):
    x, u = sympy.symbols("x u", real=True)
    with pytest.raises(ValueError, match=match):
        coefficient_units([u**2, x**2], units)


def test_units_inside_functions():
    x, y = sympy.symbols("x y", real=True)
    with pytest.raises(ValueError, match="no pure number"):
        coefficient_units([sympy.exp(x)], {"x": "m"})
    with pytest.raises(ValueError, match="adds"):
        coefficient_units([sympy.sqrt(x**2 + y**2)], {"x": "m", "y": "s"})


@pytest.mark.parametrize(
    ("value", "interval", "simple"),
    [(2.89, 0.01, False), (1.51, 0.02, True), (2.875, 1e-4, True), (11.04, 0.01, True)],
)
def test_a_fraction_that_chance_would_give_is_none(value, interval, simple):
    """Within a percent of 2.89 lies some p/q of numbers up to 40, whatever the truth."""
    assert np.isfinite(Numbers().simple(value, interval, interval)[1]) == simple


def test_coefficients_stay_inside_their_intervals():
    """1.7² = 2.89 is neither 3 nor 23/8, and the data know it."""
    rng = np.random.default_rng(0)
    t = np.linspace(0, 20, 200)
    a, b = rng.uniform(0.5, 1.5, (60, 1)), rng.uniform(0, 6.3, (60, 1))
    states = np.stack([a * np.cos(1.7 * t + b), -1.7 * a * np.sin(1.7 * t + b)], axis=-1)
    states += 0.01 * rng.standard_normal(states.shape)
    finder = ConservedQuantityFinder(roles=["position", "velocity"], random_state=0)
    (law,) = finder.fit(states.reshape(-1, 2), groups=np.repeat(np.arange(60), 200)).quantities_
    x2, u2 = (law.coefficients[sympy.Symbol(n) ** 2] for n in ("x0", "x1"))
    assert x2 / u2 == pytest.approx(2.89, rel=3e-3)


def test_what_was_refused_is_not_tested_again():
    tested = []

    def allowed(numbers):
        tested.append(tuple(numbers))
        return False

    vector, errors = np.array([1.0, 0.4871, 2.2317]), np.array([5e-4, 0.02, 0.04])
    widths = {0: errors / vector}
    assert Numbers().simplest(vector, widths, (1.0, 0.99, 0.98, 0.1, 0.09), allowed, True) is None
    assert len(tested) > 1 and len(set(tested)) == len(tested)


def test_a_number_is_written_in_the_digits_that_are_asked_for():
    assert float(Numbers().symbolic(0.782738095238, 12)) == pytest.approx(0.782738095238, rel=1e-12)
    assert str(Numbers().symbolic(0.782738095238)) == "0.782738"
