"""Quotients of polynomials h = P/Q that are constant along runs, numerator and denominator at once.

Along run r, P − h_r Q = 0 with a number h_r: one function of the span of P and Q vanishes there. So
with Φ the monomials (the constant among them), M_r = E[Φ Φᵀ] over run r and D_r what noise puts
into it, the span S (m, 2) is wanted for which

    Σ_r n_r  min_u  (uᵀ Sᵀ M_r S u) / (uᵀ Sᵀ D_r S u)

is least; a law has one for each ratio, by chance and noise. The ratios are those of errors in
variables: what noise moves more must be less still. For given S each u_r is an eigenvector of a
pencil of two; for given u_r, S is one of a pencil of 2m: these two steps in turn, from spans of
what nearly vanishes along single runs.

Source: Sampson, *Fitting conic sections to "very scattered" data* (Computer Graphics and Image
Processing 18, 1982), for one curve; here one pencil of curves for all runs.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import stats

from discovery.criteria import FORMULAS, LAWS, LIBRARIES
from discovery.estimation.orbits import Orbits
from discovery.formulas.pencil import Pencil
from discovery.formulas.simple_numbers import SHARES, Numbers
from discovery.formulas.simplicity import widths
from discovery.laws.finding.operators import CHUNK_VALUES, moved_by
from discovery.libraries.library import Library

# Directions that spans are first looked for in, starts, and steps from each.
_DIRECTIONS, _STARTS, _STEPS = 6, 16, 20
# Steps of the best ones among all functions.
_POLISH, _BEST = 120, 2
# What is gained in one step when they end, relative.
_SETTLED = 1e-4
# Noise that is given to constants, as a share of other functions': they have none.
_RIDGE = 1e-10
# Steps after a term was left out, and what is zero but for rounding.
_RESETTLE, _ZERO = 2, 1e-9
# Newton's steps.
_NEWTON = 12
# Sparse denominators that are tried.
_DENOMINATORS = 4


@dataclass(frozen=True)
class Moments:
    """What single runs tell of m functions, the first of which is the constant.

    Attributes
    ----------
    counts : (runs,) array
        Samples.
    second, noise : (runs, m, m) arrays
        M_r and D_r.
    """

    counts: np.ndarray
    second: np.ndarray
    noise: np.ndarray

    def of(self, runs: np.ndarray) -> Moments:
        """Return the moments of some of the runs, (runs,) bool."""
        return Moments(self.counts[runs], self.second[runs], self.noise[runs])

    def onto(self, basis: np.ndarray) -> Moments:
        """Return the moments of the combinations in the columns of `basis` (m, k)."""
        return Moments(self.counts, basis.T @ self.second @ basis, basis.T @ self.noise @ basis)


def moments(library: Library, orbits: Orbits) -> tuple[Moments, np.ndarray]:
    """Return the moments of a library and the constant, each function in units of its size.

    Parameters
    ----------
    library : Library
        Of m − 1 functions.
    orbits : Orbits

    Returns
    -------
    Moments
    sizes : (m,) array
        The root mean squares that functions were divided by.
    """
    m, path = len(library) + 1, orbits.smoothed
    counts = np.diff(orbits.offsets)
    second, noise = (np.zeros((len(counts), m, m)) for _ in range(2))
    most = max(1, CHUNK_VALUES // (m * (library.dim + 2)))
    for r, (start, end) in enumerate(itertools.pairwise(orbits.offsets)):
        for begin in range(start, end, most):
            part = slice(begin, min(begin + most, end))
            phi, slopes, bend = library.jets(path.states[part], path.errors[part], order=2)
            phi = np.vstack([np.ones(phi.shape[1]), phi - 0.5 * bend])
            second[r] += phi @ phi.T
            noise[r, 1:, 1:] += moved_by(slopes, path.half[part])
        second[r] /= end - start
        noise[r] /= end - start
    sizes = np.sqrt(np.mean(np.einsum("rii->ri", second), axis=0))
    both = sizes[:, None] * sizes
    second, noise = second / both, noise / both
    typical = np.einsum("rii->r", noise) / m
    noise[:, 0, 0] = _RIDGE * typical
    return Moments(counts, second, noise), sizes


def _pairs(some: Moments, span: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the least ratio of each run in a span (m, 2), (runs,), and its u_r, (runs, 2)."""
    inside = some.onto(span)
    a, d = inside.second, inside.noise
    d = d + 1e-14 * np.einsum("rii->r", d)[:, None, None] * np.eye(2)
    half = np.linalg.inv(np.linalg.cholesky(d))
    values, vectors = np.linalg.eigh(half @ a @ np.swapaxes(half, 1, 2))
    u = np.einsum("rji,rj->ri", half, vectors[:, :, 0])
    return np.maximum(values[:, 0], 0.0), u


