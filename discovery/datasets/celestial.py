"""Motion under Newton's gravity, with the gravitational constant and the masses 1."""

import numpy as np

from discovery.datasets.sampling import kepler_orbit
from discovery.datasets.system import System

_LANDAU = "L. D. Landau and E. M. Lifshitz, Mechanics, 3rd ed. (1976), §15"


def _kepler_flow(x: np.ndarray, y: np.ndarray, u: np.ndarray, v: np.ndarray) -> tuple:
    cubed = (x**2 + y**2) ** 1.5
    return u, v, -x / cubed, -y / cubed


kepler = System(
    name="kepler",
    doc="Planar orbits about a fixed centre, GM = 1: semi-major axis 0.9 to 1.4, eccentricity 0.05 "
    "to 0.6, any orientation and phase, both senses.",
    equations="x' = u, y' = v, u' = -x/r**3, v' = -y/r**3, r = sqrt(x**2 + y**2)",
    source=_LANDAU,
    names=("x", "y", "u", "v"),
    roles=("position", "position", "velocity", "velocity"),
    flow=_kepler_flow,
    sample=lambda rng, n: kepler_orbit(rng, n, (0.9, 1.4), (0.05, 0.6)),
    dt=0.1,
    laws={
        "E": lambda x, y, u, v: (u**2 + v**2) / 2 - 1 / np.hypot(x, y),
        "L": lambda x, y, u, v: x * v - y * u,
        # The Laplace-Runge-Lenz vector; its length depends on E and L, its direction does not.
        "Ax": lambda x, y, u, v: v * (x * v - y * u) - x / np.hypot(x, y),
        "Ay": lambda x, y, u, v: -u * (x * v - y * u) - y / np.hypot(x, y),
    },
    count=3,
)


def _pairs(columns: tuple) -> tuple:
    """Distances r12, r13, r23 of (x1, y1, x2, y2, x3, y3)."""
    x1, y1, x2, y2, x3, y3 = columns
    return np.hypot(x1 - x2, y1 - y2), np.hypot(x1 - x3, y1 - y3), np.hypot(x2 - x3, y2 - y3)


def _three_body_flow(*columns: np.ndarray) -> tuple:
    position = np.stack(columns[:6], axis=-1)
    position = position.reshape(*position.shape[:-1], 3, 2)
    gap = position[..., None, :, :] - position[..., :, None, :]
    squared = (gap**2).sum(-1) + np.eye(3)  # a body's own gap is 0: any divisor serves
    pull = (gap / squared[..., None] ** 1.5).sum(-2)
    return (*columns[6:], *np.moveaxis(pull.reshape(*pull.shape[:-2], 6), -1, 0))


def _three_body_states(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw a binary and a third body about it, which is which at random, drifting as a whole."""
    inner = kepler_orbit(rng, n, (0.9, 1.2), (0.0, 0.4), mu=2.0)
    outer = kepler_orbit(rng, n, (3.6, 4.4), (0.0, 0.2), mu=3.0)
    centre = np.hstack([rng.uniform(-1.0, 1.0, (n, 2)), rng.uniform(-0.2, 0.2, (n, 2))])
    bodies = np.stack([-outer / 3 + inner / 2, -outer / 3 - inner / 2, 2 * outer / 3], axis=1)
    order = np.argsort(rng.random((n, 3)), axis=1)
    bodies = np.take_along_axis(bodies, order[:, :, None], axis=1) + centre[:, None, :]
    return np.hstack([bodies[:, :, :2].reshape(n, 6), bodies[:, :, 2:].reshape(n, 6)])


def _no_close_encounter(states: np.ndarray) -> np.ndarray:
    return np.min(_pairs(np.moveaxis(states[..., :6], -1, 0)), axis=(0, 2)) > 0.4


def _centre_angular_momentum(*s: np.ndarray) -> np.ndarray:
    x, y = (s[0] + s[2] + s[4]) / 3, (s[1] + s[3] + s[5]) / 3
    return x * (s[7] + s[9] + s[11]) - y * (s[6] + s[8] + s[10])


three_body = System(
    name="three_body",
    doc="Three equal masses in a plane: a binary and a third body about it, in either sense, "
    "with random total momentum. Runs with bodies nearer than 0.4 are drawn again.",
    equations="r_i'' = sum over j of (r_j - r_i)/|r_j - r_i|**3",
    source="K. F. Sundman, Acta Math. 36, 105 (1913)",
    names=("x1", "y1", "x2", "y2", "x3", "y3", "u1", "v1", "u2", "v2", "u3", "v3"),
    roles=("position",) * 6 + ("velocity",) * 6,
    flow=_three_body_flow,
    sample=_three_body_states,
    dt=0.12,
    laws={
        "E": lambda *s: sum(w**2 for w in s[6:]) / 2 - sum(1 / r for r in _pairs(s[:6])),
        "Px": lambda *s: s[6] + s[8] + s[10],
        "Py": lambda *s: s[7] + s[9] + s[11],
        "L": lambda *s: sum(s[i] * s[i + 7] - s[i + 1] * s[i + 6] for i in (0, 2, 4)),
        # The centre of mass moves on a straight line: R × P, a time-independent law.
        "K": _centre_angular_momentum,
    },
    count=5,
    accept=_no_close_encounter,
)

SYSTEMS = (kepler, three_body)
