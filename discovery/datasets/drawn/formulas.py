"""Random systems from formulas: coefficients, rates and laws as SymPy expressions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np
import sympy

from discovery.datasets.system import System

# Fractions with larger denominators than this do not look simple.
_SIMPLE = 8
_PER_PERIOD = 25
# Initial states from which the period is told.
_STARTS = 400


def number(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number of three decimals that is no fraction with a denominator of up to 8.

    Parameters
    ----------
    rng : numpy Generator
    low, high : float
    """
    while True:
        value = round(rng.uniform(low, high), 3)
        if abs(value - Fraction(value).limit_denominator(_SIMPLE)) > 2e-3:
            return value


def numbers(rng: np.random.Generator, n: int, low: float, high: float) -> list[float]:
    """Draw n such numbers.

    Parameters
    ----------
    rng : numpy Generator
    n : int
    low, high : float
    """
    return [number(rng, low, high) for _ in range(n)]


def time_step(
    rhs: Callable[[np.ndarray], np.ndarray], starts: np.ndarray, per_period: float = _PER_PERIOD
) -> float:
    """Return the time between samples.

    The period is that of a harmonic motion with the same mean squares of x' and of x'' = (x'·∇)x',
    each coordinate in units of its spread.

    Parameters
    ----------
    rhs : callable, (n, d) -> (n, d)
    starts : (n, d)
    per_period : float
        Samples in a period.
    """
    spread = starts.std(axis=0) + 1e-9
    rate = rhs(starts)
    small = 1e-5
    change = (rhs(starts + small * rate) - rhs(starts - small * rate)) / (2 * small)
    first, second = ((part / spread) ** 2 for part in (rate, change))
    period = 2 * np.pi * np.sqrt(np.median(first.sum(axis=1)) / np.median(second.sum(axis=1)))
    return float(f"{period / per_period:.2g}")


def from_formulas(
    name: str,
    doc: str,
    rates: Mapping[sympy.Symbol, sympy.Expr],
    laws: Mapping[str, sympy.Expr],
    roles: tuple[str, ...],
    sample: Callable[[np.random.Generator, int], np.ndarray],
    per_period: float = _PER_PERIOD,
) -> System:
    """Make a system of formulas; its laws are independent of each other.

    Parameters
    ----------
    name, doc : str
    rates : mapping from each coordinate to its time derivative
    laws : mapping from name to formula in the coordinates
    roles, sample
        As for ``System``.
    per_period : float
        Samples in a period.
    """
    symbols = list(rates)
    system = System(
        name=name,
        doc=doc,
        equations=", ".join(f"{symbol}' = {rate}" for symbol, rate in rates.items()),
        source="drawn at random",
        names=tuple(map(str, symbols)),
        roles=roles,
        flow=sympy.lambdify(symbols, tuple(rates.values()), "numpy", cse=True),
        sample=sample,
        dt=np.nan,
        laws={law: sympy.lambdify(symbols, formula, "numpy") for law, formula in laws.items()},
        count=len(laws),
    )
    starts = sample(np.random.default_rng(0), _STARTS)
    return replace(system, dt=time_step(system.rhs, starts, per_period))
