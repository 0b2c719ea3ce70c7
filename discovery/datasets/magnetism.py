"""A charge in the fields of a magnetic monopole and of a straight current."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from discovery.datasets.initial_states import in_box, kepler_orbit_3d
from discovery.datasets.system import System, register

# Strength of the monopole, and of the current: charge and mass are 1.
_POLE, _CURRENT = 0.43, 0.83


def _split(s: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return position and velocity, (3, ...), and the distance."""
    position, velocity = np.stack(s[:3]), np.stack(s[3:])
    return position, velocity, np.linalg.norm(position, axis=0)


def _monopole_flow(*s: np.ndarray) -> tuple:
    position, velocity, r = _split(s)
    force = _POLE * np.cross(velocity, position, axis=0) / r**3
    force += position * (_POLE**2 / r**4 - 1 / r**3)
    return (*velocity, *force)


def _poincare(*s: np.ndarray) -> np.ndarray:
    """Return r × v − g r/|r|, (3, ...)."""
    position, velocity, r = _split(s)
    return np.cross(position, velocity, axis=0) - _POLE * position / r


def _monopole_lrl(*s: np.ndarray) -> np.ndarray:
    position, velocity, r = _split(s)
    return np.cross(velocity, _poincare(*s), axis=0) - position / r


def _component(of: Callable[..., np.ndarray], i: int) -> Callable[..., np.ndarray]:
    return lambda *s: of(*s)[i]


magnetic_monopole = System(
    name="magnetic_monopole",
    doc="A charge about a magnetic monopole of strength 0.43 that also attracts it, with the "
    "inverse cube that makes all orbits conics (MICZ-Kepler). Starts as in kepler_3d.",
    equations="r'' = 0.43*(r' x r)/|r|**3 - r/|r|**3 + 0.43**2*r/|r|**4",
    source="D. Zwanziger, Phys. Rev. 176, 1480 (1968)",
    names=("x", "y", "z", "u", "v", "w"),
    roles=("position",) * 3 + ("velocity",) * 3,
    flow=_monopole_flow,
    sample=lambda rng, n: kepler_orbit_3d(rng, n, (0.9, 1.4), (0.05, 0.5)),
    dt=0.08,
    laws={
        "E": lambda *s: (
            (s[3] ** 2 + s[4] ** 2 + s[5] ** 2) / 2
            - 1 / _split(s)[2]
            + _POLE**2 / (2 * _split(s)[2] ** 2)
        ),
        **{f"J{'xyz'[i]}": _component(_poincare, i) for i in range(3)},
        **{f"A{'xyz'[i]}": _component(_monopole_lrl, i) for i in range(3)},
    },
    count=5,
)


def _wire_flow(*s: np.ndarray) -> tuple:
    x, y, _, u, v, w = s
    squared = x**2 + y**2
    bx, by = -_CURRENT * y / squared, _CURRENT * x / squared
    return u, v, w, -w * by, w * bx, u * by - v * bx


def _wire_states(rng: np.random.Generator, n: int) -> np.ndarray:
    rho, angle, z, u, v, w = in_box(
        rng, n, (0.7, 1.5), (0, 2 * np.pi), (-0.5, 0.5), *[(-0.8, 0.8)] * 3
    ).T
    return np.stack([rho * np.cos(angle), rho * np.sin(angle), z, u, v, w], axis=1)


charged_wire = System(
    name="charged_wire",
    doc="A charge about a straight wire with a current: the field 0.83/rho runs in circles. "
    "Starts 0.7 to 1.5 from the wire.",
    equations="r'' = r' x B, B = 0.83*(-y, x, 0)/(x**2 + y**2)",
    source="J. Aguirre, A. Luque and D. Peralta-Salas, Physica D 239, 654 (2010)",
    names=("x", "y", "z", "u", "v", "w"),
    roles=("position",) * 3 + ("velocity",) * 3,
    flow=_wire_flow,
    sample=_wire_states,
    dt=0.08,
    laws={
        "E": lambda x, y, z, u, v, w: (u**2 + v**2 + w**2) / 2,
        "L": lambda x, y, z, u, v, w: x * v - y * u,
        "p": lambda x, y, z, u, v, w: w - _CURRENT * np.log(np.hypot(x, y)),
    },
    count=3,
)

register(magnetic_monopole, charged_wire)
