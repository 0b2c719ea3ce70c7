"""Flat directions: functions that move along an orbit no more than noise moves them.

For a library Φ : R^d → R^m and h = cᵀΦ, three m × m matrices are sums over samples:

    W = within-orbit covariance of Φ       how much h moves along a trajectory
    D = E[∇Φ g⁻¹ ∇Φᵀ]                      Dirichlet energy in the manifold's metric g: how much
                                           noise of covariance g⁻¹ moves h
    B = between-orbit covariance of Φ̄_r    how much h tells one trajectory from another

The flatness of h is μ = cᵀWc / cᵀDc, from W c = μ D c. A conserved quantity moves only as noise
moves it, so its μ is 1 (or less, where g⁻¹ overstates the noise); everything else has μ ≫ 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from discovery.criteria import FORMULAS
from discovery.estimation.orbits import without_means
from discovery.estimation.path import Path
from discovery.formulas.pencil import Pencil, Spectrum, solve
from discovery.libraries.functions import Functions

# Values a chunk holds: 2²¹ doubles are 16 MiB, which are taken from memory that is there.
CHUNK_VALUES = 2**21
# Arithmetic precision of a sum of products, relative to its terms.
_ROUNDING = 4e-16


@dataclass(frozen=True)
class Operators:
    """The matrices of one library on one set of orbits.

    Attributes
    ----------
    within, dirichlet, between : (m, m) arrays
        W, D, B.
    unit_dirichlet : (m, m) array
        D for unit noise in standardized coordinates: tells functions from constants.
    """

    within: np.ndarray
    dirichlet: np.ndarray
    between: np.ndarray
    unit_dirichlet: np.ndarray

    @cached_property
    def pencil(self) -> Pencil:
        """W and D, whose ratio is the flatness.

        W is known only to rounding: D gets that share, so that a minute eigenvalue from round-off
        is not a law.
        """
        moved = np.einsum("...ii->...i", self.within + self.between)
        rounding = _ROUNDING * moved[..., None] * np.eye(moved.shape[-1])
        return Pencil(self.within, self.dirichlet + rounding)

    @property
    def matrices(self) -> tuple[np.ndarray, ...]:
        """All four, in the order of the attributes."""
        return self.within, self.dirichlet, self.between, self.unit_dirichlet

    @property
    def is_finite(self) -> bool:
        """Whether all entries are numbers."""
        return all(bool(np.isfinite(part).all()) for part in self.matrices)

    def restrict(self, support: np.ndarray) -> Operators:
        """Return the operators of the given terms."""
        return self._each(lambda part: part[np.ix_(support, support)])

    def onto(self, basis: np.ndarray) -> Operators:
        """Return the operators of the combinations in the columns of `basis` (m, k)."""
        return self._each(lambda part: basis.T @ part @ basis)

    def _each(self, change: Callable[[np.ndarray], np.ndarray]) -> Operators:
        return Operators(*(change(part) for part in self.matrices))


@dataclass(frozen=True)
class Sums:
    """Sums over samples and runs, of which operators are made; those of parts are added.

    Attributes
    ----------
    within, dirichlet, unit_dirichlet : (m, m) arrays
        W, D and D for unit noise, times the weight.
    weight : float
        Of the samples.
    n_runs : int
    mean : (m,) array
        Of the runs' means.
    scatter : (m, m) array
        Of the runs' means about it.
    """

    within: np.ndarray
    dirichlet: np.ndarray
    unit_dirichlet: np.ndarray
    weight: float
    n_runs: int
    mean: np.ndarray
    scatter: np.ndarray

    def __add__(self, other: Sums) -> Sums:
        """Return the sums of two parts, which share no run (Chan, Golub and LeVeque 1983)."""
        n_runs, apart = self.n_runs + other.n_runs, other.mean - self.mean
        moved = np.outer(apart, apart) * (self.n_runs * other.n_runs / n_runs)
        return Sums(
            self.within + other.within,
            self.dirichlet + other.dirichlet,
            self.unit_dirichlet + other.unit_dirichlet,
            self.weight + other.weight,
            n_runs,
            self.mean + apart * (other.n_runs / n_runs),
            self.scatter + other.scatter + moved,
        )

    def operators(self, groups: int = 1) -> Operators:
        """Return the operators; B is between runs of the same of so many groups."""
        return Operators(
            within=self.within / self.weight,
            dirichlet=self.dirichlet / self.weight,
            between=self.scatter / max(1, self.n_runs - groups),
            unit_dirichlet=self.unit_dirichlet / self.weight,
        )


def spectrum(ops: Operators) -> Spectrum:
    """Solve W c = μ D c on the functions that are not constants."""
    return ops.pencil.whole(ops.unit_dirichlet)


def shared(ops: Operators, vectors: np.ndarray, no_signal: float) -> np.ndarray:
    """Return the directions that do not differ from run to run: what all data obey.

    A second eigenproblem among flat directions, B against D.

    Parameters
    ----------
    ops : Operators
    vectors : (m, k) array
        Flat directions.
    no_signal : float
        See `LawCriteria`.
    """
    if not vectors.shape[1]:
        return vectors
    inside = ops.onto(vectors)
    found = solve(inside.between, inside.dirichlet, 1e-12)
    return vectors @ found.vectors[:, found.values <= no_signal]


def operators(
    library: Functions,
    path: Path,
    offsets: np.ndarray,
    scale: np.ndarray,
    weights: np.ndarray | None = None,
    chunk: int = CHUNK_VALUES,
    of_run: np.ndarray | None = None,
) -> Operators:
    """Return W, D and B of a library on a path.

    Parameters
    ----------
    library, path, offsets, scale, weights, chunk, of_run
        As for `sums_of`.

    Returns
    -------
    Operators
    """
    sums = sums_of(library, path, offsets, scale, weights, chunk, of_run)
    return sums.operators(1 if of_run is None else len(np.unique(of_run)))


def sums_of(
    library: Functions,
    path: Path,
    offsets: np.ndarray,
    scale: np.ndarray,
    weights: np.ndarray | None = None,
    chunk: int = CHUNK_VALUES,
    of_run: np.ndarray | None = None,
) -> Sums:
    """Accumulate what operators are made of in one pass, in chunks of whole or partial runs.

    Parameters
    ----------
    library : Functions
        m terms of d coordinates.
    path : Path
        (n, d) states and their errors g⁻¹.
    offsets : (runs + 1,) array of int
    scale : (d,) array
        Standard deviation of each coordinate over the whole set, the unit of `unit_dirichlet`.
    weights : (n,) array, optional
        What each sample counts; all alike by default.
    chunk : int
        Values that are held at once, about.
    of_run : (runs,) array of int, optional
        The longer run that each is a window of: B is then between windows of the same one.

    Returns
    -------
    Sums
    """
    m, d = len(library), library.dim
    within, dirichlet, unit = np.zeros((m, m)), np.zeros((m, m)), np.zeros((m, m))
    counts = np.diff(offsets)
    means = np.zeros((len(counts), m))
    done = np.zeros(len(counts))
    even = weights is None
    weights = np.ones(len(path.states)) if even else weights
    step = max(64, chunk // max(1, m * (d + 2)))
    for begin in range(offsets[0], offsets[-1], step):
        end = min(begin + step, offsets[-1])
        errors = path.errors[begin:end]
        phi, slopes, bend = library.jets(path.states[begin:end], errors, order=2)
        phi = phi - 0.5 * bend
        weight = weights[begin:end]
        within += _merge_runs(phi, weight, begin, offsets, means, done)
        if not even:
            slopes = slopes * np.sqrt(weight)
        unit += steepness(slopes, scale)
        dirichlet += moved_by(slopes, path.half[begin:end])
    whole = of_run is None or len(np.unique(of_run)) == 1
    middle = means.mean(axis=0)
    centred = means - middle if whole else without_means(means.T, of_run).T
    scatter = centred.T @ centred
    return Sums(within, dirichlet, unit, float(weights.sum()), len(counts), middle, scatter)


def steepness(slopes: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return Σ ∇Φ_j · ∇Φ_k over samples in units of `scale` (d,), for slopes (d, m, n)."""
    return _added(slopes, scale)


