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
