"""Random reaction networks with mass action, and random populations."""

from __future__ import annotations

import numpy as np
import sympy
from scipy.optimize import linprog

from discovery.datasets.drawn.formulas import from_formulas, numbers
from discovery.datasets.initial_states import rejection
from discovery.datasets.system import System, kind

_MOST_REACTIONS = 3
# Samples in the time that the fastest mixture takes to change by its own size, times 2π.
_PER_RELAXATION = 90


def left_null_space(matrix: np.ndarray) -> list[list[int]]:
    """Return a basis of integer vectors n with n·S = 0, for S of shape (species, reactions)."""
    basis = sympy.Matrix(matrix.astype(int).tolist()).T.nullspace()
    whole = [v * sympy.ilcm(*[entry.q for entry in v]) for v in basis]
    return [[int(entry) for entry in v] for v in whole]


@kind
def reactions(name: str, rng: np.random.Generator) -> System:
    """Draw two or three reversible reactions of three to five species: the conserved totals.

    Left sides and right sides are one species or two. All rates are random, so that nothing else
    is conserved: the mixtures run into the equilibrium of their totals.
    """
    while True:
        species = int(rng.integers(3, 6))
        left, right = _sides(rng, species, min(_MOST_REACTIONS, species - 1))
        change = right - left
        rank = np.linalg.matrix_rank(change)
        used = (left + right).any(axis=1).all() and change.any(axis=1).all()
        totals = left_null_space(change)
        # Two reactions at least, of independent changes; and no amount may grow for ever.
        if used and rank == change.shape[1] >= 2 and totals and _bounded(totals):
            break
    x = sympy.symbols(" ".join("abcde"[:species]), positive=True, seq=True)
    forward, backward = (numbers(rng, change.shape[1], 0.4, 1.6) for _ in range(2))
    speed = [
        f * _product(x, left[:, j]) - b * _product(x, right[:, j])
        for j, (f, b) in enumerate(zip(forward, backward, strict=True))
    ]
    rates = {
        s: sum(int(c) * v for c, v in zip(row, speed, strict=True))
        for s, row in zip(x, change, strict=True)
    }
    laws = {
        f"N{i + 1}": sum(c * s for c, s in zip(total, x, strict=True))
        for i, total in enumerate(totals)
    }
    return from_formulas(
        name,
        "Reversible reactions with mass action and random rates, from mixtures of all species.",
        rates,
        laws,
        per_period=_PER_RELAXATION,
        roles=("amount",) * species,
        sample=lambda rng, n: rng.uniform(0.1, 2.0, (n, species)),
    )


def _sides(rng: np.random.Generator, species: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the complexes before and after, (species, reactions) each, one or two molecules."""
    sides = np.zeros((2, species, count), dtype=int)
    for side in sides:
        for j in range(count):
            for _ in range(rng.integers(1, 3)):
                side[rng.integers(species), j] += 1
    return sides[0], sides[1]


def _bounded(totals: list[list[int]]) -> bool:
    """Whether some sum of totals weighs every species: amounts cannot grow for ever."""
    matrix = np.array(totals, dtype=float)
    answer = linprog(
        np.zeros(len(matrix)), A_ub=-matrix.T, b_ub=-np.ones(matrix.shape[1]), bounds=(None, None)
    )
    return answer.status == 0


def _product(x: tuple[sympy.Symbol, ...], powers: np.ndarray) -> sympy.Expr:
    return sympy.prod([s ** int(power) for s, power in zip(x, powers, strict=True)])


@kind
def predators(name: str, rng: np.random.Generator) -> System:
    """Draw the rates of Lotka and Volterra: x and y with their logarithms."""
    a, b, c, d = numbers(rng, 4, 0.5, 1.6)
    x, y = sympy.symbols("x y", positive=True)
    law = d * x - c * sympy.log(x) + b * y - a * sympy.log(y)
    value = sympy.lambdify((x, y), law, "numpy")
    least = value(c / d, a / b)

    def keep(states: np.ndarray) -> np.ndarray:
        above = value(*states.T) - least
        return (above > 0.03) & (above < 0.6 * min(a, c))

    return from_formulas(
        name,
        "Prey x and predators y with random rates; cycles of moderate size.",
        {x: a * x - b * x * y, y: d * x * y - c * y},
        {"V": law},
        roles=("amount", "amount"),
        sample=lambda rng, n: rejection(
            rng, n, lambda rng, m: rng.uniform(0.1, 3.2, (m, 2)) * [c / d, a / b], keep
        ),
    )
