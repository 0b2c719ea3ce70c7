"""JAX's side of `keras_ndm.backend`."""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import keras
from keras import StatelessScope
from tensorflow_probability.substrates import jax as tfp

from keras_ndm.keras_internals import has_value

__all__ = [
    "Tensor",
    "compiled",
    "concrete",
    "cos",
    "inverse_or_nan",
    "iterated",
    "jacobian",
    "mean",
    "partials",
    "readable",
    "sin",
    "tanh",
    "tfp",
    "traced_apart",
]

Tensor = jax.Array
sin, cos, tanh, mean = jnp.sin, jnp.cos, jnp.tanh, jnp.mean


def jacobian(function: Callable, x: jax.Array) -> jax.Array:
    """Jacobian of a batched function that treats its rows independently.

    Parameters
    ----------
    function : callable, (batch, n) -> (batch, m)
    x : array (batch, n)

    Returns
    -------
    array (batch, m, n)
        ``[b, i, j]`` is ∂f_i/∂x_j at row b.
    """

    @jax.jit  # one compilation instead of one for each operation
    def whole(x):
        along = lambda v: jax.jvp(function, (x,), (jnp.broadcast_to(v, x.shape),))[1]  # noqa: E731
        return jax.vmap(along, out_axes=-1)(jnp.eye(x.shape[-1], dtype=x.dtype))

    return whole(jnp.asarray(x))


def partials(function: Callable, x: jax.Array) -> tuple:
    """Value and first partial derivatives of a batched function that treats its rows independently.

    Parameters
    ----------
    function : callable, (batch, n) -> (batch, …)
    x : array (batch, n)

    Returns
    -------
    value : array (batch, …)
    first : array (batch, n, …)
        ``[b, k]`` is ∂_k f at row b.
    """
    x = jnp.asarray(x)

    @jax.jit  # one compilation instead of one for each operation
    def both(x):
        along = lambda v: jax.jvp(function, (x,), (jnp.broadcast_to(v, x.shape),))[1]  # noqa: E731
        return function(x), jax.vmap(along, out_axes=1)(jnp.eye(x.shape[-1], dtype=x.dtype))

    return both(x)


def readable(variable: keras.Variable, beside: jax.Array) -> bool:
    """Whether a variable's value can be read: not in a traced program, nor while `fit` holds it."""
    return not isinstance(beside, jax.core.Tracer) and has_value(variable)


def compiled(function: Callable, variables: Sequence, xla: bool = True) -> Callable:
    """Compile `function` by XLA, with `variables` as arguments so that they stay live.

    `xla` makes no difference: there is nothing else here.
    """
    del xla

    @jax.jit
    def pure(values, *args):
        with StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return function(*args)

    return lambda *args: pure([v.value for v in variables], *args)


def concrete(tensor: jax.Array) -> bool:
    """Whether a tensor has a value that can be looked at: not while a program is being traced."""
    return not isinstance(tensor, jax.core.Tracer)


def iterated(function: Callable, state: tuple, count: int) -> tuple:
    """States that `function(state, k)` gives one after another, in one compiled loop.

    Parameters
    ----------
    function : callable
        From a tuple of tensors and the number k of the turn to a tuple of the same shapes.
    state : tuple of arrays
    count : int

    Returns
    -------
    tuple of arrays (count, …)
        Without the first state.
    """

    def turn(state, k):
        state = tuple(function(state, k))
        return state, state

    return jax.lax.scan(turn, tuple(state), jnp.arange(count))[1]


def inverse_or_nan(matrix: jax.Array) -> jax.Array:
    """Inverse of matrices (batch, n, n), not finite where there is none."""
    return jnp.linalg.inv(matrix)


def traced_apart(function: Callable) -> Callable:
    """The function itself: JAX keeps no programs."""
    return function
