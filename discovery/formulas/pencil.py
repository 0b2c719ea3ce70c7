"""The pencil W c = μ D c of two quadratic forms: whole, on some of its terms, and without one.

μ is the ratio cᵀ W c / cᵀ D c of a combination c of terms: how far it is from what is looked for
(W) in units of how far it could be (D). Formulas are combinations of few terms whose μ is small.

Source: Golub, *Some modified matrix eigenvalue problems* (SIAM Rev. 15, 1973), for leaving out one
term.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

# Share of each term's own D that is added to it, so that D is positive where terms are dependent.
_RIDGE = 1e-13
# The same where many sets of terms are solved at once and some of them may well be dependent.
_RIDGE_OF_MANY = 1e-10
# Combinations whose size is this small beside their terms' are zero, or constants.
_CONSTANT = 1e-11
# Steps towards a root of the secular equation.
_STEPS = 8
# Ratio below which all is rounding.
_ZERO = 1e-12


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues μ ascending and eigenvectors c (columns) of W c = μ D c."""

    values: np.ndarray
    vectors: np.ndarray


def solve(top: np.ndarray, bottom: np.ndarray, ridge: float = _RIDGE) -> Spectrum:
    """Solve W c = μ D c, or many of these at once.

    Parameters
    ----------
    top, bottom : (..., s, s) arrays
        W and D, symmetric.
    ridge : float
        What is added to D's diagonal, as a share of it.

    Returns
    -------
    Spectrum
        μ (..., s), not negative, and c (..., s, s), of unit size in D.
    """
    plain, half, scale = _reduced(top, bottom, ridge)
    values, vectors = np.linalg.eigh(plain)
    vectors = scale[..., :, None] * (np.swapaxes(half, -1, -2) @ vectors)
    return Spectrum(np.maximum(values, 0.0), vectors)


