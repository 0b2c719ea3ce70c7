r"""Lie algebras of symmetries: structure constants by least squares, and the algebra's name.

    [ξ_i, ξ_j]^k = ξ_i^l ∂_l ξ_j^k − ξ_j^l ∂_l ξ_i^k,
    {f_i, f_j}   = ∂_q f_i · ∂_p f_j − ∂_p f_i · ∂_q f_j

are fitted by c_ij^k ξ_k (or f_k) over sample points. What the fit leaves is the closure residual.
Where functions close only with coefficients that depend on a central one (Kepler:
{A_i, A_j} = −2H L_k), the constants are taken on its level set: bound orbits give so(4), unbound
ones so(3,1).

Source: S. Helgason, Differential Geometry, Lie Groups, and Symmetric Spaces (1978), ch. II.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from discovery.algebra.names import identify
from discovery.criteria import SYMMETRIES


@dataclass(frozen=True)
class LieAlgebra:
    """A fitted algebra.

    Attributes
    ----------
    structure : (d, d, d) array
        ``structure[i, j, k]`` = c_ij^k in [e_i, e_j] = Σ_k c_ij^k e_k.
    errors : (d, d, d) array
        Standard errors of the constants, from the fit's residuals.
    closure : float
        Largest root mean square of what the fit leaves of a bracket, against its terms.
    gram : (d, d) array
        Mean products of the generators over the points.
    precision : float
        Share of a generator that is not known: of symmetries, their residual.
    """

    structure: np.ndarray
    errors: np.ndarray
    closure: float
    gram: np.ndarray
    precision: float = 0.0

    @property
    def dimension(self) -> int:
        """Number of generators d."""
        return len(self.structure)

    @property
    def killing_form(self) -> np.ndarray:
        """Return K_ij = Σ_lm c_il^m c_jm^l, (d, d)."""
        return np.einsum("ilm,jml->ij", self.structure, self.structure)

    @property
    def signature(self) -> tuple[int, int, int]:
        """Return how many eigenvalues of the Killing form are positive, negative and zero."""
        values = np.linalg.eigvalsh(self.killing_form)
        terms = np.einsum("ilm,jml->ij", np.abs(self.structure), np.abs(self.structure))
        zero = np.abs(values) <= 10 * self._tolerance * np.abs(terms).max(initial=0.0)
        return (
            int(np.sum((values > 0) & ~zero)),
            int(np.sum((values < 0) & ~zero)),
            int(zero.sum()),
        )

    @property
    def jacobi(self) -> float:
        """Return the largest violation of the Jacobi identity, against the constants' squares."""
        c = self.structure
        cyclic = np.einsum("ijl,lkm->ijkm", c, c)
        total = cyclic + np.einsum("jkl,lim->ijkm", c, c) + np.einsum("kil,ljm->ijkm", c, c)
        return float(np.abs(total).max(initial=0.0) / max(np.abs(c).max(initial=0.0) ** 2, 1e-300))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the algebra, the usual one first; ``("unknown",)`` if it is none known here."""
        if self.closure > SYMMETRIES.closure:
            return ("unknown",)
        # In an orthonormal basis of generators all constants are known about equally well.
        root = np.linalg.cholesky(self.gram)
        basis = np.linalg.inv(root)
        orthonormal = np.einsum("ai,bj,ijk,kc->abc", basis, basis, self.structure, root)
        return identify(orthonormal, self._tolerance)

    @property
    def name(self) -> str:
        """The algebra's usual name."""
        return self.names[0]

    def modulo(self, central: np.ndarray) -> LieAlgebra | None:
        """Return the quotient by a central element Σ_k central_k e_k; None if nothing is left."""
        if self.dimension == 1:
            return None
        root = np.linalg.cholesky(self.gram)
        # Orthonormal generators, the last of them along the central element.
        direction = root.T @ central
        _, _, frame = np.linalg.svd(direction[None, :])
        basis = frame[1:] @ np.linalg.inv(root)
        back = root @ frame[1:].T
        structure, errors = (
            np.einsum("ai,bj,ijk,kc->abc", basis, basis, c, back)
            for c in (self.structure, self.errors)
        )
        gram = np.eye(self.dimension - 1)
        return LieAlgebra(structure, np.abs(errors), self.closure, gram, self.precision)

    @property
    def _tolerance(self) -> float:
        return max(1e-6, 3 * self.closure, 3 * self.precision)

    def __str__(self) -> str:
        names = " = ".join(self.names)
        plus, minus, zero = self.signature
        return (
            f"{names}: dimension {self.dimension}, closure residual {self.closure:.1e}, "
            f"Killing form {plus}+ {minus}− {zero}·0"
        )


