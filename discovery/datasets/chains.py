"""Chains: species that eat their neighbours, spins that turn each other; and Ermakov's pair."""

from __future__ import annotations

import numpy as np

from discovery.datasets.initial_states import directions, in_box
from discovery.datasets.system import System, register


def _volterra_flow(*s: np.ndarray) -> tuple:
    x = np.stack(s)
    return tuple(x * (np.roll(x, -1, axis=0) - np.roll(x, 1, axis=0)))


volterra_chain = System(
    name="volterra_chain",
    doc="Five species in a ring, each eats the next (the lattice of Kac and van Moerbeke); "
    "amounts 0.4 to 1.6.",
    equations="x_i' = x_i*(x_(i+1) - x_(i-1)), i modulo 5",
    source="M. Kac and P. van Moerbeke, Adv. Math. 16, 160 (1975)",
    names=tuple(f"x{i}" for i in range(1, 6)),
    roles=("amount",) * 5,
    flow=_volterra_flow,
    sample=lambda rng, n: in_box(rng, n, *[(0.4, 1.6)] * 5),
    dt=0.08,
    laws={
        "sum": lambda *s: sum(s),
        "squares": lambda *s: sum(x**2 / 2 + x * y for x, y in zip(s, s[1:] + s[:1], strict=True)),
        "product": lambda *s: sum(np.log(x) for x in s),
    },
    count=3,
)


def _spins(s: tuple) -> np.ndarray:
    """Return four spins, (4, 3, ...)."""
    return np.stack(s).reshape(4, 3, *np.shape(s[0]))


def _spin_flow(*s: np.ndarray) -> tuple:
    spins = _spins(s)
    field = np.zeros_like(spins)
    field[:-1] += spins[1:]
    field[1:] += spins[:-1]
    return tuple(np.cross(spins, field, axis=1).reshape(12, *np.shape(s[0])))


spin_chain = System(
    name="spin_chain",
    doc="Four classical spins in a row, each turns about the sum of its neighbours. Their lengths "
    "are 1 in all runs and are not counted.",
    equations="S_i' = S_i x (S_(i-1) + S_(i+1))",
    source="L. D. Landau and E. M. Lifshitz, Phys. Z. Sowjetunion 8, 153 (1935)",
    names=tuple(f"S{i}{axis}" for i in range(1, 5) for axis in "xyz"),
    roles=("other",) * 12,
    flow=_spin_flow,
    sample=lambda rng, n: np.hstack([directions(rng, n, 3) for _ in range(4)]),
    dt=0.1,
    laws={
        "E": lambda *s: (_spins(s)[:-1] * _spins(s)[1:]).sum((0, 1)),
        "Sx": lambda *s: s[0] + s[3] + s[6] + s[9],
        "Sy": lambda *s: s[1] + s[4] + s[7] + s[10],
        "Sz": lambda *s: s[2] + s[5] + s[8] + s[11],
    },
    count=4,
)


def _ermakov_flow(*s: np.ndarray) -> tuple:
    x, y, u, v, c, d = s
    stiffness = 1 + 0.4 * c
    return u, v, -stiffness * x, -stiffness * y + 1 / y**3, -0.7 * d, 0.7 * c


def _ermakov_states(rng: np.random.Generator, n: int) -> np.ndarray:
    x, y, u, v, phase = in_box(rng, n, (-1, 1), (0.7, 1.4), (-1, 1), (-0.5, 0.5), (0, 2 * np.pi)).T
    return np.stack([x, y, u, v, np.cos(phase), np.sin(phase)], axis=1)


ermakov = System(
    name="ermakov",
    doc="An oscillator of changing stiffness and Ermakov's companion of it, with the phase of the "
    "change as c = cos, d = sin. c² + d² = 1 in all runs is not counted.",
    equations="x'' = -k*x, y'' = -k*y + 1/y**3, k = 1 + 0.4*c, c' = -0.7*d, d' = 0.7*c",
    source="H. R. Lewis, Phys. Rev. Lett. 18, 510 (1967)",
    names=("x", "y", "u", "v", "c", "d"),
    roles=("position", "position", "velocity", "velocity", "other", "other"),
    flow=_ermakov_flow,
    sample=_ermakov_states,
    dt=0.08,
    laws={"I": lambda x, y, u, v, c, d: ((x * v - y * u) ** 2 + (x / y) ** 2) / 2},
    count=1,
)

register(volterra_chain, spin_chain, ermakov)
