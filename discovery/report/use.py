"""A finding as those use it who go on from laws: to motion."""

from __future__ import annotations

from discovery.dynamics.equations import Law
from discovery.report.quantity import Quantity


def as_law(quantity: Quantity) -> Law:
    """Return the terms of a quantity that is a formula, and what friction takes of it."""
    decay = quantity.decay
    if decay is None:
        return Law.of(quantity.coefficients)
    losses, factors = decay.losses, decay.factors
    if not losses:
        losses, factors = (quantity.expression,), (decay.rate,)
    return Law.of(quantity.coefficients, losses, factors)
