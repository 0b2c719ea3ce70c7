"""Natural gradient descent: the optimizer, its Fisher matrix and its solvers."""

from keras_ndm.optimizers.natural_gradient.optimizer import NaturalGradient

__all__ = ["NaturalGradient"]
