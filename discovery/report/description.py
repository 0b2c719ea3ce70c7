"""Descriptions: the polynomial of few terms that comes nearest to a learned law."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import sympy

from discovery.criteria import FORMULAS
from discovery.libraries.domain import Domain
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
        if library.domain is not None:  # elsewhere its values are none of the law's
            fit, held = (_inside(library.domain, states) for states in (fit, held))
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


def _inside(domain: Domain, states: np.ndarray) -> np.ndarray:
    """Return the states in a domain, or all where hardly any are."""
    inside = domain.holds(states)
    return states[inside] if inside.sum() > MAX_TERMS else states


def _forward(phi: np.ndarray, values: np.ndarray) -> tuple[list[int], np.ndarray]:
    """Choose columns of `phi` (n, k) one by one while they explain enough of what is left.

    Where none does on its own, as few as are nearly as good as the most: kinetic and potential
    energy cancel along runs, and each explains little without the other.

    Returns their indices and their weights by least squares.
    """
    chosen: list[int] = []
    weights, rests = [np.zeros(0)], [values]
    while len(chosen) < min(MAX_TERMS, phi.shape[1]):
        chosen.append(int(np.argmax(np.abs(phi.T @ rests[-1]))))
        weights.append(np.linalg.lstsq(phi[:, chosen], values, rcond=None)[0])
        rests.append(values - phi[:, chosen] @ weights[-1])
    left = np.array([rest @ rest for rest in rests])
    share = 1 - FORMULAS.described_share
    enough = np.append(left[1:] <= share * left[:-1], False)
    few = int(np.argmin(enough)) or int(np.argmax(share * left <= left[-1]))
    return chosen[:few], weights[few]
