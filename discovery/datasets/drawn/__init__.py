"""Kinds of random systems: each draws a new one for every seed, with a known number of laws."""

# Kinds are registered when their file is imported, in the order that `random_kinds` keeps.
# isort: off
from discovery.datasets.drawn import (  # noqa: F401
    one_degree,
    particles,
    magnetic,
    masses,
    linear,
    amounts,
    fields,
    planted,
    quadratic,
    dissipative,
)
