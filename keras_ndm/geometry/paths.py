"""Paths between two points, and the Newton steps that make them geodesics.

A path of S segments from a to b has the energy E = S/2 Σ_s Δ_sᵀ G(m_s) Δ_s, with Δ_s the segment
and m_s its midpoint. Geodesics are its stationary paths; Newton's method finds them. With
B_ik = (∂_k G Δ)_i and Q_kl = ∂_k ∂_l G[Δ, Δ], the second derivatives of ½ ΔᵀG(m)Δ by the segment's
ends are

    H_aa = G − ½(B + Bᵀ) + ⅛Q,   H_ab = −G − ½B + ½Bᵀ + ⅛Q,   H_bb = G + ½(B + Bᵀ) + ⅛Q.

Where H is not positive it is blended with the Laplacian M of the metric alone, which is what is
left of H where the metric is constant. A path that has converged is a minimum where H over all its
points is positive, and resolved where half segments give the same length.
"""

from collections.abc import Callable

import numpy as np
from keras import ops
from scipy.linalg import LinAlgError, cholesky_banded, eig_banded, solve_banded

from keras_ndm.backend import Tensor
from keras_ndm.geometry.callables import jet_of

# Segments that are evaluated at once: one size, so that one program is compiled.
ROWS = 512
# Damping: where it starts, and below which it is left out.
_START, _NONE = 0.3, 1e-4
# Energies are compared in single precision.
_ROUNDING = 4 * float(np.finfo("float32").eps)
# A path is resolved when its length, and that by half segments, differ by less than the first over
# the whole, and no segment by more than the factor from the mean: on geodesics all are equal. Nor
# may a segment differ from the next by this share of the mean: the finer, the less they turn.
_ACCURACY, _UNEVEN, _TURN = 0.01, 2.0, 1.0
# Rounds of equal spacing, each of which sees what the one before was too coarse for.
_SPACINGS = 12
# How often a path is moved off saddles, and by what shares of its length.
_SADDLES, _ASIDE = 3, 0.2 / 2 ** np.arange(8)


