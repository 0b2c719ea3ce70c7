"""Products of powers that are constant along runs: h = g + Σ λ_i log P_i, all numbers at once.

The polynomials P_i are known roughly (`finding.darboux`). The flatness of h,

    μ = E[w (h − h̄_r)²] / E[w ∇hᵀ g⁻¹ ∇h],

over the runs is least by Newton's method in the coefficients of g, in λ_i and in those of the P_i.
The residual's own second derivative is left out (Gauss and Newton): it is of the size of the noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from discovery.criteria import FORMULAS, LAWS
from discovery.estimation.orbits import Orbits
from discovery.formulas.pencil import solve
from discovery.formulas.simple_numbers import SHARES, Numbers
from discovery.formulas.simplicity import widths
from discovery.libraries.library import Library

# Newton's steps, the damping at first, and beyond which no step is tried.
_STEPS, _DAMPING, _MOST_DAMPING = 30, 1e-3, 1e6
# What is gained in one step when they end, relative: near a law steps gain much, until it is flat.
_SETTLED, _HOPELESS = 1e-4, 0.1
# Steps after a number was left out.
_RESETTLE = 6
# Flattest combinations that are looked at.
_DIRECTIONS = 2
# Numbers below this size are tried as zero, however certain.
_SMALL = 1e-3


class Terms:
    """Functions on the runs: what g is made of, and what the P_i are.

    Parameters
    ----------
    rest, powers : Library
        Of a monomials in g, and m in the P_i.
    orbits : Orbits
    """

    def __init__(self, rest: Library, powers: Library, orbits: Orbits) -> None:
        path = orbits.smoothed
        self.rest_library, self.powers_library = rest, powers
        self.offsets, self.half = orbits.offsets, path.half
        values, slopes, bend = rest.jets(path.states, path.errors, order=2)
        self.sizes_of_rest = np.sqrt(np.mean(values**2, axis=1))
        self.rest = (values - bend / 2) / self.sizes_of_rest[:, None]
        self.rest_moved = self.moved(slopes) / self.sizes_of_rest[:, None]
        values, slopes, bend = powers.jets(path.states, path.errors, order=2)
        self.sizes = np.concatenate([[1.0], np.sqrt(np.mean(values**2, axis=1))])
        unit, zero = np.ones_like(values[:1]), np.zeros_like(values[:1])
        self.powers = np.vstack([unit, values]) / self.sizes[:, None]
        self.bend = np.vstack([zero, bend]) / self.sizes[:, None]
        moved = self.moved(slopes)
        self.powers_moved = (
            np.concatenate([np.zeros_like(moved[:, :1]), moved], axis=1) / self.sizes[:, None]
        )
        measured = np.vstack([np.ones(len(path.states)), powers.values(orbits.measured.states)])
        self.measured = measured / self.sizes[:, None]

    def moved(self, slopes: np.ndarray) -> np.ndarray:
        """Return what noise of one standard deviation does, (d, m, n), for slopes (d, m, n)."""
        if self.half.ndim == 2:
            return slopes * self.half.T[:, None, :]
        return np.einsum("nij,ikn->jkn", self.half, slopes)

    def centred(self, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return values (..., n) without their weighted mean along each run."""
        starts, lengths = self.offsets[:-1], np.diff(self.offsets)
        mass = np.add.reduceat(weights, starts)
        means = np.add.reduceat(values * weights, starts, axis=-1) / mass
        return values - np.repeat(means, lengths, axis=-1)

    def by_run(self, values: np.ndarray) -> np.ndarray:
        """Return sums of values (..., n) over each run."""
        return np.add.reduceat(values, self.offsets[:-1], axis=-1)


@dataclass(frozen=True)
class Product:
    """g + Σ λ_i log P_i: its numbers, in units of the terms' sizes.

    Attributes
    ----------
    rest : (a,) array
        Coefficients of g.
    powers : (p,) array
        λ_i.
    polynomials : (p, m + 1) array
        P_i, the constant first.
    """

    rest: np.ndarray
    powers: np.ndarray
    polynomials: np.ndarray

    @property
    def vector(self) -> np.ndarray:
        """All numbers, (a + p + p (m + 1),)."""
        return np.concatenate([self.rest, self.powers, self.polynomials.ravel()])

    def of(self, vector: np.ndarray) -> Product:
        """Return the one of other numbers."""
        a, p = len(self.rest), len(self.powers)
        return Product(
            vector[:a], vector[a : a + p], vector[a + p :].reshape(self.polynomials.shape)
        )


@dataclass(frozen=True)
class Refined:
    """A product at the least flatness near it.

    Attributes
    ----------
    product : Product
    free : (k,) array of bool
        Which numbers were fitted: the largest λ and that of each P_i are one, others zero.
    flatness : float
    covariance : (k, k) array
        Of all numbers; zero for those not fitted.
    """

    product: Product
    free: np.ndarray
    flatness: float
    covariance: np.ndarray

    @property
    def errors(self) -> np.ndarray:
        """Standard errors, (k,)."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))


@dataclass(frozen=True)
class _Local:
    """A product's flatness, the first two orders of its change, and the pencil of g and logs."""

    flatness: float
    slope: np.ndarray
    curvature: np.ndarray
    scores: np.ndarray
    linear: tuple[np.ndarray, np.ndarray]


