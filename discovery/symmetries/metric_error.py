r"""How far the error of a learned metric moves the defects of fields.

For metrics g' drawn from what a fit left open, and a field ξ found on the metric g learned,

    e² = E_{g'} ‖L_ξ g' − L_ξ g‖² / E( ‖∇ξ‖²_g + ‖ξ‖²_g / ℓ² )

is the square of the defect that ξ has if it is a symmetry of the true metric, from which g differs
as the g' do. A field whose defect is many times e is none (`counting.limits`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from discovery.symmetries import lie_operators
from discovery.symmetries.geometry.metric_at_points import MetricField
from discovery.symmetries.problem import Prepared
from discovery.symmetries.search import Solution, solve


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


def spectra(
    solution: Solution, prepared: Prepared, drawn: Sequence[MetricField]
) -> list[np.ndarray]:
    """Return the spectrum on each metric drawn.

    Parameters
    ----------
    solution, prepared, drawn
        As in `errors`.
    """
    again = (replace(prepared, geometry=geometry) for geometry in drawn)
    return [solve(solution.fields, other).spectrum for other in again]


def _numerators(
    solution: Solution, prepared: Prepared, points: np.ndarray, geometry: MetricField
) -> np.ndarray:
    operators = lie_operators.lie_operators(
        solution.fields, points, geometry, prepared.keeps, prepared.with_metric
    )
    return operators.onto(solution.vectors).numerator()
