"""Masses in a row, coupled by random springs: free, in a ring or between walls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import sympy

from discovery.datasets.drawn.formulas import from_formulas, number
from discovery.datasets.drawn.mechanics import Space, space
from discovery.datasets.system import System, kind


def _thrown(
    places: Space, width: float, speed: float, drift: float
) -> Callable[[np.random.Generator, int], np.ndarray]:
    """Return a sampler: normal places and speeds, and a slow motion of the whole."""
    masses = np.array(places.masses, dtype=float)

    def sample(rng: np.random.Generator, n: int) -> np.ndarray:
        q = rng.normal(0, width, (n, len(masses)))
        v = rng.normal(0, speed, q.shape) / np.sqrt(masses)
        v -= (v @ masses / masses.sum())[:, None]
        q -= (q @ masses / masses.sum())[:, None] - rng.uniform(-0.5, 0.5, (n, 1))
        v += rng.uniform(-drift, drift, (n, 1))
        return np.hstack([q, v * masses if places.momenta else v])

    return sample


def _momentum(places: Space) -> sympy.Expr:
    pairs = zip(places.p, places.masses, strict=True)
    return sum(p if places.momenta else m * p for p, m in pairs)


def _draw_space(rng: np.random.Generator, n: int) -> Space:
    """Draw names, roles and n different masses."""
    places = space(rng, [f"q{i + 1}" for i in range(n)], masses=False)
    return places._replace(masses=tuple(number(rng, 0.6, 1.8) for _ in range(n)))


@kind
def coupled_masses(name: str, rng: np.random.Generator) -> System:
    """Draw two or three free masses: momentum, and the energy or that of each linear mode."""
    n = int(rng.integers(2, 4))
    places = _draw_space(rng, n)
    hardening = bool(rng.integers(2))
    gaps = [places.q[i + 1] - places.q[i] for i in range(n - 1)]
    stiffness = [number(rng, 0.6, 1.6) for _ in gaps]
    fourth = [number(rng, 0.4, 1.2) * hardening for _ in gaps]
    cubes = [number(rng, 0.4, 0.9) * hardening for _ in gaps]
    potential = sum(
        k * gap**2 / 2 + c * gap**3 / 3 + f * gap**4 / 4
        for k, c, f, gap in zip(stiffness, cubes, fourth, gaps, strict=True)
    )
    laws = {"P": _momentum(places)}
    if hardening:
        laws["E"] = sum(places.kinetic()) + potential
    else:
        laws |= _mode_energies(places, stiffness)
    return from_formulas(
        name,
        "Free masses in a row with springs, linear or hardening; the whole drifts slowly.",
        places.newton(potential),
        laws,
        roles=places.roles,
        sample=_thrown(places, 0.8, 0.9, 0.1),
    )


def _mode_energies(places: Space, stiffness: Sequence[float]) -> dict[str, sympy.Expr]:
    """Return the energies of the relative modes of linear springs."""
    gaps = np.diff(np.eye(len(places.q)), axis=0)
    root = np.sqrt(places.masses)
    stiff = gaps.T @ np.diag(stiffness) @ gaps / np.outer(root, root)
    squares, modes = np.linalg.eigh(stiff)
    velocities = places.velocities
    energies = {}
    for i in range(1, len(squares)):
        weights = [float(w) for w in modes[:, i] * root]
        place = sum(w * q for w, q in zip(weights, places.q, strict=True))
        speed = sum(w * v for w, v in zip(weights, velocities, strict=True))
        energies[f"E{i}"] = sympy.expand(speed**2 + float(squares[i]) * place**2) / 2
    return energies


@kind
def chain(name: str, rng: np.random.Generator) -> System:
    """Draw a ring or a chain between walls, of polynomial springs, or a Toda ring of three."""
    if rng.random() < 0.3:
        return _toda(name, rng)
    ring = bool(rng.integers(2))
    n = int(rng.integers(3, 5)) if ring else 3
    places = _draw_space(rng, n)
    ends = [*places.q, places.q[0]] if ring else [sympy.Integer(0), *places.q, sympy.Integer(0)]
    gaps = [after - before for before, after in pairwise(ends)]
    k, cube, fourth = number(rng, 0.6, 1.5), number(rng, 0.7, 1.2), number(rng, 0.6, 1.3)
    potential = sum(k * g**2 / 2 + cube * g**3 / 3 + fourth * g**4 / 4 for g in gaps)
    laws = {"E": sum(places.kinetic()) + potential}
    if ring:
        laws["P"] = _momentum(places)
    return from_formulas(
        name,
        "Masses in a ring or between walls with equal springs, far from linear.",
        places.newton(potential),
        laws,
        roles=places.roles,
        sample=_thrown(places, 0.6, 0.9, 0.1),
    )


def _toda(name: str, rng: np.random.Generator) -> System:
    """Return a ring of three with potential a/b exp(-b r): energy, momentum, Hénon's third law."""
    places = space(rng, ["q1", "q2", "q3"], masses=False)
    strength, rate = number(rng, 0.6, 1.4), number(rng, 0.7, 1.4)
    q, p = places.q, places.p
    push = [strength * sympy.exp(rate * (q[i] - q[(i + 1) % 3])) for i in range(3)]
    potential = sum(push) / rate
    # Hénon's law in units where the force is exp: P = rate p, X = rate push.
    third = rate * p[0] * p[1] * p[2] - sum(p[i] * push[(i + 1) % 3] for i in range(3))
    return from_formulas(
        name,
        "Toda ring of three with random strength and range.",
        places.newton(potential),
        {"E": sum(places.kinetic()) + potential, "P": sum(p), "I": third},
        roles=places.roles,
        sample=_thrown(places, 0.5, 0.8, 0.1),
    )
