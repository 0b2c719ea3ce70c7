"""Data sets with known laws: systems from the literature, integrated at tight tolerance."""

from discovery.datasets.catalogue import info, names
from discovery.datasets.simulation import load
from discovery.datasets.system import System, register

__all__ = ["System", "info", "load", "names", "register"]
