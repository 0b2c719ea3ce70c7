"""Losses on the geometry itself, and how they are weighted."""

from keras_ndm.evolution.layer import EvolutionLayer
from keras_ndm.evolution.penalty_weights import Balance, Budget, PenaltyWeight, Weight

__all__ = ["Balance", "Budget", "EvolutionLayer", "PenaltyWeight", "Weight"]
