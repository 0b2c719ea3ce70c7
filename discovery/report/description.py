"""Descriptions: the polynomial of few terms that comes nearest to a learned law."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import sympy

from discovery.criteria import FORMULAS
from discovery.libraries.library import Library
from discovery.libraries.monomials import monomials
from discovery.libraries.numeric import Numeric
from discovery.report.quantity import Quantity

# A description has at most this many terms.
MAX_TERMS = 6


def described(quantity: Quantity, fit: np.ndarray, held: np.ndarray) -> Quantity:
    """Give a learned law its description in few monomials; leave closed forms as they are.

    Forward selection among the monomials up to degree three, or the terms that a numeric function
    names. The quantity's values stay those of
    the network; `expression` becomes the description, and `approximation_error` the share of the
    variance at the states `held` that it leaves unexplained.

    Parameters
    ----------
    quantity : Quantity
    fit : (n, d) array
        States at which terms are chosen and their coefficients fitted.
    held : (m, d) array
        States at which the error is measured.
    """
    library = quantity.library
    if not library.learned:
        return quantity
    if isinstance(library, Numeric):
        terms = library.describing
    else:
        moving = [s for s in library.symbols if library.expressions()[0].has(s)]
        terms = Library(library.symbols, moving, monomials(len(moving), 3))
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
    """Choose columns of `phi` (n, k) one by one while they explain enough of what is left.

    Returns their indices and their weights by least squares.
    """
    chosen: list[int] = []
    weights, rest = np.zeros(0), values
    while len(chosen) < MAX_TERMS:
        trial = [*chosen, int(np.argmax(np.abs(phi.T @ rest)))]
        solved = np.linalg.lstsq(phi[:, trial], values, rcond=None)[0]
        remains = values - phi[:, trial] @ solved
        if remains @ remains > (1 - FORMULAS.described_share) * (rest @ rest):
            break
        chosen, weights, rest = trial, solved, remains
    return chosen, weights
