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


# --- libraries: which functions the data admit ---------------------------------------------------


@dataclass(frozen=True)
class LibraryCriteria:
    """Functions that these data admit."""


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


# --- laws: what the evidence makes of a formula --------------------------------------------------


@dataclass(frozen=True)
class LawCriteria:
    """Verdicts on formulas, their choice, and the conclusion."""


# --- fields on a grid ----------------------------------------------------------------------------


@dataclass(frozen=True)
class FieldCriteria:
    """Integrals of densities."""

    # The grid: a ring, or a line between walls
    end_step: float = limit(
        2.0,
        statistic="root mean square step from the last point to the first, over the largest one "
        "between neighbours, noise taken off",
        unit="1",
        reason="tolerance: on a ring all steps are alike but for where the field happens to be "
        "steep; between walls the ends differ by as much as the field does",
        off=float("inf"),
        test="pde/test_grid.py::test_ends",
    )

    # Gross errors
    kept_states: float = limit(
        0.8,
        statistic="share of the states that are left when those with many gross errors are not",
        unit="1",
        reason="tolerance: what spoils more states than that is in the data's nature, and what is "
        "left would be a selection",
        off=0.0,
        test="pde/test_mending.py::test_errors_in_too_many_states_stay",
    )

    # The noise and the waves that stand out of it
    short_waves_least: float = limit(
        0.8,
        statistic="noise by the shortest waves, over the bound by smoothness in time and space",
        unit="1",
        reason="tolerance: both estimates of white noise agree within a few percent; waves that "
        "hold less hold rounding, or noise that is not white",
        off=0.0,
        test="pde/test_waves.py::test_short_waves_that_hold_less_than_the_noise",
    )
    short_waves_most: float = limit(
        1.3,
        statistic="noise by the shortest waves, over the bound by smoothness in time and space",
        unit="1",
        reason="tolerance: where noise varies along the grid, the bound, by medians, is below the "
        "root mean square; waves that hold more are those of the field",
        off=float("inf"),
        test="pde/test_waves.py::test_short_waves_that_move",
    )
    wave_power: float = limit(
        0.2,
        statistic="power of a frequency above the noise's, over the noise's",
        unit="1",
        reason="tolerance: the noise's power is known to some percent, and waves with less than "
        "this beside it add more noise to an integral than they add to its value",
        off=-1.0,
        test="pde/test_waves.py::test_waves_of_noise_alone_are_left_out",
    )
    bias_weight: float = limit(
        100.0,
        statistic="weight of squared bias against variance in smoothing along time",
        unit="1",
        reason="tolerance: bias of at most a tenth of the noise's size. A wave that is cut short "
        "at every turn is so in its square too, and an energy is a sum of squares",
        off=1.0,
        test="pde/test_waves.py::test_smoothing_keeps_the_power_of_a_wave",
    )

    # How much the fields move
    moving_spread: float = limit(
        5.0,
        statistic="spread of a smoothed number over all states, over the noise of one value",
        unit="standard deviations",
        reason="tolerance: an integral that noise hides does not tell whether the runs move, nor "
        "whether noise is small beside the motion",
        off=0.0,
        test="pde/test_waves.py::test_integrals_that_noise_hides_show_no_motion",
    )

    # Which integrals are laws, and which laws are one
    excluded_motion: float = limit(
        0.05,
        statistic="upper end of the interval of systematic motion, over the spread",
        unit="1",
        reason="tolerance: an integral over a grid has little noise beside its spread, so that "
        "less motion than in other laws can be excluded",
        off=float("inf"),
        test="pde/test_analysis.py::test_a_law_is_known_where_motion_is_excluded",
    )
    imitation: float = limit(
        0.5,
        statistic="sine of the angle of a law's functional derivative to the span of the others', "
        "over the ratio of the noise to the motion along runs",
        unit="1",
        reason="tolerance: a formula that imitates a law within the noise has a derivative that "
        "differs by less; two laws differ by more, also where a large mean makes most of both "
        "(the momentum of waves on deep water beside its volume)",
        off=float("inf"),
        test="pde/test_analysis.py::test_a_law_beside_a_large_mean",
    )
    least_sine: float = limit(
        0.005,
        statistic="sine of the angle of a law's functional derivative to the span of the others', "
        "where there is no noise",
        unit="1",
        reason="tolerance: coefficients are rounded to few digits",
        off=0.0,
        test="pde/test_analysis.py::test_imitations_of_a_law_without_noise",
    )


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
