"""TensorFlow's side of `keras_ndm.backend.training`."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import keras
import tensorflow as tf

__all__ = [
    "check_devices",
    "cholesky",
    "computed_once",
    "eagerly",
    "make_train_step",
    "over_scalars",
    "per_sample_vjp",
    "vjp",
]

Result = TypeVar("Result")

# Below this size a factorization by halves is no faster.
_SMALL = 256
_ZERO = tf.UnconnectedGradients.ZERO


def vjp(function: Callable, primals: list, has_aux: bool = False) -> tuple:
    """Values of `function` and its pullbacks.

    Parameters
    ----------
    function : callable
        Takes the list `primals`; returns a list of tensors, with `has_aux` a pair of it
        and anything.
    primals : list of tensors
    has_aux : bool

    Returns
    -------
    outputs : list of tensors, with `has_aux` the pair
    pullback : callable
        Takes one cotangent for each output, returns one gradient for each primal.
    pullbacks : callable
        The same for cotangents with a leading axis r; the gradients carry it too.
    """
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(primals)
        result = function(primals)
    outputs = result[0] if has_aux else result

    def pullback(cotangents):
        return tape.gradient(
            outputs, primals, output_gradients=list(cotangents), unconnected_gradients=_ZERO
        )

    def pullbacks(cotangents):
        count = cotangents[0].shape[0]
        rows = [pullback([c[a] for c in cotangents]) for a in range(count)]
        return [tf.stack(row) for row in zip(*rows, strict=True)]

    return result, pullback, pullbacks


def per_sample_vjp(
    function: Callable, weights: list, inputs: list, cotangents: list, whole_model: bool = False
) -> list:
    """Gradient of the weights, one for each sample and cotangent.

    Parameters
    ----------
    function : callable
        ``(weights, inputs) -> outputs``, lists of tensors with a batch axis that treats rows
        independently.
    weights : list of tensors
    inputs : list of tensors (batch, ...)
    cotangents : list of tensors (r, batch, ...)
    whole_model : bool
        Whether `function` is a large graph. Vectorizing one takes minutes, so its samples are
        looped over.

    Returns
    -------
    list of tensors (r, batch, *weight.shape)
    """
    count = cotangents[0].shape[0]

    @tf.autograph.experimental.do_not_convert
    def one_sample(row):
        sample, seeds = row
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(weights)
            outputs = function(weights, [x[None] for x in sample])
        gradients = [
            tape.gradient(
                outputs,
                weights,
                output_gradients=[c[a][None] for c in seeds],
                unconnected_gradients=_ZERO,
            )
            for a in range(count)
        ]
        return [tf.stack(g) for g in zip(*gradients, strict=True)]

    by_sample = [tf.experimental.numpy.moveaxis(c, 0, 1) for c in cotangents]
    rows = (inputs, by_sample)
    types = [w.dtype for w in weights]
    if whole_model:
        rows = tf.map_fn(one_sample, rows, fn_output_signature=types)
    else:
        try:
            rows = tf.vectorized_map(one_sample, rows)
        except (TypeError, ValueError, NotImplementedError):
            # Loops, as of recurrent layers, are not vectorizable.
            rows = tf.map_fn(one_sample, rows, fn_output_signature=types)
    return [tf.experimental.numpy.moveaxis(row, 0, 1) for row in rows]


def over_scalars(function: Callable, scalars: tf.Tensor) -> tf.Tensor:
    """Values of a scalar function at each of `scalars`, a tensor (k,) with static k.

    Unrolled: the executor runs the branches side by side, and no operation has to be vectorizable.
    """
    return tf.stack([function(scalars[k]) for k in range(scalars.shape[0])])


def cholesky(matrix: tf.Tensor) -> tf.Tensor:
    """Lower factor of positive definite matrices; NaN where there is none (`keras.ops` raises)."""
    return _halves(matrix, 3) if len(matrix.shape) == 2 else tf.linalg.cholesky(matrix)


def _halves(matrix, depth):
    """Factor by halves: products take both cores, TensorFlow's own factorization takes one.

    [[A, ·], [B, D]] has the factor [[L, 0], [C, M]], C = B L⁻ᵀ, and M that of D − C Cᵀ.
    """
    size = matrix.shape[0]
    if depth == 0 or (size is not None and size < _SMALL):
        return tf.linalg.cholesky(matrix)
    half = (tf.shape(matrix)[0] if size is None else size) // 2
    first = _halves(matrix[:half, :half], depth - 1)
    below = tf.transpose(tf.linalg.triangular_solve(first, tf.transpose(matrix[half:, :half])))
    rest = matrix[half:, half:] - tf.matmul(below, below, transpose_b=True)
    last = _halves(rest, depth - 1)
    above = tf.zeros_like(tf.transpose(below))
    return tf.concat([tf.concat([first, above], 1), tf.concat([below, last], 1)], 0)


def computed_once(tensors: list) -> list:
    """Return the same tensors: TensorFlow computes no operation of a graph twice."""
    return list(tensors)


def eagerly(function: Callable[[], Result]) -> Result:
    """Result of `function()`, computed at once also while a `tf.function` is being traced.

    In a thread of its own: `tf.init_scope` would do, but stops every gradient tape.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


def make_train_step(model: keras.Model, step: Callable) -> Callable:
    """`step(x, y, sample_weight)` in the form that `fit` calls: ``data -> logs``."""
    del model

    def train_step(data):
        return step(*keras.utils.unpack_x_y_sample_weight(data))

    return train_step


def check_devices() -> None:
    """Raise where a `tf.distribute` strategy would split the batch over replicas.

    Raises
    ------
    ValueError
        With more than one replica: each would see the samples of its own share only.
    """
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    if replicas > 1:
        raise ValueError(
            f"NaturalGradient couples the samples of a batch, which `tf.distribute` splits over "
            f"{replicas} replicas. Use one replica, or the JAX backend with `keras.distribution`, "
            f"which keeps the batch whole."
        )
