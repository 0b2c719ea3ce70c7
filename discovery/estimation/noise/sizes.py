"""Sizes of the noise: whether a column is noisier where its value is large, and by how much.

A gain that flickers makes an error of a share of the value; counts err by their root. The noise of
each column is compared in parts of its own values, by Mood's median test on differences that share
no sample; where it differs, the size of differences in each part, the smallest over their orders,
is the noise there, and between the middles of the parts it is interpolated. Where a part is passed
so fast that every second sample shows far more, the path is left in it, and nothing is told.
"""

from __future__ import annotations

import itertools

import numpy as np
from scipy.special import chdtrc

from discovery.criteria import NOISE
from discovery.data.noise_level import difference_scales, differences

# Parts of a column's values, with as many samples each.
_PARTS = 10
# Differences in the smallest part of a column that tell a size.
_FEWEST = 50
# The mean of the size of a standard normal variable.
_MEAN = np.sqrt(2 / np.pi)


def noise_by_value(
    rows: np.ndarray, times: np.ndarray, offsets: np.ndarray, path: np.ndarray, noise: np.ndarray
) -> np.ndarray:
    """Return the standard deviation of the noise of each value, (n, d).

    Parameters
    ----------
    rows : (n, d) array
    times : (n,) array
    offsets : (runs + 1,) array of int
        Run r is ``rows[offsets[r]:offsets[r + 1]]``.
    path : (n, d) array
        Smoothed, by which values are told: a large error does not make itself a large value.
    noise : (d,) array
        Typical standard deviation of each column: what is returned where it does not differ.
    """
    out = np.broadcast_to(noise, rows.shape).copy()
    scales = np.array(difference_scales(rows, times, offsets))
    if not len(scales):
        return out
    parts = path.argsort(axis=0).argsort(axis=0) * _PARTS // len(path)
    pieces = [np.arange(a, b, 2) for a, b in itertools.pairwise(offsets)]
    second, halved = np.concatenate(pieces), np.cumsum([0, *map(len, pieces)])
    seen = noise > 1.001 * NOISE.resolution * rows.std(axis=0)
    for j in np.flatnonzero(seen):
        order = 1 + int(np.argmin(scales[:, j]))
        starts, apart = differences(rows[:, [j]], times, offsets, order, apart=True)
        place = parts[starts + order // 2, j]
        if np.bincount(place, minlength=_PARTS).min() < NOISE.fewest_differences:
            continue
        if _alike(place, np.abs(apart[:, 0])) >= NOISE.sizes_differ / len(noise):
            continue
        sizes = _in_parts(rows[:, [j]], times, offsets, parts[:, j], len(scales))
        farther = _in_parts(
            rows[second][:, [j]], times[second], halved, parts[second, j], len(scales)
        )
        if np.max(farther / np.maximum(sizes, 1e-300)) > NOISE.path_left:
            continue
        out[:, j] = np.maximum(_between(path[:, j], parts[:, j], sizes), sizes.min() / 2)
    return out


def _between(values: np.ndarray, part: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Interpolate the size of each part at each value, (n,), and beyond the outermost middles."""
    middles = np.array([np.median(values[part == k]) for k in range(_PARTS)])
    first, last = (0, 1), (-1, -2)
    ends = []
    for (at, inner), end in ((first, values.min()), (last, values.max())):
        slope = (sizes[at] - sizes[inner]) / (middles[at] - middles[inner])
        ends.append(max(sizes[at] + slope * (end - middles[at]), sizes[at] / 2))
    knots = np.concatenate([[values.min()], middles, [values.max()]])
    return np.interp(values, knots, np.concatenate([ends[:1], sizes, ends[1:]]))


def _alike(place: np.ndarray, sizes: np.ndarray) -> float:
    """Return how probably sizes are as often above their median in all parts."""
    count = np.bincount(place, minlength=_PARTS)
    large = np.bincount(place[sizes > np.median(sizes)], minlength=_PARTS)
    return float(chdtrc(_PARTS - 1, np.sum((2 * large - count) ** 2 / count)))


def _in_parts(
    column: np.ndarray, times: np.ndarray, offsets: np.ndarray, part: np.ndarray, orders: int
) -> np.ndarray:
    """Return the size of differences in each part of the values, of the best order, (parts,)."""
    best = np.full(_PARTS, np.inf)
    for order in range(1, orders + 1):
        starts, left = differences(column, times, offsets, order)
        place, sizes = part[starts + order // 2], np.abs(left[:, 0])
        for k in range(_PARTS):
            inside = sizes[place == k]
            if len(inside) >= _FEWEST:
                best[k] = min(best[k], np.mean(inside) / _MEAN)
    return np.where(np.isfinite(best), best, np.nanmin(best))
