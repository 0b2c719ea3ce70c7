"""Free particles on curved surfaces: geodesic motion, whose laws come from the Killing fields."""

from __future__ import annotations

import numpy as np

from discovery.datasets.initial_states import directions, in_box, rejection, signs
from discovery.datasets.system import System, register

_NAMES = ("theta", "phi", "omega_theta", "omega_phi")
_ROLES = ("angle", "angle", "angular_velocity", "angular_velocity")
_SOURCE = "M. P. do Carmo, Differential Geometry of Curves and Surfaces (1976), §4-4"

# One coordinate of many states, (...).
Columns = np.ndarray


def _sphere_flow(theta: Columns, phi: Columns, omega_theta: Columns, omega_phi: Columns) -> tuple:
    return (
        omega_theta,
        omega_phi,
        np.sin(theta) * np.cos(theta) * omega_phi**2,
        -2 / np.tan(theta) * omega_theta * omega_phi,
    )


def _sphere_states(rng: np.random.Generator, n: int) -> np.ndarray:
    """Great circles inclined by up to 60°, which keeps 30° from the poles; both senses."""
    axis = rejection(rng, n, lambda rng, m: directions(rng, m, 3), lambda a: np.abs(a[:, 2]) > 0.5)
    start = np.cross(axis, directions(rng, n, 3))
    start /= np.linalg.norm(start, axis=1, keepdims=True)
    x, y, z = start.T
    u, v, w = (rng.uniform(0.7, 1.5, (n, 1)) * np.cross(axis, start)).T
    sin = np.hypot(x, y)
    return np.stack([np.arccos(z), np.arctan2(y, x), -w / sin, (x * v - y * u) / sin**2], axis=1)


def _sphere_lx(theta: Columns, phi: Columns, omega_theta: Columns, omega_phi: Columns) -> Columns:
    return -np.sin(phi) * omega_theta - np.sin(theta) * np.cos(theta) * np.cos(phi) * omega_phi


def _sphere_ly(theta: Columns, phi: Columns, omega_theta: Columns, omega_phi: Columns) -> Columns:
    return np.cos(phi) * omega_theta - np.sin(theta) * np.cos(theta) * np.sin(phi) * omega_phi


particle_on_sphere = System(
    name="particle_on_sphere",
    doc="Unit sphere, theta from the pole: great circles inclined by up to 60°, so that they keep "
    "away from the poles, in both senses.",
    equations="theta'' = sin(theta)*cos(theta)*phi'**2, phi'' = -2*cot(theta)*theta'*phi'",
    source=_SOURCE,
    names=_NAMES,
    roles=_ROLES,
    flow=_sphere_flow,
    sample=_sphere_states,
    dt=0.1,
    laws={
        "E": lambda th, ph, w_th, w_ph: (w_th**2 + np.sin(th) ** 2 * w_ph**2) / 2,
        "Lx": _sphere_lx,
        "Ly": _sphere_ly,
        "Lz": lambda th, ph, w_th, w_ph: np.sin(th) ** 2 * w_ph,
    },
    count=3,
)


def _torus_states(rng: np.random.Generator, n: int) -> np.ndarray:
    """Any place, any direction, speed 0.7 to 1.5."""
    theta, phi = rng.uniform(-np.pi, np.pi, (2, n))
    speed = rng.uniform(0.7, 1.5, (n, 1)) * directions(rng, n, 2)
    return np.stack([theta, phi, speed[:, 0], speed[:, 1] / (2 + np.cos(theta))], axis=1)


particle_on_torus = System(
    name="particle_on_torus",
    doc="Torus with radii 2 and 1; theta runs round the tube. Any place and direction.",
    equations="theta'' = -(2 + cos(theta))*sin(theta)*phi'**2, "
    "phi'' = 2*sin(theta)/(2 + cos(theta))*theta'*phi'",
    source=_SOURCE,
    names=_NAMES,
    roles=_ROLES,
    flow=lambda th, ph, w_th, w_ph: (
        w_th,
        w_ph,
        -(2 + np.cos(th)) * np.sin(th) * w_ph**2,
        2 * np.sin(th) / (2 + np.cos(th)) * w_th * w_ph,
    ),
    sample=_torus_states,
    dt=0.15,
    laws={
        "E": lambda th, ph, w_th, w_ph: (w_th**2 + (2 + np.cos(th)) ** 2 * w_ph**2) / 2,
        "Lz": lambda th, ph, w_th, w_ph: (2 + np.cos(th)) ** 2 * w_ph,
    },
    count=2,
)

# Squared polar axis of the ellipsoid; the equatorial axes are 1.
_C2 = 2.25


def _ellipsoid_metric(theta: Columns) -> Columns:
    """Return g_theta_theta; g_phi_phi is sin(theta)**2."""
    return np.cos(theta) ** 2 + _C2 * np.sin(theta) ** 2


def _ellipsoid_flow(
    theta: Columns, phi: Columns, omega_theta: Columns, omega_phi: Columns
) -> tuple:
    pull = np.sin(theta) * np.cos(theta) / _ellipsoid_metric(theta)
    return (
        omega_theta,
        omega_phi,
        pull * (omega_phi**2 - (_C2 - 1) * omega_theta**2),
        -2 / np.tan(theta) * omega_theta * omega_phi,
    )


def _ellipsoid_states(rng: np.random.Generator, n: int) -> np.ndarray:
    """Speed 0.7 to 1.5; Clairaut's constant sin(theta)*cos(heading) ≥ 1/2 keeps off the poles."""
    theta, heading = rejection(
        rng,
        n,
        lambda rng, m: in_box(rng, m, (np.pi / 6, 5 * np.pi / 6), (-np.pi / 3, np.pi / 3)),
        lambda s: np.sin(s[:, 0]) * np.cos(s[:, 1]) > 0.5,
    ).T
    speed = rng.uniform(0.7, 1.5, n)
    omega_theta = speed * np.sin(heading) / np.sqrt(_ellipsoid_metric(theta))
    omega_phi = signs(rng, n) * speed * np.cos(heading) / np.sin(theta)
    return np.stack([theta, rng.uniform(-np.pi, np.pi, n), omega_theta, omega_phi], axis=1)


particle_on_ellipsoid_of_revolution = System(
    name="particle_on_ellipsoid_of_revolution",
    doc="Prolate ellipsoid with axes 1, 1, 3/2 and theta the parametric angle from the pole; runs "
    "keep 30° from the poles, both senses.",
    equations="theta'' = sin(theta)*cos(theta)*(phi'**2 - 1.25*theta'**2)/"
    "(cos(theta)**2 + 2.25*sin(theta)**2), phi'' = -2*cot(theta)*theta'*phi'",
    source=_SOURCE,
    names=_NAMES,
    roles=_ROLES,
    flow=_ellipsoid_flow,
    sample=_ellipsoid_states,
    dt=0.12,
    laws={
        "E": lambda th, ph, w_th, w_ph: (
            (_ellipsoid_metric(th) * w_th**2 + np.sin(th) ** 2 * w_ph**2) / 2
        ),
        "Lz": lambda th, ph, w_th, w_ph: np.sin(th) ** 2 * w_ph,
    },
    count=2,
)

register(particle_on_sphere, particle_on_torus, particle_on_ellipsoid_of_revolution)
