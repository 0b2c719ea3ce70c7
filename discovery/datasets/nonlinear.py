"""Nonlinear oscillators with one or two degrees of freedom."""

from __future__ import annotations

import numpy as np

from discovery.datasets.initial_states import directions, in_box, rejection, signs
from discovery.datasets.system import System, register


def _pendulum_states(rng: np.random.Generator, n: int) -> np.ndarray:
    """Half the runs swing (E in [-0.9, 0.85]), half turn over (E in [1.2, 3]), in both senses."""
    swings = np.arange(n) % 2 == 0
    energy = np.where(swings, rng.uniform(-0.9, 0.85, n), rng.uniform(1.2, 3.0, n))
    reach = np.where(swings, np.arccos(np.clip(-energy, -1, 1)), np.pi)
    theta = reach * rng.uniform(-1, 1, n)
    return np.stack([theta, signs(rng, n) * np.sqrt(2 * (energy + np.cos(theta)))], axis=1)


pendulum = System(
    name="pendulum",
    doc="Plane pendulum, swinging and turning over; the angle is unwrapped. The separatrix E = 1 "
    "is left out.",
    equations="theta' = omega, omega' = -sin(theta)",
    source="L. D. Landau and E. M. Lifshitz, Mechanics, 3rd ed. (1976), §11",
    names=("theta", "omega"),
    roles=("angle", "angular_velocity"),
    flow=lambda theta, omega: (omega, -np.sin(theta)),
    sample=_pendulum_states,
    dt=0.1,
    laws={"E": lambda theta, omega: omega**2 / 2 - np.cos(theta)},
    count=1,
)


def _duffing_energy(q: np.ndarray, p: np.ndarray) -> np.ndarray:
    return p**2 / 2 - q**2 / 2 + q**4 / 4


duffing = System(
    name="duffing",
    doc="Double well without damping; runs in either well and over both, away from the "
    "separatrix E = 0.",
    equations="q' = p, p' = q - q**3",
    source="J. Guckenheimer and P. Holmes, Nonlinear Oscillations (1983), §2.2",
    names=("q", "p"),
    roles=("position", "momentum"),
    flow=lambda q, p: (p, q - q**3),
    sample=lambda rng, n: rejection(
        rng,
        n,
        lambda rng, m: in_box(rng, m, (-1.9, 1.9), (-1.3, 1.3)),
        lambda s: (np.abs(_duffing_energy(*s.T)) > 0.03) & (_duffing_energy(*s.T) < 1.2),
    ),
    dt=0.1,
    laws={"E": _duffing_energy},
    count=1,
)


def _henon_heiles_energy(
    q1: np.ndarray, q2: np.ndarray, p1: np.ndarray, p2: np.ndarray
) -> np.ndarray:
    return (p1**2 + p2**2 + q1**2 + q2**2) / 2 + q1**2 * q2 - q2**3 / 3


def _henon_heiles_states(rng: np.random.Generator, n: int) -> np.ndarray:
    """Energy 0.03 to 0.16 (escape is at 1/6), position anywhere inside, momentum any direction."""
    energy = rng.uniform(0.03, 0.16, n)

    def potential(q: np.ndarray) -> np.ndarray:
        return _henon_heiles_energy(q[:, 0], q[:, 1], 0.0, 0.0)

    # Beyond the triangle of saddles the potential falls below 1/6 again.
    def inside(q: np.ndarray) -> np.ndarray:
        in_triangle = (q[:, 1] > -0.5) & (q[:, 1] < 1 - np.sqrt(3) * np.abs(q[:, 0]))
        return in_triangle & (potential(q) < energy)

    q = in_box(rng, n, (-0.9, 0.9), (-0.5, 1.0))
    while not (good := inside(q)).all():
        q = np.where(good[:, None], q, in_box(rng, n, (-0.9, 0.9), (-0.5, 1.0)))
    momentum = np.sqrt(2 * (energy - potential(q)))[:, None] * directions(rng, n, 2)
    return np.hstack([q, momentum])


henon_heiles = System(
    name="henon_heiles",
    doc="Star in an axisymmetric galaxy, ordered and chaotic orbits, below the escape energy 1/6.",
    equations="q1' = p1, q2' = p2, p1' = -q1 - 2*q1*q2, p2' = -q2 - q1**2 + q2**2",
    source="M. Hénon and C. Heiles, Astron. J. 69, 73 (1964)",
    names=("q1", "q2", "p1", "p2"),
    roles=("position", "position", "momentum", "momentum"),
    flow=lambda q1, q2, p1, p2: (p1, p2, -q1 - 2 * q1 * q2, -q2 - q1**2 + q2**2),
    sample=_henon_heiles_states,
    dt=0.2,
    laws={"E": _henon_heiles_energy},
    count=1,
)


