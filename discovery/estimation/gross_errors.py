"""Gross errors: samples that no smooth path could pass through.

Each coordinate of a sample is compared with what its neighbours predict, by a median that a wrong
neighbour does not move. A gross error stands out from the same comparison three to six samples
away; fast motion does not, since it is fast there too.
"""

from __future__ import annotations

import itertools

import numpy as np

# Times the local and the overall typical misfit that a sample must exceed.
GROSS = 9.0
# An error smaller than this fraction of the coordinate's spread is not gross.
LEAST = 0.02
# No more than this share of a coordinate's values is left out: beyond it, it is the data's nature.
MOST = 0.03
# An error may hide another until it is gone.
ROUNDS = 3
# Share of a coordinate's values from which on gross errors are many.
MANY = 0.005
# How much more must stand out at the ends of a run.
END = 5.0
_TRIPLES = np.array(list(itertools.combinations(range(8), 3)))
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
        The size of each coordinate, of which a gross error is a share.
    wrong : float
        Share of samples that were found wrong before.

    Returns
    -------
    (n,) array of bool
    """
    noise = np.maximum(noise, LEAST / GROSS * spread)
    sound = np.ones(len(rows), dtype=bool)
    for column in range(rows.shape[1]):
        keep = np.ones(len(rows), dtype=bool)
        for _ in range(ROUNDS):
            kept = np.flatnonzero(keep)
            cuts = np.concatenate([[0], np.cumsum(keep)])[offsets]
            # Where errors are many, what is doubtful goes too.
            strict = wrong + np.mean(~keep) > MANY
            gross = ~_sound_values(rows[kept, column], times[kept], cuts, noise[column], strict)
            keep[kept[gross]] = False
            if not gross.any():
                break
        # Beyond a small share it is the data's nature.
        if np.mean(~keep) <= MOST:
            sound &= keep
    return sound


def _sound_values(
    values: np.ndarray, times: np.ndarray, offsets: np.ndarray, noise: float, strict: bool
) -> np.ndarray:
    """Tell which values (n,) of one coordinate to keep."""
    run = np.searchsorted(offsets, np.arange(len(values)), side="right") - 1
    size = np.empty(len(values))
    for begin in range(0, len(values), _CHUNK):
        part = np.arange(begin, min(begin + _CHUNK, len(values)))
        size[part] = _misfit(values, times, offsets, run, part)
    # At the ends neighbours are on one side, and predictions are extrapolations.
    end = (run != np.roll(run, 2)) | (run != np.roll(run, -2))
    alone = size > np.where(end, END, 1.0) * GROSS * np.maximum(_nearby(size), noise)
    if strict:
        return ~alone
    # What is only fast lies on some cubic through its nearest neighbours.
    near = _nearest_cubic(values, times, run)
    return ~(alone & (near > GROSS * np.maximum(_nearby(near, rank=2), noise)))


def _nearby(size: np.ndarray, rank: int = 1) -> np.ndarray:
    """Return the largest misfit three to six samples away, on the quieter side.

    The quieter side, so that another gross error nearby does not hide this one; for the same reason
    `rank` 2 takes the second largest there.
    """
    sides = [
        np.sort([np.roll(size, sign * k, axis=0) for k in range(3, 7)], axis=0)[-rank]
        for sign in (1, -1)
    ]
    return np.minimum(*sides)


def _nearest_cubic(values: np.ndarray, times: np.ndarray, run: np.ndarray) -> np.ndarray:
    """Return how far each value (n,) is from the nearest of the cubics through four neighbours.

    The others of each window of five that holds it. In runs of fewer than five it is zero.
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
