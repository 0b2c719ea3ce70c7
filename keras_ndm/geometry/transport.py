"""Geodesics and parallel transport: Runge–Kutta steps in one compiled loop."""

import functools
import warnings
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from keras_ndm import backend
from keras_ndm.backend import Tensor
from keras_ndm.geometry.callables import (
    Array,
    as_points,
    check_callable,
    checked,
    christoffel,
    jet_of,
    vectors,
)
from keras_ndm.geometry.curvature import christoffel_from
from keras_ndm.keras_internals import variables_read

# Dormand and Prince (1980), J. Comput. Appl. Math. 6, 19: the rows of a, then b − b̂.
_STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)

# Tried steps between two samples before a geodesic counts as lost.
_MOST_TRIES = 500


def _runge_kutta(rate, state, time, step):
    """One classical step of fourth order for a tuple of tensors."""

    def moved(slopes, share):
        return tuple(s + share * step * k for s, k in zip(state, slopes, strict=True))

    k1 = rate(time, state)
    k2 = rate(time + step / 2, moved(k1, 0.5))
    k3 = rate(time + step / 2, moved(k2, 0.5))
    k4 = rate(time + step, moved(k3, 1.0))
    slopes = tuple((a + 2 * b + 2 * c + d) / 6 for a, b, c, d in zip(k1, k2, k3, k4, strict=True))
    return moved(slopes, 1.0)


def _combined(state, slopes, shares, step):
    """State + step Σ shares · slopes, for states (batch, n) and steps (batch, 1)."""
    total = sum(share * k for share, k in zip(shares, slopes, strict=True) if share)
    return state + step * total


def _controlled(rate, state, slope, step, time, tolerance):
    """Follow (batch, k) states for `time` with steps that each row chooses by its own error.

    Returns the states, their slopes, and each row's step, with which to go on. Rows that do not get
    there in `_MOST_TRIES` steps are NaN.
    """

    def going(state, slope, left, step, tries):
        del state, slope, step
        return ops.logical_and(ops.any(left > 0), tries < _MOST_TRIES)

    def once(state, slope, left, step, tries):
        h = ops.minimum(step, left)
        slopes = [slope]
        for shares in _STAGES:
            slopes.append(rate(_combined(state, slopes, shares, h)))
        new = _combined(state, slopes[:-1], _STAGES[-1], h)
        error = ops.abs(_combined(ops.zeros_like(state), slopes, _ERROR, h))
        scale = tolerance * (1.0 + ops.maximum(ops.abs(state), ops.abs(new)))
        worst = ops.max(error / scale, axis=1, keepdims=True)
        worst = ops.where(ops.isfinite(worst), worst, 1e10)
        taken = worst <= 1.0
        # The usual controller of fifth order: a step that hits the error but for a margin.
        change = ops.clip(0.9 * ops.maximum(worst, 1e-10) ** -0.2, 0.2, 5.0)
        # A step that was cut short by the end of the interval says nothing of a longer one.
        step = ops.where(ops.logical_and(taken, h < step), step, h * change)
        state = ops.where(taken, new, state)
        # The last stage is the first one of the next step.
        slope = ops.where(taken, slopes[-1], slope)
        left = ops.where(taken, ops.maximum(left - h, 0.0), left)
        left = ops.where(left < 1e-6 * time, 0.0, left)
        return state, slope, left, step, tries + 1

    start = (state, slope, ops.zeros_like(step) + time, step, ops.zeros((), "int32"))
    state, slope, left, step, _ = ops.while_loop(going, once, start)
    return ops.where(left > 0, float("nan"), state), slope, step


class Geodesics:
    """Geodesics ẍ^k = −Γ^k_ij ẋ^i ẋ^j of a metric, compiled once for many calls.

    Parameters
    ----------
    metric, steps, length, tolerance
        As in `geodesic`. Weights of Keras layers in the metric may change between calls; what else
        a function refers to is read at the first call.

    Raises
    ------
    ValueError
        As `geodesic`.
    """

    def __init__(
        self,
        metric: Callable,
        steps: int = 32,
        length: float = 1.0,
        tolerance: float | None = None,
    ):
        check_callable(metric)
        if not np.isfinite(length):
            raise ValueError(f"`length` must be a finite time; received {length!r}.")
        self.metric, self.steps, self.length = metric, _positive(steps), length
        self.tolerance = tolerance
        self._program = None

    def __call__(self, points: Array, velocity: Array) -> tuple:
        """Follow the geodesics from `points` with `velocity`, arrays (batch, n).

        Returns
        -------
        path, velocities : tensors (steps + 1, batch, n)
            As `geodesic`, with its warnings.
        """
        points = checked(points)
        least = 4.0 * float(np.finfo(keras.backend.standardize_dtype(points.dtype)).eps)
        if self.tolerance is not None and not self.tolerance >= least:
            raise ValueError(
                f"`tolerance` must be at least {least:.1e}, which is rounding of the points; "
                f"received {self.tolerance!r}. Give points in float64 for more digits."
            )
        velocity = vectors(velocity, points, "velocity", points.dtype)
        if not (backend.concrete(points) and backend.concrete(velocity)):
            # In a program that is being compiled by others.
            return self._follow(lambda x: christoffel(self.metric, x), points, velocity)
        if self._program is None:
            variables = variables_read(lambda: jet_of(self.metric, points[:1], order=1))
            follow = functools.partial(self._follow, _guarded(self.metric))
            self._program = backend.compiled(follow, variables, xla=False)
        path = self._program(points, velocity)
        _warn_of_lost(path, self.length / self.steps)
        return path

    def _follow(self, symbols, points, velocity):
        n, step = points.shape[-1], self.length / self.steps

        def rate(_, state):
            x, v = state
            return v, -ops.einsum("bkij,bi,bj->bk", symbols(x), v, v)

        def joined(state):
            return ops.concatenate(rate(0.0, (state[:, :n], state[:, n:])), axis=1)

        if self.tolerance is None:
            rest = backend.iterated(
                lambda state, _: _runge_kutta(rate, state, 0.0, step),
                (points, velocity),
                self.steps,
            )
        else:
            both = ops.concatenate([points, velocity], axis=1)
            start = (both, joined(both), ops.zeros_like(both[:, :1]) + step)
            both, *_ = backend.iterated(
                lambda state, _: _controlled(joined, *state, step, self.tolerance),
                start,
                self.steps,
            )
            rest = both[..., :n], both[..., n:]
        return tuple(
            ops.concatenate([first[None], later], axis=0)
            for first, later in zip((points, velocity), rest, strict=True)
        )


