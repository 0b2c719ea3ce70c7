"""Independence: how many of the laws are not functions of the others.

Functions h₁ … h_k are functionally independent where their gradients are linearly independent, so
the count of conserved quantities is the rank of the gradients, at many points: H and H² count once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import linalg

from discovery.criteria import LAWS, LawCriteria
from discovery.laws.judging.law import Law


def on_surface(
    points: np.ndarray, scale: np.ndarray, identities: Sequence[Law], steps: int = 5
) -> np.ndarray:
    """Return the nearest points that obey identities, by Newton's method.

    What x f says beside f = 0 is seen on the surface f = 0 alone: there its gradient is x ∇f. At
    measured points f ∇x is left of it, as large as the noise.

    Parameters
    ----------
    points : (n, d) array
    scale : (d,) array
        Standard deviation of each coordinate, the unit of distances.
    identities : sequence of Law
        Each has the same value in all data: its mean at the points, shrunk towards zero by its own
        error.
    steps : int

    Returns
    -------
    (n, d) array
        Points from which the method leads away stay where they are.
    """
    if not identities:
        return points
    values = np.stack([law.values(points) for law in identities], axis=1)
    target, square_error = values.mean(axis=0), values.var(axis=0) / len(points)
    target = target * np.maximum(1 - square_error / np.maximum(target**2, 1e-300), 0.0)
    best, least = points, np.full(len(points), np.inf)
    moved = points
    with np.errstate(all="ignore"):
        for _ in range(steps):
            rest = np.stack([law.values(moved) for law in identities], axis=1) - target
            slopes = np.stack([law.gradient(moved, scale) for law in identities], axis=1)
            length = np.linalg.norm(slopes, axis=2)
            distance = np.linalg.norm(rest / np.where(length > 0, length, np.inf), axis=1)
            better = distance < least
            best, least = np.where(better[:, None], moved, best), np.where(better, distance, least)
            sound = np.isfinite(slopes).all(axis=(1, 2)) & np.isfinite(rest).all(axis=1)
            step = np.zeros_like(points)
            step[sound] = np.einsum(
                "ndk,nk->nd", np.linalg.pinv(slopes[sound], rcond=1e-6), rest[sound]
            )
            moved = moved - step * scale
    return best


def independent(
    gradients: Sequence[np.ndarray],
    within: Sequence[np.ndarray] = (),
    sines: Sequence[float] | None = None,
    criteria: LawCriteria = LAWS,
) -> list[int]:
    """Choose, in the given order, functions that are independent of those chosen before.

    Parameters
    ----------
    gradients : sequence of (n, d) arrays
        Of each function at the same n points, in standardized coordinates.
    within : sequence of (n, d) arrays
        Gradients of what all data obey (identities): directions that leave the data's manifold
        and do not count.
    sines : sequence of float, optional
        How close each gradient may come to the span of those before and still be new; that of
        the criteria by default.
    criteria : LawCriteria

    Returns
    -------
    list of int
        Positions in `gradients`.
    """
    return new_beside(span_of(within, criteria), gradients, sines, criteria)


def span_of(gradients: Sequence[np.ndarray], criteria: LawCriteria = LAWS) -> list[np.ndarray]:
    """Return an orthonormal basis of gradients at each of n points, (n, d) arrays.

    Parameters
    ----------
    gradients : sequence of (n, d) arrays
    criteria : LawCriteria
    """
    basis: list[np.ndarray] = []
    for gradient in gradients:
        _extend(basis, gradient, criteria.sine, criteria)
    return basis


def new_beside(
    span: Sequence[np.ndarray],
    gradients: Sequence[np.ndarray],
    sines: Sequence[float] | None = None,
    criteria: LawCriteria = LAWS,
) -> list[int]:
    """Choose as `independent` does, beside a span whose basis is known.

    Parameters
    ----------
    span : sequence of (n, d) arrays
        From `span_of`.
    gradients, sines, criteria
        As for `independent`.
    """
    basis = list(span)
    sines = [criteria.sine] * len(gradients) if sines is None else sines
    return [
        k for k, gradient in enumerate(gradients) if _extend(basis, gradient, sines[k], criteria)
    ]


def untold(
    span: Sequence[np.ndarray], gradients: Sequence[np.ndarray], criteria: LawCriteria = LAWS
) -> np.ndarray:
    """Return linear functions of k coefficients that are zero on sums which a span tells, (u, k).

    Parameters
    ----------
    span : sequence of (n, d) arrays
        From `span_of`.
    gradients : sequence of k (n, d) arrays
        Of the functions that are summed, in standardized coordinates.
    criteria : LawCriteria
    """
    own = np.array([gradient.ravel() for gradient in gradients])
    left = np.array([_beyond(span, gradient).ravel() for gradient in gradients])
    whole = own @ own.T
    whole += 1e-12 * np.trace(whole) * np.eye(len(whole))
    squares, sums = linalg.eigh(left @ left.T, whole)
    return (whole @ sums[:, squares > criteria.sine**2]).T


def sine_to(
    others: Sequence[np.ndarray],
    gradient: np.ndarray,
    within: Sequence[np.ndarray] = (),
    criteria: LawCriteria = LAWS,
) -> float:
    """Return the median sine of the angle from a gradient to the span of others.

    Parameters
    ----------
    others : sequence of (n, d) arrays
    gradient : (n, d) array
        At the same n points, in standardized coordinates.
    within : sequence of (n, d) arrays
        Gradients of identities, which belong to the span.
    criteria : LawCriteria
    """
    basis = span_of((*within, *others), criteria)
    return _usual(_rest(basis, gradient)[1], gradient, criteria)


def _extend(
    basis: list[np.ndarray], gradient: np.ndarray, least: float, criteria: LawCriteria
) -> bool:
    """Add what is new in a gradient to the orthonormal basis at every point; tell if it was new."""
    rest, sine = _rest(basis, gradient)
    if _usual(sine, gradient, criteria) <= least:
        return False
    basis.append(rest / np.where(sine > 1e-9, sine, 1.0))
    return True


def _usual(sine: np.ndarray, gradient: np.ndarray, criteria: LawCriteria) -> float:
    """Return the median of a sine (n, 1) over the points at which there is a gradient (n, d).

    Where it all but vanishes, as that of what all obey times a switch that is off, its direction is
    that of rounding.
    """
    length = np.linalg.norm(gradient, axis=1)
    least = criteria.vanishing_gradient * np.quantile(length, 0.75)
    return float(np.median(sine[length >= least]))


def _rest(basis: Sequence[np.ndarray], gradient: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what of a gradient's direction leaves the span, (n, d), and its length, (n, 1)."""
    length = np.linalg.norm(gradient, axis=1, keepdims=True)
    rest = _beyond(basis, gradient / np.where(length > 0, length, 1.0))
    return rest, np.linalg.norm(rest, axis=1, keepdims=True)


def _beyond(basis: Sequence[np.ndarray], gradient: np.ndarray) -> np.ndarray:
    """Return what of a gradient leaves the span, (n, d)."""
    for _ in range(2):  # twice is enough: Gram–Schmidt to rounding
        for direction in basis:
            gradient = gradient - direction * np.sum(direction * gradient, axis=1, keepdims=True)
    return gradient
