"""Simplicity: how probably arbitrary coefficients would be rounded to such simple ones."""

import numpy as np
import pytest

from discovery.formulas.simplicity import by_chance
from discovery.libraries import custom

NAMES = ("x", "y", "u", "v")


def test_what_a_symmetry_makes_equal_is_no_evidence():
    errors = np.array([0.0, 0.004, 0.004])
    alike = by_chance(
        np.array([1.0, 1.0, 1.0]), errors, custom(["u**2", "v**2", "x**2"], NAMES).kinds()
    )
    assert alike == 1.0
    unlike = by_chance(
        np.array([1.0, 1.0, 1.0]), errors, custom(["u**2", "x**4", "x*y"], NAMES).kinds()
    )
    assert unlike == pytest.approx((8 * 0.01) ** 2)
    twice = by_chance(
        np.array([1.0, 0.5, 0.5]), errors, custom(["u**2", "x*y", "u*v"], NAMES).kinds()
    )
    assert twice == pytest.approx(8 * 0.02)


def test_no_coefficient_is_known_exactly():
    """Smoothing leaves a bias that standard errors do not hold."""
    kinds = custom(["u**2", "x**4"], NAMES).kinds()
    assert by_chance(np.array([1.0, 2.0]), np.zeros(2), kinds) == pytest.approx(8 * 5e-4)
