"""Conserved quantities as one map C from states to k numbers, with its slopes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
import sympy

from discovery.formulas.compiling import compile_formulas
from discovery.formulas.plain import plain
from discovery.libraries.functions import Functions

# Operations of a formula beyond which deriving it takes longer than its library's slopes.
_LONG = 1000


class Conserved(Protocol):
    """A quantity of a report, as far as its values go.

    Attributes
    ----------
    name : str or None
        What physicists call it.
    formula : str
    expression : sympy.Expr
    verdict : str
    library : Functions
        Its terms.
    coefficients : dict from term to number
    spread : float
        Standard deviation over all samples, noise set aside.
    drift : float
        Its systematic motion, as a share of the spread.
    """

    name: str | None
    formula: str
    expression: sympy.Expr
    verdict: str
    library: Functions
    coefficients: dict[sympy.Expr, float]
    spread: float
    drift: float

    @property
    def constant(self) -> str:
        """What an identity is equal to, in words."""

    def __call__(self, states: np.ndarray) -> np.ndarray:
        """Return the values (n,) at states (n, d)."""

    def gradient(self, states: np.ndarray) -> np.ndarray:
        """Return the derivatives (n, d) at states (n, d)."""


class Laws:
    """C, k quantities of d coordinates.

    Closed forms are compiled as a whole with their derivatives: a walk asks for them often.

    Parameters
    ----------
    quantities : sequence of k Conserved
    """

    def __init__(self, quantities: Sequence[Conserved]) -> None:
        self.quantities = tuple(quantities)

    def __len__(self) -> int:
        return len(self.quantities)

    def __reduce__(self) -> tuple:
        # Compiled functions do not pickle; the laws do.
        return Laws, (self.quantities,)

    def values(self, states: np.ndarray) -> np.ndarray:
        """Return C (n, k) at states (n, d), as the quantities themselves give it."""
        with np.errstate(all="ignore"):
            return np.stack([q(states) for q in self.quantities], axis=1)

    def jets(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return C (n, k), but for rounding, and ``[n, i, j] = ∂C_i/∂x_j`` at states (n, d)."""
        n, k = len(states), len(self)
        values, slopes = np.empty((n, k)), np.empty((n, k, states.shape[1]))
        with np.errstate(all="ignore"):
            if self._compiled is None:
                for i, q in enumerate(self.quantities):
                    values[:, i], slopes[:, i] = q(states), q.gradient(states)
                return values, slopes
            parts = self._compiled(*states.T)
        for i, part in enumerate(parts[:k]):
            values[:, i] = part
        for j, part in enumerate(parts[k:]):
            slopes[:, j % k, j // k] = part
        return values, slopes

    def bends(self, states: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Return ½ tr(Σ ∇∇C) (n, k), what noise of covariance Σ (d, d) adds to C in the mean."""
        every = np.broadcast_to(covariance, (len(states), *covariance.shape))
        out = []
        for q in self.quantities:
            numbers = np.array(list(q.coefficients.values()))
            used = np.flatnonzero(numbers)
            _, _, bend = q.library.restrict(used.tolist()).jets(states, every, order=2)
            out.append(numbers[used] @ bend / 2)
        return np.stack(out, axis=1)

    @cached_property
    def _compiled(self) -> Callable[..., list[np.ndarray]] | None:
        """The laws, and then their derivatives by each coordinate in turn; None for networks."""
        if any(q.library.learned for q in self.quantities):
            return None
        symbols = [plain(symbol) for symbol in self.quantities[0].library.symbols]
        laws = [written(q) for q in self.quantities]
        if sum(law.count_ops() for law in laws) > _LONG:
            return None
        slopes = [law.diff(symbol) for symbol in symbols for law in laws]
        return compile_formulas(symbols, laws + slopes)


def written(quantity: Conserved) -> sympy.Expr:
    """Return a closed form with the coefficients that its values have."""
    return sympy.Add(*(number * term for term, number in quantity.coefficients.items()))
