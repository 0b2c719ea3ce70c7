"""Drift: how far a formula moves along an orbit when the noise is set aside.

Measurement noise is independent from sample to sample, what the state does is not. So the
covariance of h with itself one and two samples later holds the systematic part of its motion and
none of the noise; extrapolating both to lag zero gives its variance,

    A = (4 C₁ − C₂)/3,     C_l = E[(h_t − h̄)(h_{t+l} − h̄)],

without any model of the noise. (The run's mean carries noise itself: A gets that share back.)
"""

from __future__ import annotations

import numpy as np


def lag_covariance(
    values: np.ndarray, weights: np.ndarray, noise: np.ndarray, offsets: np.ndarray
) -> np.ndarray:
    """Return A of every run.

    Parameters
    ----------
    values : (n,) array
        The function along the measured (not smoothed) orbits.
    weights : (n,) array
        What each sample counts; a pair counts the geometric mean of its two.
    noise : (runs,) array
        Mean variance of the values' noise in each run.
    offsets : (runs + 1,) array of int

    Returns
    -------
    (runs,) array
        Not necessarily positive: its expectation is the systematic variance.
    """
    starts, lengths = offsets[:-1], np.diff(offsets)
    means = np.add.reduceat(weights * values, starts) / np.add.reduceat(weights, starts)
    centred = values - np.repeat(means, lengths)
    left = np.repeat(offsets[1:], lengths) - np.arange(len(values))
    root = np.sqrt(weights)
    total = np.zeros(len(lengths))
    for lag, factor in ((1, 4 / 3), (2, -1 / 3)):
        pair = np.where(left > lag, root * np.roll(root, -lag), 0.0)
        products = np.add.reduceat(pair * centred * np.roll(centred, -lag), starts)
        total += factor * products / np.maximum(np.add.reduceat(pair, starts), 1e-300)
    return total + noise / lengths
