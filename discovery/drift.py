"""Drift: how far a formula moves along an orbit when the noise is set aside.

Measurement noise is independent from sample to sample, so its spectrum along a run is flat; what
the state does is not independent, and stands out above that floor at low frequencies. With P_k the
power of cosine mode k of h along a run of T samples (type-II DCT, orthonormal),

    A_b = (1/T) Σ_{k in band b} (P_k − floor),     floor = mean of P_k over the upper half,

is the systematic variance of h in a band of frequencies, without any model of the noise. A slow
secular drift fills the lowest band, motion with the orbit a higher one.

Source: the periodogram test of whiteness, after Bartlett (1955).
"""

from __future__ import annotations

import itertools

import numpy as np
from scipy.fft import dct
from scipy.ndimage import uniform_filter1d

# Upper edges of the bands as fractions of the highest mode; the last band is the floor.
EDGES = (1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2)
# Samples over which the noise level is averaged before it weights them, so that a sample's weight
# does not depend on its own noise.
WINDOW = 9


def even_weights(noise: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return weights by the inverse of the noise variance (n,), slowly varying along each run.

    Without them a few close encounters would speak for all samples.
    """
    level = np.empty_like(noise)
    for a, b in itertools.pairwise(offsets):
        level[a:b] = uniform_filter1d(noise[a:b], WINDOW, mode="nearest")
    # Where a function has no noise at all (it saturates) its median says nothing.
    weight = 1.0 / (level + max(float(np.median(level)), 1e-9 * float(level.max()), 1e-300))
    return weight / weight.mean()


def modes(values: np.ndarray, weights: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return cosine modes of functions along each run, weighted and without their mean.

    Parameters
    ----------
    values : (..., n) array
        Functions along the measured (not smoothed) orbits.
    weights : (n,) array
    offsets : (runs + 1,) array of int

    Returns
    -------
    (..., n) array
        Mode k of run r at ``offsets[r] + k``.
    """
    starts, lengths = offsets[:-1], np.diff(offsets)
    mass = np.add.reduceat(weights, starts)
    means = np.add.reduceat(values * weights, starts, axis=-1) / mass
    centred = (values - np.repeat(means, lengths, axis=-1)) * np.sqrt(weights)
    out = np.empty_like(centred)
    for a, b in itertools.pairwise(offsets):
        out[..., a:b] = dct(centred[..., a:b], norm="ortho", axis=-1)
    return out


def excess_weights(offsets: np.ndarray) -> np.ndarray:
    """Return what each mode's power counts in each band's A_b, shape (bands, n)."""
    out = np.zeros((len(EDGES), offsets[-1]))
    lower = (0.0, *EDGES[:-1])
    for a, b in itertools.pairwise(offsets):
        length = b - a
        fraction = np.arange(length) / length
        top = fraction > EDGES[-1]
        for band, (low, high) in enumerate(zip(lower, EDGES, strict=True)):
            inside = (fraction > low) & (fraction <= high)
            out[band, a:b] = inside / length
            if top.any():
                out[band, a:b] -= top * (inside.sum() / top.sum() / length)
    return out


def drift_floor(power: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the power (n,) of white noise in all modes of each run but the mean, (runs,)."""
    out = np.empty(len(offsets) - 1)
    for r, (a, b) in enumerate(itertools.pairwise(offsets)):
        top = power[a:b][np.arange(b - a) > EDGES[-1] * (b - a)]
        out[r] = (b - a - 1) * (top.mean() if len(top) else power[a:b].mean())
    return out


def drift_bands(spectrum: np.ndarray, counts: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return A_b of every run.

    Parameters
    ----------
    spectrum : (n,) array
        Modes of one function.
    counts : (bands, n) array
        From `excess_weights`.
    offsets : (runs + 1,) array of int

    Returns
    -------
    (runs, bands) array
        Not necessarily positive: its expectation is the systematic variance.
    """
    return np.add.reduceat(counts * spectrum**2, offsets[:-1], axis=1).T