class Generator(Protocol):
    """A symmetry: a vector field with its slopes, and how well it is known."""

    residual: float

    def jets(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return ξ^k (N, n) and ``[b, i, k]`` = ∂_i ξ^k (N, n, n) at points (N, n)."""


def of_vector_fields(values: np.ndarray, slopes: np.ndarray) -> LieAlgebra:
    """Fit the commutators of vector fields in their own span.

    Parameters
    ----------
    values : (N, d, n) array, ``values[b, f, k]`` = ξ_f^k
    slopes : (N, d, n, n) array, ``slopes[b, f, i, k]`` = ∂_i ξ_f^k
        As the fields of `discovery.symmetries.candidates` give them.

    Raises
    ------
    ValueError
        When there are no fields, too few points, or the fields are linearly dependent.
    """
    # forward[b, i, j, k] = ξ_i^l ∂_l ξ_j^k
    forward = np.einsum("bil,bjlk->bijk", values, slopes)
    size = np.einsum("bil,bjlk->bijk", np.abs(values), np.abs(slopes))
    n_points, d, n = values.shape
    rows = np.moveaxis(values, 1, 2).reshape(n_points * n, d)
    brackets = forward - np.swapaxes(forward, 1, 2)
    flat = np.moveaxis(brackets, 3, 1).reshape(n_points * n, d, d)
    sizes = np.moveaxis(size + np.swapaxes(size, 1, 2), 3, 1).reshape(n_points * n, d, d)
    return _fit(rows, flat, sizes)


def of_symmetries(symmetries: Sequence[Generator], points: np.ndarray) -> LieAlgebra:
    """Fit the algebra of what a `SymmetryFinder` found.

    Parameters
    ----------
    symmetries : sequence of Symmetry
    points : (N, n) array
        Where their commutators are fitted.

    Raises
    ------
    ValueError
        As in `of_vector_fields`.
    """
    if not symmetries:
        raise ValueError("There are no symmetries, so there is no algebra of them.")
    jets = [symmetry.jets(points) for symmetry in symmetries]
    values, slopes = (np.stack(parts, axis=1) for parts in zip(*jets, strict=True))
    fitted = of_vector_fields(values, slopes)
    # Rounded formulas close exactly, or nearly so, whatever their coefficients are known to.
    return replace(fitted, precision=max(s.residual for s in symmetries))


def of_functions(values: np.ndarray, gradients: np.ndarray, poisson: np.ndarray) -> LieAlgebra:
    """Fit the Poisson brackets of functions in their own span.

    Coefficients may depend linearly on central functions (the energy); the constants returned are
    those at their median.

    Parameters
    ----------
    values : (N, d) array
    gradients : (N, d, D) array
    poisson : (N, D, D) or (1, D, D) array
        {x_a, x_b} of the coordinates; see `discovery.noether.phase_space`.

    Raises
    ------
    ValueError
        As in `of_vector_fields`.
    """
    brackets, sizes = brackets_of(gradients, poisson)
    plain = _fit(values, brackets, sizes)
    if plain.closure <= 1e-6:
        return plain
    weight = np.sqrt(np.mean(sizes**2, axis=0)) + 1e-300
    relative = np.sqrt(np.mean(brackets**2, axis=0)) / weight
    central = np.flatnonzero(relative.max(axis=1) <= max(1e-6, plain.closure / 10))
    if not len(central):
        return plain
    shell = _fit(values, brackets, sizes, extra=with_levels(values, central))
    return shell if shell.closure < plain.closure / 3 else plain


def brackets_of(gradients: np.ndarray, poisson: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return all Poisson brackets (N, d, d), and the sums of the moduli of their terms."""
    brackets = np.einsum("bia,bac,bjc->bij", gradients, poisson, gradients, optimize=True)
    moduli = (np.abs(a) for a in (gradients, poisson, gradients))
    return brackets, np.einsum("bia,bac,bjc->bij", *moduli, optimize=True)


def with_levels(values: np.ndarray, central: np.ndarray) -> np.ndarray:
    """Return products of functions (N, d) with central ones, measured from their medians.

    So the coefficients of the functions themselves are the constants at the medians.
    """
    levels = values[:, central] - np.median(values[:, central], axis=0)
    return (values[:, :, None] * levels[:, None, :]).reshape(len(values), -1)


def _fit(
    rows: np.ndarray, brackets: np.ndarray, sizes: np.ndarray, extra: np.ndarray | None = None
) -> LieAlgebra:
    """Solve rows · c = brackets by least squares.

    Parameters
    ----------
    rows : (R, d) array
        The generators' values.
    brackets, sizes : (R, d, d) arrays
        Values of the brackets, and of the sum of their terms' moduli.
    extra : (R, e) array, optional
        Further regressors whose coefficients are not returned.
    """
    d = rows.shape[1]
    if d == 0:
        raise ValueError("There are no generators, so there is no algebra of them.")
    if not (np.isfinite(rows).all() and np.isfinite(brackets).all()):
        raise ValueError(
            "The generators or their derivatives are not finite at some of the points."
        )
    regressors = rows if extra is None else np.concatenate([rows, extra], axis=1)
    if len(rows) < 2 * regressors.shape[1]:
        raise ValueError(
            f"{len(rows)} values are too few to fit {regressors.shape[1]} structure constants a "
            "bracket; give more points."
        )
    scale = np.linalg.norm(regressors, axis=0)
    scale[scale == 0] = 1.0
    left, singular, right = np.linalg.svd(regressors / scale, full_matrices=False)
    own = np.linalg.svd(rows / scale[:d], compute_uv=False)
    if own[-1] <= 1e-8 * own[0]:
        raise ValueError(
            "The generators are linearly dependent; leave out those that are sums of others."
        )
    keep = singular > 1e-10 * singular[0]
    inverse = (right[keep].T / singular[keep]) @ left[:, keep].T / scale[:, None]
    flat = brackets.reshape(len(rows), d * d)
    coefficients = inverse @ flat
    rest = flat - regressors @ coefficients
    amounts = np.sqrt(np.mean(rows**2, axis=0))
    closure = _closure(rest.reshape(brackets.shape), sizes, amounts)
    variance = np.sum(rest**2, axis=0) / max(len(rows) - regressors.shape[1], 1)
    errors = np.sqrt(np.sum(inverse**2, axis=1)[:d, None] * variance[None, :])

    def shaped(a: np.ndarray) -> np.ndarray:
        return np.moveaxis(a[:d].reshape(d, d, d), 0, 2)

    return LieAlgebra(shaped(coefficients), shaped(errors), closure, rows.T @ rows / len(rows))


def _closure(rest: np.ndarray, terms: np.ndarray, sizes: np.ndarray) -> float:
    """Return the largest residual among the brackets, against what their terms amount to."""
    unit = np.outer(sizes, sizes)
    left, whole = (np.sqrt(np.mean(a**2, axis=0)) / unit for a in (rest, terms))
    typical = np.sqrt(np.mean(whole**2))
    return float(np.max(left / np.maximum(whole, typical))) if typical > 0 else 0.0
