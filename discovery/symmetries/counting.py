"""How many fields are symmetries: the largest defect of one, and how many are within it.

A *defect* is the root mean square of a field's Lie derivative over that of the field and its slopes
(`discovery.symmetries.lie_operators`); of an exact symmetry it is zero but for rounding, or for the
error of a learned metric.
"""

from __future__ import annotations

import numpy as np

from discovery.criteria import SYMMETRIES


def limit_and_gap(tolerance: float | str, learned: bool, double: bool) -> tuple[float, float]:
    """Return the largest defect of a symmetry, and by what factor the next must exceed the last.

    Parameters
    ----------
    tolerance : float or "auto"
    learned : bool
        Whether the metric or a condition is a fitted model: then a gap must follow.
    double : bool
        Whether the metric was computed in double precision.

    Returns
    -------
    limit, gap : float

    Raises
    ------
    ValueError
        When the tolerance is neither "auto" nor between 0 and 1.
    """
    if tolerance == "auto":
        if learned:
            return SYMMETRIES.defect_learned, SYMMETRIES.gap
        return SYMMETRIES.defect_double if double else SYMMETRIES.defect_single, 1.0
    if isinstance(tolerance, str) or not 0 < tolerance < 1:
        raise ValueError(
            f'`tolerance` must be "auto" or a number between 0 and 1; received {tolerance!r}.'
        )
    return float(tolerance), 1.0


def rich_limit(double: bool) -> float:
    """Return the largest defect of a symmetry in a library of many functions."""
    return SYMMETRIES.rich_defect_double if double else SYMMETRIES.rich_defect_single


def dimension(defects: np.ndarray, limit: float, gap: float) -> int:
    """Count defects up to one limit, as far as a gap follows the last of them.

    Parameters
    ----------
    defects : (k,) array
    limit : float
    gap : float
        Factor by which the next defect must exceed the last that counts.
    """
    ascending = np.sort(defects)
    count = int(np.sum(ascending <= limit))
    # Without a gap one cannot say where the symmetries end.
    while 0 < count < len(defects) and ascending[count] < gap * ascending[count - 1]:
        count -= 1
    return count


def limits(error: np.ndarray) -> np.ndarray:
    """Return the largest defect of a symmetry for each error of `metric_error.errors`, (k,)."""
    low, high = SYMMETRIES.least_defect, SYMMETRIES.greatest_defect
    return np.clip(SYMMETRIES.error_factor * error, low, high)


def limits_of_draws(error: np.ndarray) -> np.ndarray:
    """Return the same on a drawn metric, which differs from the true one twice over."""
    return np.sqrt(limits(error) ** 2 + error**2)


def count(spectrum: np.ndarray, limit: np.ndarray, gap: float) -> int:
    """Count leading defects, each within its own limit, as far as a gap follows the last.

    Parameters
    ----------
    spectrum, limit : (k,) arrays
    gap : float
        As in `dimension`.
    """
    inside = int(np.argmin(np.append(spectrum <= limit, False)))
    largest = np.maximum.accumulate(spectrum)
    while 0 < inside < len(spectrum) and spectrum[inside:].min() < gap * largest[inside - 1]:
        inside -= 1
    return inside


def too_near(spectrum: np.ndarray, limit: np.ndarray, counted: int) -> bool:
    """Whether a field that was not counted may be a symmetry all the same.

    Parameters
    ----------
    spectrum, limit : (k,) arrays
    counted : int
        How many leading defects were counted.
    """
    return bool(np.any(spectrum[counted:] <= SYMMETRIES.nearness * limit[counted:]))


def needed_points(candidates: int, equations: float, n: int) -> int:
    """Return how many points fix the coefficients of candidates, four equations for each.

    Parameters
    ----------
    candidates : int
    equations : float
        That one point gives.
    n : int
        Number of coordinates.
    """
    return int(np.ceil(4 * candidates / equations)) + n


def check_count(n_points: int, needed: int, library: str) -> None:
    """Refuse points too few for what is to be fitted on them.

    Parameters
    ----------
    n_points, needed : int
    library : str
        What is to be fitted, in words.

    Raises
    ------
    ValueError
        When there are fewer than needed.
    """
    if n_points < needed:
        raise ValueError(
            f"{n_points} points are too few for a library of {library}: give at least {needed}, "
            "or a smaller library."
        )
