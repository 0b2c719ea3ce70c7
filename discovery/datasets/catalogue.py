"""Registry: every system by its name."""

from __future__ import annotations

import difflib

from discovery.datasets import (
    celestial,
    controls,
    ecology,
    excitable,
    few_body,
    flows,
    geodesics,
    lattices,
    nonlinear,
    oscillators,
    pde,
    rotors,
)
from discovery.datasets.system import System

_FAMILIES = (
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

SYSTEMS: dict[str, System] = {
    system.name: system for family in _FAMILIES for system in family.SYSTEMS
}


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
