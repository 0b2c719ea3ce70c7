"""What mechanical models take: checks, scales, and derivatives estimated from positions."""

import numpy as np

# Degree of the local polynomials: its second derivative is exact to third order at the centre.
_DEGREE = 5
# A window is too wide once residuals exceed the noise by this factor.
_BIASED = 1.1
# Accelerations below this share of (speed)²/size are rounding: a free particle in flat space.
_NOTHING = 1e-6


def checked(x: tuple, y: np.ndarray) -> tuple:
    """Check what `LagrangianManifold.fit` takes.

    Parameters
    ----------
    x : (q, v) or (q, v, dt)
    y : (N, d) accelerations, or (N, 2d) next states

    Returns
    -------
    q, v : (N, d) arrays
    dt : (N, 1) array or None
    y : array

    Raises
    ------
    ValueError
        On wrong shapes, numbers that are not finite, steps that are not positive.
    """
    if not isinstance(x, tuple | list) or len(x) not in (2, 3):
        raise ValueError(
            "x must be (q, v) with accelerations as y, or (q, v, dt) with next states as y; "
            f"received {type(x).__name__}."
        )
    q, v = checked_state(x[0], x[1])
    y = np.asarray(y, dtype=float)
    dt = None
    if len(x) == 3:
        dt = np.asarray(x[2], dtype=float).reshape(-1, 1)
        if len(dt) != len(q) or not np.all(dt > 0) or not np.all(np.isfinite(dt)):
            raise ValueError(f"Expected one positive, finite step dt for each of {len(q)} states.")
    columns = q.shape[1] * (1 if dt is None else 2)
    if y.shape != (len(q), columns):
        what = "accelerations" if dt is None else "next states, q then v"
        raise ValueError(f"y must hold {what}, shape {(len(q), columns)}; received {y.shape}.")
    if not np.isfinite(y).all():
        raise ValueError("y must be finite; some values are NaN or infinite.")
    return q, v, dt, y


def checked_state(*arrays: np.ndarray, dimension: int | None = None) -> list[np.ndarray]:
    """Check arrays (N, d) of one shape: positions, or positions and velocities."""
    arrays = [np.asarray(a, dtype=float) for a in arrays]
    shape = arrays[0].shape
    if len(shape) != 2 or 0 in shape or any(a.shape != shape for a in arrays):
        raise ValueError(
            "Positions and velocities must be arrays of one shape (N, d); received "
            f"{', '.join(str(a.shape) for a in arrays)}."
        )
    if dimension is not None and shape[1] != dimension:
        raise ValueError(f"The model was built for {dimension} coordinates; received {shape[1]}.")
    if not all(np.isfinite(a).all() for a in arrays):
        raise ValueError("Positions and velocities must be finite; some are NaN or infinite.")
    return arrays


def scales(
    q: np.ndarray, v: np.ndarray, dt: np.ndarray | None, y: np.ndarray, angles: tuple[int, ...]
) -> dict[str, np.ndarray]:
    """Return what coordinates, velocities and residuals of checked data are counted in.

    Parameters
    ----------
    q, v, dt, y
        As `checked` returns them.
    angles : tuple of int
        Columns of q that are angles.

    Returns
    -------
    dict
        shift, spread : (d,), of the coordinates, 0 and 1 for angles; speed, pull : numbers, typical
        velocity and acceleration over the spread; acceleration_scale : (d,); increment_scale :
        (2d,), only with steps dt; velocity_moment : (d, d), mean of v vᵀ.
    """
    d = q.shape[1]
    straight = np.array([i not in angles for i in range(d)])
    spread = np.where(straight, q.std(axis=0), 1.0)
    spread = np.where(spread > 0, spread, 1.0)
    moved = None if dt is None else y - np.concatenate([q, v], axis=1)
    rates = y if dt is None else moved[:, d:] / dt
    speed = float(np.sqrt(np.mean(np.square(v / spread), axis=0)).max())
    pulls = _typical(rates / spread, speed**2)
    found = {
        "shift": np.where(straight, q.mean(axis=0), 0.0),
        "spread": spread,
        "speed": np.array(speed or 1.0),
        "pull": pulls.max(),
        "acceleration_scale": pulls * spread,
        "velocity_moment": v.T @ v / len(v),
    }
    if dt is not None:
        step = float(np.mean(dt))
        halves = (
            _typical(moved[:, :d] / spread, speed * step),
            _typical(moved[:, d:] / spread, speed**2 * step),
        )
        found["increment_scale"] = np.concatenate([h * spread for h in halves])
    return found


