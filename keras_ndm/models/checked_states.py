"""Validation of what users pass to models as states."""

from collections.abc import Iterable
from typing import TypeAlias

import keras
import numpy as np

from keras_ndm.user_data import ENOUGH, batches_of, is_arrays, varies

# What `fit` takes as x: arrays, or a data set that gives batches (x, y).
FitInput: TypeAlias = np.ndarray | tuple | Iterable


def refuse_not_finite(x: FitInput, y: np.ndarray | None = None) -> None:
    """Refuse arrays that hold NaN or infinity, of which one spoils all weights, or complex numbers.

    Parameters
    ----------
    x : array or nest of arrays
        Inputs. Data sets of batches are not read.
    y : array, optional
        Targets.

    Raises
    ------
    ValueError
        When there are some.
    """
    for name, given in (("inputs", x), ("targets", y)):
        parts = [np.asarray(part) for part in keras.tree.flatten(given) if is_arrays(part)]
        if any(np.iscomplexobj(part) for part in parts):
            raise ValueError(
                f"The {name} are complex. Give real and imaginary parts as columns of their own."
            )
        real = [part for part in parts if np.issubdtype(part.dtype, np.floating)]
        bad = sum(part.size - int(np.isfinite(part).sum()) for part in real)
        if bad:
            raise ValueError(
                f"The {name} hold {bad} values that are NaN or infinite. Leave these samples out."
            )


def state_rows(x: np.ndarray | tuple, like: np.ndarray | None = None) -> tuple:
    """Split states from steps and check both.

    Parameters
    ----------
    x : array (N, d), or a pair of arrays (N, d) and (N, 1) or (N,)
    like : array (N, d), optional
        States whose shape these must share.

    Returns
    -------
    states : array (N, d), in Keras' floatx
    steps : array (N, 1), or None

    Raises
    ------
    ValueError
        On a wrong shape, values that are not finite, or steps that are not positive.
    """
    x, dt = x if isinstance(x, tuple | list) and len(x) == 2 else (x, None)
    states = np.asarray(x, dtype=keras.config.floatx())
    if states.ndim != 2 or 0 in states.shape:
        raise ValueError(
            f"States must have shape (N, d), one state a row; received shape {states.shape}. Of "
            "windows (N, time, d), give the pairs of a state and the next: "
            "x[:, :-1].reshape(-1, d) and x[:, 1:].reshape(-1, d)."
        )
    if like is not None and states.shape != like.shape:
        raise ValueError(
            f"States and next states must have one shape; received {like.shape} and {states.shape}."
        )
    bad = np.size(states) - int(np.isfinite(states).sum())
    if bad:
        raise ValueError(f"States must be finite; received {bad} values that are NaN or infinite.")
    if dt is None:
        return states, None
    steps = np.asarray(dt, dtype=keras.config.floatx()).reshape(-1, 1)
    if len(steps) != len(states):
        raise ValueError(f"Expected one step dt a state: {len(states)}; received {len(steps)}.")
    if not np.all(steps > 0) or not np.all(np.isfinite(steps)):
        raise ValueError("Steps dt must be positive and finite; some of those received are not.")
    return states, steps


def first_arrays(x: FitInput, y: np.ndarray | None, most: int = ENOUGH) -> tuple:
    """Give arrays x and y to adapt to, from what `fit` takes: arrays, or batches of (x, y).

    Parameters
    ----------
    x : array, tuple of arrays, or iterable of batches (x, y)
    y : array or None
        None where x gives both.
    most : int
        Rows that are enough.

    Raises
    ------
    ValueError
        When there are no targets; or x can be read only once (a generator): adapt the model
        beforehand.
    """
    if y is not None:
        return x, y
    missing = "The targets y are missing: give x and y, or batches (x, y)."
    if is_arrays(x):
        raise ValueError(missing)
    xs, ys, seen = [], [], 0
    for batch in batches_of(x):
        first, second, _ = keras.utils.unpack_x_y_sample_weight(batch)
        if second is None:
            raise ValueError(missing)
        xs.append(first if isinstance(first, tuple | list) else (first,))
        ys.append(np.asarray(second))
        seen += len(ys[-1])
        if seen >= most:
            break
    columns = [
        np.concatenate([np.asarray(part) for part in column]) for column in zip(*xs, strict=True)
    ]
    return (columns[0] if len(columns) == 1 else tuple(columns)), np.concatenate(ys)


def moving_columns(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Which columns of the states (N, d) change from one state to the next by more than rounding.

    What does not (a constant, a parameter of each run) has no noise to be learned: its likelihood
    has no upper bound.

    Parameters
    ----------
    before, after : array (N, d)

    Returns
    -------
    array (d,) of bool
    """
    wide = before.astype("float64")
    steps = np.sqrt(np.mean(np.square(after - wide), axis=0))
    return varies(steps, wide, str(before.dtype))


def inverse_of(noise: np.ndarray) -> np.ndarray:
    """Precision (d,) of a noise variance (d,); infinite, without a warning, where there is none."""
    with np.errstate(divide="ignore"):
        return 1.0 / noise
