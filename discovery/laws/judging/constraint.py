"""Constraints: whether an identity ties coordinates to each other, or noise hides that it does not.

An identity f(x) = const says that coordinates depend on each other. If they did not, f would vary
as much at states whose coordinates are drawn from different samples:

    T = Var f / E[∇f Σ ∇fᵀ],     T* the same at shuffled states,

Σ the covariance of the noise. The share of shuffles with T* ≤ T is the probability that
independent coordinates show so little variation; it needs no model of the noise's tails or of the
bias that it puts into f, since both are the same in T and T*.

An identity m g = 0, m a factor that all terms share, says g = 0 wherever m is not zero. Powers of
what is often near zero make a function small there whatever g is, so that g is looked at by itself.

Where f is a square or a higher power of what vanishes, it confines states no more than that does.
There its gradient is what noise makes of none: E[∇f Σ ∇fᵀ] = E[tr(Σ ∇∇f)²] of a square.

That f has one value is seen where its noise is smallest: (f − c)² over the noise variance of the
same states, sample by sample. Averaged over states first, the noise of a few may hide what all
others tell.

Nor does what noise hides tell anything: of runs of which few go far beyond the noise of all, those
few are obeyed by a curve through them. So in most runs the terms must be larger than their noise.

Source: permutation tests of independence, after Pitman (1937).
"""

from __future__ import annotations

import numpy as np

from discovery.criteria import LAWS, LawCriteria
from discovery.estimation.errors import moved
from discovery.estimation.orbits import Orbits
from discovery.laws.judging.drift import along, values_of
from discovery.laws.judging.intervals import Ratio
from discovery.libraries.functions import Functions
from discovery.libraries.library import Library

# Shuffles, rows at most that they are of, and shuffles that are evaluated at once.
SHUFFLES, _ROWS, _TOGETHER = 999, 256, 37


def chance_of_constraint(
    library: Functions,
    coefficients: np.ndarray,
    orbits: Orbits,
    rng: np.random.Generator,
    criteria: LawCriteria = LAWS,
) -> float:
    """Return how probably independent coordinates would show as little variation, above 0.

    Where runs have parameters, which may stand in the constant, samples are shuffled within runs,
    and variances are those within runs; so they are within the runs that windows are of.

    Parameters
    ----------
    library : Functions
        The formula's own s terms.
    coefficients : (s,) array
    orbits : Orbits
        Runs that took no part in finding it; the measured states count.
    rng : numpy.random.Generator
        Shuffles, and draws some rows of many.
    criteria : LawCriteria
        What is rounding.

    Returns
    -------
    float
        1 for functions of one coordinate: shuffling does not change their values.
    """
    n, d = orbits.measured.states.shape
    rows = np.sort(rng.permutation(n)[:_ROWS])
    states, errors = orbits.measured.states[rows], orbits.measured.errors[rows]
    runs = np.searchsorted(orbits.offsets, rows, side="right") - 1
    if orbits.of_run is not None:
        runs = orbits.of_run[runs]
    elif not orbits.parameters:
        runs = 0 * rows
    starts = np.flatnonzero(np.diff(runs, prepend=-1))
    sizes = np.diff(starts, append=len(rows))
    _, slopes, _ = library.jets(states, order=1)
    moving = np.flatnonzero(np.any(np.einsum("j,ijn->in", coefficients, slopes) != 0, axis=1))
    if len(moving) < 2:
        return 1.0

    def variation(samples: np.ndarray) -> np.ndarray:
        size = len(samples)
        flat = samples.reshape(-1, d), np.tile(errors, (size, *(1,) * (errors.ndim - 1)))
        h, noise = (v.reshape(size, -1) for v in values_of(library, coefficients, *flat))
        means = np.add.reduceat(h, starts, axis=1) / sizes
        return (h - np.repeat(means, sizes, axis=1)).var(axis=1) / noise.mean(axis=1)

    # What is below rounding whatever the states says nothing by being small.
    phi, (_, noise) = library.values(states), values_of(library, coefficients, states, errors)
    rounding = criteria.rounding_drift**2 * (coefficients**2 @ phi.var(axis=1)) / noise.mean()
    seen = np.maximum(variation(states[None]), rounding)
    below = 0
    for _ in range(SHUFFLES // _TOGETHER):
        shuffled = np.repeat(states[None], _TOGETHER, axis=0)
        for i in moving:
            order = np.argsort(runs + rng.random((_TOGETHER, len(rows))), axis=1)
            shuffled[:, :, i] = states[order, i]
        with np.errstate(all="ignore"):
            below += int(np.sum(variation(shuffled) <= seen))
    return (1 + below) / (1 + SHUFFLES)


def apart_by_own_noise(
    library: Functions, coefficients: np.ndarray, orbits: Orbits, criteria: LawCriteria = LAWS
) -> float:
    """Return how far values are from one constant, each in units of the noise of its own state.

    Where runs have parameters, which may stand in the constant, each run has its own; so have the
    runs that windows are of.

    Parameters
    ----------
    library : Functions
        The formula's own s terms.
    coefficients : (s,) array
    orbits : Orbits
        Runs that took no part in finding it; the measured states count.
    criteria : LawCriteria
        How wide the interval is.

    Returns
    -------
    float
        Lower end of the interval of the mean square over runs: 1 or less for an identity.
    """
    measured, offsets = orbits.measured, orbits.offsets
    h, noise = values_of(library, coefficients, measured.states, measured.errors)
    weight = 1.0 / np.maximum(along(noise, offsets), 1e-300)
    lengths = np.diff(offsets)
    group = np.zeros(len(lengths), dtype=int)
    if orbits.of_run is not None:
        group = orbits.of_run
    elif orbits.parameters:
        group = np.arange(len(lengths))
    group = np.repeat(group, lengths)
    value = np.bincount(group, weight * h) / np.maximum(np.bincount(group, weight), 1e-300)
    square = np.add.reduceat(weight * (h - value[group]) ** 2, offsets[:-1])
    return Ratio(square, lengths.astype(float)).interval(criteria.coverage)[0]


def seen_in_runs(library: Functions, coefficients: np.ndarray, orbits: Orbits) -> float:
    """Return the size of a formula's terms over the noise of their sum, in the median run.

    Parameters
    ----------
    library : Functions
        The formula's own s terms.
    coefficients : (s,) array
    orbits : Orbits
        Runs that took no part in finding it; the smoothed path counts.

    Returns
    -------
    float
        At most 1 where there is nothing but noise, infinite without noise.
    """
    smooth, starts = orbits.smoothed, orbits.offsets[:-1]
    size = coefficients**2 @ library.values(smooth.states) ** 2
    _, noise = values_of(library, coefficients, smooth.states, smooth.errors)
    size, noise = np.add.reduceat(size, starts), np.add.reduceat(noise, starts)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.median(np.where(noise > 0, np.sqrt(size / noise), np.inf)))


