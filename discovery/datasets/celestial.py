"""One body in a field of gravity, in units with G = 1."""

from __future__ import annotations

import numpy as np

from discovery.datasets.initial_states import kepler_orbit, kepler_orbit_3d
from discovery.datasets.system import System, register

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


def _kepler_3d_flow(*s: np.ndarray) -> tuple:
    x, y, z, u, v, w = s
    cubed = (x**2 + y**2 + z**2) ** 1.5
    return u, v, w, -x / cubed, -y / cubed, -z / cubed


def _angular_momentum(*s: np.ndarray) -> np.ndarray:
    """Return L = r × v, (3, ...)."""
    return np.cross(s[:3], s[3:], axis=0)


def _laplace_runge_lenz(*s: np.ndarray) -> np.ndarray:
    """Return A = v × L - r/|r|, (3, ...)."""
    position = np.stack(s[:3])
    pull = position / np.linalg.norm(position, axis=0)
    return np.cross(s[3:], _angular_momentum(*s), axis=0) - pull


kepler_3d = System(
    name="kepler_3d",
    doc="The orbits of kepler, in planes of any orientation.",
    equations="x' = u, y' = v, z' = w, u' = -x/r**3, v' = -y/r**3, w' = -z/r**3",
    source=_LANDAU,
    names=("x", "y", "z", "u", "v", "w"),
    roles=("position",) * 3 + ("velocity",) * 3,
    flow=_kepler_3d_flow,
    sample=lambda rng, n: kepler_orbit_3d(rng, n, (0.9, 1.4), (0.05, 0.6)),
    dt=0.1,
    laws={
        "E": lambda *s: sum(w**2 for w in s[3:]) / 2 - 1 / np.sqrt(sum(q**2 for q in s[:3])),
        "Lx": lambda *s: _angular_momentum(*s)[0],
        "Ly": lambda *s: _angular_momentum(*s)[1],
        "Lz": lambda *s: _angular_momentum(*s)[2],
        "Ax": lambda *s: _laplace_runge_lenz(*s)[0],
        "Ay": lambda *s: _laplace_runge_lenz(*s)[1],
        "Az": lambda *s: _laplace_runge_lenz(*s)[2],
    },
    count=5,
)

# Mass of the lighter of the two bodies, as a fraction of both.
_MU = 0.1


def _to_primaries(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.hypot(x + _MU, y), np.hypot(x - 1 + _MU, y)


def _restricted_flow(x: np.ndarray, y: np.ndarray, u: np.ndarray, v: np.ndarray) -> tuple:
    r1, r2 = _to_primaries(x, y)
    heavy, light = (1 - _MU) / r1**3, _MU / r2**3
    return (
        u,
        v,
        2 * v + x - heavy * (x + _MU) - light * (x - 1 + _MU),
        -2 * u + y - (heavy + light) * y,
    )


def _jacobi(x: np.ndarray, y: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    r1, r2 = _to_primaries(x, y)
    return x**2 + y**2 + 2 * (1 - _MU) / r1 + 2 * _MU / r2 - u**2 - v**2


def _restricted_states(rng: np.random.Generator, n: int) -> np.ndarray:
    """Orbits about the heavier body, seen from the frame that turns with both."""
    x, y, u, v = kepler_orbit(rng, n, (0.3, 0.5), (0.0, 0.3), mu=1 - _MU).T
    return np.stack([x - _MU, y, u + y, v - x], axis=1)


def _away_from_primaries(states: np.ndarray) -> np.ndarray:
    return np.min(_to_primaries(states[..., 0], states[..., 1]), axis=(0, 2)) > 0.12


restricted_three_body = System(
    name="restricted_three_body",
    doc="A light body in the rotating frame of two bodies on circular orbits, mass ratio 0.1. "
    "Strongly perturbed orbits about the heavier one, both senses; near passes are drawn again.",
    equations="x'' = 2*y' + dU/dx, y'' = -2*x' + dU/dy, "
    "U = (x**2 + y**2)/2 + 0.9/r1 + 0.1/r2, r1 from (-0.1, 0), r2 from (0.9, 0)",
    source="V. Szebehely, Theory of Orbits (1967), §1.5",
    names=("x", "y", "u", "v"),
    roles=("position", "position", "velocity", "velocity"),
    flow=_restricted_flow,
    sample=_restricted_states,
    dt=0.04,
    laws={"C": _jacobi},
    count=1,
    accept=_away_from_primaries,
)

# Strengths of two fixed centres at x = ±_HALF.
_LEFT, _RIGHT, _HALF = 0.83, 0.47, 1.0


def _to_centres(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.hypot(x + _HALF, y), np.hypot(x - _HALF, y)


def _centres_flow(x: np.ndarray, y: np.ndarray, u: np.ndarray, v: np.ndarray) -> tuple:
    r1, r2 = _to_centres(x, y)
    left, right = _LEFT / r1**3, _RIGHT / r2**3
    return u, v, -left * (x + _HALF) - right * (x - _HALF), -(left + right) * y


def _erikson_hill(x: np.ndarray, y: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return L1 L2 of the angular momenta about the centres, and what their pull adds."""
    r1, r2 = _to_centres(x, y)
    spins = ((x + _HALF) * v - y * u) * ((x - _HALF) * v - y * u)
    return spins + 2 * _HALF * (_LEFT * (x + _HALF) / r1 - _RIGHT * (x - _HALF) / r2)


two_centres = System(
    name="two_centres",
    doc="A body in the plane of two fixed centres, 0.83 at x = -1 and 0.47 at x = 1: orbits about "
    "both, in either sense, no nearer to a centre than 0.3.",
    equations="x' = u, y' = v, u' = -0.83*(x + 1)/r1**3 - 0.47*(x - 1)/r2**3, "
    "v' = -(0.83/r1**3 + 0.47/r2**3)*y",
    source="L. Euler (1760); H. A. Erikson and E. L. Hill, Phys. Rev. 75, 29 (1949)",
    names=("x", "y", "u", "v"),
    roles=("position", "position", "velocity", "velocity"),
    flow=_centres_flow,
    sample=lambda rng, n: kepler_orbit(rng, n, (2.0, 3.2), (0.0, 0.3), mu=_LEFT + _RIGHT),
    dt=0.15,
    laws={
        "E": lambda x, y, u, v: (
            (u**2 + v**2) / 2 - _LEFT / _to_centres(x, y)[0] - _RIGHT / _to_centres(x, y)[1]
        ),
        "G": _erikson_hill,
    },
    count=2,
    accept=lambda states: np.min(_to_centres(states[..., 0], states[..., 1]), axis=(0, 2)) > 0.3,
)

register(kepler, kepler_3d, restricted_three_body, two_centres)
