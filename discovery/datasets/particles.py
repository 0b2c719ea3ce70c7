"""Particles on a line and in the plane that act on each other in pairs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from discovery.datasets.initial_states import in_box
from discovery.datasets.system import System, register

# Squared couplings of the particles on the line.
_RATIONAL, _TRIGONOMETRIC = 0.61, 0.37


def _gaps(q: np.ndarray) -> np.ndarray:
    """Return q_i − q_j, (N, N, ...), and no small number on the diagonal."""
    gaps = q[:, None] - q[None]
    index = np.arange(len(q))
    gaps[index, index] = 1e9
    return gaps


def _lax(q: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Return Moser's Lax matrix L = diag(p) + i g/(q_i − q_j), (..., N, N)."""
    matrix = 1j * np.sqrt(_RATIONAL) / _gaps(q)
    index = np.arange(len(q))
    matrix[index, index] = p
    return np.moveaxis(matrix, (0, 1), (-2, -1))


def _traces(*s: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return tr Lᵏ for k = 1, 2, 3 and tr Q Lᵏ⁻¹."""
    q, p = np.stack(s[:3]), np.stack(s[3:])
    lax = _lax(q, p)
    powers = [lax, lax @ lax, lax @ lax @ lax]
    traces = [np.trace(power, axis1=-2, axis2=-1).real for power in powers]
    diagonals = [np.ones_like(p), *(np.einsum("...ii->i...", power).real for power in powers[:2])]
    return traces, [(q * diagonal).sum(0) for diagonal in diagonals]


def _calogero_flow(*s: np.ndarray) -> tuple:
    q = np.stack(s[:3])
    return (*s[3:], *(2 * _RATIONAL / _gaps(q) ** 3).sum(1))


def _calogero_mixed(k: int) -> Callable[..., np.ndarray]:
    def law(*s: np.ndarray) -> np.ndarray:
        traces, moments = _traces(*s)
        return moments[0] * traces[k - 1] - moments[k - 1] * traces[0]

    return law


calogero = System(
    name="calogero",
    doc="Three particles on a line that repel each other as 1/d**3, coupling 0.61: they come "
    "together and part. All five laws are rational.",
    equations="q_i' = p_i, p_i' = sum over j of 1.22/(q_i - q_j)**3",
    source="F. Calogero, J. Math. Phys. 12, 419 (1971); S. Wojciechowski, Phys. Lett. A 95, 279 "
    "(1983)",
    names=("q1", "q2", "q3", "p1", "p2", "p3"),
    roles=("position",) * 3 + ("momentum",) * 3,
    flow=_calogero_flow,
    sample=lambda rng, n: in_box(
        rng, n, (-1.7, -1.0), (-0.3, 0.3), (1.0, 1.7), (0, 1.2), (-0.6, 0.6), (-1.2, 0)
    ),
    dt=0.02,
    laws={
        "P": lambda *s: _traces(*s)[0][0],
        "E": lambda *s: _traces(*s)[0][1] / 2,
        "I3": lambda *s: _traces(*s)[0][2] / 3,
        "K2": _calogero_mixed(2),
        "K3": _calogero_mixed(3),
    },
    count=5,
)


def _sutherland_flow(*s: np.ndarray) -> tuple:
    gaps = _gaps(np.stack(s[:3]))
    index = np.arange(3)
    gaps[index, index] = np.pi / 2
    force = 2 * _TRIGONOMETRIC * np.cos(gaps) / np.sin(gaps) ** 3
    return (*s[3:], *force.sum(1))


def _sutherland_pairs(*s: np.ndarray) -> list[tuple[int, int, np.ndarray]]:
    return [(i, j, _TRIGONOMETRIC / np.sin(s[i] - s[j]) ** 2) for i, j in ((0, 1), (0, 2), (1, 2))]


sutherland = System(
    name="sutherland",
    doc="Three particles on a circle of half-turns that repel each other as 1/sin(d)**2, coupling "
    "0.37; they swing about equal distances.",
    equations="q_i' = p_i, p_i' = sum over j of 0.74*cos(q_i - q_j)/sin(q_i - q_j)**3",
    source="B. Sutherland, Phys. Rev. A 5, 1372 (1972)",
    names=("q1", "q2", "q3", "p1", "p2", "p3"),
    roles=("position",) * 3 + ("momentum",) * 3,
    flow=_sutherland_flow,
    sample=lambda rng, n: in_box(rng, n, (-0.3, 0.3), (0.8, 1.3), (1.8, 2.3), *[(-0.6, 0.6)] * 3),
    dt=0.04,
    laws={
        "P": lambda *s: s[3] + s[4] + s[5],
        "E": lambda *s: (
            sum(p**2 for p in s[3:]) / 2 + sum(pair for _, _, pair in _sutherland_pairs(*s))
        ),
        "I3": lambda *s: (
            sum(p**3 for p in s[3:]) / 3
            + sum((s[3 + i] + s[3 + j]) * pair for i, j, pair in _sutherland_pairs(*s))
        ),
    },
    count=3,
)

# Masses of six bodies, and the squared length that softens their pull.
_MASSES = np.array([1.0, 0.57, 1.31, 0.83, 1.13, 0.71])
_SOFT = 0.0625


def _plane(s: tuple, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    return tuple(np.stack(s[k * n : (k + 1) * n]) for k in range(4))


def _squares(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return x_i − x_j, y_i − y_j and the squared distances, (N, N, ...)."""
    dx, dy = x[:, None] - x[None], y[:, None] - y[None]
    return dx, dy, dx**2 + dy**2


def _six_flow(*s: np.ndarray) -> tuple:
    x, y, u, v = _plane(s, 6)
    dx, dy, squares = _squares(x, y)
    pull = np.tensordot(_MASSES, np.stack([dx, dy]) / (squares + _SOFT) ** 1.5, (0, 1))
    return (*u, *v, *pull[0], *pull[1])


def _six_states(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw a ring that turns, with all else at random, and a centre that moves."""
    angle = np.arange(6) * np.pi / 3 + rng.normal(0, 0.2, (n, 6))
    radius = rng.uniform(1.3, 2.2, (n, 6))
    u, v = rng.normal(0, 0.25, (2, n, 6))
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    return np.hstack([x, y, u - np.sin(angle), v + np.cos(angle)])


def _plane_laws(
    masses: np.ndarray, potential: Callable[[np.ndarray], np.ndarray]
) -> dict[str, Callable[..., np.ndarray]]:
    """Return energy, momenta, angular momentum and R × P of bodies in the plane."""
    n = len(masses)

    def momenta(*s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return tuple(np.tensordot(masses, part, 1) for part in _plane(s, n)[2:])

    def energy(*s: np.ndarray) -> np.ndarray:
        x, y, u, v = _plane(s, n)
        return np.tensordot(masses, u**2 + v**2, 1) / 2 + potential(_squares(x, y)[2])

    def spin(*s: np.ndarray) -> np.ndarray:
        x, y, u, v = _plane(s, n)
        return np.tensordot(masses, x * v - y * u, 1)

    def centre(*s: np.ndarray) -> np.ndarray:
        x, y, _, _ = _plane(s, n)
        px, py = momenta(*s)
        return np.tensordot(masses, x, 1) * py - np.tensordot(masses, y, 1) * px

    return {
        "E": energy,
        "Px": lambda *s: momenta(*s)[0],
        "Py": lambda *s: momenta(*s)[1],
        "L": spin,
        "K": centre,
    }


def _softened(squares: np.ndarray) -> np.ndarray:
    i, j = np.triu_indices(6, 1)
    weights = (_MASSES[i] * _MASSES[j]).reshape(-1, *[1] * (squares.ndim - 2))
    return -(weights / np.sqrt(squares[i, j] + _SOFT)).sum(0)


six_bodies = System(
    name="six_bodies",
    doc="Six bodies of masses 1, 0.57, 1.31, 0.83, 1.13, 0.71 in a plane, whose pull is softened "
    "over the length 1/4; they start from a ring that turns.",
    equations="r_i'' = sum over j of m_j*(r_j - r_i)/(|r_j - r_i|**2 + 1/16)**(3/2)",
    source="S. J. Aarseth, Mon. Not. R. Astron. Soc. 126, 223 (1963)",
    names=tuple(f"{letter}{i}" for letter in "xyuv" for i in range(1, 7)),
    roles=("position",) * 12 + ("velocity",) * 12,
    flow=_six_flow,
    sample=_six_states,
    dt=0.04,
    laws=_plane_laws(_MASSES, _softened),
    count=5,
)


def _atoms_flow(*s: np.ndarray) -> tuple:
    x, y, u, v = _plane(s, 4)
    dx, dy, squares = _squares(x, y)
    index = np.arange(4)
    squares[index, index] = 1e9
    push = 24 * (2 / squares**7 - 1 / squares**4)
    return (*u, *v, *(push * dx).sum(1), *(push * dy).sum(1))


def _atoms_states(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw a cluster near its rest, a rhombus, turned, warm and moving."""
    long = np.sqrt(3) / 2
    x, y = (2 ** (1 / 6) * np.array(side) for side in ([-0.5, 0.5, 0, 0], [0, 0, long, -long]))
    x, y = x + rng.normal(0, 0.02, (n, 4)), y + rng.normal(0, 0.02, (n, 4))
    turn = rng.uniform(0, 2 * np.pi, (n, 1))
    u, v = rng.normal(0, 0.35, (2, n, 4)) + rng.normal(0, 0.3, (2, n, 1))
    cos, sin = np.cos(turn), np.sin(turn)
    return np.hstack([cos * x - sin * y, sin * x + cos * y, u, v])


def _together(states: np.ndarray) -> np.ndarray:
    squares = _squares(*(np.moveaxis(states[..., k : k + 4], -1, 0) for k in (0, 4)))[2]
    return squares.max(axis=(0, 1, 3)) < 9


def _lennard_jones(squares: np.ndarray) -> np.ndarray:
    i, j = np.triu_indices(4, 1)
    return 4 * (1 / squares[i, j] ** 6 - 1 / squares[i, j] ** 3).sum(0)


lennard_jones_cluster = System(
    name="lennard_jones_cluster",
    doc="Four equal atoms in a plane with Lennard-Jones forces, sigma = epsilon = 1: a warm "
    "cluster that turns, vibrates and moves as a whole.",
    equations="r_i'' = -grad_i V, V = sum over pairs of 4*(1/d**12 - 1/d**6)",
    source="J. E. Jones, Proc. R. Soc. A 106, 463 (1924)",
    names=tuple(f"{letter}{i}" for letter in "xyuv" for i in range(1, 5)),
    roles=("position",) * 8 + ("velocity",) * 8,
    flow=_atoms_flow,
    sample=_atoms_states,
    dt=0.03,
    laws=_plane_laws(np.ones(4), _lennard_jones),
    count=5,
    accept=_together,
)

register(calogero, sutherland, six_bodies, lennard_jones_cluster)
