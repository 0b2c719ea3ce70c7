"""Linear oscillators."""

from __future__ import annotations

import numpy as np

from discovery.datasets.system import System, register

_LANDAU = "L. D. Landau and E. M. Lifshitz, Mechanics, 3rd ed. (1976), §21 and §23"
_PLANE = ("q1", "q2", "p1", "p2")
_PLANE_ROLES = ("position", "position", "momentum", "momentum")


def _modes(rng: np.random.Generator, n: int, frequencies: tuple[float, ...]) -> np.ndarray:
    """Independent amplitudes between 0.4 and 2 and random phases: (n, 2 modes), q before p."""
    amplitude = rng.uniform(0.4, 2.0, (n, len(frequencies)))
    phase = rng.uniform(0, 2 * np.pi, amplitude.shape)
    return np.hstack([amplitude * np.cos(phase), amplitude * np.sin(phase) * frequencies])


harmonic_oscillator = System(
    name="harmonic_oscillator",
    doc="Unit mass on a unit spring. Amplitude 0.4 to 2, random phase.",
    equations="q' = p, p' = -q",
    source=_LANDAU,
    names=("q", "p"),
    roles=("position", "momentum"),
    flow=lambda q, p: (p, -q),
    sample=lambda rng, n: _modes(rng, n, (1.0,)),
    dt=0.15,
    laws={"E": lambda q, p: (q**2 + p**2) / 2},
    count=1,
)

isotropic_oscillator = System(
    name="isotropic_oscillator",
    doc="Planar oscillator with equal frequencies. Independent amplitudes and phases.",
    equations="q1' = p1, q2' = p2, p1' = -q1, p2' = -q2",
    source="D. M. Fradkin, Am. J. Phys. 33, 207 (1965)",
    names=_PLANE,
    roles=_PLANE_ROLES,
    flow=lambda q1, q2, p1, p2: (p1, p2, -q1, -q2),
    sample=lambda rng, n: _modes(rng, n, (1.0, 1.0)),
    dt=0.15,
    laws={
        "E1": lambda q1, q2, p1, p2: (q1**2 + p1**2) / 2,
        "E2": lambda q1, q2, p1, p2: (q2**2 + p2**2) / 2,
        "L": lambda q1, q2, p1, p2: q1 * p2 - q2 * p1,
        "A12": lambda q1, q2, p1, p2: q1 * q2 + p1 * p2,
    },
    count=3,
)

anisotropic_oscillator = System(
    name="anisotropic_oscillator",
    doc="Planar oscillator with frequencies 1 and √2: no closed orbits, no angular momentum.",
    equations="q1' = p1, q2' = p2, p1' = -q1, p2' = -2*q2",
    source=_LANDAU,
    names=_PLANE,
    roles=_PLANE_ROLES,
    flow=lambda q1, q2, p1, p2: (p1, p2, -q1, -2 * q2),
    sample=lambda rng, n: _modes(rng, n, (1.0, np.sqrt(2.0))),
    dt=0.12,
    laws={
        "E1": lambda q1, q2, p1, p2: (q1**2 + p1**2) / 2,
        "E2": lambda q1, q2, p1, p2: p2**2 / 2 + q2**2,
    },
    count=2,
)

isotropic_oscillator_3d = System(
    name="isotropic_oscillator_3d",
    doc="Oscillator in space with equal frequencies. Independent amplitudes and phases.",
    equations="q1' = p1, q2' = p2, q3' = p3, p1' = -q1, p2' = -q2, p3' = -q3",
    source="D. M. Fradkin, Am. J. Phys. 33, 207 (1965)",
    names=("q1", "q2", "q3", "p1", "p2", "p3"),
    roles=("position",) * 3 + ("momentum",) * 3,
    flow=lambda q1, q2, q3, p1, p2, p3: (p1, p2, p3, -q1, -q2, -q3),
    sample=lambda rng, n: _modes(rng, n, (1.0, 1.0, 1.0)),
    dt=0.15,
    laws={
        "E1": lambda q1, q2, q3, p1, p2, p3: (q1**2 + p1**2) / 2,
        "E2": lambda q1, q2, q3, p1, p2, p3: (q2**2 + p2**2) / 2,
        "E3": lambda q1, q2, q3, p1, p2, p3: (q3**2 + p3**2) / 2,
        "L1": lambda q1, q2, q3, p1, p2, p3: q2 * p3 - q3 * p2,
        "L2": lambda q1, q2, q3, p1, p2, p3: q3 * p1 - q1 * p3,
        "L3": lambda q1, q2, q3, p1, p2, p3: q1 * p2 - q2 * p1,
        "A12": lambda q1, q2, q3, p1, p2, p3: q1 * q2 + p1 * p2,
        "A13": lambda q1, q2, q3, p1, p2, p3: q1 * q3 + p1 * p3,
        "A23": lambda q1, q2, q3, p1, p2, p3: q2 * q3 + p2 * p3,
    },
    count=5,
)

register(harmonic_oscillator, isotropic_oscillator, anisotropic_oscillator, isotropic_oscillator_3d)
