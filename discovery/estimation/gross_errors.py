"""Gross errors: samples that no smooth path could pass through.

Each coordinate of a sample is compared with what its neighbours predict, and the distance is its
misfit. The prediction is a median, which one wrong neighbour does not move. Fast motion misfits
too, but never at one sample alone: where a path turns, the samples beside misfit as well. A gross
error is a sample whose misfit is large against the noise and against every misfit beside it.

Two errors beside each other would hide one another. So a sample is suspected first if it stands out
against all but two beside it, and is then compared with those that are not suspected. Errors strike
any sample alike: what stands out beside its like, at the ends of runs or where the motion is
fastest, more often than chance would have it, is short pulses, fast starts and close encounters.
"""

from __future__ import annotations

import itertools

import numpy as np
from scipy.ndimage import maximum_filter1d
from scipy.stats import binom

from discovery.criteria import NOISE

# An error may hide another until it is gone.
_ROUNDS = 3
# Samples that predict one, and samples beside it whose misfits are compared with its own.
_PREDICTING, _BESIDE = 8, 4
# Samples at either end of a run that are predicted from one side.
_END = 2
_TRIPLES = np.array(list(itertools.combinations(range(_PREDICTING), 3)))
# Share of the misfit of an error at which a row is looked at closely: noise may hide the rest.
_SUSPECTED = 0.75
# Times that are the same but for rounding, as a share of what they span.
_ALIKE = 1e-9
# Samples whose parabolas are computed at once.
_CHUNK = 2**14


