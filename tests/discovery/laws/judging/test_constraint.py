"""An identity ties coordinates to each other; noise does not."""

import numpy as np
import pytest

from discovery import ConservedQuantityFinder, Trajectories, libraries
from discovery.criteria import LAWS
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import raw_path
from discovery.laws.judging.constraint import (
    apart_by_own_noise,
    chance_of_constraint,
    flatness_without_factor,
    slope_beyond_noise,
)
from discovery.libraries.library import Library
from discovery.libraries.monomials import symbols_of

NAMES = ("x", "y", "z")


def chance(expressions, coefficients, states, noise, seed=0, parameters=()):
    rng = np.random.default_rng(seed)
    states = np.column_stack([states, rng.normal(size=len(states))])
    measured = raw_path(states + noise * rng.normal(size=states.shape), np.full(3, noise))
    offsets = np.array([0, len(states) // 2, len(states)])
    orbits = Orbits(measured, measured, offsets, states.std(axis=0), parameters=parameters)
    terms = libraries.custom(expressions, NAMES)
    return chance_of_constraint(terms, np.array(coefficients, dtype=float), orbits, rng)


def apart(expressions, coefficients, states, noise, parameters=()):
    rng = np.random.default_rng(0)
    states = np.column_stack([states, np.zeros(len(states))])
    measured = raw_path(states + noise * rng.normal(size=states.shape), np.full(3, noise))
    offsets = 30 * np.arange(len(states) // 30 + 1)
    orbits = Orbits(measured, measured, offsets, np.ones(3), parameters=parameters)
    terms = libraries.custom(expressions, NAMES)
    return apart_by_own_noise(terms, np.array(coefficients, dtype=float), orbits)


def without_factor(expressions, coefficients, states, noise):
    states = np.column_stack([states, np.zeros(len(states))])
    rng = np.random.default_rng(0)
    path = raw_path(states + noise * rng.normal(size=states.shape), np.full(3, noise))
    orbits = Orbits(path, path, 30 * np.arange(len(states) // 30 + 1), np.ones(3))
    powers = [tuple(e) for e in expressions]
    terms = Library(symbols_of(NAMES), symbols_of(NAMES), powers)
    return flatness_without_factor(terms, np.array(coefficients, dtype=float), orbits)


def circle(n=300):
    angle = np.random.default_rng(1).uniform(0, 2 * np.pi, n)
    return np.column_stack([np.cos(angle), np.sin(angle)])


@pytest.mark.parametrize("noise", [1e-6, 0.01, 0.1, 0.25])
def test_a_circle_is_a_constraint(noise):
    assert chance(["x**2", "y**2"], [1, 1], circle(), noise) == 1e-3


def test_unrelated_coordinates_pass_as_often_as_the_level_says():
    """The probability is uniform where there is nothing: at most a tenth of it below a tenth."""
    rng = np.random.default_rng(2)
    seen = [
        chance(["x**4", "y**2", "x*y"], [1, -0.4, 2], rng.uniform(-1, 1, (60, 2)), 0.3, seed)
        for seed in range(60)
    ]
    assert np.mean(np.array(seen) <= 0.1) <= 0.2 and 0.35 < np.mean(seen) < 0.65


def test_what_a_parameter_makes_alike_is_no_constraint():
    """Two numbers without relation, both larger in the second run: a parameter may be why."""
    larger = np.repeat([0.0, 5.0], 150)[:, None]
    states = larger + np.random.default_rng(3).uniform(-1, 1, (300, 2))
    assert chance(["x", "y"], [1, -1], states, 0.01) == 1e-3
    assert chance(["x", "y"], [1, -1], states, 0.01, parameters=(2,)) > 0.05
    circles = circle() * np.repeat([1.0, 2.0], 150)[:, None]
    assert chance(["x**2", "y**2"], [1, 1], circles, 0.01, parameters=(2,)) == 1e-3


def test_a_factor_that_is_often_small_does_not_make_an_identity():
    """x³ (x² − y² / 2) is small wherever x is; on the unit square x² − y² / 2 is not zero."""
    square = np.random.default_rng(4).uniform(-1, 1, (300, 2))
    products = [(5, 0, 0), (3, 2, 0)]
    assert without_factor(products, [1, -0.5], square, 0.05) > 10
    # On the line x = y √½ it is zero; what is left is so too.
    line = np.column_stack([square[:, 0], square[:, 0] * np.sqrt(2)])
    assert 0 < without_factor(products, [1, -0.5], line, 0.01) < 1.2
    # Nothing is shared; or the value is a constant that is not zero, and nothing can be divided.
    assert without_factor([(2, 0, 0), (0, 2, 0)], [1, -0.5], square, 0.05) == 0
    hyperbola = np.column_stack([np.exp(square[:, 0]), np.exp(-square[:, 0])])
    assert without_factor([(1, 1, 0), (2, 2, 0)], [1, 1], hyperbola, 0.01) == 0


def test_one_coordinate_is_tied_to_nothing():
    assert chance(["x**6"], [1], circle(), 0.1) == 1.0


def test_what_stays_zero_ties_nothing_to_it():
    """x y, where x is zero but for noise, says nothing of y."""
    states = np.column_stack([np.zeros(300), np.random.default_rng(0).uniform(-1, 1, 300)])
    assert chance(["x*y"], [1], states, 0.05) > 0.01


def test_what_is_zero_in_any_order_ties_nothing():
    """A switch is its own square; what stands beside it takes out the bias of no noise."""
    x, noise = circle()[:, 0], 1e-6
    states = np.column_stack([x, np.arange(300) % 2, 1e3 * x])
    path = raw_path(states, np.full(3, noise))
    orbits = Orbits(path, path, np.array([0, 150, 300]), states.std(axis=0))
    terms = libraries.custom(["x*y**2", "x*y", "z"], NAMES)
    numbers = np.array([1.0, -1.0, 1e-3 * noise**2])
    assert chance_of_constraint(terms, numbers, orbits, np.random.default_rng(0)) == 1.0


def test_uniform_numbers_obey_nothing():
    """Noise that was told as a tenth lets x⁶ seem constant: it is steep where it is not small."""
    rows = np.random.default_rng(0).uniform(-1, 1, (2000, 2))
    finder = ConservedQuantityFinder("polynomial", noise=0.1, random_state=0)
    report = finder.fit(rows, groups=np.repeat(np.arange(20), 100)).report_
    degree_six = ConservedQuantityFinder(
        libraries.polynomial(("x0", "x1"), 6), noise=0.1, random_state=0
    )
    six = degree_six.fit(rows, groups=np.repeat(np.arange(20), 100)).report_
    assert not report.identities and not six.identities
    assert report.n_conserved == six.n_conserved == 0


@pytest.mark.parametrize("noise", [0.01, 0.1])
def test_an_identity_is_one_value_by_the_noise_of_each_state(noise):
    assert 0.5 < apart(["x**2", "y**2"], [1, 1], circle(), noise) < 1.2


def test_the_noise_of_a_few_states_does_not_hide_what_the_others_tell():
    """x y varies by its noise and more where x is small, and by less than the noise of the rest."""
    rng = np.random.default_rng(1)
    x, y = np.full(600, 0.01), rng.uniform(-0.3, 0.3, 600)
    x[540:], y[540:] = 10.0, 0.0
    product = x * y
    assert product.var() < np.mean((x**2 + y**2) * 1e-4)
    assert apart(["x*y"], [1], np.column_stack([x, y]), 0.01) > 1.2


def test_what_parameters_may_explain_is_not_held_against_an_identity():
    states = np.repeat([[1.0, 1.0], [2.0, 2.0]], 150, axis=0)
    assert apart(["x", "y"], [1, 1], states, 0.01) > 1.2
    assert apart(["x", "y"], [1, 1], states, 0.01, parameters=(2,)) < 1.2


def test_what_few_runs_show_is_not_obeyed_by_all():
    """Some of the runs fly off along x = v, far beyond the noise that hides all others."""
    rng, t = np.random.default_rng(0), np.linspace(0, 8, 80)
    phase = rng.uniform(0, 6.3, (30, 1))
    bounded = 0.3 * np.stack([np.cos(t + phase), np.sin(t + phase)], axis=-1)
    away = np.exp(t + rng.uniform(-1, 1, (10, 1)))[:, :, None] * np.ones(2)
    states = np.concatenate([bounded, away])[rng.permutation(40)]

    def identities(noise):
        noisy = states + noise * rng.normal(size=states.shape)
        runs = Trajectories(states=noisy, times=t, names=["x", "v"])
        finder = ConservedQuantityFinder(library=["x", "v"], random_state=0)
        return finder.fit(runs).report_.identities

    assert identities(3.0) == []
    bounded[:, :, 1] = bounded[:, :, 0]
    states = 30 * np.concatenate([bounded, away])
    assert [str(own.expression) for own in identities(3.0)] == ["-v + x"]


def slope(expressions, coefficients, states, noise):
    """Return the statistic, and whether it is passed."""
    rng = np.random.default_rng(0)
    path = raw_path(states + noise * rng.normal(size=states.shape), np.full(2, noise))
    orbits = Orbits(path, path, np.array([0, len(states)]), np.ones(2))
    terms, numbers = libraries.custom(expressions, NAMES[:2]), np.array(coefficients, dtype=float)
    return slope_beyond_noise(terms, numbers, orbits)


@pytest.mark.parametrize("noise", [1e-6, 0.01, 0.1])
def test_powers_of_an_identity_say_nothing_new(noise):
    """A circle says something, its square does not."""
    limit = LAWS.identity_slope
    assert slope(["x**2", "y**2"], [1, 1], circle(), noise) > limit
    assert slope(["x", "y"], [1, -1], circle()[:, [0, 0]], noise) > limit
    square = ["x**2", "x*y", "y**2"]
    assert slope(square, [1, -2, 1], circle()[:, [0, 0]], noise) < limit
    assert slope(["y*x**2", "y**2*x", "y**3"], [1, -2, 1], circle()[:, [0, 0]], noise) < limit


def test_what_is_small_in_a_narrow_range_says_nothing():
    narrow = circle() * [1.0, 1e-4] + [0.0, 4.0]
    cube = ["x*y**3", "x*y**2", "x*y", "x"]
    assert slope(cube, [1, -12, 48, -64], narrow, 1e-6) < LAWS.identity_slope


@pytest.mark.slow
def test_of_a_column_in_two_units_one_identity_is_listed():
    """x in m and in mm, with noise of their own, beside columns that say nothing."""
    rng, t = np.random.default_rng(0), np.linspace(0, 12, 100)
    size, phase = rng.uniform(0.5, 2, (30, 1)), rng.uniform(0, 6, (30, 1))
    x, v = size * np.cos(1.7 * t + phase), -1.7 * size * np.sin(1.7 * t + phase)
    led = np.broadcast_to((np.arange(100) // 7) % 2, x.shape)
    rows = np.stack([x, 1e3 * x, v, led], axis=-1).reshape(-1, 4)
    rows = rows + [0.01, 10.0, 0.02, 0.0] * rng.standard_normal(rows.shape)
    finder = ConservedQuantityFinder(random_state=0)
    groups, times = np.repeat(np.arange(30), 100), np.tile(t, 30)
    report = finder.fit(rows, groups=groups, times=times).report_
    assert report.n_conserved == 1 and len(report.identities) == 1
    assert "parameters" not in str(report)


@pytest.mark.parametrize("seed", [0, 2, 5])
def test_shares_that_sum_to_one_are_no_law(seed):
    """Gametes that recombine keep two shares; products of their sum have as many terms as it."""
    rng = np.random.default_rng(seed)
    shares = [rng.dirichlet([1] * 4, 30)]
    for _ in range(25):
        x = shares[-1]
        apart = x[:, 0] * x[:, 3] - x[:, 1] * x[:, 2]
        shares.append(x + 0.12 * apart[:, None] * np.array([-1, 1, 1, -1]))
    states = np.stack(shares, axis=1)
    states = states + 0.01 * states.std(axis=(0, 1)) * rng.normal(size=states.shape)
    runs = Trajectories(states, times=np.arange(26.0), names=list("abcd"))
    report = ConservedQuantityFinder(library="polynomial", random_state=0).fit(runs).report_
    assert report.n_conserved == 2
    assert [str(q.expression) for q in report.identities] == ["a + b + c + d"]
