"""Vortices in a fluid and charges in a magnetic field."""

from __future__ import annotations

import numpy as np

from discovery.datasets.initial_states import directions, in_box, rejection
from discovery.datasets.system import System, register


def _gaps(s: tuple) -> tuple[np.ndarray, np.ndarray]:
    """x_i - x_j and y_i - y_j of four vortices, (4, 4, ...) each."""
    x, y = np.stack(s[:4]), np.stack(s[4:])
    return x[:, None] - x, y[:, None] - y


def _vortex_flow(*s: np.ndarray) -> tuple:
    dx, dy = _gaps(s)
    squared = dx**2 + dy**2
    squared[range(4), range(4)] = 1.0  # a vortex's own gap is 0: any divisor serves
    return (*(-dy / squared).sum(axis=1), *(dx / squared).sum(axis=1))


def _vortex_energy(*s: np.ndarray) -> np.ndarray:
    dx, dy = _gaps(s)
    pairs = np.triu_indices(4, k=1)
    return -np.log(dx[pairs] ** 2 + dy[pairs] ** 2).sum(axis=0) / 2


def _nearest(states: np.ndarray) -> np.ndarray:
    """Least distance between vortices, (..., 8) -> (...)."""
    dx, dy = _gaps(tuple(np.moveaxis(states, -1, 0)))
    pairs = np.triu_indices(4, k=1)
    return np.hypot(dx[pairs], dy[pairs]).min(axis=0)


point_vortices = System(
    name="point_vortices",
    doc="Four vortices of circulation 2π in a plane, starting at least 0.8 apart. Runs in which "
    "two come nearer than 0.5 are drawn again.",
    equations="x_i' = -sum (y_i - y_j)/r_ij**2, y_i' = sum (x_i - x_j)/r_ij**2",
    source="H. Aref, Annu. Rev. Fluid Mech. 15, 345 (1983)",
    names=("x1", "x2", "x3", "x4", "y1", "y2", "y3", "y4"),
    roles=("position",) * 8,
    flow=_vortex_flow,
    sample=lambda rng, n: rejection(
        rng, n, lambda rng, m: in_box(rng, m, *[(-1.5, 1.5)] * 8), lambda s: _nearest(s) > 0.8
    ),
    dt=0.05,
    laws={
        "H": _vortex_energy,
        "X": lambda *s: sum(s[:4]),
        "Y": lambda *s: sum(s[4:]),
        "I": lambda *s: sum(q**2 for q in s),
    },
    count=4,
    accept=lambda states: (_nearest(states) > 0.5).all(axis=1),
)

charged_particle = System(
    name="charged_particle",
    doc="Charge in a plane across a uniform magnetic field, charge over mass and field 1: circles "
    "anywhere, of any size.",
    equations="x' = u, y' = v, u' = v, v' = -u",
    source="F. F. Chen, Introduction to Plasma Physics and Controlled Fusion (1984), §2.2",
    names=("x", "y", "u", "v"),
    roles=("position", "position", "velocity", "velocity"),
    flow=lambda x, y, u, v: (u, v, v, -u),
    sample=lambda rng, n: in_box(rng, n, (-1, 1), (-1, 1), (-1, 1), (-1, 1)),
    dt=0.15,
    laws={
        "E": lambda x, y, u, v: (u**2 + v**2) / 2,
        "Px": lambda x, y, u, v: u - y,
        "Py": lambda x, y, u, v: v + x,
    },
    count=3,
)

# Squared length over which the mirror's field doubles along its axis.
_LENGTH2 = 9.0


def _mirror_flow(*s: np.ndarray) -> tuple:
    x, y, z, u, v, w = s
    bx, by = -x * z / _LENGTH2, -y * z / _LENGTH2
    bz = 1 + (z**2 - (x**2 + y**2) / 2) / _LENGTH2
    return u, v, w, v * bz - w * by, w * bx - u * bz, u * by - v * bx


def _mirror_momentum(*s: np.ndarray) -> np.ndarray:
    x, y, z, u, v, _ = s
    squared = x**2 + y**2
    return x * v - y * u + squared / 2 * (1 + (z**2 - squared / 4) / _LENGTH2)


magnetic_mirror = System(
    name="magnetic_mirror",
    doc="Charge trapped between magnetic mirrors, a field without currents that doubles 3 from the "
    "centre. Gyration radius 0.2 to 0.6: the magnetic moment is only nearly conserved.",
    equations="v' = v × B, B = (-x*z, -y*z, 9 + z**2 - (x**2 + y**2)/2)/9",
    source="F. F. Chen, Introduction to Plasma Physics and Controlled Fusion (1984), §2.3.3",
    names=("x", "y", "z", "u", "v", "w"),
    roles=("position",) * 3 + ("velocity",) * 3,
    flow=_mirror_flow,
    sample=lambda rng, n: np.hstack(
        [
            in_box(rng, n, (-0.8, 0.8), (-0.8, 0.8), (-1.0, 1.0)),
            rng.uniform(0.25, 0.7, (n, 1)) * directions(rng, n, 3),
        ]
    ),
    dt=0.2,
    laws={"E": lambda *s: sum(w**2 for w in s[3:]) / 2, "Lz": _mirror_momentum},
    count=2,
)

register(point_vortices, charged_particle, magnetic_mirror)
