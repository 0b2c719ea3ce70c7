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


# --- libraries: which functions the data admit ---------------------------------------------------


@dataclass(frozen=True)
class LibraryCriteria:
    """Functions that these data admit."""


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

    # Which defects are those of symmetries: root mean square Lie derivative over field and slopes.
    defect_double: float = limit(
        1e-06,
        statistic="defect of a field on an exact metric or condition",
        unit="1",
        reason="tolerance: rounding of double precision in metrics and in their derivatives",
        off=1e9,
        test="symmetries/test_conditions.py::test_fields_that_keep_an_output",
    )
    defect_single: float = limit(
        0.001,
        statistic="the same in single precision",
        unit="1",
        reason="tolerance: rounding of single precision in metrics and in their derivatives",
        off=1e9,
        test="symmetries/test_counting.py::test_single_precision_has_its_own_limit",
    )
    defect_learned: float = limit(
        0.03,
        statistic="defect of a field on a fitted model that does not tell its error",
        unit="1",
        reason="tolerance: what training leaves; fields broken by more are symmetries of no use",
        off=1e9,
        test="symmetries/test_counting.py::test_what_a_fitted_model_breaks_by_more_is_not_counted",
    )
    gap: float = limit(
        4.0,
        statistic="next defect over the last that counts, for fitted models",
        unit="1",
        reason="tolerance: errors of a fitted metric grow from field to field without a jump",
        off=1.0,
        test="symmetries/test_counting.py::test_a_gap_follows_the_symmetries_of_a_fitted_model",
    )
    defect_nearly: float = limit(
        0.03,
        statistic="defect of a field that is listed as nearly a symmetry",
        unit="1",
        reason="tolerance: larger defects are of no interest to a reader; nothing is counted by it",
        off=1e9,
        test="symmetries/test_finder.py::test_a_slight_break_is_listed_as_nearly_but_not_counted",
    )
    network_defect_bounded: float = limit(
        0.01,
        statistic="defect of a network's field where transport bounds the number",
        unit="1",
        reason="tolerance: what training of the network leaves",
        off=1e9,
        test="symmetries/candidates/test_network_fields.py::test_what_a_network_missed_is_not_counted",
    )
    network_defect: float = limit(
        0.003,
        statistic="defect of a network's field where nothing bounds the number",
        unit="1",
        reason="tolerance: networks also find what is almost a symmetry",
        off=1e9,
        test="symmetries/candidates/test_network_fields.py::test_near_symmetries_of_a_fitted_metric_are_none",
    )

    # What the error of a learned metric makes of defects (symmetries.metric_error).
    error_factor: float = limit(
        2.0,
        statistic="defect over the one that the metric's own error makes",
        unit="1",
        reason="tolerance: a true symmetry's defect is about once that error, an estimate",
        off=1e9,
        test="symmetries/test_counting.py::test_defects_are_counted_against_the_metric_s_own_error",
    )
    least_defect: float = limit(
        0.002,
        statistic="least limit of a defect, however well the metric fits",
        unit="1",
        reason="tolerance: a network is never the true metric, though its draws agree",
        off=0.0,
        test="symmetries/test_counting.py::test_a_metric_that_claims_no_error_has_some",
    )
    greatest_defect: float = limit(
        0.1,
        statistic="greatest limit of a defect, however badly the metric fits",
        unit="1",
        reason="tolerance: fields that break a symmetry by a tenth are none, whatever the error",
        off=1e9,
        test="symmetries/test_counting.py::test_no_error_excuses_a_field_that_breaks_everything",
    )
    nearness: float = limit(
        3.0,
        statistic="defect of a field that was not counted, over its limit",
        unit="1",
        reason="tolerance: below it the error does not tell symmetries from others",
        off=0.0,
        test="symmetries/test_counting.py::test_a_field_just_beyond_its_limit_leaves_doubt",
    )
    misfit: float = limit(
        0.1,
        statistic="share of the motion's mean square that a learned Lagrangian leaves",
        unit="1",
        reason="tolerance: noise of accelerations; what is not explained may break every symmetry",
        off=1e9,
        test="symmetries/geometry/test_sources.py::test_motion_that_is_not_explained_tells_nothing",
    )
    bend: float = limit(
        0.001,
        statistic="unexplained motion over that of a metric that changes altogether over the data",
        unit="1",
        reason="tolerance: motion so straight is that of a flat metric, and what is left is noise",
        off=0.0,
        test="symmetries/geometry/test_sources.py::test_motion_that_is_straight_but_for_noise_is_believed",
    )

    # Libraries richer than the first, and whether they are tried.
    approximate_defect: float = limit(
        0.05,
        statistic="defect of a smooth field for which richer libraries are tried",
        unit="1",
        reason="tolerance: expansions of low degree approximate a symmetry to a few percent",
        off=0.0,
        test="symmetries/test_search.py::test_smooth_fields_promise_symmetries_that_richer_libraries_have",
    )
    wide_coordinate: float = limit(
        4.0,
        statistic="range of a coordinate beyond which it may be an angle",
        unit="coordinate units",
        reason="tolerance: an angle is tried where it goes most of the way round",
        off=1e9,
        test="symmetries/test_search.py::test_a_coordinate_that_goes_far_may_be_an_angle",
    )
    rich_defect_double: float = limit(
        1e-08,
        statistic="defect of a field in a library of many functions",
        unit="1",
        reason="tolerance: near symmetries of a small region come down to 1e-5",
        off=1e9,
        test="symmetries/test_search.py::test_near_symmetries_in_rich_libraries_are_none",
    )
    rich_defect_single: float = limit(
        0.0001,
        statistic="the same in single precision, where transport tells the number",
        unit="1",
        reason="tolerance: rounding of single precision",
        off=1e9,
        test="symmetries/test_search.py::test_rich_libraries_in_single_precision",
    )
    falling_defect: float = limit(
        0.3,
        statistic="defect of a smooth field over that of degree three less",
        unit="1",
        reason="tolerance: defects of symmetries vanish as the degree grows, others halt",
        off=1e9,
        test="symmetries/test_search.py::test_defects_that_come_to_a_halt_are_no_symmetries",
    )
    angle_gap: float = limit(
        0.6,
        statistic="widest gap between samples of an angle that goes round",
        unit="radians",
        reason="tolerance: samples of a circle leave gaps; an arc's ends leave a wide one",
        off=1e9,
        test="symmetries/candidates/test_smooth_fields.py::test_an_arc_is_no_circle",
    )
    denominator_size: float = limit(
        0.001,
        statistic="least modulus of a common denominator over its greatest",
        unit="1",
        reason="tolerance: quotients are to be finite between the points too",
        off=0.0,
        test="symmetries/candidates/test_common_denominator.py::test_a_denominator_that_vanishes_is_none",
    )

    # Transport of Killing fields along loops.
    reached: float = limit(
        0.9,
        statistic="share of the points that edges without error reach",
        unit="1",
        reason="tolerance: a few points may lie where the metric is singular",
        off=0.0,
        test="symmetries/transport/test_killing_space.py::test_where_points_cannot_be_joined_nothing_is_said",
    )
    loop_change_double: float = limit(
        1e-08,
        statistic="what loops change of a field, and the error of an edge",
        unit="1",
        reason="tolerance: rounding of double precision along many edges",
        off=1e9,
        test="symmetries/transport/test_killing_space.py::test_what_loops_change",
    )
    loop_change_single: float = limit(
        0.0001,
        statistic="the same in single precision",
        unit="1",
        reason="tolerance: rounding of single precision along many edges",
        off=1e9,
        test="symmetries/transport/test_killing_space.py::test_what_loops_change",
    )
    doubtful_change_double: float = limit(
        1e-06,
        statistic="what loops change of a field of which one cannot say that it is none",
        unit="1",
        reason="tolerance: errors of edges add up",
        off=0.0,
        test="symmetries/transport/test_killing_space.py::test_what_loops_change",
    )
    doubtful_change_single: float = limit(
        0.01,
        statistic="the same in single precision",
        unit="1",
        reason="tolerance: errors of edges add up",
        off=0.0,
        test="symmetries/transport/test_killing_space.py::test_what_loops_change",
    )
    segment_error_double: float = limit(
        1e-11,
        statistic="error of a segment of the loop round an angle",
        unit="1",
        reason="tolerance: rounding; it is larger near a pole, where the loop is none",
        off=1e9,
        test="symmetries/transport/test_killing_space.py::test_a_loop_through_a_pole_is_none",
    )
    segment_error_single: float = limit(
        1e-05,
        statistic="the same in single precision",
        unit="1",
        reason="tolerance: rounding of single precision",
        off=1e9,
        test="symmetries/transport/test_killing_space.py::test_a_loop_through_a_pole_is_none",
    )

    # Killing tensors that are products of Killing fields.
    product_residual: float = limit(
        0.05,
        statistic="what the solutions leave of a product of symmetries, as a share",
        unit="1",
        reason="tolerance: fields are known to their defects; a product is held or not",
        off=1e9,
        test="symmetries/test_tensor_finder.py::test_a_library_without_products_is_undecided",
    )

    # Lie algebras.
    closure: float = limit(
        0.05,
        statistic="closure residual of the fitted constants",
        unit="1",
        reason="tolerance: formulas are rounded, fields of learned metrics known to a few percent",
        off=1e9,
        test="algebra/test_lie_algebra.py::test_what_does_not_close_has_no_name",
    )
    eigenvalue_gap: float = limit(
        0.15,
        statistic="gap between eigenvalues of a map of the centroid, over its norm",
        unit="1",
        reason="tolerance: nilpotent parts spread an eigenvalue by the root of the error",
        off=1e9,
        test="algebra/test_lie_algebra.py::test_names_do_not_depend_on_the_basis[0.0-so(4)]",
    )

    # Laws and symmetries, paired: formulas of laws have rounded coefficients.
    span_residual: float = limit(
        0.05,
        statistic="what a span leaves of a field or gradient, as a share",
        unit="1",
        reason="tolerance: coefficients of formulas are rounded",
        off=1.0,
        test="noether/test_agreement.py::test_a_law_that_was_missed_is_named",
    )
    new_generator: float = limit(
        0.03,
        statistic="part of a function outside the span of the others, over its terms",
        unit="1",
        reason="tolerance: coefficients of formulas are rounded",
        off=1e9,
        test="noether/test_pairing.py::test_symmetry_behind_each_quantity[Kepler in the plane]",
    )
    central_bracket: float = limit(
        0.01,
        statistic="root mean square of a bracket over that of its terms",
        unit="1",
        reason="tolerance: coefficients of formulas are rounded",
        off=0.0,
        test="noether/test_pairing.py::test_an_algebra_of_rounded_quantities",
    )
    energy_bracket: float = limit(
        0.01,
        statistic="median of a law's bracket with the energy, over its terms",
        unit="1",
        reason="tolerance: coefficients of formulas are rounded",
        off=1e9,
        test="noether/test_pairing.py::test_symmetry_behind_each_quantity[magnetic field]",
    )
    definite_share: float = limit(
        0.95,
        statistic="share of the states at which an energy's mass matrix is definite",
        unit="1",
        reason="tolerance: at the pole of a chart it degenerates, and a few states may be there",
        off=-1.0,
        test="noether/test_pairing.py::test_symmetry_behind_each_quantity[oscillator in the plane]",
    )
    mixed_mass: float = limit(
        0.01,
        statistic="entry off the diagonal of a mass matrix, over the largest",
        unit="1",
        reason="tolerance: coefficients of formulas are rounded",
        off=1e9,
        test="noether/test_pairing.py::test_symmetry_behind_each_quantity"
        "[two masses, relative energy]",
    )
    equal_coefficients: float = limit(
        0.02,
        statistic="difference of two coefficients over the largest",
        unit="1",
        reason="tolerance: coefficients of formulas are rounded",
        off=0.0,
        test="noether/test_pairing.py::test_rounded_coefficients_as_a_report_gives_them",
    )


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
