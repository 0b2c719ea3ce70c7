"""The pencil W c = μ D c: whole, on few terms, and without one of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

# Steps towards a root of the equation.
_STEPS = 8
# Flatness below which all is rounding.
_ZERO = 1e-12


def lowest(ops: Operators, supports: np.ndarray) -> np.ndarray:
    """Return the smallest μ of combinations of the terms in each row of `supports`, (p,)."""
    pick = supports[:, :, None], supports[:, None, :]
    w, d = ops.within[pick], ops.dirichlet[pick]
    scale = 1 / np.sqrt(np.maximum(np.einsum("pii->pi", d), 1e-300))
    both = scale[:, :, None] * scale[:, None, :]
    half = np.linalg.inv(np.linalg.cholesky(d * both + 1e-10 * np.eye(supports.shape[1])))
    return np.linalg.eigvalsh(half @ (w * both) @ np.swapaxes(half, 1, 2))[:, 0]


def leaving(values: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest μ without each term, and the combination that has it.

    Parameters
    ----------
    values : (k,) array
        μ, ascending; two at least.
    vectors : (s, k) array
        Their combinations of s terms, of one size in the noise's metric.

    Returns
    -------
    (s,) array
        Between the two smallest μ.
    (s, s) array
        One combination a row.
    """
    values, weight = np.maximum(values, _ZERO), vectors**2
    first, second, gap = weight[:, 0], weight[:, 1], values[1] - values[0]
    mu = np.full(len(weight), values[0])
    for _ in range(_STEPS):
        # All but the two nearest poles as a constant: a quadratic equation.
        rest = np.sum(weight[:, 2:] / _above(values[2:], mu), axis=1)
        linear = rest * gap + first + second
        root = np.sqrt(np.maximum(linear**2 - 4 * rest * first * gap, 0.0))
        mu = values[0] + 2 * first * gap / np.maximum(linear + root, _ZERO)
    share = vectors[:, 1:] / _above(values[1:], mu)
    total = np.maximum(np.sum(vectors[:, 1:] * share, axis=1), _ZERO)
    mixed = vectors[:, 0] - (vectors[:, :1] * share / total[:, None]) @ vectors[:, 1:].T
    np.fill_diagonal(mixed, 0.0)
    return mu, mixed


def _above(values: np.ndarray, middle: np.ndarray) -> np.ndarray:
    return np.maximum(values - middle[:, None], _ZERO)


# A function whose gradient is this small beside its terms' is a constant on the data.
CONSTANT = 1e-11


# Arithmetic precision of a sum of products, relative to its terms.
ROUNDING = 4e-16


@dataclass(frozen=True)
class Operators:
    """The matrices of one library on one set of orbits.

    Attributes
    ----------
    within, dirichlet, between : (m, m) arrays
        W, D, B.
    unit_dirichlet : (m, m) array
        D for unit noise in standardized coordinates: tells functions from constants.
    n_rows, n_runs : int
    """

    within: np.ndarray
    dirichlet: np.ndarray
    between: np.ndarray
    unit_dirichlet: np.ndarray
    n_rows: int
    n_runs: int

    def restrict(self, support: np.ndarray) -> Operators:
        """Return the operators of the given terms."""
        pick = np.ix_(support, support)
        return Operators(
            self.within[pick],
            self.dirichlet[pick],
            self.between[pick],
            self.unit_dirichlet[pick],
            self.n_rows,
            self.n_runs,
        )


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues μ ascending and eigenvectors c (columns) of W c = μ D c."""

    values: np.ndarray
    vectors: np.ndarray


def spectrum(ops: Operators) -> Spectrum:
    """Solve the generalized eigenproblem on the functions that are not constants.

    Two traps are closed here. Combinations without a gradient on the data (cos² + sin²) are cut
    before the solve, or they would be false null vectors. And W is known only to rounding: D gets
    that share, so that a minute eigenvalue from round-off is not a law.
    """
    m = len(ops.within)
    size = np.sqrt(np.diag(ops.unit_dirichlet))
    keep = size > 0
    unit = ops.unit_dirichlet[np.ix_(keep, keep)] / np.outer(size[keep], size[keep])
    eigenvalues, basis = linalg.eigh(unit)
    good = eigenvalues > CONSTANT * eigenvalues[-1]
    basis = basis[:, good] / np.sqrt(eigenvalues[good])
    full = np.zeros((m, basis.shape[1]))
    full[keep] = basis / size[keep, None]
    rounding = ROUNDING * np.diag(ops.within + ops.between)
    w = full.T @ ops.within @ full
    d = full.T @ (ops.dirichlet + np.diag(rounding)) @ full
    values, vectors = linalg.eigh((w + w.T) / 2, (d + d.T) / 2)
    return Spectrum(np.maximum(values, 0.0), full @ vectors)


def flatness(ops: Operators, vectors: np.ndarray) -> np.ndarray:
    """Return μ of each column of `vectors`, shape (m, k) or (m,)."""
    rounding = ROUNDING * np.diag(ops.within + ops.between)
    top = np.einsum("i...,ij,j...->...", vectors, ops.within, vectors)
    bottom = np.einsum("i...,ij,j...->...", vectors, ops.dirichlet, vectors)
    bottom = bottom + np.einsum("i...,i->...", np.square(vectors), rounding)
    return top / bottom


def smallest(ops: Operators, support: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the smallest μ of combinations of the given terms, and its coefficients."""
    values, vectors = _solve(ops, support)
    return float(values[0]), vectors[:, 0]


def _solve(ops: Operators, support: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Solve W c = μ D c on s terms; return μ (s,) ascending and c (s, s), one a column."""
    pick = np.ix_(support, support)
    rounding = ROUNDING * np.diag(ops.within + ops.between)[support]
    d = ops.dirichlet[pick]
    scale = 1.0 / np.sqrt(np.diag(d) + rounding)
    d = d * np.outer(scale, scale) + np.diag(rounding * scale**2 + 1e-13)
    half = np.linalg.inv(np.linalg.cholesky(d))
    values, vectors = np.linalg.eigh(half @ (ops.within[pick] * np.outer(scale, scale)) @ half.T)
    return np.maximum(values, 0.0), (half.T @ vectors) * scale[:, None]


@dataclass(frozen=True)
class Gram:
    """Quadratic forms whose ratio's root is the defect: cᵀ `top` c / cᵀ `bottom` c."""

    top: np.ndarray
    bottom: np.ndarray

    def defect(self, c: np.ndarray) -> float:
        """Return the defect of one combination."""
        return float(np.sqrt(max(c @ self.top @ c, 0.0) / (c @ self.bottom @ c)))

    def smallest(self, support: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the smallest defect among combinations of few fields, and its coefficients."""
        index = np.ix_(support, support)
        scale = 1 / np.sqrt(np.diag(self.bottom)[support])
        bottom = self.bottom[index] * np.outer(scale, scale)
        half = np.linalg.inv(np.linalg.cholesky(bottom + 1e-13 * np.eye(len(support))))
        values, vectors = np.linalg.eigh(half @ (self.top[index] * np.outer(scale, scale)) @ half.T)
        return float(np.sqrt(max(values[0], 0.0))), scale * (half.T @ vectors[:, 0])
