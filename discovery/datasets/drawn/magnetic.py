"""A charge in a random magnetic field and potential: in a plane, or in space about an axis."""

from __future__ import annotations

import numpy as np
import sympy

from discovery.datasets.drawn.formulas import from_formulas, number
from discovery.datasets.drawn.mechanics import Space, by_energy
from discovery.datasets.drawn.particles import skew_well
from discovery.datasets.system import System, kind


@kind
def magnetic(name: str, rng: np.random.Generator) -> System:
    """Draw a field and a potential about an axis (energy, canonical spin) or neither (energy)."""
    x, y, u, v = sympy.symbols("x y u v", real=True)
    square = x**2 + y**2
    uniform, slope = number(rng, 0.6, 1.6), number(rng, 0.1, 0.4) * int(rng.integers(2))
    symmetric = bool(rng.integers(2))
    if symmetric:
        field = uniform + slope * square
        potential = number(rng, 0.2, 0.9) * square + number(rng, 0.15, 0.5) * square**2
    else:
        field = uniform + slope * (x + number(rng, 0.2, 0.9) * y)
        potential = skew_well(rng, x, y)
    energy = (u**2 + v**2) / 2 + potential
    laws = {"E": energy}
    if symmetric:
        # The flux through the circle of radius r over 2π joins the angular momentum.
        laws["L"] = x * v - y * u + uniform * square / 2 + slope * square**2 / 4
    force = field * v - sympy.diff(potential, x), -field * u - sympy.diff(potential, y)
    places = Space((x, y), (u, v), (1, 1), momenta=False)
    return from_formulas(
        name,
        "Charge in a plane, in a magnetic field across it and a potential; the field is uniform or "
        "grows, both are symmetric about an axis or not.",
        places.rates(force),
        laws,
        roles=places.roles,
        sample=by_energy(places, potential, (0.3, 2.0), 2.5),
    )


@kind
def axial(name: str, rng: np.random.Generator) -> System:
    """Draw a field about an axis by its flux ψ(ρ, z), and a potential about the same axis."""
    x, y, z, u, v, w = sympy.symbols("x y z u v w", real=True)
    square, height = x**2 + y**2, z**2
    strength, slope = number(rng, 0.5, 1.5), number(rng, 0.2, 0.8)
    # Fluxes over the square of the distance.
    fluxes = (
        sympy.Rational(1, 2) + slope * height,  # a bottle
        (square + height) ** sympy.Rational(-3, 2),  # a dipole
        (square + height + 1) ** sympy.Rational(-3, 2),  # a ring of current, nearly
        sympy.Rational(1, 2) + slope * z,  # a field that grows along the axis
    )
    around = strength * fluxes[int(rng.integers(len(fluxes)))]
    potential = number(rng, 0.3, 0.9) * square + number(rng, 0.3, 0.9) * height
    potential += number(rng, 0.1, 0.4) * square * height + number(rng, 0.1, 0.4) * height**2
    one_form = (-y * around, x * around, sympy.Integer(0))
    q, p = (x, y, z), (u, v, w)
    force = [
        sum((one_form[j].diff(q[i]) - one_form[i].diff(q[j])) * p[j] for j in range(3))
        - potential.diff(q[i])
        for i in range(3)
    ]
    places = Space(q, p, (1, 1, 1), momenta=False)
    return from_formulas(
        name,
        "Charge in space, in a magnetic field and a potential about one axis.",
        places.rates(force),
        {"E": (u**2 + v**2 + w**2) / 2 + potential, "L": x * v - y * u + square * around},
        roles=places.roles,
        sample=by_energy(places, potential, (0.3, 2.0), 2.5),
    )