def moved_by(slopes: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Return Σ ∇Φ_jᵀ L Lᵀ ∇Φ_k over samples, for slopes (d, m, n).

    The factors L are an (n, d, d) array, or their diagonals (n, d).
    """
    if half.ndim == 2:
        # Independent coordinates, as local polynomials leave them.
        return _added(slopes, half.T)
    total = np.zeros((slopes.shape[1],) * 2)
    sloped, tied = slopes.any(axis=2), half.any(axis=0)
    for j, of in enumerate(tied.T):
        own = np.flatnonzero(sloped[of].any(axis=0))
        moved = np.zeros((len(own), slopes.shape[2]))
        for i in np.flatnonzero(of):
            moved += slopes[i, own] * half[:, i, j]
        total[np.ix_(own, own)] += moved @ moved.T
    return total


def _added(slopes: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Return the sum over d coordinates of the products of slopes (d, m, n), each times its factor.

    Most functions are of some of the coordinates: what has no slope adds nothing.
    """
    total = np.zeros((slopes.shape[1],) * 2)
    for rows, factor in zip(slopes, factors, strict=True):
        own = np.flatnonzero(np.einsum("jn,jn->j", rows, rows))
        moved = rows[own] * factor
        total[np.ix_(own, own)] += moved @ moved.T
    return total


def _merge_runs(
    phi: np.ndarray,
    weight: np.ndarray,
    begin: int,
    offsets: np.ndarray,
    means: np.ndarray,
    done: np.ndarray,
) -> np.ndarray:
    """Return what a chunk adds to the within-orbit scatter; update the runs' means in place.

    Centred before squaring, and merged across chunks by the update of Chan, Golub and LeVeque
    (1983), so that nothing cancels.
    """
    end = begin + phi.shape[1]
    first = np.searchsorted(offsets, begin, side="right") - 1
    last = np.searchsorted(offsets, end, side="left")
    cuts = np.clip(offsets[first : last + 1], begin, end) - begin
    sizes = np.diff(cuts)
    mass = np.add.reduceat(weight, cuts[:-1])
    local = np.add.reduceat(phi * weight, cuts[:-1], axis=1) / mass
    phi = (phi - np.repeat(local, sizes, axis=1)) * np.sqrt(weight)
    scatter = phi @ phi.T
    own = slice(first, last)
    shift, total = local.T - means[own], done[own] + mass
    scatter += (shift.T * (done[own] * mass / total)) @ shift
    means[own] += shift * (mass / total)[:, None]
    done[own] = total
    return scatter


class Once:
    """A library that is asked for the same several times and evaluated once.

    Of states in several parts the last part is kept.
    """

    def __init__(self, library: Functions) -> None:
        self._library, self.dim = library, library.dim
        self._place, self._kept = None, ()

    def __len__(self) -> int:
        return len(self._library)

    def jets(
        self, states: np.ndarray, covariance: np.ndarray | None = None, order: int = 1
    ) -> tuple[np.ndarray | None, ...]:
        """Return what the library does, which is not to be changed.

        Parameters
        ----------
        states, covariance, order
            As of `Functions.jets`.
        """
        place = states.ctypes.data, len(states)
        if place != self._place or self._kept[order] is None:
            self._place, self._kept = place, self._library.jets(states, covariance, order)
        return self._kept


def noise_weights(library: Functions, path: Path, vectors: np.ndarray) -> np.ndarray | None:
    """Return weights that keep a few noisy places from drowning the rest.

    Noise moves 1/r most where r is small: a handful of samples would carry W and D alike. Each
    sample counts by the inverse of the noise that the flat directions have there, bounded by its
    median; where the noise is even, no weights are needed and None is returned.

    Parameters
    ----------
    library : Functions
        m terms.
    path : Path
        n states and their errors.
    vectors : (m, k) array
        Flat directions.
    """
    total = np.zeros(len(path.states))
    step = max(64, CHUNK_VALUES // max(1, len(library) * (library.dim + 2)))
    moved = np.empty((vectors.shape[1], len(path.states)))
    for begin in range(0, len(path.states), step):
        part = slice(begin, begin + step)
        _, slopes, _ = library.jets(path.states[part], order=1)
        gradient = vectors.T @ slopes
        errors = path.errors[part]
        form = "ikn,ni,ikn->kn" if errors.ndim == 2 else "ikn,nij,jkn->kn"
        moved[:, part] = np.einsum(form, gradient, errors, gradient)
    for row in moved:
        total += row / max(float(np.median(row)), 1e-300)
    total /= len(moved)
    if total.mean() < FORMULAS.uneven_noise:
        return None
    return 1.0 / (1.0 + total)
