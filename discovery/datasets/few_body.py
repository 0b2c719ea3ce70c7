"""Two and three bodies that attract each other by gravity, in units with G = 1."""

from __future__ import annotations

import numpy as np

from discovery.datasets.initial_states import kepler_orbit
from discovery.datasets.system import System, register

# Masses of the two bodies.
_M1, _M2 = 1.0, 0.5
_M = _M1 + _M2


def _two_body_flow(*s: np.ndarray) -> tuple:
    x1, y1, x2, y2, u1, v1, u2, v2 = s
    cubed = np.hypot(x2 - x1, y2 - y1) ** 3
    ax, ay = (x2 - x1) / cubed, (y2 - y1) / cubed
    return u1, v1, u2, v2, _M2 * ax, _M2 * ay, -_M1 * ax, -_M1 * ay


def _two_body_states(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw a relative orbit as in kepler and a centre of mass that moves."""
    relative = kepler_orbit(rng, n, (0.9, 1.4), (0.05, 0.6), mu=_M)
    centre = np.hstack([rng.uniform(-1.0, 1.0, (n, 2)), rng.uniform(-0.2, 0.2, (n, 2))])
    first, second = centre - _M2 / _M * relative, centre + _M1 / _M * relative
    return np.hstack([first[:, :2], second[:, :2], first[:, 2:], second[:, 2:]])


def _two_body_momentum(*s: np.ndarray) -> tuple:
    return _M1 * s[4] + _M2 * s[6], _M1 * s[5] + _M2 * s[7]


def _two_body_centre(*s: np.ndarray) -> np.ndarray:
    px, py = _two_body_momentum(*s)
    return (_M1 * s[0] + _M2 * s[2]) / _M * py - (_M1 * s[1] + _M2 * s[3]) / _M * px


def _two_body_lrl(*s: np.ndarray) -> tuple:
    """Laplace-Runge-Lenz vector of the relative motion."""
    x, y, u, v = s[2] - s[0], s[3] - s[1], s[6] - s[4], s[7] - s[5]
    spin, r = x * v - y * u, np.hypot(x, y)
    return v * spin - _M * x / r, -u * spin - _M * y / r


two_body = System(
    name="two_body",
    doc="Masses 1 and 1/2 in a plane, relative orbits as in kepler, random total momentum. While "
    "the centre moves there is a seventh law, transcendental in the mean anomaly: not counted.",
    equations="r1'' = 1/2*(r2 - r1)/r**3, r2'' = (r1 - r2)/r**3, r = |r1 - r2|",
    source="L. D. Landau and E. M. Lifshitz, Mechanics, 3rd ed. (1976), §13 and §15",
    names=("x1", "y1", "x2", "y2", "u1", "v1", "u2", "v2"),
    roles=("position",) * 4 + ("velocity",) * 4,
    flow=_two_body_flow,
    sample=_two_body_states,
    dt=0.09,
    laws={
        "E": lambda *s: (
            _M1 * (s[4] ** 2 + s[5] ** 2) / 2
            + _M2 * (s[6] ** 2 + s[7] ** 2) / 2
            - _M1 * _M2 / np.hypot(s[0] - s[2], s[1] - s[3])
        ),
        "Px": lambda *s: _two_body_momentum(*s)[0],
        "Py": lambda *s: _two_body_momentum(*s)[1],
        "L": lambda *s: _M1 * (s[0] * s[5] - s[1] * s[4]) + _M2 * (s[2] * s[7] - s[3] * s[6]),
        # The centre of mass moves on a straight line: R × P, a time-independent law.
        "K": _two_body_centre,
        "Ax": lambda *s: _two_body_lrl(*s)[0],
        "Ay": lambda *s: _two_body_lrl(*s)[1],
    },
    count=6,
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
        "K": _centre_angular_momentum,
    },
    count=5,
    accept=_no_close_encounter,
)

register(two_body, three_body)
