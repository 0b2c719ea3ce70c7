"""Errors of states: covariances, or variances alone where coordinates are independent.

A covariance of d coordinates has d² entries at each of n states. Where the noise of each coordinate
is its own, the d on the diagonal say as much, and hundreds of coordinates fit into memory. So
errors are either an (n, d, d) array of covariances or an (n, d) array of variances.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# What columns without noise get: factors of a covariance need a little.
_NONE = 1e-300


def variances(errors: np.ndarray) -> np.ndarray:
    """Return the variance of each coordinate, (n, d).

    Parameters
    ----------
    errors : (n, d) or (n, d, d) array
    """
    return errors if errors.ndim == 2 else np.einsum("nii->ni", errors)


def full(errors: np.ndarray) -> np.ndarray:
    """Return covariances, (n, d, d).

    Parameters
    ----------
    errors : (n, d) or (n, d, d) array
    """
    if errors.ndim == 3:
        return errors
    out = np.zeros((*errors.shape, errors.shape[1]))
    np.einsum("nii->ni", out)[...] = errors
    return out


def of_columns(errors: np.ndarray, columns: Sequence[int]) -> np.ndarray:
    """Return the errors of some of the coordinates.

    Parameters
    ----------
    errors : (n, d) or (n, d, d) array
    columns : sequence of int
    """
    columns = list(columns)
    return errors[:, columns] if errors.ndim == 2 else errors[:, columns][:, :, columns]


def among(errors: np.ndarray, size: int, columns: Sequence[int]) -> np.ndarray:
    """Return the errors of more columns, of which the others have none.

    Parameters
    ----------
    errors : (n, d) or (n, d, d) array
    size : int
        Number of columns D.
    columns : sequence of d int
        Where the coordinates go.

    Returns
    -------
    (n, D) or (n, D, D) array
    """
    columns = np.asarray(columns, dtype=int)
    out = np.full((len(errors), size), _NONE)
    if errors.ndim == 2:
        out[:, columns] = errors
        return out
    out = full(out)
    out[:, columns[:, None], columns] = errors
    return out


def plus_variances(errors: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Return errors with independent ones of variances (d,) added.

    Parameters
    ----------
    errors : (n, d) or (n, d, d) array
    more : (d,) array
    """
    return errors + (more if errors.ndim == 2 else np.diag(more))


def in_units(errors: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Return the errors of coordinates in other units.

    Parameters
    ----------
    errors : (n, d) or (n, d, d) array
    unit : (d,) array
        The new units in the old.
    """
    return errors / (unit**2 if errors.ndim == 2 else np.outer(unit, unit))


def between(errors: np.ndarray, i: int, j: int) -> np.ndarray | float:
    """Return the covariance of the errors of two coordinates, (n,); zero of independent ones.

    Parameters
    ----------
    errors : (n, d) or (n, d, d) array
    i, j : int
    """
    if errors.ndim == 3:
        return errors[:, i, j]
    return errors[:, i] if i == j else 0.0


def moved(gradient: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Return the variance of functions, (n,).

    Parameters
    ----------
    gradient : (d, n) array
        Theirs.
    errors : (n, d) or (n, d, d) array
    """
    if errors.ndim == 2:
        return np.sum(gradient.T**2 * errors, axis=1)
    return np.sum((errors @ gradient.T[:, :, None])[:, :, 0] * gradient.T, axis=1)
