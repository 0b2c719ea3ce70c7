"""What users pass: numbers, widths of layers, arrays, or data sets that give batches."""

import itertools
from collections.abc import Generator, Iterable, Iterator, Sequence
from numbers import Integral, Real
from typing import TypeAlias

import keras
import numpy as np

from keras_ndm.backend import Tensor

# Rows of states as users give them: arrays, tensors, frames, or data sets that give batches.
Data: TypeAlias = np.ndarray | Tensor | Iterable

#: Rows that are enough to take statistics from.
ENOUGH = 100_000


def is_number(value: object, whole: bool = False) -> bool:
    """Whether an argument is a number, or a whole one; truth values are none."""
    return isinstance(value, Integral if whole else Real) and not isinstance(value, bool)


def widths_of(hidden: Sequence[int]) -> tuple:
    """Widths of hidden layers, as the argument `hidden` gives them.

    Raises
    ------
    ValueError
        When it is no sequence of whole numbers above 0.
    """
    listed = isinstance(hidden, Iterable) and not isinstance(hidden, str)
    widths = tuple(hidden) if listed else None
    if widths is None or not all(is_number(width, whole=True) and width > 0 for width in widths):
        raise ValueError(
            "`hidden` must be a sequence of widths, one a hidden layer, as in hidden=(64, 64); "
            f"received {hidden!r}."
        )
    return tuple(int(width) for width in widths)


def is_arrays(data: object) -> bool:
    """Whether data are an array or several, not a data set or a list of batches."""
    if isinstance(data, list | tuple):
        return bool(data) and all(hasattr(part, "__array__") for part in data)
    return hasattr(data, "__array__")


def first_batch(data: Data) -> tuple:
    """x, y and weights of a data set's first batch, or what is known of them before it is read.

    Parameters
    ----------
    data : tf.data.Dataset, keras.utils.PyDataset, generator, or another one

    Returns
    -------
    tuple
        Nones where nothing is known.
    data
        The same; of a generator, one that gives the first batch again.
    """
    batch = getattr(data, "element_spec", None)
    if isinstance(data, keras.utils.PyDataset):
        batch = data[0]
    elif isinstance(data, Generator):
        batch = next(data, None)
        data = _put_back(batch, data)
    return (None,) * 3 if batch is None else keras.utils.unpack_x_y_sample_weight(batch), data


def _put_back(first, rest):
    if first is not None:
        yield first
    yield from rest


def check_shapes(given: object, expected: Sequence[tuple], what: str) -> None:
    """See that each of several arrays has rows of a known shape.

    What has another width may broadcast, and would then be computed with, and trained on, silently;
    and on JAX a training step that fails takes the model's weights with it.

    Parameters
    ----------
    given : array, tensor or tensor's specification, or a list or tuple of these
    expected : sequence of tuples
        Shapes of a row each.
    what : str
        Their name.

    Raises
    ------
    ValueError
        When they have not.
    """
    parts = list(given) if isinstance(given, list | tuple) else [given]
    shapes = [part.shape if hasattr(part, "shape") else np.shape(part) for part in parts]
    if any(getattr(shape, "rank", 0) is None for shape in shapes):
        return
    shapes = [tuple(shape) for shape in shapes]
    if len(shapes) != len(expected) or not all(map(_fits, shapes, expected)):
        wanted = " and ".join(
            f"({', '.join(['batch', *('…' if n is None else str(n) for n in row)])})"
            for row in expected
        )
        received = " and ".join(map(str, shapes))
        raise ValueError(f"Expected {what} of shape {wanted}; received {received}.")


def _fits(shape, row):
    pairs = zip(shape[1:], row, strict=False)
    return len(shape) == 1 + len(row) and all(None in pair or pair[0] == pair[1] for pair in pairs)


def count_rows(*arrays: object) -> int:
    """Rows of arrays that belong together.

    Parameters
    ----------
    *arrays : arrays, or None

    Raises
    ------
    ValueError
        When there are none, or not as many of each.
    """
    counts = [len(a) for a in arrays if a is not None]
    if not all(counts) or len(set(counts)) != 1:
        raise ValueError(
            "Expected arrays with a row for each sample; received "
            f"{' and '.join(map(str, counts))} rows."
        )
    return counts[0]


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
