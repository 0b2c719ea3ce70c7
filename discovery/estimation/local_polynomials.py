"""Local polynomial smoothing: the path without most of its noise, and how well it is known.

Squares of noisy values are biased, and noise hides what is conserved, so runs are smoothed before
they are analysed. Each sample takes the window of least mean squared error: variance of the fit
(what noise is left) plus squared bias (what the polynomial missed). The bias is estimated from the
residuals of neighbouring samples, as in Mallows' C_p. Where no window helps, the sample stays as it
was measured.

Least error of each coordinate leaves a bias b that is small beside its noise. A sum over many
coordinates adds the bias of all, which is of one sign, and their noise, which is not. With S the
smoother, another smoothing S (S y) − S y shows b = S x − x, so that of many columns the path

    ŷ = S y − (S S y − S y) = (2 S − S²) y

is taken, with b − S b ≈ 0 in place of b and hardly more noise.

Source: Mallows (Technometrics 15, 1973); Fan and Gijbels, *Local Polynomial Modelling* (1996);
Stuetzle and Mittal (1979) for the second smoothing, "twicing"; Newey, Hsieh and Robins
(Econometrica 72, 2004) for sums of what it gives.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.ndimage import uniform_filter1d

from discovery.criteria import NOISE
from discovery.data.noise_level import even_windows
from discovery.estimation.path import Path

DEGREE = 4
# Windows have 2 h + 1 samples.
_HALF_WIDTHS = (3, 4, 5, 7, 10, 14, 20)
# Rows on either side over which bias is averaged.
_NEIGHBOURS = 7
# Rows of the smoother's square that are held at a time.
_PART = 2**14
# Windows that are looked at together: so few that they stay in a processor's cache.
_TOGETHER = 2**10


def smooth(rows: np.ndarray, times: np.ndarray, offsets: np.ndarray, noise: np.ndarray) -> Path:
    """Smooth every run, all coordinates with the same windows; many coordinates without bias.

    Parameters
    ----------
    rows : (n, d) array
    times : (n,) array
    offsets : (runs + 1,) array of int
        Run r is ``rows[offsets[r]:offsets[r + 1]]``.
    noise : (d,) or (n, d) array
        Standard deviation of the noise of each coordinate, or of each value.

    Returns
    -------
    Path
        With the estimated squared error of the states as variances: a share of noise², at most one.
    """
    groups = [np.arange(rows.shape[1])]
    best, error, halves = _smoothed(rows, times, offsets, noise, groups)
    if rows.shape[1] >= NOISE.many_columns:
        best, error = _twice(rows, noise, offsets, _smoother(times, offsets, halves[:, 0]))
    return Path(best, error[:, :1] * noise**2)


def smooth_apart(
    rows: np.ndarray,
    times: np.ndarray,
    offsets: np.ndarray,
    noise: np.ndarray,
    groups: Sequence[np.ndarray],
    bias_weight: float | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Smooth every run, each group of columns with windows of its own.

    Parameters
    ----------
    rows, times, offsets, noise
        As for `smooth`.
    groups : sequence of arrays of int
        The columns that share their windows; every column in exactly one group.
    bias_weight : float, optional
        Weight of squared bias against variance in the choice of a window; 1 by default. Where it is
        given, bias is estimated from all runs and all groups together, so that even a small one is
        seen.

    Returns
    -------
    states : (n, d) array
    error : (n, d) array
        Estimated squared error of ``states`` over ``noise``².
    """
    return _smoothed(rows, times, offsets, noise, groups, bias_weight)[:2]


