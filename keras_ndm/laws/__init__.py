"""Laws and motion as plain data, and layers that keep to them."""

from keras_ndm.laws.conserved_projection import ConservedProjection
from keras_ndm.laws.motion_layer import MotionLayer

__all__ = ["ConservedProjection", "MotionLayer"]
