"""Random quadratic systems of two to four variables with planted invariants.

Each is made in coordinates of its own, in which its laws are plain, and half of them are seen in a
random frame: the data then show neither which of these coordinates are which nor what they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sympy

from discovery.datasets.drawn.formulas import from_formulas, number, numbers
from discovery.datasets.initial_states import directions, rejection
from discovery.datasets.system import System, kind

Sample = Callable[[np.random.Generator, int], np.ndarray]

# Levels of a law that runs start on, over its least value, in units of its scale.
_LEVELS = (0.05, 0.7)
# Directions in which a cubic is bounded.
_POINTS = 2_000
# Energies over that of the lowest saddle there can be.
_BELOW = (0.1, 0.9)


@dataclass(frozen=True)
class Planted:
    """A system in coordinates of its own.

    Attributes
    ----------
    doc : str
    symbols : tuple of sympy.Symbol
    rates : list of sympy.Expr
    laws : dict from str to sympy.Expr
    sample : callable
        ``sample(rng, n) -> (n, d)``.
    """

    doc: str
    symbols: tuple[sympy.Symbol, ...]
    rates: list[sympy.Expr]
    laws: dict[str, sympy.Expr]
    sample: Sample


def _own(d: int, positive: bool = False) -> tuple[sympy.Symbol, ...]:
    kind_of = {"positive": True} if positive else {"real": True}
    return sympy.symbols(" ".join(f"z{i}" for i in range(d)), seq=True, **kind_of)


def _form(rng: np.random.Generator, d: int, definite: bool = True) -> sympy.Matrix:
    """Draw a symmetric matrix with eigenvalues between 0.5 and 2, or of any sign."""
    frame = np.linalg.qr(rng.standard_normal((d, d))).Q
    values = np.array(numbers(rng, d, 0.5, 2.0))
    values = values if definite else values * rng.choice([-1, 1], d)
    return sympy.Matrix(np.round(frame @ np.diag(values) @ frame.T, 3).tolist())


def _half(form: sympy.Matrix, z: tuple[sympy.Symbol, ...]) -> sympy.Expr:
    x = sympy.Matrix(z)
    return sympy.expand((x.T * form * x)[0] / 2)


def _shells(d: int) -> Sample:
    """Return a sampler of points at distances 0.4 to 1.5 from the origin."""
    return lambda rng, n: rng.uniform(0.4, 1.5, (n, 1)) * directions(rng, n, d)


def _nambu(rng: np.random.Generator) -> Planted:
    """∇C × ∇H with quadratic C and H, one of them definite: so(3), so(2, 1)."""
    z = _own(3)
    casimir = _half(_form(rng, 3, definite=bool(rng.integers(2))), z)
    energy = _half(_form(rng, 3), z)
    energy += sum(c * s for c, s in zip(numbers(rng, 3, -0.5, 0.5), z, strict=True))
    one, other = (sympy.Matrix([f.diff(s) for s in z]) for f in (casimir, energy))
    laws = {"C": casimir, "H": energy}
    doc = "A Lie-Poisson flow in space: a quadratic Casimir function and a quadratic energy."
    return Planted(doc, z, list(one.cross(other)), laws, _shells(3))


def _sphere(rng: np.random.Generator, d: int) -> Planted:
    """A(x) S x with a random antisymmetric A, linear in x: keeps xᵀ S x and nothing else."""
    z = _own(d)
    form = _form(rng, d)
    turn = sympy.zeros(d, d)
    for i in range(d):
        for j in range(i + 1, d):
            turn[i, j] = number(rng, -0.5, 0.5)
            turn[i, j] += sum(float(c) * s for c, s in zip(rng.normal(0, 1, d), z, strict=True))
            turn[j, i] = -turn[i, j]
    rates = turn * form * sympy.Matrix(z)
    doc = "A flow on ellipsoids that has sources and sinks there."
    return Planted(doc, z, list(rates), {"C": _half(form, z)}, _shells(d))


def _leaves(rng: np.random.Generator) -> Planted:
    """The product of three gradients in four variables: linear, quadratic, quadratic."""
    z = _own(4)
    laws = {
        "L": sum(c * s for c, s in zip(numbers(rng, 4, 0.4, 1.4), z, strict=True)),
        "C": _half(_form(rng, 4), z),
        "H": _half(_form(rng, 4, definite=False), z),
    }
    slopes = sympy.Matrix([[law.diff(s) for s in z] for law in laws.values()])
    rates = []
    for i in range(4):
        minor = slopes.copy()
        minor.col_del(i)
        rates.append((-1) ** i * minor.det(method="berkowitz"))
    return Planted("A Nambu flow in four variables.", z, rates, laws, _shells(4))


def _factor(rng: np.random.Generator) -> Planted:
    """A linear factor times the rotation of a quadratic energy: no divergence-free field."""
    x, y = _own(2)
    energy = _half(_form(rng, 2), (x, y)) + number(rng, -0.5, 0.5) * x
    a, b = numbers(rng, 2, -0.35, 0.35)
    factor = 1 + a * x + b * y
    rates = [factor * energy.diff(y), -factor * energy.diff(x)]
    laws = {"H": energy}
    # At most 1.5 from the origin, orbits stay where the factor is positive, or end on its zero.
    return Planted("A plane flow with a linear factor.", (x, y), rates, laws, _shells(2))


def _cubic(rng: np.random.Generator) -> Planted:
    """J ∇H with a cubic H in the plane, below its lowest saddle.

    In four variables such motion may keep a second function to within noise.
    """
    z = _own(2)
    form = _form(rng, 2)
    cubes = numbers(rng, 4, -1.0, 1.0)
    cubic = sum(c * z[0] ** (3 - k) * z[1] ** k for k, c in enumerate(cubes))
    energy = _half(form, z) + cubic
    x, y = directions(np.random.default_rng(0), _POINTS, 2).T
    steep = max(np.abs(sum(c * x ** (3 - k) * y**k for k, c in enumerate(cubes))))
    least = float(np.linalg.eigvalsh(np.array(form, dtype=float))[0])
    # On circles the energy is least r²/2 - steep r³ at least.
    reach, saddle = least / (3 * steep), least**3 / (54 * steep**2)
    value = sympy.lambdify(z, energy, "numpy")

    def keep(states: np.ndarray) -> np.ndarray:
        level = value(*states.T) / saddle
        # Beyond that circle the same energies lead away for ever.
        inside = np.hypot(*states.T) < reach
        return inside & (level > _BELOW[0]) & (level < _BELOW[1])

    def sample(rng: np.random.Generator, n: int) -> np.ndarray:
        return rejection(rng, n, lambda rng, m: reach * rng.uniform(-1, 1, (m, 2)), keep)

    rates = [energy.diff(z[1]), -energy.diff(z[0])]
    doc = "A cubic energy with a constant bracket."
    return Planted(doc, z, rates, {"H": energy}, sample)


def _near(
    law: sympy.Expr, z: tuple[sympy.Symbol, ...], centre: np.ndarray, scale: float, box: np.ndarray
) -> Sample:
    """Return a sampler of states not far above a law's least value, which is at the centre."""
    value = sympy.lambdify(z, law, "numpy")
    least = value(*centre)

    def keep(states: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            level = (value(*states.T) - least) / scale
        return (level > _LEVELS[0]) & (level < _LEVELS[1])

    return lambda rng, n: rejection(
        rng, n, lambda rng, m: rng.uniform(0.02, 1, (m, len(z))) * box, keep
    )


def _triangle(rng: np.random.Generator) -> Planted:
    """Closed curves in a triangle, on which a product of powers of its three sides is constant."""
    x, y = _own(2)
    rest = 1 - x - y
    a, b, c = numbers(rng, 3, 0.5, 1.6)
    rates = [x * (b * rest - c * y), -y * (a * rest - c * x)]
    law = -a * sympy.log(x) - b * sympy.log(y) - c * sympy.log(rest)
    centre = np.array([a, b]) / (a + b + c)
    sample = _near(law, (x, y), centre, min(a, b, c), np.ones(2))
    doc = "Closed curves in a triangle: a product of powers of the distances from its sides."
    return Planted(doc, (x, y), rates, {"V": law}, sample)


def _volterra(rng: np.random.Generator, d: int) -> Planted:
    """Volterra's species in pairs of predator and prey: V, and for three of them a product."""
    z = _own(d, positive=True)
    rest, weights = (np.array(numbers(rng, d, 0.5, 1.5)) for _ in range(2))
    upper = np.triu(np.array(numbers(rng, d * d, 0.4, 1.4)).reshape(d, d), 1)
    upper *= rng.choice([-1, 1], (d, d)) if d > 2 else 1
    eaten = (upper - upper.T) / weights[:, None]
    growth = -eaten @ rest
    rates = [
        s * (float(g) + sum(float(e) * t for e, t in zip(row, z, strict=True) if e))
        for s, g, row in zip(z, growth, eaten, strict=True)
    ]
    v = sum(
        w * (s - r * sympy.log(s))
        for w, s, r in zip(weights.tolist(), z, rest.tolist(), strict=True)
    )
    laws = {"V": v}
    if d == 3:
        # The kernel of the antisymmetric part: its logarithms add up to a constant.
        powers = np.array([upper[1, 2], -upper[0, 2], upper[0, 1]]) * weights
        laws["P"] = sum(float(p) * sympy.log(s) for p, s in zip(powers, z, strict=True))
    sample = _near(v, z, rest, float(np.min(weights * rest)), 3.2 * rest)
    return Planted("Species that eat each other, after Volterra.", z, rates, laws, sample)


_FAMILIES: list[tuple[Callable[[np.random.Generator], Planted], bool]] = [
    (_nambu, True),
    (lambda rng: _volterra(rng, 2), True),
    (_triangle, True),
    (lambda rng: _sphere(rng, 3), True),
    (_leaves, True),
    (_factor, True),
    (lambda rng: _volterra(rng, 3), False),
    (_cubic, True),
    (lambda rng: _sphere(rng, 4), True),
    (lambda rng: _volterra(rng, 4), False),
]


@kind
def quadratic(name: str, rng: np.random.Generator) -> System:
    """Draw a quadratic field of two to four variables that keeps one function to three.

    Lie-Poisson and Nambu flows, energies with a constant bracket, fields with a linear factor,
    Volterra's species, closed curves in a triangle; half of them in a random frame.
    """
    make, framed = _FAMILIES[rng.integers(len(_FAMILIES))]
    planted = make(rng)
    d = len(planted.symbols)
    names = sympy.symbols(" ".join("abcd"[:d]), real=True, seq=True)
    frame, shift = np.eye(d), np.zeros(d)
    if framed and rng.random() < 0.5:
        left, right = (np.linalg.qr(rng.standard_normal((d, d))).Q for _ in range(2))
        frame, shift = left @ np.diag(rng.uniform(0.6, 1.7, d)) @ right, rng.normal(0, 0.5, d)
    inverse = np.linalg.inv(frame)
    own = {
        z: sum(float(w) * (s - float(c)) for w, s, c in zip(row, names, shift, strict=True) if w)
        for z, row in zip(planted.symbols, inverse, strict=True)
    }
    rates = sympy.Matrix(frame.tolist()) * sympy.Matrix(planted.rates)
    return from_formulas(
        name,
        planted.doc,
        {
            s: sympy.expand(r.subs(own, simultaneous=True))
            for s, r in zip(names, rates, strict=True)
        },
        {law: f.subs(own, simultaneous=True) for law, f in planted.laws.items()},
        roles=("other",) * d,
        sample=lambda rng, n: planted.sample(rng, n) @ frame.T + shift,
    )