def normalised(product: Product) -> tuple[Product, np.ndarray]:
    """Return a product of which the largest λ and the largest number of each P_i are one.

    With which of its numbers these are, (k,) bool.
    """
    top = int(np.argmax(np.abs(product.powers)))
    largest = np.abs(product.polynomials).argmax(axis=1)
    scale = np.abs(product.polynomials[np.arange(len(largest)), largest])
    fixed = np.zeros(len(product.vector), dtype=bool)
    a, p = len(product.rest), len(product.powers)
    fixed[a + top] = True
    fixed[a + p + np.arange(p) * product.polynomials.shape[1] + largest] = True
    return (
        Product(
            product.rest / product.powers[top],
            product.powers / product.powers[top],
            product.polynomials / scale[:, None],
        ),
        fixed,
    )


def _local(terms: Terms, product: Product) -> _Local | None:
    """Return what a product does along the runs; None where a P_i is not positive."""
    values = product.polynomials @ terms.powers
    if values.min() <= 0:
        return None
    slopes = np.einsum("pm,dmn->dpn", product.polynomials, terms.powers_moved) / values
    logs = (
        np.log(values) - (product.polynomials @ terms.bend / values - (slopes**2).sum(axis=0)) / 2
    )
    moved = np.einsum("a,dan->dn", product.rest, terms.rest_moved)
    moved += np.einsum("p,dpn->dn", product.powers, slopes)
    noise = (moved**2).sum(axis=0)
    weights = 1 / (1 + noise / max(float(np.median(noise)), 1e-300))
    weights /= weights.sum()
    inner = product.powers[:, None, None] * terms.powers / values[:, None, :]
    inner_moved = (
        product.powers[:, None, None]
        * (terms.powers_moved[:, None] - slopes[:, :, None] * terms.powers)
        / values[:, None, :]
    )
    n, d = len(noise), len(moved)
    jacobian = np.vstack([terms.rest, logs, inner.reshape(-1, n)])
    jacobian_moved = np.concatenate(
        [terms.rest_moved, slopes, inner_moved.reshape(d, -1, n)], axis=1
    )
    jacobian = terms.centred(jacobian, weights)
    linear = len(product.rest) + len(product.powers)
    h = np.concatenate([product.rest, product.powers]) @ jacobian[:linear]
    top, bottom = float(weights @ h**2), float(weights @ noise)
    if bottom == 0:  # of a constant
        return None
    mu = top / bottom
    along = jacobian * h - mu * np.einsum("dkn,dn->kn", jacobian_moved, moved)
    scores = terms.by_run(along * weights)
    root = np.sqrt(weights)
    jacobian, jacobian_moved = jacobian * root, jacobian_moved * root
    squares = jacobian @ jacobian.T
    noises = sum(part @ part.T for part in jacobian_moved)
    pencil = squares[:linear, :linear], noises[:linear, :linear]
    return _Local(mu, scores.sum(axis=1), squares - mu * noises, scores, pencil)


def refined(
    terms: Terms, product: Product, free: np.ndarray, steps: int = _STEPS
) -> Refined | None:
    """Return the least flatness near a product; None where a P_i is not positive.

    Parameters
    ----------
    terms : Terms
    product : Product
        Normalised.
    free : (k,) array of bool
        Numbers that are fitted.
    steps : int
    """
    here = _local(terms, product)
    if here is None:
        return None
    chosen, damping = np.flatnonzero(free), _DAMPING
    for _ in range(steps):
        form = here.curvature[np.ix_(chosen, chosen)]
        size = np.maximum(np.abs(np.diag(form)), 1e-300)
        gain = 0.0
        while damping < _MOST_DAMPING:
            move = -_solved(form + damping * np.diag(size), here.slope[chosen])
            vector = product.vector
            vector[chosen] += move
            trial = product.of(vector)
            there = _local(terms, trial)
            if there is not None and there.flatness < here.flatness:
                gain = 1 - there.flatness / here.flatness
                product, here, damping = trial, there, damping / 10
                break
            damping *= 10
        if gain <= (_SETTLED if here.flatness <= LAWS.flatness_ceiling else _HOPELESS):
            break
    form = here.curvature[np.ix_(chosen, chosen)]
    size = np.maximum(np.sqrt(np.abs(np.diag(form))), 1e-150)
    inverse = np.linalg.pinv(form / size[:, None] / size, rcond=1e-12, hermitian=True)
    moves = (inverse / size[:, None] / size) @ here.scores[chosen]
    covariance = np.zeros((len(free), len(free)))
    covariance[np.ix_(chosen, chosen)] = moves @ moves.T
    return Refined(product, free, here.flatness, covariance)


def _solved(form: np.ndarray, slope: np.ndarray) -> np.ndarray:
    size = np.maximum(np.sqrt(np.abs(np.diag(form))), 1e-150)
    return np.linalg.lstsq(form / size[:, None] / size, slope / size, rcond=1e-14)[0] / size


