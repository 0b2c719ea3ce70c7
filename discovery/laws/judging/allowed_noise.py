"""The noise that laws allow: what a law leaves along runs is no less than what noise adds to it.

Of a law h and independent noise σ_i, Σ_i (∂h/∂x_i)² σ_i² is the variance of h along a run at most:

    σ_i² ≤ E[(h − h̄)²] / E[(∂h/∂x_i)²].

What events change lies on no path, and follows from no step of a map: there this bound may be far
below what differences say.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from discovery.criteria import NOISE
from discovery.estimation.orbits import Orbits
from discovery.laws.judging.law import Law


def allowed_noise(laws: Sequence[Law], orbits: Orbits) -> np.ndarray | None:
    """Return the noise of each coordinate (d,) with what laws allow; None where it is no less.

    Parameters
    ----------
    laws : sequence of Law
        Exact ones, of all columns.
    orbits : Orbits
        Measured.
    """
    states, noise = orbits.measured.states, orbits.mean_noise
    runs = np.repeat(np.arange(orbits.n_runs), np.diff(orbits.offsets))
    least = noise.copy()
    for law in laws:
        values, slopes = law.values(states), law.gradient(states, np.ones_like(noise))
        means = np.bincount(runs, values) / np.bincount(runs)
        left = np.sum((values - means[runs]) ** 2) / (len(values) - orbits.n_runs)
        with np.errstate(all="ignore"):
            least = np.fmin(least, np.sqrt(left / np.mean(slopes**2, axis=0)))
    least = np.maximum(least, NOISE.resolution * orbits.scale)
    return least if np.any(least < NOISE.allowed * noise) else None
