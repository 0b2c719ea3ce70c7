"""Geometry is computed in full precision, whatever policy the rest of the model has."""

import keras


def full_precision(dtype: str | keras.DTypePolicy | None) -> str:
    """Return the dtype of a policy's variables: float32 under "mixed_float16", else as given.

    A metric's Cholesky factor and its log determinant have no use for 10 bits of mantissa.
    """
    policy = keras.dtype_policies.get(dtype)
    return policy.variable_dtype


def refuse_quantized(layer: keras.Layer) -> None:
    """Refuse to write a layer down whose parts are quantized: they would be made anew in float.

    Raises
    ------
    ValueError
        When a weight of the layer is of 8 bits.
    """
    if any(keras.backend.standardize_dtype(v.dtype) == "int8" for v in layer.variables):
        raise ValueError(
            f"{layer.name!r} is quantized, and the layers inside it cannot be saved or cloned so. "
            "Save the model before `quantize`, and quantize what is loaded; `export` works as it "
            "is."
        )
