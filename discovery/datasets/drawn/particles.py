"""One particle in a random potential, in a plane or in space."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy

from discovery.datasets.drawn.formulas import from_formulas, number, numbers
from discovery.datasets.drawn.mechanics import Space, by_energy, space
from discovery.datasets.initial_states import directions
from discovery.datasets.system import System, kind


def _potential(rng: np.random.Generator, r: sympy.Expr) -> sympy.Expr:
    """Two attracting terms: no power alone, whose orbits would close."""
    forms = [
        number(rng, 0.2, 0.7) * r**2,
        number(rng, 0.15, 0.5) * r**3,
        number(rng, 0.1, 0.4) * r**4,
        number(rng, 0.4, 1.3) * sympy.log(r),
        -number(rng, 0.4, 1.3) / r,
        -number(rng, 0.4, 1.3) / r * sympy.exp(-number(rng, 0.3, 0.9) * r),
    ]
    first, second = rng.choice(len(forms), 2, replace=False)
    return forms[first] + forms[second]


def _orbits(
    places: Space, force: sympy.Expr, r: sympy.Symbol
) -> Callable[[np.random.Generator, int], np.ndarray]:
    """Return a sampler: a radius, and 0.6 to 1.2 times the speed of the circle through it."""
    pull = sympy.lambdify(r, force, "numpy")
    mass, dim = places.masses[0], len(places.q)
    scale = np.sqrt(mass if places.momenta else 1 / mass)

    def sample(rng: np.random.Generator, n: int) -> np.ndarray:
        radius, tilt = rng.uniform(0.7, 1.6, n), rng.uniform(-0.7, 0.7, n)
        out = directions(rng, n, dim)
        across = directions(rng, n, dim)
        across -= (across * out).sum(axis=1, keepdims=True) * out
        across /= np.linalg.norm(across, axis=1, keepdims=True)
        speed = rng.uniform(0.6, 1.2, n) * np.sqrt(radius * pull(radius)) * scale
        heading = np.cos(tilt)[:, None] * across + np.sin(tilt)[:, None] * out
        return np.hstack([radius[:, None] * out, speed[:, None] * heading])

    return sample


def _central(name: str, rng: np.random.Generator, letters: str) -> System:
    places = space(rng, list(letters), equal=True)
    r = sympy.Symbol("r", positive=True)
    potential = _potential(rng, r)
    force = sympy.diff(potential, r)
    distance = sympy.sqrt(sum(q**2 for q in places.q))
    turns = [(i, j) for i in range(len(letters)) for j in range(i)]
    laws = {"E": sum(places.kinetic()) + potential.subs(r, distance)}
    for i, j in turns:
        laws[f"L{letters[j]}{letters[i]}"] = places.q[j] * places.p[i] - places.q[i] * places.p[j]
    return from_formulas(
        name,
        "Particle in a random central potential: two of r**2, r**3, r**4, log(r), 1/r, Yukawa.",
        places.newton(potential.subs(r, distance)),
        laws,
        roles=places.roles,
        sample=_orbits(places, force, r),
    )


@kind
def central(name: str, rng: np.random.Generator) -> System:
    """Draw a central potential in a plane: energy and angular momentum."""
    return _central(name, rng, "xy")


@kind
def central_space(name: str, rng: np.random.Generator) -> System:
    """Draw a central potential in space: energy and three components of angular momentum."""
    return _central(name, rng, "xyz")


@kind
def separable(name: str, rng: np.random.Generator) -> System:
    """Draw two or three anharmonic wells side by side: an energy each."""
    places = space(rng, ["x", "y", "z"][: rng.integers(2, 4)])
    wells = [
        number(rng, 0.3, 1.5) * q**2 + number(rng, -0.3, 0.3) * q**3 + number(rng, 0.3, 0.9) * q**4
        for q in places.q
    ]
    energies = [k + well for k, well in zip(places.kinetic(), wells, strict=True)]
    return from_formulas(
        name,
        "Particle in a sum of wells, one a coordinate: an energy each.",
        places.newton(sum(wells)),
        {f"E{q}": energy for q, energy in zip(places.q, energies, strict=True)},
        roles=places.roles,
        sample=by_energy(places, sum(wells), (0.3, 2.5), 1.6),
    )


@kind
def wells(name: str, rng: np.random.Generator) -> System:
    """Draw a quartic well in a plane without symmetry, of strong coupling: the energy alone."""
    places = space(rng, ["x", "y"], masses=False)
    potential = skew_well(rng, *places.q)
    return from_formulas(
        name,
        "Particle in a plane in a quartic potential without symmetry, mostly chaotic.",
        places.newton(potential),
        {"E": sum(places.kinetic()) + potential},
        roles=places.roles,
        sample=by_energy(places, potential, (0.3, 2.0), 2.5),
    )


def skew_well(rng: np.random.Generator, x: sympy.Symbol, y: sympy.Symbol) -> sympy.Expr:
    """Return a polynomial of degree four, strongly coupled, positive definite far out.

    Parameters
    ----------
    rng : numpy Generator
    x, y : sympy symbols
    """
    a, b = numbers(rng, 2, 0.3, 1.0)
    cubes = numbers(rng, 4, -0.8, 0.8)
    far = numbers(rng, 2, 0.1, 0.3)
    coupling = number(rng, 0.8, 1.8)
    return (
        a * x**2
        + b * y**2
        + cubes[0] * x**3
        + cubes[1] * x**2 * y
        + cubes[2] * x * y**2
        + cubes[3] * y**3
        + far[0] * x**4
        + coupling * x**2 * y**2
        + far[1] * y**4
    )
