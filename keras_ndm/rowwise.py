"""Functions of rows: on any number of them with few compilations, and on arrays of more axes."""

from collections.abc import Callable

import numpy as np
from keras import ops

from keras_ndm import backend
from keras_ndm.backend import Tensor

_CHUNK = 4096


class Rows:
    """A function of row-wise arrays, compiled once a shape and applied chunk by chunk.

    Chunks are padded to a power of two by repeating the last row, so that few shapes occur.

    Parameters
    ----------
    function : callable
        Takes tensors (batch, …), returns one or a tuple of them, row by row.
    variables : list of variables
        Of the model that the function uses: their present values are read at every call.
    often : bool
        Whether it is called so often that XLA pays, which takes seconds and megabytes for good.
    """

    def __init__(self, function: Callable, variables: list, often: bool = False):
        self._function = backend.compiled(function, variables, xla=often)

    def __call__(self, *arrays: np.ndarray) -> np.ndarray | tuple:
        """Apply to numpy arrays; numpy arrays back, as float64."""
        n = len(arrays[0])
        parts = []
        for start in range(0, max(n, 1), _CHUNK):
            chunk = [a[start : start + _CHUNK] for a in arrays]
            size = len(chunk[0])
            padded = 1 << max(6, (size - 1).bit_length())
            # Of nothing there is nothing to repeat.
            last = [a[-1:] if size else np.zeros((1, *a.shape[1:]), a.dtype) for a in chunk]
            pairs = zip(chunk, last, strict=True)
            chunk = [np.concatenate([a, np.repeat(b, padded - size, 0)]) for a, b in pairs]
            result = self._function(*[ops.convert_to_tensor(a) for a in chunk])
            single = not isinstance(result, tuple | list)
            result = (result,) if single else result
            parts.append([ops.convert_to_numpy(r)[:size].astype("float64") for r in result])
        whole = tuple(np.concatenate(column) for column in zip(*parts, strict=True))
        return whole[0] if single else whole


def over_rows(function: Callable, x: Tensor, *others: Tensor) -> Tensor:
    """Apply a function of rows to arrays that have more axes in front, such as (batch, time, d).

    Parameters
    ----------
    function : callable
        Takes x (rows, d), and the others with as many rows; returns a tensor (rows, …).
    x : tensor (…, d)
    *others : tensor (…, …)
        With the leading axes of x.
    """
    if len(x.shape) == 2:
        return function(x, *others)
    axes = len(x.shape) - 1
    lead = ops.shape(x)[:-1]
    flat = [ops.reshape(a, (-1, *a.shape[axes:])) for a in (x, *others)]
    result = function(*flat)
    return ops.reshape(result, (*lead, *result.shape[1:]))


def row_shape(input_shape: tuple, who: str, width: int | None = None) -> tuple:
    """Shape (None, d) of the rows in an input of shape (batch, …, d).

    Parameters
    ----------
    input_shape : tuple
    who : str
        Beginning of the message.
    width : int, optional
        The d that is known already.

    Raises
    ------
    ValueError
        When there is no axis of coordinates, its length is not known, or is another.
    """
    if len(input_shape) < 2 or input_shape[-1] is None:
        raise ValueError(
            f"{who} of shape (batch, d), or with more axes between, with d known; received "
            f"{tuple(input_shape)}."
        )
    if width is not None and input_shape[-1] != width:
        raise ValueError(
            f"{who} of {width} coordinates, for which it was built; received shape "
            f"{tuple(input_shape)}."
        )
    return (None, int(input_shape[-1]))
