r"""A fitted model that is kept to the laws: its steps, projected on the level set of their start.

    x ← F(x),   then   x += N ∇Cᵀ (∇C N ∇Cᵀ)⁻¹ (c − C(x)),   c = C at the start, N = g⁻¹,

F being the model's step and g its metric: where the model knows little, it gives way. With
K = N ∇Cᵀ (∇C N ∇Cᵀ)⁻¹ a small change of the start changes the next state by
(1 − K ∇C) ∂F/∂x + K ∇C(start).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from discovery.data.trajectories import Trajectories
from discovery.dynamics.asked import marks_to, starts_of, times_of, window_of
from discovery.dynamics.motion import Drawn, Forecast, chance_of
from discovery.dynamics.windows import Measured, Windows
from discovery.estimation.manifold import Manifold
from discovery.estimation.model_rows import is_regular, model_inputs

# Newton's steps to the level set, and the miss, in spreads of the laws, that ends them.
_STEPS, _MISS = 30, 1e-12
# Laws that say what others say: the sine of their slopes below which one does.
_DEPENDENT = 1e-8
# Steps of a fit of starts, and how far times may be from whole steps of the model.
_FITS, _OFF_STEP = 12, 1e-3


class Constants(Protocol):
    """Laws C of states, k of them."""

    def jets(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return C (n, k) and ``[n, i, j] = ∂C_i/∂x_j`` at states (n, d)."""


