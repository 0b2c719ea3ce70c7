"""What values tell of runs beside what the runs' parameters tell of them."""

from __future__ import annotations

import numpy as np

from discovery.criteria import LAWS, LawCriteria
from discovery.estimation.orbits import Orbits
from discovery.libraries.monomials import monomials

# Degrees of polynomials in parameters, tried in turn.
_DEGREES = (3, 2, 1)


def parameters_of(orbits: Orbits) -> np.ndarray:
    """Return the parameters of each run in units of their spread, (runs, p)."""
    columns = list(orbits.parameters)
    return orbits.smoothed.states[orbits.offsets[:-1]][:, columns] / orbits.scale[columns]


def variance_between(
    means: np.ndarray, parameters: np.ndarray, criteria: LawCriteria = LAWS
) -> float:
    """Return the variance of values, one a run, that parameters do not explain.

    What a polynomial in the parameters explains says nothing of a run: the square of a rod's
    length, where x² + y² is found to be constant. A polynomial in all of them, or in one, which
    may have a higher degree: degrees are as high as the runs allow.

    Parameters
    ----------
    means : (runs,) array
    parameters : (runs, p) array
        From `parameters_of`.
    criteria : LawCriteria
        How many runs a coefficient needs.
    """
    return min(_unexplained(means, some, criteria) for some in choices(parameters))


def choices(parameters: np.ndarray) -> list[np.ndarray]:
    """Return which parameters (runs, p) may explain values: none, each alone, all of them."""
    p = parameters.shape[1]
    sets = dict.fromkeys([(), *((k,) for k in range(p)), tuple(range(p))])
    return [parameters[:, list(some)] for some in sets]


def _unexplained(means: np.ndarray, parameters: np.ndarray, criteria: LawCriteria) -> float:
    n, p = parameters.shape
    design = np.ones((n, 1))
    for degree in _DEGREES if p else ():
        powers = monomials(p, degree)
        if criteria.runs_per_coefficient * (1 + len(powers)) <= n:
            terms = [np.prod(parameters ** np.array(e), axis=1) for e in powers]
            design = np.column_stack([design, *terms])
            break
    rest = means - design @ np.linalg.lstsq(design, means, rcond=None)[0]
    return float(rest @ rest / (n - np.linalg.matrix_rank(design)))
