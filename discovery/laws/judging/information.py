"""Information: what the values of laws say of the run that a sample is on."""

from __future__ import annotations

import numpy as np


def information(values: np.ndarray, run: np.ndarray, error: np.ndarray) -> float:
    """Return the mean log-likelihood ratio of "constant on each run" to "alike on all runs".

    Both models are normal. Under the first, values scatter about the mean of their run by
    S = Σ C Σ, as the laws claim to be known: `error` on the diagonal of Σ, and C the correlations
    that the values show within runs. Under the second they scatter about one mean by T = W + B, the
    covariance within runs and that of the runs' means:

        ½ log det T − ½ log det S − ½ (tr S⁻¹W − k)

    Where laws move as they claim, W = S, this is ½ log det(1 + W⁻¹B), the information on the run of
    a sample that its values carry. Where they move more, the last term takes away more than W adds
    to the first.

    Parameters
    ----------
    values : (n, k) array
        Of k laws, finite.
    run : (n,) array of int
        Which run each row is on: 0, 1, 2, …; with two rows at least in one of them.
    error : (k,) array
        Standard deviation of a value about the mean of its run that each law claims.

    Returns
    -------
    float
        In nats a sample.
    """
    count = np.bincount(run)
    means = np.stack([np.bincount(run, v) for v in values.T], axis=1) / count[:, None]
    # In units of the errors claimed.
    inside, between = (values - means[run]) / error, (means[run] - values.mean(axis=0)) / error
    within = inside.T @ inside / (len(values) - len(count))
    motion = np.sqrt(np.maximum(np.diag(within), np.finfo(float).tiny))
    k = values.shape[1]
    claimed = within / np.outer(motion, motion) + 1e-12 * np.eye(k)
    total = within + between.T @ between / len(values) + 1e-12 * np.eye(k)
    gain = np.linalg.slogdet(total)[1] - np.linalg.slogdet(claimed)[1]
    return float(0.5 * (gain - np.trace(np.linalg.solve(claimed, within)) + k))
