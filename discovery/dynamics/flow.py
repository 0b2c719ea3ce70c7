r"""The flow of equations of motion, of many states at once, with its derivatives.

Beside x' = f(x, a) run the variational equations

    S' = (∂f/∂x) S,   S(0) = 1,        P' = (∂f/∂x) P + ∂f/∂a,   P(0) = 0,

S = ∂x/∂x₀ and P = ∂x/∂a. All states take fixed steps together, of order 4 (Runge and Kutta) or 8
(Dormand and Prince), so that one that runs into a singularity (then it is not finite) costs the
others nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.integrate import DOP853, solve_ivp

from discovery.dynamics.equations import Equations
from discovery.laws.progress import late

_RK4 = np.array([1, 2, 2, 1]) / 6
# Relative error of a step, of a rollout.
_RELATIVE = 1e-10
# Yoshida (Phys. Lett. A 150, 1990), solution A of sixth order.
_OUTER = (0.784513610477560, 0.235573213359357, -1.17767998417887)
_WEIGHTS = (*_OUTER, 1 - 2 * sum(_OUTER), *_OUTER[::-1])
# The same of fourth order, as `keras_ndm.MotionLayer` has them.
_LEAPFROG = 1 / (2 - 2 ** (1 / 3))
_LEAPFROGS = (_LEAPFROG, 1 - 2 * _LEAPFROG, _LEAPFROG)
# Error of a layer's step, in spreads, and substeps at most.
_LAYER_ERROR, _SUBSTEPS = 1e-6, 4096
# Steps that a symplectic rollout may take; its error over the first part, of so many intervals
# between times, or of so many steps where those are fewer.
_MOST_STEPS, _SYMPLECTIC_ERROR, _PROBE, _PROBE_STEPS = 200_000, 1e-7, 64, 1024


class Steps(NamedTuple):
    """How an interval between samples is parted.

    Attributes
    ----------
    order : {4, 8}
    count : int
    """

    order: int
    count: int


# Stages: what of the earlier rates goes into each, and into the step.
_TABLES = {
    4: (np.array([[0, 0, 0, 0], [0.5, 0, 0, 0], [0, 0.5, 0, 0], [0, 0, 1.0, 0]]), _RK4),
    8: (DOP853.A[: DOP853.n_stages, : DOP853.n_stages], DOP853.B),
}


class Path(NamedTuple):
    """States along a flow.

    Attributes
    ----------
    states : (n, k, d) array
    by_start : (n, k, d, d) array
        ∂x/∂x₀.
    by_parameter : (n, k, d, m) array
        ∂x/∂a.
    """

    states: np.ndarray
    by_start: np.ndarray
    by_parameter: np.ndarray


def varied(equations: Equations, starts: np.ndarray, times: np.ndarray, steps: Steps) -> Path:
    """Return the flow with its derivatives.

    Parameters
    ----------
    equations : Equations
    starts : (n, d) array
        At the first time of each.
    times : (n, k) array
        Not decreasing.
    steps : Steps
        In each interval.
    """
    n, d = starts.shape
    m = len(equations.parameters)
    whole = np.zeros((n, times.shape[1], d, 1 + d + m))
    now = np.zeros((n, d, 1 + d + m))
    now[:, :, 0], now[:, :, 1 : 1 + d] = starts, np.eye(d)
    whole[:, 0] = now

    def rate(at: np.ndarray) -> np.ndarray:
        by_state, by_number = equations.slopes(at[:, :, 0])
        out = np.empty_like(at)
        out[:, :, 0] = equations(at[:, :, 0])
        out[:, :, 1:] = by_state @ at[:, :, 1:]
        out[:, :, 1 + d :] += by_number
        return out

    with np.errstate(all="ignore"):
        for j, step in enumerate(np.diff(times, axis=1).T):
            h = step[:, None, None] / steps.count
            for _ in range(steps.count):
                now = now + _moved(rate, now, h, steps.order)
            whole[:, j + 1] = now
    return Path(whole[..., 0], whole[..., 1 : 1 + d], whole[..., 1 + d :])


def plain(equations: Equations, starts: np.ndarray, times: np.ndarray, steps: Steps) -> np.ndarray:
    """Return the states (n, k, d) alone, by the same steps as `varied`.

    Parameters
    ----------
    equations, starts, times, steps
        As for `varied`.
    """
    whole = np.empty((*times.shape, starts.shape[1]))
    whole[:, 0] = now = starts
    with np.errstate(all="ignore"):
        for j, step in enumerate(np.diff(times, axis=1).T):
            h = step[:, None] / steps.count
            for _ in range(steps.count):
                now = now + _moved(equations, now, h, steps.order)
            whole[:, j + 1] = now
    return whole


def rollout(equations: Equations, starts: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return the states (n, k, d) at times (k,), from starts (n, d) at the first of them.

    Where the coordinates part into two groups that move each other, as positions and momenta of a
    sum of kinetic and potential energy do, by a symplectic composition in fixed steps, whose
    energy error does not grow; where that takes too many steps, and elsewhere, by `DOP853`. What
    takes more than a few seconds shows a bar.

    Parameters
    ----------
    equations : Equations
    starts : (n, d) array
    times : (k,) array
        Increasing or decreasing.
    """
    out = np.full((len(starts), len(times), starts.shape[1]), np.nan)
    if not len(starts) or len(times) == 1:
        out[:] = starts[:, None]
        return out
    regular = np.isfinite(equations(starts)).all(axis=1)
    if not regular.all():
        if regular.any():
            out[regular] = rollout(equations, starts[regular], times)
        return out
    if equations.halves is not None:
        found = _symplectic(equations, starts, times)
        if found is not None:
            return found
    span = abs(times[-1] - times[0])
    with late("following a motion", span * len(starts)) as bar:

        def rate(t: float, x: np.ndarray) -> np.ndarray:
            bar.update(max(done + abs(t - times[0]) - bar.n, 0.0))
            return equations(x[None])[0]

        for i, start in enumerate(starts):
            done = i * span
            solved = solve_ivp(
                rate,
                (times[0], times[-1]),
                start,
                method="DOP853",
                t_eval=times,
                rtol=_RELATIVE,
                atol=_RELATIVE * max(float(np.abs(start).max()), 1e-300),
            )
            out[i, : solved.y.shape[1]] = solved.y.T
    return out


