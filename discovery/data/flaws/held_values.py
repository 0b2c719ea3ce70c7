"""Held values: what instruments write where they measure nothing.

A block is a stretch of equal values of one column in a run. Three kinds of blocks are no samples:

- A value that repeats exactly and lies far outside of all others: 999, 1e20.
- A value whose blocks break with what is on both sides: -1 or 0 amid a smooth path.
- A sensor that stands still: a block longer than equal neighbours are by chance, that the path
  enters at full speed or leaves by a jump, or in which the noise of the others is gone.

Columns of which a great part is equal to its neighbours, as switches and rounded numbers are, and
blocks that are whole runs, are what they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from discovery.criteria import HELD
from discovery.data.flaws.missing import counted
from discovery.data.flaws.samples import Samples

# Steps on one side of a block that its jump is compared with.
_BESIDE = 4
# Values of one column, far outside of the others, that are looked for.
_CODES = 4
# Median size of sixth differences of noise of unit variance.
_SIXTH = 0.6744897501960817 * 924**0.5


@dataclass(frozen=True)
class Blocks:
    """Stretches of equal values of one column.

    Attributes
    ----------
    values : (n,)
        The column.
    start, end : (k,) int
        First row of each block, and the row after its last.
    begin, stop : (k,) int
        The same of the run that it is in.
    """

    values: np.ndarray
    start: np.ndarray
    end: np.ndarray
    begin: np.ndarray
    stop: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, offsets: np.ndarray) -> Blocks:
        """Find the blocks of a column (n,)."""
        new = np.ones(len(values), dtype=bool)
        new[1:] = np.diff(values) != 0
        new[offsets[:-1]] = True
        start = np.flatnonzero(new)
        run = np.searchsorted(offsets, start, side="right") - 1
        end = np.append(start[1:], len(values))
        return cls(values, start, end, offsets[run], offsets[run + 1])

    @property
    def length(self) -> np.ndarray:
        """Number of samples of each block, (k,)."""
        return self.end - self.start

    @property
    def whole(self) -> np.ndarray:
        """Whether a block is its whole run, (k,)."""
        return self.length == self.stop - self.begin

    def equal_share(self, chosen: np.ndarray) -> float:
        """Return the share of the chosen blocks' samples that are equal to the one before."""
        samples = self.length[chosen].sum()
        return float((samples - chosen.sum()) / samples) if samples else 1.0

    def jumps(self, order: int, least: float) -> tuple[np.ndarray, np.ndarray]:
        """Return how large the jumps into and out of blocks are, beside the path's own differences.

        Parameters
        ----------
        order : {1, 2}
            Of the differences that jumps are compared with: steps, or changes of steps.
        least : float
            The smallest difference that counts.

        Returns
        -------
        before, after : (k,) arrays
            nan where the run has too few samples on that side.
        """
        return self._side(-1, order, least), self._side(1, order, least)

    def _side(self, sign: int, order: int, least: float) -> np.ndarray:
        """Return the jump on one side over the median difference of the samples beyond."""
        first = self.end if sign > 0 else self.start - 1
        places = first[:, None] + sign * np.arange(_BESIDE + 1)
        inside = ((places >= self.begin[:, None]) & (places < self.stop[:, None])).all(axis=1)
        out = np.full(len(first), np.nan)
        beyond = self.values[places[inside]]
        usual = np.median(np.abs(np.diff(beyond, n=order, axis=1)), axis=1)
        jump = np.abs(beyond[:, 0] - self.values[self.start[inside]])
        out[inside] = jump / np.maximum(usual, least)
        return out