class Paths:
    """Paths between some pairs, (P, S + 1, n), and the terms of their segments.

    Parameters
    ----------
    terms : callable
        Compiled `segment_terms`, or others of the same form.
    a, b : array (P, n)
    points : int
        Segments S.
    extra : tuple of array (P,)
        Further arguments of `terms`, the same along a path.
    stationary : bool
        Whether any stationary path is sought, by Newton's method with shorter steps where the
        gradient does not fall, and not the least energy.
    """

    def __init__(
        self,
        terms: Callable,
        a: np.ndarray,
        b: np.ndarray,
        points: int,
        extra: tuple = (),
        stationary: bool = False,
    ):
        share = np.linspace(0.0, 1.0, points + 1)[:, None]
        self.x = a[:, None] * (1 - share) + b[:, None] * share
        self.terms, self.extra, self.stationary = terms, extra, stationary
        self.now = self.evaluate(self.x)
        self.damping = np.full(len(a), 0.0 if stationary else _START)
        # A point is connected with itself.
        self.converged = (a == b).all(axis=1) & (not stationary)

    def evaluate(self, x: np.ndarray, which: np.ndarray | slice = slice(None)) -> list[np.ndarray]:
        """Terms of each segment, shape (P, S, …), of paths x (P, …, n) for the pairs `which`."""
        middle, delta = (x[:, 1:] + x[:, :-1]) / 2, np.diff(x, axis=1)
        p, s, n = delta.shape
        rows = [v.reshape(p * s, n) for v in (middle, delta)]
        rows += [np.repeat(v[which], s) for v in self.extra]
        filled = -(p * s) % ROWS
        rows = [np.concatenate([v, np.repeat(v[-1:], filled, axis=0)]) for v in rows]
        chunks = [
            self.terms(*(v[start : start + ROWS] for v in rows))
            for start in range(0, p * s + filled, ROWS)
        ]
        parts = (np.concatenate(part)[: p * s] for part in zip(*chunks, strict=True))
        return [part.reshape(p, s, *part.shape[1:]) for part in parts]

    def solve(self, tolerance: float, max_iterations: int) -> None:
        """Move all paths until they are geodesics."""
        for _ in range(max_iterations):
            moving = np.flatnonzero(~self.converged)
            if not len(moving):
                return
            now = [part[moving] for part in self.now]
            damping = self.damping[moving]
            gradient = _gradient(now)
            step = _step(now, gradient, 0 * damping if self.stationary else damping)
            if self.stationary:
                step /= 1 + damping[:, None, None]
            gain = np.abs((gradient * step).sum(axis=(1, 2)) / 2)
            trial = self.x[moving]
            trial[:, 1:-1] -= step
            there = self.evaluate(trial, moving)
            won, sizes = self._won(now, there)
            better = won >= -_ROUNDING * sizes
            chosen = moving[better]
            self.x[chosen] = trial[better]
            for old, new in zip(self.now, there, strict=True):
                old[chosen] = new[better]
            # What an undamped step would gain, over the energy.
            kinetic = (there[1] * np.diff(trial, axis=1)).sum(axis=(1, 2)) / 2
            left = gain * (1 + damping)
            self.converged[moving[better & (left <= tolerance**2 * kinetic)]] = True
            self.damping[moving] = (
                np.where(better, damping / 4 * (damping > 0.1), 2 * damping + 1)
                if self.stationary
                else _damped(damping, better, won / np.maximum(gain, 1e-300))
            )

    def _won(self, now, there):
        """By how much the paths are better than they were, and the size of what is compared."""
        if self.stationary:
            before, after = (np.abs(_gradient(terms)).sum(axis=(1, 2)) for terms in (now, there))
            scale = np.abs(now[1]).sum(axis=(1, 2))
        else:
            before, after = (terms[0].sum(axis=1) / 2 for terms in (now, there))
            after = np.where((there[0] >= 0).all(axis=1), after, np.inf)
            scale = before
        return before - after, scale

    def minimise(self, tolerance: float, max_iterations: int) -> None:
        """Move all paths until they are geodesics of least energy: off saddles, and on.

        A path that finds no minimum from a saddle goes back there, and has not converged. In more
        dimensions than second derivatives are taken in, saddles are not seen.
        """
        self.solve(tolerance, max_iterations)
        left = {}
        for _ in range(_SADDLES):
            saddles = self._saddles()
            if not saddles:
                break
            for row, direction in saddles:
                left[row] = self.x[row].copy(), [part[row].copy() for part in self.now]
                self._step_off(row, direction)
            self.solve(tolerance, max_iterations)
        else:
            self.converged[[row for row, _ in self._saddles()]] = False
        for row in [row for row in left if not self.converged[row]]:
            self._place(row, *left[row])

    def _saddles(self):
        """Converged rows whose second variation is negative somewhere, with where it is most so.

        H + τM is asked for, with τ what the discretisation may do to the longest mode, so that a
        path that just reaches its conjugate point is none.
        """
        p, segments = self.now[0].shape
        if len(self.now) < 5 or segments < 2:
            return []
        slack = np.full(p, max((np.pi / segments) ** 2, 0.01))
        bands = _lower_bands(*_blocks(self.now, slack, np.ones(p)))
        found = []
        for row in np.flatnonzero(self.converged & np.isfinite(bands).all(axis=(1, 2))):
            try:
                cholesky_banded(bands[row], lower=True, check_finite=False)
            except LinAlgError:
                vector = eig_banded(bands[row], lower=True, select="i", select_range=(0, 0))[1]
                found.append((row, vector.reshape(segments - 1, -1)))
        return found

    def _step_off(self, row, direction):
        """Move a path to where the energy is least of some places on both sides of a saddle."""
        which, metric = np.array([row]), self.now[3][row, :-1]
        size = np.sqrt(np.maximum(np.einsum("ki,kij,kj->k", direction, metric, direction), 0)).max()
        step = self.lengths()[row].sum() / max(size, 1e-300) * direction
        best, least = None, self.now[0][row].sum()
        for share in np.concatenate([_ASIDE, -_ASIDE]):
            trial = self.x[which].copy()
            trial[:, 1:-1] += share * step
            there = self.evaluate(trial, which)
            if (there[0] >= 0).all() and there[0].sum() < least:
                best, least = (trial, there), there[0].sum()
        if best is not None:
            self._place(row, best[0][0], [part[0] for part in best[1]])
            self.converged[row], self.damping[row] = False, _START

    def _place(self, row, x, terms):
        self.x[row] = x
        for old, new in zip(self.now, terms, strict=True):
            old[row] = new

    def space_evenly(self) -> None:
        """Move points along the first straight lines until segments have equal metric lengths."""
        a, b = self.x[:, :1], self.x[:, -1:]
        even = np.linspace(0.0, 1.0, self.x.shape[1])
        share = np.tile(even, (len(self.x), 1))
        for _ in range(_SPACINGS):
            reached = np.pad(np.cumsum(self.lengths(), axis=1), ((0, 0), (1, 0)))
            whole = reached[:, -1:]
            reached = np.where(whole > 0, reached / np.where(whole > 0, whole, 1), even)
            share = np.stack([np.interp(even, r, s) for r, s in zip(reached, share, strict=True)])
            self.x = a * (1 - share[..., None]) + b * share[..., None]
            self.now = self.evaluate(self.x)

    def lengths(self) -> np.ndarray:
        """Lengths (P, S) of the segments."""
        return np.sqrt(np.maximum(self.now[0], 0))

    def resolved(self) -> np.ndarray:
        """Whether the segments are fine enough for the metric along them, (P,) of bool."""
        halves = np.insert(self.x, np.arange(1, self.x.shape[1]), 0.0, axis=1)
        halves[:, 1::2] = (self.x[:, 1:] + self.x[:, :-1]) / 2
        fine = np.sqrt(np.maximum(self.evaluate(halves)[0], 0))
        fine = fine[:, ::2] + fine[:, 1::2]
        length, mean = self.lengths().sum(axis=1), fine.mean(axis=1)
        near = np.abs(fine.sum(axis=1) - length) <= _ACCURACY * length
        near &= self._turns().max(axis=1, initial=0.0) <= _TURN * mean
        return near & (fine.max(axis=1) <= _UNEVEN * mean) & (fine.min(axis=1) >= mean / _UNEVEN)

    def _turns(self) -> np.ndarray:
        """Length (P, S − 1) of the difference of neighbouring segments.

        Where there is no geodesic, as beyond a pole of the chart, paths jump there.
        """
        steps, metric = np.diff(self.x, axis=1), self.now[3]
        turn, middle = np.diff(steps, axis=1), (metric[:, 1:] + metric[:, :-1]) / 2
        return np.sqrt(np.maximum(np.einsum("psi,psij,psj->ps", turn, middle, turn), 0))

    def bend_at_start(self) -> np.ndarray:
        """Second derivatives (P, n, n) of half the squared length by the start."""
        segments = self.x.shape[1] - 1
        first = [part[:, :1] for part in self.now]
        here, across, _ = (block[:, 0] for block in _ends(first))
        if segments == 1:
            return here
        diagonal, upper = _blocks(self.now, *np.outer([0.0, 1.0], np.ones(len(self.x))))
        right = np.zeros((*self.x[:, 1:-1].shape, here.shape[1]))
        right[:, 0] = np.swapaxes(across, 1, 2)
        columns = [
            _solve_tridiagonal(diagonal, upper, right[..., j])[:, 0] for j in range(right.shape[-1])
        ]
        return segments * (here - across @ np.stack(columns, axis=-1))

    def momentum(self) -> np.ndarray:
        """Momentum (P, n) at the start, for a path that takes the time 1."""
        _, along, turn = self.now[:3]
        return (self.x.shape[1] - 1) * (along[:, 0] - turn[:, 0] / 4)

    def metric_at_start(self) -> np.ndarray:
        """Metric (P, n, n) at the start."""
        return self.evaluate(np.repeat(self.x[:, :1], 2, axis=1))[3][:, 0]


