r"""How far the error of a learned metric moves the defects of fields.

For metrics g' drawn from what a fit left open, and a field ξ found on the metric g learned,

    e² = E_{g'} ‖L_ξ g' − L_ξ g‖² / E( ‖∇ξ‖²_g + ‖ξ‖²_g / ℓ² )

is the square of the defect that ξ has if it is a symmetry of the true metric, from which g differs
as the g' do. A field whose defect is many times e is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from discovery.symmetries import lie_operators
from discovery.symmetries.geometry.metric_at_points import MetricField
from discovery.symmetries.problem import Prepared
from discovery.symmetries.search import Solution, solve

# Defects up to so many times the error count: those of true symmetries are about once.
_TIMES = 2.0
# Limits lie between these whatever the error: below the first a network is never the true metric,
# above the second fields that break a symmetry begin.
_LEAST, _MOST = 2e-3, 0.1
# Defects up to so many times their limit are too near to say that they are none.
_NEAR = 3.0


def errors(solution: Solution, prepared: Prepared, drawn: Sequence[MetricField]) -> np.ndarray:
    """Return e (k,) of the solution's fields.

    Parameters
    ----------
    solution : Solution
    prepared : Prepared
    drawn : sequence of MetricField
        At the prepared points.
    """
    rows = np.concatenate([prepared.fit, prepared.held])
    points = prepared.points[rows]
    own = _numerators(solution, prepared, points, prepared.geometry.take(rows))
    total = 0.0
    for geometry in drawn:
        other = _numerators(solution, prepared, points, geometry.take(rows))
        total = total + np.sum((other - own) ** 2, axis=0)
    size = np.linalg.norm(solution.fit.denominator() @ solution.vectors, axis=0)
    return np.sqrt(total / len(drawn)) / size


def limits(error: np.ndarray) -> np.ndarray:
    """Return the largest defect of a symmetry for each error."""
    return np.clip(_TIMES * error, _LEAST, _MOST)


def limits_of_draws(error: np.ndarray) -> np.ndarray:
    """Return the same on a metric drawn, which differs from the true one twice over."""
    return np.sqrt(limits(error) ** 2 + error**2)


def count(spectrum: np.ndarray, limit: np.ndarray, gap: float) -> int:
    """Count the leading defects within their limits, as far as a gap follows the last."""
    inside = int(np.argmin(np.append(spectrum <= limit, False)))
    largest = np.maximum.accumulate(spectrum)
    while 0 < inside < len(spectrum) and spectrum[inside:].min() < gap * largest[inside - 1]:
        inside -= 1
    return inside


def too_near(spectrum: np.ndarray, limit: np.ndarray, counted: int) -> bool:
    """Whether a field that was not counted may yet be a symmetry."""
    return bool(np.any(spectrum[counted:] <= _NEAR * limit[counted:]))


def spectra(
    solution: Solution, prepared: Prepared, drawn: Sequence[MetricField]
) -> list[np.ndarray]:
    """Return the spectrum on each metric drawn."""
    again = (replace(prepared, geometry=geometry) for geometry in drawn)
    return [solve(solution.fields, other).spectrum for other in again]


def _numerators(
    solution: Solution, prepared: Prepared, points: np.ndarray, geometry: MetricField
) -> np.ndarray:
    operators = lie_operators.lie_operators(
        solution.fields, points, geometry, prepared.keeps, prepared.with_metric
    )
    return operators.onto(solution.vectors).numerator()
