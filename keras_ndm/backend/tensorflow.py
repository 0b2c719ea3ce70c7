"""TensorFlow's side of `keras_ndm.backend`."""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf
import tensorflow_probability as tfp

__all__ = [
    "Tensor",
    "compiled",
    "cos",
    "jacobian",
    "mean",
    "partials",
    "readable",
    "repeated",
    "sin",
    "tanh",
    "tfp",
]

Tensor = tf.Tensor
sin, cos, tanh, mean = tf.sin, tf.cos, tf.tanh, tf.reduce_mean


def jacobian(function: Callable, x: tf.Tensor) -> tf.Tensor:
    """Jacobian of a batched function that treats its rows independently.

    One reverse pass for each output. Unlike `GradientTape.batch_jacobian` this needs no vectorizing
    of the graph, which several of TFP's bijectors do not support, and it compiles under XLA.

    Parameters
    ----------
    function : callable, (batch, n) -> (batch, m)
    x : tensor (batch, n)

    Returns
    -------
    tensor (batch, m, n)
        ``[b, i, j]`` is ∂f_i/∂x_j at row b.
    """
    x = tf.convert_to_tensor(x)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        columns = tf.unstack(function(x), axis=-1)
    zero = tf.UnconnectedGradients.ZERO
    return tf.stack([tape.gradient(y, x, unconnected_gradients=zero) for y in columns], axis=1)


def partials(function: Callable, x: tf.Tensor) -> tuple:
    """Value and first partial derivatives of a batched function that treats its rows independently.

    Forward mode as the derivative, by the seed, of a reverse pass, which is linear in its seed; all
    directions at once by repeating the rows. `tf.autodiff.ForwardAccumulator`, and with it
    `keras.ops.jvp`, is avoided: nested, it was seen to give wrong second derivatives without a
    warning, depending on what had run before in the process.

    Parameters
    ----------
    function : callable, (batch, n) -> (batch, …)
    x : tensor (batch, n)

    Returns
    -------
    value : tensor (batch, …)
    first : tensor (batch, n, …)
        ``[b, k]`` is ∂_k f at row b.
    """
    x = tf.convert_to_tensor(x)
    n = x.shape[-1]
    rows = tf.repeat(x, n, axis=0)
    directions = tf.tile(tf.eye(n, dtype=x.dtype), [tf.shape(x)[0], 1])
    zero = tf.UnconnectedGradients.ZERO
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(rows)
            value = function(rows)
        seed = tf.zeros_like(value)
        outer.watch(seed)
        pulled = inner.gradient(value, rows, output_gradients=seed, unconnected_gradients=zero)
    first = outer.gradient(pulled, seed, output_gradients=directions, unconnected_gradients=zero)
    return value[::n], tf.reshape(first, tf.concat([[-1, n], tf.shape(first)[1:]], axis=0))


def readable(variable: keras.Variable, beside: tf.Tensor) -> bool:
    """Always: TensorFlow's programs read variables whenever they run."""
    del variable, beside
    return True


def compiled(function: Callable, variables: Sequence) -> Callable:
    """Compile `function` by XLA; `variables` are captured by reference and stay live."""
    del variables
    return tf.function(function, jit_compile=True, autograph=False)


def repeated(function: Callable, x: tf.Tensor, count: int) -> tf.Tensor:
    """Apply `function` so many times; the known count lets XLA differentiate the loop."""
    loop = (lambda i, _: i < count, lambda i, x: (i + 1, function(x)), (0, x))
    return tf.while_loop(*loop, maximum_iterations=count)[1]