def _gradient(terms):
    """Derivative of ½ Σ ΔᵀGΔ by the inner points, (P, S − 1, n)."""
    _, along, turn = terms[:3]
    return along[:, :-1] - along[:, 1:] + (turn[:, :-1] + turn[:, 1:]) / 4


def _ends(terms):
    """H_aa, H_ab and H_bb of each segment."""
    metric, turns, second = terms[3:]
    flipped = np.swapaxes(turns, 2, 3)
    both, eighth = (turns + flipped) / 2, second / 8
    return metric - both + eighth, (flipped - turns) / 2 + eighth - metric, metric + both + eighth


def _blocks(terms, laplacian, hessian):
    """Blocks of λM + wH for numbers λ and w (P,): on the diagonal, and above it."""
    laplacian, hessian = (share[:, None, None, None] for share in (laplacian, hessian))
    metric = terms[3]
    diagonal, upper = laplacian * (metric[:, :-1] + metric[:, 1:]), -laplacian * metric
    if len(terms) > 4:
        start, across, end = _ends(terms)
        diagonal = diagonal + hessian * (start[:, 1:] + end[:, :-1])
        upper = upper + hessian * across
    return diagonal, upper[:, 1:-1]


def _step(terms, gradient, damping):
    """Solve by (1 − w) H + λ M with w = λ/(1 + λ); without H by (1 + λ) M."""
    laplacian = damping if len(terms) > 4 else 1 + damping
    return _solve_tridiagonal(*_blocks(terms, laplacian, 1 / (1 + damping)), gradient)


