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

    # --- Flatness: motion along runs in units of what noise explains ---
    flatness_ceiling: float = limit(
        1.5,
        statistic="variance along the smoothed path over what its noise explains",
        unit="1",
        reason="tolerance: one is a law; the noise may be estimated up to 22 % too small (1.5 is a "
        "ratio of variances)",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_what_moves_more_than_its_noise_is_no_law",
    )
    excess_motion: float = limit(
        1.2,
        statistic="the same ratio at the lower end of its interval; itself in formulas of many "
        "free numbers",
        unit="1",
        reason="tolerance: beyond it there are signs that noise does not explain all motion",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_what_surely_moves_more_than_its_noise_is_no_law",
    )
    coverage: float = limit(
        0.95,
        statistic="share of bootstrap samples of runs inside an interval",
        unit="1",
        reason="percentiles of a bootstrap over runs: of true laws it covers 90 % with 20 "
        "held-out runs, 80 % with 4",
        level=0.05,
        off=0.0,
        test="laws/judging/test_evidence.py::test_intervals_cover",
    )

    # --- Drift: systematic motion along runs, noise set aside ---
    detected_motion: float = limit(
        4.0,
        statistic="excess of the worst of six frequency bands over its standard error over runs",
        unit="standard errors",
        reason="largest of six standard normal variables, for many runs; with three held-out runs "
        "6 % of true laws exceed it",
        level=1.9e-4,
        off=math.inf,
        test="laws/judging/test_verdict.py::test_a_law_shows_no_motion",
    )
    suspected_motion: float = limit(
        2.5,
        statistic="the same excess, of a formula of many free numbers, or that may be in doubt",
        unit="standard errors",
        reason="largest of six standard normal variables, for many runs",
        level=0.037,
        off=math.inf,
        test="laws/judging/test_verdict.py::test_signs_of_motion_count_against_long_formulas",
    )
    tolerated_motion: float = limit(
        0.003,
        statistic="excess variance in one frequency band over the noise's variance",
        unit="1",
        reason="tolerance: what estimating and removing the noise may leave in a band",
        off=0.0,
        test="laws/judging/test_drift.py::test_what_noise_leaves_in_a_band_is_tolerated",
    )
    drift_errors: float = limit(
        2.0,
        statistic="half the width of the interval of the drift's square",
        unit="standard errors",
        reason="normal distribution of a mean over runs, two-sided",
        level=0.046,
        off=0.0,
        test="laws/judging/test_evidence.py::test_the_drift_has_a_bound_where_none_is_seen",
    )
    rounding_drift: float = limit(
        2e-6,
        statistic="drift, or what is left of terms that cancel, as a fraction of the spread",
        unit="spread",
        reason="tolerance: rounding of tables of numbers, and errors of integration",
        off=-1.0,
        test="laws/judging/test_verdict.py::test_motion_below_rounding_is_none",
    )
    resolved_drift: float = limit(
        0.2,
        statistic="upper end of the drift's interval, as a fraction of the spread",
        unit="spread",
        reason="tolerance: an equivalence bound; a law is known only where more drift is excluded",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_more_free_numbers_must_be_known_better",
    )
    small_drift: float = limit(
        0.02,
        statistic="upper end of the drift's interval, as a fraction of the spread",
        unit="spread",
        reason="tolerance: what is called nearly conserved drifts no more",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_what_drifts_is_not_nearly_conserved",
    )
    plain_drift: float = limit(
        0.1,
        statistic="lower end of the drift's interval of a rejected formula",
        unit="spread",
        reason="tolerance: rounding the coefficients repairs smaller drift, but never this",
        off=math.inf,
        test="laws/judging/test_judge.py::test_what_plainly_drifts_keeps_its_coefficients",
    )
    hopeless_factor: float = limit(
        6.0,
        statistic="motion of a candidate on held-out runs over the limits on flatness and drift",
        unit="1",
        reason="tolerance: refining the coefficients reduces motion, but never so much",
        off=math.inf,
        test="laws/judging/test_judge.py::test_what_held_out_runs_refute_is_hopeless",
    )
    slow_slack: float = limit(
        1.5,
        statistic="flatness of a nearly conserved formula without a term, over that with it",
        unit="1",
        reason="tolerance: where motion is not noise alone, corrections of higher order lower it; "
        "the short formula is wanted",
        off=math.inf,
        test="laws/test_search.py::test_nearly_conserved_is_approximate",
    )

    # --- Signal: law or identity ---
    signal: float = limit(
        0.5,
        statistic="variance between runs over variance within runs, by motion or noise",
        unit="1",
        reason="tolerance: a law has another value on another orbit",
        off=0.0,
        test="laws/judging/test_verdict.py::test_a_law_tells_orbits_apart",
    )
    no_signal: float = limit(
        0.3,
        statistic="variance between runs over variance within runs, by motion or noise",
        unit="1",
        reason="tolerance: an identity has one value on all orbits",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_a_law_tells_orbits_apart",
    )
    cancellation: float = limit(
        0.5,
        statistic="standard deviation of a formula over that of its terms, each alone",
        unit="1",
        reason="tolerance: an identity's terms vary and cancel; a sum of noise does not",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_an_identity_is_short_and_its_terms_cancel",
    )
    identity_terms: float = limit(
        6,
        statistic="terms of an identity",
        unit="terms",
        reason="tolerance: long sums of nearly dependent terms cancel without a reason",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_an_identity_is_short_and_its_terms_cancel",
    )

    # --- Free numbers: a formula with many of them can imitate a law ---
    modest_numbers: float = limit(
        3,
        statistic="free numbers of a formula",
        unit="numbers",
        reason="tolerance: one with more may imitate a law, unless its coefficients are too simple "
        "for chance",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_more_free_numbers_must_be_known_better",
    )
    modest_factor: float = limit(
        2.0,
        statistic="what divides the limit on drift for such a formula",
        unit="1",
        reason="tolerance: an imitation's drift is excluded only by a lower limit",
        off=1.0,
        test="laws/judging/test_verdict.py::test_more_free_numbers_must_be_known_better",
    )
    many_numbers: float = limit(
        5,
        statistic="free numbers of a formula",
        unit="numbers",
        reason="tolerance: one with more can fit almost anything, and any sign of motion counts",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_more_free_numbers_must_be_known_better",
    )
    many_factor: float = limit(
        4.0,
        statistic="what divides the limits on drift for such a formula, once more",
        unit="1",
        reason="tolerance: an imitation's drift is excluded only by a lower limit",
        off=1.0,
        test="laws/judging/test_verdict.py::test_more_free_numbers_must_be_known_better",
    )
    simple_by_chance: float = limit(
        0.01,
        statistic="probability that arbitrary coefficients would be rounded to such simple ones",
        unit="1",
        reason="coefficients spread evenly over the logarithm, simple ratios as dense as counted",
        level=0.01,
        off=1.0,
        test="laws/judging/test_verdict.py"
        "::test_coefficients_too_simple_by_chance_need_no_better_knowledge",
    )

    # --- Doubt: an exact formula that a simpler one, found later, may replace ---
    doubt_factor: float = limit(
        2.0,
        statistic="cost of a formula in doubt over its cost without",
        unit="1",
        reason="tolerance: the law may be twice as complex as what imitates it",
        off=1.0,
        test="laws/judging/test_verdict.py::test_doubt",
    )
    doubt_terms: float = limit(
        3,
        statistic="terms of a formula",
        unit="terms",
        reason="tolerance: nothing simpler is left for a formula of fewer to imitate",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_doubt",
    )
    doubt_numbers: float = limit(
        2,
        statistic="free numbers of a formula",
        unit="numbers",
        reason="tolerance: one with more has numbers left to fit with",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_doubt",
    )
    imitation_drift: float = limit(
        1e-3,
        statistic="upper end of the drift's interval of a formula with one number to fit with",
        unit="spread",
        reason="tolerance: no imitation was seen to come closer to a law",
        off=0.0,
        test="laws/judging/test_verdict.py::test_doubt",
    )
    imitation_gain: float = limit(
        0.1,
        statistic="how much closer an imitation may come by each further number",
        unit="1",
        reason="tolerance: one more number in an expansion gains about one digit",
        off=1.0,
        test="laws/judging/test_verdict.py::test_each_number_more_imitates_better",
    )
    drift_signs: float = limit(
        3.0,
        statistic="square of the drift over its standard error",
        unit="standard errors",
        reason="normal distribution of a mean over runs, one-sided",
        level=1.3e-3,
        off=math.inf,
        test="laws/judging/test_verdict.py::test_doubt",
    )

    # --- Selection: which laws are independent ---
    sine: float = limit(
        0.04,
        statistic="median sine of the angle from a gradient to the span of the others",
        unit="1",
        reason="tolerance: coefficients are known to the noise only",
        off=0.0,
        test="laws/judging/test_independence.py::test_almost_dependent_is_dependent",
    )
    learned_sine: float = limit(
        0.3,
        statistic="the same for learned features",
        unit="1",
        reason="tolerance: gradients of a network are known less well than its values",
        off=0.0,
        test="laws/judging/test_selection.py::test_learned_features_nearly_alike_count_once",
    )
    slope_error: float = limit(
        4.0,
        statistic="error of a gradient over the drift that is not excluded",
        unit="1",
        reason="tolerance: a formula may have what is not excluded from another law's gradient",
        off=0.0,
        test="laws/judging/test_selection.py::test_a_law_known_badly_must_differ_more",
    )
    unexplained_drift: float = limit(
        3.0,
        statistic="spread between runs that other laws leave unexplained, over the drift that is "
        "not excluded",
        unit="1",
        reason="tolerance: what is left of a law in doubt must be clearly more than its errors",
        off=0.0,
        test="laws/judging/test_selection.py::test_a_doubtful_law_that_others_explain_goes",
    )
    runs_per_coefficient: float = limit(
        3,
        statistic="runs over coefficients of the polynomial in other laws that may explain one",
        unit="runs",
        reason="tolerance: with fewer, a polynomial fits anything",
        off=0.0,
        test="laws/judging/test_selection.py::test_few_runs_explain_nothing",
    )

    # --- The conclusion for a data set ---
    min_runs: float = limit(
        8,
        statistic="runs",
        unit="runs",
        reason="tolerance: with fewer, three or less judge, and their standard errors are chance",
        off=0,
        test="laws/judging/test_conclusion.py::test_undecided[few runs]",
    )
    short_arc: float = limit(
        0.2,
        statistic="motion along runs over the variance of all samples, of the coordinate that "
        "moves most",
        unit="1",
        reason="tolerance: on short arcs every flow has local laws",
        off=0.0,
        test="laws/judging/test_conclusion.py::test_how_short_an_arc_is",
    )
    short_open_arc: float = limit(
        0.4,
        statistic="the same where runs do not turn round",
        unit="1",
        reason="tolerance: on open arcs every flow has local laws",
        off=0.0,
        test="laws/judging/test_conclusion.py::test_how_short_an_arc_is",
    )
    turning_runs: float = limit(
        0.1,
        statistic="share of runs that turn round",
        unit="1",
        reason="tolerance: of open arcs, noise turns a few",
        off=0.0,
        test="laws/judging/test_conclusion.py::test_how_short_an_arc_is",
    )
    rest: float = limit(
        0.05,
        statistic="motion in the last tenth of a run over all its way",
        unit="1",
        reason="tolerance: a run that comes to rest was seen whole",
        off=0.0,
        test="laws/judging/test_selection.py::test_runs_that_come_to_rest_are_complete",
    )
    resting_runs: float = limit(
        0.5,
        statistic="share of runs that come to rest",
        unit="1",
        reason="tolerance: most runs were seen whole",
        off=math.inf,
        test="laws/judging/test_selection.py::test_runs_that_come_to_rest_are_complete",
    )
    loud_noise: float = limit(
        0.3,
        statistic="noise over the coordinate's spread, or over a radian for an angle",
        unit="1",
        reason="tolerance: louder noise hides laws, and that none is found means nothing",
        off=math.inf,
        test="laws/judging/test_conclusion.py::test_undecided[loud noise]",
    )

    # --- How fast a nearly conserved quantity drifts ---
    trend_errors: float = limit(
        2.0,
        statistic="mean square slope along runs, beyond the noise's, over its standard error",
        unit="standard errors",
        reason="normal distribution of a mean over runs, one-sided",
        level=0.023,
        off=0.0,
        test="laws/judging/test_trend.py::test_noise_has_no_trend",
    )


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
