"""Memory of the noise: whether samples that follow each other err alike.

A filter, a tracker or the frames of a video give noise that is correlated from sample to sample.
It looks smooth, and motion of a formula looks like it. Differences of one order p over every sample
and over every second one,

    Σ_j (−1)^j C(p, j) x_{t+j}        and        Σ_j (−1)^j C(p, j) x_{t+2j},

have one distribution where the noise is independent, whatever it is, and the path is smooth enough
for both; where the noise is correlated the second ones are larger: for x_t = φ x_{t−1} + e_t their
ratio is (1 + φ) / √(1 + φ²), up to √2. Mean absolute values are compared; the error of their ratio
is that over runs. Fast motion too is larger in every second sample; so only the third of the
samples counts around which a column moves least.

What is left of a path that is too fast makes the ratio larger, the more the farther samples are
apart; where it is too large, also at twice the distance, it tells nothing.

Samples far enough apart err independently: every k-th is kept, with the first k at which the test
sees nothing any more.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from discovery.criteria import NOISE
from discovery.data.noise_level import differences
from discovery.data.trajectories import Trajectories
from discovery.estimation.model_rows import continuous_rows
from discovery.estimation.smoothness import have_a_path

# Orders of differences; that which leaves least of the path is taken.
_ORDERS = (3, 4, 6, 8, 10, 12)
# Share of the samples that count: where a column moves least.
_QUIET = 1 / 3
# Rows that are enough to tell.
_ROWS = 20_000


@dataclass(frozen=True)
class Apart:
    """Runs whose samples err independently, as far as they could be taken so far apart.

    Attributes
    ----------
    runs : Trajectories
    every : int
        They are every so many-th sample.
    lasting : bool
        Whether the noise is correlated over more samples than a path can be thinned by. Then the
        runs are whole.
    """

    runs: Trajectories
    every: int = 1
    lasting: bool = False

    @property
    def every_kept(self) -> int:
        """One in how many samples is kept."""
        return 1 if self.lasting else self.every

    @property
    def remarks(self) -> list[str]:
        """What a reader is told."""
        if self.lasting:
            return [f"noise is correlated over more than {self.every} samples"]
        if self.every > 1:
            return [
                f"noise is correlated over about {self.every} samples: one in {self.every} is used"
            ]
        return []


def taken_apart(runs: Trajectories, columns: tuple[int, ...] | None = None) -> Apart:
    """Leave out samples until those that are left err independently.

    Parameters
    ----------
    runs : Trajectories
        Along paths.
    columns : tuple of int, optional
        Those that are measured, all by default.
    """
    seen = runs if columns is None else runs.of_columns(columns)
    ratio, chance = memory(seen)
    if chance >= NOISE.remembered:
        return Apart(runs)
    every = 1
    while not ratio <= NOISE.memory:  # nor where nothing tells it any more
        every += 1
        some = thinned(seen, every)
        if some.lengths.min() < NOISE.fewest_thinned or not have_a_path(some):
            return Apart(runs, every - 1, lasting=True)
        ratio, _ = memory(seen, every)
        if every == 2 and np.isnan(ratio):
            return Apart(runs)
    return Apart(thinned(runs, every), every)


def thinned(runs: Trajectories, every: int) -> Trajectories:
    """Return every so many-th sample of each run.

    Parameters
    ----------
    runs : Trajectories
    every : int
    """
    if every == 1:
        return runs
    kept = np.concatenate([np.arange(a, b, every) for a, b in itertools.pairwise(runs.offsets)])
    some = Trajectories.from_rows(
        runs.rows[kept], runs.groups[kept], runs.row_times[kept], names=runs.names, roles=runs.roles
    )
    some.name, some.run_ids = runs.name, runs.run_ids
    some.remarks, some.in_degrees, some.units = runs.remarks, runs.in_degrees, runs.units
    return some


def memory(runs: Trajectories, every: int = 1) -> tuple[float, float]:
    """Compare differences over samples `every` apart with those over samples twice as far apart.

    Parameters
    ----------
    runs : Trajectories
    every : int

    Returns
    -------
    ratio : float
        Of their sizes, the mean over columns; nan where nothing tells.
    chance : float
        How probably it is no larger than ``NOISE.memory``, or that of a single column is; fast
        motion is seldom in all.
    """
    few = max(1, min(runs.n_runs, _ROWS // max(1, int(np.mean(runs.lengths)))))
    some = runs if few == runs.n_runs else runs[np.arange(few)]
    rows = continuous_rows(some)
    found = [_compared(rows[:, [j]], some, every) for j in range(runs.dim)]
    if any(one is None for one in found):
        return np.nan, 1.0
    beyond = np.mean([own for _, own in found], axis=0)
    ratios = [ratio for ratio, _ in found]
    ratio = float(np.mean(ratios))
    if ratio > NOISE.path_left:
        return np.nan, 1.0
    if min(ratios) <= NOISE.memory:
        return ratio, 1.0
    n = int(np.sum(beyond != 0))
    error = np.sqrt(np.sum(beyond**2) * n / (n - 1))
    return ratio, float(stats.t.sf((ratio - NOISE.memory) / error, n - 1))


def _compared(
    column: np.ndarray, runs: Trajectories, every: int
) -> tuple[float, np.ndarray] | None:
    """Return the ratio of sizes, and what each run, (runs,), adds to its error.

    Of the order of differences that leaves least of the path; None where runs are too short, or
    show no noise.
    """
    times, offsets = runs.row_times, runs.offsets
    best, least = None, np.inf
    for order in _ORDERS:
        if offsets[-1] < 2 * every * order * runs.n_runs:
            break
        calm = _calm(column, offsets, every * order)
        (near, of_near), (far, of_far) = (
            _sizes(column, times, offsets, stride, order, calm) for stride in (every, 2 * every)
        )
        if np.sum((of_near > 0) & (of_far > 0)) < NOISE.fewest_compared:
            continue
        near, far = near / of_near.sum(), far / of_far.sum()
        if near.sum() < NOISE.unseen * column.std():
            return None
        if far.sum() < least:
            ratio, least = float(far.sum() / near.sum()), far.sum()
            # A run with few samples tells little.
            best = ratio, (far - ratio * near) / near.sum()
    return best


def _calm(column: np.ndarray, offsets: np.ndarray, reach: int) -> np.ndarray:
    """Tell which samples are among the third around which a column (n, 1) moves least, (n,)."""
    moved = np.empty(len(column))
    for a, b in itertools.pairwise(offsets):
        part, size = column[a:b, 0], 2 * reach + 1
        moved[a:b] = maximum_filter1d(part, size) - minimum_filter1d(part, size)
    return moved <= np.quantile(moved, _QUIET)


def _sizes(
    column: np.ndarray,
    times: np.ndarray,
    offsets: np.ndarray,
    stride: int,
    order: int,
    calm: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return each run's sum of absolute differences over samples `stride` apart, and their number.

    Of those whose middle sample is calm; every sample begins one.
    """
    runs = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    pieces = [
        np.arange(a + phase, b, stride)
        for a, b in itertools.pairwise(offsets)
        for phase in range(min(stride, b - a))
    ]
    kept = np.concatenate(pieces)
    starts, left = differences(column[kept], times[kept], np.cumsum([0, *map(len, pieces)]), order)
    middle = kept[starts + order // 2]
    size, run = np.abs(left[:, 0]), runs[middle]
    seen, most = calm[middle], len(offsets) - 1
    return (
        np.bincount(run[seen], size[seen], most),
        np.bincount(run[seen], minlength=most),
    )
