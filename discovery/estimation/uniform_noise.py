"""Whether a model of the motion tells more of the noise than neighbouring samples do.

A manifold learns how noise differs from place to place, and its flow smooths what local polynomials
leave. Noise that is the same in all places and independent from column to column has a constant
metric, which differences of neighbouring samples tell without any training; and where noise is
small, local polynomials smooth as well as a flow that was learned.

Uniform noise is tested by signs, so that its distribution does not matter. Of differences that
share no sample, those above the median of their size are counted in each fifth of the states, by
each coordinate: Mood's median test. And the signs of any two columns must agree half the time.

Source: Mood, Introduction to the Theory of Statistics (1950), section 16.4.
"""

from __future__ import annotations

import numpy as np
from scipy.special import bdtr, chdtrc

from discovery.criteria import NOISE
from discovery.data.noise_level import difference_scales, differences, noise_scale
from discovery.data.trajectories import Trajectories
from discovery.estimation.model_rows import continuous_rows

# Parts of each coordinate's range, with as many states each.
_PARTS = 5


def needs_manifold(runs: Trajectories, noise: np.ndarray | None = None) -> bool:
    """Tell whether a manifold that is trained on runs could tell more than the runs themselves.

    Parameters
    ----------
    runs : Trajectories
        Paths in time.
    noise : (d,) array, optional
        Standard deviation of each coordinate's noise where it is known.
    """
    rows = continuous_rows(runs)
    if noise is None:
        noise = noise_scale(rows, runs.row_times, runs.offsets)
    share = np.max(noise / rows.std(axis=0))
    if share < NOISE.unseen:
        return False
    return bool(share > NOISE.smoothed_as_well) or not is_uniform(
        rows, runs.row_times, runs.offsets
    )


def is_uniform(rows: np.ndarray, times: np.ndarray, offsets: np.ndarray) -> bool:
    """Tell whether noise is the same in all places, and independent from column to column.

    What is left of fast paths in the differences, or too few of them, does not look uniform.

    Parameters
    ----------
    rows : (n, d) array
    times : (n,) array
    offsets : (runs + 1,) array of int
        Run r is ``rows[offsets[r]:offsets[r + 1]]``.
    """
    scales = np.array(difference_scales(rows, times, offsets))
    if not len(scales) or not scales.all():
        return False
    # The first order that leaves no more of the path than chance might.
    chance = 2 / np.sqrt(len(rows))
    order = 1 + int(np.argmax((scales / scales.min(axis=0)).max(axis=1) < 1 + chance))
    starts, left = differences(rows, times, offsets, order, apart=True)
    if len(starts) < NOISE.fewest_apart:
        return False
    middle = rows[starts + order // 2]
    tests = [*_by_place(middle, np.abs(left)).ravel(), *_by_signs(left)]
    return bool(min(tests) * len(tests) > NOISE.uniform)


def _by_place(states: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return p values, (d, columns): sizes are as often large in all parts of a coordinate."""
    large = sizes > np.median(sizes, axis=0)
    places = states.argsort(axis=0).argsort(axis=0) * _PARTS // len(states)
    out = []
    for place in places.T:
        count = np.bincount(place, minlength=_PARTS)[:, None]
        seen = np.array([large[place == part].sum(axis=0) for part in range(_PARTS)])
        out.append(chdtrc(_PARTS - 1, np.sum((2 * seen - count) ** 2 / count, axis=0)))
    return np.array(out)


def _by_signs(left: np.ndarray) -> np.ndarray:
    """Return the p value of each pair of columns: their signs agree half the time."""
    signs = np.sign(left)
    agree = (len(left) - np.abs(signs.T @ signs)) / 2  # or disagree, what is rarer
    return 2 * bdtr(agree[np.triu_indices(left.shape[1], 1)], len(left), 0.5)
