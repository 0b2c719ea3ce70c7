"""Columns that grow along a path: the time since its start, and what friction has taken until then.

Columns beside the coordinates make a law of what is none: where ẋ = f(x) has friction,

    d/dt h(x) = −D(x)  is  h(x) + ∫ D dt = constant,   and   ḣ = −γ h  is  e^{γt} h = constant.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy.interpolate import make_interp_spline

from discovery.estimation.errors import variances
from discovery.estimation.orbits import Orbits
from discovery.estimation.path import Path

# Gauss–Legendre nodes and weights on (0, 1): exact for what cubic splines make of squares.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2
# Noise that such columns get, in the time in which the states move by theirs.
_JITTER = 0.1
# Noise that is none: factors of a covariance need a little.
_NONE = 1e-140

Integrand = Callable[[np.ndarray], np.ndarray]


def elapsed(times: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the time since the start of each run, (n,)."""
    return times - np.repeat(times[offsets[:-1]], np.diff(offsets))


def integrals(
    path: Path, times: np.ndarray, offsets: np.ndarray, of: Integrand
) -> tuple[np.ndarray, np.ndarray]:
    """Return integrals over time from the start of each run, by splines through its path.

    Parameters
    ----------
    path : Path
        A smooth one of n states.
    times : (n,) array
        Increasing along each run.
    offsets : (runs + 1,) array of int
    of : callable
        From states (m, d) to k functions of them, (m, k).

    Returns
    -------
    values : (n, k) array
        By splines of fifth degree; zero at the start of each run.
    errors : (k,) array
        Root mean square of how far cubic splines are from these: more than the error is.
    """
    parts: list[np.ndarray] = []
    others: list[np.ndarray] = []
    for a, b in itertools.pairwise(offsets):
        t, step = times[a:b], np.diff(times[a:b])
        at = t[:-1, None] + _NODES * step[:, None]
        # Of odd degree, and lower than there are samples.
        highest = (b - a) // 2 * 2 - 1
        for degree, kept in ((5, parts), (3, others)):
            spline = make_interp_spline(t, path.states[a:b], k=min(degree, highest))
            values = of(spline(at.ravel())).reshape(*at.shape, -1)
            kept.append(_summed(np.einsum("q,nqk,n->nk", _WEIGHTS, values, step)))
    values = np.concatenate(parts)
    return values, np.sqrt(np.mean((values - np.concatenate(others)) ** 2, axis=0))


def trapezoids(values: np.ndarray, times: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return integrals over time from the start of each run, by trapezoids.

    Parameters
    ----------
    values : (n, k) array
        Samples.
    times : (n,) array
    offsets : (runs + 1,) array of int

    Returns
    -------
    (n, k) array
    """
    out = []
    for a, b in itertools.pairwise(offsets):
        mean = (values[a + 1 : b] + values[a : b - 1]) / 2
        out.append(_summed(mean * np.diff(times[a:b])[:, None]))
    return np.concatenate(out)


def _summed(gained: np.ndarray) -> np.ndarray:
    return np.vstack([np.zeros(gained.shape[1]), np.cumsum(gained, axis=0)])


def beside(
    orbits: Orbits, columns: np.ndarray, times: np.ndarray, errors: np.ndarray | float = 0.0
) -> Orbits:
    """Return orbits with further columns that grow with time.

    They get a noise of their own, which is small: a tenth of what they grow in the time in which
    the states move by their noise. Without any, forms in them would have no scale.

    Parameters
    ----------
    orbits : Orbits
        Of d coordinates.
    columns : (n, k) array
    times : (n,) array
    errors : (k,) array, optional
        Theirs, which counts as noise.
    """
    d, k = orbits.measured.states.shape[1], columns.shape[1]
    rows = np.column_stack([orbits.measured.states, columns])
    return jittered(orbits.among(rows, range(d)), range(d, d + k), times, errors)


def jittered(
    orbits: Orbits, at: Sequence[int], times: np.ndarray, errors: np.ndarray | float = 0.0
) -> Orbits:
    """Return orbits of which some columns, that had none, get a little noise; see `beside`.

    Parameters
    ----------
    orbits : Orbits
    at : sequence of k int
        Columns that grow with time.
    times : (n,) array
    errors : (k,) array, optional
    """
    at = np.asarray(at, dtype=int)
    others = np.setdiff1d(np.flatnonzero(orbits.mean_noise > _NONE), at)
    columns = orbits.measured.states[:, at]
    speed = np.sqrt(np.mean(_rates(orbits.smoothed.states, times, orbits.offsets) ** 2, axis=0))
    least = np.min(orbits.mean_noise[others] / np.maximum(speed[others], 1e-300))
    noise = (_JITTER * least * speed[at]) ** 2 + errors**2 + (1e-14 * np.ptp(columns, axis=0)) ** 2
    return with_noise(orbits, at, noise)


def with_noise(orbits: Orbits, at: Sequence[int], noise: np.ndarray) -> Orbits:
    """Return orbits of which some columns have another noise.

    Parameters
    ----------
    orbits : Orbits
    at : sequence of k int
    noise : (k,) array
        Variances.
    """
    paths = []
    for path in (orbits.measured, orbits.smoothed):
        errors = path.errors.copy()
        variances(errors)[:, at] = noise
        paths.append(Path(path.states, errors))
    return replace(orbits, measured=paths[0], smoothed=paths[1])


def _rates(values: np.ndarray, times: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    inside = np.ones(len(times) - 1, dtype=bool)
    inside[offsets[1:-1] - 1] = False
    return np.diff(values, axis=0)[inside] / np.diff(times)[inside, None]