def _joint(some: Moments, u: np.ndarray) -> Pencil:
    """Return the pencil (2m, 2m) of numerators and denominators beside given u_r (runs, 2).

    u_r is of unit noise in its function, which is the weight of its run.
    """
    n_runs, m = some.second.shape[:2]
    shares = some.counts / some.counts.sum()
    weights = (shares[:, None, None] * u[:, :, None] * u[:, None, :]).reshape(n_runs, 4)
    top, bottom = (
        (weights.T @ part.reshape(n_runs, m * m)).reshape(2, 2, m, m).swapaxes(1, 2)
        for part in (some.second, some.noise)
    )
    return Pencil(top.reshape(2 * m, 2 * m), bottom.reshape(2 * m, 2 * m))


def _mean(some: Moments, ratios: np.ndarray) -> float:
    return float(some.counts @ ratios / some.counts.sum())


def _settle(
    some: Moments, span: np.ndarray, steps: int, support: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Return the least mean ratio that steps from a span lead to, and that span (m, 2).

    Parameters
    ----------
    some : Moments
    span : (m, 2) array
    steps : int
    support : (2m,) array of bool, optional
        Coefficients of numerator and denominator that may differ from zero.
    """
    ratios, u = _pairs(some, span)
    best = _mean(some, ratios)
    for _ in range(steps):
        pencil = _joint(some, u)
        chosen = np.arange(len(pencil.top)) if support is None else np.flatnonzero(support)
        vector = np.zeros(len(pencil.top))
        vector[chosen] = pencil.smallest(chosen)[1]
        trial = vector.reshape(2, -1).T
        if support is None:
            trial, _ = np.linalg.qr(trial)
        else:
            trial = trial / np.linalg.norm(trial, axis=0)
        if not np.isfinite(trial).all():
            break
        ratios, u = _pairs(some, trial)
        value = _mean(some, ratios)
        gain, span, best = best - value, trial, value
        if gain <= _SETTLED * best:
            break
    return best, span


def spans(some: Moments, rng: np.random.Generator) -> list[tuple[float, np.ndarray]]:
    """Return mean ratios and spans (m, 2) of P and Q, the best first.

    They are looked for on two thirds of the runs. Many functions imitate a law there: only what
    the other runs bear out is refined on all.

    Parameters
    ----------
    some : Moments
    rng : numpy.random.Generator
        Draws starts.
    """
    judges = np.arange(len(some.counts)) % 3 == 2
    check = some.of(judges)
    borne_out = [
        span
        for span in _spans(some.of(~judges), rng)
        if _mean(check, _pairs(check, span)[0]) <= 2 * LAWS.flatness_ceiling
    ]
    return sorted((_settle(some, span, _POLISH) for span in borne_out), key=lambda pair: pair[0])


def _spans(some: Moments, rng: np.random.Generator) -> list[np.ndarray]:
    """Return the spans of least mean ratio on the runs that they are looked for on."""
    m = some.second.shape[1]
    near = np.zeros((m, m))
    for second, noise in zip(some.second, some.noise, strict=True):
        flat = Pencil(second, noise).on(np.arange(m))
        vectors = flat.vectors / np.linalg.norm(flat.vectors, axis=0)
        near += (vectors / (1 + flat.values / LAWS.flatness_ceiling)) @ vectors.T
    inside = np.linalg.eigh(near)[1][:, ::-1][:, : min(_DIRECTIONS, m)]
    few = some.onto(inside)
    starts = [np.eye(inside.shape[1])[:, :2]]
    starts += [np.linalg.qr(rng.standard_normal((inside.shape[1], 2)))[0] for _ in range(_STARTS)]
    found = sorted((_settle(few, start, _STEPS) for start in starts), key=lambda pair: pair[0])
    out: list[np.ndarray] = []
    for _, span in found:
        if len(out) == _BEST:
            break
        if not any(_same(inside @ span, other) for other in out):
            out.append(_settle(some, np.linalg.qr(inside @ span)[0], _POLISH)[1])
    return out


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether two spans (m, 2) are one but for a tenth."""
    one, other = np.linalg.qr(one)[0], np.linalg.qr(other)[0]
    return bool(np.linalg.svd(one.T @ other, compute_uv=False)[-1] > 0.99)


@dataclass(frozen=True)
class Quotient:
    """A quotient of few terms.

    Attributes
    ----------
    above : tuple of int
        Functions of the numerator; 0 is the constant, j the library's (j − 1)-th.
    below : dict from int to float
        Coefficients of the denominator, rounded.
    ratio : float
        Mean ratio of the runs that it was found on.
    """

    above: tuple[int, ...]
    below: dict[int, float]
    ratio: float


def shortest(
    some: Moments, span: np.ndarray, sound: np.ndarray, sizes: np.ndarray, numbers: Numbers
) -> Quotient | None:
    """Return the quotient of fewest terms that a span holds and that has no pole in the data.

    P and Q are known but for a mixture with each other: for every function there is a denominator
    without it.

    Parameters
    ----------
    some : Moments
    span : (m, 2) array
    sound : (m, n) array
        The functions at measured and smoothed states, in units of their size.
    sizes : (m,) array
        Those units.
    numbers : Numbers
        What the denominator's coefficients are rounded to.
    """
    sparse = [span @ np.array([-row[1], row[0]]) for row in span]
    sparse = [v / np.linalg.norm(v) for v in sparse]
    order = sorted(range(len(sparse)), key=lambda j: np.abs(sparse[j]).sum())
    found = []
    tried: list[np.ndarray] = []
    for j in order:
        if len(tried) == _DENOMINATORS:
            break
        below = sparse[j]
        if any(abs(below @ other) > 0.999 for other in tried) or not _clear(below @ sound):
            continue
        tried.append(below)
        above = next(sparse[i] for i in order if abs(sparse[i] @ below) < 0.98)
        refined = _thinned(some, np.column_stack([above, below]), sound)
        if refined is not None:
            found.append(refined)
    if not found:
        return None
    best = min(found, key=lambda refined: (np.count_nonzero(refined.both), refined.ratio))
    below = _rounded(best, sizes, numbers)
    return Quotient(tuple(map(int, np.flatnonzero(best.both[:, 0]))), below, best.ratio)


def _clear(values: np.ndarray) -> bool:
    """Tell whether a denominator (n,) keeps its sign, and away from zero."""
    size = np.abs(values)
    return bool(np.ptp(np.sign(values)) == 0 and size.min() > LIBRARIES.smallest_value * size.max())


def _thinned(some: Moments, both: np.ndarray, sound: np.ndarray) -> Refined | None:
    """Return P and Q (m, 2) without the terms that they do not need; None where Q has a zero.

    Every numerator and denominator that is tried is mixed anew within its terms, so that what the
    mixture before left in them goes. Then coefficients have errors, and what may as well be zero
    goes.
    """
    base, both = _settle(some, both, 1, np.abs(both.T.ravel()) > _ZERO * np.abs(both).max())
    support = both.T.ravel() != 0
    limit = max(FORMULAS.flatness_floor, base * FORMULAS.flatness_slack)
    needed = np.zeros(len(support), dtype=bool)
    while (left := np.flatnonzero(support & ~needed)).size:
        j = left[np.abs(both.T.ravel()[left]).argmin()]
        less = support.copy()
        less[j] = False
        ratio, trial = np.inf, both
        if _leaves_both(support, j):
            ratio, trial = _settle(some, both * less.reshape(2, -1).T, _RESETTLE, less)
        needed[j] = ratio > limit
        if not needed[j]:
            support, both = less, trial
    refined = _refined(some, _settle(some, both, _STEPS, support)[1])
    while True:
        doubt = refined.errors / np.maximum(np.abs(refined.both.T.ravel()), 1e-300)
        doubt[~support | ~np.array([_leaves_both(support, j) for j in range(len(support))])] = 0.0
        worst = int(np.argmax(doubt))
        if doubt[worst] * FORMULAS.interval < 1:
            break
        less = support.copy()
        less[worst] = False
        shorter = _refined(some, refined.both * less.reshape(2, -1).T)
        if shorter.ratio > limit:
            break
        support, refined = less, shorter
    return refined if _clear(refined.both[:, 1] @ sound) else None


@dataclass(frozen=True)
class Refined:
    """P and Q at the least mean ratio, with the errors of their coefficients.

    Attributes
    ----------
    both : (m, 2) array
        The largest coefficient of each is one.
    ratio : float
    covariance : (2m, 2m) array
        Of the coefficients, those of P first; zero for the largest ones.
    """

    both: np.ndarray
    ratio: float
    covariance: np.ndarray

    @property
    def errors(self) -> np.ndarray:
        """Standard errors of the coefficients, (2m,)."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))


def _refined(some: Moments, both: np.ndarray) -> Refined:
    """Return the least mean ratio near P and Q, among functions of their terms, by Newton's method.

    With v = P − h_r Q and its ratio μ_r, K_r = M_r − μ_r D_r is the curvature of run r; h_r
    follows, so that the direction w_r of its change is taken out of K_r. Errors come from the runs'
    own gradients, whatever the samples of one run have in common.
    """
    m = len(both)
    both = both / both[np.abs(both).argmax(axis=0), [0, 1]]
    fixed = np.abs(both).argmax(axis=0) + np.array([0, m])
    free = np.setdiff1d(np.flatnonzero(both.T.ravel()), fixed)
    ratios, u = _pairs(some, both)
    best, covariance = _mean(some, ratios), np.zeros((2 * m, 2 * m))
    for _ in range(_NEWTON):
        v = u @ both.T
        other = np.stack([-u[:, 1], u[:, 0]], axis=1) @ both.T
        k = some.second - ratios[:, None, None] * some.noise
        moved = np.einsum("rij,rj->ri", k, other)
        bend = np.einsum("ri,ri->r", moved, other)
        slope = np.einsum("rij,rj->ri", k, v)
        slope -= moved * (np.einsum("ri,ri->r", slope, other) / bend)[:, None]
        k -= moved[:, :, None] * moved[:, None, :] / bend[:, None, None]
        scores = (some.counts[:, None, None] * u[:, :, None] * slope[:, None, :]).reshape(-1, 2 * m)
        curvature = np.einsum("r,ra,rb,rij->aibj", some.counts, u, u, k).reshape(2 * m, 2 * m)
        inverse = np.linalg.pinv(curvature[np.ix_(free, free)], rcond=1e-14, hermitian=True)
        moves = scores[:, free] @ inverse
        covariance[np.ix_(free, free)] = moves.T @ moves
        step = np.zeros(2 * m)
        step[free] = -moves.sum(axis=0)
        trial = both + step.reshape(2, m).T
        ratios_there, u_there = _pairs(some, trial)
        value = _mean(some, ratios_there)
        if not value < best:
            break
        gain, both, best, ratios, u = best - value, trial, value, ratios_there, u_there
        if gain <= _SETTLED * best:
            break
    return Refined(both, best, covariance)


def _leaves_both(support: np.ndarray, j: int) -> bool:
    """Tell whether numerator and denominator keep a term without the j-th of both."""
    half = len(support) // 2
    return bool(support[:half].sum() > (j < half) and support[half:].sum() > (j >= half))


def _rounded(refined: Refined, sizes: np.ndarray, numbers: Numbers) -> dict[int, float]:
    """Return the denominator's coefficients as simple numbers, inside their joint interval."""
    m = len(refined.both)
    chosen = np.flatnonzero(refined.both[:, 1])
    exact = refined.both[chosen, 1]
    pivot = int(np.argmax(np.abs(exact)))
    others = np.delete(np.arange(len(exact)), pivot)
    inside = refined.covariance[np.ix_(m + chosen[others], m + chosen[others])]
    inverse = np.linalg.pinv(inside, rcond=1e-12, hermitian=True)
    level = 2 * stats.norm.sf(FORMULAS.interval)
    most = stats.chi2.isf(level, max(1, len(others)))

    def allowed(trial: np.ndarray) -> bool:
        off = (trial * sizes[chosen]) / (trial[pivot] * sizes[chosen[pivot]]) - exact / exact[pivot]
        return bool(off[others] @ inverse @ off[others] <= most)

    coefficients = exact / sizes[chosen]
    errors = np.sqrt(np.maximum(np.diag(refined.covariance)[m + chosen], 0.0)) / sizes[chosen]
    strong = np.flatnonzero(np.abs(exact) > FORMULAS.strong_term * np.abs(exact).max())
    known = {int(k): widths(coefficients, errors, int(k)) for k in strong}
    simple = numbers.simplest(coefficients, known, SHARES, allowed, measured=True)
    if simple is None:
        each = widths(coefficients, errors, pivot)
        simple = numbers.shortest(coefficients / coefficients[pivot], each, allowed)
    return {int(k): float(v) for k, v in zip(chosen, simple, strict=True)}
