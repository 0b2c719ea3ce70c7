"""Polynomials fitted to scattered samples: what they predict, and how that follows the input.

Either one polynomial for all samples, or one about each place, of the k samples nearest to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb

import numpy as np
from scipy.spatial import cKDTree

# Exponents up to which a polynomial is one for all samples, and terms that it has at most.
_DEGREES, _MOST_TERMS = (1, 2, 3, 4, 6, 8), 150
# The same of polynomials about a place, and how many samples each term then has.
_LOCAL_DEGREES, _MOST_LOCAL_TERMS, _SAMPLES_A_TERM = (1, 2, 3), 40, (2, 5, 15)
# Of all samples, the share that a place may have for itself at most, and the samples that each
# term of a polynomial for all needs.
_PLACE, _FEWEST_A_TERM = 0.1, 4
# Share of each term that is added to its square where samples lie on a curve.
_RIDGE = 1e-10
# Values that are held at once.
_CHUNK = 2**22


@dataclass(frozen=True)
class Prediction:
    """Values predicted at n places.

    Attributes
    ----------
    values : (n, m) array
    slopes : (n, m, d) array
        ``slopes[:, i, j] = ∂F_i/∂x_j``.
    leverage : (n,) array
        Variance of each value over that of a sample.
    """

    values: np.ndarray
    slopes: np.ndarray
    leverage: np.ndarray


@dataclass(frozen=True)
class Polynomial:
    """A way to fit.

    Attributes
    ----------
    degree : int
    nearest : int
        Samples about each place; 0 for one polynomial of all samples.
    """

    degree: int
    nearest: int = 0

    def predict(self, x: np.ndarray, y: np.ndarray, places: np.ndarray) -> Prediction:
        """Fit samples and predict.

        Parameters
        ----------
        x : (k, d) array
        y : (k, m) array
        places : (n, d) array
        """
        if self.nearest:
            return _local(x, y, places, self.degree, self.nearest)
        return _of_all(x, y, places, self.degree)


def ways(n_samples: int, dim: int) -> Iterator[Polynomial]:
    """Yield the fits that so many samples of d coordinates allow, the smooth ones first.

    Parameters
    ----------
    n_samples : int
    dim : int
    """
    for degree in _DEGREES:
        if comb(dim + degree, dim) <= min(_MOST_TERMS, n_samples / _FEWEST_A_TERM):
            yield Polynomial(degree)
    for degree in _LOCAL_DEGREES:
        terms = comb(dim + degree, dim)
        for samples in _SAMPLES_A_TERM:
            if terms <= _MOST_LOCAL_TERMS and samples * terms <= _PLACE * n_samples:
                yield Polynomial(degree, samples * terms)


def _of_all(x: np.ndarray, y: np.ndarray, places: np.ndarray, degree: int) -> Prediction:
    powers = _powers(x.shape[1], degree)
    middle, size = x.mean(axis=0), np.ptp(x, axis=0)
    size[size == 0] = 1.0
    inverse = np.linalg.pinv(_terms((x - middle) / size, powers), rcond=1e-12)
    weights, at = inverse @ y, (places - middle) / size
    terms = _terms(at, powers)
    slopes = np.stack(
        [_slope(at, powers, j) @ weights / size[j] for j in range(x.shape[1])], axis=2
    )
    return Prediction(terms @ weights, slopes, np.sum((terms @ inverse) ** 2, axis=1))


def _local(
    x: np.ndarray, y: np.ndarray, places: np.ndarray, degree: int, nearest: int
) -> Prediction:
    d, m, n = x.shape[1], y.shape[1], len(places)
    powers = _powers(d, degree)
    count = len(powers)
    linear = [int(np.flatnonzero((powers == unit).all(axis=1))[0]) for unit in np.eye(d, dtype=int)]
    out = Prediction(np.empty((n, m)), np.empty((n, m, d)), np.empty(n))
    tree, step = cKDTree(x), max(1, _CHUNK // (nearest * count))
    for begin in range(0, n, step):
        part = slice(begin, begin + step)
        distance, near = tree.query(places[part], nearest)
        size = np.maximum(distance[:, -1:], 1e-300)
        terms = _terms((x[near] - places[part, None]) / size[:, :, None], powers)
        across = np.swapaxes(terms, 1, 2)
        normal = across @ terms
        normal[:, range(count), range(count)] += _RIDGE * nearest
        # The value at the place is the weight of the constant, and its variance the first entry
        # of the inverse.
        constant = np.broadcast_to(np.eye(count)[:, :1], (len(size), count, 1))
        solved = np.linalg.solve(normal, np.concatenate([across @ y[near], constant], axis=2))
        out.values[part], out.leverage[part] = solved[:, 0, :m], solved[:, 0, m]
        out.slopes[part] = np.swapaxes(solved[:, linear, :m], 1, 2) / size[:, :, None]
    return out


def _powers(d: int, degree: int) -> np.ndarray:
    """Return the exponents of all monomials up to a degree, (terms, d), the constant first."""
    rows = np.zeros((1, d), dtype=int)
    for _ in range(degree):
        more = rows[:, None, :] + np.vstack([np.zeros((1, d), dtype=int), np.eye(d, dtype=int)])
        rows = np.unique(more.reshape(-1, d), axis=0)
    return rows


def _terms(x: np.ndarray, powers: np.ndarray) -> np.ndarray:
    """Return monomials of (..., d) places, (..., terms)."""
    out = np.ones((*x.shape[:-1], len(powers)))
    for j in range(x.shape[-1]):
        table = x[..., j, None] ** np.arange(powers.max() + 1)
        out *= table[..., powers[:, j]]
    return out


def _slope(x: np.ndarray, powers: np.ndarray, j: int) -> np.ndarray:
    """Return ∂/∂x_j of the monomials at (n, d) places, (n, terms)."""
    lower = powers.copy()
    lower[:, j] = np.maximum(lower[:, j] - 1, 0)
    return powers[:, j] * _terms(x, lower)
