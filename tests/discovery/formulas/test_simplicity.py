"""Simplicity: how probably chance gives such simple coefficients, and how long a formula is."""

import numpy as np
import pytest
import sympy

from discovery.formulas.simple_numbers import NUMBERS
from discovery.formulas.simplicity import by_chance, length
from discovery.libraries import custom

NAMES = ("x", "y", "u", "v")


def kinds(*terms):
    return custom(terms, NAMES).kinds()


def test_what_a_symmetry_makes_equal_is_no_evidence():
    ones, errors = np.ones(3), np.array([0.0, 0.004, 0.004])
    assert by_chance(ones, errors, kinds("u**2", "v**2", "x**2")) == 1.0
    assert by_chance(ones, errors, kinds("u**2", "x**4", "x*y")) < 0.01
    one = by_chance(np.array([1.0, 0.5]), errors[:2], kinds("u**2", "x*y"))
    twice = by_chance(np.array([1.0, 0.5, 0.5]), errors, kinds("u**2", "x*y", "u*v"))
    assert one == pytest.approx(twice)


def test_no_coefficient_is_known_exactly():
    """Smoothing leaves a bias that standard errors do not hold."""
    chance = by_chance(np.array([1.0, 2.0]), np.zeros(2), kinds("u**2", "x**4"))
    assert 1e-4 < chance < 1e-2


def test_simple_by_chance_is_calibrated():
    """Of formulas with arbitrary coefficients, rounded, one in a hundred seems a law's own."""
    rng, terms = np.random.default_rng(0), kinds("u**2", "x**4", "x*y", "x")
    errors = np.array([0.0, 0.002, 0.002, 0.002])
    seen = []
    for _ in range(2000):
        true = np.append(1.0, np.exp(rng.uniform(-1.5, 1.5, 3)))
        width = 2.5 * errors / true
        given = [NUMBERS.simple(c, w, w)[0] if w else c for c, w in zip(true, width, strict=True)]
        seen.append(by_chance(np.array(given), errors, terms))
    assert np.mean(np.array(seen) < 0.01) < 0.02
    assert np.mean(np.array(seen) < 0.1) < 0.13


def test_an_odd_coefficient_beside_simple_ones_is_no_evidence_against_them():
    errors = np.array([0.0, 1e-4, 1e-4])
    terms = kinds("u**2", "x**4", "x*y")
    assert by_chance(np.array([1.0, 2.0, 0.77123]), errors, terms) < 0.05
    assert by_chance(np.array([1.0, 1.9234, 0.77123]), errors, terms) == 1.0


def test_numbers_make_a_formula_longer():
    """A parabola of an odd coefficient is longer than one of a simple one, by what it takes."""
    x, u = sympy.symbols("x u", real=True)
    both = kinds("u**2", "x**2")
    simple = length([u**2, x**2], np.array([1.0, 2.0]), both)
    odd = length([u**2, x**2], np.array([1.0, 1.9234]), both)
    assert odd > simple + 2 > length([u**2, x**2]) + 2


def test_a_polynomial_of_a_difference_is_shorter_than_exponentials_of_a_length():
    terms = ["u**2", "v**2", "(x - y)**2", "(x - y)**4"]
    waves = ["u**2", "v**2", "exp(1.14*x - 1.14*y)", "exp(-1.14*x + 1.14*y)"]
    quartic, cosh = custom(terms, NAMES), custom(waves, NAMES)
    numbers = np.array([1.0, 1.31, 1.02, 0.203]), np.array([1.0, 1.31, 0.771, 0.771])
    lengths = [
        length(lib.expressions(), c, lib.kinds())
        for lib, c in zip((quartic, cosh), numbers, strict=True)
    ]
    assert lengths[0] < lengths[1]
    # The length 1.14 is one number, however often it is written.
    alone = length(custom(waves[:3], NAMES).expressions())
    assert length(cosh.expressions()) - alone < 10


def test_equal_coefficients_of_like_terms_are_said_once():
    terms = custom(["u**2", "v**2"], NAMES)
    same = length(terms.expressions(), np.array([0.771, 0.771]), terms.kinds())
    assert same < length(terms.expressions(), np.array([0.771, 0.772]), terms.kinds()) - 2


def test_a_common_denominator_is_written_once():
    x, u = sympy.symbols("x u", real=True)
    below = x**2 - u / 2 + 1
    whole = length([x / below, u / below, 1 / below])
    assert whole < length([x, u, 1 / below]) + 6
    # Two terms with denominators of their own have both.
    assert length([x / below, u / (below + 1)]) > length([x / below, u / below]) + 4
