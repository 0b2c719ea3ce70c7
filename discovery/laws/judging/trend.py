"""Secular drift: how fast a nearly conserved quantity leaves its value, and when it is lost."""

from __future__ import annotations

import numpy as np
from scipy import stats

from discovery.criteria import LAWS, LawCriteria
from discovery.estimation.path import Path
from discovery.laws.judging.drift import values_of
from discovery.libraries.functions import Functions


def secular_rate(
    library: Functions,
    coefficients: np.ndarray,
    measured: Path,
    times: np.ndarray,
    offsets: np.ndarray,
    spread: float,
    criteria: LawCriteria = LAWS,
) -> float:
    """Return the root mean square over runs of the trend of h, in units of its spread and time.

    The trend is the slope of a straight line along each run; what noise gives a slope is taken
    out. It is no less than the mean slope. Zero where nothing is left of it: what h does then is no
    trend but motion to and fro.

    Parameters
    ----------
    library : Functions
        The formula's own s terms.
    coefficients : (s,) array
    measured : Path
        (n, d) states and the covariance of their noise.
    times : (n,) array
        Increasing along each run.
    offsets : (runs + 1,) array of int
    spread : float
        Standard deviation of h over all samples.
    criteria : LawCriteria

    Returns
    -------
    float
        In spreads per unit of time.
    """
    h, noise = values_of(library, coefficients, measured.states, measured.errors)
    starts, lengths = offsets[:-1], np.diff(offsets)

    def centred(rows: np.ndarray) -> np.ndarray:
        return rows - np.repeat(np.add.reduceat(rows, starts) / lengths, lengths)

    t = centred(times)
    total = np.maximum(np.add.reduceat(t**2, starts), 1e-300)
    slope = np.add.reduceat(t * centred(h), starts) / total
    by_noise = np.add.reduceat(t**2 * noise, starts) / total**2
    excess = slope**2 - by_noise
    mean, error = excess.mean(), excess.std(ddof=1) / np.sqrt(len(excess))
    chance = stats.t.sf(mean / max(error, 1e-300), len(excess) - 1)
    # What all runs share is seen sooner.
    shared, error = abs(slope.mean()), slope.std(ddof=1) / np.sqrt(len(slope))
    chance = min(chance, 2 * stats.t.sf(shared / max(error, 1e-300), len(slope) - 1))
    seen = chance < criteria.trend_level
    return max(float(np.sqrt(max(mean, 0.0))), shared) / spread if seen else 0.0