def _typical(values: np.ndarray, natural: float) -> np.ndarray:
    """Root mean square of each column, none below a tenth of the largest.

    A coordinate that is hardly pushed must not count for more than the others. Where all are
    rounding against what is `natural`, that takes their place.
    """
    sizes = np.sqrt(np.mean(np.square(values), axis=0))
    if sizes.max() <= _NOTHING * natural:
        return np.full_like(sizes, natural or 1.0)
    return np.maximum(sizes, 0.1 * sizes.max())


def from_positions(q: np.ndarray, times: np.ndarray) -> tuple:
    """Estimate velocities and accelerations of runs from their positions alone.

    Local polynomials of degree 5 (Savitzky & Golay, 1964). Their window is the widest that leaves
    residuals of the size of the noise, which fourth differences measure, in every coordinate.
    Samples closer to an end of a run than half a window are left out. No more is done: gross errors
    and wrapped angles have to be mended beforehand.

    Parameters
    ----------
    q : (runs, steps, d) array
        Angles must not jump by 2π.
    times : (steps,) array, evenly spaced

    Returns
    -------
    (q, v), a
        Smoothed positions, velocities and accelerations, each (N, d): what `fit` takes.

    Raises
    ------
    ValueError
        When shapes do not fit, times are not even, or runs are shorter than 9 samples.
    """
    q, times = np.asarray(q, dtype=float), np.asarray(times, dtype=float)
    if q.ndim != 3 or times.shape != (q.shape[1],):
        raise ValueError(
            f"Expected positions (runs, steps, d) and times (steps,); received {q.shape} and "
            f"{times.shape}."
        )
    if q.shape[1] < 9:
        raise ValueError(f"Runs must have at least 9 samples; received {q.shape[1]}.")
    if not np.isfinite(q).all():
        raise ValueError("Positions must be finite; some are NaN or infinite.")
    step = np.diff(times)
    if not np.all(step > 0) or np.ptp(step) > 1e-6 * step.mean():
        raise ValueError(
            "Times must increase evenly. For uneven ones, fit on states: x = (q, v, dt), y = the "
            "next states."
        )
    noise = _noise(q)
    chosen = None
    for half in range(4, (q.shape[1] - 1) // 2 + 1):
        design = np.vander(np.arange(-half, half + 1), _DEGREE + 1, increasing=True)
        weights = np.linalg.pinv(design)
        rest = q[:, half:-half] - _apply(weights[0], q)
        # The centre's own weight in its fit makes residuals smaller than the noise.
        size = np.sqrt(np.mean(rest**2, axis=(0, 1)) / (1 - weights[0, half]))
        if chosen is not None and np.any(size > _BIASED * noise):
            break
        chosen = weights
    h = step.mean()
    value, rate, bend = (_apply(w, q) for w in (chosen[0], chosen[1] / h, 2 * chosen[2] / h**2))
    d = q.shape[2]
    return (value.reshape(-1, d), rate.reshape(-1, d)), bend.reshape(-1, d)


def _noise(q: np.ndarray) -> np.ndarray:
    """Measure the noise of each coordinate, (d,), by fourth differences."""
    differences = np.diff(q, n=4, axis=1)
    # The weights 1 −4 6 −4 1 have squares that sum to 70.
    return np.sqrt(np.mean(differences**2, axis=(0, 1)) / 70.0)


def _apply(weights: np.ndarray, q: np.ndarray) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(q, len(weights), axis=1)
    return windows @ weights