def substeps(equations: Equations, starts: np.ndarray, dt: float, size: np.ndarray) -> int:
    """Return into how many steps of fourth order dt is to be parted.

    Parameters
    ----------
    equations : Equations
    starts : (n, d) array
        From where; the few that run into a singularity do not count.
    dt : float
    size : (d,) array
        Units of the error.

    Raises
    ------
    ValueError
        For a dt that takes too many.
    """
    times, count = np.array([0.0, dt]), 1

    def moved(count: int) -> np.ndarray:
        if equations.halves is not None:
            return _composed(equations, starts, times, count, _LEAPFROGS)[:, 1]
        spans = np.tile(times, (len(starts), 1))
        return plain(equations, starts, spans, Steps(4, count))[:, 1]

    coarse = moved(count)
    while count <= _SUBSTEPS:
        fine = moved(2 * count)
        error = np.abs((fine - coarse) / size).max(axis=1)
        if np.quantile(np.where(np.isfinite(error), error, np.inf), 0.95) <= _LAYER_ERROR:
            return count
        count, coarse = 2 * count, fine
    raise ValueError(f"dt = {dt:g} needs more than {_SUBSTEPS} substeps. Expected a shorter one.")


def _symplectic(equations: Equations, starts: np.ndarray, times: np.ndarray) -> np.ndarray | None:
    """Return the states, or None where the steps that they need are too many."""
    near, size = times[: _PROBE + 1], np.abs(starts).max()
    longest = max(np.diff(near), key=abs)
    substeps = 2
    while substeps * (len(times) - 1) <= _MOST_STEPS:
        marks, parts = near, substeps
        if substeps * (len(near) - 1) > _PROBE_STEPS:
            # Times that are far apart say nothing about the steps that the motion needs.
            parts = 2
            marks = times[0] + 2 * longest / substeps * np.arange(_PROBE_STEPS // 2 + 1)
        coarse, fine = (_composed(equations, starts, marks, n) for n in (parts // 2, parts))
        if np.isfinite(fine).all() and np.abs(fine - coarse).max() <= _SYMPLECTIC_ERROR * size:
            return _composed(equations, starts, times, substeps)
        substeps *= 2
    return None


def _composed(
    equations: Equations,
    starts: np.ndarray,
    times: np.ndarray,
    substeps: int,
    weights: tuple[float, ...] = _WEIGHTS,
) -> np.ndarray:
    first, second = equations.halves
    # Neighbouring half steps of the first group are one step.
    drifts = [(a + b) / 2 for a, b in itertools.pairwise((0.0, *weights, 0.0))]
    now = np.array(starts)
    out = np.empty((len(starts), len(times), starts.shape[1]))
    out[:, 0] = now
    total = substeps * (len(times) - 1)
    with np.errstate(all="ignore"), late("following a motion", total) as bar:
        for j, step in enumerate(np.diff(times) / substeps):
            for _ in range(substeps):
                bar.update()
                for drift, kick in zip(drifts, weights, strict=False):
                    now[:, first] += drift * step * equations.of_half(0, now)
                    now[:, second] += kick * step * equations.of_half(1, now)
                now[:, first] += drifts[-1] * step * equations.of_half(0, now)
            out[:, j + 1] = now
    return out


def _moved(
    rate: Callable[[np.ndarray], np.ndarray], now: np.ndarray, h: np.ndarray, order: int
) -> np.ndarray:
    """Return the change in one step."""
    inner, outer = _TABLES[order]
    rates: list[np.ndarray] = []
    for row in inner:
        at = now
        for weight, earlier in zip(row, rates, strict=False):
            if weight:
                at = at + weight * h * earlier
        rates.append(rate(at))
    return h * sum(weight * each for weight, each in zip(outer, rates, strict=True) if weight)
