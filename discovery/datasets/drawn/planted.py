"""Random fields of the plane with a planted law: a quotient of polynomials, a stream function."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy

from discovery.datasets.drawn.formulas import from_formulas, number
from discovery.datasets.system import System, kind

# Runs start where h is between these shares of the way from its minimum up to where its level
# lines leave the neighbourhood of this.
_INNER, _OUTER = 0.05, 0.7
# Rays from the minimum, points on each, and how far they reach.
_RAYS, _POINTS, _REACH = 400, 400, 1.5
# Grids that are drawn in about the minimum, points a side, and by how much.
_GRIDS, _SIDE, _NARROWER = 12, 41, 5.0
# Least height of h over its minimum.
_LEAST = 1e-3


@kind
def planted(name: str, rng: np.random.Generator) -> System:
    """Draw h = P/Q and the field Q² (−∂h/∂y, ∂h/∂x): polynomials, and no Hamiltonian system.

    P is quadratic; Q is linear, quadratic, or of degree two in each coordinate.
    """
    x, y = sympy.symbols("x y", real=True)
    while True:
        a, b, c, d, e = (_exact(rng, *span) for span in ((0.6, 1.6),) * 2 + ((0.1, 0.8),) * 3)
        above = (
            a * x**2 + b * y**2 + _sign(rng) * c * x * y + _sign(rng) * d * (x, y)[rng.integers(2)]
        )
        below = (
            2 + _sign(rng) * a * x / 2 + _sign(rng) * e * y,
            1 + b * x**2 / 2 + _sign(rng) * e * y,
            1 + e * x**2 * y**2 + d * y**2,
        )[rng.integers(3)]
        doc = "A plane field that keeps a random quotient of two polynomials; closed curves."
        system = _about_minimum(name, above, below, (x, y), doc)
        if system is not None:
            return system


@kind
def stream(name: str, rng: np.random.Generator) -> System:
    """Draw a stream function ψ and what it carries, (−∂ψ/∂y, ∂ψ/∂x).

    ψ has standing waves of one wave number, or is a composition that is no sum of few functions.
    """
    x, y = sympy.symbols("x y", real=True)
    which = int(rng.integers(5))
    while True:
        a, b, c, d = (_exact(rng, *span) for span in ((0.6, 1.6),) * 2 + ((0.2, 0.8),) * 2)
        wave = 2 * a
        stream_function = (
            sympy.sin(wave * x + d) * sympy.cos(wave * y) + c * sympy.sin(2 * wave * x),
            -sympy.cos(wave * x + d) - b * sympy.cos(wave * y) + c * sympy.sin(wave * (x + y)),
            sympy.sin((x + c) * (y - d)) + a * x**2 + b * y**2,
            sympy.sqrt((1 + 2 * a * x**2) / (2 - c * y)) + b * y**2,
            -sympy.cos(a * x + b * y**2) + d * y**2 + c * x * y,
        )[which]
        doc = "What a steady stream in the plane carries, on closed curves."
        system = _about_minimum(name, stream_function, sympy.S.One, (x, y), doc)
        if system is not None:
            return system


def _exact(rng: np.random.Generator, low: float, high: float) -> sympy.Expr:
    """Draw a decimal as a fraction: products of floats do not cancel."""
    return sympy.Rational(str(number(rng, low, high)))


def _sign(rng: np.random.Generator) -> int:
    return int(rng.choice([-1, 1]))


def _about_minimum(
    name: str,
    above: sympy.Expr,
    below: sympy.Expr,
    x: tuple[sympy.Symbol, sympy.Symbol],
    doc: str,
    role: str = "other",
) -> System | None:
    """Return the flow on closed curves about a minimum of P/Q; None where there is none."""
    value = sympy.lambdify(x, above / below, "numpy")
    centre = _minimum(value)
    if centre is None:
        return None
    least, reach = value(*centre), np.linspace(0, _REACH, _POINTS)

    def along(angle: np.ndarray) -> np.ndarray:
        """Return h on rays from the minimum, (points, rays)."""
        way = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        return value(*np.moveaxis(centre + reach[:, None, None] * way, -1, 0))

    # h rises along every ray up to here.
    rays = along(np.linspace(0, 2 * np.pi, _RAYS, endpoint=False))
    falls = np.vstack([np.diff(rays, axis=0) <= 0, np.ones((1, _RAYS), dtype=bool)])
    top = rays[falls.argmax(axis=0), np.arange(_RAYS)].min()
    if not top - least > _LEAST:
        return None

    def sample(rng: np.random.Generator, n: int) -> np.ndarray:
        level = least + (top - least) * rng.uniform(_INNER, _OUTER, n)
        angle = rng.uniform(0, 2 * np.pi, n)
        far = reach[(along(angle) > level).argmax(axis=0)]
        return centre + far[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)

    slopes = [sympy.expand(below * above.diff(s) - above * below.diff(s)) for s in x]
    rates = dict(zip(x, (-slopes[1], slopes[0]), strict=True))
    return from_formulas(
        name,
        doc,
        {s: rate.evalf() for s, rate in rates.items()},
        {"h": (above / below).evalf()},
        roles=(role,) * 2,
        sample=sample,
    )


def _minimum(value: Callable[..., np.ndarray]) -> np.ndarray | None:
    """Return where h is least near zero; None where that is on the edge, or h has a pole there."""
    centre, width = np.zeros(2), _REACH / 2
    for k in range(_GRIDS):
        axis = np.linspace(-width, width, _SIDE)
        grid = centre + np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
        best = grid[value(*grid.T).argmin()]
        if k == 0 and np.abs(best).max() > 0.9 * width:
            return None
        centre, width = best, width / _NARROWER
    return centre
