"""Catalogue: every system by its name."""

from __future__ import annotations

import difflib

# Families register their systems when they are imported, in the order that `names` keeps.
# isort: off
from discovery.datasets import (  # noqa: F401
    oscillators,
    nonlinear,
    rotors,
    geodesics,
    lattices,
    celestial,
    few_body,
    flows,
    ecology,
    pde,
    controls,
    excitable,
)

# isort: on
from discovery.datasets.system import SYSTEMS, System


def names() -> list[str]:
    """Return the names that ``load`` knows."""
    return list(SYSTEMS)


def info(name: str) -> System:
    """Return the record of a system: its equations, laws, their count, its source.

    Raises
    ------
    ValueError
        For an unknown name; the message lists the known ones.
    """
    if name in SYSTEMS:
        return SYSTEMS[name]
    close = difflib.get_close_matches(str(name), SYSTEMS, n=3)
    hint = f"Did you mean {' or '.join(map(repr, close))}? " if close else ""
    raise ValueError(f"unknown system {name!r}. {hint}Known: {', '.join(SYSTEMS)}.")