def _damped(damping, better, ratio):
    """Damping of the next step (Nielsen 1999), from what was won over what was foreseen."""
    falls = np.maximum(0.1, 1 - (2 * np.clip(ratio, 0, 1) - 1) ** 3)
    lower = damping * falls
    return np.where(
        better, np.where(lower < _NONE, 0.0, lower), np.maximum(4 * damping, 30 * _NONE)
    )


def _solve_tridiagonal(diagonal, upper, right):
    """Solve symmetric block tridiagonal systems by LAPACK's banded solver.

    Parameters
    ----------
    diagonal : array (P, K, n, n)
    upper : array (P, K − 1, n, n)
        Blocks (k, k + 1); those below are their transposes.
    right : array (P, K, n)

    Returns
    -------
    array (P, K, n)
        NaN for a system that is singular.
    """
    p, k, n = right.shape
    # All systems make one band, with no coupling from one to the next.
    coupling = np.concatenate([upper, np.zeros((p, 1, n, n))], axis=1)
    width, total = 2 * n - 1, p * k * n
    band = np.zeros((2 * width + 1, total + n))
    base = np.arange(p * k) * n
    for i in range(n):
        for j in range(n):
            band[width + i - j, base + j] = diagonal[:, :, i, j].ravel()
            above = coupling[:, :, i, j].ravel()
            band[width + i - j - n, base + j + n] = above
            band[width + n + j - i, base + i] = above
    try:
        solved = solve_banded((width, width), band[:, :total], right.ravel(), check_finite=False)
    except LinAlgError:
        if p == 1:
            return np.full(right.shape, np.nan)
        each = [slice(row, row + 1) for row in range(p)]
        return np.concatenate([_solve_tridiagonal(diagonal[r], upper[r], right[r]) for r in each])
    return solved.reshape(right.shape)


def _lower_bands(diagonal, upper):
    """Bands (P, 2n, K n) of the systems, their lower halves, as LAPACK takes them."""
    p, k, n = diagonal.shape[:3]
    bands, base = np.zeros((p, 2 * n, k * n)), np.arange(k) * n
    for i in range(n):
        for j in range(n):
            if i >= j:
                bands[:, i - j, base + j] = diagonal[:, :, i, j]
            bands[:, n + i - j, base[:-1] + j] = upper[:, :, j, i]
    return bands


def segment_terms(metric: Callable, newton: bool = True) -> Callable:
    """Return (m, Δ) ↦ the terms of segments, as tensors: see `contracted`."""
    return lambda middle, delta: contracted(jet_of(metric, middle, 2 if newton else 1), delta)


def contracted(jet: tuple, delta: Tensor) -> tuple:
    """Terms of segments Δ (batch, n) from the metric's derivatives (g, ∂g) or (g, ∂g, ∂∂g).

    Returns
    -------
    tuple of tensors
        ΔᵀGΔ, GΔ, ∂G[Δ, Δ], G, and with second derivatives B and Q.
    """
    g, dg, *second = jet
    delta = ops.cast(delta, g.dtype)
    along = ops.einsum("bij,bj->bi", g, delta)
    turns = ops.einsum("bkij,bj->bik", dg, delta)
    parts = (ops.sum(along * delta, -1), along, ops.einsum("bi,bik->bk", delta, turns), g)
    if not second:
        return parts
    return *parts, turns, ops.einsum("bklij,bi,bj->bkl", second[0], delta, delta)
