"""Symplectic integration of a Hamiltonian flow that is given as a black box."""

from collections.abc import Callable, Iterator

import numpy as np

# Two-stage Gauss–Legendre collocation: order 4 (Hairer, Lubich & Wanner, Geometric Numerical
# Integration, 2006, table II.1.1).
_ROOT = np.sqrt(3.0) / 6.0
_A = np.array([[0.25, 0.25 - _ROOT], [0.25 + _ROOT, 0.25]])
_MOST = 60
# Fixed-point iterations stop at single-precision rounding of the flow.
_CONVERGED = 1e-7


def gauss_legendre(
    field: Callable, q: np.ndarray, p: np.ndarray, times: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (q, p) at times[1], times[2] and so on.

    Parameters
    ----------
    field : callable
        ``field(q, p)`` gives q̇ and ṗ, each (rows, d).
    q, p : (runs, d) arrays
    times : (steps,) array

    Raises
    ------
    ValueError
        When a step's equations are not solved by iteration: it is too long.
    """
    runs, state = len(q), np.concatenate([q, p], axis=1)
    d = q.shape[1]

    def slopes(stages: np.ndarray) -> np.ndarray:
        rows = stages.reshape(2 * runs, 2 * d)
        return np.concatenate(field(rows[:, :d], rows[:, d:]), axis=1).reshape(2, runs, 2 * d)

    k = slopes(np.stack([state, state]))
    for h in np.diff(times):
        for _ in range(_MOST):
            new = slopes(state + h * np.einsum("ij,jrk->irk", _A, k))
            change = np.abs(h * (new - k)).max()
            k = new
            if change <= _CONVERGED * max(1.0, np.abs(state).max()):
                break
        else:
            raise ValueError(
                f"A step of {h:.3g} is too long: its implicit equations did not converge. Give "
                "closer times."
            )
        state = state + 0.5 * h * (k[0] + k[1])
        yield state[:, :d], state[:, d:]
