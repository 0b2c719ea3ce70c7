r"""Multiple shooting: the numbers of a motion and its starts in all windows, fitted together.

Gauss and Newton with the derivatives of the variational equations. With r the whitened residuals of
a window, S and P their derivatives by its start and by the numbers, the starts are eliminated:

    Σ_w (PᵀP − PᵀS (SᵀS)⁻¹ SᵀP) Δa = Σ_w Pᵀ(1 − S (SᵀS)⁻¹ Sᵀ) r.

Source: Bock (1981), multiple shooting; Levenberg and Marquardt for the damping.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy import stats

from discovery.criteria import MOTION
from discovery.dynamics.equations import Equations
from discovery.dynamics.flow import Steps, plain, varied
from discovery.dynamics.windows import Windows

# Steps of a fit; the change of χ² that ends it; and between what damping may be.
_STEPS, _SAME, _LEAST_DAMPING, _MOST_DAMPING = 30, 1e-7, 1e-12, 1e8
# Chance of a window's χ² below which another start is tried, and samples that it begins with.
_ODD, _SHORTEST = 1e-4, 5
# Directions of the numbers that change nothing, as a share of the scaled normal matrix.
_NOTHING = 1e-11
# Steps of an interval, refined until they change so little, in standard deviations of the noise.
_FINER = [*(Steps(4, n) for n in (1, 2, 4)), *(Steps(8, n) for n in (1, 2, 4, 8, 16))]
_EXACT = 1e-3
# Residuals, in standard deviations, beyond which a window that runs away counts as that far.
_FAR = 1e6


@dataclass(frozen=True)
class Fit:
    """What multiple shooting found.

    Attributes
    ----------
    values : (m,) array
        The numbers.
    starts : (n, d) array
    square : float
        χ², the sum of squared whitened residuals.
    freedom : int
        Its degrees of freedom.
    covariance : (m, m) array
        Of the numbers; zero for those that were not fitted.
    undetermined : (m, u) array
        Directions of the numbers that change nothing.
    start_covariance : (n, d, d) array
        Of the starts, the numbers known.
    start_by_number : (n, d, m) array
        How the fitted starts move with the numbers.
    steps : Steps
        In each interval between samples.
    """

    values: np.ndarray
    starts: np.ndarray
    square: float
    freedom: int
    covariance: np.ndarray
    undetermined: np.ndarray
    start_covariance: np.ndarray
    start_by_number: np.ndarray
    steps: Steps

    @property
    def per_freedom(self) -> float:
        """χ² over its degrees of freedom."""
        return self.square / max(self.freedom, 1)


def shoot(equations: Equations, windows: Windows, free: bool = True) -> Fit:
    """Fit the starts of all windows, and the numbers where they are free.

    Parameters
    ----------
    equations : Equations
        Their values are where the fit begins.
    windows : Windows
    free : bool
        Whether the numbers are fitted, or the starts alone.
    """
    if equations.onto is not None:
        windows = replace(windows, starts=equations.onto(windows.starts))
    steps = _steps(equations, windows)
    starts = _grown(equations, windows, _settled(equations, windows, steps), steps)
    if free:
        equations, starts = _joint(equations, windows, starts, steps)
        # With better numbers a start that went astray may find back, and held them back so far.
        again = _grown(equations, windows, starts, steps)
        if np.any(again != starts):
            equations, starts = _joint(equations, windows, again, steps)
    values = np.array(equations.values)
    squares, normal = _normal(equations, windows, starts, steps)
    square = float(squares.sum())
    covariance, undetermined = normal.covariance(free)
    rank = len(values) - undetermined.shape[1] if free else 0
    freedom = windows.count - windows.unknown - rank
    of_starts = _inverses(normal.by_start, np.zeros(len(windows)))
    moved = -of_starts @ normal.mixed
    return Fit(values, starts, square, freedom, covariance, undetermined, of_starts, moved, steps)


def _joint(
    equations: Equations, windows: Windows, starts: np.ndarray, steps: Steps
) -> tuple[Equations, np.ndarray]:
    """Return the equations with fitted numbers, and the starts (n, d) fitted with them."""
    squares, normal = _normal(equations, windows, starts, steps)
    square, damping = float(squares.sum()), 1e-4
    for _ in range(_STEPS):
        step, moves = normal.step(damping)
        trial = equations.with_values(equations.values + step)
        new, at = _normal(trial, windows, starts + moves, steps)
        if new.sum() <= square:
            done = square - new.sum() <= _SAME * max(square, 1.0)
            equations, starts, square, normal = trial, starts + moves, float(new.sum()), at
            damping = max(damping / 10, _LEAST_DAMPING)
            if done:
                break
        else:
            damping *= 10
            if damping > _MOST_DAMPING:
                break
    return equations, starts


def _grown(equations: Equations, windows: Windows, starts: np.ndarray, steps: Steps) -> np.ndarray:
    """Return starts (n, d), those of windows that noise does not explain fitted once more.

    A start that noise has put on another orbit, as near a centre of attraction, is in a valley of
    its own along all of a window. Along the first samples there is one valley; from there it is
    followed to twice as many, and so on.
    """
    squares = _normal(equations, windows, starts, steps)[0]
    freedom = np.any(windows.whiten, axis=3).sum(axis=(1, 2))
    odd = np.flatnonzero(stats.chi2.sf(squares, freedom) < _ODD)
    if not len(odd):
        return starts
    some, size = windows[odd], _SHORTEST
    while size < some.times.shape[1]:
        part = replace(
            some,
            times=some.times[:, :size],
            states=some.states[:, :size],
            whiten=some.whiten[:, :size],
        )
        some, size = replace(some, starts=_settled(equations, part, steps)), 2 * size
    again = _settled(equations, some, steps)
    better = _normal(equations, some, again, steps)[0] < squares[odd]
    starts = np.array(starts)
    starts[odd[better]] = again[better]
    return starts


def _settled(equations: Equations, windows: Windows, steps: Steps) -> np.ndarray:
    """Return fitted starts (n, d), the numbers known.

    Each window has its own damping: one that is far off does not hold back the others.
    """
    starts, damping = np.array(windows.starts), np.full(len(windows), 1e-4)
    squares, normal = _normal(equations, windows, starts, steps)
    slopes, sides = normal.by_start, normal.start_side
    at = np.arange(len(windows))  # those that still move
    for _ in range(_STEPS):
        inverse = _inverses(slopes[at], damping[at])
        trial = starts[at] + np.einsum("wij,wj->wi", inverse, sides[at])
        new, normal = _normal(equations, windows[at], trial, steps)
        better = new <= squares[at]
        done = better & (squares[at] - new <= _SAME * np.maximum(squares[at], 1.0))
        moved = at[better]
        starts[moved], squares[moved] = trial[better], new[better]
        slopes[moved], sides[moved] = normal.by_start[better], normal.start_side[better]
        less = np.maximum(damping[at] / 10, _LEAST_DAMPING)
        damping[at] = np.where(better, less, 10 * damping[at])
        at = at[~done & (damping[at] <= _MOST_DAMPING)]
        if not len(at):
            break
    return starts


class Lengthened(NamedTuple):
    """A fit along windows as long as the motion allows.

    Attributes
    ----------
    fit : Fit
    windows : Windows
        With the fitted starts.
    longer : float or None
        χ² per degree of freedom of windows twice as long, where those were refused.
    """

    fit: Fit
    windows: Windows
    longer: float | None


def followed(equations: Equations, windows: Windows) -> tuple[Fit, Fit]:
    """Fit the starts alone, of the windows and then of those twice as long, and return both fits.

    What a start takes up in a short window shows in a longer one; what does not follow short
    windows is asked no more, and its one fit stands for both.

    Parameters
    ----------
    equations : Equations
    windows : Windows
    """
    fit = shoot(equations, windows, free=False)
    if fit.per_freedom > MOTION.misfit:
        return fit, fit
    return fit, shoot(equations, replace(windows, starts=fit.starts).joined(), free=False)


def lengthened(equations: Equations, windows: Windows) -> Lengthened:
    """Fit the numbers along windows that are made longer while the motion follows them.

    What drifts slowly, as a period that is a little off, shows in long windows, and the fit to
    short ones is near enough to begin there. Each time neighbours are joined, the d unknown values
    of the later start are gone; where that takes more from the fit than noise explains, by the
    F test of nested models, the shorter windows are kept.

    Parameters
    ----------
    equations : Equations
    windows : Windows
        Some of them held out.
    """
    fit = shoot(equations, windows)
    while True:
        windows = replace(windows, starts=fit.starts)
        longer = windows.joined()
        if len(longer) == len(windows) or not longer.held_out.any():
            return Lengthened(fit, windows, None)
        joined = shoot(equations.with_values(fit.values), longer)
        gone = joined.freedom - fit.freedom
        worse = (joined.square - fit.square) / gone / fit.per_freedom
        if stats.f.sf(worse, gone, fit.freedom) < MOTION.longer:
            return Lengthened(fit, windows, joined.per_freedom)
        fit, windows = joined, longer


def started(equations: Equations, windows: Windows) -> Fit:
    """Fit the one start of a run, the numbers known.

    Its windows are joined step by step: along all of it a first guess may be too far off.

    Parameters
    ----------
    equations : Equations
    windows : Windows
        Of one run.
    """
    fit = shoot(equations, windows, free=False)
    while len(windows) > 1:
        windows = replace(windows, starts=fit.starts).joined()
        fit = shoot(equations, windows, free=False)
    return fit


@dataclass(frozen=True)
class _Normal:
    """The normal equations: blocks of each window, and their sums."""

    by_start: np.ndarray  # (n, d, d)
    mixed: np.ndarray  # (n, d, m)
    by_number: np.ndarray  # (m, m)
    start_side: np.ndarray  # (n, d)
    number_side: np.ndarray  # (m,)

    def step(self, damping: float) -> tuple[np.ndarray, np.ndarray]:
        """Return how the numbers (m,) and the starts (n, d) are to move."""
        solved, side = self._eliminated(damping)
        step = np.zeros(len(self.number_side))
        if len(step):
            matrix = self._reduced(solved, damping)
            step = _inverse(matrix)[0] @ (
                self.number_side - np.einsum("wdm,wd->m", self.mixed, side)
            )
        return step, side - solved @ step

    def covariance(self, free: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the covariance (m, m) of the numbers, and directions that change nothing."""
        m = len(self.number_side)
        if not free or not m:
            return np.zeros((m, m)), np.zeros((m, 0))
        return _inverse(self._reduced(self._eliminated(0.0)[0], 0.0))

    def _eliminated(self, damping: float) -> tuple[np.ndarray, np.ndarray]:
        """Return (SᵀS)⁻¹ SᵀP and (SᵀS)⁻¹ Sᵀr of each window."""
        inverse = _inverses(self.by_start, np.full(len(self.by_start), damping))
        return inverse @ self.mixed, np.einsum("wij,wj->wi", inverse, self.start_side)

    def _reduced(self, solved: np.ndarray, damping: float) -> np.ndarray:
        reduced = self.by_number - np.einsum("wdm,wdk->mk", self.mixed, solved)
        return reduced + damping * np.diag(np.diag(self.by_number))