def _smoothed(
    rows: np.ndarray,
    times: np.ndarray,
    offsets: np.ndarray,
    noise: np.ndarray,
    groups: Sequence[np.ndarray],
    bias_weight: float | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what `smooth_apart` does, and the windows' half widths, (n, d): 0 for no window."""
    noise = np.broadcast_to(noise, rows.shape)
    best, error = rows.copy(), np.ones(rows.shape)
    cost, halves = error.copy(), np.zeros(rows.shape, dtype=int)
    lengths = np.diff(offsets)
    for half in _HALF_WIDTHS:
        if 2 * half + 1 > lengths.max():
            break
        local = _LocalFit.of(times, offsets, half)
        index, own = local.index, local.own
        variance, leverage = local.variance, local.leverage
        expected = 1 - 2 * leverage + variance
        fits, bias = [], np.zeros((len(groups), len(index)))
        for g, group in enumerate(groups):
            values = np.ascontiguousarray(rows[:, group])
            fits.append(local.values(values))
            misfit = (((values[index] - fits[g]) / noise[index][:, group]) ** 2).mean(axis=1)
            bias[g] = misfit - expected
        if bias_weight is None:
            missed = np.array([_around(row, index, offsets) for row in bias])
        else:
            sizes = np.array([len(group) for group in groups])
            missed = _shared_bias(bias, sizes, expected, own, index, offsets)
        missed = np.maximum(missed, 0.0)
        for fit, group, miss in zip(fits, groups, missed, strict=True):
            price = variance + (1.0 if bias_weight is None else bias_weight) * miss
            better = price < cost[index, group[0]]
            chosen = np.ix_(index[better], group)
            best[chosen] = fit[better]
            error[chosen] = (variance + miss)[better, None]
            cost[chosen] = price[better, None]
            halves[chosen] = half
    return best, error, halves


def _smoother(times: np.ndarray, offsets: np.ndarray, halves: np.ndarray) -> sparse.csr_matrix:
    """Return S, (n, n): the smoothed rows are S times the rows."""
    left = np.flatnonzero(halves == 0)
    parts = [(left, left, np.ones(len(left)))]
    for half in np.unique(halves[halves > 0]):
        local = _LocalFit.of(times, offsets, half)
        own = np.flatnonzero(halves[local.index] == half)
        window, weights = local.part(own)
        rows = np.repeat(local.index[own], window.shape[1])
        parts.append((rows, window.ravel(), weights.ravel()))
    rows, columns, weights = map(np.concatenate, zip(*parts, strict=True))
    return sparse.csr_matrix((weights, (rows, columns)), shape=(len(halves), len(halves)))


def _twice(
    rows: np.ndarray, noise: np.ndarray, offsets: np.ndarray, smoother: sparse.csr_matrix
) -> tuple[np.ndarray, np.ndarray]:
    """Return (2 S − S²) y, and its squared error over the noise's variance as (n, d).

    Rows that this would not bring nearer to the truth stay as they were measured.
    """
    once = smoother @ rows
    states = 2 * once - smoother @ once
    variance, leverage = np.empty(len(rows)), np.empty(len(rows))
    for begin in range(0, len(rows), _PART):
        some = smoother[begin : begin + _PART]
        weights = (2 * some - some @ smoother).tocsr()
        part = slice(begin, begin + weights.shape[0])
        variance[part] = np.asarray(weights.multiply(weights).sum(axis=1)).ravel()
        leverage[part] = weights.diagonal(begin)
    misfit = (((rows - states) / noise) ** 2).mean(axis=1) - (1 - 2 * leverage + variance)
    error = variance + np.maximum(_around(misfit, np.arange(len(rows)), offsets), 0.0)
    worse = error >= 1
    states[worse], error[worse] = rows[worse], 1.0
    return states, np.broadcast_to(error[:, None], rows.shape)


@dataclass(frozen=True)
class _LocalFit:
    """Local fits of all samples whose runs hold a window of 2 half + 1 samples.

    Attributes
    ----------
    index : (k,) array of int
        The rows.
    start : (k,) array of int
        First row of the window of each: centred, but for those near an end of a run.
    kind : (k,) array of int
        Which of the distinct windows it is.
    weights : (kinds, 2 half + 1) array
        The fit's value at the sample is the sum of weights times the window's values.
    """

    index: np.ndarray
    start: np.ndarray
    kind: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, times: np.ndarray, offsets: np.ndarray, half: int) -> _LocalFit:
        """Fit a polynomial to the times of each window."""
        width = 2 * half + 1
        index = np.flatnonzero(np.repeat(np.diff(offsets), np.diff(offsets)) >= width)
        run = np.searchsorted(offsets, index, side="right") - 1
        start = np.clip(index - half, offsets[run], offsets[run + 1] - width)
        # Where steps are even the sample's place is all that windows differ by.
        kind, places = index - start, np.arange(width)
        local = (places - places[:, None]) / (width - 1)
        others = np.flatnonzero(~even_windows(times, start, width - 1))
        if len(others):
            mix = np.random.default_rng(0).normal(size=(width, 2)) @ [1, 1j]
            marks = np.empty(len(others), dtype=complex)
            for part in _parts(len(others)):
                own = others[part]
                marks[part] = np.round(_local(times, index[own], start[own], width) @ mix, 9)
            _, chosen, marked = np.unique(marks, return_index=True, return_inverse=True)
            kind[others] = width + marked
            own = others[chosen]
            local = np.vstack([local, _local(times, index[own], start[own], width)])
        weights = np.linalg.pinv(local[:, :, None] ** np.arange(DEGREE + 1))[:, 0, :]
        return cls(index, start, kind, weights)

    @property
    def own(self) -> np.ndarray:
        """Place of each sample in its window, (k,)."""
        return self.index - self.start

    @property
    def variance(self) -> np.ndarray:
        """Variance of the fit over that of the noise, (k,)."""
        return (self.weights**2).sum(axis=1)[self.kind]

    @property
    def leverage(self) -> np.ndarray:
        """Weight of each sample in its own fit, (k,)."""
        return self.weights[self.kind, self.own]

    def part(self, which: np.ndarray | slice) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of some windows and their weights, (some, 2 half + 1)."""
        width = self.weights.shape[1]
        return self.start[which, None] + np.arange(width), self.weights[self.kind[which]]

    def values(self, rows: np.ndarray) -> np.ndarray:
        """Return the fits at the samples, (k, d), of rows (n, d)."""
        out = np.empty((len(self.index), rows.shape[1]))
        # Of regular sampling all windows but those at ends are of one kind.
        usual = self.kind == np.argmax(np.bincount(self.kind))
        weights = self.weights[self.kind[usual][0]]
        for j, column in enumerate(rows.T):
            out[usual, j] = np.correlate(column, weights, "valid")[self.start[usual]]
        others = np.flatnonzero(~usual)
        for some in _parts(len(others)):
            window, weights = self.part(others[some])
            out[others[some]] = np.einsum("nw,nwd->nd", weights, rows[window])
        return out


def _parts(n: int) -> Iterator[slice]:
    """Yield stretches of n windows that are few enough for a processor's cache."""
    return (slice(begin, begin + _TOGETHER) for begin in range(0, n, _TOGETHER))


