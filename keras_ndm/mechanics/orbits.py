"""Orbits of a learned Lagrangian between two points.

With the energy E given, an orbit is a geodesic of Jacobi's metric 2 (E − V) g. With the time T
given, it makes the action ∫ ½ q̇ᵀ g q̇ − V dt stationary. Over S steps of h = T/S, with Δ the step
and m its middle, the action times h is Σ ½ Δᵀ g(m) Δ − h² V(m): the energy of a path whose terms
hold the potential besides, so that the same Newton steps find it.
"""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from keras import ops

from keras_ndm.geometry.connecting import checked_count, checked_pairs
from keras_ndm.geometry.paths import Paths, contracted
from keras_ndm.rowwise import Rows

_TOLERANCE, _ITERATIONS = 1e-4, 100


class Orbit(NamedTuple):
    """Orbits between pairs of points.

    Attributes
    ----------
    points : array (batch, S + 1, d)
    times : array (batch, S + 1)
        From 0.
    velocity : array (batch, d)
        At the start.
    energy : array (batch,)
        As the model gives it.
    converged : array (batch,) of bool
    """

    points: np.ndarray
    times: np.ndarray
    velocity: np.ndarray
    energy: np.ndarray
    converged: np.ndarray


def connect(
    model,
    q0: np.ndarray,
    q1: np.ndarray,
    *,
    energy: float | np.ndarray | None = None,
    time: float | np.ndarray | None = None,
    points: int = 64,
) -> Orbit:
    """Orbits of a model from q0 to q1.

    Parameters
    ----------
    model : LagrangianManifold
        Built.
    q0, q1, energy, time, points
        As in `LagrangianManifold.connect`.
    """
    if (energy is None) == (time is None):
        raise ValueError("connect() takes either `energy` or `time`; received both or neither.")
    unfit = [part for part in ("one_form", "friction") if part in model.parts]
    if unfit:
        raise ValueError(
            "connect() follows motions in a potential. This model was built with "
            f"{' and '.join(unfit)}: leave out magnetic=True and dissipation=True."
        )
    a, b = checked_pairs(q0, q1)
    if a.shape[1] != model.dimension:
        raise ValueError(f"`q0` has {a.shape[1]} coordinates; the model has {model.dimension}.")
    points = checked_count(points, "points")
    given = _numbers(energy if time is None else time, len(a), "energy" if time is None else "time")
    solve = _with_energy if time is None else _in_time
    paths, times, momentum = solve(model, _scaled(model, a), _scaled(model, b), given, points)
    if not paths.converged.all():
        rows = np.flatnonzero(~paths.converged)
        warnings.warn(
            f"{len(rows)} of {len(a)} orbits have not converged, the first in row {rows[0]}. Give "
            "more `points`, or an energy or a time for which an orbit goes near the straight line.",
            RuntimeWarning,
            stacklevel=3,
        )
    spread = model._numpy("spread")
    mass = model.mass_matrix(a)
    velocity = np.linalg.solve(mass, (momentum / spread)[..., None])[..., 0]
    energies = model.energy(a, velocity)
    return Orbit(_positions(model, paths.x), times, velocity, energies, paths.converged)


def _with_energy(model, a, b, energy, points):
    paths = Paths(_compiled(model, _jacobi_terms), a, b, points, (energy,))
    room = energy[:, None] - _potential(model, paths)
    if not (room > 0).all():
        row, s = np.argwhere(~(room > 0))[0]
        where = (paths.x[row, s] + paths.x[row, s + 1]) / 2
        raise ValueError(
            f"`energy` is {energy[row]:.6g} for pair {row}, and the potential is "
            f"{energy[row] - room[row, s]:.6g} at {_positions(model, where)} on the straight line "
            "between the points: the motion cannot go there. Give more energy, or points on one "
            "side."
        )
    paths.solve(_TOLERANCE, _ITERATIONS)
    lengths = np.sqrt(np.maximum(paths.now[0], 0))
    # Jacobi's speed is 2 (E − V) times the speed in time.
    steps = lengths / (2 * (energy[:, None] - _potential(model, paths)))
    times = np.concatenate([np.zeros((len(a), 1)), np.cumsum(steps, axis=1)], axis=1)
    momentum = paths.momentum() / lengths.sum(axis=1, keepdims=True)
    return paths, times, momentum


def _in_time(model, a, b, time, points):
    if not (time > 0).all():
        raise ValueError(f"`time` must be positive; received {time.min():.6g}.")
    terms = _compiled(model, _action_terms)
    paths = Paths(terms, a, b, points, (time / points,), stationary=True)
    paths.solve(_TOLERANCE, _ITERATIONS)
    times = time[:, None] * np.linspace(0, 1, points + 1)
    return paths, times, paths.momentum() / time[:, None]


def _compiled(model, build: Callable):
    if build.__name__ not in model._compiled:
        model._compiled[build.__name__] = Rows(build(model), model.variables, often=True)
    return model._compiled[build.__name__]


# Paths are sought in the scaled coordinates t of the networks.


def _jacobi_terms(model):
    def terms(middle, delta, energy):
        metric, potential = _jets(model, middle)
        room = potential.shift(-ops.cast(energy, potential.value.dtype)).linear(lambda a: -2 * a)
        jacobi = room.times(metric, lambda a, g: a[..., None, None] * g)
        return contracted((jacobi.value, jacobi.first, jacobi.second_matrix()), delta)

    return terms


def _action_terms(model):
    def terms(middle, delta, step):
        metric, potential = _jets(model, middle)
        jet = (metric.value, metric.first, metric.second_matrix())
        square, along, turn, g, turns, second = contracted(jet, delta)
        weight = 2 * ops.square(ops.cast(step, square.dtype))
        square = square - weight * potential.value
        turn = turn - weight[:, None] * potential.first
        second = second - weight[:, None, None] * potential.second_matrix()
        return square, along, turn, g, turns, second

    return terms


def _jets(model, t):
    """Metric and potential with two derivatives, at scaled coordinates."""
    terms = model._gauged(ops.cast(t, model.compute_dtype), order=2)
    flat = terms.metric.linear(lambda g: 0 * g[..., 0, 0])
    return terms.metric, flat if terms.potential is None else terms.potential


def _potential(model, paths):
    middle = (paths.x[:, 1:] + paths.x[:, :-1]) / 2
    values = model.potential(_positions(model, middle.reshape(-1, middle.shape[2])))
    return values.reshape(middle.shape[:2])


def _positions(model, t):
    return t * model._numpy("spread") + model._numpy("shift")


def _scaled(model, q):
    return (q - model._numpy("shift")) / model._numpy("spread")


def _numbers(value, count, name):
    value = np.asarray(value, "float64")
    if value.shape not in ((), (1,), (count,)) or not np.isfinite(value).all():
        raise ValueError(
            f"`{name}` must be one finite number, or one for each of {count} pairs; received shape "
            f"{value.shape}."
        )
    return np.broadcast_to(value, (count,)).astype("float64")