def _double_pendulum_flow(
    theta1: np.ndarray, theta2: np.ndarray, omega1: np.ndarray, omega2: np.ndarray
) -> tuple:
    gap = theta1 - theta2
    cos, sin = np.cos(gap), np.sin(gap)
    # Mass matrix [[2, cos], [cos, 1]] times the accelerations equals these forces.
    force1 = -(omega2**2) * sin - 2 * np.sin(theta1)
    force2 = omega1**2 * sin - np.sin(theta2)
    determinant = 2 - cos**2
    return (
        omega1,
        omega2,
        (force1 - cos * force2) / determinant,
        (2 * force2 - cos * force1) / determinant,
    )


double_pendulum = System(
    name="double_pendulum",
    doc="Equal unit rods and masses, g = 1; angles within ±1.8 and rates within ±1.2, mostly "
    "chaotic, with some small swings.",
    equations="2*theta1'' + cos(d)*theta2'' = -omega2**2*sin(d) - 2*sin(theta1), "
    "cos(d)*theta1'' + theta2'' = omega1**2*sin(d) - sin(theta2), d = theta1 - theta2",
    source="L. D. Landau and E. M. Lifshitz, Mechanics, 3rd ed. (1976), §5 problem 1",
    names=("theta1", "theta2", "omega1", "omega2"),
    roles=("angle", "angle", "angular_velocity", "angular_velocity"),
    flow=_double_pendulum_flow,
    sample=lambda rng, n: in_box(rng, n, (-1.8, 1.8), (-1.8, 1.8), (-1.2, 1.2), (-1.2, 1.2)),
    dt=0.1,
    laws={
        "E": lambda theta1, theta2, omega1, omega2: (
            omega1**2
            + omega2**2 / 2
            + omega1 * omega2 * np.cos(theta1 - theta2)
            - 2 * np.cos(theta1)
            - np.cos(theta2)
        )
    },
    count=1,
)


def _spherical_flow(
    theta: np.ndarray, phi: np.ndarray, omega_theta: np.ndarray, omega_phi: np.ndarray
) -> tuple:
    sin, cos = np.sin(theta), np.cos(theta)
    return (
        omega_theta,
        omega_phi,
        sin * cos * omega_phi**2 - sin,
        -2 * cos / sin * omega_theta * omega_phi,
    )


spherical_pendulum = System(
    name="spherical_pendulum",
    doc="Unit rod and mass, g = 1, theta measured from straight down; both senses of rotation. "
    "Runs that come within 0.25 of either vertical, where phi is singular, are drawn again.",
    equations="theta'' = sin(theta)*cos(theta)*phi'**2 - sin(theta), "
    "phi'' = -2*cos(theta)/sin(theta)*theta'*phi'",
    source="L. D. Landau and E. M. Lifshitz, Mechanics, 3rd ed. (1976), §14 problem 1",
    names=("theta", "phi", "omega_theta", "omega_phi"),
    roles=("angle", "angle", "angular_velocity", "angular_velocity"),
    flow=_spherical_flow,
    sample=lambda rng, n: (
        in_box(rng, n, (0.6, 2.0), (-np.pi, np.pi), (-0.8, 0.8), (0.6, 1.5))
        * np.stack([np.ones(n), np.ones(n), np.ones(n), signs(rng, n)], axis=1)
    ),
    dt=0.1,
    laws={
        "E": lambda theta, phi, omega_theta, omega_phi: (
            (omega_theta**2 + np.sin(theta) ** 2 * omega_phi**2) / 2 - np.cos(theta)
        ),
        "Lz": lambda theta, phi, omega_theta, omega_phi: np.sin(theta) ** 2 * omega_phi,
    },
    count=2,
    accept=lambda states: np.sin(states[..., 0]).min(axis=1) > np.sin(0.25),
)

central_force = System(
    name="central_force",
    doc="Particle in a plane in the potential r**4/4, any direction of motion.",
    equations="x' = u, y' = v, u' = -x*(x**2 + y**2), v' = -y*(x**2 + y**2)",
    source="L. D. Landau and E. M. Lifshitz, Mechanics, 3rd ed. (1976), §14",
    names=("x", "y", "u", "v"),
    roles=("position", "position", "velocity", "velocity"),
    flow=lambda x, y, u, v: (u, v, -x * (x**2 + y**2), -y * (x**2 + y**2)),
    sample=lambda rng, n: in_box(rng, n, (-1.3, 1.3), (-1.3, 1.3), (-1.2, 1.2), (-1.2, 1.2)),
    dt=0.12,
    laws={
        "E": lambda x, y, u, v: (u**2 + v**2) / 2 + (x**2 + y**2) ** 2 / 4,
        "L": lambda x, y, u, v: x * v - y * u,
    },
    count=2,
)

register(pendulum, duffing, henon_heiles, double_pendulum, spherical_pendulum, central_force)
