"""Noise by run: whether some runs are noisier than others, and by how much.

Where each run was measured in a range of its own, so is its noise. The logarithms of the median
size of differences in a few blocks of each run differ within runs by chance, and by what noise
depends on besides; if they differ more between runs (F test), runs are unlike. Then, with σ² the
variance within runs, τ² that between them beyond it, and b blocks a run,

    log of a run's noise = mean of all + τ² / (τ² + σ²/b) · (mean of its blocks − mean of all)

is the best linear prediction: what few differences say of one run counts as far as runs differ.

Noise is as large in differences of any order, a path too fast for its samples is not: where the
noisiest runs show more in one order than in another, nothing is told, of other columns neither.

Sources: Levene (1960) for the test on sizes; Henderson (Biometrics 31, 1975) for the prediction.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from discovery.criteria import NOISE
from discovery.data.noise_level import difference_scales, differences

# Blocks of a run, and differences in one that tell a size; orders that tell a path.
_BLOCKS, _FEWEST = 4, 4
# Runs that are asked whether a path is left in them: those that show most.
_MOST_RUNS = 3
# Median of the size of a standard normal variable.
_MEDIAN = stats.norm.ppf(0.75)


def noise_by_run(
    rows: np.ndarray, times: np.ndarray, offsets: np.ndarray, noise: np.ndarray, tests: int = 1
) -> np.ndarray | None:
    """Return the noise of each run over what is stated of all, (runs,): ones where all are alike.

    None where runs differ by motion that is too fast for its samples.

    Parameters
    ----------
    rows : (n, k) array
        Columns of one instrument.
    times : (n,) array
        Increasing within each run.
    offsets : (runs + 1,) array of int
        Run r is ``rows[offsets[r]:offsets[r + 1]]``.
    noise : (n, k) array
        Standard deviation that is stated of each value.
    tests : int
        How many instruments are looked at.

    Returns
    -------
    (runs,) array
    """
    alike = np.ones(len(offsets) - 1)
    scales = np.array(difference_scales(rows, times, offsets)) / noise.mean(axis=0)
    if not len(scales) or len(alike) < 2:
        return alike
    order = 1 + int(np.argmin(np.mean(scales, axis=1)))
    # Orders that leave enough differences in the blocks of every run.
    orders = min(len(scales), int(np.diff(offsets).min()) - _BLOCKS * _FEWEST)
    if orders < max(order, _FEWEST):
        return alike
    sizes = _sizes(rows, times, offsets, noise, order)
    within = sizes.var(axis=1, ddof=1).mean()
    between = _BLOCKS * sizes.mean(axis=1).var(ddof=1)
    freedom = len(alike) - 1, len(alike) * (_BLOCKS - 1)
    chance = stats.f.sf(between / max(within, 1e-300), *freedom)
    if chance >= NOISE.runs_differ / tests:
        return alike
    if _is_path(rows, times, offsets, noise, orders):
        return None
    middle = sizes.mean()
    return np.exp(middle + (1 - within / between) * (sizes.mean(axis=1) - middle))


def _sizes(
    rows: np.ndarray, times: np.ndarray, offsets: np.ndarray, noise: np.ndarray, order: int
) -> np.ndarray:
    """Return log median sizes of differences in the blocks of each run, (runs, blocks)."""
    starts, left = differences(rows, times, offsets, order)
    size = np.abs(left) / noise[starts + order // 2] / _MEDIAN
    run = np.searchsorted(offsets, starts, side="right") - 1
    of_run = np.bincount(run, minlength=len(offsets) - 1)
    firsts = np.cumsum(of_run) - of_run
    edges = [a + n * np.arange(1, _BLOCKS) // _BLOCKS for a, n in zip(firsts, of_run, strict=True)]
    cuts = np.sort(np.concatenate([firsts[1:], *edges]))
    median = np.array([np.median(block) for block in np.split(size, cuts)])
    return np.log(np.maximum(median, 1e-300)).reshape(-1, _BLOCKS)


def _is_path(
    rows: np.ndarray, times: np.ndarray, offsets: np.ndarray, noise: np.ndarray, orders: int
) -> bool:
    """Tell whether the size of differences is another at other orders, in runs that show most."""
    sizes = np.array(
        [_sizes(rows, times, offsets, noise, p).mean(axis=1) for p in range(1, orders + 1)]
    )
    # A path that is sampled finely fades with the order, and leaves the noise.
    after = sizes[min(int(np.argmin(sizes.mean(axis=1))), orders - 3) :]
    most = np.argsort(after.mean(axis=0))[-max(_MOST_RUNS, after.shape[1] // 5) :]
    low, high = after[0, most], after[-3:, most].mean(axis=0)
    return bool(np.max(np.abs(high - low)) > np.log(NOISE.order_matters))
