"""What the optimizers need of TensorFlow and JAX beyond `keras.ops`.

Every backend module provides the same names, listed in `NAMES`:

- ``vjp(function, primals)``: reverse mode with one or many cotangents;
- ``per_sample_vjp(function, weights, inputs, cotangents)``: one gradient of the weights a sample;
- ``over_scalars(function, scalars)``: a scalar function at several arguments at once;
- ``eagerly(function)``: its result, computed at once also while a step is being traced;
- ``make_train_step(model, step)``: `step` in the form that this backend's `fit` calls;
- ``cholesky(matrix)``: NaN, and no error, where a matrix has no factor;
- ``computed_once(tensors)``: keeps a compiler from computing them at every use;
- ``check_devices()``: refuses what the step cannot be split over.
"""

from keras import config

NAMES = (
    "check_devices",
    "cholesky",
    "computed_once",
    "eagerly",
    "make_train_step",
    "over_scalars",
    "per_sample_vjp",
    "vjp",
)

if config.backend() == "jax":
    from keras_ndm.backend.training import jax as _module
else:
    from keras_ndm.backend.training import tensorflow as _module

check_devices = _module.check_devices
cholesky = _module.cholesky
computed_once = _module.computed_once
eagerly = _module.eagerly
make_train_step = _module.make_train_step
over_scalars = _module.over_scalars
per_sample_vjp = _module.per_sample_vjp
vjp = _module.vjp

__all__ = list(NAMES)
