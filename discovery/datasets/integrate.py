"""Integration of many runs of one system at tight tolerance; and iteration of a map."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.integrate import solve_ivp

# Runs that share their steps. More at a time is faster; fewer keeps one hard run from being
# averaged away in the error norm, which is a mean over everything integrated together.
_FEWEST, _MOST = 25, 250


def integrate(
    rhs: Callable[[np.ndarray], np.ndarray], initial: np.ndarray, times: np.ndarray
) -> np.ndarray:
    """Integrate by DOP853 (Hairer, Nørsett and Wanner 1993), rtol 1e-13 and atol 1e-13.

    Parameters
    ----------
    rhs : callable, (n, d) -> (n, d)
    initial : (n, d)
    times : (steps,) increasing; the states at times[0] are ``initial``

    Returns
    -------
    (n, steps, d)

    Raises
    ------
    RuntimeError
        When the integrator stops early, for example at a singularity.
    """
    initial = np.asarray(initial, dtype=np.float64)
    size = int(np.clip(len(initial) // 8, _FEWEST, _MOST))
    batches = np.array_split(initial, -(-len(initial) // size))
    return np.concatenate([_integrate_together(rhs, batch, times) for batch in batches])


def _integrate_together(
    rhs: Callable[[np.ndarray], np.ndarray], initial: np.ndarray, times: np.ndarray
) -> np.ndarray:
    solution = solve_ivp(
        lambda _, flat: rhs(flat.reshape(initial.shape)).ravel(),
        (times[0], times[-1]),
        initial.ravel(),
        method="DOP853",
        t_eval=times,
        # Values between steps come from a polynomial one order lower than the steps are: steps no
        # longer than a sample keep it as accurate.
        max_step=np.diff(times).max(),
        rtol=1e-13,
        atol=1e-13,
    )
    if not solution.success:
        raise RuntimeError(f"integration stopped at t = {solution.t[-1]:g}: {solution.message}")
    return np.moveaxis(solution.y.reshape(*initial.shape, len(times)), -1, 1)


def iterate(
    step: Callable[[np.ndarray], np.ndarray], initial: np.ndarray, times: np.ndarray
) -> np.ndarray:
    """Apply a map again and again.

    Parameters
    ----------
    step : callable, (n, d) -> (n, d)
    initial : (n, d)
    times : (steps,)
        As many iterates as there are times, the initial states first.

    Returns
    -------
    (n, steps, d)
    """
    states = [np.asarray(initial, dtype=np.float64)]
    for _ in times[1:]:
        states.append(step(states[-1]))
    return np.stack(states, axis=1)
