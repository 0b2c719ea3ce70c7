"""What a user asks of a motion, checked: states, times, and windows with the times ahead."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from discovery.criteria import MOTION
from discovery.data.states import as_numbers, coordinates, has_names
from discovery.data.trajectories import Trajectories

# Steps of a forecast at most: they take some ten seconds.
_FARTHEST = 20_000


def states_of(states: ArrayLike, what: str, names: Sequence[str]) -> np.ndarray:
    """Return states (..., d) as an array.

    Parameters
    ----------
    states : (..., d) array-like, or what has names: `discovery.data.states.coordinates`
    what : str
        What to call them.
    names : sequence of d str

    Raises
    ------
    ValueError
        For another size, and for what is no number or not finite.
    """
    if has_names(states):
        states = coordinates(states, names)
    states = as_numbers(states, what)
    if states.ndim == 0 or states.shape[-1] != len(names):
        raise ValueError(
            f"{what} has shape {states.shape}; expected {len(names)} coordinates "
            f"({', '.join(names)}) on the last axis."
        )
    if not np.isfinite(states).all():
        raise ValueError(f"{what} holds values that are not finite. Leave those samples out.")
    return states


def starts_of(x0: ArrayLike, names: Sequence[str]) -> np.ndarray:
    """Return one state (d,) or many (n, d) as an array.

    Parameters
    ----------
    x0 : (d,) or (n, d) array-like
    names : sequence of d str

    Raises
    ------
    ValueError
        As `states_of`, and for more axes.
    """
    x0 = states_of(x0, "x0", names)
    if x0.ndim > 2:
        raise ValueError(f"x0 has shape {x0.shape}; expected (d,) or (n, d).")
    return x0


def times_of(times: ArrayLike, what: str) -> np.ndarray:
    """Return times (k,) as an array.

    Parameters
    ----------
    times : (k,) array-like
    what : str
        What to call them.

    Raises
    ------
    ValueError
        For another shape, none, and what is not finite.
    """
    times = as_numbers(times, what)
    if times.ndim != 1 or len(times) == 0 or not np.isfinite(times).all():
        raise ValueError(f"{what} has shape {times.shape}; expected finite times (k,).")
    return times


def window_of(
    window: ArrayLike, times: ArrayLike, t: ArrayLike, runs: Trajectories
) -> tuple[Trajectories, np.ndarray]:
    """Return a measured piece of a run, and the times ahead.

    Parameters
    ----------
    window : (k, d) array-like
    times : (k,) array-like
    t : (m,) array-like
        When to forecast.
    runs : Trajectories
        With the coordinates that the window has.

    Raises
    ------
    ValueError
        For states of another size or not finite, times out of order or before the window, and
        windows that do not tell a state.
    """
    names = runs.names
    window, times, t = (
        states_of(window, "window", names),
        times_of(times, "times"),
        times_of(t, "t"),
    )
    if window.shape != (len(times), len(names)):
        raise ValueError(
            f"the window has shape {window.shape}; expected ({len(times)}, {len(names)}): "
            "a state of all coordinates at each of the times."
        )
    if len(times) < 3 or np.any(np.diff(times) <= 0) or np.any(np.diff(t) <= 0):
        raise ValueError("expected a window of 3 samples or more, and times and t that increase.")
    if t[0] < times[0]:
        raise ValueError(f"t begins at {t[0]:g}, before the window, at {times[0]:g}.")
    return Trajectories(states=[window], times=[times], names=names, roles=runs.roles), t


def far_from(rates: np.ndarray, known: np.ndarray, names: Sequence[str]) -> str:
    """Say how states move that are far from all that is known; nothing where one is near.

    Parameters
    ----------
    rates : (n, d) array
        At these states: places that move alike are alike, as turns of an angle.
    known : (m, d) array
        At those of runs.
    names : sequence of d str
    """
    known = known[np.isfinite(known).all(axis=1)]
    low, high = known.min(axis=0, initial=np.inf), known.max(axis=0, initial=-np.inf)
    beyond = np.maximum(low - rates, rates - high)
    far = ~(beyond <= MOTION.far * (high - low))
    if not far.any(axis=1).all():
        return ""
    i = int(np.argmax(far.sum(axis=0)))
    nearest = rates[np.argmin(beyond[:, i]), i]
    return (
        f"the rate of {names[i]} is {nearest:.3g} where it is nearest to the runs', "
        f"{low[i]:.3g} to {high[i]:.3g}"
    )


def marks_to(first: float, t: np.ndarray, longest: float) -> tuple[np.ndarray, np.ndarray]:
    """Return times from the first to all of t, and where t stands among them.

    Parameters
    ----------
    first : float
    t : (m,) array
        Increasing, none before the first.
    longest : float
        The longest step between two of them.

    Raises
    ------
    ValueError
        For times so far ahead that there are too many.
    """
    if t[-1] - first > _FARTHEST * longest:
        raise ValueError(
            f"t reaches {t[-1] - first:.6g} ahead, more than {_FARTHEST} steps of {longest:.6g}. "
            f"Expected {_FARTHEST * longest:.6g} at most."
        )
    marks = [first]
    for at in t:
        n = max(1, int(np.ceil((at - marks[-1]) / longest - 1e-6)))
        marks += list(np.linspace(marks[-1], at, n + 1)[1:])
    grid = np.array(marks)
    return grid, np.searchsorted(grid, t)
