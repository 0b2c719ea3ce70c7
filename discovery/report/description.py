"""Description: a learned law in few monomials."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import sympy

from discovery.laws.learned.library import WORTH
from discovery.libraries.library import Library
from discovery.libraries.monomials import monomials
from discovery.report.quantity import Quantity

# A formula that describes a learned law has at most this many terms …
MAX_DESCRIPTION = 6


def described(quantity: Quantity, fit: np.ndarray, held: np.ndarray) -> Quantity:
    """Give a learned law its best description in few monomials; leave closed forms as they are.

    Forward selection among monomials up to degree three on the states `fit` (n, d); the error is
    the share of variance that the formula leaves at the states `held`.
    """
    library = quantity.library
    if not library.learned:
        return quantity
    terms = Library(library.symbols, library.symbols, monomials(library.dim, 3))
    phi, phi_held = terms.values(fit).T, terms.values(held).T
    mean, spread = phi.mean(axis=0), phi.std(axis=0)
    phi, phi_held = (phi - mean) / spread, (phi_held - mean) / spread
    values, values_held = quantity(fit), quantity(held)
    chosen, weights = _forward(phi, values - values.mean())
    found = values.mean() + phi_held[:, chosen] @ weights
    error = float(np.mean((values_held - found) ** 2) / values_held.var())
    expressions = terms.expressions()
    pairs = zip(chosen, weights, strict=True)
    formula = sympy.Add(*(sympy.Float(w / spread[j], 3) * expressions[j] for j, w in pairs))
    return replace(quantity, expression=formula, approximation_error=error)


def _forward(phi: np.ndarray, values: np.ndarray) -> tuple[list[int], np.ndarray]:
    """Choose columns one by one while they explain enough of what is left."""
    chosen: list[int] = []
    weights, rest = np.zeros(0), values
    while len(chosen) < MAX_DESCRIPTION:
        trial = [*chosen, int(np.argmax(np.abs(phi.T @ rest)))]
        solved = np.linalg.lstsq(phi[:, trial], values, rcond=None)[0]
        remains = values - phi[:, trial] @ solved
        if remains @ remains > (1 - WORTH) * (rest @ rest):
            break
        chosen, weights, rest = trial, solved, remains
    return chosen, weights
