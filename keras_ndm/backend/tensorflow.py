"""TensorFlow's side of `keras_ndm.backend`."""

from collections.abc import Callable, Sequence

import tensorflow as tf
import tensorflow_probability as tfp

__all__ = ["compiled", "cos", "in_pure_program", "jacobian", "sin", "tanh", "tfp"]

sin, cos, tanh = tf.sin, tf.cos, tf.tanh


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


def in_pure_program(tensor: tf.Tensor) -> bool:
    """Never: TensorFlow's programs read variables whenever they run."""
    del tensor
    return False


def compiled(function: Callable, variables: Sequence) -> Callable:
    """Compile `function` by XLA; TensorFlow captures `variables` by reference, so they stay live."""
    del variables
    return tf.function(function, jit_compile=True, autograph=False)
