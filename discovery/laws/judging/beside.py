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
from discovery.laws.judging.drift import DriftTest, Evaluated, values_of
from discovery.laws.judging.evidence import level_of
from discovery.laws.judging.intervals import SquaredDrift
from discovery.libraries.functions import Functions

# Share of a law's noise that is rounding, where those before have all the rest of it.
_ROUNDING = 1e-9


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

    laws = [Evaluated.of(other, orbits).summed(c) for other, c in known]
    laws = [law for law in laws if law.is_finite]
    if not laws:
        return None
    new = drift(beside(terms, laws, orbits))
    # Which one is told is chosen by its standard error, of which the estimate is no part.
    if not new.error < drift(terms).error:
        return None
    bounds = new.at_most(criteria.drift_level), new.excluded(level_of(candidate, criteria))
    return tuple(float(np.sqrt(bound)) for bound in bounds)


def beside(terms: Evaluated, laws: Sequence[Evaluated], orbits: Orbits) -> Evaluated:
    """Return terms without the noise that laws show.

    Parameters
    ----------
    terms : Evaluated
        s of them, on the orbits.
    laws : sequence of Evaluated
        Each alone.
    orbits : Orbits
    """
    left: list[tuple[Evaluated, np.ndarray]] = []
    for law in laws:
        least = _ROUNDING * _noise(law, orbits)
        for other, some in left:
            law = _without(law, other, some, orbits)
        left.append((law, least))
    for law, least in left:
        terms = _without(terms, law, least, orbits)
    return terms


def _without(terms: Evaluated, law: Evaluated, least: np.ndarray, orbits: Orbits) -> Evaluated:
    """Return terms without the noise of one law, where that is above `least` (n,)."""
    lengths, size = np.diff(orbits.offsets), _noise(law, orbits)
    known = np.where(size > least, size, np.inf)
    beta = np.sum(terms.steady * _shown(law, orbits), axis=0) / known
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
