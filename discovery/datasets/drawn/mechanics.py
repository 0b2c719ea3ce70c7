"""Particles in a potential, with velocities or momenta."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import sympy

from discovery.datasets.drawn.formulas import numbers
from discovery.datasets.initial_states import directions


class Space(NamedTuple):
    """Coordinates q, their partners (velocities or momenta), and masses."""

    q: tuple[sympy.Symbol, ...]
    p: tuple[sympy.Symbol, ...]
    masses: tuple[float, ...]
    momenta: bool

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles of all columns, positions before partners."""
        partner = "momentum" if self.momenta else "velocity"
        return ("position",) * len(self.q) + (partner,) * len(self.p)

    @property
    def velocities(self) -> list[sympy.Expr]:
        """Time derivatives of the coordinates."""
        pairs = zip(self.p, self.masses, strict=True)
        return [p / m if self.momenta else p for p, m in pairs]

    def kinetic(self) -> list[sympy.Expr]:
        """Kinetic energy of each coordinate."""
        pairs = zip(self.velocities, self.masses, strict=True)
        return [m * v**2 / 2 for v, m in pairs]

    def rates(self, forces: Sequence[sympy.Expr]) -> dict[sympy.Symbol, sympy.Expr]:
        """Return the rates of all columns under these forces."""
        pairs = zip(forces, self.masses, strict=True)
        changes = [f if self.momenta else f / m for f, m in pairs]
        return dict(zip((*self.q, *self.p), (*self.velocities, *changes), strict=True))

    def newton(self, potential: sympy.Expr) -> dict[sympy.Symbol, sympy.Expr]:
        """Return the rates of all columns in a potential."""
        return self.rates([-sympy.diff(potential, q) for q in self.q])


def space(
    rng: np.random.Generator, letters: Sequence[str], *, masses: bool = True, equal: bool = False
) -> Space:
    """Draw what the partners are, and the masses.

    Parameters
    ----------
    rng : numpy Generator
    letters : sequence of str
        Names of the coordinates.
    masses : bool
        Whether momenta come with masses other than 1; with velocities the mass is 1.
    equal : bool
        Whether all masses are equal.
    """
    n = len(letters)
    momenta = bool(rng.random() < 0.5)
    drawn = numbers(rng, 1 if equal else n, 0.6, 1.7)
    values = tuple(drawn * n if equal else drawn) if masses and momenta else (1,) * n
    q = sympy.symbols(" ".join(letters), real=True, seq=True)
    prefix = "p" if momenta else "v"
    p = sympy.symbols(" ".join(f"{prefix}{letter}" for letter in letters), real=True, seq=True)
    return Space(tuple(q), tuple(p), values, momenta)


def by_energy(
    places: Space,
    potential: sympy.Expr,
    energies: tuple[float, float],
    half_width: float,
) -> Callable[[np.random.Generator, int], np.ndarray]:
    """Return a sampler: an energy each run, a place in a box below it, any direction of motion.

    Parameters
    ----------
    places : Space
    potential : sympy expression
    energies : (low, high)
    half_width : float
        Of the box, about the origin.
    """
    value = sympy.lambdify(places.q, potential, "numpy")
    mass = np.array(places.masses, dtype=float)

    def sample(rng: np.random.Generator, n: int) -> np.ndarray:
        energy = rng.uniform(*energies, n)
        q = np.full((n, len(places.q)), np.nan)
        bad = np.ones(n, dtype=bool)
        while bad.any():
            q[bad] = rng.uniform(-half_width, half_width, (int(bad.sum()), q.shape[1]))
            bad = ~(value(*q.T) < energy)
        speed = np.sqrt(2 * (energy - value(*q.T)))[:, None] * directions(rng, n, q.shape[1])
        return np.hstack([q, speed * (np.sqrt(mass) if places.momenta else 1 / np.sqrt(mass))])

    return sample
