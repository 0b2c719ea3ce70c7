"""What the finders of symmetries share: checked points and parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from discovery.data.coordinates import ROLES, default_names
from discovery.symmetries import conditions, counting
from discovery.symmetries.candidates.fields import CandidateFields
from discovery.symmetries.conditions import Condition
from discovery.symmetries.geometry import metric_at_points
from discovery.symmetries.geometry.metric_at_points import MetricField
from discovery.symmetries.geometry.sources import Metric, Potential

# Share of the points on which fields are found; the rest only judges them.
FIT_SHARE = 0.7


@dataclass(frozen=True)
class Prepared:
    """Checked input of a finder.

    Attributes
    ----------
    points : (N, n) array
    names, roles : tuples of n
    geometry : MetricField
        At the points; where there is no metric, the coordinates over their spread.
    keeps : tuple
        What symmetries must keep besides; see `discovery.symmetries.conditions`.
    with_metric : bool
        Whether they must keep the metric.
    limit, gap : float
        Largest defect that counts, and by what factor the next must exceed it.
    rng : numpy.random.Generator
    fit, held : arrays of int
        Rows on which fields are found, and rows that judge them.
    """

    points: np.ndarray
    names: tuple[str, ...]
    roles: tuple[str | None, ...]
    geometry: MetricField
    keeps: tuple[Condition, ...]
    with_metric: bool
    limit: float
    gap: float
    rng: np.random.Generator
    fit: np.ndarray
    held: np.ndarray

    def dimension(self, defects: np.ndarray) -> int:
        """Count the defects of symmetries."""
        return counting.dimension(defects, self.limit, self.gap)

    def require(self, fields: CandidateFields) -> None:
        """Refuse a library for other coordinates, or too large for the points."""
        n = self.points.shape[1]
        if fields.dim != n:
            raise ValueError(
                f"The library is for {fields.dim} coordinates; the points have {n} columns."
            )
        equations = sum(condition.equations(n) for condition in self.keeps)
        equations += self.with_metric * n * (n + 1) / 2
        needed = counting.needed_points(len(fields), equations, n)
        counting.check_count(len(self.points), needed, f"{len(fields)} vector fields")


class Parameters(Protocol):
    """The parameters that all finders have."""

    metric: Metric | None
    potential: Potential | None
    degree: int
    names: Sequence[str] | None
    roles: Sequence[str | None] | None
    tolerance: float | str
    random_state: int | None


def prepare(
    finder: Parameters, points: np.ndarray, keeps: Condition | Sequence[Condition] = ()
) -> Prepared:
    """Check points and parameters, and evaluate the metric.

    Parameters
    ----------
    finder : Parameters
        Such as a `SymmetryFinder`.
    points : (N, n) array
    keeps : Condition or sequence of Condition
        What symmetries must keep besides the metric.

    Raises
    ------
    ValueError
        When they do not fit, or the metric is none.
    """
    points = as_points(points)
    names, roles = described(points.shape[1], finder.names, finder.roles)
    check_degree(finder.degree)
    if len(points) > 1:
        check_spread(points, names)
    keeps = conditions.checked(keeps)
    with_metric = finder.metric is not None or not keeps
    if with_metric:
        geometry = metric_at_points.evaluate(finder.metric, points, finder.potential)
    else:
        geometry = metric_at_points.by_spread(points, finder.potential)
    learned = not geometry.exact or any(condition.learned for condition in keeps)
    limit, gap = counting.limit_and_gap(finder.tolerance, learned, geometry.double)
    rng = np.random.default_rng(finder.random_state)
    rows = rng.permutation(len(points))
    cut = int(FIT_SHARE * len(points))
    return Prepared(
        points, names, roles, geometry, keeps, with_metric, limit, gap, rng, rows[:cut], rows[cut:]
    )


def as_points(points: np.ndarray) -> np.ndarray:
    """Return points as an (N, n) array of finite numbers, or say what is wrong with them."""
    points = np.asarray(points, dtype=float)
    if points.ndim != 2 or points.shape[1] == 0:
        raise ValueError(
            f"Points must have shape (N, n), one point a row; received {points.shape}."
        )
    if not np.isfinite(points).all():
        raise ValueError(
            f"Points must be finite; {int(np.sum(~np.isfinite(points).all(axis=1)))} of "
            f"{len(points)} hold NaN or infinity. Leave these rows out."
        )
    return points


def check_spread(points: np.ndarray, names: Sequence[str]) -> None:
    """Refuse points that do not move along some coordinate: nothing varies along it."""
    still = [name for name, s in zip(names, np.ptp(points, axis=0), strict=True) if not s > 0]
    if still:
        raise ValueError(
            f"The points have no spread in {', '.join(still)}: all of them are alike there. Give "
            "points that fill a region."
        )


def described(
    n: int, names: Sequence[str] | None, roles: Sequence[str | None] | None
) -> tuple[tuple[str, ...], tuple[str | None, ...]]:
    """Return checked names and roles of coordinates, defaults filled in.

    Parameters
    ----------
    n : int
        Number of coordinates.
    names, roles : sequence of n, optional

    Raises
    ------
    ValueError
        When there are not n of them, names repeat or a role is unknown.
    """
    if names is None:
        names = default_names(n, letters="xyz")
    roles = (None,) * n if roles is None else roles
    for what, given in (("names", names), ("roles", roles)):
        if isinstance(given, str) or len(given) != n:
            raise ValueError(
                f"`{what}` must hold one entry for each of the {n} coordinates; received {given!r}."
            )
    if len(set(names)) != n:
        raise ValueError(f"`names` must differ from each other; received {names!r}.")
    unknown = [role for role in roles if role is not None and role not in ROLES]
    if unknown:
        raise ValueError(f"Unknown roles {unknown}; expected None or one of {', '.join(ROLES)}.")
    return tuple(names), tuple(roles)


def check_degree(degree: int) -> None:
    """Refuse a polynomial degree that is none."""
    if not isinstance(degree, int | np.integer) or degree < 0:
        raise ValueError(f"`degree` must be an integer ≥ 0; received {degree!r}.")
