"""Darboux polynomials of a field, from runs: P with X·∇P = K P, where the cofactor K is simple.

The surface P = 0 is never crossed, and along runs log P changes at the rate K. Where cofactors
are linearly dependent, Σ λ_i K_i + X·∇g = 0, the function g + Σ λ_i log P_i is a law: a product of
powers, e^g Π P_i^{λ_i}.

The field X is fitted first, as polynomials, from the runs' integrals: x(t₁) − x(t₀) = ∫ X(x) dt.
Then, with Φ the monomials of P, Φ' = X·∇Φ, and Ψ those of K,

    ‖Φ' p − (Ψ k)(Φ p)‖² / ‖Φ' p‖²    over states

is least in p for given k (an eigenproblem), and in k for given p (linear): these two in turn.

Source: Darboux, *Mémoire sur les équations différentielles algébriques du premier ordre et du
premier degré* (Bull. Sci. Math. 2, 1878).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from discovery.criteria import FORMULAS, LIBRARIES, NOISE
from discovery.estimation.errors import moved
from discovery.estimation.orbits import Orbits
from discovery.formulas.pencil import solve
from discovery.libraries.library import Library

# Samples that an integral goes over.
_WINDOW = 4
# States that conditions are asked at.
_STATES = 600
# Starts, steps from each, and steps of the best ones.
_STARTS, _STEPS, _POLISH, _BEST = 80, 30, 300, 8
# How far, in spreads, surfaces may be from the middle of the data at first.
_FAR = 1.5
# Share of the motion of P that its cofactor leaves, at most: the field is known no better. It saves
# work alone: what leaves more is refuted with the products that are made of it.
_LEFT = 0.03
# What is zero but for rounding, beside its like.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Field:
    """Time derivatives as polynomials in the coordinates.

    Attributes
    ----------
    powers : Library
        Of m monomials.
    coefficients : (m + 1, d) array
        The constant's first.
    """

    powers: Library
    coefficients: np.ndarray

    def __call__(self, states: np.ndarray) -> np.ndarray:
        """Return the rates at states, (n, d)."""
        return _with_one(self.powers.values(states)).T @ self.coefficients

    @classmethod
    def fitted(cls, powers: Library, orbits: Orbits, times: np.ndarray) -> Field | None:
        """Return the field of least squares, from differences of states and integrals of powers.

        Parameters
        ----------
        powers : Library
        orbits : Orbits
        times : (n,) array
            Of the orbits' rows.

        Returns
        -------
        Field or None
            None for runs that are too short.
        """
        changes, integrals = [], []
        for start, end in itertools.pairwise(orbits.offsets):
            if end - start <= _WINDOW:
                continue
            states, at = orbits.smoothed.states[start:end], times[start:end]
            values = _with_one(powers.values(states)).T
            total = CubicSpline(at, values).antiderivative()(at)
            integrals.append(total[_WINDOW:] - total[:-_WINDOW])
            changes.append(states[_WINDOW:] - states[:-_WINDOW])
        if not integrals:
            return None
        design = np.vstack(integrals)
        sizes = np.sqrt(np.mean(design**2, axis=0))
        found = np.linalg.lstsq(design / sizes, np.vstack(changes))[0]
        return cls(powers, found / sizes[:, None])


def darboux_polynomials(
    field: Field, powers: Library, cofactors: Library, orbits: Orbits, rng: np.random.Generator
) -> np.ndarray:
    """Return the polynomials of one sign in the data whose zeros the field does not cross.

    Parameters
    ----------
    field : Field
    powers, cofactors : Library
        What P and K are made of, m and k monomials, and the constant.
    orbits : Orbits
        In whose states P has one sign.
    rng : numpy.random.Generator
        Draws starts.

    Returns
    -------
    (p, m + 1) array
        One positive polynomial a row, the constant's coefficient first; the best first.
    """
    every = orbits.smoothed.states
    states = every[:: max(1, len(every) // _STATES)]
    values, slopes, _ = powers.jets(states, order=1)
    phi, psi = _with_one(values), _with_one(cofactors.values(states))
    rates = np.vstack([np.zeros(len(states)), np.einsum("jmn,nj->mn", slopes, field(states))])
    sizes = np.sqrt(np.mean(phi**2, axis=1))
    phi, rates = phi / sizes[:, None], rates / sizes[:, None]
    psi /= np.sqrt(np.mean(psi**2, axis=1))[:, None]
    own, mixed, squares = (
        rates @ rates.T,
        np.einsum("in,an,jn->aij", rates, psi, phi),
        np.einsum("an,bn,in,jn->abij", psi, psi, phi, phi, optimize=True),
    )
    forms = _Forms(own, mixed, squares)
    found = forms.descended(forms.started(phi, rng), _STEPS)
    found = forms.descended(_distinct(found, forms.left(found), phi)[: 2 * _BEST], _POLISH)
    left = forms.left(found)
    held = left <= _LEFT**2
    found = _distinct(found[held], left[held], phi)
    whole = _with_one(powers.values(every))
    out: list[np.ndarray] = []
    # More than as many linear cofactors are dependent: no law needs more planes.
    for p in found[: powers.dim + 2] / sizes:
        p *= np.sign(np.median(p @ whole))
        values, clear = p @ whole, Clear(powers, p[None])(orbits)
        kept = values.min() > -LIBRARIES.smallest_value * values.max()
        varies = np.ptp(values) > FORMULAS.surface_varies * values.max()
        if kept and varies and clear.mean() >= LIBRARIES.positive_share:
            out.append(p)
    return np.array(out).reshape(len(out), len(phi))


@dataclass(frozen=True)
class Clear:
    """Rows in which polynomials are positive beyond their noise, and away from zero.

    Attributes
    ----------
    powers : Library
        Of m monomials.
    polynomials : (p, m + 1) array
        The constant's coefficient first.
    """

    powers: Library
    polynomials: np.ndarray

    def __call__(self, orbits: Orbits) -> np.ndarray:
        """Return which rows they are, (n,) bool; in no row of a run that has too few left."""
        states, errors = orbits.smoothed.states, orbits.measured.errors
        powers, slopes, _ = self.powers.jets(states, order=1)
        measured = self.polynomials @ _with_one(self.powers.values(orbits.measured.states))
        clear = np.ones(len(states), dtype=bool)
        for p, seen in zip(self.polynomials, measured, strict=True):
            values = p @ _with_one(powers)
            noise = np.sqrt(moved(np.tensordot(p[1:], slopes, (0, 1)), errors))
            least = np.maximum(NOISE.clear_of_zero * noise, LIBRARIES.smallest_value * values.max())
            clear &= (values > least) & (seen > 0)
        return orbits.in_long_runs(clear)


def _distinct(p: np.ndarray, left: np.ndarray, phi: np.ndarray) -> np.ndarray:
    """Return polynomials (., m) without those that are one of the better ones, the best first."""
    values = p @ phi
    values /= np.linalg.norm(values, axis=1)[:, None]
    kept: list[int] = []
    for k in np.argsort(left):
        near = np.abs(values[kept] @ values[k]) if kept else np.zeros(1)
        if near.max() < 1 - FORMULAS.same_surface**2 / 2:
            kept.append(int(k))
    return p[kept]


@dataclass(frozen=True)
class _Forms:
    """The quadratic forms of the condition, in p (m) and k (a).

    Attributes
    ----------
    own : (m, m) array
        Σ Φ' Φ'ᵀ over states.
    mixed : (a, m, m) array
        Σ Φ' (Ψ_a Φ)ᵀ.
    squares : (a, a, m, m) array
        Σ (Ψ_a Φ) (Ψ_b Φ)ᵀ.
    """

    own: np.ndarray
    mixed: np.ndarray
    squares: np.ndarray

    def started(self, phi: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return polynomials that are zero somewhere near the data, (starts, m)."""
        p = rng.standard_normal((_STARTS, len(phi)))
        p[:, 0] = 0.0
        values = p @ phi
        far = rng.normal(0, _FAR, _STARTS)
        p[:, 0] = -(values.mean(axis=1) + far * values.std(axis=1)) / phi[0, 0]
        return p

    def cofactors(self, p: np.ndarray) -> np.ndarray:
        """Return the best cofactor of each polynomial, (starts, a)."""
        return self._told(p)[0]

    def _told(self, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the best cofactor of each polynomial, and what is linear in it, (starts, a)."""
        pairs, a = _pairs(p), len(self.mixed)
        square = (pairs @ self.squares.reshape(a * a, -1).T).reshape(-1, a, a)
        linear = pairs @ self.mixed.reshape(a, -1).T
        inverse = np.linalg.pinv(square, rcond=_ROUNDING, hermitian=True)
        return (inverse @ linear[:, :, None])[:, :, 0], linear

    def polynomials(self, k: np.ndarray) -> np.ndarray:
        """Return the best polynomial for each cofactor, (starts, m)."""
        a, m = self.mixed.shape[:2]
        one = (k @ self.mixed.reshape(a, -1)).reshape(-1, m, m)
        form = self.own - one - np.swapaxes(one, 1, 2)
        form = form + (_pairs(k) @ self.squares.reshape(a * a, -1)).reshape(-1, m, m)
        # ‖Φ'p‖² is zero for the constant: the inverse ratio is largest.
        # All functions are of one size; a cofactor of zero leaves none of the constant.
        form += _ROUNDING * np.trace(self.own) * np.eye(m)
        p = solve(-self.own, form).vectors[..., 0]
        return p / np.linalg.norm(p, axis=1)[:, None]

    def descended(self, p: np.ndarray, steps: int) -> np.ndarray:
        """Return what the two steps in turn lead to, (starts, m)."""
        for _ in range(steps):
            p = self.polynomials(self.cofactors(p))
        return p

    def left(self, p: np.ndarray) -> np.ndarray:
        """Return the share of each polynomial's motion that its cofactor leaves, (starts,).

        One for what is constant along runs: it has no cofactor.
        """
        k, linear = self._told(p)
        whole = np.sum((p @ self.own) * p, axis=1)
        return np.maximum(1 - np.sum(k * linear, axis=1) / whole, 0.0)


def _pairs(values: np.ndarray) -> np.ndarray:
    """Return the products of any two of the numbers in each row, (n, k²) of (n, k)."""
    return (values[:, :, None] * values[:, None, :]).reshape(len(values), -1)


def _with_one(values: np.ndarray) -> np.ndarray:
    """Return functions (m, n) after the constant."""
    return np.vstack([np.ones(values.shape[1]), values])
