"""Chains of particles with periodic ends."""

from __future__ import annotations

import numpy as np

from discovery.datasets.system import System, register


def _chain_names(n: int) -> tuple[str, ...]:
    return tuple(f"{letter}{i + 1}" for letter in "qp" for i in range(n))


def _chain_roles(n: int) -> tuple[str, ...]:
    return ("position",) * n + ("momentum",) * n


def _chain_states(
    rng: np.random.Generator, n: int, size: int, position: float, momentum: float
) -> np.ndarray:
    """Draw normal positions and momenta; the chain as a whole drifts at no more than 0.1."""
    q, p = rng.standard_normal((2, n, size))
    p -= p.mean(axis=1, keepdims=True)
    return np.hstack([position * q, momentum * p + rng.uniform(-0.1, 0.1, (n, 1))])


def _stretches(position: tuple) -> np.ndarray:
    """Return q_{i+1} - q_i, (n, ...)."""
    position = np.stack(position)
    return np.roll(position, -1, axis=0) - position


def _fput_flow(*s: np.ndarray) -> tuple:
    r = _stretches(s[:4])
    tension = r + r**2 + r**3
    return (*s[4:], *(tension - np.roll(tension, 1, axis=0)))


def _fput_energy(*s: np.ndarray) -> np.ndarray:
    r = _stretches(s[:4])
    return sum(p**2 for p in s[4:]) / 2 + (r**2 / 2 + r**3 / 3 + r**4 / 4).sum(axis=0)


fput = System(
    name="fput",
    doc="Fermi-Pasta-Ulam-Tsingou ring of four with α = β = 1, at amplitudes where the springs are "
    "far from linear; random total momentum.",
    equations="q_i' = p_i, p_i' = f(q_{i+1} - q_i) - f(q_i - q_{i-1}), f(r) = r + r**2 + r**3",
    source="E. Fermi, J. Pasta, S. Ulam and M. Tsingou, Los Alamos report LA-1940 (1955)",
    names=_chain_names(4),
    roles=_chain_roles(4),
    flow=_fput_flow,
    sample=lambda rng, n: _chain_states(rng, n, 4, position=0.5, momentum=0.7),
    dt=0.1,
    laws={"E": _fput_energy, "P": lambda *s: sum(s[4:])},
    count=2,
)


def _toda_flow(*s: np.ndarray) -> tuple:
    push = np.exp(-_stretches(s[:3]))
    return (*s[3:], *(np.roll(push, 1, axis=0) - push))


def _toda_third(*s: np.ndarray) -> np.ndarray:
    """Return Hénon's third integral, p1 p2 p3 - p1 X2 - p2 X3 - p3 X1, X_i = exp(q_i - q_{i+1})."""
    x1, x2, x3 = np.exp(-_stretches(s[:3]))
    p1, p2, p3 = s[3:]
    return p1 * p2 * p3 - p1 * x2 - p2 * x3 - p3 * x1


toda = System(
    name="toda",
    doc="Toda ring of three: exponential springs, integrable; random total momentum.",
    equations="q_i' = p_i, p_i' = exp(q_{i-1} - q_i) - exp(q_i - q_{i+1})",
    source="M. Hénon, Phys. Rev. B 9, 1921 (1974)",
    names=_chain_names(3),
    roles=_chain_roles(3),
    flow=_toda_flow,
    sample=lambda rng, n: _chain_states(rng, n, 3, position=0.6, momentum=0.8),
    dt=0.12,
    laws={
        "E": lambda *s: sum(p**2 for p in s[3:]) / 2 + np.exp(-_stretches(s[:3])).sum(axis=0),
        "P": lambda *s: sum(s[3:]),
        "I3": _toda_third,
    },
    count=3,
)

register(fput, toda)
