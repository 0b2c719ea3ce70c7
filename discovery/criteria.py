"""Criteria: every limit that can turn a verdict, in one place.

Each limit says what it is compared with (`statistic`), in which `unit`, why it stands where it does
(`reason`: a null distribution with its `level`, or a tolerance and what it allows for), and which
`test` fails when the limit is taken away, that is when it has the value `off`. Budgets (how many
candidates, steps, digits) and guards against rounding turn no verdict and stay where they are used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field


def limit(
    value: float,
    *,
    statistic: str,
    unit: str,
    reason: str,
    off: float,
    test: str,
    level: float | None = None,
) -> float:
    """Return the dataclass field of one limit.

    Parameters
    ----------
    value : float
    statistic : str
        What is compared with it.
    unit : str
        ``"1"`` for pure numbers; else what it is counted in (``"standard errors"``).
    reason : str
        The statistic's distribution where there is nothing to find; or ``"tolerance: "`` and what
        is tolerated.
    off : float
        The value that takes the limit away.
    test : str
        The test that fails then: ``"laws/judging/test_verdict.py::test_name"``, from
        tests/discovery.
    level : float, optional
        Of a test against the null distribution: how often chance alone passes the limit.
    """
    record = {
        "statistic": statistic,
        "unit": unit,
        "reason": reason,
        "off": off,
        "test": test,
        "level": level,
    }
    return field(default=value, metadata=record)


# --- data: can these runs be analysed, and what are their coordinates? ---------------------------


@dataclass(frozen=True)
class DataCriteria:
    """Runs and coordinates."""

    # Runs that can be analysed at all.
    fewest_runs: int = limit(
        4,
        statistic="number of runs",
        unit="1",
        reason="tolerance: some runs find formulas and others judge them",
        off=0,
        test="data/test_trajectories_bad_input.py::test_too_few_runs",
    )
    fewest_samples: int = limit(
        3,
        statistic="number of samples of the shortest run",
        unit="1",
        reason="tolerance: two samples lie on a line, and nothing is left to tell the noise by",
        off=0,
        test="data/test_trajectories_bad_input.py::test_runs_too_short",
    )

    # Roles that nobody gave.
    rate_correlation: float = limit(
        0.97,
        statistic="correlation over all rows of a coordinate's rate with another coordinate",
        unit="1",
        reason="tolerance: rates are estimated from noisy samples, and so even a velocity's "
        "correlation with its position's rate is below 1",
        off=-1.0,
        test="data/test_coordinates.py::test_rates_that_are_no_coordinates",
    )


# --- noise: its size, gross errors, smoothing ----------------------------------------------------


@dataclass(frozen=True)
class NoiseCriteria:
    """Noise, gross errors and smoothing."""

    # How large noise is.
    resolution: float = limit(
        1e-6,
        statistic="noise over the standard deviation of its coordinate",
        unit="1",
        reason="tolerance: integrators and tables of numbers are seldom better",
        off=0.0,
        test="estimation/test_noise_level.py::test_clean_data_have_the_resolution_as_noise",
    )
    fewest_differences: int = limit(
        8,
        statistic="differences of one order, of which the median is taken",
        unit="1",
        reason="tolerance: the median of fewer may be far below the noise by chance",
        off=1,
        test="estimation/test_noise_level.py::test_few_differences_do_not_understate_the_noise",
    )

    # Gross errors.
    gross_misfit: float = limit(
        9.0,
        statistic="distance of a sample from what its neighbours predict, over that of the samples "
        "nearby and over the noise",
        unit="1",
        reason="tolerance: noise with heavy tails, and turns that are faster than nearby",
        off=1e9,
        test="estimation/test_gross_errors.py::test_planted_errors_are_found[0.02-kepler]",
    )
    gross_size: float = limit(
        0.02,
        statistic="size of an error over the spread of its coordinate",
        unit="1",
        reason="tolerance: an error smaller than this does no harm, and turns of clean paths are "
        "of this size",
        off=0.0,
        test="estimation/test_gross_errors.py::test_fast_motion_is_no_gross_error[enzyme]",
    )
    gross_share: float = limit(
        0.03,
        statistic="share of a coordinate's values that stand out",
        unit="1",
        reason="tolerance: what is more frequent is the nature of the data",
        off=1.0,
        test="estimation/test_gross_errors.py::test_what_is_frequent_is_no_gross_error",
    )
    many_gross: float = limit(
        0.005,
        statistic="share of a coordinate's values that were found wrong",
        unit="1",
        reason="tolerance: where errors are many, one that is missed costs more than some sound "
        "samples, and samples that may only move fast are left out too",
        off=1.0,
        test="estimation/test_gross_errors.py::test_small_errors_are_found_where_they_are_many",
    )
    gross_at_ends: float = limit(
        5.0,
        statistic="factor of `gross_misfit` at the two samples at either end of a run",
        unit="1",
        reason="tolerance: predictions there are extrapolations from one side",
        off=1.0,
        test="estimation/test_gross_errors.py::test_small_errors_are_found_where_they_are_many",
    )

    # Smoothing of columns that share events (`smooth_apart`).
    event_bias: float = limit(
        2.0,
        statistic="squared bias nearby minus its average over the rows",
        unit="standard errors",
        reason="normal distribution of a mean of many squared residuals",
        level=0.023,
        off=0.0,
        test="estimation/test_local_polynomials.py::test_errors_of_groups_are_known",
    )
    event_values: int = limit(
        100,
        statistic="values over which the bias nearby is averaged: columns times rows on one side",
        unit="1",
        reason="tolerance: enough to know a bias, and not more rows than a short event has",
        off=10**9,
        test="estimation/test_local_polynomials.py::test_a_short_event_in_many_columns",
    )

    # Rows and runs.
    clear_of_zero: float = limit(
        5.0,
        statistic="value of a coordinate that counts as positive, over its noise",
        unit="standard deviations of the noise",
        reason="normal distribution of the noise of one value at zero",
        level=2.9e-7,
        off=0.0,
        test="estimation/test_orbits.py::test_rows_in_which_a_coordinate_is_clear_of_its_noise",
    )
    fewest_rows: int = limit(
        8,
        statistic="rows of a run in which a coordinate is clear of its noise",
        unit="1",
        reason="tolerance: fewer do not show whether a function moves along the run",
        off=1,
        test="estimation/test_orbits.py::test_rows_in_which_a_coordinate_is_clear_of_its_noise",
    )
    fit_share: float = limit(
        0.6,
        statistic="share of the runs on which formulas are found",
        unit="1",
        reason="tolerance: the others judge, and must be enough for an interval to be narrow",
        off=1.0,
        test="estimation/test_split.py::test_enough_runs_are_left_to_judge",
    )


# --- libraries: which functions the data admit ---------------------------------------------------


@dataclass(frozen=True)
class LibraryCriteria:
    """Functions that these data admit."""

    angle_noise: float = limit(
        0.3,
        statistic="noise of an angle",
        unit="radians",
        reason="tolerance: beyond it a cosine of the angle is more noise than signal",
        off=1e9,
        test="libraries/test_libraries.py::test_a_noisy_angle_has_no_cosine",
    )

    # What may be divided by.
    smallest_sine: float = limit(
        0.05,
        statistic="smallest size of a sine or cosine in the data",
        unit="1",
        reason="tolerance: the inverse square of a smaller one is large in a few rows alone, and "
        "these would decide",
        off=0.0,
        test="libraries/test_curvilinear.py::test_what_may_be_divided_by",
    )
    sine_noise: float = limit(
        3.0,
        statistic="smallest size of a sine or cosine in the data, over the noise of its angle",
        unit="standard deviations of the noise",
        reason="normal distribution of the noise of one value at zero",
        level=2.7e-3,
        off=0.0,
        test="libraries/test_curvilinear.py::test_what_may_be_divided_by",
    )
    smallest_value: float = limit(
        0.005,
        statistic="smallest value of a positive coordinate over its largest",
        unit="1",
        reason="tolerance: the inverse of a smaller one is large in a few rows alone, and these "
        "would decide",
        off=0.0,
        test="libraries/test_rational.py::test_only_what_stays_away_from_zero_is_inverted",
    )
    positive_share: float = limit(
        0.7,
        statistic="share of the rows in which a coordinate is positive beyond its noise",
        unit="1",
        reason="tolerance: the other rows are left out, and enough must be left",
        off=0.0,
        test="libraries/test_rational.py::test_inverses_need_values_clear_of_the_noise",
    )
    warp_margin: float = limit(
        0.05,
        statistic="distance of the data from the ends of a function's domain, over their range",
        unit="1",
        reason="tolerance: measured values lie a little outside of what smoothed ones span",
        off=0.0,
        test="libraries/test_warped.py::test_only_functions_that_the_data_allow",
    )


# --- formulas: which terms and which numbers a vector becomes ------------------------------------


@dataclass(frozen=True)
class FormulaCriteria:
    """Terms and coefficients of a formula."""

    # The description of a learned law
    described_share: float = limit(
        0.3,
        statistic="share that the next monomial explains of what the description leaves",
        unit="1",
        reason="tolerance: terms that explain less make the description longer but hardly nearer",
        off=0.0,
        test="report/test_description.py::test_terms_that_explain_little_are_left_out",
    )
    # Which samples count
    uneven_noise: float = limit(
        2.0,
        statistic="mean over median of the noise variance of the flat functions",
        unit="1",
        reason="tolerance: about 1 for even noise; up to 2 weights hardly change W and D",
        off=math.inf,
        test="laws/finding/test_operators.py::test_noisy_places_count_less",
    )
    # Which terms a formula has
    flatness_floor: float = limit(
        0.3,
        statistic="flatness of a trial with fewer terms or rounder numbers",
        unit="1",
        reason="tolerance: smoothed noise alone gives up to 1, so far below that data do not tell "
        "better from worse",
        off=0.0,
        test="laws/finding/test_rounding.py::test_where_data_cannot_tell_better_from_worse_other_coefficients_are_as_good",
    )
    flatness_slack: float = limit(
        1.06,
        statistic="flatness without one term over flatness with it",
        unit="1",
        reason="tolerance: smoothing leaves biases of a few percent, which a term too many mends",
        off=1.0,
        test="laws/finding/test_candidates.py::test_a_mixture_of_three_terms_too_many",
    )
    negligible_share: float = limit(
        0.02,
        statistic="gradient of one term over that of the formula's strongest",
        unit="1",
        reason="tolerance: a term as weak as noise and smoothing leave one by chance",
        off=0.0,
        test="laws/finding/test_candidates.py::test_no_formula_is_another_one_that_carries_a_term_along",
    )
    negligible_entry: float = limit(
        1e-3,
        statistic="entry of a sparse vector over its largest",
        unit="1",
        reason="tolerance: the narrowest penalty of the search tells less from zero no more",
        off=0.0,
        test="formulas/test_sparse_vectors.py::test_the_sparse_vectors_of_a_span",
    )
    independent_share: float = limit(
        0.1,
        statistic="length of a vector outside the span of those chosen before, over its own",
        unit="1",
        reason="tolerance: rounded vectors that span the space safely, whatever their errors",
        off=-1.0,
        test="formulas/test_sparse_basis.py::test_known_vectors_are_not_given_again",
    )
    # How far coefficients may be rounded
    rounding_slack: float = limit(
        1.15,
        statistic="flatness with other coefficients over the fitted formula's",
        unit="1",
        reason="tolerance: fitted coefficients follow the smoothing's bias; the measured runs are "
        "asked as well",
        off=math.inf,
        test="laws/finding/test_candidates.py::test_other_coefficients_are_as_good_as_the_data",
    )
    interval: float = limit(
        2.5,
        statistic="distance of a coefficient from a simple number",
        unit="standard errors",
        reason="normal distribution of a fitted coefficient about the true one",
        level=0.0124,
        off=0.0,
        test="laws/finding/test_rounding.py::"
        "test_like_terms_get_equal_coefficients_where_these_may_be",
    )
    least_width: float = limit(
        5e-4,
        statistic="half width of a coefficient's interval, over the coefficient",
        unit="1",
        reason="tolerance: smoothing's bias, which standard errors do not hold",
        off=0.0,
        test="formulas/test_simplicity.py::test_no_coefficient_is_known_exactly",
    )
    most_width: float = limit(
        0.3,
        statistic="half width of a coefficient's interval, over the coefficient",
        unit="1",
        reason="tolerance: what is known worse would be rounded to anything",
        off=math.inf,
        test="laws/finding/test_rounding.py::test_what_nobody_knows_is_not_rounded_to_anything",
    )
    # Which numbers are simple
    textbook: int = limit(
        4,
        statistic="numerator and denominator of a ratio of coefficients",
        unit="1",
        reason="tolerance: ratios that speak for a law rather than for an imitation of one",
        off=1,
        test="formulas/test_simplicity.py::test_what_a_symmetry_makes_equal_is_no_evidence",
    )
    constant_cost: float = limit(
        1.0,
        statistic="complexity of a number with a constant of the user's in it",
        unit="numerator plus denominator",
        reason="tolerance: a constant is somewhat less plausible than the fraction beside it",
        off=0.0,
        test="formulas/test_simple_numbers.py::test_one_is_simpler_than_a_constant_near_one",
    )
    root_cost: float = limit(
        6.0,
        statistic="complexity of a number with √2, √3 or π in it",
        unit="numerator plus denominator",
        reason="tolerance: less plausible than a constant that the user named",
        off=0.0,
        test="formulas/test_simple_numbers.py::test_a_constant_of_the_user_comes_before_pi",
    )
    root_tolerance: float = limit(
        3e-3,
        statistic="relative interval of a coefficient that a root or π stands for",
        unit="1",
        reason="tolerance: known worse, it would be near some multiple of one of them anyway",
        off=math.inf,
        test="formulas/test_simple_numbers.py::test_simplest_number",
    )
    constant_tolerance: float = limit(
        0.02,
        statistic="relative interval of a coefficient that a constant of the user's stands for",
        unit="1",
        reason="tolerance: known worse, it would be near some power of one of them anyway",
        off=math.inf,
        test="formulas/test_simple_numbers.py::test_a_constant_stands_for_what_is_well_known",
    )
    numbers_by_chance: float = limit(
        0.5,
        statistic="expected count of numbers as simple in a coefficient's interval",
        unit="1",
        reason="uniform distribution of the logarithm of an arbitrary coefficient",
        level=0.39,
        off=math.inf,
        test="formulas/test_simple_numbers.py::test_a_fraction_that_chance_would_give_is_none",
    )
    # At which scale something is conserved
    noise_lengths: float = limit(
        3.0,
        statistic="length of a function over the noise of the coordinate in it",
        unit="standard deviations of the noise",
        reason="tolerance: across a shorter length noise is no small step, and all looks flat",
        off=0.0,
        test="laws/finding/test_scale_search.py::test_no_length_is_as_short_as_the_noise",
    )
    dip_prominence: float = limit(
        1.05,
        statistic="flatness on either side of a dip over that at its bottom",
        unit="1",
        reason="tolerance: ripples of a few percent that smoothing leaves",
        off=0.0,
        test="laws/finding/test_scale_search.py::test_dips_are_prominent_minima",
    )
    scale_slack: float = limit(
        1.02,
        statistic="flatness at a rounder scale over that at the best one",
        unit="1",
        reason="tolerance: a change of the flatness that is no evidence for the other scale",
        off=math.inf,
        test="laws/finding/test_scale_search.py::test_a_scale_is_rounded_as_far_as_it_is_known",
    )


# --- laws: what the evidence makes of a formula --------------------------------------------------


@dataclass(frozen=True)
class LawCriteria:
    """Verdicts on formulas, their choice, and the conclusion."""


# --- fields on a grid ----------------------------------------------------------------------------


@dataclass(frozen=True)
class FieldCriteria:
    """Integrals of densities."""


# --- symmetries, brackets, algebras --------------------------------------------------------------


@dataclass(frozen=True)
class SymmetryCriteria:
    """Symmetries of a metric, and the algebras of laws and symmetries."""


DATA = DataCriteria()
NOISE = NoiseCriteria()
LIBRARIES = LibraryCriteria()
FORMULAS = FormulaCriteria()
LAWS = LawCriteria()
FIELDS = FieldCriteria()
SYMMETRIES = SymmetryCriteria()
ALL = {
    "DATA": DATA,
    "NOISE": NOISE,
    "LIBRARIES": LIBRARIES,
    "FORMULAS": FORMULAS,
    "LAWS": LAWS,
    "FIELDS": FIELDS,
    "SYMMETRIES": SYMMETRIES,
}
