"""All trainable weights of a model as one row of numbers, and back."""

import keras
import numpy as np
from keras import ops

from keras_ndm.backend import Tensor


def read(model: keras.Model) -> np.ndarray:
    """Return the trainable weights, (P,) in double precision."""
    variables = model.trainable_variables
    return np.concatenate([ops.convert_to_numpy(v).ravel() for v in variables]).astype("float64")


def write(model: keras.Model, theta: np.ndarray) -> None:
    """Assign weights (P,)."""
    begin = 0
    for variable in model.trainable_variables:
        size = int(np.prod(variable.shape))
        variable.assign(theta[begin : begin + size].reshape(variable.shape))
        begin += size


def split(theta: Tensor, model: keras.Model) -> list:
    """Cut a tensor (P,) into one of each variable's shape."""
    shapes = [tuple(v.shape) for v in model.trainable_variables]
    cuts = np.cumsum([int(np.prod(s)) for s in shapes])[:-1].tolist()
    pieces = ops.split(theta, cuts)
    return [ops.reshape(p, s) for p, s in zip(pieces, shapes, strict=True)]
