"""Heavy tops and bodies in a fluid: the equations of Euler and Poisson, and of Kirchhoff.

M is the angular momentum, γ the vertical seen from the body, p the momentum of body and fluid.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from discovery.datasets.initial_states import directions
from discovery.datasets.system import System, register

# Of the two bodies in a fluid: what multiplies M² and p² in the energy.
_CLEBSCH = np.array([0.53, 1.0, 1.72])
_TURNS, _MOVES = np.array([1.0, 1.0, 0.61]), np.array([0.83, 0.83, 1.47])
_NAMES = ("M1", "M2", "M3", "p1", "p2", "p3")
_ROLES = ("other",) * 6


def _halves(s: tuple) -> tuple[np.ndarray, np.ndarray]:
    return np.stack(s[:3]), np.stack(s[3:])


def _rows(weights: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Return weights (3,) in the shape of vectors (3, ...)."""
    return weights.reshape(3, *[1] * (like.ndim - 1))


def _kirchhoff_equations(
    momentum: np.ndarray, vector: np.ndarray, dm: np.ndarray, dp: np.ndarray
) -> tuple:
    """Return M' = M × ∂H/∂M + p × ∂H/∂p and p' = p × ∂H/∂M as six columns."""
    turning = np.cross(momentum, dm, axis=0) + np.cross(vector, dp, axis=0)
    return (*turning, *np.cross(vector, dm, axis=0))


def _dot(*s: np.ndarray) -> np.ndarray:
    momentum, vector = _halves(s)
    return (momentum * vector).sum(0)


def _square(*s: np.ndarray) -> np.ndarray:
    return (_halves(s)[1] ** 2).sum(0)


def _top_flow(stiffness: float) -> Callable[..., tuple]:
    """Return the flow of H = (M1² + M2² + stiffness M3²)/2 − γ1."""
    turns = np.array([1.0, 1.0, stiffness])
    pull = np.array([-1.0, 0.0, 0.0])

    def flow(*s: np.ndarray) -> tuple:
        momentum, vertical = _halves(s)
        dp = _rows(pull, vertical) + 0 * vertical
        return _kirchhoff_equations(momentum, vertical, _rows(turns, momentum) * momentum, dp)

    return flow


def _level_states(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw a vertical and an angular momentum at right angles to it."""
    vertical, momentum = directions(rng, n, 3), rng.normal(0, 1, (n, 3))
    momentum -= (momentum * vertical).sum(1, keepdims=True) * vertical
    return np.hstack([momentum, vertical])


goryachev_chaplygin = System(
    name="goryachev_chaplygin",
    doc="A heavy top with moments of inertia 4 : 4 : 1, its angular momentum level: M·γ = 0 in "
    "all runs, and |γ| = 1; neither is counted.",
    equations="M' = M x w + e1 x g, g' = g x w, w = (M1, M2, 4*M3)",
    source="D. N. Goryachev, Mat. Sb. 21, 431 (1900); S. A. Chaplygin, Tr. Otd. Fiz. Nauk 12, 1 "
    "(1904)",
    names=("M1", "M2", "M3", "g1", "g2", "g3"),
    roles=_ROLES,
    flow=_top_flow(4.0),
    sample=_level_states,
    dt=0.06,
    laws={
        "E": lambda *s: (s[0] ** 2 + s[1] ** 2 + 4 * s[2] ** 2) / 2 - s[3],
        "G": lambda *s: s[2] * (s[0] ** 2 + s[1] ** 2) + s[0] * s[5],
    },
    count=2,
)

kovalevskaya = System(
    name="kovalevskaya",
    doc="A heavy top with moments of inertia 2 : 2 : 1 and its centre of mass in the plane of the "
    "equal ones. |γ| = 1 in all runs is not counted.",
    equations="M' = M x w + e1 x g, g' = g x w, w = (M1, M2, 2*M3)",
    source="S. Kowalevski, Acta Math. 12, 177 (1889)",
    names=("M1", "M2", "M3", "g1", "g2", "g3"),
    roles=_ROLES,
    flow=_top_flow(2.0),
    sample=lambda rng, n: np.hstack([rng.normal(0, 1, (n, 3)), directions(rng, n, 3)]),
    dt=0.06,
    laws={
        "E": lambda *s: (s[0] ** 2 + s[1] ** 2 + 2 * s[2] ** 2) / 2 - s[3],
        "J": _dot,
        "K": lambda *s: ((s[0] ** 2 - s[1] ** 2) / 2 + s[3]) ** 2 + (s[0] * s[1] + s[4]) ** 2,
    },
    count=3,
)


def _clebsch_flow(*s: np.ndarray) -> tuple:
    momentum, vector = _halves(s)
    return _kirchhoff_equations(momentum, vector, momentum, _rows(_CLEBSCH, vector) * vector)


def _clebsch_fourth(*s: np.ndarray) -> np.ndarray:
    momentum, vector = _halves(s)
    inverse = _rows(_CLEBSCH.prod() / _CLEBSCH, vector)
    return (_rows(_CLEBSCH, momentum) * momentum**2 - inverse * vector**2).sum(0)


clebsch = System(
    name="clebsch",
    doc="A body in an ideal fluid, moments of inertia equal, a = 0.53, 1, 1.72: Clebsch's case.",
    equations="M' = p x (a*p), p' = p x M",
    source="A. Clebsch, Math. Ann. 3, 238 (1871)",
    names=_NAMES,
    roles=_ROLES,
    flow=_clebsch_flow,
    sample=lambda rng, n: rng.normal(0, 1, (n, 6)),
    dt=0.06,
    laws={
        "E": lambda *s: (
            (_halves(s)[0] ** 2 + _rows(_CLEBSCH, _halves(s)[1]) * _halves(s)[1] ** 2).sum(0) / 2
        ),
        "J": _dot,
        "p2": _square,
        "K": _clebsch_fourth,
    },
    count=4,
)


def _kirchhoff_flow(*s: np.ndarray) -> tuple:
    momentum, vector = _halves(s)
    return _kirchhoff_equations(
        momentum, vector, _rows(_TURNS, momentum) * momentum, _rows(_MOVES, vector) * vector
    )


kirchhoff = System(
    name="kirchhoff",
    doc="A body of revolution in an ideal fluid: H = (M1² + M2² + 0.61 M3² + 0.83 (p1² + p2²) + "
    "1.47 p3²)/2.",
    equations="M' = M x dH/dM + p x dH/dp, p' = p x dH/dM",
    source="G. Kirchhoff, J. Reine Angew. Math. 71, 237 (1870)",
    names=_NAMES,
    roles=_ROLES,
    flow=_kirchhoff_flow,
    sample=lambda rng, n: rng.normal(0, 1, (n, 6)),
    dt=0.06,
    laws={
        "E": lambda *s: (
            (
                _rows(_TURNS, _halves(s)[0]) * _halves(s)[0] ** 2
                + _rows(_MOVES, _halves(s)[1]) * _halves(s)[1] ** 2
            ).sum(0)
            / 2
        ),
        "J": _dot,
        "p2": _square,
        "M3": lambda *s: s[2],
    },
    count=4,
)

register(goryachev_chaplygin, kovalevskaya, clebsch, kirchhoff)