def held_values(samples: Samples, names: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Tell which rows hold values that are no samples.

    Parameters
    ----------
    samples : Samples
    names : sequence of d str

    Returns
    -------
    held : (n,) array of bool
    remarks : list of str
        Which values of which column were held in how many samples.
    """
    held, remarks = np.zeros(len(samples.rows), dtype=bool), []
    for name, values in zip(names, samples.rows.T, strict=True):
        codes = _far_codes(values, samples.offsets)
        codes = codes or _breaking_codes(Blocks.of(values, samples.offsets))
        for code in codes:
            where = values == code
            held |= where
            remarks.append(f"{name} holds {code:.6g} in {counted(where.sum(), 'sample')}, left out")
        stuck = _stuck(Blocks.of(values, samples.offsets), codes)
        if stuck.any():
            held |= stuck
            places = int(np.diff(np.concatenate([[False], stuck]).astype(int)).clip(0).sum())
            remarks.append(
                f"{name} stands still at {counted(places, 'place')}, "
                f"{counted(int(stuck.sum()), 'sample')} left out"
            )
    return held, remarks


def _far_codes(values: np.ndarray, offsets: np.ndarray) -> list[float]:
    """Return values that repeat exactly, far outside of all others."""
    found: list[float] = []
    distinct, counts = np.unique(values, return_counts=True)
    for _ in range(_CODES):
        if len(distinct) < 3:
            break
        for end, rest in ((-1, slice(None, -1)), (0, slice(1, None))):
            others = distinct[rest]
            gap = np.abs(others - distinct[end]).min()
            if counts[end] > 1 and gap > HELD.far_outside * np.ptp(others):
                found.append(float(distinct[end]))
                distinct, counts = others, counts[rest]
                break
        else:
            break
    if not found:
        return []
    blocks = Blocks.of(values, offsets)
    coded = np.isin(values[blocks.start], found)
    share = blocks.length[coded].sum() / len(values)
    ordinary = share < HELD.share and blocks.equal_share(~coded) < HELD.share
    return found if ordinary else []


def _breaking_codes(blocks: Blocks) -> list[float]:
    """Return values whose blocks break with both sides, more often than those of other values."""
    if blocks.equal_share(~blocks.whole) >= HELD.share:
        return []
    distinct, kind = np.unique(blocks.values[blocks.start], return_inverse=True)
    if np.bincount(kind, weights=blocks.length).max() < HELD.repeats:
        return []  # most columns: no value comes often enough to be looked at
    before, after = blocks.jumps(1, 2 * _step(blocks.values))
    amid = np.isfinite(before) & np.isfinite(after)
    breaks = amid & (np.minimum(before, after) > HELD.jump)
    places, broken = np.bincount(kind, weights=amid), np.bincount(kind, weights=breaks)
    samples = (np.bincount(kind, weights=blocks.length * some) for some in (breaks, amid))
    often, tested = (count >= HELD.repeats for count in samples)
    # How often other values break, by the rule of succession.
    usual = (broken.sum() - broken + 1) / (places.sum() - places + 2)
    chance = binom.sf(broken - 1, places, np.minimum(usual, 1.0))
    return distinct[often & (chance * max(tested.sum(), 1) < HELD.breaks)].tolist()


def _stuck(blocks: Blocks, codes: Sequence[float]) -> np.ndarray:
    """Tell in which rows (n,) a sensor stands still; the first of each block was measured."""
    out = np.zeros(len(blocks.values), dtype=bool)
    some = ~(blocks.whole | np.isin(blocks.values[blocks.start], codes))
    length, n = blocks.length, blocks.length[some].sum()
    ties = n - some.sum()
    # How often neighbours are equal elsewhere, by the rule of succession.
    chance = (ties - (length - 1) + 1) / np.maximum(n - length + 2, 1)
    by_chance = n * np.clip(chance, 0, 1) ** (length - 1)
    stuck = some & (length > 2) & (by_chance < HELD.chance)
    if not stuck.any():
        return out
    least = 2 * _step(blocks.values)
    if _noise(blocks) <= HELD.rounded * _step(blocks.values):
        # Else it is stuck whatever the path does: the noise of the path goes on.
        into, leaving = map(np.nan_to_num, blocks.jumps(2, least))
        stuck &= np.maximum(into, leaving) > HELD.jump
    if length[stuck].sum() > HELD.stuck_share * max(n, 1):
        return out  # steps are the nature of this column
    # A jump into the block is none that was measured.
    first = np.where(np.nan_to_num(blocks.jumps(1, least)[0]) > HELD.jump, 0, 1)
    for a, b in zip((blocks.start + first)[stuck], blocks.end[stuck], strict=True):
        out[a:b] = True
    return out


def _noise(blocks: Blocks) -> float:
    """Return the noise that differences of high order show, 0 where they are those of a path.

    Differences of noise grow with their order, those of a path fall.
    """
    cuts = np.unique(blocks.begin)[1:]
    low, high = (_differences(blocks.values, cuts, order) for order in (5, 6))
    return high / _SIXTH if high > HELD.noise_grows * low else 0.0


def _differences(values: np.ndarray, cuts: np.ndarray, order: int) -> float:
    """Return the median size of differences of one order within runs."""
    inside = np.ones(max(len(values) - order, 0), dtype=bool)
    for cut in cuts:
        inside[max(cut - order, 0) : cut] = False
    sizes = np.abs(np.diff(values, order))[inside]
    return float(np.median(sizes)) if len(sizes) else 0.0


def _step(values: np.ndarray) -> float:
    """Return the smallest difference of two values of a column."""
    return float(np.diff(np.unique(values)).min(initial=np.inf))