def geodesic(
    metric: Callable,
    points: Array,
    velocity: Array,
    steps: int = 32,
    length: float = 1.0,
    tolerance: float | None = None,
) -> tuple:
    """Follow the geodesics ẍ^k = −Γ^k_ij ẋ^i ẋ^j for a time `length`.

    One compiled loop, whatever the number of steps; `Geodesics` keeps it for more calls. A geodesic
    that leaves the chart (where the
    metric is not finite or degenerates) is NaN from there on, and a warning says where.

    Parameters
    ----------
    metric : callable or MetricLayer
    points, velocity : array (batch, n)
    steps : int
        Samples of the path. Without a tolerance also the steps of the fourth-order Runge–Kutta
        method; the error falls as steps⁻⁴.
    length : float
        Time to follow them; with velocities of norm one, the arc length.
    tolerance : float, optional
        Error a step, relative to 1 + the size of coordinates and velocities: each geodesic takes as
        many steps of fifth order between samples as that needs (Dormand and Prince, 1980). On JAX
        such a path cannot be differentiated in reverse mode.

    Returns
    -------
    path : tensor (steps + 1, batch, n)
    velocities : tensor (steps + 1, batch, n)
        The last ones are those at the end; ``path[-1]`` is the exponential map.

    Raises
    ------
    ValueError
        On shapes that do not fit, less than one step, a length that is not finite, or a tolerance
        below rounding.

    Warns
    -----
    UserWarning
        Where geodesics leave the chart; says how many, the first one, when and where. Not inside a
        compiled function, where values are not known.
    """
    return Geodesics(metric, steps, length, tolerance)(points, velocity)


def _guarded(metric):
    """Christoffel symbols at points; NaN where the metric is singular.

    For loops of our own: in a program that others compile, perhaps by XLA, there is no way to tell.
    """

    def symbols(x):
        g, dg = jet_of(metric, x, order=1)
        return christoffel_from(g, dg, backend.inverse_or_nan(g))

    return symbols


def _run(function, *tensors):
    """Compiled, but for a function that is being compiled already."""
    if not all(backend.concrete(t) for t in tensors):
        return function(*tensors)
    return backend.compiled(function, [], xla=False)(*tensors)


def _warn_of_lost(path, step):
    if not backend.concrete(path[0]):
        return
    points = ops.convert_to_numpy(path[0])
    sound = np.isfinite(points).all(axis=2) & np.isfinite(ops.convert_to_numpy(path[1])).all(axis=2)
    lost = np.flatnonzero(~sound.all(axis=0))
    if not len(lost):
        return
    row = lost[0]
    last = int(np.argmin(sound[:, row])) - 1
    where = "at its start" if last < 0 else f"after t = {last * step:.3g}, near {points[last, row]}"
    warnings.warn(
        f"{len(lost)} of {points.shape[1]} geodesics leave the chart, where the metric is not "
        f"finite or degenerates; number {row} {where}. They are NaN from there on.",
        stacklevel=3,
    )


def parallel_transport(
    metric: Callable, curve: Callable, vectors: Array, steps: int = 32
) -> Tensor:
    """Carry vectors along curves without turning: V̇^k = −Γ^k_ij ċ^i V^j.

    Parameters
    ----------
    metric : callable or MetricLayer
    curve : callable
        ``curve(t)`` for t in [0, 1], a scalar tensor, gives points and velocities, two tensors
        (batch, n).
    vectors : array (batch, n)
        Vectors at ``curve(0)``.
    steps : int
        Runge–Kutta steps, in one compiled loop.

    Returns
    -------
    tensor (batch, n)
        The vectors at ``curve(1)``.
    """
    steps = _positive(steps)
    vectors = as_points(vectors)

    own = backend.concrete(vectors)
    symbols = _guarded(metric) if own else functools.partial(christoffel, metric)

    def rate(time, state):
        points, velocity = curve(time)
        return (-ops.einsum("bkij,bi,bj->bk", symbols(points), velocity, state[0]),)

    def carry(vectors):
        def advance(state, k):
            time = ops.cast(k, vectors.dtype) / steps
            return _runge_kutta(rate, state, time, 1.0 / steps)

        return backend.iterated(advance, (vectors,), steps)[0][-1]

    return _run(carry, vectors)


def _positive(steps):
    if steps < 1:
        raise ValueError(f"`steps` must be at least 1; received {steps!r}.")
    return int(steps)
