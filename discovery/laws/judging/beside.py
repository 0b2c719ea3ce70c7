"""Beside known laws: what a formula moves, without the noise that these show.

What a law g moves along a run is noise, and the noise of another function h is partly the same.
With the errors that states have,

    h* = h − β (g − ḡ),     β = cov(h, g) / var(g)

has the noise that is left where that of g is known, and ḡ is the mean over the run. β is taken on
the smoothed path, on which a sample's own noise is least. h* moves as h does but for what moves
with g: its drift is that of what h says beside g. So the energy of an orbit may be known no better
than its angular momentum, and what it says beside that a hundred times better.

Source: control variates; Lavenberg and Welch, Management Science 27 (1981).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from discovery.criteria import LAWS, LawCriteria
from discovery.estimation.orbits import Orbits
from discovery.laws.finding.operators import Operators, moved_by, steepness
from discovery.laws.judging.drift import EDGES, DriftTest, Evaluated, modes, values_of
from discovery.laws.judging.evidence import level_of
from discovery.laws.judging.intervals import SquaredDrift
from discovery.libraries.functions import Functions

# Share of a law's noise that is rounding, where those before have all the rest of it.
_ROUNDING = 1e-9
# Modes of a run that are slow, as a fraction of the highest.
_SLOW = EDGES[3]


def drift_beside(
    library: Functions,
    coefficients: np.ndarray,
    known: Sequence[tuple[Functions, np.ndarray]],
    orbits: Orbits,
    candidate: int = 1,
    criteria: LawCriteria = LAWS,
) -> tuple[float, float] | None:
    """Return bounds on the drift of what a formula says beside known laws, in its spreads.

    Parameters
    ----------
    library : Functions
        The formula's own s terms.
    coefficients : (s,) array
    known : sequence of (Functions, (k,) array)
        Terms and coefficients of the known laws.
    orbits : Orbits
        Runs that took no part in finding it.
    candidate : int
        As for `evidence.gather`.
    criteria : LawCriteria
        Their levels.

    Returns
    -------
    (float, float) or None
        Above them it is with probability 5 %, and 5 % over k(k + 1) for the k-th candidate. None
        where the known laws do not make the bounds sharper, or have no value on some rows.
    """
    terms, smooth = Evaluated.of(library, orbits), orbits.smoothed
    h, _ = values_of(library, coefficients, smooth.states, smooth.errors)
    means = np.add.reduceat(h, orbits.offsets[:-1]) / np.diff(orbits.offsets)

    def drift(some: Evaluated) -> SquaredDrift:
        test = DriftTest(library, coefficients, orbits, criteria, some)
        motion = test.motion(coefficients)
        # All samples count alike: what moves most may be where least is left of the noise.
        return SquaredDrift(motion.unweighted(), motion.lengths, means)

    laws = known_on(known, orbits)
    if not laws:
        return None
    new = drift(beside(terms, laws, orbits))
    # Which one is told is chosen by its standard error, of which the estimate is no part.
    if not new.error < drift(terms).error:
        return None
    bounds = new.at_most(criteria.drift_level), new.excluded(level_of(candidate, criteria))
    return tuple(float(np.sqrt(bound)) for bound in bounds)


def chance_beside(
    library: Functions,
    coefficients: np.ndarray,
    known: Sequence[tuple[Functions, np.ndarray]],
    orbits: Orbits,
    criteria: LawCriteria = LAWS,
) -> float:
    """Return how probably a law would show as much motion beside known laws.

    Parameters
    ----------
    library, coefficients, known, orbits, criteria
        As for `drift_beside`.
    """
    terms = beside(Evaluated.of(library, orbits), known_on(known, orbits), orbits, even=True)
    return DriftTest(library, coefficients, orbits, criteria, terms).chance(coefficients)


def operators_beside(
    library: Functions, known: Sequence[tuple[Functions, np.ndarray]], orbits: Orbits
) -> Operators:
    """Return the operators of a library without the noise of known laws.

    What these leave is so little that the bias of a smoothed path would hide it: of measured
    samples the slow modes are taken, in which noise has its share. What is a function of the known
    laws alone has no slope left: it is as a constant is.

    Parameters
    ----------
    library : Functions
    known : sequence of (Functions, (k,) array)
        Terms and coefficients of the known laws.
    orbits : Orbits
    """
    left = beside(Evaluated.of(library, orbits), known_on(known, orbits), orbits, even=True)
    values, lengths = left.values - 0.5 * left.bend, np.diff(orbits.offsets)
    n = values.shape[1]
    place = np.arange(n) - np.repeat(orbits.offsets[:-1], lengths)
    slow = (place > 0) & (place <= _SLOW * np.repeat(lengths, lengths))
    motion = modes(values, np.ones(n), orbits.offsets)[:, slow]
    means = np.add.reduceat(values, orbits.offsets[:-1], axis=1) / lengths
    return Operators(
        within=motion @ motion.T / n,
        dirichlet=moved_by(left.steady, orbits.measured.half) * (slow.sum() / n**2),
        between=np.atleast_2d(np.cov(means)),
        unit_dirichlet=steepness(left.steady, orbits.scale) / n,
    )


def known_on(known: Sequence[tuple[Functions, np.ndarray]], orbits: Orbits) -> list[Evaluated]:
    """Return known laws on orbits, those that have values on all rows."""
    laws = [Evaluated.of(library, orbits).summed(c) for library, c in known]
    return [law for law in laws if law.is_finite]


def beside(
    terms: Evaluated, laws: Sequence[Evaluated], orbits: Orbits, even: bool = False
) -> Evaluated:
    """Return terms without the noise that laws show.

    Parameters
    ----------
    terms : Evaluated
        s of them, on the orbits.
    laws : sequence of Evaluated
        Each alone.
    orbits : Orbits
    even : bool
        Whether β is one number in each run. Less noise goes then, and what is left is white: β that
        varies along a run brings in what the noise leaves of ḡ, which moves as β does.
    """
    left: list[tuple[Evaluated, np.ndarray]] = []
    for law in laws:
        least = _ROUNDING * _noise(law, orbits)
        for other, some in left:
            law = _without(law, other, some, orbits)
        left.append((law, least))
    for law, least in left:
        terms = _without(terms, law, least, orbits, even)
    return terms


def _without(
    terms: Evaluated, law: Evaluated, least: np.ndarray, orbits: Orbits, even: bool = False
) -> Evaluated:
    """Return terms without the noise of one law, where that is above `least` (n,)."""
    lengths, size = np.diff(orbits.offsets), _noise(law, orbits)
    known = np.where(size > least, size, np.inf)
    beta = np.sum(terms.steady * _shown(law, orbits), axis=0) / known
    if even:
        means = np.add.reduceat(beta, orbits.offsets[:-1], axis=1) / lengths
        beta = np.repeat(means, lengths, axis=1)
    clear = law.values - 0.5 * law.bend
    means = np.add.reduceat(clear, orbits.offsets[:-1], axis=1) / lengths
    noise = clear - np.repeat(means, lengths, axis=1)
    return Evaluated(
        terms.steady - beta * law.steady,
        terms.values - beta * noise,
        terms.slopes - beta * law.slopes,
        terms.bend,
    )


def _shown(law: Evaluated, orbits: Orbits) -> np.ndarray:
    """Return the covariances of states' errors with the value of a law, (d, 1, n)."""
    errors, slopes = orbits.measured.errors, law.steady[:, 0]
    shown = errors.T * slopes if errors.ndim == 2 else np.einsum("nij,jn->in", errors, slopes)
    return shown[:, None]


def _noise(law: Evaluated, orbits: Orbits) -> np.ndarray:
    """Return the variance that noise gives a law, (n,)."""
    return np.sum(law.steady * _shown(law, orbits), axis=(0, 1))
