"""One degree of freedom in a random potential: the energy."""

from __future__ import annotations

import numpy as np
import sympy

from discovery.datasets.drawn.formulas import from_formulas, number
from discovery.datasets.drawn.mechanics import space
from discovery.datasets.initial_states import rejection
from discovery.datasets.system import System, kind

# Share of the range of energies that is left free about a barrier's top: there a period has no end.
_GAP = 0.06


def _polynomial(rng: np.random.Generator, q: sympy.Symbol) -> tuple[sympy.Expr, float, float]:
    """Single or double well with a tilt: the potential and the ends of the range that it fills."""
    sign = rng.choice([-1, 1])
    square, cube = sign * number(rng, 0.5, 1.5), number(rng, -0.4, 0.4)
    quartic, sixth = number(rng, 0.4, 1.2), number(rng, 0.1, 0.5) * rng.choice([0, 1])
    return square * q**2 + cube * q**3 + quartic * q**4 + sixth * q**6, -1.6, 1.6


def _waves(rng: np.random.Generator, q: sympy.Symbol) -> tuple[sympy.Expr, float, float]:
    first, second = number(rng, 0.7, 1.6), number(rng, -0.3, 0.3)
    return -first * sympy.cos(q) - second * sympy.cos(2 * q), -np.pi, np.pi


def _morse(rng: np.random.Generator, q: sympy.Symbol) -> tuple[sympy.Expr, float, float]:
    depth, range_ = number(rng, 0.8, 2.0), number(rng, 0.6, 1.4)
    return depth * (1 - sympy.exp(-range_ * q)) ** 2, -0.6 / range_, 1.2 / range_


def _wall(rng: np.random.Generator, q: sympy.Symbol) -> tuple[sympy.Expr, float, float]:
    spring, wall = number(rng, 0.4, 1.2), number(rng, 0.2, 0.9)
    return spring * q**2 + wall / q**2, 0.45, 2.2


@kind
def one_dof(name: str, rng: np.random.Generator) -> System:
    """Draw a polynomial well, a sum of two cosines, a Morse potential or a spring with a wall."""
    draw = [_polynomial, _polynomial, _waves, _morse, _wall][rng.integers(5)]
    places = space(rng, ["q"])
    (q,) = places.q
    potential, low, high = draw(rng, q)
    value = sympy.lambdify(q, potential, "numpy")
    grid = value(np.linspace(low, high, 2001))
    top = grid.max() if draw is _waves else min(grid[0], grid[-1])
    peaks = grid[1:-1][(grid[1:-1] > grid[:-2]) & (grid[1:-1] > grid[2:])]
    bottom, ceiling = grid.min(), top
    if draw is _waves:
        peaks, ceiling = np.append(peaks, top), top + 0.8 * (top - bottom)
    size = ceiling - bottom
    mass = places.masses[0]
    energy = places.kinetic()[0] + potential
    energies = sympy.lambdify((q, *places.p), energy, "numpy")
    fastest = np.sqrt(2 * size * (mass if places.momenta else 1 / mass))

    def keep(states: np.ndarray) -> np.ndarray:
        e = energies(*states.T)
        far = (np.abs(e[:, None] - peaks) > _GAP * size).all(axis=1)
        return far & (e < ceiling) & (e > bottom + 0.02 * size)

    def draws(rng: np.random.Generator, n: int) -> np.ndarray:
        return np.stack([rng.uniform(low, high, n), rng.uniform(-fastest, fastest, n)], axis=1)

    roles = places.roles
    if draw is _waves:
        roles = ("angle", "momentum" if places.momenta else "angular_velocity")
    return from_formulas(
        name,
        "One degree of freedom in a random potential; barriers' tops are left out.",
        places.newton(potential),
        {"E": energy},
        roles=roles,
        sample=lambda rng, n: rejection(rng, n, draws, keep),
    )
