"""Instruments: whether what a formula moves along a run follows the states.

The noise of a sample knows nothing of those before it, and all that a formula h moves besides is a
function of the state. So for functions z of the sample before, and for what h differs by from
its mean later in the run, h*,

    m = Σ w z h*

is zero but for chance where h is conserved, whatever its noise is. Coefficients are known to their
errors and rounded, so that what another choice of them explains, G δ with G = Σ w z Φ*ᵀ, does not
count:

    J = minimum over δ of (m − G δ)ᵀ S⁻¹ (m − G δ),     S = Σ w² h*² z zᵀ

follows a χ² distribution, with as many degrees of freedom as there are functions z less
coefficients that are free. The formula as it stands may move by no more than the bound that is
told, which makes mᵀ S⁻¹ m noncentral by so much motion at most. Power in a band of frequencies adds
up by chance, this with the motion itself: of a twentieth of the noise it is seen in some thousand
samples.

Sources: Hansen (1982), Large sample properties of generalized method of moments estimators,
Econometrica 50: the test of overidentifying restrictions; Arellano and Bover (1995), Another look
at the instrumental variable estimation of error-components models, Journal of Econometrics 68: what
is taken from its mean later on stays independent of what was before, and of one variance.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from discovery.criteria import LAWS, LawCriteria
from discovery.estimation.orbits import Orbits
from discovery.laws.judging.drift import values_of
from discovery.libraries.functions import Functions
from discovery.libraries.monomials import monomials, term_count

# Degrees of polynomials in the state before: the least that bends, and the highest that is tried.
_LEAST, _HIGHEST = 2, 6
# How many functions there are at most, and samples that each of them needs.
_MOST, _SAMPLES = 130, 20
# Of functions that are nearly dependent, the share of their sum of squares that is rounding.
_RIDGE = 1e-9


def chance_of_following(
    library: Functions,
    coefficients: np.ndarray,
    orbits: Orbits,
    bound: float,
    criteria: LawCriteria = LAWS,
) -> float:
    """Return how probably a true law would follow the states as closely.

    Polynomials of degree two are asked, and those of the highest degree that samples allow, each
    with other coefficients and with these; the least of the probabilities counts as many times as
    there are (Bonferroni).

    Parameters
    ----------
    library : Functions
        The formula's own s terms.
    coefficients : (s,) array
    orbits : Orbits
        Along paths, whose measured states count.
    bound : float
        Of the motion of the formula as it stands, as a standard deviation.
    criteria : LawCriteria
        Motion that is rounding.

    Returns
    -------
    float
        1 where samples are too few.
    """
    measured, dim = orbits.measured, orbits.measured.states.shape[1]
    inner = np.delete(np.arange(orbits.offsets[-1]), orbits.offsets[:-1])
    offsets = orbits.offsets - np.arange(orbits.n_runs + 1)
    free = len(coefficients) - 1
    most = min(_MOST, len(inner) // _SAMPLES)
    fitting = [p for p in range(1, _HIGHEST + 1) if term_count(dim, p) + free < most]
    degrees = sorted({min(_LEAST, fitting[-1]), fitting[-1]}) if fitting else []
    if not degrees or not orbits.on_a_path:
        return 1.0
    h, _ = values_of(library, coefficients, measured.states, measured.errors)
    before = measured.states[inner - 1]
    # Noisy samples count less, by the noise of those before: weights are to be independent.
    _, noise = values_of(library, coefficients, before, measured.errors[inner])
    weight = 1.0 / np.sqrt(noise + max(float(np.median(noise)), 1e-300))
    steady = (before - before.mean(axis=0)) / np.maximum(before.std(axis=0), 1e-300)
    powers = monomials(dim, degrees[-1])
    z = weight * _forth(np.vstack([library.values(before), _powers(steady, powers)]), offsets)
    moved = np.vstack([h, library.values(measured.states)])[:, inner]
    moved = weight * _back(moved, offsets)
    # The largest term sets the scale, which is no matter of fitting.
    main = 1 + int(np.argmax(np.abs(coefficients) * moved[1:].std(axis=1)))
    moved = np.delete(moved, main, axis=0)
    unit = np.sum(weight**2) / max(float(np.mean(moved[0] ** 2)), 1e-300)
    tolerated = criteria.rounding_drift**2 * h.var() * unit, bound**2 * unit
    chances = [
        chance
        for p in degrees
        for chance in _chances(z[: len(library) + term_count(dim, p)], moved, *tolerated)
    ]
    return min(1.0, len(chances) * min(chances))


def _chances(
    z: np.ndarray, moved: np.ndarray, rounding: float, bound: float
) -> tuple[float, float]:
    """Return the probabilities of a J as large, and of an mᵀ S⁻¹ m as large.

    Parameters
    ----------
    z : (m, n) array
        Instruments.
    moved : (1 + free, n) array
        The formula and the terms whose coefficients are free.
    rounding, bound : float
        How far from central the two statistics may be.
    """
    size = np.sqrt(np.sum(z**2, axis=1))
    z = z[size > 0] / size[size > 0, None]
    values, vectors = np.linalg.eigh(z @ z.T)
    sound = values > _RIDGE * values[-1]
    z = (vectors[:, sound] / np.sqrt(values[sound])).T @ z
    products = z @ moved.T
    half = np.linalg.cholesky((z * moved[0] ** 2) @ z.T)
    products = np.linalg.solve(half, products)
    basis, singular, _ = np.linalg.svd(products[:, 1:], full_matrices=False)
    basis = basis[:, singular > _RIDGE * singular.max(initial=0.0)]
    whole = products[:, 0]
    rest = whole - basis @ (basis.T @ whole)
    return (
        float(stats.ncx2.sf(rest @ rest, len(rest) - basis.shape[1], rounding)),
        float(stats.ncx2.sf(whole @ whole, len(whole), bound)),
    )


def _powers(steady: np.ndarray, powers: list[tuple[int, ...]]) -> np.ndarray:
    return np.array([np.prod(steady ** np.array(e), axis=1) for e in powers])


def _forth(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return values (m, n) less their mean before in the run; zero at its start."""
    lengths = np.diff(offsets)
    place = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    total = np.cumsum(values, axis=1) - values
    total -= np.repeat(total[:, offsets[:-1]], lengths, axis=1)
    return np.where(place > 0, values - total / np.maximum(place, 1), 0.0)


def _back(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return values (m, n) less their mean later in the run, scaled to the same noise."""
    turned = offsets[-1] - offsets[::-1]
    lengths = np.diff(turned)
    later = np.arange(offsets[-1]) - np.repeat(turned[:-1], lengths)
    scale = np.sqrt(later / (later + 1.0))
    return (scale * _forth(values[:, ::-1], turned))[:, ::-1]
