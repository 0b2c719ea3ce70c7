"""The plain way to find conserved quantities, which the package is compared with.

Monomials up to degree 3 of the standardized noisy data, eigenvectors of within-orbit over total
covariance, no metric and no smoothing. Accepted by held-out runs (60 : 40): ratios below 0.1, up to
the largest gap between consecutive ratios, which must be a factor of 3; counted by the rank of the
gradients. (A threshold for each noise would need to know the noise.)
"""

from math import comb

import numpy as np
from scipy import linalg

from discovery.libraries import polynomial

TERMS = 500  # at most; the degree is lowered where there would be more
RATIO, GAP = 0.1, 3.0
FIT_SHARE = 0.6
PROBES = 256  # held-out states at which gradients are compared
SINE = 0.04  # of the angle to the span of the others, below which a gradient is no new one


def baseline(runs, seed):
    """Find constants of the motion.

    Parameters
    ----------
    runs : discovery.Trajectories
    seed : int
        Of the draw of held-out runs.

    Returns
    -------
    functions : list of callable
        States (…, d) to values (…), raveled.
    count : int
        How many of them are independent.
    """
    mean, scale = runs.rows.mean(axis=0), runs.rows.std(axis=0)
    library = library_for(runs.names)
    fit, held, probes = split((runs.rows - mean) / scale, runs.offsets, np.random.default_rng(seed))
    within, total = covariances(library, fit)
    vectors = smallest_ratios(within, total)
    within, total = covariances(library, held)
    ratios = along(within, vectors) / along(total, vectors)
    order = np.argsort(ratios)
    ratios, vectors = ratios[order], vectors[:, order]
    low = int(np.sum(ratios < RATIO))
    gaps = ratios[1 : low + 1] / np.maximum(ratios[:low], 1e-15)
    count = int(np.argmax(gaps)) + 1 if len(gaps) and gaps.max() >= GAP else 0
    slopes = library.jets(probes, order=1)[1]
    gradients = [np.einsum("j,ijn->ni", vectors[:, k], slopes) for k in range(count)]

    def function(k):
        return lambda states: vectors[:, k] @ library.values((states - mean) / scale)

    return [function(k) for k in range(count)], rank(gradients)


def library_for(names):
    """Give the monomials up to degree 3, or up to a lower one where there would be too many."""
    n = len(names)
    return polynomial(names, max(p for p in (1, 2, 3) if p == 1 or comb(n + p, p) <= TERMS + 1))


def split(rows, offsets, rng):
    """Give the runs to fit and those held out, lists of (steps, d), and probes of the latter."""
    runs = np.split(rows, offsets[1:-1])
    order = rng.permutation(len(runs))
    n_fit = int(np.clip(round(FIT_SHARE * len(runs)), 2, len(runs) - 2))
    fit, held = ([runs[r] for r in np.sort(part)] for part in (order[:n_fit], order[n_fit:]))
    states = np.concatenate(held)
    return fit, held, states[np.sort(rng.choice(len(states), min(PROBES, len(states)), False))]


def covariances(library, runs):
    """Give within-orbit and total covariance of the terms, (m, m) each."""
    terms = [library.values(rows) for rows in runs]
    means = np.array([phi.mean(axis=1) for phi in terms])
    centred = np.concatenate(
        [phi - m[:, None] for phi, m in zip(terms, means, strict=True)], axis=1
    )
    within = centred @ centred.T / centred.shape[1]
    return within, within + np.cov(means.T)


def smallest_ratios(within, total):
    """Give eigenvectors of within over total covariance, total whitened by its large part."""
    size = np.sqrt(np.diag(total))
    spread, basis = linalg.eigh(total / np.outer(size, size))
    good = spread > 1e-9 * spread[-1]
    basis = basis[:, good] / np.sqrt(spread[good]) / size[:, None]
    return basis @ linalg.eigh(basis.T @ within @ basis)[1]


def along(matrix, vectors):
    """Give vᵀ A v of each column, at least 0."""
    return np.maximum(np.einsum("ik,ij,jk->k", vectors, matrix, vectors), 0.0)


def rank(gradients):
    """Count the gradients, (n, d) each, that are independent of those before at most points."""
    basis = []
    for gradient in gradients:
        length = np.linalg.norm(gradient, axis=1, keepdims=True)
        rest = gradient / np.where(length > 0, length, 1.0)
        for direction in [*basis, *basis]:  # twice: Gram–Schmidt to rounding
            rest = rest - direction * np.sum(direction * rest, axis=1, keepdims=True)
        sine = np.linalg.norm(rest, axis=1, keepdims=True)
        if np.median(sine) > SINE:
            basis.append(rest / np.where(sine > 1e-9, sine, 1.0))
    return len(basis)