def slope_beyond_noise(
    library: Functions, coefficients: np.ndarray, orbits: Orbits, criteria: LawCriteria = LAWS
) -> float:
    """Return what noise makes of a formula by its gradient, over what it makes by its curvature.

    What rounding leaves of its terms' gradients is no gradient either.

    Parameters
    ----------
    library : Functions
        The formula's own s terms.
    coefficients : (s,) array
    orbits : Orbits
        Runs that took no part in finding it; the measured states count.
    criteria : LawCriteria
        What is rounding.

    Returns
    -------
    float
        As standard deviations: 1 for the square of what vanishes, infinite for a linear formula.
    """
    measured = orbits.measured
    _, slopes, bend = library.jets(measured.states, measured.errors, order=2)
    parts = [c * slope for c, slope in zip(coefficients, np.moveaxis(slopes, 1, 0), strict=True)]
    ahead = moved(np.tensordot(coefficients, slopes, (0, 1)), measured.errors).mean()
    alone = sum(moved(part, measured.errors).mean() for part in parts)
    curved = np.mean((coefficients @ bend) ** 2)
    least = curved + criteria.rounding_drift**2 * alone
    return float(np.sqrt(ahead / least)) if least else np.inf


def flatness_without_factor(
    library: Functions, coefficients: np.ndarray, orbits: Orbits, criteria: LawCriteria = LAWS
) -> float:
    """Return the flatness of what is left of a vanishing formula without its common factor.

    Parameters
    ----------
    library : Functions
        The formula's own s terms.
    coefficients : (s,) array
    orbits : Orbits
        Runs that took no part in finding it; the smoothed path counts.
    criteria : LawCriteria
        What is zero: its mean is smaller than the drift that must be excluded, as a fraction of
        its terms' spread.

    Returns
    -------
    float
        0 where no factor is shared, or the formula's value is not zero.
    """
    if not isinstance(library, Library):
        return 0.0
    powers = np.array(library.exponents)
    left = powers - powers.min(axis=0)
    varies = left.any(axis=1)
    if not powers.min(axis=0).any() or not varies.any():
        return 0.0
    smooth = orbits.smoothed
    terms = np.sqrt(coefficients**2 @ library.values(smooth.states).var(axis=1))
    h, _ = values_of(library, coefficients, smooth.states, smooth.errors)
    if abs(h.mean()) > criteria.resolved_drift * terms:
        return 0.0
    rest = Library(library.symbols, library.atoms, left[varies], library.name)
    g, noise = values_of(rest, coefficients[varies], smooth.states, smooth.errors)
    starts = orbits.offsets[:-1]
    within = np.add.reduceat((g - g.mean()) ** 2, starts)
    return Ratio(within, np.add.reduceat(noise, starts)).interval(criteria.coverage)[0]
