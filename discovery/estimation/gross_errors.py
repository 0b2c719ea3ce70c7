"""Gross errors: samples that no smooth path could pass through.

Each coordinate of a sample is compared with what its neighbours predict, and the distance is its
misfit. The prediction is a median, which one wrong neighbour does not move. The misfit of a gross
error is large against those three to six samples away. That of fast motion is not: they are large
too.
"""

from __future__ import annotations

import itertools

import numpy as np

from discovery.criteria import NOISE

# An error may hide another until it is gone.
_ROUNDS = 3
_TRIPLES = np.array(list(itertools.combinations(range(8), 3)))
# Samples whose parabolas are computed at once.
_CHUNK = 2**14


def sound_rows(
    rows: np.ndarray,
    times: np.ndarray,
    offsets: np.ndarray,
    noise: np.ndarray,
    spread: np.ndarray,
    wrong: float = 0.0,
) -> np.ndarray:
    """Tell which rows to keep.

    Parameters
    ----------
    rows : (n, d) array
    times : (n,) array
    offsets : (runs + 1,) array of int
    noise : (d,) array
        Standard deviation of each coordinate's noise, by a robust estimate.
    spread : (d,) array
        The size of each coordinate. Errors that are small against it are not gross.
    wrong : float
        Share of the samples that were left out before, for errors in other coordinates.

    Returns
    -------
    (n,) array of bool
    """
    noise = np.maximum(noise, NOISE.gross_size / NOISE.gross_misfit * spread)
    sound = np.ones(len(rows), dtype=bool)
    for column in range(rows.shape[1]):
        keep = np.ones(len(rows), dtype=bool)
        for _ in range(_ROUNDS):
            kept = np.flatnonzero(keep)
            cuts = np.concatenate([[0], np.cumsum(keep)])[offsets]
            # Where errors are many, what is doubtful goes too.
            strict = wrong + np.mean(~keep) > NOISE.many_gross
            gross = ~_sound_values(rows[kept, column], times[kept], cuts, noise[column], strict)
            keep[kept[gross]] = False
            if not gross.any():
                break
        # What stands out more often is the nature of the data.
        if np.mean(~keep) <= NOISE.gross_share:
            sound &= keep
    return sound


def _sound_values(
    values: np.ndarray, times: np.ndarray, offsets: np.ndarray, noise: float, strict: bool
) -> np.ndarray:
    """Tell which values (n,) of one coordinate to keep.

    Where errors are few (not `strict`), a value that stands out is kept all the same if it lies on
    a cubic through neighbours: it may only move fast.
    """
    run = np.searchsorted(offsets, np.arange(len(values)), side="right") - 1
    size = np.empty(len(values))
    for begin in range(0, len(values), _CHUNK):
        part = np.arange(begin, min(begin + _CHUNK, len(values)))
        size[part] = _misfit(values, times, offsets, run, part)
    # At the ends neighbours are on one side, and predictions are extrapolations.
    end = (run != np.roll(run, 2)) | (run != np.roll(run, -2))
    least = np.where(end, NOISE.gross_at_ends, 1.0) * NOISE.gross_misfit
    alone = size > least * np.maximum(misfit_nearby(size), noise)
    if strict:
        return ~alone
    near = _nearest_cubic(values, times, run)
    return ~(alone & (near > NOISE.gross_misfit * np.maximum(misfit_nearby(near, rank=2), noise)))


def misfit_nearby(size: np.ndarray, rank: int = 1) -> np.ndarray:
    """Return the largest misfit three to six samples before or after, whichever is smaller.

    The smaller of the two, so that another gross error nearby does not hide this one. For the same
    reason `rank` 2 takes the second largest on either side.

    Parameters
    ----------
    size : (n, …) array
        Misfits, samples along the first axis.
    rank : int
        1 for the largest, 2 for the second largest.

    Returns
    -------
    (n, …) array
    """
    sides = [
        np.sort([np.roll(size, sign * k, axis=0) for k in range(3, 7)], axis=0)[-rank]
        for sign in (1, -1)
    ]
    return np.minimum(*sides)


def _nearest_cubic(values: np.ndarray, times: np.ndarray, run: np.ndarray) -> np.ndarray:
    """Return how far each value (n,) is from the nearest of the cubics through four neighbours.

    Each window of five samples that holds the value gives one cubic, through the other four. Values
    of runs of fewer than five samples have distance zero.
    """
    starts = np.searchsorted(run, run, side="left")
    ends = np.searchsorted(run, run, side="right")
    best = np.full(len(values), np.inf)
    for place in range(5):
        first = np.arange(len(values)) - place
        centre = np.flatnonzero((first >= starts) & (first + 5 <= ends))
        around = first[centre, None] + np.delete(np.arange(5), place)
        t = times[around] - times[centre][:, None]
        gaps = t[:, :, None] - t[:, None, :] + np.eye(4)
        factors = -t[:, None, :] + np.eye(4) * (1 + t[:, None, :])
        lagrange = factors.prod(axis=2) / gaps.prod(axis=2)
        away = np.abs(values[centre] - np.einsum("nk,nk->n", lagrange, values[around]))
        away /= np.sqrt(1 + (lagrange**2).sum(axis=1))
        best[centre] = np.minimum(best[centre], away)
    return np.where(np.isfinite(best), best, 0.0)


def _misfit(
    values: np.ndarray, times: np.ndarray, offsets: np.ndarray, run: np.ndarray, part: np.ndarray
) -> np.ndarray:
    """Return how far samples are from what their neighbours predict, shape of `part`.

    The median over all parabolas through three of the eight nearest samples: one wrong neighbour
    spoils 21 of the 56, and the median not at all. In runs of fewer than nine samples it is zero.
    """
    first = np.clip(part - 4, offsets[run[part]], np.maximum(offsets[run[part] + 1] - 9, 0))
    window = first[:, None] + np.arange(9)
    long = offsets[run[part] + 1] - offsets[run[part]] >= 9
    out = np.zeros(len(part))
    around = window[long][window[long] != part[long, None]].reshape(-1, 8)
    t, x = times[around] - times[part[long], None], values[around]
    a, b, c = (t[:, _TRIPLES[:, k]] for k in range(3))
    xa, xb, xc = (x[:, _TRIPLES[:, k]] for k in range(3))
    found = xa * b * c / ((a - b) * (a - c))
    found += xb * a * c / ((b - a) * (b - c))
    found += xc * a * b / ((c - a) * (c - b))
    out[long] = np.abs(values[part[long]] - np.median(found, axis=1))
    return out
