"""Data sets: systems of the literature and random ones, integrated tightly; and measured ones."""

from discovery.datasets.catalogue import info, measured, names, random_kinds
from discovery.datasets.simulation import load, random
from discovery.datasets.system import System, register

__all__ = ["System", "info", "load", "measured", "names", "random", "random_kinds", "register"]
