"""Geometry is computed in full precision, whatever policy the rest of the model has."""

import keras


def full_precision(dtype: str | keras.DTypePolicy | None) -> str:
    """Return the dtype of a policy's variables: float32 under "mixed_float16", else as given.

    A metric's Cholesky factor and its log determinant have no use for 10 bits of mantissa.
    """
    policy = keras.dtype_policies.get(dtype)
    return policy.variable_dtype
