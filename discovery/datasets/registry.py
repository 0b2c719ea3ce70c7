"""Registry: every system by its name."""

from discovery.datasets import (
    celestial,
    controls,
    ecology,
    excitable,
    few_body,
    fields,
    flows,
    geodesics,
    lattices,
    nonlinear,
    oscillators,
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
    fields,
    controls,
    excitable,
)

SYSTEMS: dict[str, System] = {
    system.name: system for family in _FAMILIES for system in family.SYSTEMS
}
