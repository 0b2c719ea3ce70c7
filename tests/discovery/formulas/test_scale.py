"""Which printed number is the scale of a formula, and what the errors of the others then are."""

import numpy as np
import pytest

from discovery.formulas.scale import errors_beside, scale_term


@pytest.mark.parametrize(
    ("printed", "errors", "which"),
    [
        ([1.0, 2.4536], [3e-4, 0.0], 0),
        ([0.5, -72221.7], [7e-4, 0.0], 0),
        ([3.893, -100.0], [0.0, 0.1], 1),
        # Several that may be it: the best known.
        ([0.5, 0.5, -1.0], [3e-4, 4e-4, 0.0], 2),
        ([1.0, 2.3, 1.0], [0.3, 0.0, 0.01], 2),
        # No simple number.
        ([2.4536, 7.3914, 1.2347], [0.1, 0.0, 0.1], 1),
        # A term that is not there, and one that is not known.
        ([0.0, 2.4536, 3.0], [0.0, 0.0, 1.0], 2),
        ([1.0, 1.0], [np.inf, 0.0], 1),
    ],
)
def test_which_term_has_the_scale(printed, errors, which):
    assert scale_term(np.array(printed), np.diag(np.square(errors))) == which


def test_errors_of_ratios_over_draws():
    """Coefficients in one scale, of known covariance, printed in another."""
    rng, true = np.random.default_rng(0), np.array([2.0, -0.3, 5.0])
    root = np.array([[0.0, 0.0], [0.003, 0.002], [-0.02, 0.05]])
    drawn = true + rng.standard_normal((40_000, 2)) @ root.T
    for known in range(3):
        ratios = drawn * (true[known] / drawn[:, [known]])
        told = errors_beside(true, root @ root.T, known)
        np.testing.assert_allclose(told, ratios.std(axis=0), rtol=0.03, atol=1e-12)
        assert told[known] == 0


def test_two_terms_change_places():
    errors = errors_beside(np.array([1.0, 2.5]), np.diag([1e-6, 0.0]), 0)
    assert errors == pytest.approx([0, 2.5e-3])


def test_what_is_not_known_stays_so():
    unknown = np.diag([0.0, np.inf, 0.01])
    np.testing.assert_array_equal(
        errors_beside(np.ones(3), unknown, 0), [0.0, np.inf, np.sqrt(0.01)]
    )
    np.testing.assert_array_equal(errors_beside(np.ones(3), unknown, 1), [np.inf, 0.0, np.inf])
