"""What users pass as data: arrays, or data sets that give batches; and columns that do not vary."""

import itertools
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import keras
import numpy as np

from keras_ndm.backend import Tensor

# Rows of states as users give them: arrays, tensors, frames, or data sets that give batches.
Data: TypeAlias = np.ndarray | Tensor | Iterable

#: Rows that are enough to take statistics from.
ENOUGH = 100_000


def batches_of(data: Iterable) -> Iterator:
    """Batches of a data set, in its order.

    Parameters
    ----------
    data : tf.data.Dataset, keras.utils.PyDataset, list of batches, …
        Anything that can be read more than once: `fit` reads it again.

    Raises
    ------
    ValueError
        When it can be read only once (a generator), or not at all.
    """
    if isinstance(data, keras.utils.PyDataset):
        count = data.num_batches
        return (data[i] for i in (itertools.count() if count is None else range(count)))
    if hasattr(data, "__iter__") and not hasattr(data, "__next__"):
        return iter(data)
    raise ValueError(
        f"Expected arrays or a data set that can be read more than once; received "
        f"{type(data).__name__}. Call adapt(data), or a model's adapt(x, y) with arrays first."
    )


def rows_of(data: Data, most: int = ENOUGH) -> np.ndarray:
    """Rows (N, d) of an array (…, d), or of the first entries x of a data set's batches.

    Parameters
    ----------
    data : array, tensor, frame, or data set of batches x or (x, y, …)
    most : int
        Rows of a data set that are enough; it may repeat for ever.

    Raises
    ------
    ValueError
        When the data are no finite numbers, have no axis of coordinates, or cannot be read again.
    """
    if hasattr(data, "__array__") or isinstance(data, list | tuple):
        rows = np.asarray(data)
    else:
        parts, seen = [], 0
        for batch in batches_of(data):
            first = batch[0] if isinstance(batch, list | tuple) else batch
            parts.append(np.atleast_2d(np.asarray(first)))
            seen += len(parts[-1])
            if seen >= most:
                break
        rows = np.concatenate(parts) if parts else np.zeros((0,))
    if rows.ndim < 2 or 0 in rows.shape or not np.all(np.isfinite(rows)):
        raise ValueError(
            f"Expected finite numbers of shape (batch, d), or batches of them; received shape "
            f"{rows.shape} with {np.size(rows) - np.isfinite(rows).sum()} values that are not "
            "finite."
        )
    return rows.reshape(-1, rows.shape[-1])


def varies(spread: np.ndarray, rows: np.ndarray, dtype: str) -> np.ndarray:
    """Whether each column's `spread` is more than the rounding of its values.

    Numbers of size a are held to a half of ε a, so a spread below ε a is what sums and products of
    one and the same number show.

    Parameters
    ----------
    spread : array (d,)
    rows : array (N, d)
    dtype : str
        In which they are computed.

    Returns
    -------
    array (d,) of bool
    """
    return spread > np.finfo(dtype).eps * np.abs(rows).max(axis=0)


def settled(rows: np.ndarray, dtype: str) -> np.ndarray:
    """Rows (N, d) in which a column that does not vary is one number exactly; see `varies`."""
    rows = np.asarray(rows, dtype)
    wide = rows.astype("float64")
    constant = ~varies(wide.std(axis=0), wide, dtype)
    return np.where(constant, rows[:1], rows)
