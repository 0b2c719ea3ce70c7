"""Mechanical systems whose Lagrangian is learned."""

from keras_ndm.mechanics.data import from_positions
from keras_ndm.mechanics.lagrangian_manifold import LagrangianManifold
from keras_ndm.mechanics.lagrangian_terms import LagrangianTerms
from keras_ndm.mechanics.orbits import Orbit

__all__ = ["LagrangianManifold", "LagrangianTerms", "Orbit", "from_positions"]
