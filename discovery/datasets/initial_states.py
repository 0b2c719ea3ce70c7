"""Random draws that several systems share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def signs(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return (n,) values ±1."""
    return rng.choice([-1.0, 1.0], size=n)


def in_box(rng: np.random.Generator, n: int, *sides: tuple[float, float]) -> np.ndarray:
    """Return (n, d) points, uniform between the bounds of each coordinate.

    Parameters
    ----------
    rng : numpy Generator
    n : int
    *sides : (low, high)
        One pair a coordinate.
    """
    low, high = np.transpose(sides)
    return rng.uniform(low, high, size=(n, len(sides)))


def rejection(
    rng: np.random.Generator,
    n: int,
    draw: Callable[[np.random.Generator, int], np.ndarray],
    keep: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Draw until n points satisfy ``keep``.

    Parameters
    ----------
    rng : numpy Generator
    n : int
    draw : callable, ``draw(rng, m) -> (m, d)``
    keep : callable, (m, d) -> (m,) bool

    Returns
    -------
    (n, d)
    """
    points = draw(rng, n)
    while not (good := keep(points)).all():
        points[~good] = draw(rng, int((~good).sum()))
    return points


def directions(rng: np.random.Generator, n: int, dim: int) -> np.ndarray:
    """Return (n, dim) unit vectors, uniform over the sphere.

    Parameters
    ----------
    rng : numpy Generator
    n, dim : int
    """
    vectors = rng.standard_normal((n, dim))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def kepler_orbit(
    rng: np.random.Generator,
    n: int,
    axis: tuple[float, float],
    eccentricity: tuple[float, float],
    mu: float = 1.0,
) -> np.ndarray:
    """Draw planar Kepler orbits about a centre of strength ``mu`` at the origin.

    Semi-major axis and eccentricity are uniform in their ranges; orientation, phase (eccentric
    anomaly) and sense of rotation are random.

    Parameters
    ----------
    rng : numpy Generator
    n : int
    axis, eccentricity : (low, high)
        Ranges of the semi-major axis and of the eccentricity.
    mu : float
        Strength of the centre, G times its mass.

    Returns
    -------
    (n, 4) : x, y and the velocities u, v
    """
    a, e = rng.uniform(*axis, n), rng.uniform(*eccentricity, n)
    anomaly, turn = rng.uniform(0, 2 * np.pi, (2, n))
    minor = signs(rng, n) * np.sqrt(1 - e**2)
    rate = np.sqrt(mu / a) / (1 - e * np.cos(anomaly))
    along = np.stack([a * (np.cos(anomaly) - e), -rate * np.sin(anomaly)])
    across = np.stack([a * np.sin(anomaly), rate * np.cos(anomaly)]) * minor
    cos, sin = np.cos(turn), np.sin(turn)
    x, u = along * cos - across * sin
    y, v = along * sin + across * cos
    return np.stack([x, y, u, v], axis=1)


def kepler_orbit_3d(
    rng: np.random.Generator, n: int, axis: tuple[float, float], eccentricity: tuple[float, float]
) -> np.ndarray:
    """Draw orbits as ``kepler_orbit`` does, in planes of any orientation.

    Parameters
    ----------
    rng : numpy Generator
    n : int
    axis, eccentricity : (low, high)
        As for ``kepler_orbit``; the strength is 1.

    Returns
    -------
    (n, 6) : x, y, z and the velocities u, v, w
    """
    plane = kepler_orbit(rng, n, axis, eccentricity).reshape(n, 2, 2)
    frame = np.linalg.qr(rng.standard_normal((n, 3, 2))).Q
    return np.einsum("nij,nkj->nki", frame, plane).reshape(n, 6)
