"""Criteria: every limit that can turn a verdict, in one place.

Each limit says what it is compared with (`statistic`), in which `unit`, why it stands where it does
(`reason`: a null distribution with its `level`, or a tolerance and what it allows for), and which
`test` fails when the limit is taken away, that is when it has the value `off`. Budgets (how many
candidates, steps, digits) and guards against rounding turn no verdict and stay where they are used.
"""

from __future__ import annotations

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