def started(terms: Terms, polynomials: np.ndarray) -> list[Product]:
    """Return the flattest combinations of g and the logarithms of given polynomials, with logs.

    Parameters
    ----------
    terms : Terms
    polynomials : (p, m + 1) array
        In units of the terms' sizes.
    """
    a, p = len(terms.rest), len(polynomials)
    local = _local(terms, Product(np.zeros(a), np.ones(p), polynomials))
    if local is None:
        return []
    top, bottom = local.linear
    found = solve(top, bottom)
    size = np.sqrt(np.diag(bottom))
    out = []
    for vector in found.vectors.T[:_DIRECTIONS]:
        share = np.abs(vector) * size
        if share[a:].max() > FORMULAS.negligible_share * share.max():
            out.append(Product(vector[:a], vector[a:], polynomials))
    return out


def thinned(terms: Terms, found: Refined) -> Refined:
    """Return a product without the numbers that it does not need, the least certain first."""
    limit = max(FORMULAS.flatness_floor, found.flatness * FORMULAS.flatness_slack)
    needed = np.zeros(len(found.free), dtype=bool)
    while (left := np.flatnonzero(found.free & ~needed)).size:
        sizes = np.abs(found.product.vector[left])
        doubt = np.minimum(
            sizes / (FORMULAS.interval * found.errors[left] + 1e-300), sizes / _SMALL
        )
        if doubt.min() > 1:
            break
        j = left[doubt.argmin()]
        vector, free = found.product.vector, found.free.copy()
        vector[j], free[j] = 0.0, False
        trial, free = _without_unused(found.product.of(vector), free)
        shorter = refined(terms, trial, free, _RESETTLE)
        needed[j] = shorter is None or shorter.flatness > limit
        if not needed[j]:
            found = shorter
    return found


def _without_unused(product: Product, free: np.ndarray) -> tuple[Product, np.ndarray]:
    """Return a product whose polynomials of power zero, and constant ones, are one, and fixed."""
    a, p = len(product.rest), len(product.powers)
    powers, polynomials, free = product.powers.copy(), product.polynomials.copy(), free.copy()
    for i in range(p):
        if powers[i] == 0 or not polynomials[i, 1:].any():
            powers[i], polynomials[i] = 0.0, np.eye(polynomials.shape[1])[0]
            free[a + i] = False
            start = a + p + i * polynomials.shape[1]
            free[start : start + polynomials.shape[1]] = False
    return Product(product.rest, powers, polynomials), free


def rounded(terms: Terms, found: Refined, numbers: Numbers) -> list[np.ndarray]:
    """Return the polynomials that are needed, (m + 1,) each, in numbers as simple as runs allow.

    One after the other, each beside those before it: what was rounded off one is made up for by
    the others.

    Parameters
    ----------
    terms : Terms
    found : Refined
    numbers : Numbers
        What coefficients are rounded to.
    """
    a, p = len(found.product.rest), len(found.product.powers)
    width = found.product.polynomials.shape[1]
    out = []
    for i in np.flatnonzero(found.product.powers):
        own = a + p + i * width + np.arange(width)
        exact = found.product.polynomials[i]
        simple = _in_numbers(exact, found.covariance[np.ix_(own, own)], terms.sizes, numbers)
        out.append(simple)
        inside = simple * terms.sizes
        vector, free = found.product.vector, found.free.copy()
        vector[own], free[own] = inside / np.abs(inside).max(), False
        again = refined(terms, found.product.of(vector), free, _RESETTLE)
        found = found if again is None else again
    return out


def _in_numbers(
    exact: np.ndarray, covariance: np.ndarray, sizes: np.ndarray, numbers: Numbers
) -> np.ndarray:
    """Return a polynomial's coefficients as simple numbers, inside their joint interval."""
    chosen = np.flatnonzero(exact)
    coefficients = exact[chosen] / sizes[chosen]
    pivot = int(np.argmax(np.abs(exact[chosen])))
    others = np.delete(np.arange(len(chosen)), pivot)
    inside = covariance[np.ix_(chosen[others], chosen[others])]
    inverse = np.linalg.pinv(inside, rcond=1e-12, hermitian=True)
    most = stats.chi2.isf(2 * stats.norm.sf(FORMULAS.interval), max(1, len(others)))

    def allowed(trial: np.ndarray) -> bool:
        off = trial / trial[pivot] * coefficients[pivot] * sizes[chosen] - exact[chosen]
        return bool(off[others] @ inverse @ off[others] <= most)

    errors = np.sqrt(np.maximum(np.diag(covariance)[chosen], 0.0)) / sizes[chosen]
    strong = np.flatnonzero(np.abs(exact[chosen]) > FORMULAS.strong_term * np.abs(exact).max())
    known = {int(k): widths(coefficients, errors, int(k)) for k in strong}
    simple = numbers.simplest(coefficients, known, SHARES, allowed, measured=True)
    if simple is None:
        each = widths(coefficients, errors, pivot)
        simple = numbers.shortest(coefficients / coefficients[pivot], each, allowed)
    out = np.zeros(len(exact))
    out[chosen] = simple * np.sign(simple[pivot] * coefficients[pivot])
    return out
