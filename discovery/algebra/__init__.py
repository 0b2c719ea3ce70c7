"""Lie algebras: structure constants, and their names."""

from discovery.algebra.lie_algebra import (
    LieAlgebra,
    of_functions,
    of_symmetries,
    of_vector_fields,
)

__all__ = ["LieAlgebra", "of_functions", "of_symmetries", "of_vector_fields"]