def _normal(
    equations: Equations, windows: Windows, starts: np.ndarray, steps: Steps
) -> tuple[np.ndarray, _Normal]:
    """Return χ² of each window (n,) and the normal equations at starts (n, d)."""
    path = varied(equations, starts, windows.times, steps)
    rest = np.einsum("wkij,wkj->wki", windows.whiten, windows.states - path.states)
    s = windows.whiten @ path.by_start
    p = windows.whiten @ path.by_parameter
    fine = np.isfinite(rest).all((1, 2)) & np.isfinite(s).all((1, 2, 3))
    fine &= np.isfinite(p).all((1, 2, 3)) & (np.abs(rest) < _FAR).all((1, 2))
    squares = np.full(len(fine), rest.shape[1] * rest.shape[2] * _FAR**2)
    squares[fine] = np.sum(rest[fine] ** 2, axis=(1, 2))
    rest, s, p = rest[fine], s[fine], p[fine]
    n, d, m = len(fine), starts.shape[1], len(equations.parameters)
    by_start, mixed, side = np.zeros((n, d, d)), np.zeros((n, d, m)), np.zeros((n, d))
    by_start[fine] = np.einsum("wkia,wkib->wab", s, s, optimize=True)
    mixed[fine] = np.einsum("wkia,wkim->wam", s, p, optimize=True)
    side[fine] = np.einsum("wkia,wki->wa", s, rest)
    flat = p.reshape(rest.size, m)  # m may be zero
    normal = _Normal(by_start, mixed, flat.T @ flat, side, flat.T @ rest.ravel())
    return squares, normal


