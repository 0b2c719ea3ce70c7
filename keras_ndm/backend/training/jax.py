"""JAX's side of `keras_ndm.backend.training`."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import jax
import keras

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


def vjp(function: Callable, primals: list, has_aux: bool = False) -> tuple:
    """Values of `function` and its pullbacks.

    Parameters
    ----------
    function, primals, has_aux
        As in the TensorFlow module.
    """
    outputs, pull, *aux = jax.vjp(function, primals, has_aux=has_aux)

    def pullback(cotangents):
        return pull(list(cotangents))[0]

    result = (outputs, aux[0]) if has_aux else outputs
    return result, pullback, jax.vmap(pullback)


def per_sample_vjp(
    function: Callable, weights: list, inputs: list, cotangents: list, whole_model: bool = False
) -> list:
    """Gradient of the weights, one for each sample and cotangent: list of (r, batch, *shape).

    Parameters
    ----------
    function, weights, inputs, cotangents
        As in the TensorFlow module.
    whole_model : bool
        Without effect: JAX vectorizes any function.
    """
    del whole_model  # JAX vectorizes anything

    def one_sample(sample, seeds):
        _, pull = jax.vjp(lambda w: function(w, [x[None] for x in sample]), weights)
        return jax.vmap(lambda seed: pull([c[None] for c in seed])[0])(seeds)

    return jax.vmap(one_sample, in_axes=(0, 1), out_axes=1)(inputs, cotangents)


def over_scalars(function: Callable, scalars: jax.Array) -> jax.Array:
    """Values of a scalar function at each of `scalars`, an array (k,)."""
    return jax.vmap(function)(scalars)


def cholesky(matrix: jax.Array) -> jax.Array:
    """Lower factor of positive definite matrices; NaN where there is none."""
    return jax.lax.linalg.cholesky(matrix, symmetrize_input=False)


def computed_once(tensors: list) -> list:
    """Return the same tensors; compilers may not compute them again where they are used.

    XLA on CPU otherwise fuses their computation into every use: 10 times the time of a step.
    """
    return list(jax.lax.optimization_barrier(tuple(tensors)))


def eagerly(function: Callable[[], Result]) -> Result:
    """Result of `function()`, computed at once also while a function is being traced.

    In a thread of its own, where nothing is traced: `jax.ensure_compile_time_eval` would do, but
    after an error in `function` tracers of it were seen in the program that is being traced.
    """
    wide = jax.config.jax_enable_x64  # may hold for the calling thread alone

    def run():
        with jax.enable_x64(wide):
            return function()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def make_train_step(model: keras.Model, step: Callable) -> Callable:
    """`step(x, y, sample_weight)` in the form that `fit` calls: ``(state, data) -> (logs, state)``.

    The step reads and assigns Keras variables; the scope turns that into a pure function of their
    values.
    """

    def train_step(state, data):
        groups = (
            model.trainable_variables,
            model.non_trainable_variables,
            model.optimizer.variables,
            model.metrics_variables,
        )
        mapping = [
            pair for g, s in zip(groups, state, strict=True) for pair in zip(g, s, strict=False)
        ]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            logs = step(*keras.utils.unpack_x_y_sample_weight(data))
        return logs, tuple([scope.get_current_value(v) for v in group] for group in groups)

    return train_step


def check_devices() -> None:
    """Nothing to refuse: under `keras.distribution` one program sees the whole batch."""
