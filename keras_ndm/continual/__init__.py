"""Learning one task after the other without forgetting."""

from keras_ndm.continual.prior import ContinualPrior

__all__ = ["ContinualPrior"]