def _inverses(matrices: np.ndarray, damping: np.ndarray) -> np.ndarray:
    """Return inverses of normal matrices (n, d, d), damped by (n,), in their own units."""
    size = np.einsum("wii->wi", matrices)
    size = np.sqrt(np.where(size > 0, size, 1.0))
    units = size[:, :, None] * size[:, None]
    damped = matrices / units + damping[:, None, None] * np.eye(size.shape[1])
    return np.linalg.pinv(damped, 1e-13, hermitian=True) / units


def _inverse(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the inverse of a normal matrix where it has one, and the directions it lacks."""
    size = np.sqrt(np.maximum(np.diag(matrix), 0.0))
    size = np.where(size > 0, size, 1.0)
    levels, vectors = np.linalg.eigh(matrix / np.outer(size, size))
    known = levels > _NOTHING * max(float(levels.max(initial=0.0)), 1e-300)
    kept = vectors[:, known] / size[:, None]
    return (kept / levels[known]) @ kept.T, vectors[:, ~known] / size[:, None]


def _steps(equations: Equations, windows: Windows) -> Steps:
    """Return the coarsest steps that are fine enough."""
    coarse = plain(equations, windows.starts, windows.times, _FINER[0])
    for steps, finer in itertools.pairwise(_FINER):
        fine = plain(equations, windows.starts, windows.times, finer)
        change = np.einsum("wkij,wkj->wki", windows.whiten, fine - coarse)
        change = np.abs(change).max(axis=(1, 2))
        # Here and there a window begins at a singularity.
        finite = np.where(np.isfinite(change), change, np.finfo(float).max)
        if np.quantile(finite, 0.95) <= _EXACT:
            return steps
        coarse = fine
    return _FINER[-1]
