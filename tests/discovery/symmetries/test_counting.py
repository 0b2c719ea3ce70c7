"""How many defects are those of symmetries, with and without a learned metric's own error."""

import numpy as np
import pytest

from discovery.symmetries import counting


def counted(defects, learned, double=True):
    return counting.dimension(np.array(defects), *counting.limit_and_gap("auto", learned, double))


def test_single_precision_has_its_own_limit():
    defects = [1e-9, 1e-4, 1e-2]
    assert counted(defects, learned=False) == 1
    assert counted(defects, learned=False, double=False) == 2


def test_what_a_fitted_model_breaks_by_more_is_not_counted():
    assert counted([0.004, 0.005, 0.05, 0.3], learned=True) == 2
    assert counted([0.1, 0.9], learned=True) == 0


def test_a_gap_follows_the_symmetries_of_a_fitted_model():
    assert counted([0.001, 0.02, 0.04, 0.3], learned=True) == 1
    # Growing step by step, none can be told from the next.
    assert counted([0.01, 0.02, 0.04, 0.08], learned=True) == 0


def test_a_tolerance_of_the_users_own_needs_no_gap():
    limit, gap = counting.limit_and_gap(0.025, True, True)
    assert counting.dimension(np.array([0.01, 0.02, 0.03]), limit, gap) == 2


@pytest.mark.parametrize("tolerance", [0.0, 1.0, "low"])
def test_a_tolerance_that_makes_no_sense(tolerance):
    with pytest.raises(ValueError, match="tolerance"):
        counting.limit_and_gap(tolerance, False, True)


def within(spectrum, error):
    error = np.full(len(spectrum), error)
    return counting.count(np.array(spectrum), counting.limits(error), 1.0)


def test_defects_are_counted_against_the_metric_s_own_error():
    assert within([0.01, 0.012, 0.05], 0.01) == 2


def test_a_metric_that_claims_no_error_has_some():
    assert within([0.001, 0.05], 1e-7) == 1


def test_no_error_excuses_a_field_that_breaks_everything():
    assert within([0.05, 0.3], 0.5) == 1


def test_each_field_has_its_own_error():
    spectrum, error = np.array([0.01, 0.05, 0.06]), np.array([0.01, 0.03, 0.01])
    assert counting.count(spectrum, counting.limits(error), 1.0) == 2
    # A drawn metric is off twice: from the learned one, and that from the true one.
    np.testing.assert_allclose(counting.limits_of_draws(error), np.sqrt(5) * error)


def test_a_gap_is_asked_of_all_that_follow():
    spectrum, limit = np.array([0.001, 0.01, 0.2, 0.03]), np.full(4, 0.015)
    assert counting.count(spectrum, limit, 1.0) == 2
    assert counting.count(spectrum, limit, 4.0) == 1


def test_a_field_just_beyond_its_limit_leaves_doubt():
    limit = np.array([0.01, 0.01])
    assert counting.too_near(np.array([0.001, 0.02]), limit, 1)
    assert not counting.too_near(np.array([0.001, 0.05]), limit, 1)


def test_points_that_a_library_needs():
    assert counting.needed_points(18, 3, 2) == 26
    counting.check_count(26, 26, "18 vector fields")
    with pytest.raises(ValueError, match="at least 26"):
        counting.check_count(25, 26, "18 vector fields")