def _reduced(
    top: np.ndarray, bottom: np.ndarray, ridge: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return H S W S Hᵀ, whose eigenvalues are the μ, H, and the diagonal of S."""
    diagonal = np.einsum("...ii->...i", bottom)
    scale = 1.0 / np.sqrt(np.maximum(diagonal, 1e-300))
    both = scale[..., :, None] * scale[..., None, :]
    half = _inverse_root(bottom * both, ridge)
    return half @ (top * both) @ np.swapaxes(half, -1, -2), half, scale


def _inverse_root(unit: np.ndarray, ridge: float) -> np.ndarray:
    """Return H with H (D + ridge) Hᵀ = 1 for matrices D (..., s, s) of unit diagonal.

    Where rounding has made D indefinite by more than the ridge, directions without size get that
    of rounding.
    """
    try:
        return np.linalg.inv(np.linalg.cholesky(unit + ridge * np.eye(unit.shape[-1])))
    except np.linalg.LinAlgError:
        values, basis = np.linalg.eigh(unit)
        sizes = np.maximum(values, max(ridge, _RIDGE)) + ridge
        return np.swapaxes(basis / np.sqrt(sizes)[..., None, :], -1, -2)


@dataclass(frozen=True)
class Pencil:
    """Two quadratic forms on combinations of m terms.

    Attributes
    ----------
    top, bottom : (m, m) arrays
        W and D, symmetric and not negative.
    """

    top: np.ndarray
    bottom: np.ndarray

    def ratio(self, vectors: np.ndarray) -> np.ndarray:
        """Return μ of each column of `vectors`, (m, k) or (m,)."""
        top = np.einsum("i...,i...->...", vectors, self.top @ vectors)
        return top / np.einsum("i...,i...->...", vectors, self.bottom @ vectors)

    def restrict(self, support: np.ndarray) -> Pencil:
        """Return the forms on the given terms."""
        pick = np.ix_(support, support)
        return Pencil(self.top[pick], self.bottom[pick])

    def onto(self, basis: np.ndarray) -> Pencil:
        """Return the forms on the combinations in the columns of `basis` (m, k)."""
        return Pencil(basis.T @ self.top @ basis, basis.T @ self.bottom @ basis)

    def on(self, support: np.ndarray) -> Spectrum:
        """Solve on s terms: μ (s,) and c (s, s)."""
        part = self.restrict(support)
        return solve(part.top, part.bottom)

    def smallest(self, support: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the smallest μ of combinations of the given terms, and its coefficients."""
        found = self.on(support)
        return float(found.values[0]), found.vectors[:, 0]

    def lowest(self, supports: np.ndarray) -> np.ndarray:
        """Return the smallest μ of combinations of the terms in each row of `supports`, (p,)."""
        pick = supports[:, :, None], supports[:, None, :]
        plain, *_ = _reduced(self.top[pick], self.bottom[pick], _RIDGE_OF_MANY)
        return np.maximum(np.linalg.eigvalsh(plain)[:, 0], 0.0)

    def whole(self, size: np.ndarray) -> Spectrum:
        """Solve on all combinations that are not zero.

        Those must be cut before the solve, or rounding would make false null vectors of them
        (cos² + sin² has no gradient).

        Parameters
        ----------
        size : (m, m) array
            A quadratic form that is zero (to rounding) for these combinations.
        """
        length = np.sqrt(np.diag(size))
        keep = length > 0
        unit = size[np.ix_(keep, keep)] / np.outer(length[keep], length[keep])
        eigenvalues, basis = linalg.eigh(unit)
        good = eigenvalues > _CONSTANT * eigenvalues[-1]
        full = np.zeros((len(size), int(good.sum())))
        full[keep] = basis[:, good] / np.sqrt(eigenvalues[good]) / length[keep, None]
        found = solve(full.T @ self.top @ full, full.T @ self.bottom @ full, ridge=0.0)
        return Spectrum(found.values, full @ found.vectors)


def least_of_each(top: np.ndarray, bottom: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return the smallest μ of each of T pencils, (T,), on all combinations that are not zero.

    What `Pencil.whole` finds; infinity where all are zero.

    Parameters
    ----------
    top, bottom, size : (T, m, m) arrays
        As of `Pencil`, and a form that is zero for combinations that are.
    """
    length = np.sqrt(np.maximum(np.einsum("tii->ti", size), 1e-300))
    eigenvalues, basis = np.linalg.eigh(size / (length[:, :, None] * length[:, None, :]))
    number = np.sum(eigenvalues > _CONSTANT * eigenvalues[:, -1:], axis=1)
    full = basis / (np.sqrt(np.maximum(eigenvalues, 1e-300))[:, None, :] * length[:, :, None])
    out = np.full(len(top), np.inf)
    for count in set(number.tolist()) - {0}:
        own = number == count
        some = full[own, :, -count:]
        turn = np.swapaxes(some, 1, 2)
        out[own] = solve(turn @ top[own] @ some, turn @ bottom[own] @ some, 0.0).values[:, 0]
    return out


def leaving(flat: Spectrum) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest μ without each of s terms, and the combination that has it.

    With c_j = 0 the smallest μ is a root of Σ_k v_jk² / (μ_k − μ) = 0.

    Parameters
    ----------
    flat : Spectrum
        Of k combinations of s terms; two at least.

    Returns
    -------
    (s,) array
        Between the two smallest μ.
    (s, s) array
        One combination a row.
    """
    values, vectors = np.maximum(flat.values, _ZERO), flat.vectors
    weight = vectors**2
    first, second, gap = weight[:, 0], weight[:, 1], values[1] - values[0]
    mu = np.full(len(weight), values[0])
    for _ in range(_STEPS):
        # All but the two nearest poles as a constant: a quadratic equation.
        rest = np.sum(weight[:, 2:] / _above(values[2:], mu), axis=1)
        linear = np.maximum(rest * gap + first + second, _ZERO)
        # Next to a pole `rest` is too large to be squared.
        root = np.sqrt(np.maximum(1 - 4 * (rest / linear) * (first * gap / linear), 0.0))
        mu = values[0] + 2 * first * gap / linear / (1 + root)
    share = vectors[:, 1:] / _above(values[1:], mu)
    total = np.maximum(np.sum(vectors[:, 1:] * share, axis=1), _ZERO)
    mixed = vectors[:, 0] - (vectors[:, :1] * share / total[:, None]) @ vectors[:, 1:].T
    np.fill_diagonal(mixed, 0.0)
    return mu, mixed


def _above(values: np.ndarray, middle: np.ndarray) -> np.ndarray:
    return np.maximum(values - middle[:, None], _ZERO)