def sound_rows(
    rows: np.ndarray,
    times: np.ndarray,
    offsets: np.ndarray,
    noise: np.ndarray,
    spread: np.ndarray,
    suspects: np.ndarray | None = None,
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
    suspects : (n,) array of bool, optional
        Rows that may be errors, from `may_be_gross`: all of them by default.

    Returns
    -------
    (n,) array of bool
    """
    noise = least_noise(noise, spread)
    sound = np.ones(len(rows), dtype=bool)
    wrong = []
    for values, level in zip(rows.T, noise, strict=True):
        gross = _gross_values(values, times, offsets, level, suspects)
        # What stands out more often is the nature of the data.
        if len(gross) <= NOISE.gross_share * len(rows):
            wrong.extend(gross)
    if not wrong:
        return sound
    gross = np.unique(wrong)
    fastest = _fastest(rows / np.where(spread > 0, spread, 1.0), offsets)[gross]
    if _too_often(fastest, NOISE.gross_fastest):
        gross = gross[~fastest]  # close encounters
    sound[gross] = False
    return sound


def least_noise(noise: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return the noise (d,), or more where errors are compared with the spread (d,)."""
    return np.maximum(noise, NOISE.gross_size / NOISE.gross_misfit * spread)


def may_be_gross(rows: np.ndarray, offsets: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Tell which rows may be gross errors, (n,) bool, with little work.

    A sample is compared with the cubic through the next two samples on either side, and through
    every other sample; near an end with the parabola through the next three. What is smooth and as
    noisy as is known passes; fast paths are suspected without need.

    Parameters
    ----------
    rows : (n, d) array
    offsets : (runs + 1,) array of int
    noise : (d,) array
        From `least_noise`.
    """
    most = np.zeros(len(rows))
    lengths = np.diff(offsets)
    place = np.arange(len(rows)) - np.repeat(offsets[:-1], lengths)
    left = np.repeat(lengths, lengths) - 1 - place
    for reach in (1, 2):
        inside = np.flatnonzero((place >= 2 * reach) & (left >= 2 * reach))
        near = rows[inside - reach] + rows[inside + reach]
        far = rows[inside - 2 * reach] + rows[inside + 2 * reach]
        off = np.abs(rows[inside] - (4 * near - far) / 6) / noise
        most[inside] = np.maximum(most[inside], off.max(axis=1))
    for side, room in ((1, left), (-1, place)):
        end = np.flatnonzero((np.minimum(place, left) < _END) & (room >= 3))
        a, b, c = (rows[end + side * k] for k in (1, 2, 3))
        off = np.abs(rows[end] - 3 * (a - b) - c) / (NOISE.gross_at_ends * noise)
        most[end] = np.maximum(most[end], off.max(axis=1))
    # A wrong sample shows in the samples beside it too.
    return _near(most > _SUSPECTED * NOISE.gross_misfit, _END)


def _near(rows: np.ndarray, reach: int) -> np.ndarray:
    """Tell which rows are no further than so many from one of `rows` (n,) bool."""
    return maximum_filter1d(rows, 2 * reach + 1, mode="constant")


def _gross_values(
    values: np.ndarray,
    times: np.ndarray,
    offsets: np.ndarray,
    noise: float,
    suspects: np.ndarray | None = None,
) -> np.ndarray:
    """Return which values (n,) of one coordinate are wrong."""
    everything = np.ones(len(values), dtype=bool)
    keep = everything.copy()
    looked_at = everything if suspects is None else suspects
    if not looked_at.any():
        return np.empty(0, dtype=int)
    for _ in range(_ROUNDS):
        some = _Kept(values, times, offsets, keep, looked_at)
        trial = some.kept[looked_at[some.kept]]
        suspected = trial[_stands_out(some, trial, noise, but_for_two=True)]
        keep[suspected] = False
        if not len(suspected):
            break
    if keep.all():
        return np.empty(0, dtype=int)
    some = _Kept(values, times, offsets, keep, looked_at)
    suspected = np.flatnonzero(~keep)
    gross = suspected[_stands_out(some, suspected, noise)]
    if _too_often(_followed(gross, offsets), _BESIDE * len(gross) / len(values)):
        # Short pulses: only what stands out against all samples beside it is wrong.
        some = _Kept(values, times, offsets, everything, looked_at)
        gross = gross[_stands_out(some, gross, noise)]
    at_end = some.compared(gross)[2]
    if _too_often(at_end, 2 * _END * (len(offsets) - 1) / len(values)):
        gross = gross[~at_end]  # the motion starts or ends fast
    return gross


def _fastest(rows: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Tell at which rows (n, d) the motion is fastest, (n,) bool, by the samples beside each."""
    place = np.arange(len(rows))
    run = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    before = np.maximum(place - 1, offsets[run])
    after = np.minimum(place + 1, offsets[run + 1] - 1)
    speed = np.abs(rows[after] - rows[before]).max(axis=1)
    return speed > np.quantile(speed, 1 - NOISE.gross_fastest)


def _followed(rows: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Tell which rows are followed by another of them, four samples later at most."""
    run = np.searchsorted(offsets, rows, side="right") - 1
    close = (np.diff(rows) <= _BESIDE) & (np.diff(run) == 0)
    return np.append(close, False)[: len(rows)]


def _too_often(seen: np.ndarray, share: float) -> bool:
    """Tell whether so many of the errors are there as errors that strike at random never are."""
    return bool(binom.sf(seen.sum() - 1, len(seen), min(share, 1.0)) < NOISE.gross_at_random)


def _stands_out(
    some: _Kept, rows: np.ndarray, noise: float, but_for_two: bool = False
) -> np.ndarray:
    """Tell which of `rows` misfit far more than noise does, and than the samples beside them.

    With `but_for_two` the two largest misfits beside a sample do not count, and less is enough.
    """
    misfit, beside, end = some.compared(rows)
    usual = np.sort(beside, axis=1)[:, 1 if but_for_two else -1]
    least = NOISE.suspected if but_for_two else NOISE.gross_misfit
    misfit /= np.where(end, NOISE.gross_at_ends, 1.0)
    return (misfit > least * usual) & (misfit > NOISE.gross_misfit * noise)


class _Kept:
    """The values of one coordinate that are kept, and how far any value is from them.

    Attributes
    ----------
    kept : (m,) array of int
        Which rows are kept.
    """

    def __init__(
        self,
        values: np.ndarray,
        times: np.ndarray,
        offsets: np.ndarray,
        keep: np.ndarray,
        looked_at: np.ndarray,
    ) -> None:
        self._values, self._times, self._offsets, self._keep = values, times, offsets, keep
        self._cuts = np.concatenate([[0], np.cumsum(keep)])[offsets]
        self.kept = np.flatnonzero(keep)
        place, seen, _, long = self._around(self.kept)
        # Those of samples beside are asked for, where rows in between are left out too.
        long &= looked_at.all() or _near(looked_at, _PREDICTING)[self.kept]
        self._misfits = np.zeros(len(self.kept))
        self._misfits[long] = self._misfit(self.kept[long], (place[:, None] + seen)[long])

    def compared(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the misfit of each row, those of the samples beside it, and whether it is an end.

        At the ends of a run parabolas are continued to one side. The samples beside are then those
        towards the middle, predicted from the places from which the end is. In runs of fewer than
        thirteen samples all misfits are zero.

        Parameters
        ----------
        rows : (k,) array of int

        Returns
        -------
        misfit : (k,) array
        beside : (k, 4) array
        end : (k,) array of bool
        """
        place, seen, before, long = self._around(rows)
        # Of a row that is left out, the next one stands at its place.
        after = 1 - self._keep[rows][:, None]
        if after.any():
            misfit = np.zeros(len(rows))
            around = place[:, None] + seen - after * (seen > 0)
            misfit[long] = self._misfit(rows[long], around[long])
        else:
            misfit = self._misfits[place]
        near = np.array([-2, -1, 1, 2])
        beside = self._misfits[self._inside(place[:, None] + near - after * (near > 0))]
        end = np.minimum(before, _PREDICTING - before) < _END
        some = end & long
        inwards = np.where(before[some] < _END, 1, -1)[:, None] * np.arange(1, _BESIDE + 1)
        near = place[some][:, None] + inwards - after[some] * (inwards > 0)
        alike = (near[:, :, None] + seen[some][:, None, :]).reshape(-1, _PREDICTING)
        beside[some] = self._misfit(self.kept[near.ravel()], alike).reshape(-1, _BESIDE)
        return misfit, beside, end

    def _around(self, rows: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return where each row stands among the kept, and where the samples that predict it do.

        Returns
        -------
        place : (k,) array of int
        seen : (k, 8) array of int
            Counted from the row: −4 to −1 and 1 to 4, but for the ends of a run.
        before : (k,) array of int
            How many of them are before the row.
        long : (k,) array of bool
            Whether its run has enough samples to compare it with.
        """
        run = np.searchsorted(self._offsets, rows, side="right") - 1
        begin, end = self._cuts[run], self._cuts[run + 1]
        place = np.searchsorted(self.kept, rows)
        after = end - place - self._keep[rows]
        before = np.clip(_PREDICTING // 2, _PREDICTING - after, place - begin)
        seen = np.arange(_PREDICTING) - before[:, None]
        return place, seen + (seen >= 0), before, end - begin > _PREDICTING + _BESIDE

    def _inside(self, places: np.ndarray) -> np.ndarray:
        return np.clip(places, 0, len(self.kept) - 1)

    def _misfit(self, rows: np.ndarray, around: np.ndarray) -> np.ndarray:
        """Return how far values are from what kept samples predict, (k,).

        The median over all parabolas through three of the eight: one wrong neighbour spoils 21 of
        the 56, and the median not at all.

        Parameters
        ----------
        rows : (k,) array of int
        around : (k, 8) array of int
            The samples that predict each, as places among the kept.
        """
        out = np.empty(len(rows))
        for start in range(0, len(rows), _CHUNK):
            part = slice(start, start + _CHUNK)
            given = self.kept[around[part]]
            t = self._times[given] - self._times[rows[part], None]
            found = np.median(_parabolas(t, self._values[given]), axis=1)
            out[part] = np.abs(self._values[rows[part]] - found)
        return out


def _parabolas(t: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return what the parabolas through three of the samples say at time zero, (k, triples).

    Parameters
    ----------
    t, x : (k, samples) arrays
        Times and values.
    """
    # Most samples have their neighbours at the same times: one matrix is for them all.
    usual = t[len(t) // 2]
    alike = np.abs(t - usual).max(axis=1) <= _ALIKE * np.ptp(usual)
    found = np.empty((len(t), len(_TRIPLES)))
    matrix = np.zeros((_PREDICTING, len(_TRIPLES)))
    for samples, weights in zip(_TRIPLES.T, _weights(usual[None]), strict=True):
        matrix[samples, np.arange(len(_TRIPLES))] = weights[0]
    found[alike] = x[alike] @ matrix
    others = x[~alike]
    found[~alike] = sum(
        others[:, samples] * weights
        for samples, weights in zip(_TRIPLES.T, _weights(t[~alike]), strict=True)
    )
    return found


def _weights(t: np.ndarray) -> list[np.ndarray]:
    """Return what each of the three samples counts at time zero, three (k, triples) arrays."""
    a, b, c = (t[:, _TRIPLES[:, k]] for k in range(3))
    return [
        b * c / ((a - b) * (a - c)),
        a * c / ((b - a) * (b - c)),
        a * b / ((c - a) * (c - b)),
    ]
