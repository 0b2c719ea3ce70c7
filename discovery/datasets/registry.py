"""Registry: every system by its name."""

from discovery.datasets import celestial, controls, ecology, nonlinear, oscillators, rotors
from discovery.datasets.system import System

_FAMILIES = (oscillators, nonlinear, rotors, celestial, ecology, controls)

SYSTEMS: dict[str, System] = {
    system.name: system for family in _FAMILIES for system in family.SYSTEMS
}
