"""TensorFlow's side of `keras_ndm.backend`."""

import contextlib
import functools
import warnings
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

with warnings.catch_warnings():
    # Of its own use of distutils, which a user can do nothing about.
    warnings.simplefilter("ignore", DeprecationWarning)
    import tensorflow_probability as tfp
    from tensorflow_probability.python.internal.cache_util import BijectorCache, EphemeralDict

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


def _gradient_of_update(op, gradient):
    """Of an operation that writes `update` into its input, from the index `start` on."""
    _, update, start = op.inputs
    size = tf.shape(update, start.dtype)
    written = tf.slice(gradient, start, size)
    around = tf.stack([start, tf.shape(gradient, start.dtype) - start - size], axis=1)
    return gradient - tf.pad(written, around), written, None


# Within XLA TensorFlow differentiates slices by this operation, whose own gradient it lacks: third
# derivatives of charts need it.
with contextlib.suppress(KeyError):  # another package, or a later TensorFlow, has done it
    tf.RegisterGradient("XlaDynamicUpdateSlice")(_gradient_of_update)


class _CacheOfGraph(BijectorCache):
    """What bijectors have computed, kept with the graph that the tensors are of.

    TFP keeps it in one place for all, which holds each graph in which a bijector was ever called.
    """

    def __get__(self, bijector, bijector_class=None):
        bound = super().__get__(bijector, bijector_class)
        if not tf.executing_eagerly():
            graph = tf.compat.v1.get_default_graph()
            if not hasattr(graph, "_keras_ndm_bijectors"):
                graph._keras_ndm_bijectors = EphemeralDict()
            bound.storage = graph._keras_ndm_bijectors
        return bound


tfp.bijectors.Bijector._cache = _CacheOfGraph()

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


def compiled(function: Callable, variables: Sequence, xla: bool = True) -> Callable:
    """Compile `function`; `variables` are captured by reference and stay live.

    What XLA has compiled TensorFlow never frees, and no gradient can be taken through its loops
    from outside. Without it there is a graph.
    """
    del variables
    return tf.function(function, jit_compile=xla, autograph=False)


def concrete(tensor: tf.Tensor) -> bool:
    """Whether a tensor has a value that can be looked at: not while a program is being traced."""
    return hasattr(tensor, "numpy") and tf.executing_eagerly()


def iterated(function: Callable, state: tuple, count: int) -> tuple:
    """States that `function(state, k)` gives one after another, in one loop that XLA compiles.

    `keras.ops.scan` has no bound on its number of turns that XLA needs for the gradient.

    Parameters
    ----------
    function : callable
        From a tuple of tensors and the number k of the turn to a tuple of the same shapes.
    state : tuple of tensors
    count : int

    Returns
    -------
    tuple of tensors (count, …)
        Without the first state.
    """
    state = tuple(tf.convert_to_tensor(part) for part in state)
    kept = tuple(tf.TensorArray(p.dtype, count, element_shape=p.shape) for p in state)

    def turn(k, state, kept):
        state = tuple(function(state, k))
        return k + 1, state, tuple(a.write(k, p) for a, p in zip(kept, state, strict=True))

    _, _, kept = tf.while_loop(
        lambda k, *_: k < count, turn, (0, state, kept), maximum_iterations=count
    )
    return tuple(array.stack() for array in kept)


def inverse_or_nan(matrix: tf.Tensor) -> tf.Tensor:
    """Inverse of matrices (batch, n, n), NaN where there is none; not under XLA.

    TensorFlow's own stops the program there.
    """
    finite = tf.reduce_all(tf.math.is_finite(matrix), axis=(-2, -1))
    eye = tf.eye(matrix.shape[-1], dtype=matrix.dtype)
    usable = tf.where(finite[..., None, None], matrix, eye)
    sound = finite & (tf.linalg.det(tf.stop_gradient(usable)) != 0)
    found = tf.linalg.inv(tf.where(sound[..., None, None], matrix, eye))
    return tf.where(sound[..., None, None], found, tf.constant(float("nan"), matrix.dtype))


def traced_apart(function: Callable) -> Callable:
    """A function of tensors, in a program of its own wherever it is called.

    TensorFlow holds the programs in which custom gradients were called for good.
    """
    program = tf.function(function)

    @functools.wraps(function)
    def called(*args):
        return program(*map(tf.convert_to_tensor, args))

    return called
