"""What the finders of symmetries check alike: points, names, roles, tolerance, dimension."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from discovery.validation import ROLES

# Largest defect of a symmetry: a formula's metric is known to rounding, a learned one to what its
# training resolved. There also a gap must follow the last defect that counts.
EXACT, LEARNED = 1e-3, 0.03
GAP = 4.0


def as_points(points: np.ndarray) -> np.ndarray:
    """Return points as an (N, n) array of finite numbers, or say what is wrong with them."""
    points = np.asarray(points, dtype=float)
    if points.ndim != 2 or points.shape[1] == 0:
        raise ValueError(
            f"Points must have shape (N, n), one point a row; received {points.shape}."
        )
    if not np.isfinite(points).all():
        raise ValueError("Points must be finite; some are NaN or infinite.")
    return points


def described(
    n: int, names: Sequence[str] | None, roles: Sequence[str | None] | None
) -> tuple[tuple[str, ...], tuple[str | None, ...]]:
    """Return checked names and roles of n coordinates, defaults filled in."""
    if names is None:
        names = ("x", "y", "z")[:n] if n <= 3 else [f"x{i + 1}" for i in range(n)]
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


def limit_and_gap(tolerance: float | str, exact: bool) -> tuple[float, float]:
    """Return the largest defect that counts, and by what factor the next must exceed it."""
    if tolerance == "auto":
        return (EXACT, 1.0) if exact else (LEARNED, GAP)
    if isinstance(tolerance, str) or not 0 < tolerance < 1:
        raise ValueError(
            f'`tolerance` must be "auto" or a number between 0 and 1; received {tolerance!r}.'
        )
    return float(tolerance), 1.0


def dimension(defects: np.ndarray, limit: float, gap: float) -> int:
    """Count defects up to the limit, as far as a gap follows the last of them."""
    ascending = np.sort(defects)
    count = int(np.sum(ascending <= limit))
    # Without a gap one cannot say where the symmetries end.
    while 0 < count < len(defects) and ascending[count] < gap * ascending[count - 1]:
        count -= 1
    return count


def check_count(n_points: int, needed: int, library: str) -> None:
    """Refuse points too few for what is to be fitted on them."""
    if n_points < needed:
        raise ValueError(
            f"{n_points} points are too few for a library of {library}: give at least {needed}, "
            "or a smaller library."
        )


def check_degree(degree: int) -> None:
    """Refuse a polynomial degree that is none."""
    if not isinstance(degree, int | np.integer) or degree < 0:
        raise ValueError(f"`degree` must be an integer ≥ 0; received {degree!r}.")
