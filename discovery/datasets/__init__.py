"""Data sets with known laws: systems from the literature, and random ones, integrated tightly."""

from discovery.datasets.catalogue import info, names, random_kinds
from discovery.datasets.simulation import load, random
from discovery.datasets.system import System, register

__all__ = ["System", "info", "load", "names", "random", "random_kinds", "register"]
