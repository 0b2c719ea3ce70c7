"""Local fits: value and slope of a path at each sample, from polynomials over windows around it.

In the basis q_0, q_1, … of polynomials that are orthonormal on a window's samples (times t, values
y = x(t) + noise σ),

    x̂(t₀) = Σ_{j≤p} q_j(t₀) ⟨q_j, y⟩,     x̂′(t₀) = Σ_{j≤p} q_j′(t₀) ⟨q_j, y⟩,

so that one decomposition of a window gives the fits of every degree p. Both estimates come from one
fit, and their errors correlate: cov = σ² Σ_{j≤p} (q_j q_j, q_j q_j′; q_j′ q_j, q_j′ q_j′). What a
fit of degree p misses is estimated by what two degrees more would add, beyond what noise adds.

Source: Savitzky and Golay (Anal. Chem. 36, 1964); Mallows (Technometrics 15, 1973) for the bias.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import legendre
from scipy.ndimage import uniform_filter1d

# Odd degrees: their values and their slopes miss terms of the same order at a window's middle.
DEGREES = (3, 5, 7, 9, 11)
# Degrees more that tell what is missed.
_MORE = 2
# Samples of the narrowest window: it holds a fit of the lowest degree and of two degrees more.
FEWEST = DEGREES[0] + _MORE + 2
# Windows have 2 h + 1 samples; each half width is so much larger than the one before.
_WIDEST, _FACTOR = 30, 1.3
# Rows on either side, at least, over which what is missed is averaged.
_NEIGHBOURS = 7
# Rows that are fitted at a time.
_PART = 4096


@dataclass(frozen=True)
class LocalFit:
    """Fits of one degree in windows of one width, at the rows of all runs that hold a window.

    Attributes
    ----------
    half : int
        Windows have 2 half + 1 samples.
    rows : (k,) array of int
    states : (k, 2, d) array
        Values, and slopes.
    variance : (k, 2, 2) array
        Covariance of a column's value and slope, for noise of variance 1.
    missed : (k, 2, d) array
        Squared bias of both, over the noise's variance; where there is noise, its average over the
        columns.
    doubt : (k, 2) array
        Standard error of `missed` where nothing is missed.
    centred : (k,) array of bool
        Whether the row is in the middle of its window: near the ends of a run it is not.
    """

    half: int
    rows: np.ndarray
    states: np.ndarray
    variance: np.ndarray
    missed: np.ndarray
    doubt: np.ndarray
    centred: np.ndarray


def local_fits(
    values: np.ndarray, times: np.ndarray, offsets: np.ndarray, exact: bool = False
) -> Iterator[LocalFit]:
    """Yield the fits of all degrees and widths.

    Parameters
    ----------
    values : (n, d) array
        The runs, one after the other, each column in units of its noise.
    times : (n,) array
        Increasing within each run.
    offsets : (runs + 1,) array of int
        Run r is ``values[offsets[r]:offsets[r + 1]]``.
    exact : bool
        Whether there is no noise: then each sample tells what is missed there, and no average over
        its neighbours is needed.
    """
    for half in _half_widths(int(np.diff(offsets).max())):
        width = 2 * half + 1
        top = min(DEGREES[-1] + _MORE, width - 1)
        windows = _Windows.of(times, offsets, half)
        terms, slopes = windows.terms(values, times, top)
        states = np.cumsum(terms, axis=2)
        variance = np.cumsum(slopes[:, :, None] * slopes[:, None], axis=3)
        for degree in DEGREES:
            more = slice(degree + 1, degree + _MORE + 1)
            if more.stop > top + 1:
                break
            added = terms[:, :, more].sum(axis=2)
            by_noise = (slopes[:, :, more] ** 2).sum(axis=2)
            excess = added**2 - by_noise[..., None]
            if not exact:
                excess = excess.mean(axis=2, keepdims=True)
            reach = 1 if exact else max(_NEIGHBOURS, half)
            missed = _around(excess, windows.rows, offsets, reach)
            # So many independent values in the average: windows that overlap share their noise.
            count = values.shape[1] * max(1.0, (2 * reach + 1) * (degree + 1) / width / 2)
            yield LocalFit(
                half,
                windows.rows,
                states[:, :, degree],
                variance[..., degree],
                np.broadcast_to(np.maximum(missed, 0.0), added.shape),
                by_noise * np.sqrt(2 / count),
                windows.own == half,
            )


def _half_widths(longest: int) -> list[int]:
    half, out = FEWEST // 2, []
    while half <= _WIDEST and 2 * half + 1 <= longest:
        out.append(half)
        half = max(half + 1, round(_FACTOR * half))
    return out


@dataclass(frozen=True)
class _Windows:
    """Windows of one width (k, width), the row that each is of (k,), and its place there (k,)."""

    rows: np.ndarray
    window: np.ndarray
    own: np.ndarray

    @classmethod
    def of(cls, times: np.ndarray, offsets: np.ndarray, half: int) -> _Windows:
        width, lengths = 2 * half + 1, np.diff(offsets)
        rows = np.flatnonzero(np.repeat(lengths, lengths) >= width)
        run = np.searchsorted(offsets, rows, side="right") - 1
        start = np.clip(rows - half, offsets[run], offsets[run + 1] - width)
        return cls(rows, start[:, None] + np.arange(width), rows - start)

    def terms(
        self, values: np.ndarray, times: np.ndarray, top: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return q_j(t₀) ⟨q_j, y⟩ and the same of q_j′, and q_j(t₀) and q_j′(t₀), for j ≤ top.

        Returns
        -------
        terms : (k, 2, top + 1, d) array
        slopes : (k, 2, top + 1) array
        """
        basis, at, inverse = self._bases(times, top)
        slopes = at[inverse]
        terms = np.empty((*slopes.shape, values.shape[1]))
        for begin in range(0, len(inverse), _PART):
            part = slice(begin, begin + _PART)
            inside = np.einsum("kwj,kwd->kjd", basis[inverse[part]], values[self.window[part]])
            terms[part] = slopes[part][..., None] * inside[:, None]
        return terms, slopes

    def _bases(self, times: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return q_j on the samples of each distinct window, q_j and q_j′ at its row, and which.

        Regular sampling has few distinct windows.
        """
        t = times[self.window]
        length = t[:, -1] - t[:, 0]
        local = 2 * (t - t[:, :1]) / length[:, None] - 1
        mix = np.random.default_rng(0).normal(size=(local.shape[1], 2))
        marks = np.column_stack([np.round(local @ mix, 9), np.round(length / length[0], 9)])
        marks = np.column_stack([marks, self.own])
        _, chosen, inverse = np.unique(marks, axis=0, return_index=True, return_inverse=True)
        local, own = local[chosen], self.own[chosen]
        basis, triangle = np.linalg.qr(legendre.legvander(local, top))
        plain = legendre.legvander(local[np.arange(len(own)), own], top)
        slope = np.zeros((top + 1, top + 1))
        slope[:-1] = legendre.legder(np.eye(top + 1))
        steep = (plain @ slope) * (2 / length[chosen])[:, None]
        at = np.stack([plain, steep], axis=1)
        return basis, at @ np.linalg.inv(triangle), inverse.ravel()


def _around(values: np.ndarray, rows: np.ndarray, offsets: np.ndarray, reach: int) -> np.ndarray:
    """Return running means over the same run of values (k, ...) that belong to the given rows."""
    spread, known = np.zeros((offsets[-1], *values.shape[1:])), np.zeros(offsets[-1])
    spread[rows], known[rows] = values, 1.0
    for a, b in itertools.pairwise(offsets):
        for part in (spread[a:b], known[a:b]):
            part[:] = uniform_filter1d(part, size=2 * reach + 1, axis=0, mode="nearest")
    count = np.maximum(known[rows], 1e-12)
    return spread[rows] / count.reshape(-1, *[1] * (values.ndim - 1))
