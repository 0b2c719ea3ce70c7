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
from collections.abc import Iterator
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
    found = _compared(rows, some, every)
    if found is None:
        return np.nan, 1.0
    ratios, beyond = found[0], np.mean(found[1], axis=0)
    ratio = float(np.mean(ratios))
    if ratio > NOISE.path_left:
        return np.nan, 1.0
    if min(ratios) <= NOISE.memory:
        return ratio, 1.0
    n = int(np.sum(beyond != 0))
    error = np.sqrt(np.sum(beyond**2) * n / (n - 1))
    return ratio, float(stats.t.sf((ratio - NOISE.memory) / error, n - 1))


def _compared(
    rows: np.ndarray, runs: Trajectories, every: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the ratio of sizes of each column, (d,), and what each run adds to its error.

    The latter is (d, runs). Of the order of differences that leaves least of the path; None where
    runs are too short, or some column shows no noise.
    """
    times, offsets = runs.row_times, runs.offsets
    spread, dim = rows.std(axis=0), rows.shape[1]
    least, ratios, beyond = np.full(dim, np.inf), np.ones(dim), np.zeros((dim, runs.n_runs))
    for order in _ORDERS:
        if offsets[-1] < 2 * every * order * runs.n_runs:
            break
        calm = _calm(rows, offsets, every * order)
        sizes = (_sizes(rows, times, offsets, stride, order, calm) for stride in (every, 2 * every))
        for j, ((near, of_near), (far, of_far)) in enumerate(zip(*sizes, strict=True)):
            if np.sum((of_near > 0) & (of_far > 0)) < NOISE.fewest_compared:
                continue
            near, far = near / of_near.sum(), far / of_far.sum()
            if near.sum() < NOISE.unseen * spread[j]:
                return None
            if far.sum() < least[j]:
                ratios[j], least[j] = far.sum() / near.sum(), far.sum()
                # A run with few samples tells little.
                beyond[j] = (far - ratios[j] * near) / near.sum()
    return (ratios, beyond) if np.isfinite(least).all() else None


def _calm(rows: np.ndarray, offsets: np.ndarray, reach: int) -> np.ndarray:
    """Tell which samples are among the third around which a column moves least, (n, d)."""
    moved, size = np.empty(rows.shape), 2 * reach + 1
    for a, b in itertools.pairwise(offsets):
        part = rows[a:b]
        moved[a:b] = maximum_filter1d(part, size, axis=0) - minimum_filter1d(part, size, axis=0)
    return moved <= np.quantile(moved, _QUIET, axis=0)


def _sizes(
    rows: np.ndarray,
    times: np.ndarray,
    offsets: np.ndarray,
    stride: int,
    order: int,
    calm: np.ndarray,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield each run's sum of absolute differences over samples `stride` apart, and their number.

    For one column after the other. Of those whose middle sample is calm; every sample begins one.
    """
    runs = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    pieces = [
        np.arange(a + phase, b, stride)
        for a, b in itertools.pairwise(offsets)
        for phase in range(min(stride, b - a))
    ]
    kept = np.concatenate(pieces)
    starts, left = differences(rows[kept], times[kept], np.cumsum([0, *map(len, pieces)]), order)
    middle = kept[starts + order // 2]
    run, most = runs[middle], len(offsets) - 1
    for size, seen in zip(np.abs(left).T, calm[middle].T, strict=True):
        yield np.bincount(run[seen], size[seen], most), np.bincount(run[seen], minlength=most)
