"""The verdict: what the evidence makes of a formula."""

from __future__ import annotations

import numpy as np

from discovery.formulas.simplicity import free_numbers
from discovery.laws.judging.drift import DETECTED
from discovery.laws.judging.evidence import FLAT, Evidence
from discovery.laws.judging.law import (
    BETTER,
    CALM,
    CANCELLED,
    CHANCE,
    LONG,
    MANY,
    MODEST,
    NO_DRIFT,
    NO_SIGNAL,
    RESOLVED,
    SIGNAL,
    SIMPLE_TERMS,
    SMALL_DRIFT,
    SUSPECTED,
)
from discovery.libraries.functions import Functions


def verdict_of(
    evidence: Evidence,
    terms: Functions,
    coefficients: np.ndarray,
    moving: float,
    chance: float = 1.0,
) -> str:
    """Return what the evidence makes of a formula: exact, approximate, identity or rejected.

    Parameters
    ----------
    evidence : Evidence
    terms : Functions
        The formula's own, s of them.
    coefficients : (s,) array
    moving : float
        Standard errors of systematic motion, at worst over all runs that were looked at.
    chance : float
        How probably arbitrary coefficients would be as simple as the formula's.
    """
    n_terms = len(terms)
    free = free_numbers(coefficients, terms.kinds())
    plain, simple = free <= MODEST or chance <= CHANCE, free <= MANY
    if evidence.cancelled <= NO_DRIFT:  # nothing but rounding is left of it
        return "identity" if n_terms <= SIMPLE_TERMS else "rejected"
    calm = simple or evidence.drift_interval[0] <= NO_DRIFT
    still = calm and moving <= (DETECTED if plain else SUSPECTED)
    still = still or evidence.drift <= NO_DRIFT
    most = FLAT if simple or evidence.drift <= NO_DRIFT else CALM
    flat = evidence.smoothed_flatness <= most and evidence.smoothed_flatness_interval[0] <= CALM
    strictness = (1.0 if plain else BETTER) * (1.0 if simple else LONG)
    if flat and still:
        if evidence.signal >= SIGNAL:
            known = evidence.drift_interval[1] <= RESOLVED / strictness
            return "exact" if known else "rejected"
        same = evidence.signal <= NO_SIGNAL and n_terms <= SIMPLE_TERMS
        # Noise alone is no identity, but one coordinate that shows nothing else is zero.
        zero = n_terms == 1 and terms.is_coordinate
        real = zero or evidence.cancelled <= CANCELLED
        return "identity" if same and real else "rejected"
    limit = SMALL_DRIFT if simple else SMALL_DRIFT / LONG
    if evidence.signal >= SIGNAL and evidence.drift_interval[1] <= limit:
        return "approximate"
    return "rejected"
