"""Geodesics and parallel transport, by Runge–Kutta steps of fixed size."""

from collections.abc import Callable

from keras import ops

from keras_ndm.backend import Tensor
from keras_ndm.geometry.callables import Array, christoffel


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


def geodesic(
    metric: Callable, points: Array, velocity: Array, steps: int = 32, length: float = 1.0
) -> tuple:
    """Follow the geodesics ẍ^k = −Γ^k_ij ẋ^i ẋ^j for a time `length`.

    Parameters
    ----------
    metric : callable or MetricLayer
    points, velocity : array (batch, n)
    steps : int
        Steps of the fourth-order Runge–Kutta method; the error falls as steps⁻⁴.
    length : float
        Time to follow them; with velocities of norm one, the arc length.

    Returns
    -------
    path : tensor (steps + 1, batch, n)
    velocities : tensor (steps + 1, batch, n)
        The last ones are those at the end; ``path[-1]`` is the exponential map.
    """
    points = ops.convert_to_tensor(points)
    velocity = ops.convert_to_tensor(velocity, dtype=points.dtype)

    def rate(_, state):
        x, v = state
        return v, -ops.einsum("bkij,bi,bj->bk", christoffel(metric, x), v, v)

    states = [(points, velocity)]
    for k in range(_positive(steps)):
        states.append(_runge_kutta(rate, states[-1], k * length / steps, length / steps))
    return tuple(ops.stack(part, axis=0) for part in zip(*states, strict=True))


def parallel_transport(
    metric: Callable, curve: Callable, vectors: Array, steps: int = 32
) -> Tensor:
    """Carry vectors along curves without turning: V̇^k = −Γ^k_ij ċ^i V^j.

    Parameters
    ----------
    metric : callable or MetricLayer
    curve : callable
        ``curve(t)`` for a number t in [0, 1] gives points and velocities, two tensors (batch, n).
    vectors : array (batch, n)
        Vectors at ``curve(0)``.
    steps : int
        Runge–Kutta steps.

    Returns
    -------
    tensor (batch, n)
        The vectors at ``curve(1)``.
    """

    def rate(time, state):
        points, velocity = curve(time)
        return (-ops.einsum("bkij,bi,bj->bk", christoffel(metric, points), velocity, state[0]),)

    state = (ops.convert_to_tensor(vectors),)
    for k in range(_positive(steps)):
        state = _runge_kutta(rate, state, k / steps, 1.0 / steps)
    return state[0]


def _positive(steps):
    if steps < 1:
        raise ValueError(f"`steps` must be at least 1; received {steps!r}.")
    return int(steps)
