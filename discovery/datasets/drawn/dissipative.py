"""Random systems without any law."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy

from discovery.datasets.drawn.formulas import from_formulas, number
from discovery.datasets.system import System, kind

# Rates, roles, and the box of initial states.
Parts = tuple[dict[sympy.Symbol, sympy.Expr], tuple[str, ...], list[tuple[float, float]]]


def _damped_well(rng: np.random.Generator) -> Parts:
    q, v = sympy.symbols("q v", real=True)
    sign = rng.choice([-1, 1])
    force = -sign * number(rng, 0.6, 1.4) * q - number(rng, 0.3, 1.2) * q**3
    drag = number(rng, 0.12, 0.3) * v + number(rng, 0.0, 0.2) * v * q**2
    return {q: v, v: force - drag}, ("position", "velocity"), [(-2, 2), (-1.8, 1.8)]


def _limit_cycle(rng: np.random.Generator) -> Parts:
    q, v = sympy.symbols("q v", real=True)
    push = number(rng, 0.5, 1.5) * (1 - number(rng, 0.6, 1.4) * q**2) * v
    rates = {q: v, v: push - number(rng, 0.6, 1.4) * q - number(rng, 0.0, 0.3) * q**3}
    return rates, ("position", "velocity"), [(-3, 3), (-3, 3)]


def _saturating_predators(rng: np.random.Generator) -> Parts:
    x, y = sympy.symbols("x y", positive=True)
    eaten = x * y / (1 + number(rng, 0.4, 0.8) * x)
    growth = number(rng, 0.8, 1.3) * x * (1 - x / number(rng, 3.0, 5.0))
    rates = {x: growth - eaten, y: number(rng, 0.6, 1.0) * eaten - number(rng, 0.4, 0.6) * y}
    return rates, ("amount", "amount"), [(0.3, 3), (0.2, 2)]


def _convection(rng: np.random.Generator) -> Parts:
    x, y, z = sympy.symbols("x y z", real=True)
    sigma, rho, beta = number(rng, 9, 12), number(rng, 26, 34), number(rng, 2.2, 3.1)
    rates = {x: sigma * (y - x), y: x * (rho - z) - y, z: x * y - beta * z}
    return rates, ("other",) * 3, [(-15, 15), (-15, 15), (10, 40)]


_FAMILIES: list[Callable[[np.random.Generator], Parts]] = [
    _damped_well,
    _limit_cycle,
    _saturating_predators,
    _convection,
]


@kind
def dissipative(name: str, rng: np.random.Generator) -> System:
    """Draw a damped well, a limit cycle, predators that can be sated or a chaotic convection."""
    rates, roles, box = _FAMILIES[rng.integers(len(_FAMILIES))](rng)
    low, high = np.transpose(box)
    return from_formulas(
        name,
        "Friction or an attractor, random coefficients: nothing is conserved.",
        rates,
        {},
        roles=roles,
        sample=lambda rng, n: rng.uniform(low, high, (n, len(low))),
    )
