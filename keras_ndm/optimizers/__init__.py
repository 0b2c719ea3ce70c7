"""Optimizers."""

from keras_ndm.optimizers.natural_gradient import NaturalGradient

__all__ = ["NaturalGradient"]
