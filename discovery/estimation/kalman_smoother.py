"""Kalman smoother: a path by a fitted flow, which says where the state can have been.

The manifold predicts x_{t+1} = F(x_t) + process noise. Linearized about a first path, all runs
pass a Kalman filter and a Rauch–Tung–Striebel smoother at once; the posterior covariance is the
metric's inverse g⁻¹ that the analysis needs. The process noise stands for the model's own error.
Its variance is chosen by the likelihood of the innovations (measured minus predicted states): with
too small a value the path would be worse than the data.

Source: Rauch, Tung and Striebel (AIAA J. 3, 1965); Bell (SIAM J. Optim. 4, 1994) for iterating the
linearization.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from discovery.estimation.path import Path

# Process noise that is tried, as a share of the measurement noise's variance.
PROCESS = tuple(4.0 ** np.arange(-7, 4))
# Linearizations: about the first path, then about the smoothed one.
_SWEEPS = 2

Step: TypeAlias = Callable[[np.ndarray, np.ndarray | None], tuple[np.ndarray, np.ndarray]]


def smooth_through(
    step: Step,
    measured: Path,
    first: Path,
    intervals: np.ndarray | None,
    offsets: np.ndarray,
    process: Sequence[float] = PROCESS,
) -> Path:
    """Smooth every run through the flow.

    Parameters
    ----------
    step : callable
        ``step(states, intervals) -> (next (n, d), jacobian (n, d, d))``.
    measured : Path
        (n, d) states as they came, with the (n, d, d) covariance of their noise.
    first : Path
        A first guess of the path, to linearize about.
    intervals : (n, 1) array or None
        Time from each row to the next, in the model's unit; None for regular sampling.
    offsets : (runs + 1,) array of int
    process : sequence of float
        Variances of the process noise, as shares of the measurement noise's variance; the one of
        the largest likelihood is taken.

    Returns
    -------
    Path
    """
    path = first
    grid = _Grid(offsets)
    noise = grid.spread(measured.covariance)
    data = grid.spread(measured.states)
    scale = np.mean(np.einsum("nii->ni", measured.covariance), axis=0)
    for _ in range(_SWEEPS):
        ahead, jacobian = step(path.states, intervals)
        shift = ahead - np.einsum("nij,nj->ni", jacobian, path.states)
        flow = _Flow(grid.spread(jacobian), grid.spread(shift), data, noise, grid.present)
        scores = [flow.filter(np.diag(q * scale))[0] for q in process]
        best = process[int(np.argmax(scores))]
        states, covariance = flow.smooth(np.diag(best * scale))
        path = Path(grid.gather(states), grid.gather(covariance))
    return path


class _Grid:
    """Rows of runs of unequal length as (steps, runs, …) arrays, and back.

    A run that is shorter than the longest is continued by its last row; ``present`` (steps, runs)
    tells the rows that are real.
    """

    def __init__(self, offsets: np.ndarray) -> None:
        lengths = np.diff(offsets)
        steps = np.arange(lengths.max())[:, None]
        self.present = steps < lengths
        self._index = np.minimum(offsets[:-1] + steps, offsets[1:] - 1)
        run = np.repeat(np.arange(len(lengths)), lengths)
        self._back = (np.arange(offsets[-1]) - offsets[run], run)

    def spread(self, rows: np.ndarray) -> np.ndarray:
        return rows[self._index]

    def gather(self, grid: np.ndarray) -> np.ndarray:
        return grid[self._back]


class _Flow:
    """A linearized flow x_{t+1} = A_t x_t + b_t with measurements y_t = x_t + noise.

    Parameters
    ----------
    jacobian, shift : (steps, runs, d, d) and (steps, runs, d) arrays
        A and b.
    data, noise : (steps, runs, d) and (steps, runs, d, d) arrays
        y, and the covariance R of its noise.
    present : (steps, runs) array of bool
        Which of them are real.
    """

    def __init__(
        self,
        jacobian: np.ndarray,
        shift: np.ndarray,
        data: np.ndarray,
        noise: np.ndarray,
        present: np.ndarray,
    ) -> None:
        self._a, self._b, self._y, self._r = jacobian, shift, data, noise
        self._present = present

    def filter(self, process: np.ndarray) -> tuple[float, list[tuple[np.ndarray, ...]]]:
        """Return the log likelihood, and predicted and filtered means and covariances."""
        mean, cov = self._y[0], self._r[0]
        score, steps = 0.0, [(mean, cov, mean, cov)]
        for t in range(1, len(self._y)):
            ahead = _apply(self._a[t - 1], mean) + self._b[t - 1]
            spread = self._a[t - 1] @ cov @ _t(self._a[t - 1]) + process
            total = spread + self._r[t]
            innovation = self._y[t] - ahead
            gain = _t(np.linalg.solve(total, spread))
            here = self._present[t]
            _, logdet = np.linalg.slogdet(total)
            squared = np.einsum("ri,ri->r", innovation, _solve(total, innovation))
            score -= 0.5 * float(np.sum((squared + logdet)[here]))
            mean = ahead + _apply(gain, innovation)
            cov = spread - gain @ spread
            cov = (cov + _t(cov)) / 2
            steps.append((ahead, spread, mean, cov))
        return (score if np.isfinite(score) else -np.inf), steps

    def smooth(self, process: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return smoothed means (steps, runs, d) and covariances (steps, runs, d, d)."""
        _, steps = self.filter(process)
        mean, cov = steps[-1][2], steps[-1][3]
        means, covs = [mean], [cov]
        for t in range(len(steps) - 2, -1, -1):
            ahead, spread = steps[t + 1][:2]
            now, own = steps[t][2:]
            gain = _t(np.linalg.solve(spread, self._a[t] @ own))
            # A run that has ended has nothing later to learn from.
            later = self._present[t + 1]
            mean = np.where(later[:, None], now + _apply(gain, mean - ahead), now)
            cov = np.where(later[:, None, None], own + gain @ (cov - spread) @ _t(gain), own)
            means.append(mean)
            covs.append((cov + _t(cov)) / 2)
        return np.array(means[::-1]), np.array(covs[::-1])


def _t(matrix: np.ndarray) -> np.ndarray:
    return np.swapaxes(matrix, -1, -2)


def _apply(matrix: np.ndarray, vector: np.ndarray) -> np.ndarray:
    return np.einsum("rij,rj->ri", matrix, vector)


def _solve(matrix: np.ndarray, vector: np.ndarray) -> np.ndarray:
    return np.linalg.solve(matrix, vector[..., None])[..., 0]