@dataclass(frozen=True)
class Guide:
    """One step of a model, put back on the level set.

    Attributes
    ----------
    manifold : Manifold
    laws : Constants
    sizes : (k,) array
        Spreads of the laws.
    runs : Trajectories
        Their roles tell the angles.
    interval : float
        The time of a step.
    """

    manifold: Manifold
    laws: Constants
    sizes: np.ndarray
    runs: Trajectories
    interval: float

    def step(self, x: np.ndarray, dt: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the next states (n, d) and their derivatives by x, (n, d, d).

        Parameters
        ----------
        x : (n, d) array
        dt : (n,) array
            Ignored by a model that knows one step alone.
        """
        inputs = model_inputs(self.runs, x)
        shares = (dt / self.interval)[:, None] if self.manifold.timed else None
        ahead, jacobian = self.manifold.step(inputs, shares)
        ahead = ahead + (x - inputs)
        noise = self.manifold.noise_covariance(model_inputs(self.runs, ahead))
        with np.errstate(all="ignore"):
            targets, slopes = self.laws.jets(x)
        ahead, here, gain = self._kept(ahead, targets, np.linalg.cholesky(noise))
        across = gain @ (here @ jacobian - slopes)
        return ahead, jacobian - across

    def _kept(
        self, x: np.ndarray, targets: np.ndarray, root: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return states on the level set, ∇C there, and K; a law without a value moves nothing."""
        share = np.ones(len(x))
        miss, slopes = self._miss(x, targets)
        for _ in range(_STEPS):
            if np.all(np.abs(miss) <= _MISS * self.sizes):
                break
            step = np.einsum("nik,nk->ni", _gain(slopes, root), miss)
            trial = x + share[:, None] * step
            new, steep = self._miss(trial, targets)
            lengths = [np.linalg.norm(each / self.sizes, axis=1) for each in (new, miss)]
            nearer = lengths[0] < lengths[1]
            share = np.where(nearer, 1.0, share / 4)
            x = np.where(nearer[:, None], trial, x)
            miss = np.where(nearer[:, None], new, miss)
            slopes = np.where(nearer[:, None, None], steep, slopes)
        return x, slopes, _gain(slopes, root)

    def _miss(self, x: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with np.errstate(all="ignore"):
            values, slopes = self.laws.jets(x)
        sound = np.isfinite(values).all(axis=1) & np.isfinite(slopes).all(axis=(1, 2))
        miss = np.where(sound[:, None], targets - values, 1e3 * self.sizes)
        return np.where(np.isfinite(miss), miss, 0.0), np.where(sound[:, None, None], slopes, 0.0)

    def along(self, starts: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return states (n, k, d) at times (n, k) and their derivatives by the starts (n, d)."""
        d = starts.shape[1]
        path = np.empty((*times.shape, d))
        turned = np.empty((*times.shape, d, d))
        path[:, 0], turned[:, 0] = starts, np.eye(d)
        for j, dt in enumerate(np.diff(times, axis=1).T):
            path[:, j + 1], slope = self.step(path[:, j], dt)
            turned[:, j + 1] = slope @ turned[:, j]
        return path, turned


def _gain(slopes: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Return K (n, d, k) for ∇C (n, k, d) and N = root rootᵀ."""
    across = slopes @ root
    size = np.linalg.norm(across, axis=2, keepdims=True)
    size = np.where(size > 0, size, 1.0)
    inverse = np.linalg.pinv(across / size, rcond=_DEPENDENT) / size.swapaxes(1, 2)
    return root @ inverse


@dataclass(frozen=True)
class GuidedMotion(Drawn):
    """A model whose steps keep the laws; made by ``report.motion(model=…)``.

    Attributes
    ----------
    residual : float
        χ² per degree of freedom of the runs' windows of about 40 samples, of which only the starts
        are fitted: about 1 where nothing but noise is left. It is not refused where it is more: a
        model of its own cannot be exact.
    laws : tuple of str
        What is kept.
    names : tuple of str
    noise : dict from name to float
        Standard deviation of the noise that χ² is counted in.
    interval : float
        The time of a step.
    """

    residual: float
    laws: tuple[str, ...]
    names: tuple[str, ...]
    noise: dict[str, float]
    interval: float
    _guide: Guide
    _runs: Trajectories

    def __str__(self) -> str:
        return (
            f"steps of {self.interval:.6g} by a model, which keep {'; '.join(self.laws)}\n"
            f"χ² per degree of freedom: {self.residual:.2f}"
        )

    def __repr__(self) -> str:
        return f"GuidedMotion({', '.join(self.names)}; keeps {', '.join(self.laws)})"

    def rollout(self, x0: ArrayLike, t: ArrayLike) -> np.ndarray:
        """Follow the model from one state or from many, on the level set of each.

        Parameters
        ----------
        x0 : (d,) or (n, d) array
            States at the first time.
        t : (k,) array
            Increasing; in whole steps of a model that does not take the time as an input.

        Returns
        -------
        (k, d) or (n, k, d) array

        Raises
        ------
        ValueError
            For states of another size, and for times out of order or between steps.
        """
        x0, t = starts_of(x0, self.names), times_of(t, "t")
        grid, which = self._grid(t[0], t)
        many = np.atleast_2d(x0)
        path, _ = self._guide.along(many, np.tile(grid, (len(many), 1)))
        path = path[:, which]
        return path[0] if x0.ndim == 1 else path

    def forecast(self, window: ArrayLike, times: ArrayLike, t: ArrayLike) -> Forecast:
        """Say how a noisy piece of a run goes on.

        The state at its first time is fitted to the whole window, and followed.

        Parameters
        ----------
        window : (k, d) array
            Measured states, noisy as those of the report.
        times : (k,) array
        t : (m,) array
            When to forecast; not before the window begins.

        Returns
        -------
        Forecast
            Its covariance is that of the start, times χ² of the window or `residual` where they
            are above 1: the model's own errors enter by these alone.

        Raises
        ------
        ValueError
            As `rollout`; for times out of order, and windows that do not tell a state.
        """
        piece, t = window_of(window, times, t, self._runs)
        self._grid(piece.row_times[0], piece.row_times)
        windows = _windows(piece, self.noise, self._runs, len(piece.rows))
        starts, covariance, square = fitted_starts(self._guide, windows)
        grid, which = self._grid(piece.row_times[0], t)
        path, turned = self._guide.along(starts, grid[None])
        turned = turned[0, which]
        wide = max(1.0, square, self.residual)
        spread = wide * turned @ covariance[0] @ turned.swapaxes(1, 2)
        freedom = max(windows.count - windows.unknown, 1)
        chance = chance_of(square, freedom, self.residual)
        return Forecast(path[0, which], spread, square, t, self.names, chance)

    def _grid(self, first: float, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the times of steps, and which of them are those of t."""
        if np.any(np.diff(t) <= 0):
            raise ValueError("the times t are out of order. Expected increasing ones.")
        steps = (t - first) / self.interval
        if not self._guide.manifold.timed and np.any(np.abs(steps - steps.round()) > _OFF_STEP):
            raise ValueError(
                f"the model steps by {self.interval:.6g} alone. Expected times a whole number "
                "of steps apart, or a model with the time to the next state as its second input."
            )
        return marks_to(first, t, self.interval)


def guided(
    manifold: Manifold,
    laws: Constants,
    formulas: Sequence[str],
    runs: Trajectories,
    noise: dict[str, float],
) -> GuidedMotion:
    """Return a model's motion on level sets, and how well it follows the runs.

    Parameters
    ----------
    manifold : Manifold
        Fitted to states of these runs.
    laws : Constants
    formulas : sequence of str
        Theirs.
    runs : Trajectories
    noise : dict from name to float

    Raises
    ------
    ValueError
        For a model that predicts no next state, and for runs that it cannot follow.
    """
    if manifold.step is None:
        raise ValueError(
            "the model predicts no next state. Expected one with an output of the states' shape."
        )
    if not (manifold.timed or is_regular(runs)):
        raise ValueError(
            "the samples are not equally far apart, and the model steps by one interval alone. "
            "Expected a model with the time to the next state as its second input."
        )
    interval = float(np.median(np.diff(runs.row_times)))
    spread = np.nanstd(laws.jets(runs.rows)[0], axis=0)
    guide = Guide(manifold, laws, np.where(spread > 0, spread, 1.0), runs, interval)
    *_, square = fitted_starts(guide, _windows(runs, noise, runs))
    return GuidedMotion(
        square, tuple(formulas), tuple(runs.names), dict(noise), interval, guide, runs
    )


def _windows(
    runs: Trajectories, noise: dict[str, float], known: Trajectories, *length: int
) -> Windows:
    levels = np.array([noise.get(name, 0.0) for name in known.names])
    windows = Measured.of(runs, levels, known.rows.std(axis=0)).windows(*length)
    if len(windows) < 1:
        raise ValueError("the runs are too short. Expected 3 samples or more in a run.")
    return windows


def fitted_starts(guide: Guide, windows: Windows) -> tuple[np.ndarray, np.ndarray, float]:
    """Fit the first state of each window to all of it, by damped Gauss–Newton steps.

    Parameters
    ----------
    guide : Guide
    windows : Windows

    Returns
    -------
    starts : (n, d) array
    covariance : (n, d, d) array
        Of their errors.
    per_freedom : float
        χ² over its degrees of freedom.
    """
    starts, damping = windows.starts, np.full(len(windows), 1e-4)
    square, normal, side = _normal(guide, windows, starts)
    for _ in range(_FITS):
        size = np.einsum("nii->ni", normal)
        ridge = damping[:, None] * np.where(size > 0, size, 1.0)
        damped = normal + ridge[:, :, None] * np.eye(size.shape[1])
        trial = starts + np.einsum("nij,nj->ni", np.linalg.pinv(damped, hermitian=True), side)
        new, steep, slope = _normal(guide, windows, trial)
        better = new < square
        if not better.any():
            break
        starts = np.where(better[:, None], trial, starts)
        square = np.where(better, new, square)
        normal = np.where(better[:, None, None], steep, normal)
        side = np.where(better[:, None], slope, side)
        damping = np.where(better, damping / 10, damping * 10)
    freedom = max(windows.count - windows.unknown, 1)
    return starts, np.linalg.pinv(normal, hermitian=True), float(square.sum() / freedom)


def _normal(
    guide: Guide, windows: Windows, starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return χ² of each window (n,), its normal matrix (n, d, d) and side (n, d)."""
    path, turned = guide.along(starts, windows.times)
    rest = np.einsum("nkij,nkj->nki", windows.whiten, windows.states - path)
    slopes = windows.whiten @ turned
    normal = np.einsum("nkij,nkil->njl", slopes, slopes, optimize=True)
    return np.sum(rest**2, axis=(1, 2)), normal, np.einsum("nkij,nki->nj", slopes, rest)
