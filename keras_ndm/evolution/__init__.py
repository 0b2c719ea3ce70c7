"""Losses on the geometry itself."""

from keras_ndm.evolution.layer import EvolutionLayer

__all__ = ["EvolutionLayer"]
