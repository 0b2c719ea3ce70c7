"""Textbook form: laws with their names, at the scale and in the order in which books write them.

A law has no scale and no sign of its own. Kinetic terms come first and have a half,
u²/2 + v²/2 − 1/r; rotations are x v − y u. No function changes but for a factor.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
import sympy

from discovery.noether.motion import Candidate, Motion
from discovery.noether.naming import names_of
from discovery.report.quantity import Quantity
from discovery.report.report import DiscoveryReport

# What is conserved, or would be.
_NAMED = ("exact", "approximate", "decaying")


def in_textbook_form(report: DiscoveryReport, motion: Motion) -> DiscoveryReport:
    """Return a report whose laws are named.

    Parameters
    ----------
    report : DiscoveryReport
        In the user's units.
    motion : Motion
        Of the same coordinates.
    """
    laws = [q for q in report.quantities if q.verdict in _NAMED]
    names = names_of([candidate(q) for q in laws], motion)
    named = {id(q): name for q, name in zip(laws, names, strict=True)}
    return replace(
        report, quantities=[replace(q, name=named.get(id(q))) for q in report.quantities]
    )


def candidate(quantity: Quantity) -> Candidate:
    """Return the function that a quantity is."""
    weights = np.array(list(quantity.coefficients.values()))
    return Candidate(quantity.library, weights, quantity.decay is not None)