def _local(times: np.ndarray, index: np.ndarray, start: np.ndarray, width: int) -> np.ndarray:
    """Return the times in the windows of samples, from the sample on, over the window's length."""
    local = times[start[:, None] + np.arange(width)] - times[index][:, None]
    return local / (local[:, -1:] - local[:, :1])


def _shared_bias(
    bias: np.ndarray,
    sizes: np.ndarray,
    expected: np.ndarray,
    own: np.ndarray,
    index: np.ndarray,
    offsets: np.ndarray,
) -> np.ndarray:
    """Return the squared bias of each group at each row, (groups, k), estimated from all of them.

    A group's average over all rows at the same place in their window; and, where the bias of all
    groups together is larger for a while than on average, that surplus: an event moves all groups
    at once.

    Parameters
    ----------
    bias : (groups, k) array
        What residuals of single rows say: right on average, very uncertain each.
    sizes : (groups,) array of int
        Columns of each group.
    expected : (k,) array
        Mean squared residual where there is no bias, in units of the noise's variance.
    own, index, offsets
        As in `_LocalFit`, and of `smooth`.
    """
    at_place = np.maximum(np.bincount(own), 1)
    mean = np.array([(np.bincount(own, row) / at_place)[own] for row in bias])
    together = sizes @ bias / sizes.sum()
    # With many columns a few neighbours show an event, also a short one.
    reach = int(np.clip(NOISE.event_values // sizes.sum(), 1, _NEIGHBOURS))
    surplus = _around(together, index, offsets, reach) - max(float(together.mean()), 0.0)
    # Neighbours share much of their windows, so their residuals are correlated: twice the variance.
    error = expected * np.sqrt(4 / (sizes.sum() * (2 * reach + 1)))
    return mean + np.maximum(surplus - NOISE.event_bias * error, 0.0)


def _around(
    values: np.ndarray, index: np.ndarray, offsets: np.ndarray, reach: int = _NEIGHBOURS
) -> np.ndarray:
    """Return running means of values (k,) that belong to the rows of `index`.

    Over the rows of the same run up to `reach` before and after; rows without a value count as 0.
    """
    rows = np.zeros(offsets[-1])
    rows[index] = values
    for a, b in itertools.pairwise(offsets):
        rows[a:b] = uniform_filter1d(rows[a:b], size=2 * reach + 1, mode="nearest")
    return rows[index]
