"""Linear flows in random frames; their laws are known from the spectrum."""

from __future__ import annotations

import numpy as np
import sympy

from discovery.datasets.drawn.formulas import from_formulas, number
from discovery.datasets.system import System, kind

# Rotations p·ω1 - q·ω2 this slow against ω1 would look like a law over a few periods.
_DETUNING = 0.15
_ORDER = 4
# Rotations, coordinates at rest, decays.
_PARTS = ((1, 0, 0), (1, 1, 0), (1, 0, 1), (2, 0, 0), (2, 1, 0), (2, 0, 1))


def _incommensurate(rng: np.random.Generator, first: float) -> float:
    """Draw a second frequency, away from small resonances with the first."""
    orders = np.arange(1, _ORDER + 1)
    while True:
        second = first * number(rng, 1.2, 3.0)
        if np.abs(np.subtract.outer(orders * first, orders * second)).min() > _DETUNING * first:
            return second


def _plane(block: np.ndarray, at: int, frequency: float, damping: float = 0.0) -> None:
    block[at : at + 2, at : at + 2] = [[-damping, frequency], [-frequency, -damping]]


@kind
def linear(name: str, rng: np.random.Generator) -> System:
    """Draw rotations, a coordinate at rest and a decay, mixed by a random matrix.

    A rotation conserves its radius, a coordinate at rest itself, two equal frequencies also the
    components of the product z1 conj(z2), of which one is independent of the radii and the other.
    A decay conserves nothing.
    """
    rotations, resting, decaying = _PARTS[rng.integers(len(_PARTS))]
    equal = rotations == 2 and rng.random() < 0.25
    first = number(rng, 0.7, 1.6)
    frequencies = [first]
    if rotations == 2:
        frequencies.append(first if equal else _incommensurate(rng, first))
    dim = 2 * rotations + resting + decaying
    normal = np.zeros((dim, dim))
    for i, frequency in enumerate(frequencies):
        _plane(normal, 2 * i, frequency)
    if decaying:
        normal[-1, -1] = -first / 12
    frame = _frame(rng, dim)
    inverse = np.linalg.inv(frame)
    x = sympy.symbols(" ".join(f"x{i + 1}" for i in range(dim)), real=True, seq=True)
    z = [sum(float(w) * s for w, s in zip(row, x, strict=True)) for row in inverse]
    matrix = frame @ normal @ inverse
    rates = {
        s: sum(float(a) * t for a, t in zip(row, x, strict=True))
        for s, row in zip(x, matrix, strict=True)
    }
    laws = {f"R{i + 1}": z[2 * i] ** 2 + z[2 * i + 1] ** 2 for i in range(rotations)}
    if equal:
        laws["C"] = z[0] * z[2] + z[1] * z[3]
    if resting:
        laws["c"] = z[-1]
    return from_formulas(
        name,
        "Rotations, a coordinate at rest, a decay, some of each, seen in a random frame.",
        rates,
        laws,
        roles=("other",) * dim,
        sample=lambda rng, n: _starts(rng, n, rotations, dim) @ frame.T,
    )


def _frame(rng: np.random.Generator, dim: int) -> np.ndarray:
    """Return a matrix (dim, dim) with singular values between 0.6 and 1.7."""
    left, right = (np.linalg.qr(rng.standard_normal((dim, dim))).Q for _ in range(2))
    return left @ np.diag(rng.uniform(0.6, 1.7, dim)) @ right


def _starts(rng: np.random.Generator, n: int, rotations: int, dim: int) -> np.ndarray:
    """Return normal coordinates (n, dim): any radius from 0.4 to 2, any phase."""
    radius, phase = rng.uniform(0.4, 2, (n, rotations)), rng.uniform(0, 2 * np.pi, (n, rotations))
    turning = np.stack([radius * np.cos(phase), radius * np.sin(phase)], axis=-1)
    rest = rng.uniform(-1.5, 1.5, (n, dim - 2 * rotations))
    return np.hstack([turning.reshape(n, -1), rest])
