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
    particles,
    magnetism,
    relativity,
    tops,
    flows,
    chains,
    ecology,
    reactions,
    maps,
    pde,
    controls,
    excitable,
    drawn,
)

# isort: on
from discovery.datasets.observed import MEASURED, Measured
from discovery.datasets.system import KINDS, SYSTEMS, System, find


def names() -> list[str]:
    """Return the names of the systems that ``load`` simulates."""
    return list(SYSTEMS)


def measured() -> list[str]:
    """Return the names of the measured data sets that ``load`` reads."""
    return list(MEASURED)


def random_kinds() -> list[str]:
    """Return the kinds of systems that ``random`` draws."""
    return list(KINDS)


def info(name: str) -> System | Measured:
    """Return the record of a system: its equations, laws, their count, its source.

    Of measured data it tells what was measured, in which units, and by whom.

    Parameters
    ----------
    name : str
        One of ``names()`` or ``measured()``, or a kind of ``random_kinds()`` and a seed, as in
        ``"central/7"``.

    Raises
    ------
    ValueError
        For an unknown name; the message lists the known ones.
    """
    system = MEASURED.get(name) or find(name)
    if system is not None:
        return system
    close = difflib.get_close_matches(str(name), [*SYSTEMS, *MEASURED], n=3)
    hint = f"Did you mean {' or '.join(map(repr, close))}? " if close else ""
    raise ValueError(
        f"unknown system {name!r}. {hint}Known: {', '.join(SYSTEMS)}; measured ones "
        f"{', '.join(MEASURED)}; random ones "
        f"'kind/seed' of the kinds {', '.join(KINDS)}."
    )
